"""What a committee hands to the street office, a sheet for each list that it is asked for, from what is written down
already: nobody types it again. Lists, never counts of what somebody did. Of elders who have not agreed that the street
hears of them (consent `street`) there is nothing, but that a complaint was answered; nothing says how somebody's health
is, and what was spoken never goes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.contacts import CONTACT_ZH, Contact, ContactKind
from checkins.phones import national
from checkins.results import REASON_ZH, SLEEPLESS, STATUS_ZH, Reason, Status
from checkins.schedule import at_minute
from checkins.tables import Checkin, Neighbourhood, Person, Role
from community import ballot_rows, desk, meeting_state, register_export, rows, upward_names
from community.ballot_tables import Ballot
from community.level_above import NOT_SHARED, whose
from community.meeting_tables import MeetingParty, MeetingPlan
from community.register_export import Rows
from community.tables import Complaint, Meeting, Reply

SPOKEN = "录音答复"
CONTACTS = ("日期", "姓名", "住址", "老伙伴", "方式")
SEARCHED = ("日期", "姓名", "住址", "电话", "原因", "办理情况", "办理人", "办结时间")
COMPLAINTS = ("编号", "日期", "类别", "姓名", "地点", "状态", "答复", "议事厅文字", "上报")
MEETINGS = ("诉求编号", "时间", "地点", "参加人", "结果", "经办人")
RESULTS = ("编号", "标题", "截止日期", "第几件", "议题", "选项", "票数")


@dataclass(frozen=True)
class Month:
    """From `begins` to `ends` (not included), UTC; the days of it there."""

    first: date
    last: date
    begins: datetime
    ends: datetime


def month(text: str, zone: str) -> Month:
    """ "2026-03". ValueError for anything else."""
    try:
        first = date.fromisoformat(f"{text.strip()}-01")
    except ValueError:
        raise ValueError("--month: write 2026-03") from None
    after = (first + timedelta(days=31)).replace(day=1)
    return Month(first, after - timedelta(days=1), at_minute(zone, first, 0), at_minute(zone, after, 0))


def sheets(
    session: Session, place: Neighbourhood, span: Month, now: datetime, staff: Collection[str] = ()
) -> dict[str, Rows]:
    """All of it, by the names of the sheets. The first one as it is now, the others of the month. `staff`: names of
    those who work here; who of them is in the register is known."""
    makers: Mapping[str, Callable[[], Rows]] = {
        "结对名册": lambda: register_export.upward(session, place, now)[0],
        "老伙伴联系": lambda: contacts(session, place, span),
        "没有联系上": lambda: searched(session, place, span, staff),
        "诉求与答复": lambda: complaints(session, place, span),
        "见面协商": lambda: meetings(session, place, span),
        "打钩结果": lambda: results(session, place, span),
    }
    return {name: make() for name, make in makers.items()}


def contacts(session: Session, place: Neighbourhood, span: Month) -> Rows:
    """Each contact that a buddy logged with an elder who shares with buddies, too; not how they were."""
    query = select(Contact, Person).join(Person, Person.id == Contact.elder_id)
    query = query.where(Person.neighbourhood_id == place.id, Contact.at >= span.begins, Contact.at < span.ends)
    found: Rows = [list(CONTACTS)]
    for contact, elder in session.execute(query.order_by(Contact.at, Contact.id)):
        if elder.consents.get("street") and elder.consents.get("buddy"):
            buddy = session.get_one(Person, contact.buddy_id).name
            kind = CONTACT_ZH[ContactKind(contact.kind)]
            found.append([_day(contact.at, place), elder.name, elder.address or "", buddy, kind])
    return found


def searched(session: Session, place: Neighbourhood, span: Month, staff: Collection[str] = ()) -> Rows:
    """Elders whom the line did not reach, or who needed help at once, and who saw to it (whom they let be named); not
    what was found."""
    known = upward_names.roles(session, place, staff)
    query = select(Checkin, Person).join(Person, Person.id == Checkin.elder_id)
    query = query.where(Checkin.neighbourhood_id == place.id, Checkin.date.between(span.first, span.last))
    query = query.where(Checkin.urgency.in_(SLEEPLESS), Checkin.reason.is_not(None))
    found: Rows = [list(SEARCHED)]
    for case, elder in session.execute(query.order_by(Checkin.date, Checkin.id)):
        if elder.consents.get("street"):
            home = [case.date.isoformat(), elder.name, elder.address or "", national(elder.number)]
            closed = "" if case.closed_at is None else _clock(case.closed_at, place)
            who = upward_names.seen_to_by(elder, case.closed_by or case.owner or "", known)
            found.append([*home, REASON_ZH[Reason(case.reason or "")], STATUS_ZH[Status(case.status)], who, closed])
    return found


def complaints(session: Session, place: Neighbourhood, span: Month) -> Rows:
    """What was complained of in the month, or is open, with the committee's answer."""
    found: Rows = [list(COMPLAINTS)]
    for each in desk.listed(session, place.committee, everything=True):
        row = each.row
        if row.neighbourhood_id != place.id or row.opened_at >= span.ends:
            continue
        if row.opened_at >= span.begins or row.closed_at is None or row.closed_at >= span.begins:
            begin = [str(row.number), _day(row.opened_at, place), row.category or ""]
            answer = _answer(session, row, rows.last_reply(session, row))
            above = "是" if row.level_above else ""
            found.append([*begin, *whose(session, row), desk.STATUS_ZH[row.status], answer, row.text or "", above])
    return found


