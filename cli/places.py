"""Which committee a command is about."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.tables import Neighbourhood


def place_named(session: Session, committee: str) -> Neighbourhood:
    """By name; without one, the only place there is. LookupError names those that there are."""
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    found = [place for place in places if committee.strip() in ("", place.committee, place.name)]
    if len(found) != 1:
        known = "、".join(place.committee for place in places) or "none yet: `people import` makes one"
        raise LookupError(f"--committee: name one of: {known}")
    return found[0]
