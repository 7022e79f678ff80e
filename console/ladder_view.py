"""The search for a person as the page of a case shows it: who was rung and what they answered, who has it until when,
what comes next. Read only: the search is asked, never moved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import searches
from checkins.case_rows import select_cases
from checkins.cases import Event
from checkins.escalation.values import Action, CallForFinding, Confirm, Idle, Phase, Ring, TellTaken, Wait
from checkins.pace import LIVE
from checkins.responders import Rosters, name_of
from checkins.tables import CallIntent, Checkin
from console.event_words import WHO_ZH, Sentence, sentence

_CALLS = {"ring": "请去看看", "ask": "问看到了什么", "hand_over": "把老人的电话转过去"}
_TOLD = {"taken": "告诉已有人去了", "confirm": "向本人确认", "elder": "打给本人"}
_ELDER = "老人本人"
_LOOKS = 5  # of the search at moments ahead; then it is only said when it is looked at again


@dataclass(frozen=True)
class Rung:
    """One call to somebody, and what came of it. Personal."""

    at: datetime
    who: str = field(repr=False)
    role: str
    what: str
    answer: str = field(repr=False)
    live: bool


@dataclass(frozen=True)
class Ladder:
    """`until`: by when whoever has it must have said what they found. `next_at` None: now, or never."""

    calls: tuple[Rung, ...]
    holder: str | None
    until: datetime | None
    next_at: datetime | None
    next: Sentence | None
    nobody: bool  # is left whom the line could ring


def names(session: Session, checkin_id: int, events: Sequence[Event]) -> dict[str, str]:
    """Of the responders whom a case's log names, by id."""
    row = session.get_one(Checkin, checkin_id)
    ids = {str(event.detail["responder"]) for event in events if event.detail.get("responder")}
    return {one: name_of(session, row, one) for one in ids}


def ladder(
    session: Session, checkin_id: int, events: Sequence[Event], names: Mapping[str, str], now: datetime
) -> Ladder | None:
    """None for a case that never searched for anybody."""
    row = session.scalars(select_cases().where(Checkin.id == checkin_id)).one()
    search = searches.search_of(row)
    calls = _calls(session, events, names)
    if search is None:
        return Ladder(calls, None, None, None, None, nobody=False) if calls else None
    until = search.finding_due if search.phase is Phase.TAKEN else None
    if search.phase is Phase.ENDED:
        return Ladder(calls, row.owner, None, None, None, nobody=False)
    live = [call for call in calls if call.live and call.who != _ELDER]
    if live:
        waits = Sentence(f"正在打给{live[-1].who}，等回答", f"waiting for {live[-1].who}'s answer")
        return Ladder(calls, row.owner, until, None, waits, nobody=False)
    at, said, nobody = _next(session, row, now)
    return Ladder(calls, row.owner, until, at, said, nobody)


def _calls(session: Session, events: Sequence[Event], names: Mapping[str, str]) -> tuple[Rung, ...]:
    ids = {event.intent_id for event in events if event.intent_id}
    query = select(CallIntent.id).where(CallIntent.id.in_(ids), CallIntent.state.in_(LIVE))
    live = set(session.scalars(query))
    return tuple(
        _rung(event, events, names, event.intent_id in live)
        for event in events
        if event.what.partition(":")[0] in _CALLS and event.intent_id
    )


def _rung(event: Event, events: Sequence[Event], names: Mapping[str, str], live: bool) -> Rung:
    word, _, more = event.what.partition(":")
    who = names.get(str(event.detail.get("responder")), _ELDER)
    answers = [each for each in events if each.intent_id == event.intent_id and _is_answer(each)]
    answer = sentence(answers[-1], names).zh if answers else "" if live else "没有结果"
    return Rung(event.at, who, WHO_ZH.get(more, ""), _TOLD.get(more, _CALLS[word]), answer, live and not answers)


def _is_answer(event: Event) -> bool:
    return event.what.partition(":")[0] not in (*_CALLS, "tell", "no_finding", "closed", "listened")


# ── what comes next ───────────────────────────────────────────────────────────────────────────────


def _next(session: Session, row: Checkin, now: datetime) -> tuple[datetime | None, Sentence | None, bool]:
    """The search is asked at the moment it waits for, as if nothing happened until then."""
    search, at = searches.search_of(row), now
    zone = row.elder.neighbourhood.timezone
    assert search is not None
    for _ in range(_LOOKS):
        search, action = Rosters(session, at).advance(row, search)
        if not isinstance(action, Wait):
            return (at if at > now else None), _said(session, row, action, zone), False
        if action.nobody_to_ring:
            return action.until, Sentence("没有人可打，等这里有人接手", "nobody to ring"), True
        if action.until <= at:
            break
        at = action.until
    return at, Sentence("再找一遍", "looks again"), False


def _said(session: Session, row: Checkin, action: Action, zone: str) -> Sentence | None:
    match action:
        case Ring(responders):
            who = "、".join(f"{one.name}（{WHO_ZH.get(str(one.kind), '')}）" for one in responders)
            return Sentence(f"打电话给{who}", "rings " + ", ".join(one.name for one in responders))
        case CallForFinding(one):
            return Sentence(f"打电话问{one.name}看到了什么", f"asks {one.name} what they found")
        case TellTaken(one, _):
            return Sentence(f"告诉{one.name}已有人去了", f"tells {one.name} that somebody has it")
        case Confirm(after, by, _):
            begins, ends = (each.astimezone(ZoneInfo(zone)).strftime("%H:%M") for each in (after, by))
            return Sentence(f"{begins}到{ends}之间打给老人本人确认", f"rings the elder between {begins} and {ends}")
        case Idle() | Wait():
            return None
    return None
