"""Meeting face to face, arranged by telephone: staff offer up to four times, who complains chooses one by key, and the
other party, if the line can ring it, is asked whether that suits; then both know, are reminded on the evening before,
and say what came of it. What can't be arranged so, staff arrange (ItemKind.COMPLAINT_ARRANGE).

Every act runs inside one transaction, locks its complaint, may be repeated, and writes into the complaint's log. A
number can be forged: what is said in a call that came in is told once more in a call of ours before it is known to be
known, and silences nobody's reminder.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.intents import INBOUND
from checkins.names import named, says_something
from checkins.people import stops_calls
from checkins.results import LINE
from checkins.tables import CallIntent, Neighbourhood, Person, Role
from community import meeting_words, rows, spoken, waiting
from community.meeting_tables import Ask, MeetingParty, MeetingPlan
from community.tables import Complaint, Meeting, Status

OFFERED, CHOSEN, AGREED, NOT_AGREED = "meeting_offered", "time_chosen", "time_agreed", "time_refused"  # events
FIXED, CANT, CAME, BY_HAND = "meeting", "cannot_come", "came_of_it", "meeting_by_hand"


class Came(StrEnum):
    """What they say came of it."""

    SETTLED = "settled"
    UNSETTLED = "unsettled"
    NOBODY = "nobody"  # they have not met


CALLED_OFF = "called off: "  # how the outcome of a meeting begins that was none
GONE_ZH = "本人已搬走或去世"
CAME_ZH = {Came.SETTLED: "谈好了", Came.UNSETTLED: "没有谈好", Came.NOBODY: "没有见面"}


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
    people = [complaint.person_id, *([_other_party(session, complaint, other_id)] if other_id else [])]
    chosen = [meeting_words.iso(at) for at in sorted(set(times))]
    known = plan_of(session, complaint)
    if known is not None and _same(session, known, people, (chosen, place[:100], with_whom[:200])):
        return known
    asked_before = [each for each in concerned(session, complaint) if each not in people]
    end(session, complaint, now)
    for each in asked_before:
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


def _same(
    session: Session, known: MeetingPlan, people: Sequence[str | None], offered: tuple[list[str], str, str]
) -> bool:
    """Whether the offer that is open, and that the line still makes, is this one."""
    asked = [each.person_id for each in parties(session, known)]
    return _open(known) and asked == people and (known.times, known.place, known.with_whom) == offered


def _may_be_offered(
    session: Session, complaint: Complaint, times: Sequence[datetime], place: str, with_whom: str, now: datetime
) -> None:
    if complaint.status == Status.CLOSED:
        raise ValueError(f"{complaint.number} is closed")
    if not waiting.can_ring(session, complaint):
        raise ValueError("the line can't ring them: arrange it yourself, then `cases meet --at`")
    if waiting.unwritten(session, complaint):
        raise ValueError("a meeting is open already: first its outcome, or call it off (--cancel)")
    zone = session.get_one(Neighbourhood, complaint.neighbourhood_id).timezone
    if not 1 <= len(set(times)) <= meeting_words.MOST:
        raise ValueError(f"--offer: one to {meeting_words.MOST} times")
    if any(at < now + meeting_words.LEAD for at in times):
        raise ValueError("--offer: at least two hours from now, so that they can still choose it")
    if any(at > now + meeting_words.AHEAD for at in times):
        raise ValueError(f"--offer: within {meeting_words.AHEAD.days} days")
    if not all(meeting_words.by_day(at, zone) for at in times):
        raise ValueError("--offer: between 7:00 and 21:00")
    if not all(meeting_words.readable(at, zone) for at in times):
        raise ValueError("--offer: the line says quarters of an hour: 14:00, 14:15, 14:30, 14:45")
    if not says_something(place) or not says_something(with_whom):
        raise ValueError("say where, and with whom")


def _other_party(session: Session, complaint: Complaint, person_id: str) -> str:
    person = session.get(Person, person_id)
    if person is None or person.neighbourhood_id != complaint.neighbourhood_id or person.role != Role.ELDER:
        raise ValueError("the other party is no elder of this neighbourhood: leave it out, and tell them yourself")
    if person.id == complaint.person_id:
        raise ValueError("the other party is who complains")
    if stops_calls(person) is not None:
        raise ValueError("the line can't ring the other party: leave it out, and tell them yourself")
    return person.id


def end(session: Session, complaint: Complaint, now: datetime) -> MeetingPlan | None:
    """Nobody is asked about it any more: staff have arranged it themselves, written what came of it, or called it off.
    What was open."""
    plan = plan_of(session, complaint)
    if plan is not None:
        plan.ended_at = now
        for party in parties(session, plan):
            set_ask(party, None, None)
        waiting.done(session, complaint, waiting.ARRANGE, plan.by, now)
    return plan


def moved(session: Session, complaint: Complaint, to: datetime, by: str, now: datetime) -> None:
    """Staff have found another time: nobody is asked any more, and what the line had fixed ahead is not to be."""
    plan = end(session, complaint, now)
    meeting = session.get(Meeting, plan.meeting_id) if plan is not None and plan.meeting_id is not None else None
    if meeting is not None and meeting.outcome is None and meeting.at > now:
        write(session, complaint, meeting, f"{CALLED_OFF}改期", by, now)
        rows.note(session, complaint, "moved", by, now, detail={"at": meeting.at.isoformat(), "to": to.isoformat()})


def concerned(session: Session, complaint: Complaint, *, anyway: bool = False) -> list[str]:
    """Whom somebody has to tell when it comes otherwise: who complains, and the other party once it knows of a time, or
    was asked for one (`anyway`: in any case). Not who has moved or died since."""
    plan, found = _last_plan(session, complaint), [complaint.person_id] if complaint.person_id else []
    if plan is not None and not _met_since(session, complaint, plan):
        knows = anyway or plan.chosen is not None or plan.struck or waiting.unwritten(session, complaint)
        found += [each.person_id for each in parties(session, plan) if each.nth > 1 and knows]
    return waiting.living(session, found)


def _last_plan(session: Session, complaint: Complaint) -> MeetingPlan | None:
    query = select(MeetingPlan).where(MeetingPlan.complaint_id == complaint.id)
    return session.scalars(query.order_by(MeetingPlan.id.desc()).limit(1)).first()


def _met_since(session: Session, complaint: Complaint, plan: MeetingPlan) -> bool:
    """They have met: what is arranged now is another meeting."""
    query = select(Meeting.id).where(Meeting.complaint_id == complaint.id, Meeting.booked_at >= plan.at)
    held = query.where(Meeting.outcome.is_not(None), Meeting.outcome.not_like(f"{CALLED_OFF}%"))
    return session.scalars(held.limit(1)).first() is not None


def tell(session: Session, complaint: Complaint, people: Sequence[str], now: datetime, at: datetime | None) -> None:
    """Somebody tells these what has become of the meeting; a stranger who complains is told, too."""
    for each in (*people, *([None] if complaint.person_id is None else [])):
        waiting.appointed(session, complaint, now, each, at)


def closed(session: Session, complaint: Complaint, by: str, now: datetime, *, gone: bool) -> None:
    """The complaint is closed. A meeting that is fixed stays so, for perhaps somebody else called it solved: both are
    reminded, and staff write what came of it. Nobody is asked for a time meanwhile. When who complains is `gone`, it
    is called off, and somebody tells the other."""
    plan, ahead = plan_of(session, complaint), [each for each in waiting.unwritten(session, complaint) if each.at > now]
    if gone:
        told = concerned(session, complaint)
        end(session, complaint, now)
        for meeting in ahead:
            write(session, complaint, meeting, f"{CALLED_OFF}{GONE_ZH}", by, now)
        waiting.done(session, complaint, (*waiting.APPOINTED, *waiting.ARRANGE), by, now)
        tell(session, complaint, told, now, None)
    elif plan is not None and plan.meeting_id is None:
        waiting.done(session, complaint, waiting.ARRANGE, by, now)
        for party in parties(session, plan):
            party.due_at = None


def reopened(session: Session, complaint: Complaint, now: datetime) -> None:
    """Who was to be asked for a time is asked now; when it is too late for that, the call's claim finds it."""
    plan = plan_of(session, complaint)
    for party in parties(session, plan) if plan is not None and plan.meeting_id is None else ():
        if party.ask is not None:
            set_ask(party, Ask(party.ask), now)


