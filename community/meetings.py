"""Meeting face to face, arranged by telephone: staff offer up to four times, who complains chooses one by key, and the
other party, if the line can ring it, is asked whether that suits; then both know, are reminded on the evening before,
and say what came of it. What can't be arranged so, staff arrange (ItemKind.COMPLAINT_ARRANGE).

Every act runs inside one transaction, locks its complaint, may be repeated, and writes into the complaint's log. A
number can be forged: what is said in a call that came in is told once more in a call of ours before it is known to be
known, and silences nobody's reminder.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from enum import StrEnum

from sqlalchemy.orm import Session

from checkins.intents import INBOUND
from checkins.names import named, says_something
from checkins.people import stops_calls
from checkins.results import LINE
from checkins.tables import CallIntent, Neighbourhood, Person, Role
from community import meeting_state, meeting_words, rows, spoken, waiting
from community.meeting_state import CALLED_OFF, CAME, CANT, FIXED, Came
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.tables import Complaint, Meeting, Status
from community.wrong import Wrong

OFFERED, CHOSEN, AGREED, NOT_AGREED = "meeting_offered", "time_chosen", "time_agreed", "time_refused"  # events
BY_HAND, MOVED = "meeting_by_hand", "moved"
GONE_ZH, MOVED_ZH = "本人已搬走或去世", "改期"


class Answer(StrEnum):
    """What the line says to a choice."""

    FIXED = "fixed"
    NOTED = "noted"  # the other party is asked
    AGAIN = "again"  # that time can't be chosen (any more)
    NO_MORE = ""  # none is chosen any more: the line is not sure


# ── staff ─────────────────────────────────────────────────────────────────────────────────────────


def offer(
    session: Session,
    number: int,
    times: Sequence[datetime],
    place: str,
    with_whom: str,
    by: str,
    now: datetime,
    other_id: str | None = None,
) -> MeetingPlan:
    """The line rings who complains, and they choose. `other_id`: the other party, if it is an elder of the register
    whom the line may ring. The same again is the same offer; another one takes its place."""
    complaint, by = rows.by_number(session, number), named(by)
    _may_be_offered(session, complaint, times, place, with_whom, now)
    people = [complaint.person_id or "", *([_other_party(session, complaint, other_id)] if other_id else [])]
    not_taken(session, complaint, people, times)
    chosen = [meeting_words.iso(at) for at in sorted(set(times))]
    known = meeting_state.plan_of(session, complaint)
    if known is not None and _same(session, known, people, (chosen, place[:100], with_whom[:200])):
        return known
    asked_before = meeting_state.concerned(session, complaint) if meeting_state.is_offered(known) else []
    end(session, complaint, by, now)
    for each in (each for each in asked_before if each not in people):
        waiting.appointed(session, complaint, now, each)
    plan = MeetingPlan(complaint_id=complaint.id, place=place[:100], with_whom=with_whom[:200], times=chosen)
    plan.struck, plan.by, plan.at = [], by[:100], now
    session.add(plan)
    session.flush()
    for nth, person_id in enumerate(people, start=1):
        first = nth == 1
        row = MeetingParty(plan_id=plan.id, nth=nth, person_id=person_id, calls=0)
        row.ask, row.due_at = (Ask.CHOOSE, now) if first else (None, None)
        session.add(row)
    rows.note(session, complaint, OFFERED, by, now, detail={"times": chosen, "place": place, "with_whom": with_whom})
    waiting.done(session, complaint, waiting.ARRANGE, by, now)
    return plan


def _same(session: Session, known: MeetingPlan, people: Sequence[str], offered: tuple[list[str], str, str]) -> bool:
    """Whether the offer that is open, and that the line still makes, is this one."""
    asked = [each.person_id for each in meeting_state.parties(session, known)]
    return _open(known) and asked == people and (known.times, known.place, known.with_whom) == offered


def _may_be_offered(
    session: Session, complaint: Complaint, times: Sequence[datetime], place: str, with_whom: str, now: datetime
) -> None:
    if complaint.status == Status.CLOSED:
        raise Wrong(f"{complaint.number}号已经结案", f"{complaint.number} is closed")
    if not waiting.can_ring(session, complaint):
        raise Wrong(
            "线路不能打给本人：请自己约，再写上时间",
            "the line can't ring them: arrange it yourself, then `cases meet --at`",
        )
    if meeting_state.unwritten(session, complaint):
        raise Wrong(
            "已经约了一次见面：先写结果，或者取消",
            "a meeting is open already: first its outcome, or call it off (--cancel)",
        )
    zone = session.get_one(Neighbourhood, complaint.neighbourhood_id).timezone
    if not 1 <= len(set(times)) <= meeting_words.MOST:
        raise Wrong(f"请写一到{meeting_words.MOST}个时间", f"--offer: one to {meeting_words.MOST} times")
    if any(at < now + meeting_words.LEAD for at in times):
        raise Wrong(
            "时间至少要在两小时以后，本人才来得及选",
            "--offer: at least two hours from now, so that they can still choose it",
        )
    if any(at > now + meeting_words.AHEAD for at in times):
        days = meeting_words.AHEAD.days
        raise Wrong(f"时间要在{days}天以内", f"--offer: within {days} days")
    if not all(meeting_words.by_day(at, zone) for at in times):
        raise Wrong("时间要在早上7点到晚上9点", "--offer: between 7:00 and 21:00")
    if not all(meeting_words.readable(at, zone) for at in times):
        raise Wrong(
            "线路只报整刻：14:00、14:15、14:30、14:45",
            "--offer: the line says quarters of an hour: 14:00, 14:15, 14:30, 14:45",
        )
    if not says_something(place) or not says_something(with_whom):
        raise Wrong("请写上地点，和谁见面", "say where, and with whom")


def _other_party(session: Session, complaint: Complaint, person_id: str) -> str:
    person = session.get(Person, person_id)
    if person is None or person.neighbourhood_id != complaint.neighbourhood_id or person.role != Role.ELDER:
        raise Wrong(
            "对方不是本居委登记的老人：请空着，自己去告诉",
            "the other party is no elder of this neighbourhood: leave it out, and tell them yourself",
        )
    if person.id == complaint.person_id:
        raise Wrong("对方就是本人", "the other party is who complains")
    if stops_calls(person) is not None:
        raise Wrong(
            "线路不能打给对方：请空着，自己去告诉",
            "the line can't ring the other party: leave it out, and tell them yourself",
        )
    return person.id


def not_taken(session: Session, complaint: Complaint, people: Iterable[str], times: Iterable[datetime]) -> None:
    """ValueError: at one of these times one of them is to meet about another complaint."""
    if meeting_state.taken(session, complaint, people, times):
        raise Wrong(
            "这个时间有人要为别的事见面：请换一个",
            "at that time one of them is to meet about another complaint: choose another",
        )


def end(session: Session, complaint: Complaint, by: str, now: datetime) -> None:
    """Nobody is asked about it any more: staff have arranged it, written what came of it, or called it off."""
    plan = meeting_state.plan_of(session, complaint)
    if plan is not None:
        plan.ended_at = now
        _ask_nobody(session, plan)
        waiting.done(session, complaint, waiting.ARRANGE, by, now)


def end_of(session: Session, complaint: Complaint, meeting: Meeting, by: str, now: datetime) -> None:
    """Likewise, where the line has arranged this very meeting."""
    plan = meeting_state.plan_of(session, complaint)
    if plan is not None and plan.meeting_id == meeting.id:
        end(session, complaint, by, now)


def moved(session: Session, complaint: Complaint, to: datetime, by: str, now: datetime) -> None:
    """Staff have found another time: nobody is asked any more, and what was fixed ahead, by whomever, is not to be."""
    if meeting_state.is_offered(meeting_state.plan_of(session, complaint)):
        end(session, complaint, by, now)
    for meeting in meeting_state.ahead(session, complaint, now):
        end_of(session, complaint, meeting, by, now)
        write(session, complaint, meeting, f"{CALLED_OFF}{MOVED_ZH}", by, now)
        rows.note(session, complaint, MOVED, by, now, detail={"at": meeting.at.isoformat(), "to": to.isoformat()})


def tell(session: Session, complaint: Complaint, people: Sequence[str], now: datetime, at: datetime | None) -> None:
    """Somebody tells these what has become of the meeting; a stranger who complains is told, too."""
    for each in (*people, *([None] if complaint.person_id is None else [])):
        waiting.appointed(session, complaint, now, each, at)


def closed(session: Session, complaint: Complaint, by: str, now: datetime, *, gone: bool) -> None:
    """The complaint is closed. A meeting that is fixed stays so, for perhaps somebody else called it solved: both are
    reminded, and staff write what came of it. Nobody is asked for a time meanwhile, and somebody tells the other party
    that was asked for one. When who complains is `gone`, what is ahead is called off, and somebody tells the other."""
    if gone:
        _gone(session, complaint, by, now)
        return
    if not meeting_state.ahead(session, complaint, now):
        waiting.done(session, complaint, waiting.ARRANGE, by, now)
    plan = meeting_state.plan_of(session, complaint)
    if plan is not None and meeting_state.is_offered(plan):
        told = [each for each in meeting_state.concerned(session, complaint) if each != complaint.person_id]
        for party in meeting_state.parties(session, plan):
            party.due_at = None
        for each in told:
            waiting.appointed(session, complaint, now, each)


def _gone(session: Session, complaint: Complaint, by: str, now: datetime) -> None:
    planned, told = meeting_state.is_planned(session, complaint, now), meeting_state.concerned(session, complaint)
    end(session, complaint, by, now)
    for meeting in meeting_state.ahead(session, complaint, now):
        write(session, complaint, meeting, f"{CALLED_OFF}{GONE_ZH}", by, now)
    waiting.done(session, complaint, waiting.ARRANGE, by, now)
    waiting.done(session, complaint, waiting.APPOINTED, by, now, {complaint.person_id})
    tell(session, complaint, told if planned else [], now, None)


def reopened(session: Session, complaint: Complaint, now: datetime) -> None:
    """Who was to be asked for a time is asked now; when it is too late for that, the call's claim finds it."""
    plan = meeting_state.plan_of(session, complaint)
    for party in meeting_state.parties(session, plan) if plan is not None and plan.meeting_id is None else ():
        if party.ask is not None:
            set_ask(party, Ask(party.ask), now)


