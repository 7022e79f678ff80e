"""News of calls, applied once: the carrier's refusal, an alarm in mid-call, the final outcome, and "nobody knows".

Every function runs inside one writing transaction and may be called again with the same news: what was applied is
noted on the intent row, in the same transaction as its effect.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import (
    alarm_calls,
    answers,
    bad_numbers,
    confirming,
    emergency,
    handing_over,
    ladder,
    other_calls,
    own_word,
    refusals,
    searches,
    strangers,
    telling,
)
from checkins.case_rows import case_of, log_event, put_case, served_by
from checkins.errands import CONFIRM
from checkins.ladder import News
from checkins.line_rules import Purpose
from checkins.pace import ANSWER_WITHIN, OUT, UNANSWERED, is_line_down
from checkins.people import doubt_number
from checkins.ports import TALKED, CallOutcome, Disposition, PersonOutcome
from checkins.results import LINE, Result, Status, Urgency
from checkins.tables import GONE, CallIntent, Checkin, IntentState

log = logging.getLogger(__name__)

_GOOD = (Result.WELL, Result.OTHER_SAYS_WELL)
_NO_NEWS_OF_ELDER = {
    Disposition.NO_ANSWER: Result.NO_ANSWER,
    Disposition.BUSY: Result.BUSY,
    Disposition.MACHINE: Result.MACHINE,
    Disposition.LINE_ERROR: Result.LINE_ERROR,
    Disposition.BAD_NUMBER: Result.BAD_NUMBER,
    Disposition.INTERRUPTED: Result.INTERRUPTED,
    Disposition.CANCELLED: Result.CANCELLED,
    Disposition.UNKNOWN: Result.UNKNOWN,
    Disposition.ANSWERED: Result.HUNG_UP,  # picked up, and the call ended before this elder's turn
}


def result_of(disposition: Disposition, person: PersonOutcome | None) -> tuple[Result, str]:
    """What a call came to for one person, and the evidence. Good news counts only from a call that was answered,
    and from speech only when the ear says that it was certain; bad news counts from any call. A call that we broke off
    before any sign of life is no hang-up. A word we don't know means: a sign of life, nothing confirmed."""
    if person is None:
        return _NO_NEWS_OF_ELDER[disposition], "none"
    result = _word(person.result)
    said_nothing = result in (Result.HUNG_UP, Result.MACHINE) and disposition is not Disposition.ANSWERED
    if said_nothing or (disposition not in TALKED and result in _GOOD):
        return _NO_NEWS_OF_ELDER[disposition], "none"
    if result in _GOOD and not person.clear:
        return Result.PRESENT_UNCONFIRMED, person.evidence
    return result, person.evidence


def _word(word: str) -> Result:
    try:
        return Result(word)
    except ValueError:
        log.error("a call ended with a result that the care room doesn't know; a person will look")
        return Result.PRESENT_UNCONFIRMED


def settle(session: Session, outcome: CallOutcome, now: datetime) -> bool:
    """Applies news of a call. False when it was known already, or the intent isn't ours."""
    intent = session.get(CallIntent, outcome.intent_id, with_for_update=True)
    if intent is None:
        log.warning("news of call %s, which we never intended: ignored", outcome.intent_id)
        return False
    rows = _rows(session, intent)
    if intent.responder is not None:
        return _responder(session, intent, rows, outcome, now)
    if strangers.is_stranger(intent):
        return _stranger(session, intent, outcome, now)
    changed = bool(outcome.alarm) and _alarm(session, intent, rows, outcome, now)
    if not outcome.final or intent.applied.get("final"):
        return changed
    disposition = bad_numbers.heard(session, intent, outcome.disposition or Disposition.UNKNOWN, now)
    people = {person.id: person for person in outcome.people}
    _elders(session, intent, rows, disposition, people, now)
    _over(session, intent, disposition, now)
    return True


def _elders(
    session: Session,
    intent: CallIntent,
    rows: Iterable[Checkin],
    disposition: Disposition,
    people: Mapping[str, PersonOutcome],
    now: datetime,
) -> None:
    """The end of an elder's call, for each elder."""
    people, others = other_calls.of_themselves(intent, people), other_calls.is_other(intent)
    for row in rows:
        person = people.get(row.elder_id)
        cried = person is not None and person.result == Result.EMERGENCY
        if others and person is None:
            continue
        if (others or own_word.is_own(intent)) and not cried:
            if own_word.heard(session, intent, row, disposition, people, now) is Result.REFUSED:
                refusals.by_phone(session, row.elder, intent.id, now)
        else:
            _apply(session, intent, row, disposition, person, now)
        _off_the_line(row, now)


def _stranger(session: Session, intent: CallIntent, outcome: CallOutcome, now: datetime) -> bool:
    changed = bool(outcome.alarm) and strangers.cried(session, intent, now)
    if not outcome.final or intent.applied.get("final"):
        return changed
    disposition = outcome.disposition or Disposition.UNKNOWN
    strangers.heard(session, intent, disposition, outcome.people, now)
    _over(session, intent, disposition, now)
    return True


