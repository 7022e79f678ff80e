"""What responders answered, told to the searches of the cases that their call carried.

A case is taken, and an elder seen and fine, by key only: the flows hold that, and it is held here again, whatever a
call reports. Silence, a machine, speech that says yes: a miss. What is repeated changes nothing (see the intent's
`applied`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from checkins import searches
from checkins.case_rows import log_event
from checkins.errands import FINDING
from checkins.escalation import search as core
from checkins.escalation.policy import Who
from checkins.escalation.values import Finding, Phase, Reply, Search
from checkins.ports import CallOutcome, Disposition, PersonOutcome
from checkins.responders import name_of
from checkins.results import LINE, Status
from checkins.tables import CallIntent, Checkin

log = logging.getLogger(__name__)

_NOT_TALKED: Mapping[Disposition, Reply] = {
    Disposition.NO_ANSWER: Reply.NO_ANSWER,
    Disposition.BUSY: Reply.BUSY,
    Disposition.MACHINE: Reply.MACHINE,
    Disposition.LINE_ERROR: Reply.LINE_ERROR,
    Disposition.BAD_NUMBER: Reply.LINE_ERROR,
    Disposition.CANCELLED: Reply.LINE_ERROR,
    Disposition.INTERRUPTED: Reply.LINE_ERROR,  # we broke off before they had answered
    Disposition.UNKNOWN: Reply.NO_ANSWER,  # it may have rung
    Disposition.ANSWERED: Reply.SILENT,
}
_WORDS = {"declined": Reply.DECLINED, "wrong_person": Reply.WRONG_PERSON}
_BAD = {
    "needs_help": Finding.NEEDS_HELP,
    "nobody_opens": Finding.NOBODY_OPENS,
    "emergency": Finding.NEEDS_HELP,  # "she has fallen", from the one who stands before her
}


def reply_of(disposition: Disposition, person: PersonOutcome | None) -> Reply:
    """What a call came to for one case."""
    talked = disposition in (Disposition.ANSWERED, Disposition.INTERRUPTED)
    if person is None or not talked:
        return _NOT_TALKED[disposition]
    if person.result == "accepted":
        return Reply.ACCEPTED if person.evidence == "key" else Reply.SILENT
    return _WORDS.get(person.result, Reply.SILENT)


def finding_of(disposition: Disposition, person: PersonOutcome | None) -> Finding | None:
    """What was found, if they said so. Bad news counts however it was said; good news by key, from a call that was
    answered."""
    if person is None:
        return None
    if person.result == "fine_seen":
        talked = disposition in (Disposition.ANSWERED, Disposition.INTERRUPTED)
        return Finding.FINE_SEEN if person.evidence == "key" and talked else None
    return _BAD.get(person.result)


def answered(
    session: Session,
    intent: CallIntent,
    rows: Iterable[Checkin],
    disposition: Disposition,
    people: Sequence[PersonOutcome],
    now: datetime,
) -> None:
    """The end of a responder's call, for each case that it carried."""
    found = {person.id: person for person in people}
    for row in rows:
        person = found.get(row.elder_id)
        finding = finding_of(disposition, person) if intent.flow == FINDING else None
        if finding is not None:
            _found(session, intent, row, finding, now)
        else:
            _replied(session, intent, row, reply_of(disposition, person), now)


def cried(session: Session, intent: CallIntent, rows: Iterable[Checkin], outcome: CallOutcome, now: datetime) -> bool:
    """Distress in a responder's call, once per call and elder. Asked what they found, it is about the elder whom the
    call is about: help is needed. Else it is the responder who calls for help: told to whoever looks; no elder's."""
    cried = set(intent.applied.get("alarm", ()))
    whom = [row for row in rows if outcome.alarm_person in (None, row.elder_id) and row.elder_id not in cried]
    for row in whom:
        if intent.flow == FINDING:
            _found(session, intent, row, Finding.NEEDS_HELP, now)
        else:
            log.error("a responder cried for help in call %s: see the log of case %s", intent.id, row.id)
            _log(session, intent, row, "responder_alarm", LINE, now)
    intent.applied = {**intent.applied, "alarm": sorted(cried | {row.elder_id for row in whom})}
    return bool(whom)


def first(session: Session, intent: CallIntent, row: Checkin, now: datetime) -> bool:
    """A responder has just pressed that they go, in mid-call: whether they were the first. From now on it is theirs."""
    assert intent.responder is not None
    _replied(session, intent, row, Reply.ACCEPTED, now)
    search = searches.search_of(row)
    return search is not None and search.phase is Phase.TAKEN and search.accepted_by == intent.responder


def _replied(session: Session, intent: CallIntent, row: Checkin, reply: Reply, now: datetime) -> None:
    assert intent.responder is not None
    search = _search(session, row, now)
    after = core.replied(search, intent.responder, reply, now)
    said = reply in (Reply.ACCEPTED, Reply.DECLINED)
    if after != search:
        _log(session, intent, row, f"reply:{reply}", _name(session, intent, row) if said else LINE, now)
        searches.keep(session, row, after, now)


def _found(session: Session, intent: CallIntent, row: Checkin, finding: Finding, now: datetime) -> None:
    assert intent.responder is not None
    search = _search(session, row, now)
    after = core.found(search, intent.responder, finding, now, who=Who(intent.purpose))
    _log(session, intent, row, f"found:{finding}", _name(session, intent, row), now)
    if after != search:
        searches.keep(session, row, after, now)


def _search(session: Session, row: Checkin, now: datetime) -> Search:
    """The case's search; of a closed case one that has ended, so that late news count as late."""
    if row.status == Status.CLOSED:
        searches.end(session, row, now)
    search = searches.search_of(row)
    if search is None:
        searches.start(session, row, now)
        search = searches.search_of(row)
    assert search is not None
    return search


def _name(session: Session, intent: CallIntent, row: Checkin) -> str:
    assert intent.responder is not None
    return name_of(session, row, intent.responder)


def _log(session: Session, intent: CallIntent, row: Checkin, what: str, who: str, now: datetime) -> None:
    detail = {"responder": intent.responder}
    log_event(session, row, what, who, now, intent_id=intent.id, detail=detail)