def without(session: Session, complaint: Complaint, plan: MeetingPlan, now: datetime) -> None:
    """One of them has moved, died, or can't come: the line reminds nobody any more, a person rings the other."""
    if plan.meeting_id is None:
        by_hand(session, complaint, plan, now)
    else:
        _ask_nobody(session, plan)
        waiting.show(session, complaint, now)


def _ask_nobody(session: Session, plan: MeetingPlan) -> None:
    for party in meeting_state.parties(session, plan):
        set_ask(party, None, None)
    session.flush()


# ── what is known ─────────────────────────────────────────────────────────────────────────────────


def times_left(session: Session, plan: MeetingPlan, now: datetime) -> dict[int, datetime]:
    """What can still be chosen, by its place in the offer: neither of them meets about another complaint then."""
    left = meeting_words.free({n: at for n, at in meeting_state.times_of(plan).items() if n not in plan.struck}, now)
    taken = _taken(session, plan, left.values())
    return {n: at for n, at in left.items() if at not in taken}


def is_taken(session: Session, plan: MeetingPlan) -> bool:
    """Whether one of them is, since it was chosen, to meet about another complaint then."""
    at = meeting_state.chosen_time(plan)
    return at is not None and bool(_taken(session, plan, [at]))


def _taken(session: Session, plan: MeetingPlan, times: Iterable[datetime]) -> set[datetime]:
    people = [each.person_id for each in meeting_state.parties(session, plan)]
    return meeting_state.taken(session, session.get_one(Complaint, plan.complaint_id), people, times)


