"""What came of a call, for complaints: what was dictated is attached to what was sent; what was never sent becomes a
complaint all the same, and a person follows it up. The same news again changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.phones import NumberError, to_e164
from checkins.ports import TALKED, CallOutcome, Clock, PersonOutcome
from checkins.results import LINE, Result
from checkins.tables import Neighbourhood, Person
from community import complaints, rows, waiting, words
from community.policy import DEFAULT, Deadlines
from community.tables import Complaint, ComplaintEvent, Dictated, Dictation
from storage.database import Database

COMPLAINT = "complaint"  # what the flows keep dictations as
REDONE = "redone"  # said again from the beginning: what was said before it in this call is taken back
STILL = "still"  # what an answer left undone, said after "not solved"
MESSAGE = "message"  # "有话要带给居委会": of who is well, or who wants a person
HEARD_ANYWAY = (Result.WANTS_PERSON, Result.NOT_WELL, Result.OTHER_SAYS_UNWELL, Result.EMERGENCY)  # their case is open
CALLER, PHONE = "caller", "phone"  # who isn't in the register: name and address dictated, a number typed
CAME_LATER = "came_later"  # an event: a recording came when somebody had listened already
CUT = "cut"  # of a dictation whose end nobody heard
YOUNG = timedelta(days=3)  # a second text is made within two days
Row = TypeVar("Row", bound=Dictated)


@dataclass(frozen=True)
class Spoken:
    """One dictation. Personal."""

    name: str
    recording: str
    text: str = field(default="", repr=False)
    engine: str = ""
    confidence: float | None = None
    seconds: float | None = None


Cut = tuple[str, Spoken]  # who was dictating when the call broke off, and what is left of it
CutOff = Callable[[Session, str], Cut | None]  # by call


class TakesIn(Protocol):
    """What came of a call, for one kind of matter."""

    async def settle(self, outcome: CallOutcome, cut: Cut | None = None) -> None: ...


class Intakes:
    """The telephone room's news to all who take in what was dictated; who was cut off is looked up once."""

    def __init__(self, db: Database, cut_off: CutOff, *rooms: TakesIn) -> None:
        self._db, self._cut_off, self._rooms = db, cut_off, rooms

    async def settle(self, outcome: CallOutcome) -> None:
        """Durable when it returns. Only of calls that are over: an alarm in mid-call is no news for them."""
        if outcome.final:
            cut = await self._db.view(lambda session: self._cut_off(session, outcome.intent_id))
            for room in self._rooms:
                await room.settle(outcome, cut)


class Intake:
    """Takes in what the telephone room tells of calls."""

    def __init__(self, db: Database, clock: Clock, deadlines: Deadlines = DEFAULT) -> None:
        self._db, self._clock, self._deadlines = db, clock, deadlines

    async def settle(self, outcome: CallOutcome, cut: Cut | None = None) -> None:
        """Durable when it returns. Only of calls that are over."""
        if not outcome.final or outcome.disposition not in TALKED:
            return
        if any(_said(person) for person in outcome.people) or cut is not None:
            now = self._clock.now()
            await self._db.run(lambda session: settle(session, outcome, now, self._deadlines, cut))


def settle(
    session: Session,
    outcome: CallOutcome,
    now: datetime,
    deadlines: Deadlines = DEFAULT,
    cut: Cut | None = None,
) -> None:
    """`cut`: who was still dictating, and what is left of it."""
    said = {person.id: _said(person) for person in outcome.people}
    heard = {person.id for person in outcome.people if person.result in HEARD_ANYWAY}
    if cut is not None and _counts(cut[1].name, stranger=not cut[0], heard=cut[0] in heard):
        said[cut[0]] = [*said.get(cut[0], []), replace(cut[1], name=f"{cut[1].name}-{CUT}")]
    for person_id, dictated in said.items():
        if dictated:
            whose = session.get(Person, person_id) if person_id else None  # not in the register: a stranger
            _keep(session, outcome.intent_id, whose.id if whose else None, dictated, now, deadlines)
    for person in outcome.people:
        _ring_back_at(session, outcome.intent_id, person)


def _said(person: PersonOutcome) -> list[Spoken]:
    return list(dictations(person.detail, stranger=not person.id, heard=person.result in HEARD_ANYWAY))


