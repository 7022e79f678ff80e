"""What the committee does with complaints. Every act needs a name, runs inside one transaction and writes an event;
what can't be done says why (ValueError, LookupError: one plain sentence).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.names import named, says_something
from checkins.tables import GONE, Person
from community import complaints, rows, waiting
from community.policy import DEFAULT, REPLY_CALLS, Deadlines
from community.tables import Complaint, Meeting, Outcome, Reply, Status, Wish
from community.words import CATEGORIES

HEARD, VISITED = "heard", "visited"
NOT_HEARD = "nobody has listened to it yet: `cases hear` first"


def hear(session: Session, number: int, by: str, now: datetime) -> Complaint:
    """`by` listens to what was said. Whoever listens first has it, until it is given to somebody."""
    complaint, by = rows.by_number(session, number), named(by)
    rows.note(session, complaint, HEARD, by, now)
    complaint.heard_due = None
    complaint.heard_at, complaint.heard_by = complaint.heard_at or now, complaint.heard_by or by[:100]
    complaint.owner = complaint.owner or by[:100]
    if complaint.status in (Status.SENT, Status.INTERRUPTED):
        complaint.status = Status.HEARD
    waiting.done(session, complaint, waiting.LISTEN, by, now)
    waiting.show(session, complaint, now)
    return complaint


def assign(session: Session, number: int, to: str, by: str, now: datetime) -> Complaint:
    """`to` sees to it from now on."""
    complaint, by, to = _open(session, number), named(by), named(to)
    if complaint.owner != to:
        complaint.owner = to[:100]
        rows.note(session, complaint, "assigned", by, now, detail={"to": to})
    return complaint


def sort(session: Session, number: int, category: str, place: str, by: str, now: datetime) -> Complaint:
    """Corrects category and place; what is "" stays. From now on nothing is suggested any more."""
    complaint, by = rows.by_number(session, number), named(by)
    if category and category not in CATEGORIES:
        raise ValueError(f"--category: one of {'、'.join(CATEGORIES)}")
    complaint.category, complaint.place = category or complaint.category, place.strip()[:100] or complaint.place
    complaint.sorted_by = by[:100]
    rows.note(session, complaint, "sorted", by, now, detail={"category": complaint.category, "place": complaint.place})
    return complaint


def reply(
    session: Session, number: int, by: str, now: datetime, text: str | None = None, recording: str | None = None
) -> Reply:
    """The answer of this round; the line rings them with it, or a person tells them whom it can't ring. An answer that
    nobody has said anything about yet is replaced. The same again is the same."""
    complaint, by = _open(session, number), named(by)
    if not recording and not says_something(text or ""):
        raise ValueError("say what the answer is, as text or as a recording")
    if complaint.heard_at is None:
        raise ValueError(NOT_HEARD)
    last = rows.last_reply(session, complaint)
    if last is not None and last.outcome is None and (last.text, last.recording) == (text, recording):
        return last
    if last is not None and last.outcome in (None, Outcome.UNREACHED):
        last.outcome, last.outcome_at, last.due_at = Outcome.REPLACED, now, None
    answer = Reply(complaint_id=complaint.id, round=(last.round if last else 0) + 1, text=text, recording=recording)
    answer.by, answer.at, answer.due_at = by[:100], now, now if waiting.can_ring(session, complaint) else None
    session.add(answer)
    complaint.status, complaint.answer_due = Status.ANSWERED, None
    complaint.owner = complaint.owner or by[:100]
    rows.note(session, complaint, "replied", by, now, detail={"round": answer.round})
    waiting.done(session, complaint, (*waiting.ANSWER, *waiting.TELL), by, now)
    waiting.show(session, complaint, now)
    return answer


def by_hand(session: Session, answer: Reply, now: datetime) -> None:
    """The line can't tell them, as the register stands now: a person does."""
    answer.due_at, answer.intent_id = None, None
    session.flush()
    waiting.show(session, session.get_one(Complaint, answer.complaint_id), now)


