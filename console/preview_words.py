"""A rehearsal of the ladder in sentences: "09:30 打给老伙伴李阿姨". Pure; names are personal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import groupby
from zoneinfo import ZoneInfo

from checkins.rehearsal.values import Answers, Given, Happens, Kind, Moment
from checkins.results import REASON_ZH
from console.event_words import WHO_ZH
from console.roster_words import day_zh

HAPPENS_ZH = {
    Happens.NO_ANSWER: ("不接电话", "doesn't answer"),
    Happens.NOT_WELL: ("接了，说身体不好", "says she isn't well"),
    Happens.UNCLEAR: ("接了，没听清", "answers, nothing clear"),
    Happens.CRIES: ("在电话里求救", "cries for help in the call"),
    Happens.BUTTON: ("按了报警按钮", "presses the alarm button"),
}
ANSWERS_ZH = {
    Answers.NOBODY: ("谁都不接", "nobody answers"),
    Answers.BUDDY_GOES: ("老伙伴答应去，没有回音", "a buddy accepts, then no word"),
    Answers.BUDDIES_CANT: ("老伙伴都说去不了", "buddies can't"),
}
_ALARMING = {"duty": True, "deputy": True, "buddy": True}  # family and street aren't everybody's


@dataclass(frozen=True)
class Line:
    """`kind`: call, news, soft, or lack (what nobody covers). `step`: of the ladder, from 1; 0: none."""

    clock: str
    zh: str = field(repr=False)
    en: str = field(repr=False)
    kind: str
    step: int = 0


def lines(given: Given, told: Sequence[Moment], spoken_name: str) -> list[Line]:
    """Up to where the ladder begins anew. Who is rung within a minute, on one rung, stands in one line."""
    say = _Says(given, spoken_name)
    return [line for some in _minutes(_once_through(told), given.roster.zone) for line in [say.line(some)]]


def _once_through(told: Sequence[Moment]) -> Iterator[Moment]:
    for moment in told:
        yield moment
        if moment.kind is Kind.AGAIN:
            return


def _minutes(told: Iterator[Moment], zone: str) -> Iterator[list[Moment]]:
    def together(moment: Moment) -> object:
        minute = moment.at.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M")
        return (minute, moment.rung) if moment.kind is Kind.RING else (minute, moment)

    for _, some in groupby(told, together):
        yield list(some)


@dataclass
class _Says:
    given: Given
    name: str = field(repr=False)
    _day: str = ""

    def line(self, some: list[Moment]) -> Line:
        first = some[0]
        zh, en, kind = self._said(some)
        return Line(self._clock(first.at), zh, en, kind, 0 if first.rung is None else first.rung + 1)

    def _clock(self, at: datetime) -> str:
        """With the date when it is another day than the line before."""
        local = at.astimezone(ZoneInfo(self.given.roster.zone))
        day, clock = day_zh(local.date()), f"{local:%H:%M}"
        before, self._day = self._day, day
        return clock if before in ("", day) else f"{day} {clock}"

    def _said(self, some: list[Moment]) -> tuple[str, str, str]:
        first = some[0]
        match first.kind:
            case Kind.TRY:
                return self._try(first)
            case Kind.RING:
                who = "、".join(_called(one) for one in some)
                return f"打给{who}{self._reply(some)}", "rings " + ", ".join(_name(one) for one in some), "call"
            case Kind.ASK:
                return f"打给{_called(first)}，问看到了什么：没人接", f"asks {_name(first)} what they found", "call"
            case Kind.ELDER:
                return f"同时打给{self.name}本人：没人接", "rings the elder as well", "call"
            case Kind.GOES:
                return f"{_name(first)}按键：我去", f"{_name(first)} accepts", "news"
            case Kind.NO_WORD:
                return f"{_name(first) or '答应的人'}没有回音，不再等", "no finding in time: the ladder goes on", "news"
            case Kind.PERSON:
                reason = REASON_ZH[first.reason] if first.reason else ""
                return f"要找人：{reason}", f"a person is needed: {first.reason or ''}", "news"
        return self._lack(first)

    def _try(self, call: Moment) -> tuple[str, str, str]:
        happens = self.given.happens
        if happens is Happens.NO_ANSWER:
            rings = f"响 {self.given.policy.ring_s} 秒，没人接"
            return f"第 {call.number} 次打给{self.name}：{rings}", f"try {call.number}: no answer", "call"
        zh, en = HAPPENS_ZH[happens]
        return f"打给{self.name}：{zh}", f"rings the elder, who {en}", "call"

    def _reply(self, some: list[Moment]) -> str:
        buddies = [one for one in some if one.role == "buddy"]
        if self.given.answers is Answers.BUDDIES_CANT and buddies:
            return "：去不了" if len(buddies) == len(some) else "：老伙伴去不了，别人没人接"
        if self.given.answers is Answers.BUDDY_GOES and buddies:
            return ""
        return "：没人接"

    def _lack(self, moment: Moment) -> tuple[str, str, str]:
        role = WHO_ZH.get(moment.role or "", "")
        match moment.kind:
            case Kind.LACKS:
                kind = "lack" if _ALARMING.get(moment.role or "") else "soft"
                zh = _LACKS_ZH.get(moment.role or "", f"没有{role}可打")
                return f"{'⚠ ' if kind == 'lack' else ''}{zh}", f"no {moment.role} to ring then", kind
            case Kind.ASLEEP:
                return f"这时不打给{role}（休息时间）", f"{moment.role} isn't rung at this hour", "soft"
            case Kind.NOBODY:
                return "⚠ 没有人可打，只能等办公室有人接手", "nobody is left to ring: it waits on the console", "lack"
        again = (moment.rung or 0) + 1
        return f"再从第 {again} 级打起，一直找到有人接手", f"begins anew at step {again}, without end", "news"


_LACKS_ZH = {
    "duty": "这时没有人值班",
    "deputy": "这时没有副班",
    "buddy": "这时没有老伙伴可打（没配对、请假、没号码，或老人没同意）",
    "family": "没有家属可打",
    "street": "没有街道的电话",
}


def _name(call: Moment) -> str:
    return call.who.name if call.who else ""


def _called(call: Moment) -> str:
    return f"{WHO_ZH.get(call.role or call.who.kind if call.who else '', '')}{_name(call)}"
