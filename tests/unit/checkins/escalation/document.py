"""What docs/escalation.md shows is played and written by this: `python -m tests.unit.checkins.escalation.document`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from checkins.escalation import search as core
from checkins.escalation.policy import Escalation, Plan, Step, Who
from checkins.escalation.values import (
    Action,
    CallForFinding,
    Confirm,
    Finding,
    Idle,
    Phase,
    Reply,
    Responder,
    Responders,
    Ring,
    Search,
    TellTaken,
    Wait,
)
from checkins.results import Urgency
from tests.unit.checkins.escalation.people import ZONE, at, minutes, person

PAGE = Path(__file__).parents[4] / "docs" / "escalation.md"


def page() -> str:
    """The page as it should be."""
    text = PAGE.read_text(encoding="utf-8")
    for name, block in (("policy", policy_table()), ("evening", evening())):
        text = re.sub(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", rf"\g<1>{block}\g<2>", text, flags=re.DOTALL)
    return text


# ── the defaults ──────────────────────────────────────────────────────────────────────────────────


def policy_table() -> str:
    lines = [
        "| urgency | rung | who | calls to each | at once, of each role | rounds | then |",
        "|---|---|---|---|---|---|---|",
    ]
    default = Escalation()
    for name in ("unreached", "emergency", "device", "soon", "today"):
        plan: Plan = getattr(default, name)
        for number, step in enumerate(plan.steps):
            lines.append(_rung(name if not number else "", plan, number, step))
    return "\n".join(lines) + "\n"


def _rung(name: str, plan: Plan, number: int, step: Step) -> str:
    who = ", ".join(one + ("*" if one in plan.quiet else "") + ("°" if one in plan.office else "") for one in step.who)
    calls = f"{step.calls}, {step.spacing} min apart" if step.calls > 1 else "1"
    rounds = f"{step.rounds}, every {step.every} min" if step.rounds > 1 else "1"
    last = number == len(plan.steps) - 1
    then = f"rung {plan.loop + 1}" if last else f"rung {number + 2}"
    if step.every and step.rounds == 1:
        then += f" after {step.every} min"
    if step.latest:
        rounds += f"; begins at the latest {step.latest} min after try 3"
    return f"| {name} | {number + 1} | {who} | {calls} | {step.together} | {rounds} | {then} |"


# ── an evening ────────────────────────────────────────────────────────────────────────────────────

PEOPLE: Responders = {
    Who.BUDDY: (person(Who.BUDDY, "李阿姨"), person(Who.BUDDY, "周阿姨"), person(Who.BUDDY, "沈阿姨")),
    Who.DUTY: (person(Who.DUTY, "陈老师"),),
    Who.DEPUTY: (person(Who.DEPUTY, "吴老师"),),
    Who.FAMILY: (person(Who.FAMILY, "女儿"),),
    Who.STREET: (person(Who.STREET, "街道值班"),),
}
# What comes of each call to them, in order: after so many minutes, what.
SCRIPT: dict[str, list[tuple[float, Reply | Finding]]] = {
    "李阿姨": [(1, Reply.NO_ANSWER), (1, Reply.NO_ANSWER)],
    "周阿姨": [(1, Reply.DECLINED)],
    "沈阿姨": [(1, Reply.ACCEPTED), (1, Finding.NOBODY_OPENS)],
    "陈老师": [(1, Reply.MACHINE), (1, Reply.ACCEPTED), (1, Finding.FINE_SEEN)],
}


@dataclass
class Evening:
    now: datetime
    search: Search
    rows: list[str] = field(default_factory=list)
    news: list[tuple[datetime, str, Callable[[], Search]]] = field(default_factory=list)

    def play(self) -> None:
        self.row("王阿婆's third try was missed", self.now)
        while self.search.phase is not Phase.ENDED:
            self.hear()
            self.search, action = core.advance(self.search, PEOPLE, self.busy(), self.now)
            self.do(action)
        self.rows.append(f"| {_clock(self.now)} | ended by {self.search.ended_by} | |")

    def busy(self) -> set[str]:
        return {text.split(":")[0] for _, text, _ in self.news}

    def hear(self) -> None:
        due = [item for item in self.news if item[0] <= self.now]
        self.news = [item for item in self.news if item[0] > self.now]
        for moment, text, news in due:
            self.search = news()
            self.row(text, moment)

    def do(self, action: Action) -> None:
        match action:
            case Ring(responders):
                for one in responders:
                    self.ring(one, f"rings {one.id} ({one.kind})")
            case CallForFinding(one):
                self.ring(one, f"rings {one.id}: what did you find?")
            case TellTaken(one, by):
                self.search = core.told(self.search, one.id, self.now)
                self.row(f"rings {one.id}: {by} has it now", self.now)
            case Wait(until):
                self.now = min([until, *(moment for moment, _, _ in self.news)])
            case Confirm(after):
                self.now = after + minutes(20)
                self.search = core.confirmed(self.search, self.now)
                self.row("rings 王阿婆 herself: she is well", self.now)
            case Idle():
                raise AssertionError("ended")

    def ring(self, one: Responder, text: str) -> None:
        self.search = core.rang(self.search, one.id, self.now)
        after, what = SCRIPT[one.id].pop(0) if SCRIPT[one.id] else (1, Reply.NO_ANSWER)
        self.news.append((self.now + minutes(after), f"{one.id}: {what.replace('_', ' ')}", self.hears(one, what)))
        self.row(text, self.now)

    def hears(self, one: Responder, what: Reply | Finding) -> Callable[[], Search]:
        if isinstance(what, Reply):
            return lambda: core.replied(self.search, one.id, what, self.now)
        return lambda: core.found(self.search, one.id, what, self.now, who=Who(one.kind))

    def row(self, text: str, moment: datetime) -> None:
        _, action = core.advance(self.search, PEOPLE, self.busy(), self.now)
        self.rows.append(f"| {_clock(moment)} | {text} | {_next(action, self.now)} |")


def _next(action: Action, now: datetime) -> str:
    match action:
        case Wait(until):
            return _clock(until)
        case Confirm(after, by):
            return f"{_clock(after)}–{_clock(by)} next morning"
        case Idle():
            return ""
    return "at once"


def _clock(moment: datetime) -> str:
    return moment.astimezone(ZONE).strftime("%H:%M")


def evening() -> str:
    start = at("20:05")
    script = {who: list(calls) for who, calls in SCRIPT.items()}
    play = Evening(start, core.begin(Escalation(), Urgency.UNREACHED, start))
    play.play()
    SCRIPT.update(script)
    return "\n".join(["| time | what happens | next action by |", "|---|---|---|", *play.rows]) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