def _ring_back_at(session: Session, call_id: str, person: PersonOutcome) -> None:
    """The number that a stranger has typed, since the telephone showed none."""
    for complaint in rows.of_call(session, call_id, None) if not person.id else ():
        place = session.get_one(Neighbourhood, complaint.neighbourhood_id)
        with suppress(NumberError):
            complaint.caller_number = complaint.caller_number or to_e164(
                str(person.detail.get(PHONE) or ""), place.area_code
            )


def dictations(detail: Mapping[str, Any], *, stranger: bool = False, heard: bool = True) -> Iterator[Spoken]:
    """What of a person's details was dictated as a complaint. `heard`: somebody listens to their call all the same; a
    message of others is a complaint, or nobody would ever hear it."""
    return kept_as(detail, lambda name: _counts(name, stranger=stranger, heard=heard))


def kept_as(detail: Mapping[str, Any], counts: Callable[[str], bool]) -> Iterator[Spoken]:
    """What of a person's details was dictated under names that count, in the order in which it was said; each name
    once. A flow that dictates the same again keeps that under `more`."""
    known: set[str] = set()
    for part in (detail, *_parts(detail.get("more"))):
        names = [key.rpartition("_")[0] for key in part if key.endswith(("_recording", "_text"))]
        for name in dict.fromkeys(names):
            if counts(name):
                unique = _unique(name, known)
                known.add(unique)
                yield _spoken(unique, name, part)


def _parts(more: object) -> list[Mapping[str, Any]]:
    return [part for part in more if isinstance(part, Mapping)] if isinstance(more, list) else []


def _counts(name: str, *, stranger: bool, heard: bool) -> bool:
    if name == MESSAGE:
        return not heard and not stranger
    return name in (COMPLAINT, REDONE, STILL) or (stranger and name == CALLER)


def _unique(name: str, known: set[str]) -> str:
    return next(each for each in (name, *(f"{name}-{n}" for n in range(2, len(known) + 3))) if each not in known)


def _spoken(unique: str, name: str, part: Mapping[str, Any]) -> Spoken:
    text, engine = str(part.get(f"{name}_text") or ""), str(part.get(f"{name}_engine") or "")
    confidence, seconds = part.get(f"{name}_confidence"), part.get(f"{name}_seconds")
    return Spoken(unique, str(part.get(f"{name}_recording") or ""), text, engine, confidence, seconds)


def _keep(
    session: Session, call_id: str, person_id: str | None, said: list[Spoken], now: datetime, deadlines: Deadlines
) -> None:
    known = _attached(session, call_id, person_id)
    if {each.name for each in said} <= known:
        return
    undone = [each for each in said if each.name.partition("-")[0] == STILL]
    belongs = list(zip(undone, _unsolved(session, call_id, person_id, len(undone), now, deadlines), strict=False))
    said = [each for each in said if each not in undone[: len(belongs)]]
    targets = _sent(session, call_id, person_id) if said else []
    if said and not targets:
        whole = all(each.name.partition("-")[0] == MESSAGE and not each.name.endswith(CUT) for each in said)
        targets = [(complaints.file if whole else complaints.interrupted)(session, call_id, person_id, now, deadlines)]
    one_each = len(said) == len(targets)
    belongs += [(each, targets[n if one_each else 0]) for n, each in enumerate(said)]
    rows.lock(session, (complaint.id for _, complaint in belongs))
    for each, complaint in belongs:
        if each.name not in known:
            _attach(session, complaint, call_id, each, now)
    for complaint in {complaint.id: complaint for _, complaint in belongs}.values():
        _show(session, complaint, call_id, now, deadlines)


def _attached(session: Session, call_id: str, person_id: str | None) -> set[str]:
    query = select(Dictation.name).join(Complaint, Complaint.id == Dictation.complaint_id)
    return set(session.scalars(query.where(Dictation.call_id == call_id, Complaint.person_id == person_id)))


