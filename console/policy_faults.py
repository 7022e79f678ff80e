"""What the policies' own check says, at the field that it is about, in Chinese first. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

_RULES: tuple[tuple[str, str, str], ...] = (
    # what the check says; which field, "" for the one that it names; in Chinese
    (r"(\w+) must be (\d+) to (\d+), not \d+", r"\1", r"要在 \2 到 \3 之间"),
    (r"(\w+) must be (\d+) to (\d+) (?:minutes|seconds)", r"\1", r"要在 \2 到 \3 之间"),
    (r"(every) must be at least (\d+) when", r"\1", r"有几轮时，一轮至少 \2 分钟"),
    (r"steps must come back to duty", "loop", "从这一级往后必须有值班：总要有一位有名有姓的人接手"),
    (r"duty must be rung within (\d+) minutes", "latest", r"第一次打值班的这一级要写最晚几分钟后开始（最多 \1）"),
    (r"such a case never sleeps longer than (\d+) minutes", "every", r"这样的个案一轮最多 \1 分钟：不能睡着"),
    (r"a finding is due within (\d+) minutes", "finding_within", r"最多 \1 分钟"),
    (r"somebody must have seen the elder", "seen", "必须见到本人才算平安"),
    (
        r"the line must ring the elder after three missed tries",
        "confirm_within",
        "三次没接以后，见到平安也要再打给老人确认，不能是 0",
    ),
    (r"duty is rung at any hour", "office", "这样的个案随时打值班：不能选上班时间才打，值班晚上也要打"),
    (
        r"buddy and family are rung in quiet hours in emergencies only",
        "quiet",
        "老伙伴和家属晚上只在紧急时打：请都选上",
    ),
    (r"quiet hours must cover", "quiet_from", "至少 21:00 到 08:00 不打扰，白天要留时间"),
    (r"try_after must start with 0 and rise", "try_after", "要一个比一个晚，比如 15、45"),
    (r"an unreached case never sleeps longer", "unreached_every", "要在 1 到 10 之间"),
    (r"calls_from must lie before calls_until", "calls_from", "要早于结束的时间，都在 08:00 到 21:00 之间"),
    (r"plan_from must lie before plan_until", "plan_from", "要早于结束的时间，都在 08:00 到 21:00 之间"),
    (r"unserved_at must lie within", "unserved_at", "要在打电话的时间之内"),
    (r"remind_every must be", "remind_every", "要在 1 到 60 之间"),
    (r"who must name at least one role", "who", "请选至少一种人"),
    (r"steps must name at least one step", "steps", "至少要有一级"),
)


@dataclass(frozen=True)
class Fault:
    """`field` "": of no one field of this form."""

    field: str
    said: str


def fault(why: str, fields: Callable[[str], bool]) -> Fault:
    """`why`: the sentence of checkins.policies.put or policy_drafts.hold; `fields` says whether the form has a field of
    this name."""
    whose, whole = _whose(why)
    where, cause = _split(whole)
    for pattern, about, zh in _RULES:
        if found := re.search(pattern, cause):
            name = "" if whose else _named(found.expand(about), where)
            said = f"{whose}{found.expand(zh)}。{_capital(cause)}."
            return Fault(name, said) if name and fields(name) else Fault("", said)
    return Fault("", f"{whose}这样不行。{_capital(cause)}.")


def _whose(why: str) -> tuple[str, str]:
    """Of an elder who has a policy of her own over this one, her name comes first."""
    name, _, whole = why.rpartition("escalation: ") if "escalation: " in why else why.rpartition("policy: ")
    return (f"{name.rstrip(': ')}自己的规则就不行了：" if name else ""), whole


def _split(whole: str) -> tuple[Mapping[str, str], str]:
    """The place that the sentence begins with, and the rest."""
    head, colon, rest = whole.partition(": ")
    step = re.search(r"steps\.(\d+)", head)
    return ({"step": step[1]} if step and colon else {}), rest if colon else whole


def _named(about: str, where: Mapping[str, str]) -> str:
    stepped = about in ("who", "calls", "spacing", "together", "rounds", "every", "latest")
    return f"{about}-{where['step']}" if stepped and "step" in where else about


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
