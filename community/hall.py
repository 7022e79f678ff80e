"""议事厅: what neighbours may read of what was complained of, in staff's words, and what came of it. Who it was stands
nowhere in it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.tables import Neighbourhood
from community import readable
from community.notice_tables import Notice
from community.tables import Complaint, Reply, Status, Wish

STATE_ZH: Mapping[str, str] = {
    Status.INTERRUPTED: "在办",
    Status.SENT: "在办",
    Status.HEARD: "在办",
    Status.ANSWERED: "已答复",
    Status.REOPENED: "还没解决，再办",
    Status.CLOSED: "办结",
}


@dataclass(frozen=True)
class Matter:
    """`text`: as staff wrote it; `answers`: those for all neighbours, the first one first; `is_answered`: who
    complained has an answer, which may be nobody else's."""

    number: int
    place_id: int
    zone: str
    category: str
    text: str
    since: datetime
    state: str
    level_above: bool
    answers: Sequence[str]
    is_answered: bool


def matters(session: Session, place_id: int) -> list[Matter]:
    """Of one neighbourhood, the newest first."""
    zone = session.get_one(Neighbourhood, place_id).timezone
    query = select(Complaint.id).where(
        Complaint.neighbourhood_id == place_id, Complaint.wish == Wish.PUBLIC, Complaint.text.is_not(None)
    )
    rows = readable.many(session, Complaint, session.scalars(query).all())
    answers, answered = _answers(session, rows), _answered(session, rows)
    found = [
        Matter(
            number=row.number,
            place_id=place_id,
            zone=zone,
            category=row.category or "",
            text=row.text or "",
            since=row.opened_at,
            state=STATE_ZH[row.status],
            level_above=row.level_above,
            answers=answers[row.id],
            is_answered=row.id in answered,
        )
        for row in rows.values()
    ]
    return sorted(found, key=lambda each: each.number, reverse=True)


def _answers(session: Session, rows: Mapping[int, Complaint]) -> Mapping[int, list[str]]:
    found: dict[int, list[str]] = defaultdict(list)
    query = select(Notice.complaint_id, Notice.text).where(
        Notice.complaint_id.in_(list(rows)), Notice.withdrawn_at.is_(None)
    )
    for complaint_id, text in session.execute(query.order_by(Notice.id)):
        if complaint_id is not None:
            found[complaint_id].append(text)
    return found


def _answered(session: Session, rows: Mapping[int, Complaint]) -> set[int]:
    return set(session.scalars(select(Reply.complaint_id).where(Reply.complaint_id.in_(list(rows)))))
