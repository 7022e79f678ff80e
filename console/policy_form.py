"""A part of a policy as a form, and back: what is typed, field by field, into the entries that the command line reads.
Steps are numbered from 0 in the names of fields, from 1 for people. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from checkins.escalation.policy import Who
from checkins.policy_drafts import CALLS
from checkins.schedule import read_minute

Typed = Mapping[str, str]
YES = "1"
MOST_STEPS = 6  # more don't fit into one form; the command line takes them
_MOST_DIGITS = 4
_GAP = re.compile(r"[\s,，、;；]+")


@dataclass(frozen=True)
class Field:
    """`kind`: number, time ("08:30", minutes of the day), list (numbers), none (a number or nothing)."""

    name: str
    zh: str
    en: str
    kind: str = "number"
    hint: str = ""


CALL_FIELDS = (
    Field("ring_s", "每次响几秒", "rings for, s", hint="10–60"),
    Field(
        "try_after", "没接，过几分钟再打", "tries, min after the first was missed", "list", "比如 15、45：一共打三次"
    ),
    Field("busy_after", "占线，过几分钟再打", "busy: again after, min"),
    Field("line_error_after", "线路出错，过几分钟再打", "line errors: again after, min", "list", "比如 2、5、10"),
    Field("calls_from", "最早几点打", "no call before", "time", "08:00 以后"),
    Field("calls_until", "几点以后不打", "no call after", "time", "21:00 以前"),
    Field("unserved_at", "几点还没轮到就找人", "a person for who wasn't called by", "time"),
    Field("unserved_grace", "排得晚的，再等几分钟", "grace for late slots, min", hint="1–120"),
    Field("longest_delay", "推迟超过几分钟就找人", "longest delay by line rules, min", hint="1–120"),
)
REMIND_FIELDS = (
    Field("soon_within", "尽快：几分钟内", "soon: due within, min", hint="1–120"),
    Field("today_within", "今日内：几分钟内", "today: due within, min", hint="1–240"),
    Field("unreached_every", "没联系上，没人可打时提醒", "unreached, nobody to ring: reminds every, min", hint="1–10"),
    Field("emergency_every", "紧急，没人可打时提醒", "emergency, nobody to ring: reminds every, min", hint="1–10"),
    Field("remind_every", "其他，没人可打时提醒", "else: reminds every, min", hint="1–60"),
)
WINDOW_FIELDS = (
    Field("plan_from", "排时间从", "slots from", "time"),
    Field("plan_until", "排时间到", "slots until", "time"),
)
HOUR_FIELDS = (
    Field("quiet_from", "晚上几点起不打扰", "quiet from", "time", "21:00 或更早"),
    Field("quiet_until", "早上几点起可以打", "quiet until", "time", "08:00 或更晚"),
)
STEP_FIELDS = (
    Field("calls", "每人几次", "calls each", hint="1–5"),
    Field("spacing", "隔几分钟", "spacing, min", hint="2–10"),
    Field("together", "同时打几位", "at once, of each role", hint="1–10"),
    Field("rounds", "几轮", "rounds", hint="1–10"),
    Field("every", "一轮至少几分钟", "a round lasts, min", hint="0：打完就下一级"),
    Field("latest", "最晚几分钟后开始", "begins at the latest after, min", "none", "可空；最多 60"),
)
PLAN_FIELDS = (
    Field("finding_within", "答应以后，几分钟内要有结果", "a finding within, min"),
    Field("finding_call", "几分钟时打电话问", "asked after, min"),
    Field(
        "confirm_within",
        "见到平安后，几分钟内再打给老人确认",
        "the elder is rung to confirm within, min",
        hint="0：不打",
    ),
)


def fields_of(part: str) -> Sequence[Field]:
    """Those of one value; steps have their own."""
    if part == CALLS:
        return (*CALL_FIELDS, *REMIND_FIELDS)
    return HOUR_FIELDS if part == "hours" else PLAN_FIELDS


# ── entries → form ────────────────────────────────────────────────────────────────────────────────


def filled(part: str, entries: Mapping[str, Any]) -> dict[str, str]:
    """What stands in the form for these entries."""
    form = {each.name: text_of(each, entries[each.name]) for each in fields_of(part)}
    if part == CALLS:
        form["try_after"] = text_of(CALL_FIELDS[1], entries["try_after"][1:])
    if "steps" in entries:
        form |= _plan(entries)
    return form


def _plan(entries: Mapping[str, Any]) -> dict[str, str]:
    form = {"steps": str(len(entries["steps"])), "loop": str(entries["loop"]), "seen": YES if entries["seen"] else ""}
    form |= {f"{name}-{who}": YES for name in ("quiet", "office") for who in entries[name]}
    for index, step in enumerate(entries["steps"]):
        form |= {f"who-{index}-{who}": YES for who in step["who"]}
        form |= {f"{each.name}-{index}": text_of(each, step[each.name]) for each in STEP_FIELDS}
    return form


def text_of(field: Field, value: Any) -> str:
    if value is None:
        return ""
    if field.kind == "time":
        return f"{value // 60:02}:{value % 60:02}"
    return "、".join(map(str, value)) if field.kind == "list" else str(value)


# ── form → entries ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Read:
    """`wrong`: by field, a sentence; then there are no `entries`."""

    entries: Mapping[str, Any]
    wrong: Mapping[str, str]


def read(part: str, typed: Typed) -> Read:
    wrong: dict[str, str] = {}
    entries = {each.name: _value(each, each.name, typed, wrong) for each in fields_of(part)}
    if part == CALLS and not wrong:
        entries["try_after"] = [0, *entries["try_after"]]
    if "steps" in typed:
        entries |= _read_plan(typed, wrong)
    return Read({} if wrong else entries, wrong)


def read_window(typed: Typed) -> Read:
    wrong: dict[str, str] = {}
    entries = {each.name: _value(each, each.name, typed, wrong) for each in WINDOW_FIELDS}
    return Read({} if wrong else entries, wrong)


def count_of(typed: Typed) -> int:
    text = typed.get("steps", "")
    return min(int(text), MOST_STEPS) if text.isascii() and text.isdigit() and len(text) == 1 else 0


def _read_plan(typed: Typed, wrong: dict[str, str]) -> dict[str, Any]:
    steps = [_read_step(index, typed, wrong) for index in range(count_of(typed))]
    loop = typed.get("loop", "")
    return {
        "steps": steps,
        "loop": int(loop) if loop.isascii() and loop.isdigit() and len(loop) == 1 else 0,
        "seen": typed.get("seen") == YES,
        **{name: _roles(name, typed) for name in ("quiet", "office")},
    }


def _read_step(index: int, typed: Typed, wrong: dict[str, str]) -> dict[str, Any]:
    step = {each.name: _value(each, f"{each.name}-{index}", typed, wrong) for each in STEP_FIELDS}
    step["who"] = _roles(f"who-{index}", typed)
    if not step["who"]:
        wrong[f"who-{index}"] = "请选至少一种人。Choose whom to ring."
    return step


def _roles(name: str, typed: Typed) -> list[str]:
    return [who.value for who in Who if typed.get(f"{name}-{who}") == YES]


def _value(field: Field, name: str, typed: Typed, wrong: dict[str, str]) -> Any:
    text = typed.get(name, "").strip()
    if field.kind == "none" and not text:
        return None
    try:
        return _READ[field.kind](text)
    except ValueError:
        wrong[name] = _SAYS[field.kind]
        return None


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS):
        raise ValueError("no whole number")
    return int(text)


def _several(text: str) -> list[int]:
    return [_whole(each) for each in _GAP.split(text) if each]


_READ: Mapping[str, Callable[[str], Any]] = {"number": _whole, "none": _whole, "time": read_minute, "list": _several}
_SAYS = {
    "number": "请写整数。Write a whole number.",
    "none": "请写整数，或者空着。Write a whole number, or nothing.",
    "time": "请写时间，比如 08:30。Write a time, e.g. 08:30.",
    "list": "请写整数，用顿号隔开，比如 15、45。Write whole numbers.",
}


# ── steps, moved about ────────────────────────────────────────────────────────────────────────────


def reshaped(typed: Typed, act: str) -> dict[str, str]:
    """The form after "add", "remove-2", "up-2" or "down-2" (from 0); anything else changes nothing."""
    order: list[int | None] = [*range(count_of(typed))]
    word, _, at = act.partition("-")
    index = int(at) if at.isascii() and at.isdigit() and len(at) == 1 else -1
    if word == "add" and len(order) < MOST_STEPS:
        order.append(None)
    elif word == "remove" and 0 <= index < len(order) > 1:
        del order[index]
    elif word in ("up", "down") and 0 <= (other := index + (1 if word == "down" else -1)) < len(order) > index >= 0:
        order[index], order[other] = order[other], order[index]
    return {**_unstepped(typed), **_stepped(typed, order), "steps": str(len(order)), "loop": _loop(typed, order)}


def _loop(typed: Typed, order: Sequence[int | None]) -> str:
    """It stays with its step."""
    old = typed.get("loop", "")
    at = next((new for new, index in enumerate(order) if index is not None and str(index) == old), None)
    return str(min(int(old), len(order) - 1) if at is None and old.isdigit() else at or 0)


def _unstepped(typed: Typed) -> dict[str, str]:
    return {name: text for name, text in typed.items() if not _step_of(name)}


def _step_of(name: str) -> re.Match[str] | None:
    return re.fullmatch(r"(who|calls|spacing|together|rounds|every|latest)-(\d)(-\w+)?", name)


def _stepped(typed: Typed, order: Sequence[int | None]) -> dict[str, str]:
    found: dict[str, str] = {}
    for new, old in enumerate(order):
        if old is None:
            found |= {f"calls-{new}": "1", f"spacing-{new}": "5", f"together-{new}": "1", f"rounds-{new}": "1"}
            found |= {f"every-{new}": "10", f"latest-{new}": ""}
        for name, text in typed.items():
            if (parts := _step_of(name)) and parts[2] == str(old):
                found[f"{parts[1]}-{new}{parts[3] or ''}"] = text
    return found