def unreached(session: Session, answer: Reply, now: datetime, *, last: bool = False) -> bool:
    """One more call with this answer has reached nobody; or (`last`) none can be made any more. True: it was the last
    one, somebody goes there now."""
    answer.calls += not last
    if answer.outcome is not None or (answer.calls < REPLY_CALLS and not last):
        return False
    answer.outcome, answer.outcome_at, answer.due_at = Outcome.UNREACHED, now, None
    session.flush()
    waiting.show(session, session.get_one(Complaint, answer.complaint_id), now)
    return True


def said(
    session: Session,
    number: int,
    outcome: Outcome,
    words: str,
    by: str,
    now: datetime,
    deadlines: Deadlines = DEFAULT,
) -> Complaint:
    """`by` has told them the answer and writes down what they said. Only where the line can't ask: it can't ring them,
    or hasn't reached them."""
    complaint, by = _open(session, number), named(by)
    answer = rows.last_reply(session, complaint)
    if answer is None:
        raise ValueError("there is no answer yet: `cases reply` first")
    if waiting.can_ring(session, complaint) and answer.outcome != Outcome.UNREACHED:
        raise ValueError(
            "the line itself rings them and asks; only where it can't may somebody write down what they said"
        )
    if not says_something(words):
        raise ValueError("write down what they said")
    complaints.say(session, complaint, outcome, now, deadlines, detail={"words": words, "told_to": by}, by=by)
    return complaint


def discuss(session: Session, number: int, who: str, text: str, by: str, now: datetime) -> Complaint:
    """多方: what `who` (the property manager, the owners' committee …) said about it, written down by `by`."""
    complaint, by = rows.by_number(session, number), named(by)
    if not says_something(text):
        raise ValueError("write down what was said")
    rows.note(session, complaint, "discussed", by, now, detail={"who": named(who), "text": text})
    return complaint


def meet(session: Session, number: int, at: datetime, place: str, with_whom: str, by: str, now: datetime) -> Meeting:
    """People meet about it. The same meeting again is the same one."""
    complaint, by = _open(session, number), named(by)
    if at <= now:
        raise ValueError("--at: that moment is over")
    if not says_something(place) or not says_something(with_whom):
        raise ValueError("say where, and with whom")
    values = {"at": at, "place": place[:100], "with_whom": with_whom[:200]}
    query = select(Meeting).filter_by(complaint_id=complaint.id, **values)
    known = session.scalar(query.where(Meeting.outcome.is_(None)))
    if known is not None:
        return known
    meeting = Meeting(complaint_id=complaint.id, booked_by=by[:100], booked_at=now, **values)
    session.add(meeting)
    rows.note(session, complaint, "meeting", by, now, detail={**values, "at": at.isoformat()})
    waiting.show(session, complaint, now)
    return meeting


def met(session: Session, number: int, outcome: str, by: str, now: datetime) -> Meeting:
    """What came of the next meeting that nobody has written the outcome of."""
    complaint, by = rows.by_number(session, number), named(by)
    if not says_something(outcome):
        raise ValueError("write down what came of it")
    query = select(Meeting).where(Meeting.complaint_id == complaint.id, Meeting.outcome.is_(None))
    meeting = session.scalars(query.order_by(Meeting.at).limit(1)).first()
    if meeting is None:
        raise LookupError("no meeting is open")
    meeting.outcome, meeting.noted_by, meeting.noted_at = outcome, by[:100], now
    rows.note(session, complaint, "met", by, now, detail={"outcome": outcome})
    waiting.done(session, complaint, waiting.MEETING, by, now)
    waiting.show(session, complaint, now)
    return meeting


def level_above(session: Session, number: int, by: str, now: datetime) -> Complaint:
    """The street office should know."""
    complaint, by = _open(session, number), named(by)
    if not complaint.level_above:
        complaint.level_above = True
        rows.note(session, complaint, complaints.LEVEL_ABOVE, by, now, detail={"rounds": complaint.rounds})
    return complaint


