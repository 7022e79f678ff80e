"""Whom a notice would reach, before it is published. Only read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.people import stops_calls
from checkins.phones import national
from checkins.results import REASON_ZH
from checkins.tables import Person
from community import notices
from community.notice_draft import Draft, checked, elders
from community.notice_papers import Door
from community.notice_tables import Notice, Topic
from community.notice_targets import is_for, on_the_way


@dataclass(frozen=True)
class Preview:
    """`telephone`: how many elders a call may tell it; `doors`: to whom somebody must go, in the order of the way, and
    why. Both are empty for what stands on the board. `again`: the same one, which stands already."""

    notice: Notice
    telephone: int
    doors: Sequence[Door] = field(repr=False)
    again: Notice | None

    @property
    def elders(self) -> int:
        return self.telephone + len(self.doors)


def preview(session: Session, draft: Draft, by: str, now: datetime) -> Preview:
    """Wrong or Unknown says why it can't be published."""
    notice = checked(session, draft, by, now)
    meant = _meant(session, notice) if notice.topic == Topic.NOTICE else []
    barred = [(person, reason) for person in meant if (reason := stops_calls(person)) is not None]
    on_foot = sorted(barred, key=lambda each: (on_the_way(each[0].address), each[0].name))
    doors = [
        Door(person.name, person.address or "", national(person.number), REASON_ZH[why]) for person, why in on_foot
    ]
    return Preview(notice, len(meant) - len(doors), doors, notices.same(session, notice, now))


def _meant(session: Session, notice: Notice) -> list[Person]:
    query = select(Person).where(*elders(notice.neighbourhood_id)).order_by(Person.id)
    return [person for person in session.scalars(query) if is_for(notice, person)]
