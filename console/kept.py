"""What takes long to look up and changes seldom, kept for the pages that ask every few seconds: the rosters, and what
they lack. A page shows what is kept; it is renewed behind the page's back, at once only when nothing is kept yet, or
somebody has changed a roster."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from checkins.roster import loading
from checkins.roster.values import Roster
from console.gaps_ahead import Gaps, GapsAhead, last_change

FOR = timedelta(minutes=1)


@dataclass(frozen=True)
class _Known:
    roster: Roster
    change: int
    at: datetime


class Kept:
    """Safe to ask from several threads: what is kept is replaced as a whole."""

    def __init__(self) -> None:
        self._gaps = GapsAhead()
        self._rosters: dict[int, _Known] = {}

    def gaps(self, session: Session, now: datetime) -> tuple[Gaps, ...]:
        """Of every place, as they were some minutes ago; at once after a change of a roster."""
        return self._gaps.look(session, now)

    def roster(self, session: Session, place_id: int, now: datetime) -> Roster:
        """As it was a minute ago, or when a page last asked; at once after a change of a roster."""
        known, change = self._rosters.get(place_id), last_change(session)
        if known is None or known.change != change:
            self._load(session, place_id, change, now)
        return self._rosters[place_id].roster

    def anew(self, session: Session, place_id: int, now: datetime) -> Roster:
        """As it stands now: people's numbers and consents are no change of a roster, and change, too."""
        self._load(session, place_id, last_change(session), now)
        return self._rosters[place_id].roster

    def renew(self, session: Session, now: datetime) -> None:
        """What has become old. For after a page was sent."""
        self._gaps.renew(session, now)
        change = last_change(session)
        for place_id, known in list(self._rosters.items()):
            if known.change != change or not timedelta(0) <= now - known.at < FOR:
                self._load(session, place_id, change, now)

    def _load(self, session: Session, place_id: int, change: int, now: datetime) -> None:
        self._rosters[place_id] = _Known(loading.load(session, place_id, now), change, now)