def _answer(session: Session, row: Complaint, reply: Reply | None) -> str:
    """It may name who complains: only where they agreed."""
    if reply is None:
        return ""
    return NOT_SHARED if whose(session, row)[0] == NOT_SHARED else reply.text or SPOKEN


def meetings(session: Session, place: Neighbourhood, span: Month) -> Rows:
    """Who met face to face about a complaint, and what came of it: nothing that was called off, that nobody came to, or
    whose outcome nobody has written. Of the other party, too, nothing where they have not
    agreed that the street hears of it: nor is an elder named who has not."""
    query = select(Meeting, Complaint).join(Complaint, Complaint.id == Meeting.complaint_id)
    query = query.where(Complaint.neighbourhood_id == place.id, Meeting.at >= span.begins, Meeting.at < span.ends)
    found, unshared = list[list[str]]([list(MEETINGS)]), _unshared(session, place)
    for meeting, row in session.execute(query.order_by(Meeting.at, Meeting.id)):
        if not meeting_state.took_place(session, meeting):
            continue
        said = (meeting.place, meeting.with_whom, meeting.outcome or "")
        if whose(session, row)[0] == NOT_SHARED:
            said = (NOT_SHARED, NOT_SHARED, NOT_SHARED)
        elif _others(session, row) & unshared.keys():
            said = (meeting.place, NOT_SHARED, NOT_SHARED)
        cells = [NOT_SHARED if any(name in cell for name in unshared.values()) else cell for cell in said]
        found.append([str(row.number), _clock(meeting.at, place), *cells, meeting.booked_by])
    return found


def _unshared(session: Session, place: Neighbourhood) -> dict[str, str]:
    """Names of elders who have not agreed that the street hears of them, by id."""
    query = select(Person).where(Person.neighbourhood_id == place.id, Person.role == Role.ELDER)
    return {each.id: each.name for each in session.scalars(query) if not each.consents.get("street")}


def _others(session: Session, row: Complaint) -> set[str]:
    """Whom the line asked to meet who complains."""
    query = select(MeetingParty.person_id).join(MeetingPlan, MeetingPlan.id == MeetingParty.plan_id)
    return set(session.scalars(query.where(MeetingPlan.complaint_id == row.id, MeetingParty.nth > 1)))


def results(session: Session, place: Neighbourhood, span: Month) -> Rows:
    """What came of the ballots that closed in the month, as it was told to all who took part."""
    query = select(Ballot).where(Ballot.neighbourhood_id == place.id, Ballot.result.is_not(None))
    query = query.where(Ballot.closes_at >= span.begins, Ballot.closes_at < span.ends)
    found: Rows = [list(RESULTS)]
    for row in session.scalars(query.order_by(Ballot.number)):
        for topic in ballot_rows.topics(session, row):
            counted = (row.result or {}).get(str(topic.position), [])
            begin = [str(row.number), row.title, _day(row.closes_at, place), str(topic.position), topic.question]
            found += [[*begin, option, str(votes)] for option, votes in zip(topic.options, counted, strict=False)]
    return found


def _day(at: datetime, place: Neighbourhood) -> str:
    return at.astimezone(ZoneInfo(place.timezone)).date().isoformat()


def _clock(at: datetime, place: Neighbourhood) -> str:
    return f"{at.astimezone(ZoneInfo(place.timezone)):%Y-%m-%d %H:%M}"
