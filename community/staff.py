"""What the committee does with complaints. Every act needs a name, runs inside one transaction and writes an event;
what can't be done says why (ValueError, LookupError: one plain sentence).
"""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.names import named, says_something
from checkins.results import LINE
from checkins.tables import GONE, Person
from community import anonymous, complaints, meeting_state, meetings, rows, waiting
from community.policy import DEFAULT, REOPEN_WITHIN, REPLY_CALLS, Deadlines
from community.spoken import bounded
from community.tables import Complaint, Meeting, Outcome, Reply, Status, Wish
from community.words import CATEGORIES
from community.wrong import Wrong

HEARD, VISITED = "heard", "visited"
UNTELLABLE = "untellable"  # why it was closed: a stranger without a number
BY_PERSON = (Outcome.UNREACHED, Outcome.UNCLEAR)  # the calls are over, and they have not said what they think
NOT_HEARD = ("还有没听过的录音：先听，再答复", "nobody has listened to it yet: `cases hear` first")


def hear(session: Session, number: int, by: str, now: datetime, words: str = "") -> Complaint:
    """`by` listens to what was said, or has rung them where nothing can be listened to: `words`, what they said then.
    Whoever listens first has it, until it is given to somebody."""
    complaint, by = rows.by_number(session, number), named(by)
    rows.note(session, complaint, HEARD, by, now, detail={"words": words} if words else None)
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
    complaint, by, to = _open(session, number, now), named(by), named(to)
    if complaint.owner != to:
        complaint.owner = to[:100]
        rows.note(session, complaint, "assigned", by, now, detail={"to": to})
    return complaint


def sort(session: Session, number: int, category: str, place: str, by: str, now: datetime) -> Complaint:
    """Corrects category and place; what is "" stays. From now on nothing is suggested any more."""
    complaint, by = rows.by_number(session, number), named(by)
    if not category and not place.strip():
        raise Wrong("请写上类别或地点", "say what it is about (--category), or where it is (--place)")
    if category and category not in CATEGORIES:
        raise Wrong("没有这个类别", f"--category: one of {'、'.join(CATEGORIES)}")
    complaint.category, complaint.place = category or complaint.category, place.strip()[:100] or complaint.place
    complaint.sorted_by = by[:100]
    rows.note(session, complaint, "sorted", by, now, detail={"category": complaint.category, "place": complaint.place})
    return complaint


def reply(
    session: Session, number: int, by: str, now: datetime, text: str | None = None, recording: str | None = None
) -> Reply:
    """The answer of this round; the line rings them with it, or a person tells them whom it can't ring. An answer that
    nobody has said anything about yet is replaced. The same again is the same."""
    complaint, by = _open(session, number, now), named(by)
    if not recording and not says_something(text or ""):
        raise Wrong("请写上答复，或者录下来", "say what the answer is, as text or as a recording")
    bounded(text or "")
    if complaint.heard_at is None or complaint.heard_due is not None:
        raise Wrong(*NOT_HEARD)
    last = rows.last_reply(session, complaint)
    if last is not None and last.outcome is None and (last.text, last.recording) == (text, recording):
        _answers_that_too(session, complaint, last, by, now)
        return last
    if last is not None and last.outcome in (None, *BY_PERSON):
        last.outcome, last.outcome_at, last.due_at = Outcome.REPLACED, now, None
    answer = Reply(complaint_id=complaint.id, round=(last.round if last else 0) + 1, text=text, recording=recording)
    answer.by, answer.at, answer.due_at = by[:100], now, now if waiting.can_ring(session, complaint) else None
    session.add(answer)
    complaint.status, complaint.answer_due = Status.ANSWERED, None
    complaint.owner = complaint.owner or by[:100]
    rows.note(session, complaint, "replied", by, now, detail={"round": answer.round})
    waiting.done(session, complaint, (*waiting.ANSWER, *waiting.TELL), by, now, {complaint.person_id})
    waiting.show(session, complaint, now)
    return answer


def _answers_that_too(session: Session, complaint: Complaint, last: Reply, by: str, now: datetime) -> None:
    """What was added since needs no other answer."""
    if complaint.answer_due is not None:
        complaint.answer_due = None
        rows.note(session, complaint, "replied", by, now, detail={"round": last.round})
        waiting.done(session, complaint, waiting.ANSWER, by, now, {complaint.person_id})