def rang_us(session: Session, call_id: str) -> bool:
    """Whether that is a call that came in: who it is, the number alone says."""
    intent = session.get(CallIntent, call_id)
    return intent is None or intent.purpose == INBOUND


def set_ask(party: MeetingParty, ask: Ask | None, due: datetime | None) -> None:
    party.ask, party.due_at, party.intent_id, party.calls = ask, due, None, 0


# ── who is asked ──────────────────────────────────────────────────────────────────────────────────


def choose(session: Session, plan: MeetingPlan, party: MeetingParty, place: int, call_id: str, now: datetime) -> Answer:
    """They take the time at this place of the offer."""
    complaint = _locked(session, plan, party)
    if _is_over(session, complaint, plan, now):
        return _no_more(session, complaint, plan, party, now)
    if plan.chosen == place and party.ask != Ask.CHOOSE:
        return Answer.FIXED if plan.meeting_id is not None else Answer.NOTED
    if not _open(plan) or party.ask != Ask.CHOOSE or place not in times_left(session, plan, now):
        return Answer.AGAIN
    plan.chosen = place
    _note(session, complaint, CHOSEN, party, call_id, now, at=plan.times[place])
    _heard(session, complaint, party, now)
    others = [each for each in meeting_state.parties(session, plan) if each.nth != party.nth]
    if not others:
        _fix(session, complaint, plan, party, call_id, now)
        return Answer.FIXED
    set_ask(party, None, None)
    set_ask(others[0], Ask.AGREE, now)
    return Answer.NOTED


