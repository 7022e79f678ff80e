"""The search for a person as the page of a case shows it: who was rung and what they answered, who has it until when,
what comes next. Read only: the search is asked, never moved."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import searches
from checkins.case_rows import select_cases
from checkins.cases import Event
from checkins.escalation.values import Action, CallForFinding, Confirm, Idle, Phase, Ring, Search, TellTaken, Wait
from checkins.pace import LIVE
from checkins.responders import Rosters, name_of
from checkins.roster.values import Roster
from checkins.tables import CallIntent, Checkin, IntentCheckin, Person
from console.event_words import WHO_ZH, Sentence, sentence
from console.kept import Kept

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
class Next:
    """`at` None: now. `nobody` is left whom the line could ring. `until`: as in `Ladder`."""

    at: datetime | None
    said: Sentence | None
    nobody: bool
    until: datetime | None = None


@dataclass(frozen=True)
class Ladder:
    """`until`: by when whoever has it must have said what they found. `next_at` None: now, or never."""

    calls: tuple[Rung, ...]
    holder: str | None = field(repr=False)
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
    until = _until(search)
    if search.phase is Phase.ENDED:
        return Ladder(calls, row.owner, None, None, None, nobody=False)
    live = [call for call in calls if call.live and call.who != _ELDER]
    if live:
        waits = Sentence(f"正在打给{live[-1].who}，等回答", f"waiting for {live[-1].who}'s answer")
        return Ladder(calls, row.owner, until, None, waits, nobody=False)
    next_ = _next(row, now, lambda at: Rosters(session, at))
    return Ladder(calls, row.owner, until, next_.at, next_.said, next_.nobody)


def nexts(session: Session, checkin_ids: Sequence[int], now: datetime, kept: Kept) -> dict[int, Next]:
    """What comes next for each of these cases, for a list of them: by the rosters as they are kept. One that nobody is
    looked for has no entry."""
    rows = session.scalars(select_cases().where(Checkin.id.in_(checkin_ids))).all()
    ringing = _ringing(session, checkin_ids)
    known: dict[datetime, Rosters] = {}

    def rosters(at: datetime) -> Rosters:
        return known.setdefault(at, _KeptRosters(session, at, kept))

    found = {}
    for row in rows:
        search = searches.search_of(row)
        until = _until(search) if search else None
        if row.id in ringing:
            who = "、".join(dict.fromkeys(ringing[row.id]))
            found[row.id] = Next(None, Sentence(f"正在打给{who}", f"ringing {who}"), nobody=False, until=until)
        elif search is not None and search.phase is not Phase.ENDED:
            found[row.id] = replace(_next(row, now, rosters), until=until)
    return found


def _until(search: Search) -> datetime | None:
    return search.finding_due if search.phase is Phase.TAKEN else None


def _ringing(session: Session, checkin_ids: Sequence[int]) -> dict[int, list[str]]:
    """Whom the line is ringing for these cases at this moment, by name."""
    query = (
        select(IntentCheckin.checkin_id, Person.name)
        .join(CallIntent, CallIntent.id == IntentCheckin.intent_id)
        .join(Person, Person.id == CallIntent.responder)
        .where(IntentCheckin.checkin_id.in_(checkin_ids), CallIntent.state.in_(LIVE))
    )
    found: dict[int, list[str]] = {}
    for checkin_id, name in session.execute(query.order_by(CallIntent.created_at)):
        found.setdefault(checkin_id, []).append(name)
    return found


class _KeptRosters(Rosters):
    """The rosters, not loaded anew for every look."""

    def __init__(self, session: Session, now: datetime, kept: Kept) -> None:
        super().__init__(session, now)
        self._kept = kept

    def _roster(self, row: Checkin) -> Roster:
        place = row.neighbourhood_id
        if place not in self._rosters:
            self._rosters[place] = self._kept.roster(self._session, place, self._now)
        return self._rosters[place]


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


def _next(row: Checkin, now: datetime, rosters: Callable[[datetime], Rosters]) -> Next:
    """The search is asked at the moment it waits for, as if nothing happened until then."""
    search, at = searches.search_of(row), now
    zone = row.elder.neighbourhood.timezone
    assert search is not None
    for _ in range(_LOOKS):
        search, action = rosters(at).advance(row, search)
        if not isinstance(action, Wait):
            return Next(at if at > now else None, _said(action, zone), nobody=False)
        if action.nobody_to_ring:
            return Next(action.until, Sentence("没有人可打，等这里有人接手", "nobody to ring"), nobody=True)
        if action.until <= at:
            break
        at = action.until
    return Next(at, Sentence("再找一遍", "looks again"), nobody=False)


def _said(action: Action, zone: str) -> Sentence | None:
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