def by_hand(session: Session, answer: Reply, now: datetime) -> None:
    """The line can't tell them, as the register stands now: a person does."""
    answer.due_at, answer.intent_id = None, None
    session.flush()
    waiting.show(session, rows.of(session, answer), now)


def is_by_hand(answer: Reply) -> bool:
    return answer.outcome is None and answer.due_at is None and answer.intent_id is None


def by_person(session: Session, answer: Reply, now: datetime, *, reached: bool) -> None:
    """No call is made any more, and they have not said what they think of the answer. Somebody goes there; or asks them
    who were on the line once (`reached`)."""
    outcome, complaint = Outcome.UNCLEAR if reached else Outcome.UNREACHED, rows.of(session, answer)
    if answer.outcome != outcome:
        answer.outcome, answer.outcome_at, answer.due_at = outcome, now, None
        session.flush()
        waiting.done(session, complaint, waiting.TELL, LINE, now)
        waiting.show(session, complaint, now)


def said(
    session: Session,
    number: int,
    outcome: Outcome,
    words: str,
    by: str,
    now: datetime,
    deadlines: Deadlines = DEFAULT,
    *,
    in_person: bool = False,
) -> Complaint:
    """`by` has told them the answer and writes down what they said. By telephone only where the line can't ask: it
    can't ring them, hasn't reached them, has asked in vain, or is down. Face to face (`in_person`) always: what they
    say to somebody's face is their own word, and nobody need ring them for it once more."""
    complaint, by = _open(session, number, now), named(by)
    answer = rows.last_reply(session, complaint)
    if answer is None:
        raise Wrong("还没有答复：先答复", "there is no answer yet: `cases reply` first")
    if not (in_person or _line_cannot_ask(session, complaint, answer, now)):
        raise Wrong(
            "线路会自己打电话问；您转告的话，要线路问不到时、或者当面说的才算",
            "the line itself asks them, once there is an answer that they know nothing of yet; what they said to you "
            "counts where it can't, or when you were there (--in-person)",
        )
    if not says_something(words):
        raise Wrong("请写上本人说了什么", "write down what they said")
    detail = {"words": words, "told_to": by, "how": "in person" if in_person else "told"}
    complaints.say(session, complaint, outcome, now, deadlines, detail=detail, by=by)
    return complaint


def _line_cannot_ask(session: Session, complaint: Complaint, answer: Reply, now: datetime) -> bool:
    rings = waiting.can_ring(session, complaint) and answer.outcome not in BY_PERSON and not is_by_hand(answer)
    return not rings or waiting.stuck(session, complaint, now)


def discuss(session: Session, number: int, who: str, text: str, by: str, now: datetime) -> Complaint:
    """多方: what `who` (the property manager, the owners' committee …) said about it, written down by `by`."""
    complaint, by = rows.by_number(session, number), named(by)
    if not says_something(text):
        raise Wrong("请写上说了什么", "write down what was said")
    rows.note(session, complaint, "discussed", by, now, detail={"who": named(who), "text": text})
    return complaint


def meet(session: Session, number: int, at: datetime, place: str, with_whom: str, by: str, now: datetime) -> Meeting:
    """People meet about it; somebody tells who complained, and the other party that the line has asked. One that is
    ahead is moved so, also when the complaint is solved meanwhile. The same meeting again is the same one; when one of
    them could not come, it is to be after all, and somebody tells them."""
    complaint, by = rows.by_number(session, number), named(by)
    if not meeting_state.ahead(session, complaint, now):
        _open(session, number, now)
    if at <= now:
        raise Wrong("这个时间已经过了", "--at: that moment is over")
    if not says_something(place) or not says_something(with_whom):
        raise Wrong("请写上地点，和谁见面", "say where, and with whom")
    values = {"at": at, "place": place[:100], "with_whom": with_whom[:200]}
    query = select(Meeting).filter_by(complaint_id=complaint.id, **values)
    known = session.scalar(query.where(Meeting.outcome.is_(None)))
    if known is not None and meeting_state.broken_since(session, complaint, known) is None:
        return known
    told = meeting_state.concerned(session, complaint, anyway=True)
    meetings.not_taken(session, complaint, told, [at])
    if known is None:
        meetings.moved(session, complaint, at, by, now)
    meeting = known or Meeting(complaint_id=complaint.id, booked_by=by[:100], booked_at=now, **values)
    session.add(meeting)
    rows.note(session, complaint, meeting_state.FIXED, by, now, detail={**values, "at": at.isoformat()})
    waiting.done(session, complaint, waiting.ARRANGE, by, now)
    meetings.tell(session, complaint, told, now, at)
    waiting.show(session, complaint, now)
    return meeting