def _is_over(session: Session, complaint: Complaint, plan: MeetingPlan, now: datetime) -> bool:
    """Nothing can be fixed any more: it was called off, the complaint is closed, or one of them is gone meanwhile."""
    if plan.ended_at is None and plan.meeting_id is None and meeting_state.is_short(session, plan):
        by_hand(session, complaint, plan, now)
        return True
    return plan.ended_at is not None or (complaint.status == Status.CLOSED and plan.meeting_id is None)


def _heard(session: Session, complaint: Complaint, party: MeetingParty, now: datetime) -> str:
    """Who. The line has their word: nobody need ring them for it, unless something else asks for that."""
    who = session.get_one(Person, party.person_id).name
    waiting.done(session, complaint, waiting.ARRANGE, who, now, {party.person_id})
    waiting.show(session, complaint, now)
    return who


def _no_more(session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, now: datetime) -> Answer:
    """It was called off while they were on the line, or the complaint was closed: they hear it from somebody."""
    if plan.ended_at is None and (plan.by_hand_at is None or complaint.status == Status.CLOSED):
        tell(session, complaint, meeting_state.living(session, [party.person_id]), now, None)
    return Answer.NO_MORE


def agree(session: Session, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime, *, yes: bool) -> bool:
    """Whether the chosen time suits the other party. With no, the first one is asked for another; when there is none
    left, staff arrange it. False: it is not asked of them any more."""
    complaint = _locked(session, plan, party)
    if _is_over(session, complaint, plan, now):
        return bool(_no_more(session, complaint, plan, party, now))
    if party.ask != Ask.AGREE or plan.chosen is None or not _open(plan):
        return yes and plan.meeting_id is not None
    _note(session, complaint, AGREED if yes else NOT_AGREED, party, call_id, now, at=plan.times[plan.chosen])
    _heard(session, complaint, party, now)
    if yes and not is_taken(session, plan):
        _fix(session, complaint, plan, party, call_id, now)
        return True
    another_time(session, complaint, plan, now)
    return not yes


def another_time(session: Session, complaint: Complaint, plan: MeetingPlan, now: datetime) -> None:
    """What was chosen is not to be: the first one is asked for another; when there is none left, staff arrange it."""
    assert plan.chosen is not None
    plan.struck, plan.chosen = [*plan.struck, plan.chosen], None
    _ask_nobody(session, plan)
    if times_left(session, plan, now):
        set_ask(meeting_state.parties(session, plan)[0], Ask.CHOOSE, now)
    else:
        by_hand(session, complaint, plan, now)


def known(session: Session, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime) -> None:
    """They have heard when it is. In a call that came in this changes nothing: perhaps it was not they."""
    complaint = _locked(session, plan, party)
    if party.ask in (Ask.TOLD, Ask.REMIND) and not rang_us(session, call_id):
        who, at = _heard(session, complaint, party, now), meeting_state.chosen_time(plan)
        assert at is not None
        waiting.told(session, complaint, at, who, now, {party.person_id})
        next_after_told(plan, party, _zone(session, plan), now)


def next_after_told(plan: MeetingPlan, party: MeetingParty, zone: str, now: datetime) -> None:
    """They know: they are reminded, and asked when it is over."""
    at = meeting_state.chosen_time(plan)
    assert at is not None
    evening = meeting_words.reminded_at(zone, at, now) if party.ask != Ask.REMIND else None
    if evening is not None:
        set_ask(party, Ask.REMIND, evening)
    else:
        set_ask(party, Ask.AFTER, at + meeting_words.OVER)


def cant(session: Session, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime) -> None:
    """They can't come, or can't any more: a person rings them, and the other, whoever it was that said so. In a call of
    ours nobody is reminded any more. Of what is called off, moved or over, it says nothing."""
    complaint, at = _locked(session, plan, party), meeting_state.chosen_time(plan)
    if plan.ended_at is not None or plan.meeting_id is None or at is None or at <= now:
        return
    _note(session, complaint, CANT, party, call_id, now)
    if rang_us(session, call_id):
        waiting.show(session, complaint, now)
    else:
        without(session, complaint, plan, now)


