"""What is still to be told to other programs: leased to whoever sends it, written off when it is taken, tried again at
growing waits. After a day in vain the address is paused, and staff have an item."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import Item, ItemKind
from checkins.outgoing import TEST
from checkins.outgoing_tables import Endpoint, OutgoingMessage
from checkins.results import LINE
from checkins.tables import Neighbourhood

WAITS = tuple(timedelta(seconds=each) for each in (5, 30, 120, 600, 1800, 3600, 7200, 14400))
TRIED_FOR = timedelta(days=1)
LEASE = timedelta(minutes=5)  # longer than a batch of messages that all hang
BATCH = 20  # of one address, one after the other
KEPT = timedelta(days=7)
_MOST = 200


@dataclass(frozen=True)
class Order:
    """A message to be sent now, and what it needs."""

    id: int
    endpoint_id: int
    url: str = field(repr=False)
    secret: str = field(repr=False)
    message_id: str
    body: bytes


def anything(session: Session, now: datetime) -> bool:
    """Only reads: most of the time there is nothing."""
    return session.scalar(_due(now).with_only_columns(OutgoingMessage.id).limit(1)) is not None


def claim(session: Session, now: datetime, busy: Collection[int] = ()) -> list[Order]:
    """What is due, oldest first, leased: nothing of the addresses that are `busy`."""
    session.execute(update(OutgoingMessage).where(OutgoingMessage.at.is_(None)).values(at=now))
    query = _due(now).where(Endpoint.id.not_in(busy)).order_by(OutgoingMessage.id).limit(_MOST)
    query = query.with_for_update(of=OutgoingMessage, skip_locked=True).execution_options(populate_existing=True)
    orders: list[Order] = []
    for row, endpoint in session.execute(query).all():
        if sum(order.endpoint_id == endpoint.id for order in orders) < BATCH:
            row.leased_until = now + LEASE
            orders.append(Order(row.id, endpoint.id, endpoint.url, endpoint.secret, row.message_id, body(row)))
    return orders


def _due(now: datetime) -> Any:
    query = select(OutgoingMessage, Endpoint).join(Endpoint, Endpoint.id == OutgoingMessage.endpoint_id)
    free = or_(OutgoingMessage.leased_until.is_(None), OutgoingMessage.leased_until <= now)
    sends = Endpoint.paused_at.is_(None), Endpoint.removed_at.is_(None)
    return query.where(OutgoingMessage.sent_at.is_(None), OutgoingMessage.next_at <= now, free, *sends)


def body(row: OutgoingMessage) -> bytes:
    """The same in every attempt; it names nobody."""
    assert row.at is not None
    if row.kind == TEST:
        data = {}
    else:
        subject = "complaint" if row.kind.startswith("complaint.") else "case"
        data = {subject: row.subject, "neighbourhood": row.neighbourhood_id}
    return json.dumps({"type": row.kind, "timestamp": row.at.isoformat(), "data": data}).encode()


def sent(session: Session, order: Order, now: datetime) -> None:
    row = session.get_one(OutgoingMessage, order.id, with_for_update=True)
    row.sent_at, row.leased_until = now, None
    _endpoint(session, order).failing = None


def failed(session: Session, order: Order, now: datetime, why: str, *, gone: bool = False) -> None:
    """Tried again later; `gone`: who lives there wants nothing more, so the address is paused at once."""
    row = session.get_one(OutgoingMessage, order.id, with_for_update=True)
    row.tried_since = row.tried_since or now
    again, last = now + WAITS[min(row.tries, len(WAITS) - 1)], row.tried_since + TRIED_FOR
    row.next_at, row.tries, row.leased_until = max(now, min(again, last)), row.tries + 1, None
    endpoint = _endpoint(session, order)
    endpoint.failing = why[:60]
    if (gone or now - row.tried_since >= TRIED_FOR) and endpoint.paused_at is None:
        endpoint.paused_by, endpoint.paused_at = LINE, now
        _open_item(session, endpoint, now)


def _endpoint(session: Session, order: Order) -> Endpoint:
    """Locked, but not against what happens meanwhile: new messages point to it."""
    return session.get_one(Endpoint, order.endpoint_id, with_for_update={"key_share": True})


def release(session: Session, orders: Sequence[Order]) -> None:
    """They were not tried: whoever comes next tries them."""
    ids = [order.id for order in orders]
    if ids:
        session.execute(update(OutgoingMessage).where(OutgoingMessage.id.in_(ids)).values(leased_until=None))


def sweep(session: Session, now: datetime) -> None:
    session.execute(delete(OutgoingMessage).where(OutgoingMessage.at < now - KEPT))


def at_once(session: Session, endpoint: Endpoint, now: datetime) -> None:
    """All that waits for it is tried now, for another day."""
    waits = OutgoingMessage.endpoint_id == endpoint.id, OutgoingMessage.sent_at.is_(None)
    session.execute(update(OutgoingMessage).where(*waits).values(next_at=now, tries=0, tried_since=None))


# ── the item ──────────────────────────────────────────────────────────────────────────────────────


def _open_item(session: Session, endpoint: Endpoint, now: datetime) -> None:
    place = endpoint.neighbourhood_id or session.scalars(select(Neighbourhood.id).order_by(Neighbourhood.id)).first()
    if place is not None:
        detail = {"text": urlsplit(endpoint.url).hostname or ""}
        about, kind = str(endpoint.id), ItemKind.WEBHOOK_PAUSED
        items.open_item(session, kind, now, neighbourhood_id=place, due_at=now, about=about, detail=detail)


def end_item(session: Session, endpoint: Endpoint, by: str, now: datetime) -> None:
    key = items.key_of(ItemKind.WEBHOOK_PAUSED, about=str(endpoint.id))
    for item in session.scalars(select(Item).where(Item.key == key, Item.done_at.is_(None))).all():
        items.done(session, item.id, by, now)
