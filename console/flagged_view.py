"""Calls that somebody must hear: those of open cases in which something was recorded and about which nobody has decided
since. Personal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from checkins import cases, deciding
from checkins.cases import Event, Row
from checkins.results import RESULT_ZH, Result, Status, Urgency
from checkins.tables import Checkin, IntentCheckin, Neighbourhood, Person
from console import call_log, still_talking
from console.call_log import LISTENED, CallLog, Second
from console.turns import Played, played
from ivr.records import CallEvent, CarrierRecording

MOST = 200  # in the queue at once
DECIDED = "decided:"


@dataclass(frozen=True)
class Flagged:
    """`heard_by`: who listened last; "" for nobody. `so_far`: what she has answered in a call that still goes on."""

    row: Row = field(repr=False)
    heard_by: str = field(repr=False)
    heard_at: datetime | None
    so_far: Result | None = field(default=None, repr=False)

    @property
    def so_far_zh(self) -> str:
        return RESULT_ZH[self.so_far] if self.so_far else ""


@dataclass(frozen=True)
class Queue:
    rows: tuple[Flagged, ...]
    second: Mapping[str, Second]  # by recording

    def after(self, case: int) -> int | None:
        """The next one, round to the beginning; None when there is no other."""
        ids = [one.row.checkin_id for one in self.rows]
        at = ids.index(case) + 1 if case in ids else 0
        return next((one for one in [*ids[at:], *ids[:at]] if one != case), None)


@dataclass(frozen=True)
class Listening:
    """One case to be listened to. `played` None: nothing is recorded. `decided`: who decided what, last."""

    row: Row = field(repr=False)
    place: str
    home: str = field(repr=False)
    played: Played | None = field(repr=False)
    calls: tuple[CallLog, ...] = field(repr=False)  # with a recording, oldest first
    second: Mapping[str, Second] = field(repr=False)
    heard: tuple[Event, ...] = field(repr=False)
    decided: Event | None = field(repr=False)
    takes_note: bool  # "fine" needs a note
    seen: int  # the last event that stands on this page
    recorded_at: datetime | None  # the last recording of it

    @property
    def open(self) -> bool:
        """Whether something can be decided here: what isn't rung any more, and of which something is recorded."""
        return self.row.status is Status.NEEDS_PERSON and self.played is not None


def queue(session: Session) -> Queue:
    """Most urgent first; then who is still on the line and says that she isn't well; what somebody has taken and nobody
    has heard comes last."""
    is_open = Checkin.status == Status.NEEDS_PERSON, Checkin.due_at.is_not(None)  # the second leads to an index
    ids, talking = _recorded(session, *is_open), still_talking.dictated(session)
    rows = cases.some(session, sorted({*ids, *talking}))
    said = _said(session, [row.checkin_id for row in rows])
    waiting = [
        _flagged(row, said[row.checkin_id], talking.get(row.checkin_id))
        for row in rows
        if row.checkin_id in talking or _waits(row, said[row.checkin_id], ids)
    ]
    waiting.sort(key=lambda one: (one.row.owner is not None, one.so_far is not None))
    shown = waiting[:MOST]
    return Queue(tuple(shown), call_log.second_pass(session, [each for one in shown for each in one.row.intents]))


def listening(session: Session, case: int, call_id: str = "") -> Listening | None:
    """None: there is no such case. `call_id`: of its calls the one that is played; else the last with a recording."""
    seen = deciding.last_event(session, case)  # first: what comes in meanwhile is not seen
    last = recorded_at(session, case)
    row = cases.one(session, case)
    if row is None:
        return None
    calls = [call for call in call_log.calls(session, row.intents) if call.recordings]
    call = next((one for one in calls if one.id == call_id), calls[-1] if calls else None)
    second = call_log.second_pass(session, row.intents)
    person = session.get_one(Person, row.elder_id)
    said = _said(session, [case])[case]
    return Listening(
        row=row,
        place=session.get_one(Neighbourhood, person.neighbourhood_id).name,
        home=" · ".join(filter(None, (person.address, person.notes))),
        played=played(call, row.spoken_name, second) if call else None,
        calls=tuple(calls),
        second=second,
        heard=tuple(event for event in said if event.what == LISTENED),
        decided=next((event for event in reversed(said) if event.what.startswith(DECIDED)), None),
        takes_note=deciding.needs_note(row.urgency, row.reason),
        seen=seen,
        recorded_at=last,
    )


def recorded_at(session: Session, case: int) -> datetime | None:
    """When the last of this case's calls was recorded; None: nothing is."""
    return _recorded(session, Checkin.id == case).get(case)


def recorded_of(session: Session, ids: Collection[int]) -> Mapping[int, datetime]:
    """Of these cases, those of which something is recorded."""
    return _recorded(session, Checkin.id.in_(ids))


def _recorded(session: Session, *which: ColumnElement[bool]) -> dict[int, datetime]:
    """Of these cases, those of whose calls something is recorded: when the last of that was."""
    events = (
        select(IntentCheckin.checkin_id, CallEvent.at, CallEvent.detail)
        .join(Checkin, Checkin.id == IntentCheckin.checkin_id)
        .join(CallEvent, CallEvent.call_id == IntentCheckin.intent_id)
        .where(*which, CallEvent.kind.in_(call_log.KEPT))
    )
    fetched = (
        select(IntentCheckin.checkin_id, CarrierRecording.stored_at)
        .join(Checkin, Checkin.id == IntentCheckin.checkin_id)
        .join(CarrierRecording, CarrierRecording.call_id == IntentCheckin.intent_id)
        .where(*which, CarrierRecording.stored_at.is_not(None))
    )
    found: dict[int, datetime] = {}
    for case, at, detail in session.execute(events):
        if detail.get("recording") or detail.get("path"):
            found[case] = max(at, found.get(case, at))
    for case, stored_at in session.execute(fetched):
        if stored_at is not None:
            found[case] = max(stored_at, found.get(case, stored_at))
    return found


def _said(session: Session, ids: Iterable[int]) -> Mapping[int, Sequence[Event]]:
    """What is written down of these cases, oldest first."""
    return defaultdict(list, {case: cases.events(session, case) for case in ids})


def _waits(row: Row, said: Sequence[Event], recorded: Mapping[int, datetime]) -> bool:
    """Nobody has decided since the last of it was recorded, or since it turned out to be an emergency. What somebody
    has taken waits until somebody has heard it."""
    decided = max((event.at for event in said if event.what.startswith(DECIDED)), default=None)
    if decided is not None and row.urgency is Urgency.EMERGENCY:
        cried = [event.at for event in said if event.what == "emergency" or event.detail.get("alarm")]
        if max(cried, default=decided) > decided:
            return True
    if decided is not None and decided >= recorded[row.checkin_id]:
        return False
    return row.owner is None or not any(event.what == LISTENED for event in said)


def _flagged(row: Row, said: Sequence[Event], so_far: Result | None) -> Flagged:
    heard = [event for event in said if event.what == LISTENED]
    return Flagged(row, heard[-1].who if heard else "", heard[-1].at if heard else None, so_far)