def came(session: Session, plan: MeetingPlan, party: MeetingParty, what: Came, call_id: str, now: datetime) -> None:
    """It is over, and they say what came of it. Unless it is settled for both, a person rings."""
    complaint = _locked(session, plan, party)
    if party.ask != Ask.AFTER or rang_us(session, call_id):
        return
    meeting = session.get_one(Meeting, plan.meeting_id)
    theirs = meeting.outcome is None or meeting_state.by_keys(session, meeting)  # not what staff have written
    _note(session, complaint, CAME, party, call_id, now, came=what, plan=str(plan.id), party=str(party.nth))
    if theirs:
        who = session.get_one(Person, party.person_id).name
        write(session, complaint, meeting, meeting_state.outcome_of(meeting_state.said(session, plan)), who, now)
    if what is not Came.SETTLED and complaint.status != Status.CLOSED:
        waiting.ring_back(session, complaint, now, party.person_id)
    over_for(session, plan, party, now)


def over_for(session: Session, plan: MeetingPlan, party: MeetingParty, now: datetime) -> None:
    """They are asked nothing more. When nobody is, the offer has ended."""
    set_ask(party, None, None)
    session.flush()
    if not any(each.ask for each in meeting_state.parties(session, plan)):
        plan.ended_at = now


def write(session: Session, complaint: Complaint, meeting: Meeting, outcome: str, by: str, now: datetime) -> None:
    """What came of it, in the meeting's row. News of another one stays news."""
    meeting.outcome, meeting.noted_by, meeting.noted_at = outcome, by[:100], now
    session.flush()
    waiting.done(session, complaint, (*waiting.MEETING, *waiting.ARRANGE), by, now)
    waiting.told(session, complaint, meeting.at, by, now)
    waiting.show(session, complaint, now)


def by_hand(session: Session, complaint: Complaint, plan: MeetingPlan, now: datetime) -> None:
    """The line asks nobody any more: staff arrange it."""
    if plan.by_hand_at is None and plan.ended_at is None:
        plan.by_hand_at = now
        _ask_nobody(session, plan)
        rows.note(session, complaint, BY_HAND, LINE, now)
        waiting.show(session, complaint, now)


def _fix(
    session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime
) -> None:
    """The meeting is: who is on the line in a call of ours has it read out to them, everybody else is rung."""
    at = meeting_state.chosen_time(plan)
    assert at is not None
    meeting = Meeting(complaint_id=complaint.id, at=at, place=plan.place, with_whom=plan.with_whom)
    meeting.booked_by, meeting.booked_at = plan.by, now
    session.add(meeting)
    session.flush()
    plan.meeting_id = meeting.id
    _note(session, complaint, FIXED, party, call_id, now, at=meeting_words.iso(at), place=plan.place)
    waiting.done(session, complaint, waiting.ARRANGE, session.get_one(Person, party.person_id).name, now)
    for each in meeting_state.parties(session, plan):
        set_ask(each, Ask.TOLD, now)
        if each.nth == party.nth and not rang_us(session, call_id):
            next_after_told(plan, each, _zone(session, plan), now)
    waiting.show(session, complaint, now)


def _open(plan: MeetingPlan) -> bool:
    return plan.ended_at is None and plan.by_hand_at is None


def _zone(session: Session, plan: MeetingPlan) -> str:
    complaint = session.get_one(Complaint, plan.complaint_id)
    return session.get_one(Neighbourhood, complaint.neighbourhood_id).timezone


def _locked(session: Session, plan: MeetingPlan, party: MeetingParty) -> Complaint:
    complaint = rows.locked(session, session.get_one(Complaint, plan.complaint_id))
    session.refresh(plan)
    session.refresh(party)
    return complaint


def _note(
    session: Session, complaint: Complaint, what: str, by: MeetingParty, call_id: str, now: datetime, **detail: str
) -> None:
    who = session.get_one(Person, by.person_id).name
    rows.note(session, complaint, what, who, now, call_id=call_id, detail=dict(detail))


def words(session: Session, plan: MeetingPlan, party: MeetingParty, now: datetime) -> dict[str, str]:
    """As the values of a flow's variables. The other party doesn't hear who complains, or of what."""
    complaint, zone, at = (
        session.get_one(Complaint, plan.complaint_id),
        _zone(session, plan),
        meeting_state.chosen_time(plan),
    )
    matter = f"您反映的事情,编号{spoken.number(complaint.number)}," if party.nth == 1 else "邻里之间的一件事,"
    said = {"meeting": spoken.number(plan.id), "matter": matter, "meet_place": plan.place}
    said["meet_times"] = meeting_words.choices(zone, times_left(session, plan, now), now)
    return said | ({"meet_when": meeting_words.moment(zone, at, now)} if at is not None else {})
