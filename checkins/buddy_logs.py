"""What a buddy logs by phone, and what follows for the elder's case of today (PRODUCT.md, "The calls", buddy log).

    logged             nothing open              needs a person                       the line's own call is ahead
    ─────────────────  ────────────────────────  ───────────────────────────────────  ─────────────────────────────
    visited, fine      a contact                 unreached, or theirs: fine, seen     a contact; the call is made
    phoned, fine       a contact                 theirs: fine, heard                  a contact; the call is made
    could not reach    a person at once          sooner if it could wait; theirs:     a person at once
                                                 nobody opens
    worried            item, a person soon       item; sooner if it could wait        item; a person after the call

"Theirs": they accepted it. Whoever else logs "fine" may speak of yesterday: that closes nothing, but after three missed
tries it is worth the line's own call to the elder, as if they had been sent: not while another is on the way, nor
once somebody has said that help is needed or that nobody opens. Everything may be told twice.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from checkins import crying, items, ladder, searches
from checkins.case_rows import case_of, log_event, put_case, select_cases
from checkins.contacts import Condition, ContactKind, note
from checkins.errands import BUDDY_LOG
from checkins.escalation import search as core
from checkins.escalation.values import Finding, Phase, Reply
from checkins.findings import found
from checkins.items import Item, ItemKind
from checkins.ladder import News
from checkins.ports import TALKED, CallOutcome, Disposition, PersonOutcome
from checkins.results import LINE, SLEEPLESS, Reason, Result, Status, Urgency
from checkins.tables import GONE, CallIntent, Checkin, Person, Role
from checkins.todays_case import case_today

_Logged = tuple[ContactKind, Condition]
_WORDS: Mapping[str, _Logged] = {
    "visited_fine": (ContactKind.VISITED, Condition.FINE),
    "visited_worried": (ContactKind.VISITED, Condition.WORRIED),
    "phoned_fine": (ContactKind.PHONED, Condition.FINE),
    "phoned_worried": (ContactKind.PHONED, Condition.WORRIED),
    "could_not_reach": (ContactKind.COULD_NOT_REACH, Condition.UNKNOWN),
}
_NOBODY = ""  # noted once per call, like an elder's id
_DIALLING = (Status.PLANNED, Status.CALLING, Status.WAITING)


# ── news of the call ──────────────────────────────────────────────────────────────────────────────


def answered(
    session: Session,
    intent: CallIntent,
    disposition: Disposition,
    people: Sequence[PersonOutcome],
    now: datetime,
) -> None:
    """The end of a buddy's call. What was said after a PIN that nobody checked counts for nothing."""
    buddy = _buddy(session, intent)
    if buddy is None or disposition not in TALKED:
        return
    for person in people:
        elder = _elder(session, person.id)
        if elder is not None and person.result == "emergency":
            _needs_help(session, intent, elder, now)
        if elder is not None and person.result in _WORDS and intent.applied.get("pin"):
            _log(session, intent, elder, buddy, person, now)


def cried(session: Session, intent: CallIntent, outcome: CallOutcome, now: datetime) -> bool:
    """Distress in a buddy's call: theirs or the elder's, nobody knows. Somebody looks after the elder whom the call was
    about at that moment, and hears who said so; while it was about nobody, it is the emergency of the elder who has
    this number, else the buddy's own: somebody rings them."""
    elder = _elder(session, outcome.alarm_person or "")
    if elder is not None:
        return _needs_help(session, intent, elder, now)
    if _NOBODY in intent.applied.get("alarm", ()):
        return False
    intent.applied = {**intent.applied, "alarm": [*intent.applied.get("alarm", ()), _NOBODY]}
    theirs = select(Person).where(Person.number == intent.number, Person.role == Role.ELDER)
    elders = session.scalars(theirs.where(Person.state.not_in(GONE))).all()
    for one in elders:
        _emergency(session, intent, case_today(session, one.id, now), now)
    if not elders:
        crying.responder(session, intent, now)
    return True


def could_not_reach(session: Session, intent: CallIntent, elder_id: str, now: datetime) -> bool:
    """Said in mid-call: somebody goes and looks from now on, whatever the rest of the call brings. False: nobody here
    is entitled to say so."""
    buddy, elder = _buddy(session, intent), _elder(session, elder_id)
    if buddy is None or elder is None or not intent.applied.get("pin"):
        return False
    if elder.id not in intent.applied.get("missed", ()):
        intent.applied = {**intent.applied, "missed": [*intent.applied.get("missed", ()), elder.id]}
        _missed(session, intent, case_today(session, elder.id, now), buddy, now)
    return True


# ── one elder ─────────────────────────────────────────────────────────────────────────────────────


def _log(
    session: Session, intent: CallIntent, elder: Person, buddy: Person, person: PersonOutcome, now: datetime
) -> None:
    kind, condition = _WORDS[person.result]
    if condition is Condition.FINE and person.evidence != "key":
        condition = Condition.UNKNOWN  # the flow takes it by key only
    note(session, intent.id, elder, buddy, kind, condition, now, _recording(person))
    if condition is Condition.WORRIED:
        _worried(session, intent, elder, buddy, person, now)
    elif kind is ContactKind.COULD_NOT_REACH:
        could_not_reach(session, intent, elder.id, now)
    elif condition is Condition.FINE:
        _fine(session, intent, elder, buddy, kind, now)


