"""What goes to the street office about complaints: those marked for the level above, and whose they are only where they
have agreed that the street knows (consent `street`). What somebody spoke never goes; nor does a stranger's number.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy.orm import Session

from checkins.tables import Person
from community.desk import STATUS_ZH, listed
from community.tables import Complaint

HEADINGS = ("编号", "类别", "姓名", "地点", "状态", "答复轮次", "未解决次数", "议事厅文字")
NOT_SHARED = "没有同意让街道知道"


def for_street(session: Session, committee: str = "") -> list[tuple[object, ...]]:
    """A row for each, by HEADINGS; of one committee, or of all ("")."""
    found: list[tuple[object, ...]] = []
    for each in listed(session, committee, everything=True):
        if each.row.level_above:
            row, (name, place) = each.row, whose(session, each.row)
            answers = (STATUS_ZH[row.status], len(each.replies), row.rounds)
            found.append((row.number, row.category, name, place, *answers, row.text))
    return found


def whose(session: Session, row: Complaint) -> Sequence[str]:
    """Name and place; a place tells who it is, too."""
    person = session.get(Person, row.person_id) if row.person_id else None
    if person is None or not person.consents.get("street"):
        return NOT_SHARED, NOT_SHARED
    return person.name, row.place or ""
