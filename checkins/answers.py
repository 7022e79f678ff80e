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

from checkins import buddy_logs, crying, searches
from checkins.errands import BUDDY_LOG, FINDING, RECORD_PROMPTS
from checkins.escalation import search as core
from checkins.escalation.values import Finding, Phase, Reply
from checkins.findings import asked_for_somebody, found, log_said, name_said, proven, search_now
from checkins.pace import is_line_down
from checkins.ports import TALKED, CallOutcome, Disposition, PersonOutcome
from checkins.results import LINE
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
_FINE = {"fine_seen": Finding.FINE_SEEN, "fine_heard": Finding.FINE_HEARD}
_BAD = {
    "needs_help": Finding.NEEDS_HELP,
    "nobody_opens": Finding.NOBODY_OPENS,
    "emergency": Finding.NEEDS_HELP,  # "she has fallen", from the one who stands before her
}


def reply_of(disposition: Disposition, person: PersonOutcome | None) -> Reply:
    """What a call came to for one case."""
    talked = disposition in TALKED
    if person is None or not talked:
        return _NOT_TALKED[disposition]
    if person.result == "accepted":
        return Reply.ACCEPTED if person.evidence == "key" else Reply.SILENT
    return _WORDS.get(person.result, Reply.SILENT)


def finding_of(disposition: Disposition, person: PersonOutcome | None, *, proven: bool = True) -> Finding | None:
    """What was found, if they said so. Bad news counts however it was said; good news by key, from a call that was
    answered, and from somebody who is `proven` to be who they say."""
    if person is None:
        return None
    if person.result in _FINE:
        sure = person.evidence == "key" and disposition in TALKED and proven
        return _FINE[person.result] if sure else None
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
    if intent.flow == BUDDY_LOG:
        buddy_logs.answered(session, intent, disposition, people, now)
    said = {person.id: person for person in people}
    for row in rows:
        person = said.get(row.elder_id)
        finding = finding_of(disposition, person, proven=proven(intent)) if intent.flow == FINDING else None
        if finding is not None:
            found(session, intent, row, finding, now)
        elif person is not None and intent.flow == FINDING and _says_fine(person):
            log_said(session, intent, row, "says_fine", name_said(session, intent, row), now)
        else:
            _replied(session, intent, row, reply_of(disposition, person), now)
    asked_for_somebody(session, intent, people, now)


def _says_fine(person: PersonOutcome) -> bool:
    """Good news that doesn't count: nobody has shown that it is they."""
    return "says_fine" in (person.result, *person.detail.get("also", ())) or person.result in _FINE


def cried(session: Session, intent: CallIntent, rows: Iterable[Checkin], outcome: CallOutcome, now: datetime) -> bool:
    """Distress in a responder's call, once per call and elder. Asked what they found, it is about the elder whom the
    call is about: help is needed. Else it is the responder who calls for help: somebody is rung; no elder's."""
    if intent.flow == BUDDY_LOG:
        return buddy_logs.cried(session, intent, outcome, now)
    if intent.flow == RECORD_PROMPTS:
        return _staff_cried(session, intent, now)
    cried = set(intent.applied.get("alarm", ()))
    whom = [row for row in rows if outcome.alarm_person in (None, row.elder_id) and row.elder_id not in cried]
    for row in whom:
        if intent.flow == FINDING:
            found(session, intent, row, Finding.NEEDS_HELP, now)
        else:
            log.error("a responder cried for help in call %s: see the log of case %s", intent.id, row.id)
            log_said(session, intent, row, "responder_alarm", LINE, now)
    if whom and intent.flow != FINDING:
        crying.responder(session, intent, now)
    intent.applied = {**intent.applied, "alarm": sorted(cried | {row.elder_id for row in whom})}
    return bool(whom)


def _staff_cried(session: Session, intent: CallIntent, now: datetime) -> bool:
    """Once per call. The call is about nobody else."""
    if intent.applied.get("alarm"):
        return False
    crying.responder(session, intent, now)
    intent.applied = {**intent.applied, "alarm": [intent.responder]}
    return True


def first(session: Session, intent: CallIntent, row: Checkin, now: datetime) -> bool:
    """A responder has just pressed that they go, in mid-call: whether they were the first. From now on it is theirs."""
    assert intent.responder is not None
    _replied(session, intent, row, Reply.ACCEPTED, now)
    search = searches.search_of(row)
    return search is not None and search.phase is Phase.TAKEN and search.accepted_by == intent.responder


def _replied(session: Session, intent: CallIntent, row: Checkin, reply: Reply, now: datetime) -> None:
    assert intent.responder is not None
    search = search_now(session, row, now)
    after = core.replied(search, intent.responder, reply, now, since=intent.created_at)
    if after != search and reply is Reply.LINE_ERROR and is_line_down(session, now):
        after = core.forgiven(after, intent.responder)
    said = reply in (Reply.ACCEPTED, Reply.DECLINED)
    if after != search:
        log_said(session, intent, row, f"reply:{reply}", name_said(session, intent, row) if said else LINE, now)
        searches.keep(session, row, after, now)