def _fine(session: Session, intent: CallIntent, elder: Person, buddy: Person, kind: ContactKind, now: datetime) -> None:
    """Cancels nothing, and opens nothing: cases that need a person hear of it."""
    for row in _open(session, elder):
        _event(session, row, intent, buddy, f"contact:{kind}_fine", now)
        search = searches.search_of(row)
        theirs = search is not None and buddy.id in (search.accepted_by, *search.went)
        if theirs or (kind is ContactKind.VISITED and row.urgency == Urgency.UNREACHED):
            seen = kind is ContactKind.VISITED
            found(session, intent, row, Finding.FINE_SEEN if seen else Finding.FINE_HEARD, now)


def _missed(session: Session, intent: CallIntent, row: Checkin, buddy: Person, now: datetime) -> None:
    search = searches.search_of(row)
    _event(session, row, intent, buddy, "contact:could_not_reach", now)
    if search is not None and search.phase is Phase.TAKEN and search.accepted_by == buddy.id:
        found(session, intent, row, Finding.NOBODY_OPENS, now)
    elif row.status != Status.NEEDS_PERSON or row.urgency not in SLEEPLESS:
        searches.need(session, row, Reason.BUDDY_MISSED, Urgency.UNREACHED, now)
        search = searches.search_of(row)
        if search is not None and search.phase is Phase.SEARCHING:  # who has just tried isn't asked to try again
            searches.put_search(row, core.replied(search, buddy.id, Reply.DECLINED, now))
            row.due_at = now


def _worried(
    session: Session, intent: CallIntent, elder: Person, buddy: Person, person: PersonOutcome, now: datetime
) -> None:
    row = case_today(session, elder.id, now)
    after_call = row.status in _DIALLING
    _event(session, row, intent, buddy, "contact:worried", now)
    said = {key: value for key, value in person.detail.items() if key.startswith("worry_")}
    detail = {**said, "contact": person.result, "call": intent.id, "case": row.id, "after_call": after_call}
    items.open_item(
        session,
        ItemKind.WORRIED,
        now,
        neighbourhood_id=elder.neighbourhood_id,
        person_id=elder.id,
        by_id=buddy.id,
        due_at=now,
        detail=detail,
    )
    if not after_call:
        _flag(session, row, now)


def _flag(session: Session, row: Checkin, now: datetime) -> None:
    """A person, soon. Who is looked for more urgently already is found anyway; who was found fine today is looked at
    once more."""
    if row.status == Status.CLOSED or row.urgency == Urgency.TODAY:
        searches.need(session, row, Reason.BUDDY_WORRIED, Urgency.SOON, now)


def flag_after_calls(session: Session, now: datetime) -> int:
    """Worries that waited for the elder's own call, which is over now, whatever it came to. How many."""
    count = 0
    query = select(Item).where(Item.kind == ItemKind.WORRIED, Item.done_at.is_(None))
    for item in session.scalars(query).all():
        detail = item.detail or {}
        if not detail.get("after_call"):
            continue
        row = session.scalars(_locked(Checkin.id == detail["case"])).one_or_none()
        if row is None or row.status not in _DIALLING:
            item.detail = {**detail, "after_call": False}
            if row is not None:
                _flag(session, row, now)
            count += 1
    return count


def _needs_help(session: Session, intent: CallIntent, elder: Person, now: datetime) -> bool:
    """Once per call and elder."""
    cried = intent.applied.get("alarm", [])
    if elder.id in cried:
        return False
    intent.applied = {**intent.applied, "alarm": sorted({*cried, elder.id})}
    row = case_today(session, elder.id, now)
    if row.status != Status.NEEDS_PERSON:
        searches.need(session, row, Reason.BUDDY_WORRIED, Urgency.UNREACHED, now)
    found(session, intent, row, Finding.NEEDS_HELP, now)
    return True


def _emergency(session: Session, intent: CallIntent, row: Checkin, now: datetime) -> None:
    before = case_of(row)
    put_case(row, ladder.apply(before, News(Result.EMERGENCY), now))
    searches.follow(session, row, before, now)
    log_event(session, row, str(Result.EMERGENCY), LINE, now, intent_id=intent.id, detail={"status": row.status})


# ── small change ──────────────────────────────────────────────────────────────────────────────────


def _open(session: Session, elder: Person) -> list[Checkin]:
    """Of whatever day."""
    return list(session.scalars(_locked(Checkin.elder_id == elder.id, Checkin.status == Status.NEEDS_PERSON)))


def _locked(*where: ColumnElement[bool]) -> Select[Checkin]:
    return select_cases().where(*where).order_by(Checkin.id).with_for_update(of=Checkin)


def _buddy(session: Session, intent: CallIntent) -> Person | None:
    return session.get(Person, intent.responder) if intent.responder and intent.flow == BUDDY_LOG else None


def _elder(session: Session, person_id: str) -> Person | None:
    person = session.get(Person, person_id)
    return person if person is not None and person.role == Role.ELDER else None


def _recording(person: PersonOutcome) -> str | None:
    found = person.detail.get("worry_recording")
    return found if isinstance(found, str) and found else None


def _event(session: Session, row: Checkin, intent: CallIntent, buddy: Person, what: str, now: datetime) -> None:
    log_event(session, row, what, buddy.name, now, intent_id=intent.id, detail={"responder": buddy.id})