def _responder(session: Session, intent: CallIntent, rows: list[Checkin], outcome: CallOutcome, now: datetime) -> bool:
    """News of a call to a responder: their answers, of which none is the elder's."""
    changed = bool(outcome.alarm) and answers.cried(session, intent, rows, outcome, now)
    if not outcome.final or intent.applied.get("final"):
        return changed
    disposition = bad_numbers.heard(session, intent, outcome.disposition or Disposition.UNKNOWN, now)
    _answered(session, intent, rows, disposition, outcome.people, now)
    _over(session, intent, disposition, now)
    return True


def _answered(
    session: Session,
    intent: CallIntent,
    rows: list[Checkin],
    disposition: Disposition,
    people: Sequence[PersonOutcome],
    now: datetime,
) -> None:
    if intent.flow == alarm_calls.FLOW:
        alarm_calls.answered(session, intent, disposition, people, now)
    elif intent.purpose == handing_over.HAND_OVER:
        handing_over.ended(session, intent, rows, disposition, people, now)
    elif intent.flow == telling.TAKEN:
        telling.ended(session, intent, rows, disposition, people, now)
    else:
        answers.answered(session, intent, rows, disposition, people, now)
        telling.heard_elsewhere(session, intent, rows, people, now)


def _over(session: Session, intent: CallIntent, disposition: Disposition, now: datetime) -> None:
    if disposition is Disposition.BAD_NUMBER:
        bad_numbers.mark(session, intent, now)
    _note(intent, final=True)
    intent.state, intent.disposition, intent.settled_at = IntentState.SETTLED, disposition, now


def refused(session: Session, intent_id: str, disposition: Disposition, now: datetime) -> bool:
    """The carrier said no before anything could ring: it doesn't count against the number's limits."""
    intent = session.get(CallIntent, intent_id, with_for_update=True)
    if intent is None or intent.state != IntentState.INTENDED:
        return False
    intent.dialled = False
    return settle(session, CallOutcome(intent_id, now, final=True, disposition=disposition), now)


def placed(session: Session, intent_id: str) -> bool:
    """The carrier took it. News may have overtaken us; then nothing changes."""
    intent = session.get(CallIntent, intent_id, with_for_update=True)
    if intent is None or intent.state != IntentState.INTENDED:
        return False
    intent.state = IntentState.PLACED
    return True


def give_up(session: Session, intent_id: str, now: datetime, disposition: Disposition = Disposition.UNKNOWN) -> bool:
    """Nobody can say what became of this call: a person looks, nobody dials it again. Late news is still welcome.
    `disposition` LINE_ERROR: as far as anybody knows, it never was a call."""
    intent = session.get(CallIntent, intent_id, with_for_update=True)
    if intent is None or intent.state not in (IntentState.INTENDED, IntentState.PLACED):
        return False
    rows = _rows(session, intent)
    if intent.responder is not None:
        _answered(session, intent, rows, disposition, (), now)
    elif strangers.is_stranger(intent):
        strangers.heard(session, intent, disposition, (), now)
    else:
        _elders(session, intent, rows, disposition, {}, now)
    intent.state, intent.disposition, intent.settled_at = IntentState.UNKNOWN, disposition, now
    return True


def unanswered(session: Session, intent_id: str) -> None:
    """The carrier hasn't answered this order, and can't be asked after it: that says something about the line."""
    intent = session.get(CallIntent, intent_id, with_for_update=True)
    if intent is not None and intent.state == IntentState.INTENDED and UNANSWERED not in intent.applied:
        _note(intent, **{UNANSWERED: True})


def clear_the_way(session: Session, now: datetime) -> int:
    """With another trunk at hand: responders whom the dead one may have rung, for all that it answers, can be rung by
    that. How many there were."""
    if not is_line_down(session, now):
        return 0
    query = select(CallIntent).where(
        OUT, CallIntent.state == IntentState.INTENDED, CallIntent.responder.is_not(None), CallIntent.for_call.is_(None)
    )
    ghosts = session.scalars(query.where(CallIntent.created_at <= now - ANSWER_WITHIN)).all()
    for intent in ghosts:
        intent.dialled = False  # nor do they wait two minutes
    return sum(give_up(session, intent.id, now, Disposition.LINE_ERROR) for intent in ghosts)


def untold(session: Session, intent_id: str, now: datetime) -> bool:
    """The carrier says that a responder's call is over, and nobody told what came of it. At the second time it is given
    up: by then the telephone room has had a minute for the last word, and others wait for this person."""
    intent = session.get(CallIntent, intent_id, with_for_update=True)
    if intent is None or intent.state not in (IntentState.INTENDED, IntentState.PLACED):
        return False
    if intent.applied.get("over"):
        log.warning("nobody told what came of call %s: its responder may be rung again", intent_id)
        return give_up(session, intent_id, now)
    _note(intent, over=True)
    return False


