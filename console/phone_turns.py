"""What the line says and hears in one call, turn by turn, as the browser phone shows it while it goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from callflows.findings import Finding
from callflows.flow import NAME, Flow, Prompt
from callflows.session import Session as Talk
from checkins.case_rows import served_by
from checkins.results import RESULT_ZH
from checkins.tables import CallIntent
from console.call_log import Entry
from console.meaning_words import OUTCOME_ZH
from console.phone_choices import choices, spoken
from console.words import (
    DISPOSITION_ZH,
    EVIDENCE_ZH,
    as_heard,
    dictation_length,
    ear,
    entry_zh,
    is_shown,
    keys_only_zh,
    meaning,
)
from ivr import outbox
from ivr.records import Call, CallEvent, CallNews

LINE, ELDER, NOTE = "line", "elder", "note"
_OUTCOMES = {**OUTCOME_ZH, **{str(word): text for word, text in RESULT_ZH.items()}}
_KEYS_ONLY = "keys only: there is no audio stream, nothing that is said is heard"
_HIDDEN = frozenset({"status", "stream", "recording", "machine", "listened"})  # of no interest to who is on the line


@dataclass(frozen=True)
class Turn:
    """`who`: LINE, ELDER or NOTE; `text`: what was said, pressed or done; `detail`: how it was taken. Personal."""

    who: str
    text: str = field(repr=False)
    detail: str = field(default="", repr=False)
    keys_only: bool = False  # from here on the line hears nothing but keys

    def message(self) -> dict[str, Any]:
        return {"type": "turn", **asdict(self)}


@dataclass(frozen=True)
class News:
    """What is new of a call since the log's line `last`. `over`: its final report is written, with its `result`."""

    turns: tuple[Turn, ...]
    last: int
    over: bool
    result: str = ""
    case: int | None = None  # for who wants to see what became of it


def news(session: Session, carrier_sid: str, after: int, flow_of: Callable[[str], Flow]) -> News:
    """What the call's log holds after its line `after`."""
    call = session.scalar(select(Call).where(Call.carrier_sid == carrier_sid))
    if call is None:
        return News((), after, False)
    flow = flow_of(call.order["flow"])
    query = select(CallEvent).where(CallEvent.call_id == call.id).order_by(CallEvent.id)
    events = session.scalars(query).all()
    turns = _turns(events, after, call, flow)
    last = events[-1].id if events else after
    final = select(CallNews.id).where(CallNews.call_id == call.id, CallNews.key == outbox.FINAL)
    if session.scalar(final) is None:
        return News(tuple(turns), last, False)
    return News(tuple(turns), last, True, _result(call, flow), _case(session, call.id))


def _turns(events: Sequence[CallEvent], after: int, call: Call, flow: Flow) -> Iterator[Turn]:
    values, entries = _values(call), [_entry(event) for event in events]
    for at in _in_turn(entries):
        if events[at].id > after:
            offered = partial(choices, flow, session=call.session, before=_before(entries, at))
            if turn := turn_of(entries[at], flow, values, offered):
                yield turn


def _in_turn(entries: Sequence[Entry]) -> Sequence[int]:
    """A question that a key cut off stands before the key; the log has it after."""
    order = list(range(len(entries)))
    for at in order[1:]:
        if _cut_by_key(entries, at):
            order[at - 1], order[at] = at, at - 1
    return order


def _cut_by_key(entries: Sequence[Entry], at: int) -> bool:
    return at > 0 and (entries[at - 1].kind, entries[at].kind) == ("key", "cleared")


def _before(entries: Sequence[Entry], at: int) -> Sequence[Entry]:
    """What the log says before a prompt, without the key that cut it off."""
    return entries[: at - _cut_by_key(entries, at)]


def turn_of(
    entry: Entry, flow: Flow, values: Mapping[str, str], offered: Callable[[str], str] = lambda _: ""
) -> Turn | None:
    """None for what only engineers want to know. `offered`: whom a prompt offers to choose from."""
    detail = entry.detail
    match entry.kind:
        case "prompt":
            name = str(detail.get("name", ""))
            return Turn(LINE, said(flow, name, values) + offered(name))
        case "cleared":
            names = [str(name) for name in detail.get("names") or ()]
            text = "".join(said(flow, name, values) + offered(name) for name in names)
            return Turn(LINE, text, "没播完，已经回答 cut off by an answer")
        case "key":
            return Turn(ELDER, f"按键 {detail.get('digit') or '（保密）'}")
        case "heard":
            return Turn(ELDER, f"“{as_heard(detail)}”", _heard(detail))
        case "dictation":
            how = _some("口述", dictation_length(detail), ear(detail))
            return Turn(ELDER, f"“{detail.get('text', '')}”", " · ".join(how))
        case "verbs":
            return Turn(NOTE, f"只能按键：{keys_only_zh(detail)}", _KEYS_ONLY, keys_only=True)
    if entry.kind in _HIDDEN or not is_shown(entry):
        return None
    return Turn(NOTE, *entry_zh(entry))


def said(flow: Flow, name: str, values: Mapping[str, str]) -> str:
    """The words of the prompt with this mark; the mark itself when no step has it. Pure."""
    prompt = _prompts(flow).get(name)
    return name if prompt is None else spoken(flow, prompt, values)


def _prompts(flow: Flow) -> dict[str, Prompt]:
    prompts = [flow.acknowledge, *(prompt for step in flow.steps.values() for prompt in step.said)]
    return {prompt.name: prompt for prompt in prompts}


def _values(call: Call) -> dict[str, str]:
    """What the flow's variables hold for the first person of the call, and what was told in mid-call."""
    order = call.order
    first = (order.get("callees") or [{}])[0]
    told = ((call.session or {}).get("state") or {}).get("told") or {}
    told_now = {key.rpartition(".")[2]: one.get("value", "") for key, one in told.items()}
    return {NAME: first.get("spoken_name", ""), **order.get("variables", {}), **first.get("variables", {}), **told_now}


def _heard(detail: Mapping[str, Any]) -> str:
    known = detail.get("meaning")
    sure = "" if not known else "有把握" if detail.get("certain") else "没把握"
    counts = "" if detail.get("counts", True) else "不作回答"
    seconds = f"{detail['seconds']} 秒" if detail.get("seconds") else ""
    return " · ".join(_some(f"听懂：{meaning(known)}" if known else "没听懂", sure, counts, ear(detail), seconds))


def _some(*words: str) -> list[str]:
    return [word for word in words if word]


def _result(call: Call, flow: Flow) -> str:
    """ "结果：身体不好（语音）", or how the call ended when nobody was talked to."""
    ended = DISPOSITION_ZH.get(call.disposition or "", call.disposition or "")
    found = [_finding(one) for one in _findings(call, flow)] if call.disposition == "answered" else []
    return "；".join(found) or ended


def _findings(call: Call, flow: Flow) -> Sequence[Finding]:
    return Talk.from_json(flow, call.session).findings if call.session else ()


def _finding(finding: Finding) -> str:
    how = EVIDENCE_ZH.get(finding.evidence, "")
    return _OUTCOMES.get(finding.result, finding.result) + (f"（{how}）" if how else "")


def _case(session: Session, call_id: str) -> int | None:
    if session.get(CallIntent, call_id) is None:
        return None
    row = session.scalars(served_by(call_id)).first()
    return None if row is None else row.id


def _entry(event: CallEvent) -> Entry:
    return Entry(event.kind, event.at, event.at_ms, event.detail or {})