def without(session: Session, complaint: Complaint, plan: MeetingPlan, now: datetime) -> None:
    """One of them has moved, or died: the line asks and reminds nobody any more, a person tells the other."""
    at = chosen_time(plan)
    if plan.meeting_id is None or at is None:
        by_hand(session, complaint, plan, now)
        return
    for party in parties(session, plan):
        set_ask(party, None, None)
    for each in waiting.living(session, [party.person_id for party in parties(session, plan)]):
        waiting.arrange(session, complaint, now, each, at)


# ── what is known ─────────────────────────────────────────────────────────────────────────────────


def plan_of(session: Session, complaint: Complaint) -> MeetingPlan | None:
    """The offer that is open."""
    query = select(MeetingPlan).where(MeetingPlan.complaint_id == complaint.id, MeetingPlan.ended_at.is_(None))
    return session.scalars(query.order_by(MeetingPlan.id.desc()).limit(1)).first()


def parties(session: Session, plan: MeetingPlan) -> list[MeetingParty]:
    query = select(MeetingParty).where(MeetingParty.plan_id == plan.id).order_by(MeetingParty.nth)
    return list(session.scalars(query))


def times_left(plan: MeetingPlan, now: datetime) -> dict[int, datetime]:
    """What can still be chosen, by its place in the offer."""
    return meeting_words.free({n: at for n, at in times_of(plan).items() if n not in plan.struck}, now)