def publish(session: Session, number: int, text: str, by: str, now: datetime) -> Complaint:
    """The matter for the 议事厅, written by `by`: only where they agreed, and without who they are."""
    complaint, by = rows.by_number(session, number), named(by)
    if complaint.wish != Wish.PUBLIC:
        raise ValueError("they haven't agreed that the neighbours know of it")
    if not says_something(text):
        raise ValueError("write the matter in your own words")
    if told := _personal(session, complaint, text):
        raise ValueError(f"the text says who it is ({told}): write it without")
    complaint.text, complaint.text_by = text.strip(), by[:100]
    rows.note(session, complaint, "published", by, now, detail={"text": complaint.text})
    return complaint


def _personal(session: Session, complaint: Complaint, text: str) -> str:
    """What of the elder's own stands in the text."""
    person = session.get(Person, complaint.person_id) if complaint.person_id else None
    known = {"the name": (person.name, person.spoken_name), "the address": (person.address,)} if person else {}
    digits = "".join(sign for sign in text if sign.isdecimal())
    number = "".join(filter(str.isdecimal, (person.number if person else complaint.caller_number) or ""))[-8:]
    if number and number in digits:
        return "the telephone number"
    return next((what for what, words in known.items() if any(word and word in text for word in words)), "")


# ── the end ───────────────────────────────────────────────────────────────────────────────────────


def visited(session: Session, number: int, found: str, by: str, now: datetime) -> Complaint:
    """`by` was there about the answer."""
    complaint, by = _open(session, number), named(by)
    if not says_something(found):
        raise ValueError("write down what was found there")
    rows.note(session, complaint, VISITED, by, now, detail={"found": found})
    return complaint


def close(session: Session, number: int, by: str, now: datetime, found: str = "") -> Complaint:
    """Without their "solved" only when the calls with the last answer have reached nobody and somebody was there
    (`found`: by this very word), or when they have moved or died. The same again changes nothing."""
    complaint, by = rows.by_number(session, number), named(by)
    if complaint.status == Status.CLOSED:
        return complaint
    if _gone(session, complaint):
        rows.note(session, complaint, "closed", by, now, detail={"reason": "gone", "found": found})
        complaints.close(session, complaint, by, "gone", now)
        return complaint
    answer = rows.last_reply(session, complaint)
    if answer is None:
        raise ValueError("there is no answer yet: `cases reply` first. Only their “solved” closes it")
    if answer.outcome != Outcome.UNREACHED or answer.calls < REPLY_CALLS:
        raise ValueError(_not_yet(answer))
    if not says_something(found) and not _was_there(session, complaint, answer):
        raise ValueError("nobody has been there yet: go, and say what was found (--visited)")
    if found:
        visited(session, number, found, by, now)
    rows.note(session, complaint, "closed", by, now, detail={"reason": Outcome.UNREACHED})
    complaints.close(session, complaint, by, Outcome.UNREACHED, now)
    return complaint


def _not_yet(answer: Reply) -> str:
    if answer.outcome not in (None, Outcome.UNREACHED):
        return "they did not say that the last answer solves it: `cases reply` with another one"
    return f"only their “solved” closes it, or {REPLY_CALLS} calls that reach nobody and a visit; so far {answer.calls}"


def _was_there(session: Session, complaint: Complaint, answer: Reply) -> bool:
    return any(each.what == VISITED and each.at >= answer.at for each in rows.events(session, complaint))


def _gone(session: Session, complaint: Complaint) -> bool:
    person = session.get(Person, complaint.person_id) if complaint.person_id else None
    return person is not None and person.state in GONE


def _open(session: Session, number: int) -> Complaint:
    complaint = rows.by_number(session, number)
    if complaint.status == Status.CLOSED:
        raise ValueError(f"{number} is closed; they reopen it by ringing in")
    return complaint
