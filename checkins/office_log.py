"""What somebody of the office did that stands in no other log: files read in, lists given out. Rows are only ever
added; no personal data is in them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKey, Integer, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from checkins.names import named
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER

IMPORTED = "imported"  # detail: added, changed, lists (of the roster), hash of the file
EXPORTED = "exported"  # detail: list (which), rows, and how it was narrowed
PROMPT_PUBLISHED = "prompt_published"  # detail: number of the sentence, language
PROMPT_WITHDRAWN = "prompt_withdrawn"


class OfficeEvent(Base):
    """`by`: a name."""

    __tablename__ = "office_event"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    at: Mapped[datetime] = mapped_column(UtcTime, index=True)
    what: Mapped[str] = mapped_column(String(32))
    by: Mapped[str] = mapped_column(String(100))
    neighbourhood_id: Mapped[int | None] = mapped_column(ForeignKey("neighbourhood.id"))
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))


def note(
    session: Session,
    what: str,
    by: str,
    now: datetime,
    *,
    place_id: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """ValueError when `by` is no name."""
    event = OfficeEvent(at=now, what=what, by=named(by)[:100], neighbourhood_id=place_id)
    event.detail = dict(detail) if detail else None
    session.add(event)