def times_of(plan: MeetingPlan) -> dict[int, datetime]:
    return {n: datetime.fromisoformat(at).astimezone(UTC) for n, at in enumerate(plan.times)}


def chosen_time(plan: MeetingPlan) -> datetime | None:
    """The one that waits for the other's yes, or is fixed."""
    return None if plan.chosen is None else times_of(plan)[plan.chosen]


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
    if plan.ended_at is not None or (complaint.status == Status.CLOSED and plan.meeting_id is None):
        return _no_more(session, complaint, plan, party, now)
    if plan.chosen == place and party.ask != Ask.CHOOSE:
        return Answer.FIXED if plan.meeting_id is not None else Answer.NOTED
    if not _open(plan) or party.ask != Ask.CHOOSE or place not in times_left(plan, now):
        return Answer.AGAIN
    plan.chosen = place
    _note(session, complaint, CHOSEN, party, call_id, now, at=plan.times[place])
    others = [each for each in parties(session, plan) if each.nth != party.nth]
    if not others:
        _fix(session, complaint, plan, party, call_id, now)
        return Answer.FIXED
    set_ask(party, None, None)
    set_ask(others[0], Ask.AGREE, now)
    return Answer.NOTED


def _no_more(session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, now: datetime) -> Answer:
    """It was called off while they were on the line, or the complaint was closed: they hear it from somebody."""
    if plan.ended_at is None:
        tell(session, complaint, waiting.living(session, [party.person_id]), now, None)
    return Answer.NO_MORE


def agree(session: Session, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime, *, yes: bool) -> bool:
    """Whether the chosen time suits the other party. With no, the first one is asked for another; when there is none
    left, staff arrange it. False: it is not asked of them any more."""
    complaint = _locked(session, plan, party)
    if plan.ended_at is not None or (complaint.status == Status.CLOSED and plan.meeting_id is None):
        return bool(_no_more(session, complaint, plan, party, now))
    if party.ask != Ask.AGREE or plan.chosen is None or not _open(plan):
        return yes and plan.meeting_id is not None
    _note(session, complaint, AGREED if yes else NOT_AGREED, party, call_id, now, at=plan.times[plan.chosen])
    if yes:
        _fix(session, complaint, plan, party, call_id, now)
        return True
    plan.struck, plan.chosen = [*plan.struck, plan.chosen], None
    set_ask(party, None, None)
    if times_left(plan, now):
        set_ask(parties(session, plan)[0], Ask.CHOOSE, now)
    else:
        by_hand(session, complaint, plan, now)
    return True


def known(session: Session, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime) -> None:
    """They have heard when it is. In a call that came in this changes nothing: perhaps it was not they."""
    _locked(session, plan, party)
    if party.ask in (Ask.TOLD, Ask.REMIND) and not rang_us(session, call_id):
        next_after_told(plan, party, _zone(session, plan), now)


def next_after_told(plan: MeetingPlan, party: MeetingParty, zone: str, now: datetime) -> None:
    """They know: they are reminded, and asked when it is over."""
    at = chosen_time(plan)
    assert at is not None
    evening = meeting_words.reminded_at(zone, at, now) if party.ask != Ask.REMIND else None
    if evening is not None:
        set_ask(party, Ask.REMIND, evening)
    else:
        set_ask(party, Ask.AFTER, at + meeting_words.OVER)


def cant(session: Session, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime) -> None:
    """They can't come, or can't any more: a person rings, whoever it was that said so."""
    complaint = _locked(session, plan, party)
    _note(session, complaint, CANT, party, call_id, now)
    waiting.arrange(session, complaint, now, party.person_id, chosen_time(plan))
    if not rang_us(session, call_id):
        set_ask(party, None, None)


