"""What staff do with a ticket on its page, as the forms send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from sqlalchemy.orm import Session

from community import tickets_rows as rows
from community import tickets_staff as staff
from community.tickets_policy import ReplyClock
from console.typed import Deed


def take(session: Session, deed: Deed, _clock: ReplyClock) -> None:
    """It is `by`'s, if whose it was on the page has it still."""
    deed.is_taken_from(rows.by_number(session, deed.number).owner)
    staff.take(session, deed.number, deed.by, deed.now)


def book(session: Session, deed: Deed, clock: ReplyClock) -> None:
    known_by = deed.moment("before", rows.calendar(session, rows.by_number(session, deed.number)).zone)
    text = deed.text("text") if not deed.recording else ""
    staff.book(session, deed.number, deed.by, deed.now, text or None, deed.recording, known_by, clock)


def told(session: Session, deed: Deed, _clock: ReplyClock) -> None:
    staff.told(session, deed.number, deed.text("words"), deed.by, deed.now)


def cannot(session: Session, deed: Deed, _clock: ReplyClock) -> None:
    staff.cannot(session, deed.number, deed.text("words"), deed.by, deed.now)


def close(session: Session, deed: Deed, _clock: ReplyClock) -> None:
    staff.close(session, deed.number, deed.by, deed.now)


Act = Callable[[Session, Deed, ReplyClock], None]
ACTS: Mapping[str, Act] = {"take": take, "book": book, "told": told, "cannot": cannot, "close": close}