def met(session: Session, number: int, outcome: str, by: str, now: datetime, at: datetime | None = None) -> Meeting:
    """What came of a meeting (community.meeting_state.to_write: which). Nothing comes of one that is ahead."""
    complaint, by = rows.by_number(session, number), named(by)
    if not says_something(outcome):
        raise Wrong("请写上谈下来怎样", "write down what came of it")
    meeting = meeting_state.to_write(session, complaint, now, at)
    if meeting.at > now:
        raise Wrong(
            "这次见面还没到时间；不见了，请取消",
            "that meeting is ahead: when it isn't to be, call it off (--cancel)",
        )
    meetings.end_of(session, complaint, meeting, by, now)
    meetings.write(session, complaint, meeting, outcome, by, now)
    rows.note(session, complaint, "met", by, now, detail={"at": meeting.at.isoformat(), "outcome": outcome})
    return meeting


def call_off(session: Session, number: int, why: str, by: str, now: datetime, at: datetime | None = None) -> Complaint:
    """A meeting isn't, or wasn't (community.meeting_state.to_call_off: which), or the times that are offered are taken
    back; somebody tells who complained, and the other party if it knows of it."""
    complaint, by = rows.by_number(session, number), named(by)
    if not says_something(why):
        raise Wrong("请写上为什么取消", "write down why it is called off")
    told, offered = meeting_state.concerned(session, complaint), meeting_state.plan_of(session, complaint)
    if offered is not None and meeting_state.is_offered(offered) and at is None:
        meetings.end(session, complaint, by, now)
        rows.note(session, complaint, "called_off", by, now, detail={"times": offered.times, "why": why})
    else:
        meeting = meeting_state.to_call_off(session, complaint, now, at)
        meetings.end_of(session, complaint, meeting, by, now)
        meetings.write(session, complaint, meeting, meeting_state.CALLED_OFF + why, by, now)
        rows.note(session, complaint, "called_off", by, now, detail={"at": meeting.at.isoformat(), "why": why})
        at = meeting.at
    if complaint.status != Status.CLOSED or (at is not None and at > now):
        meetings.tell(session, complaint, told, now, at)
    return complaint


def level_above(session: Session, number: int, by: str, now: datetime) -> Complaint:
    """The street office should know."""
    complaint, by = _open(session, number, now), named(by)
    if not complaint.level_above:
        complaint.level_above = True
        rows.note(session, complaint, complaints.LEVEL_ABOVE, by, now, detail={"rounds": complaint.rounds})
    return complaint


def publish(session: Session, number: int, text: str, by: str, now: datetime) -> Complaint:
    """The matter for the 议事厅, written by `by`: only where they agreed, and without who they are."""
    complaint, by = rows.by_number(session, number), named(by)
    if complaint.wish != Wish.PUBLIC:
        raise Wrong("本人没有同意公开", "they haven't agreed that the neighbours know of it")
    if not says_something(text):
        raise Wrong("请用自己的话写这件事", "write the matter in your own words")
    if told := _personal(session, complaint, text):
        raise Wrong(f"这段话看得出是谁（{told}）：请改写", f"the text says who it is (“{told}”): write it without")
    complaint.text, complaint.text_by = text.strip(), by[:100]
    rows.note(session, complaint, "published", by, now, detail={"text": complaint.text})
    return complaint


def _personal(session: Session, complaint: Complaint, text: str) -> str:
    """What of the elder's own stands in the text."""
    person = session.get(Person, complaint.person_id) if complaint.person_id else None
    if person is None:
        return anonymous.tells(text, number=complaint.caller_number or "")
    names, number = (person.name, person.spoken_name or ""), person.number or ""
    return anonymous.tells(text, names=names, address=person.address or "", number=number)


# ── the end ───────────────────────────────────────────────────────────────────────────────────────


