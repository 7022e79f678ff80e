"""What callers do with complaints: file, add, say whether an answer solved it. Told by telephone, or to somebody of the
committee who writes it down (community.staff.said).

Every act runs inside one transaction, locks its complaint, and may be repeated: the same again in the same call changes
nothing. Each writes an event. docs/complaints.md has the picture of the statuses.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from checkins.intents import INBOUND
from checkins.results import LINE
from checkins.tables import CallIntent
from community import meetings, rows, waiting
from community.policy import DEFAULT, LEVEL_ABOVE_AFTER, Deadlines
from community.tables import Complaint, Outcome, Reply, Status, Wish

FILED, ADDED, ADDING, ANOTHER = "filed", "added", "adding", "another"  # events, in one call one after the other
STILL_WRONG = "still_wrong"  # an event: they have said in this call what an answer left undone
INTERRUPTED, WISH, LEVEL_ABOVE = "interrupted", "wish", "level_above"
GONE = "gone"  # why it was closed: they moved, or died
TOLD = "told"  # an event: the line has told them what became of it, in this call
_UNTIL_SENT = (FILED, ADDED, ADDING, ANOTHER)
OUTCOMES = (Outcome.SOLVED, Outcome.NOT_SOLVED, Outcome.TALK)


def send(
    session: Session, call_id: str, person_id: str | None, now: datetime, deadlines: Deadlines = DEFAULT
) -> tuple[Complaint, bool]:
    """What was dictated is sent: as a complaint of its own, or, after `adding`, with the open one (True). The same
    again, before anything else was begun, is the same complaint."""
    found = rows.last_in_call(session, call_id, person_id, _UNTIL_SENT)
    if found is not None and found[0].what in (FILED, ADDED):
        return found[1], found[0].what == ADDED
    if found is not None and found[0].what == ADDING and found[1].status != Status.CLOSED:
        add(session, found[1], call_id, now, deadlines)
        return found[1], True
    return file(session, call_id, person_id, now, deadlines), False


def file(
    session: Session, call_id: str, person_id: str | None, now: datetime, deadlines: Deadlines = DEFAULT
) -> Complaint:
    """A new complaint; `send` sees to it that nothing is filed twice."""
    return _new(session, call_id, person_id, Status.SENT, now, deadlines)


def interrupted(
    session: Session, call_id: str, person_id: str | None, now: datetime, deadlines: Deadlines = DEFAULT
) -> Complaint:
    """Something was dictated and never sent: a person listens, and rings back."""
    return _new(session, call_id, person_id, Status.INTERRUPTED, now, deadlines)


def _new(
    session: Session, call_id: str, person_id: str | None, status: Status, now: datetime, deadlines: Deadlines
) -> Complaint:
    complaint = rows.new(session, call_id, person_id, now, status=status)
    calendar = rows.calendar(session, complaint)
    complaint.heard_due = deadlines.heard_by(calendar, now)
    complaint.answer_due = deadlines.answered_by(calendar, now)
    what, who = (FILED, rows.whose(session, complaint)) if status == Status.SENT else (INTERRUPTED, LINE)
    rows.note(session, complaint, what, who, now, call_id=call_id)
    waiting.show(session, complaint, now)
    return complaint


def another(session: Session, call_id: str, person_id: str | None, now: datetime) -> Complaint | None:
    """They have something to say; returns the open complaint of theirs to which it may be added. After this, what is
    sent in this call is no longer what was sent before."""
    found = rows.last_in_call(session, call_id, person_id, _UNTIL_SENT)
    if found is not None and found[0].what != ANOTHER:
        rows.note(session, found[1], ANOTHER, rows.whose(session, found[1]), now, call_id=call_id)
    return next(iter(rows.open_of(session, person_id)), None) if person_id else None


def adding(session: Session, call_id: str, person_id: str | None, now: datetime) -> Complaint | None:
    """What is sent next belongs to their open complaint. None: there is none."""
    found = rows.last_in_call(session, call_id, person_id, _UNTIL_SENT)
    if found is not None and found[0].what == ADDING:
        return found[1]
    complaint = next(iter(rows.open_of(session, person_id)), None) if person_id else None
    if complaint is not None:
        rows.note(session, complaint, ADDING, rows.whose(session, complaint), now, call_id=call_id)
    return complaint


def add(
    session: Session,
    complaint: Complaint,
    call_id: str,
    now: datetime,
    deadlines: Deadlines = DEFAULT,
    *,
    what: str = ADDED,
    detail: dict[str, Any] | None = None,
) -> None:
    """More was said about it: somebody listens again."""
    complaint = rows.locked(session, complaint)
    if complaint.heard_due is None:
        complaint.heard_due = deadlines.heard_by(rows.calendar(session, complaint), now)
    answer_again(session, complaint, now, deadlines)
    rows.note(session, complaint, what, rows.whose(session, complaint), now, call_id=call_id, detail=detail)
    waiting.show(session, complaint, now)


def answer_again(session: Session, complaint: Complaint, now: datetime, deadlines: Deadlines = DEFAULT) -> None:
    """What the last answer knew nothing of was said: it needs one, too. The line goes on telling them the one that is
    there; a deadline that runs is not put off."""
    if complaint.status == Status.ANSWERED and complaint.answer_due is None:
        complaint.answer_due = deadlines.answered_by(rows.calendar(session, complaint), now)


def still_wrong(
    session: Session, call_id: str, person_id: str | None, now: datetime, deadlines: Deadlines = DEFAULT
) -> Complaint | None:
    """They have said what is still wrong, after "not solved" in this call: it belongs to the answer of which they said
    so last. None: they have said so of none."""
    found = rows.last_in_call(session, call_id, person_id, (Outcome.NOT_SOLVED, STILL_WRONG))
    if found is not None and found[0].what != STILL_WRONG:
        of_round = {"round": (found[0].detail or {}).get("round")}
        add(session, found[1], call_id, now, deadlines, what=STILL_WRONG, detail=of_round)
    return None if found is None else found[1]


def wish(session: Session, complaint: Complaint, wished: Wish, call_id: str, now: datetime) -> None:
    """Whether the neighbours may know of the matter. Nothing that was spoken is ever published."""
    complaint = rows.locked(session, complaint)
    if complaint.wish != wished:
        complaint.wish = wished
        who = rows.whose(session, complaint)
        rows.note(session, complaint, WISH, who, now, call_id=call_id, detail={"wish": str(wished)})


# ── what they say to an answer ────────────────────────────────────────────────────────────────────


def say(
    session: Session,
    complaint: Complaint,
    outcome: Outcome,
    now: datetime,
    deadlines: Deadlines = DEFAULT,
    *,
    call_id: str | None = None,
    detail: Mapping[str, str] | None = None,
    by: str = "",
    round_: int | None = None,
) -> bool:
    """Solved closes; not solved, and the wish to talk, open it again with a new deadline. `by`: who of the committee
    was told, when it wasn't the line. `round_`: of the answer that they were told (None: the last); what they say to
    one that was replaced meanwhile stands there, and the one that takes its place is told all the same. False: there is
    no such answer, their "solved" closes nothing, or what was closed because they moved or died stays so."""
    complaint = rows.locked(session, complaint)
    reply = rows.reply_of(session, complaint, round_)
    if outcome not in OUTCOMES or reply is None:
        return False
    counts = reply == rows.last_reply(session, complaint)
    if _said_before(session, complaint, reply, outcome, call_id):
        return counts or outcome is not Outcome.SOLVED
    who, again = by or rows.whose(session, complaint), _unsolved_by(session, complaint, reply)
    told = {**(detail or {}), "round": reply.round}
    rows.note(session, complaint, outcome, who, now, call_id=call_id, detail=told)
    reply.outcome, reply.outcome_at, reply.due_at = outcome, now, None
    if outcome is Outcome.SOLVED:
        if counts:
            close(session, complaint, who, Outcome.SOLVED, now)
            _look_whether_it_was_they(session, complaint, call_id, now)
        return counts
    if complaint.close_reason == GONE:
        return False
    if counts or complaint.status == Status.CLOSED:
        _reopen(session, complaint, who, now, deadlines)
    if outcome is Outcome.TALK:
        waiting.ring_back(session, complaint, now)
    elif not again:
        _one_more_round(session, complaint, now)
    return True


def _look_whether_it_was_they(session: Session, complaint: Complaint, call_id: str | None, now: datetime) -> None:
    """Who rings in is told by the number alone, and a number can be forged: somebody looks. Whom the line has rung is
    who answers there."""
    intent = session.get(CallIntent, call_id) if call_id else None
    if intent is not None and intent.purpose == INBOUND:
        waiting.was_it_they(session, complaint, now)


def _said_before(session: Session, complaint: Complaint, reply: Reply, outcome: Outcome, call_id: str | None) -> bool:
    """It changes nothing: said of this answer in this call just now, or solved already."""
    if complaint.status == Status.CLOSED and outcome is Outcome.SOLVED:
        return True
    said = [each for each in rows.events(session, complaint) if each.what in OUTCOMES and each.call_id == call_id]
    said = [each for each in said if (each.detail or {}).get("round") == reply.round]
    return call_id is not None and bool(said) and said[-1].what == outcome


def _unsolved_by(session: Session, complaint: Complaint, reply: Reply) -> bool:
    """Whether it is known already that this very answer doesn't solve it."""
    return any(
        each.what == Outcome.NOT_SOLVED and (each.detail or {}).get("round") == reply.round
        for each in rows.events(session, complaint)
    )


