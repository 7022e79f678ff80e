"""What a named person decides who has listened to a call: nothing is amiss, I ring them, somebody goes and looks, wrong
number. Each is done by the acts that there are; the case's log says that it was decided after listening.

Nobody is called well on a hunch: where nobody has heard from the elder, or it is an emergency, "fine" takes a note of
how they know.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from checkins import cases, ladder, people, searches
from checkins.case_rows import case_of, log_event, put_case
from checkins.ladder import Case
from checkins.names import named, says_something
from checkins.results import SLEEPLESS, URGENCIES, Reason, Status, Urgency
from checkins.tables import Checkin

HEARD_FINE = "听了录音，没有要紧的事"


class Decision(StrEnum):
    FINE = "fine"  # closes the case
    CONTACT = "contact"  # who decides it takes the case and rings the elder
    DISPATCH = "dispatch"  # somebody goes and looks, now
    WRONG_NUMBER = "wrong_number"  # suspends the number; the case stays open, a person finds the elder


class Refused(ValueError):  # noqa: N818 (an answer, no fault)
    """What is asked for can't be decided so; `zh` says why to whoever asked."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh


def needs_note(urgency: Urgency | None, reason: Reason | None) -> bool:
    """Whether "fine" takes a note of how they know: a recording alone can't tell."""
    return urgency in SLEEPLESS or reason in _NOT_TO_BE_HEARD


# Nobody heard from the elder, so a recording has nothing to say of her.
_NOT_TO_BE_HEARD = frozenset(
    {Reason.UNREACHED, Reason.OFF_HOOK, Reason.UNKNOWN, Reason.SILENT, Reason.PRESENT_UNCONFIRMED, Reason.ABSENT}
)


def decide(session: Session, checkin_id: int, decision: Decision, by: str, note: str, now: datetime) -> None:
    """Carries it out, all of it or nothing. Refused with a reason; ValueError without a name, or for what is closed
    already; LookupError for no such case."""
    row, name = cases.locked(session, checkin_id), named(by)
    case = case_of(row)
    if case.status is Status.CLOSED:
        raise ValueError("this case is closed")
    if decision is Decision.FINE and needs_note(case.urgency, case.reason) and not says_something(note):
        raise Refused("请写上怎么知道老人平安（比如：打了电话，本人说好）", "say how you know that they are fine")
    detail = {"note": note.strip()} if note.strip() else None
    log_event(session, row, f"decided:{decision}", name, now, detail=detail)
    match decision:
        case Decision.FINE:
            finding = note if says_something(note) else HEARD_FINE
            cases.close_case(session, checkin_id, name, finding, now)
        case Decision.CONTACT:
            cases.take_over(session, checkin_id, name, now)
        case Decision.DISPATCH:
            _dispatch(session, row, case, name, now)
        case Decision.WRONG_NUMBER:
            _wrong_number(session, row, case, now)


def _dispatch(session: Session, row: Checkin, case: Case, by: str, now: datetime) -> None:
    """People are rung until one goes. A search that is as urgent already goes on as it is; so does whoever is on the
    way."""
    if case.owner and case.owner != by:
        raise Refused(f"{case.owner}已经接手，请先问", f"{case.owner} has this case: ask them first")
    sooner = case.urgency is None or URGENCIES[case.urgency] > URGENCIES[Urgency.UNREACHED]
    if not sooner and not case.owner:
        return
    urgency = Urgency.UNREACHED if sooner else case.urgency or Urgency.UNREACHED
    put_case(row, replace(case, owner=None))  # the elder's case is whoever's who goes
    reason = case.reason or Reason.HUMAN_CONTACT
    if sooner:
        searches.need(session, row, reason, urgency, now)
    else:
        searches.start(session, row, now)


def _wrong_number(session: Session, row: Checkin, case: Case, now: datetime) -> None:
    """An emergency, or somebody whom nobody reaches, stays what it is: only the number is doubted."""
    number = row.elder.number
    if number:
        people.doubt_number(session, number, now)
    if case.urgency not in SLEEPLESS:
        put_case(row, ladder.need_person(case, Reason.WRONG_NUMBER, case.urgency or Urgency.TODAY, now))
        searches.follow(session, row, case, now)