def visited(session: Session, number: int, found: str, by: str, now: datetime) -> Complaint:
    """`by` was there about the answer."""
    complaint, by = _open(session, number, now), named(by)
    if not says_something(found):
        raise Wrong("请写上去了看到什么", "write down what was found there")
    rows.note(session, complaint, VISITED, by, now, detail={"found": found})
    return complaint


def close(session: Session, number: int, by: str, now: datetime, found: str = "") -> Complaint:
    """Without their "solved" only when the calls with the last answer have reached nobody and somebody was there
    (`found`: by this very word), when nobody can be told (a stranger without a number: somebody was there, or has put
    up a notice), or when they have moved or died. The same again changes nothing."""
    complaint, by = rows.by_number(session, number), named(by)
    if complaint.status == Status.CLOSED:
        return complaint
    if _gone(session, complaint):
        rows.note(session, complaint, "closed", by, now, detail={"reason": complaints.GONE, "found": found})
        complaints.close(session, complaint, by, complaints.GONE, now)
        return complaint
    answer = rows.last_reply(session, complaint)
    if answer is None:
        raise Wrong(
            "还没有答复：先答复。本人说解决了，才能结案",
            "there is no answer yet: `cases reply` first. Only their “solved” closes it",
        )
    if complaint.heard_due is not None or complaint.answer_due is not None:
        raise Wrong(
            "后来又说的话还没有答复：先听，再答复",
            "something was said that has no answer yet: `cases hear`, then `cases reply`",
        )
    unknown = complaint.person_id is None and not complaint.caller_number
    if not unknown and (answer.outcome != Outcome.UNREACHED or answer.calls < REPLY_CALLS):
        raise Wrong(*_not_yet(answer))
    if not says_something(found) and not _was_there(session, complaint, answer):
        raise Wrong(*(_NOBODY_KNOWS if unknown else _NOBODY_THERE))
    if found:
        visited(session, number, found, by, now)
    reason = UNTELLABLE if unknown else Outcome.UNREACHED
    rows.note(session, complaint, "closed", by, now, detail={"reason": reason})
    complaints.close(session, complaint, by, reason, now)
    return complaint


_NOBODY_THERE = (
    "还没有人上门：请上门，写上看到什么",
    "nobody has been there yet: go, and say what was found (--visited)",
)
_NOBODY_KNOWS = (
    "不知道告诉谁：请上门，或者把答复贴出来，写上哪一样",
    "nobody knows whom to tell: go there or put up a notice with the answer, and say which (--visited)",
)


def _not_yet(answer: Reply) -> tuple[str, str]:
    if answer.outcome == Outcome.UNCLEAR:
        return (
            "接了电话，没有说清楚解决了没有：先去问本人",
            "they were on the line and did not say whether it is solved: ask them, then `cases said`",
        )
    if answer.outcome not in (None, Outcome.UNREACHED):
        return (
            "本人没有说上次的答复解决了：请再答复",
            "they did not say that the last answer solves it: `cases reply` with another one",
        )
    return (
        f"要本人说解决了，或者打{REPLY_CALLS}次都没人接、又上过门，才能结案；到现在打了{answer.calls}次",
        f"only their “solved” closes it, or {REPLY_CALLS} calls that reach nobody and a visit; so far {answer.calls}",
    )


def _was_there(session: Session, complaint: Complaint, answer: Reply) -> bool:
    return any(each.what == VISITED and each.at >= answer.at for each in rows.events(session, complaint))


def _gone(session: Session, complaint: Complaint) -> bool:
    person = session.get(Person, complaint.person_id) if complaint.person_id else None
    return person is not None and person.state in GONE


def _open(session: Session, number: int, now: datetime) -> Complaint:
    complaint = rows.by_number(session, number)
    if complaint.status == Status.CLOSED:
        how = _how_opened(complaint, now)
        raise Wrong(f"{number}号已经结案{'，本人打电话来可以再打开' if ';' in how else ''}", f"{number} is closed{how}")
    return complaint


def _how_opened(complaint: Complaint, now: datetime) -> str:
    """By whom it can be opened again."""
    ends = (complaint.closed_at or now) + REOPEN_WITHIN
    if complaint.person_id is None or complaint.close_reason == complaints.GONE or ends <= now:
        return ": what they say now is another one"
    return f"; until {ends:%Y-%m-%d} they open it again by ringing in"
