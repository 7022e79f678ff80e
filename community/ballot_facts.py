"""What stands on the papers of a ballot."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from checkins.tables import Neighbourhood
from community import ballot_rows as rows
from community.ballot_papers import Facts


def facts_of(session: Session, number: int, line: str) -> Facts:
    """`line`: the number that people ring."""
    ballot = rows.by_number(session, number)
    place = session.get_one(Neighbourhood, ballot.neighbourhood_id)
    topics = tuple((topic.question, tuple(topic.options)) for topic in rows.topics(session, ballot))
    until = f"{ballot.closes_at.astimezone(ZoneInfo(place.timezone)):%Y-%m-%d %H:%M}"
    return Facts(place.committee, ballot.title, until, line, topics)
