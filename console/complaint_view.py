"""One complaint as staff see to it: what was said, what was answered, what comes next. Personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.items import ITEM_ZH, ItemKind
from checkins.tables import Neighbourhood, Person
from community import desk, meeting_state, rows, staff, waiting
from community.desk import Shown
from community.meeting_tables import Ask
from community.notice_tables import Notice
from community.tables import Complaint, ComplaintEvent, Dictation, Meeting, Outcome, Status, Wish
from console import accounts, call_log
from console.access import ACT
from console.audit_words import deed
from console.call_log import Second

WISH_ZH = {Wish.PUBLIC: "同意公开", Wish.PRIVATE: "不公开", Wish.UNKNOWN: "没有说，按不公开办"}
OUTCOME_ZH: Mapping[str, str] = {
    Outcome.SOLVED: "说解决了",
    Outcome.NOT_SOLVED: "说没有解决",
    Outcome.TALK: "想找人谈",
    Outcome.UNREACHED: "几次没打通",
    Outcome.UNCLEAR: "接了，没说清楚",
    Outcome.REPLACED: "换了新的答复",
}
ASK_ZH: Mapping[str | None, str] = {
    Ask.CHOOSE: "线路请本人选时间",
    Ask.AGREE: "线路问这个时间行不行",
    Ask.TOLD: "线路去告诉时间",
    Ask.REMIND: "已经知道，前一天再提醒",
    Ask.AFTER: "谈完以后线路来问结果",
    None: "线路不再问",
}
OF_THE_LINE = frozenset({"listened", "heard", "told", "all_told", "calling", "called", "wish"})
_SHOWN = ("who", "to", "text", "words", "found", "why", "outcome", "place")  # of an event's detail


@dataclass(frozen=True)
class Wanted:
    """What somebody has to do, by then; `whom`: if not who complains."""

    zh: str
    due: datetime | None
    whom: str = field(default="", repr=False)


@dataclass(frozen=True)
class Page:
    """`seen`: the last event that stands on it; `fresh`: ids of what nobody has heard yet; `offered`: times that the
    line asks about; `staff`: who can be given it; `public`: answers for all neighbours."""

    shown: Shown = field(repr=False)
    place: str
    home: str = field(repr=False)
    seen: int
    fresh: frozenset[int]
    wants: Sequence[Wanted]
    second: Mapping[str, Second] = field(repr=False)
    offered: Sequence[datetime]
    rings: bool
    staff: Sequence[str] = field(repr=False)
    public: Sequence[Notice] = field(repr=False)

    @property
    def row(self) -> Complaint:
        return self.shown.row

    @property
    def is_open(self) -> bool:
        return self.row.status != Status.CLOSED

    @property
    def may_answer(self) -> bool:
        return self.is_open and self.row.heard_at is not None and self.row.heard_due is None

    def begun(self, now: datetime) -> list[Meeting]:
        """Meetings that are over, and of which nobody of the staff has written what came."""
        return [each for each in self.shown.meetings if each.at <= now and each.outcome is None]

    def ahead(self, now: datetime) -> list[Meeting]:
        return [each for each in self.shown.meetings if each.at > now and each.outcome is None]


def look(session: Session, number: int) -> Page:
    """LookupError when there is none."""
    row = rows.known(session, number)
    seen = last_event(session, row)  # first: what comes in meanwhile is not seen
    shown = desk.look(session, number)
    place = session.get_one(Neighbourhood, row.neighbourhood_id)
    person = session.get(Person, row.person_id) if row.person_id else None
    plan = meeting_state.plan_of(session, row)
    query = select(Notice).where(Notice.complaint_id == row.id, Notice.withdrawn_at.is_(None)).order_by(Notice.id)
    return Page(
        shown=shown,
        place=place.name,
        home=person.address or "" if person else "",
        seen=seen,
        fresh=frozenset(each.id for each in fresh(shown)),
        wants=_wants(session, row),
        second=call_log.second_pass(session, [each.call_id for each in shown.dictations]),
        offered=list(meeting_state.times_of(plan).values()) if plan and meeting_state.is_offered(plan) else (),
        rings=waiting.can_ring(session, row),
        staff=[each.name for each in accounts.listed(session) if each.role in ACT.roles and each.name],
        public=session.scalars(query).all(),
    )


def last_event(session: Session, row: Complaint) -> int:
    return max((event.id for event in rows.events(session, row)), default=0)


def since(session: Session, row: Complaint, seen: int) -> list[ComplaintEvent]:
    """What has happened to it since, that an act would have to know of: not that somebody listened or was rung."""
    return [event for event in rows.events(session, row) if event.id > seen and event.what not in OF_THE_LINE]


def told(event: ComplaintEvent) -> str:
    """What stands beside it in the log."""
    detail = event.detail or {}
    return " · ".join(str(detail[name]) for name in _SHOWN if detail.get(name))


def fresh(shown: Shown) -> list[Dictation]:
    """What was said since somebody last listened to all of it."""
    last = max((event.at for event in shown.events if event.what == staff.HEARD), default=None)
    return [each for each in shown.dictations if last is None or each.at > last]


def listens(session: Session, number: int, said: Dictation, by: str, now: datetime, *, whole: bool) -> None:
    """`by` opens a recording, and is given `whole` of it or a piece. With all of the last one that nobody had heard,
    the complaint is heard."""
    calls = {call.id: call for call in call_log.calls(session, [said.call_id])}
    opened = said.call_id in calls and call_log.listened(session, calls[said.call_id], said.recording, by, now)
    row = rows.by_number(session, number)
    if opened or (whole and said.recording not in _heard_by(rows.events(session, row), by)):
        detail = {"name": said.name, "path": said.recording, "whole": whole}
        rows.note(session, row, call_log.LISTENED, by, now, detail=detail)
    session.flush()
    shown = desk.look(session, number)
    left = {each.recording for each in fresh(shown)}
    if left and left <= _heard_by(shown.events, by):
        staff.hear(session, number, by, now)


def _heard_by(events: Sequence[ComplaintEvent], who: str) -> set[str]:
    """The recordings of which all was given to them."""
    heard = [event.detail or {} for event in events if event.what == call_log.LISTENED and event.who == who]
    return {detail["path"] for detail in heard if detail.get("whole")}


def _wants(session: Session, row: Complaint) -> list[Wanted]:
    items = sorted(waiting.open_items(session, row), key=lambda item: item.due_at or item.opened_at)
    names = {person.id: person.name for person in _people(session, {item.person_id for item in items})}
    return [
        Wanted(
            ITEM_ZH[ItemKind(item.kind)],
            item.due_at,
            names.get(item.person_id, "") if item.person_id and item.person_id != row.person_id else "",
        )
        for item in items
    ]


def _people(session: Session, ids: set[str | None]) -> Sequence[Person]:
    return session.scalars(select(Person).where(Person.id.in_([id_ for id_ in ids if id_]))).all()


def deed_zh(event: ComplaintEvent) -> str:
    return deed("complaint", event.what).zh