def came(session: Session, plan: MeetingPlan, party: MeetingParty, what: Came, call_id: str, now: datetime) -> None:
    """It is over, and they say what came of it. Unless it is settled for both, a person rings."""
    complaint = _locked(session, plan, party)
    if party.ask != Ask.AFTER or rang_us(session, call_id):
        return
    meeting, before = session.get_one(Meeting, plan.meeting_id), _said(session, complaint, plan)
    _note(session, complaint, CAME, party, call_id, now, came=what, plan=str(plan.id))
    if meeting.outcome in (None, outcome_of(before)):  # not what staff have written
        who = session.get_one(Person, party.person_id).name
        write(session, complaint, meeting, outcome_of(_said(session, complaint, plan)), who, now)
    if what is not Came.SETTLED and complaint.status != Status.CLOSED:
        waiting.ring_back(session, complaint, now, party.person_id)
    over_for(session, plan, party, now)


def _said(session: Session, complaint: Complaint, plan: MeetingPlan) -> dict[str, Came]:
    """What came of it, by name of who said so."""
    said = [each for each in rows.events(session, complaint) if each.what == CAME]
    mine = [each for each in said if (each.detail or {}).get("plan") == str(plan.id)]
    return {each.who: Came((each.detail or {})["came"]) for each in mine}


def outcome_of(said: Mapping[str, Came]) -> str:
    """Both words. Where they differ, the worse one is the outcome."""
    worst_first = sorted(said.items(), key=lambda each: (each[1] is Came.SETTLED, each[0]))
    words = ";".join(f"{who}在电话里说:{CAME_ZH[what]}" for who, what in worst_first)
    return f"{CAME_ZH[worst_first[0][1]]}({words})" if len(set(said.values())) > 1 else words


def over_for(session: Session, plan: MeetingPlan, party: MeetingParty, now: datetime) -> None:
    """They are asked nothing more. When nobody is, the offer has ended."""
    set_ask(party, None, None)
    session.flush()
    if not any(each.ask for each in parties(session, plan)):
        plan.ended_at = now


def write(session: Session, complaint: Complaint, meeting: Meeting, outcome: str, by: str, now: datetime) -> None:
    """What came of it, in the meeting's row."""
    meeting.outcome, meeting.noted_by, meeting.noted_at = outcome, by[:100], now
    waiting.done(session, complaint, (*waiting.MEETING, *waiting.APPOINTED), by, now)
    waiting.show(session, complaint, now)


def by_hand(session: Session, complaint: Complaint, plan: MeetingPlan, now: datetime) -> None:
    """The line asks nobody any more: staff arrange it."""
    if plan.by_hand_at is None and plan.ended_at is None:
        plan.by_hand_at = now
        for party in parties(session, plan):
            set_ask(party, None, None)
        rows.note(session, complaint, BY_HAND, LINE, now)
        waiting.show(session, complaint, now)


def _fix(
    session: Session, complaint: Complaint, plan: MeetingPlan, party: MeetingParty, call_id: str, now: datetime
) -> None:
    """The meeting is: who is on the line in a call of ours has it read out to them, everybody else is rung."""
    at = chosen_time(plan)
    assert at is not None
    meeting = Meeting(complaint_id=complaint.id, at=at, place=plan.place, with_whom=plan.with_whom)
    meeting.booked_by, meeting.booked_at = plan.by, now
    session.add(meeting)
    session.flush()
    plan.meeting_id = meeting.id
    _note(session, complaint, FIXED, party, call_id, now, at=meeting_words.iso(at), place=plan.place)
    for each in parties(session, plan):
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
    session: Session, complaint: Complaint, what: str, party: MeetingParty, call_id: str, now: datetime, **detail: str
) -> None:
    who = session.get_one(Person, party.person_id).name
    rows.note(session, complaint, what, who, now, call_id=call_id, detail=dict(detail))


def words(session: Session, plan: MeetingPlan, party: MeetingParty, now: datetime) -> dict[str, str]:
    """As the values of a flow's variables. The other party doesn't hear who complains, or of what."""
    complaint, zone, at = session.get_one(Complaint, plan.complaint_id), _zone(session, plan), chosen_time(plan)
    matter = f"您反映的事情,编号{spoken.number(complaint.number)}," if party.nth == 1 else "邻里之间的一件事,"
    said = {"meeting": spoken.number(plan.id), "matter": matter, "meet_place": plan.place}
    said["meet_times"] = meeting_words.choices(zone, times_left(plan, now), now)
    return said | ({"meet_when": meeting_words.moment(zone, at, now)} if at is not None else {})
