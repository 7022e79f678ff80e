"""What the rosters lack in the next days, in sentences. Kept for a while: the page of today asks every few seconds, and
a neighbourhood of 4,000 elders takes a second to look through."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins.roster.gaps import GapKind, shown_ahead
from checkins.roster.loading import load
from checkins.roster.sentences import Sentence, sentence
from checkins.roster.tables import RosterChange
from checkins.roster.values import Roster
from checkins.tables import Neighbourhood

AHEAD = timedelta(days=14)
KEPT = timedelta(minutes=5)


@dataclass(frozen=True)
class Gaps:
    """Of one place; never none."""

    place_id: int
    place: str
    sentences: tuple[Sentence, ...] = field(repr=False)


class GapsAhead:
    def __init__(self) -> None:
        self._known: tuple[int, datetime, tuple[Gaps, ...]] | None = None

    def look(self, session: Session, now: datetime) -> tuple[Gaps, ...]:
        """Of every place, as it was when `renew` was last called; at once after a change of one."""
        if self._known is None or self._known[0] != last_change(session):
            self._find(session, now)
        assert self._known is not None
        return self._known[2]

    def renew(self, session: Session, now: datetime) -> None:
        """Looks again after 5 min."""
        if self._known is not None and not timedelta(0) <= now - self._known[1] < KEPT:
            self._find(session, now)

    def _find(self, session: Session, now: datetime) -> None:
        change = last_change(session)
        places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id))
        found = (_of(session, place, now) for place in places)
        self._known = change, now, tuple(one for one in found if one.sentences)


def last_change(session: Session) -> int:
    """Of any roster: what is kept from before another one is old."""
    return session.scalar(select(func.max(RosterChange.id))) or 0


def _of(session: Session, place: Neighbourhood, now: datetime) -> Gaps:
    return Gaps(place.id, place.name, sentences_of(load(session, place.id, now), now))


def sentences_of(roster: Roster, now: datetime, ahead: timedelta = AHEAD) -> tuple[Sentence, ...]:
    """Nobody on duty comes first: a short line shows only some."""
    found = sorted(shown_ahead(roster, now, ahead), key=lambda gap: gap.kind is not GapKind.NO_DUTY)
    return tuple(sentence(roster, gap, now, now + ahead) for gap in found)
