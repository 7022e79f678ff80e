"""What a named person decides who has listened to a call: nothing is amiss, I ring them, somebody goes and looks, wrong
number. Each is done by the acts that there are; the case's log says that it was decided after listening.

Nobody is called well on a hunch: who has not listened, or where a recording can't tell how the elder is, "fine" takes a
note of how they know. Where nothing is recorded, or the line is still ringing, nothing is decided that calls off help.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins import cases, ladder, people, searches
from checkins.case_rows import case_of, log_event, put_case
from checkins.ladder import Case
from checkins.names import named, says_something
from checkins.results import SLEEPLESS, URGENCIES, Reason, Result, Status, Urgency
from checkins.tables import Checkin, CheckinEvent

HEARD_FINE = "听了录音，没有要紧的事"
LISTENED = "listened"  # an event: who opened a recording of the case (`path`), and whether they were given the `whole`
NOTE_LEAST = 4  # different signs: "好" and "1111" tell nothing


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
    return urgency in SLEEPLESS or reason not in _TO_BE_HEARD


# The elder herself has said something, and it is what the case is about.
_TO_BE_HEARD = frozenset({Reason.NOT_WELL, Reason.WANTS_PERSON})


def decide(
    session: Session,
    checkin_id: int,
    decision: Decision,
    by: str,
    note: str,
    now: datetime,
    *,
    recorded_at: datetime | None,
    seen: int | None = None,
    heard: datetime | None = None,
) -> None:
    """Carries it out, all of it or nothing. `recorded_at`: the last recording of the case's calls; None: there is none.
    `seen`: the last event that whoever decides has seen; None: all. `heard`: the last recording that they were shown.
    Refused with a reason; ValueError without a name, or for what is closed already; LookupError for no such case."""
    row, name = cases.locked(session, checkin_id), named(by)
    case = case_of(row)
    if case.status is Status.CLOSED:
        raise ValueError("this case is closed")
    if decision is not Decision.DISPATCH:
        _only_if_nobody_else(session, case, checkin_id, name, seen)
    if decision in _CALLS_OFF:
        _only_if_as_shown(session, checkin_id, name, seen, recorded_at, heard)
        _only_if_recorded(case, recorded_at)
    if decision is Decision.WRONG_NUMBER and case.urgency in SLEEPLESS:
        raise Refused(
            "情况紧急，号码先不停用：请打电话，或派人去看", "it is urgent: the number is needed until they are found"
        )
    if decision is Decision.FINE and not _tells(note):
        _only_if_heard(session, case, checkin_id, name, recorded_at or now)
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
            _wrong_number(session, row, case, name, now)


_CALLS_OFF = frozenset({Decision.FINE, Decision.WRONG_NUMBER})


class TakenError(Refused):
    """Somebody else has the case: `owner`."""

    def __init__(self, owner: str) -> None:
        super().__init__(f"{owner}已经接手", f"{owner} has this case")
        self.owner = owner


def take_over(session: Session, checkin_id: int, by: str, now: datetime, *, had: str = "") -> None:
    """Like `cases.take_over`, but refused with TakenError when somebody has it who isn't `had`, from whom it is taken
    expressly."""
    row, name = cases.locked(session, checkin_id), named(by)
    if row.status != Status.CLOSED and row.owner and row.owner not in (name, had):
        raise TakenError(row.owner)
    cases.take_over(session, checkin_id, name, now)


def close(
    session: Session,
    checkin_id: int,
    by: str,
    finding: str,
    now: datetime,
    *,
    recorded_at: datetime | None,
    seen: int,
    heard: datetime | None = None,
) -> None:
    """Closed from a page: Refused when something came since it was shown; else like `cases.close_case`."""
    row, name = cases.locked(session, checkin_id), named(by)
    if row.status != Status.CLOSED:
        _only_if_as_shown(session, checkin_id, name, seen, recorded_at, heard)
    cases.close_case(session, checkin_id, name, finding, now)


def last_events(session: Session, checkin_ids: Collection[int]) -> Mapping[int, int]:
    query = select(CheckinEvent.checkin_id, func.max(CheckinEvent.id))
    query = query.where(CheckinEvent.checkin_id.in_(checkin_ids)).group_by(CheckinEvent.checkin_id)
    return {checkin_id: last for checkin_id, last in session.execute(query)}


def last_event(session: Session, checkin_id: int) -> int:
    """To be shown with the page on which somebody decides, and to come back with the decision."""
    return session.scalar(select(func.max(CheckinEvent.id)).where(CheckinEvent.checkin_id == checkin_id)) or 0


def _only_if_nobody_else(session: Session, case: Case, checkin_id: int, by: str, seen: int | None) -> None:
    """Refused, naming them, when somebody else has the case or has decided since."""
    if case.owner and case.owner != by:
        raise Refused(f"{case.owner}已经接手，请先问", f"{case.owner} has this case: ask them first")
    if seen is None:
        return
    decided = (CheckinEvent.what.startswith("decided:")) | (CheckinEvent.what == "taken_over")
    query = select(CheckinEvent.who).where(CheckinEvent.checkin_id == checkin_id, CheckinEvent.id > seen, decided)
    others = [who for who in session.scalars(query.order_by(CheckinEvent.id)) if who != by]
    if others:
        raise Refused(f"{others[-1]}刚才已经决定过，请先问", f"{others[-1]} has decided meanwhile: ask them first")


def _only_if_recorded(case: Case, recorded_at: datetime | None) -> None:
    if case.status is not Status.NEEDS_PERSON or recorded_at is None:
        raise Refused(
            "这个个案没有可以听的录音，或还在拨打", "there is nothing to be heard yet, or it is still being rung"
        )


def _only_if_as_shown(
    session: Session, checkin_id: int, by: str, seen: int | None, recorded_at: datetime | None, heard: datetime | None
) -> None:
    """Refused, saying what is new, when a cry for help, an answer or a recording came since the page was shown."""
    if seen is None:
        return
    query = select(CheckinEvent).where(CheckinEvent.checkin_id == checkin_id, CheckinEvent.id > seen)
    news = [event for event in session.scalars(query) if _is_news(event, by)]
    if any(_cries(event) for event in news):
        raise _changed("有紧急求救", "there is a cry for help")
    if heard is not None and recorded_at is not None and recorded_at > heard:
        raise _changed("有新的录音", "there is a new recording")
    if news:
        raise _changed("有新的消息", "there is news")


def _changed(zh: str, en: str) -> Refused:
    return Refused(f"情况变了：您打开这一页以后{zh}，请看过再决定", f"{en} since you opened this page")


# What the line does by itself, and what changes nothing for the elder.
_QUIET = frozenset(
    {"call", "ring", "ask", "tell", "told", "reminded", "no_finding", "hand_over", "not_handed_over", "postponed"}
    | {"not_confirmed", "register", "device_test", "device:test_mode", "device:live", "reply:declined", LISTENED}
)
_OWN = frozenset({"taken_over", "decided"})  # one's own acts are no news


def _is_news(event: CheckinEvent, by: str) -> bool:
    word = event.what.partition(":")[0]
    return not (_QUIET & {word, event.what} or (word in _OWN and event.who == by))


def _cries(event: CheckinEvent) -> bool:
    word, _, more = event.what.partition(":")
    return word == "device" or Result.EMERGENCY in (word, more) or bool((event.detail or {}).get("alarm"))


def _tells(note: str) -> bool:
    return len({sign for sign in note if says_something(sign)}) >= NOTE_LEAST


def _only_if_heard(session: Session, case: Case, checkin_id: int, by: str, since: datetime) -> None:
    """Refused unless a recording can tell how the elder is, and this person has heard one since the last was made."""
    if needs_note(case.urgency, case.reason):
        raise Refused("请写上怎么知道老人平安（比如：打了电话，本人说好）", "say how you know that they are fine")
    if not heard(session, checkin_id, by, since):
        raise Refused(
            "您还没有听录音：请先听，或写上怎么知道老人平安", "listen first, or say how you know that they are fine"
        )


def heard(session: Session, checkin_id: int, who: str, since: datetime, path: str = "") -> bool:
    """Whether since then this person was given all of a recording of the case (of that one): a few bytes are nothing
    that anybody has heard."""
    return any(
        event.what == LISTENED and event.who == who and event.at >= since and event.detail.get("whole")
        for event in cases.events(session, checkin_id)
        if path in ("", event.detail.get("path"))
    )


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


def _wrong_number(session: Session, row: Checkin, case: Case, by: str, now: datetime) -> None:
    """Of nobody who is searched for: who cried for help is rung back, and known by the number when she rings in."""
    number = row.elder.number
    if number:
        people.doubt_number(session, number, now, by)
    put_case(row, ladder.need_person(case, Reason.WRONG_NUMBER, case.urgency or Urgency.TODAY, now))
    searches.follow(session, row, case, now)