def ask_again(session: Session, intent_id: str, seen: datetime, check_at: datetime) -> bool:
    """The call goes on: look again at `check_at`. Compare-and-set on `seen`, so that one process asks at a time."""
    intent = session.get(CallIntent, intent_id, with_for_update=True)
    live = intent is not None and intent.state in (IntentState.INTENDED, IntentState.PLACED)
    if intent is None or not live or intent.check_at != seen:
        return False
    intent.check_at = check_at
    for row in _rows(session, intent):
        if row.status == "calling":
            row.due_at = row.lease_until = check_at
    return True


def _alarm(session: Session, intent: CallIntent, rows: Iterable[Checkin], outcome: CallOutcome, now: datetime) -> bool:
    """Raises the alarm once per call and person; without a person named, for everybody of the call. One found in a
    recording after the call is another: whoever closed the first did not hear it."""
    raised = set(intent.applied.get("alarm", ()))
    whom = [row for row in rows if outcome.alarm_person in (None, row.elder_id)] or list(rows)
    known = {person.id: dict(person.detail) for person in outcome.people}
    new = {_cause(row, known): row for row in whom}
    new = {cause: row for cause, row in new.items() if cause not in raised}
    for row in new.values():
        detail = {**known.get(row.elder_id, {}), "alarm": outcome.alarm or ""}
        _put(session, intent, row, News(Result.EMERGENCY), now, detail)
    _note(intent, alarm=sorted(raised | set(new)))
    return bool(new)


def _cause(row: Checkin, known: Mapping[str, Mapping[str, Any]]) -> str:
    """What an alarm is raised once for: the person, or the person's recording."""
    recording = known.get(row.elder_id, {}).get("recording")
    return f"{row.elder_id}:{recording}" if recording else row.elder_id


def _apply(
    session: Session,
    intent: CallIntent,
    row: Checkin,
    disposition: Disposition,
    person: PersonOutcome | None,
    now: datetime,
) -> None:
    if intent.purpose == Purpose.EMERGENCY and (person is None or person.result != Result.EMERGENCY):
        emergency.heard(session, intent, row, disposition, person, now)
        return
    result, evidence = result_of(disposition, person)
    detail = dict(person.detail) if person else {}
    if result is Result.EMERGENCY:
        if row.elder_id in intent.applied.get("alarm", ()):
            _keep_answer(row, detail)
            return
        _note(intent, alarm=sorted({*intent.applied.get("alarm", ()), row.elder_id}))
    again = result is Result.OTHER_SAYS_WELL and _reported_last_time(session, row)
    if intent.purpose == CONFIRM and confirming.heard(session, intent, row, News(result, evidence, again), now):
        _keep_answer(row, detail)
    elif result is Result.WANTS_PERSON and handing_over.talked(session, intent, row):
        _keep_answer(row, detail)
        return
    else:
        _put(session, intent, row, News(result, evidence, again), now, detail)
    if result is Result.WANTS_PERSON:
        handing_over.promise(session, intent, row, person, now)
    if result is Result.REFUSED:
        refusals.by_phone(session, row.elder, intent.id, now)
    if result is Result.WRONG_NUMBER:
        doubt_number(session, intent.number, now)


def _off_the_line(row: Checkin, now: datetime) -> None:
    """In an emergency that nobody has yet: what comes next for her, too, is asked at once."""
    if row.status == Status.NEEDS_PERSON and row.urgency == Urgency.EMERGENCY and not row.owner:
        row.due_at = now


def _put(session: Session, intent: CallIntent, row: Checkin, news: News, now: datetime, detail: dict[str, Any]) -> None:
    """Late news stand in the log alone, but for a cry for help, when the elder has died or moved meanwhile: nobody is
    rung about them; and when whoever went there has said that help is needed, or that nobody opens."""
    before = case_of(row)
    if news.result is Result.EMERGENCY or not (row.elder.state in GONE or searches.looked_bad(row)):
        put_case(row, ladder.apply(before, news, now))
        searches.follow(session, row, before, now)
    if before.alarm and news.result is Result.EMERGENCY:
        searches.cried_again(session, row, now)
    _keep_answer(row, detail)
    detail = {**detail, "evidence": news.evidence, "status": row.status}
    log_event(session, row, str(news.result), "line", now, intent_id=intent.id, detail=detail)


def _keep_answer(row: Checkin, detail: dict[str, Any]) -> None:
    """What the elder said stays with the case, for those who act on it."""
    if detail:
        row.answer = {**(row.answer or {}), **detail}


def _note(intent: CallIntent, **applied: Any) -> None:
    intent.applied = {**intent.applied, **applied}


def _reported_last_time(session: Session, row: Checkin) -> bool:
    """Whether the check-in before this one was reported by another, too, and no person has heard the elder since."""
    last = (
        select(Checkin.result, Checkin.closed_by)
        .where(Checkin.elder_id == row.elder_id, Checkin.date < row.date)
        .order_by(Checkin.date.desc())
        .limit(1)
    )
    result, closed_by = session.execute(last).one_or_none() or (None, None)
    return result == Result.OTHER_SAYS_WELL and closed_by in (None, LINE)


def _rows(session: Session, intent: CallIntent) -> list[Checkin]:
    return list(session.scalars(served_by(intent.id).with_for_update(of=Checkin)))
