"""Addresses of other programs: set, paused, tried and removed by a name. What can't be done says why (ValueError,
LookupError)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import outgoing, outgoing_queue
from checkins.names import named
from checkins.outgoing_tables import Endpoint
from checkins.standard_webhooks import new_secret
from checkins.tables import Neighbourhood

SORTS = ("case.*", "emergency.*", "complaint.*")
MAX_URL = 500


def add(
    session: Session, url: str, events: Collection[str], by: str, now: datetime, place_id: int | None = None
) -> tuple[Endpoint, str]:
    """The address, and the secret with which its messages are signed: shown once."""
    url, by, secret = checked(url), named(by), new_secret()
    if not events or set(events) - {*SORTS, *outgoing.KINDS}:
        raise ValueError(f"--events: one or more of {', '.join((*SORTS, *outgoing.KINDS))}")
    if place_id is not None and session.get(Neighbourhood, place_id) is None:
        raise LookupError("there is no such neighbourhood")
    row = Endpoint(url=url, secret=secret, events=sorted(set(events)), neighbourhood_id=place_id)
    row.made_by, row.made_at = by[:100], now
    session.add(row)
    session.flush()
    return row, secret


def checked(url: str) -> str:
    """https, and nothing but an address; plain http to this very machine."""
    url = url.strip()
    try:
        parts = urlsplit(url)
        fits = bool(parts.hostname) and parts.port != 0 and url.isascii() and url.isprintable() and " " not in url
    except ValueError:
        fits = False
    if not fits or len(url) > MAX_URL or parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError("write the whole address: https://example.org/…")
    if not (parts.scheme == "https" or (parts.scheme == "http" and _is_here(parts))):
        raise ValueError("only https keeps what is sent to itself: https://…")
    return url


def _is_here(parts: SplitResult) -> bool:
    try:
        return ip_address(parts.hostname or "").is_loopback
    except ValueError:
        return parts.hostname == "localhost"


def pause(session: Session, endpoint_id: int, by: str, now: datetime) -> Endpoint:
    """Nothing is sent; what happens meanwhile is kept for a week."""
    row, by = one(session, endpoint_id), named(by)
    if row.paused_at is None:
        row.paused_by, row.paused_at = by[:100], now
    return row


def resume(session: Session, endpoint_id: int, by: str, now: datetime) -> Endpoint:
    """What waits is sent at once."""
    row, by = one(session, endpoint_id), named(by)
    row.paused_by = row.paused_at = row.failing = None
    outgoing_queue.at_once(session, row, now)
    outgoing_queue.end_item(session, row, by, now)
    return row


def remove(session: Session, endpoint_id: int, by: str, now: datetime) -> Endpoint:
    """Nothing is sent there any more; what waited for it is deleted with time."""
    row, by = one(session, endpoint_id), named(by)
    row.removed_by, row.removed_at = by[:100], now
    outgoing_queue.end_item(session, row, by, now)
    return row


def test(session: Session, endpoint_id: int, by: str, now: datetime) -> Endpoint:
    """A message that says nothing, so that both sides see whether they understand each other."""
    row = one(session, endpoint_id)
    named(by)
    outgoing.tell_one(session, row, outgoing.TEST, now)
    return row


ACTS = {"pause": pause, "resume": resume, "remove": remove, "test": test}


def one(session: Session, endpoint_id: int) -> Endpoint:
    row = session.get(Endpoint, endpoint_id, with_for_update={"key_share": True})
    if row is None or row.removed_at is not None:
        raise LookupError("there is no such address (`hooks list`)")
    return row


def listed(session: Session) -> list[Endpoint]:
    return list(session.scalars(select(Endpoint).where(Endpoint.removed_at.is_(None)).order_by(Endpoint.id)))