def _unsolved(
    session: Session, call_id: str, person_id: str | None, most: int, now: datetime, deadlines: Deadlines
) -> list[Complaint]:
    """What they called unsolved in this call, and said what is still wrong, each time that they did. When the line
    dropped while they were saying it, that is written down now."""
    found = _of_events(session, call_id, person_id, (complaints.STILL_WRONG,))
    for _ in range(most - len(found)):
        late = complaints.still_wrong(session, call_id, person_id, now, deadlines)
        found += [late] if late is not None else []
    return found[:most]


def _sent(session: Session, call_id: str, person_id: str | None) -> list[Complaint]:
    """What was sent in this call, each time that something was; or what this very news made of it before."""
    return _of_events(session, call_id, person_id, (complaints.FILED, complaints.ADDED, complaints.INTERRUPTED))


def _of_events(session: Session, call_id: str, person_id: str | None, kinds: Sequence[str]) -> list[Complaint]:
    """Once for each event of these kinds in this call."""
    query = select(Complaint).join(ComplaintEvent, ComplaintEvent.complaint_id == Complaint.id)
    query = query.where(ComplaintEvent.call_id == call_id, ComplaintEvent.what.in_(kinds))
    return list(session.scalars(query.where(Complaint.person_id == person_id).order_by(ComplaintEvent.id)))


def _attach(session: Session, complaint: Complaint, call_id: str, said: Spoken, now: datetime) -> None:
    session.add(written(Dictation(complaint_id=complaint.id), call_id, said, now))
    session.flush()


def written(row: Row, call_id: str, said: Spoken, now: datetime) -> Row:
    """The row, with what was said in this call."""
    row.call_id, row.name, row.at, row.recording = call_id, said.name, now, said.recording
    row.transcript, row.engine, row.confidence, row.seconds = said.text, said.engine[:32], said.confidence, said.seconds
    return row


def _show(session: Session, complaint: Complaint, call_id: str, now: datetime, deadlines: Deadlines) -> None:
    """Whoever has listened before this came must listen again."""
    suggest(session, complaint)
    if complaint.heard_due is None:
        complaint.heard_due = deadlines.heard_by(rows.calendar(session, complaint), now)
        complaints.answer_again(session, complaint, now, deadlines)
        rows.note(session, complaint, CAME_LATER, LINE, now, call_id=call_id)
    waiting.show(session, complaint, now)


def suggest(session: Session, complaint: Complaint) -> None:
    """Category and place from what was said and not taken back, until somebody has said better."""
    query = select(Dictation).where(Dictation.complaint_id == complaint.id).order_by(Dictation.id)
    text = " ".join(each.transcript for each in _meant(session, complaint, session.scalars(query).all()))
    if complaint.sorted_by is None and text.strip():
        complaint.category, complaint.place = words.category(text), words.place(text) or None


def _meant(session: Session, complaint: Complaint, said: Sequence[Dictation]) -> list[Dictation]:
    """Without what was said once more from the beginning in the same call, where that was about one matter alone. The
    record keeps all of it."""
    anew = {each.call_id: n for n, each in enumerate(said) if _is(each, REDONE)}
    anew = {call: n for call, n in anew.items() if len(_sent(session, call, complaint.person_id)) == 1}
    return [each for n, each in enumerate(said) if n >= anew.get(each.call_id, 0) or not _is(each, COMPLAINT, REDONE)]


def _is(dictation: Dictation, *names: str) -> bool:
    return dictation.name.partition("-")[0] in names


def better(session: Session, text_of: Mapping[str, Spoken]) -> int:
    """What a slower engine made of recordings after their calls, by recording; how many texts it changed. The one that
    was made during the call stays in the call's own log."""
    said = session.scalars(select(Dictation).where(Dictation.recording.in_(text_of))).all()
    changed = [(row, text_of[row.recording]) for row in said]
    changed = [(row, found) for row, found in changed if (row.transcript, row.engine) != (found.text, found.engine)]
    locked = rows.lock(session, (row.complaint_id for row, _ in changed))
    for row, found in changed:
        row.transcript, row.engine, row.confidence = found.text, found.engine[:32], found.confidence
    session.flush()
    for complaint in locked:
        suggest(session, complaint)
    return len(locked)


def young(session: Session, now: datetime) -> list[Dictation]:
    """What was dictated not long ago: a second text of it may still come."""
    query = select(Dictation).where(Dictation.at > now - YOUNG, Dictation.recording != "")
    return list(session.scalars(query))