def close(session: Session, complaint: Complaint, by: str, reason: str, now: datetime) -> None:
    """By rules that the caller has checked: `say`, `staff.close`. What nobody has heard yet is heard all the same."""
    complaint.status, complaint.closed_by, complaint.closed_at = Status.CLOSED, by[:100], now
    complaint.close_reason, complaint.answer_due = reason, None
    waiting.done(session, complaint, waiting.WHILE_OPEN, by, now)
    meetings.closed(session, complaint, by, now, gone=reason == GONE)


def _reopen(session: Session, complaint: Complaint, who: str, now: datetime, deadlines: Deadlines) -> None:
    """An answer that is due already is not put off."""
    waiting.done(session, complaint, (*waiting.TELL, *waiting.SEE), who, now)
    complaint.answer_due = complaint.answer_due or deadlines.answered_by(rows.calendar(session, complaint), now)
    complaint.status = Status.REOPENED
    complaint.closed_by = complaint.closed_at = complaint.close_reason = None
    meetings.reopened(session, complaint, now)
    waiting.show(session, complaint, now)


def _one_more_round(session: Session, complaint: Complaint, now: datetime) -> None:
    complaint.rounds += 1
    if complaint.rounds >= LEVEL_ABOVE_AFTER and not complaint.level_above:
        complaint.level_above = True
        rows.note(session, complaint, LEVEL_ABOVE, LINE, now, detail={"rounds": complaint.rounds})
