"""Alarm buttons and smoke detectors: who has one, and what their signed messages mean for the elder's case.

A message is stored and its case opened in one transaction; one that couldn't be taken in stays open, and the cycle
tries again (`take_in_open`). Whoever sends the same message twice changes nothing. No message closes anything: a
"cancel" is noted. A kind that we don't know counts as what the device is, and a message signed by a wrong clock as one
of now: a doubt goes to a human. It can't be played again all the same, for each is remembered.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from sqlalchemy import func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from checkins import items, ladder, policies, searches
from checkins.case_rows import case_of, log_event, put_case, select_cases
from checkins.device_tables import Device, DeviceEvent
from checkins.escalation.values import Phase
from checkins.items import Item, ItemKind
from checkins.names import named
from checkins.results import LINE, Reason, Status, Urgency
from checkins.standard_webhooks import RefusedError, Stamp, WrongClockError, new_secret, verify
from checkins.tables import Checkin, Person, Role
from checkins.todays_case import case_today
from storage.faults import where

log = logging.getLogger(__name__)

MAX_WORD = 40
TEST_MODE = timedelta(hours=1)  # then it ends by itself: one that is forgotten would swallow an alarm for ever
SAME_WITHIN = timedelta(days=1)  # between two attempts to send one message; the same id later is another's
CLOCK_AGAIN = timedelta(hours=1)  # staff hear of a device's clock no more often
_PLAIN = 52  # letters of an id that are kept beside a time
_NOBODYS = new_secret()  # what a message from an unknown device is checked against, for as long as any other


class DeviceKind(StrEnum):
    ALARM_BUTTON = "alarm_button"
    SMOKE = "smoke"


KIND_ZH: Mapping[str, str] = {DeviceKind.ALARM_BUTTON: "报警按钮", DeviceKind.SMOKE: "烟雾报警器"}
TEST, CANCEL = "test", "cancel"
_KINDS = (*DeviceKind, TEST, CANCEL)
_REASONS = {DeviceKind.ALARM_BUTTON: Reason.ALARM_BUTTON, DeviceKind.SMOKE: Reason.SMOKE}


# ── the register of devices ───────────────────────────────────────────────────────────────────────


def add(session: Session, elder_id: str, kind: DeviceKind, by: str, now: datetime, *, testing: bool = False) -> Device:
    """A new device; its secret is to be shown once. ValueError without a name, or for nobody's home."""
    elder = session.get(Person, elder_id)
    if elder is None or elder.role != Role.ELDER:
        raise ValueError("a device belongs to an elder")
    device = Device(
        id=f"dev-{secrets.token_hex(8)}",
        elder_id=elder.id,
        kind=kind,
        secret=new_secret(),
        testing=testing,
        testing_since=now if testing else None,
        added_by=named(by),
        added_at=now,
    )
    session.add(device)
    session.flush()
    return device


def remove(session: Session, device_id: str, by: str, now: datetime) -> None:
    """From now on nothing it sends counts. LookupError when there is no such device."""
    device = _one(session, device_id)
    device.removed_by, device.removed_at = named(by), now


def set_testing(session: Session, device_id: str, testing: bool, by: str, now: datetime) -> None:
    """While testing, for an hour at most, what it sends is kept and rings nobody; noted in the elder's newest case.
    LookupError when there is no such device."""
    device, who = _one(session, device_id), named(by)
    device.testing, device.testing_since = testing, now if testing else None
    row = _newest_case(session, device.elder_id)
    if row is not None:
        what = "device:test_mode" if testing else "device:live"
        log_event(session, row, what, who, now, detail={"device": device.id})


def test_mode_until(device: Device, now: datetime) -> datetime | None:
    """None: what it sends rings people."""
    since = device.testing_since
    if not device.testing or since is None or not timedelta() <= now - since < TEST_MODE:
        return None
    return since + TEST_MODE


@dataclass(frozen=True)
class Listed:
    """One device, ready to show. `until`: when its test mode ends, None: it is live. `last`, `last_test`: when its
    last alarm, its last test came. `strange`: the word of its last message for what happened, when we don't know it."""

    id: str
    elder: str
    kind: DeviceKind
    until: datetime | None
    added_by: str
    added_at: datetime
    last: datetime | None
    last_test: datetime | None
    strange: str | None

    @property
    def testing(self) -> bool:
        return self.until is not None


def listed(session: Session, now: datetime) -> list[Listed]:
    """All devices that count, oldest first."""
    query = (
        select(Device).where(Device.removed_at.is_(None)).options(joinedload(Device.elder)).order_by(Device.added_at)
    )
    return [_listed(session, device, now) for device in session.scalars(query)]


def _listed(session: Session, device: Device, now: datetime) -> Listed:
    mine = select(func.max(DeviceEvent.received_at)).where(DeviceEvent.device_id == device.id)
    newest = select(DeviceEvent.word).where(DeviceEvent.device_id == device.id).order_by(DeviceEvent.id.desc()).limit(1)
    return Listed(
        device.id,
        device.elder.name,
        DeviceKind(device.kind),
        test_mode_until(device, now),
        device.added_by,
        device.added_at,
        session.scalar(mine.where(~DeviceEvent.test, DeviceEvent.kind != CANCEL)),
        session.scalar(mine.where(DeviceEvent.test)),
        session.scalar(newest),
    )


def _one(session: Session, device_id: str) -> Device:
    device = session.get(Device, device_id, with_for_update=True)
    if device is None or device.removed_at is not None:
        raise LookupError("there is no such device (`devices list` shows all)")
    return device


# ── messages ──────────────────────────────────────────────────────────────────────────────────────


def check(session: Session, device_id: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Stamp:
    """Whether a message comes from a device that counts; RefusedError says why not. Reads only. The clock of one that
    counts may be wrong: the stamp says so."""
    device = session.get(Device, device_id)
    known = device is not None and device.removed_at is None
    try:
        stamp = verify(device.secret if device is not None and known else _NOBODYS, headers, body, now)
    except WrongClockError as wrong:
        stamp = wrong.stamp
    if not known:
        raise RefusedError("there is no such device")
    return stamp


@dataclass(frozen=True)
class Receipt:
    """`again`: the same message was taken in before; nothing has changed. `clock_wrong`: it was taken in all the
    same, and staff are told."""

    test: bool
    again: bool = False
    clock_wrong: bool = False


def receive(session: Session, device_id: str, stamp: Stamp, body: bytes, now: datetime) -> Receipt:
    """Takes in a message that was checked. Durable when the transaction is."""
    device = session.get_one(Device, device_id)
    kind, word = read_kind(body, DeviceKind(device.kind))
    test = kind == TEST or test_mode_until(device, now) is not None
    if stamp.off is not None:
        _tell_clock(session, device, stamp.off, now)
    message_id = _new_id(session, device_id, stamp)
    if message_id is None:
        return Receipt(test, again=True, clock_wrong=stamp.off is not None)
    event = DeviceEvent(
        device_id=device_id,
        message_id=message_id,
        kind=kind,
        word=word,
        test=test,
        sent_at=stamp.sent_at,
        received_at=now,
    )
    try:
        with session.begin_nested():
            session.add(event)
    except IntegrityError:  # the same, at the same moment
        return Receipt(test, again=True, clock_wrong=stamp.off is not None)
    _take_in(session, event, device, now)
    return Receipt(test, clock_wrong=stamp.off is not None)


def _new_id(session: Session, device_id: str, stamp: Stamp) -> str | None:
    """What a message is stored by; None: it has come before. A device that counts its messages anew after a power cut
    says the same id again, but not within a day."""
    short = f"{stamp.message_id[:_PLAIN]}~"
    same = or_(DeviceEvent.message_id == stamp.message_id, DeviceEvent.message_id.startswith(short, autoescape=True))
    query = select(DeviceEvent.sent_at).where(DeviceEvent.device_id == device_id, same)
    sent = session.scalars(query).all()
    if any(abs(stamp.sent_at - at) <= SAME_WITHIN for at in sent):
        return None
    return f"{short}{int(stamp.sent_at.timestamp())}" if sent else stamp.message_id


def _tell_clock(session: Session, device: Device, off: timedelta, now: datetime) -> None:
    """By an item, for each home once in an hour at most, whoever sends an old message again and again."""
    told = select(Item.id).where(Item.kind == ItemKind.DEVICE_CLOCK, Item.person_id == device.elder_id)
    if session.scalar(told.where(Item.opened_at > now - CLOCK_AGAIN).limit(1)) is not None:
        return
    place = session.get_one(Person, device.elder_id).neighbourhood_id
    minutes, way = round(abs(off.total_seconds()) / 60), "慢" if off > timedelta() else "快"
    detail = {"text": f"{KIND_ZH[DeviceKind(device.kind)]}的时钟{way}了{minutes}分钟"}
    items.open_item(
        session,
        ItemKind.DEVICE_CLOCK,
        now,
        neighbourhood_id=place,
        person_id=device.elder_id,
        due_at=now,
        detail=detail,
    )


def read_kind(body: bytes, own: DeviceKind) -> tuple[str, str | None]:
    """What happened; and how the message called it, when that is no word of ours: then it counts as an alarm of the
    device's own kind."""
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        return own, "?"
    kind = message.get("kind") if isinstance(message, dict) else None
    if isinstance(kind, str) and kind in _KINDS:
        return kind, None
    readable = isinstance(kind, str) and kind.isascii() and kind.isprintable()
    return own, kind[:MAX_WORD] if isinstance(kind, str) and readable else "?"


def take_in_open(session: Session, now: datetime) -> int:
    """Messages that are stored and could not be taken in when they came. Returns how many were now."""
    query = select(DeviceEvent).where(DeviceEvent.applied_at.is_(None)).order_by(DeviceEvent.id)
    found = session.scalars(query.with_for_update(skip_locked=True)).all()
    return sum(_take_in(session, event, session.get_one(Device, event.device_id), now) for event in found)


def _take_in(session: Session, event: DeviceEvent, device: Device, now: datetime) -> bool:
    event_id = event.id
    try:
        with session.begin_nested():
            _apply(session, event, device, now)
    except Exception as error:
        # Whatever it was, the message must not be lost with it.
        log.error("device event %s could not be taken in (%s); it is tried again", event_id, where(error))
        return False
    return True


def _apply(session: Session, event: DeviceEvent, device: Device, now: datetime) -> None:
    row = _alarmed_case(session, device.elder_id)
    if row is None and (event.test or event.kind == CANCEL):
        row = _newest_case(session, device.elder_id)
    elif row is None:
        row = case_today(session, device.elder_id, now)
    if row is not None:
        if not event.test and event.kind != CANCEL:
            _alarm(session, row, DeviceKind(event.kind), now)
        _log(session, row, event, device, now)
        event.checkin_id = row.id
    event.applied_at = now


def _alarmed_case(session: Session, elder_id: str) -> Checkin | None:
    """An emergency of this elder that nobody has closed, of whatever day."""
    query = select_cases().where(Checkin.elder_id == elder_id, Checkin.status == Status.NEEDS_PERSON)
    query = query.where(Checkin.urgency == Urgency.EMERGENCY).order_by(Checkin.date.desc()).limit(1)
    row: Checkin | None = session.scalars(query.with_for_update(of=Checkin)).one_or_none()
    return row


def _newest_case(session: Session, elder_id: str) -> Checkin | None:
    query = select_cases().where(Checkin.elder_id == elder_id).order_by(Checkin.date.desc()).limit(1)
    row: Checkin | None = session.scalars(query).one_or_none()
    return row


def _alarm(session: Session, row: Checkin, kind: DeviceKind, now: datetime) -> None:
    """An emergency, whatever the case was. One that is open goes on as it is; but it begins anew when whoever was there
    has said that all is well, and when more people are to be rung for it than before."""
    before = case_of(row)
    fire = kind is DeviceKind.SMOKE or before.reason is not Reason.SMOKE
    reason = _REASONS[kind] if fire else Reason.SMOKE
    if not before.alarm:
        put_case(row, ladder.need_person(replace(before, owner=None), reason, Urgency.EMERGENCY, now))
        searches.start(session, row, now)
        row.due_at = now
        return
    row.reason = reason
    search = searches.search_of(row)
    plan = policies.escalation(row.elder).plan(Urgency.EMERGENCY, device=True)
    if search is not None and search.phase is Phase.SEARCHING and search.plan != plan:
        searches.start(session, row, now)
        row.due_at = now
    else:
        searches.cried_again(session, row, now)


def _log(session: Session, row: Checkin, event: DeviceEvent, device: Device, now: datetime) -> None:
    what = f"device_test:{device.kind}" if event.test else f"device:{event.kind}"
    detail = {"device": device.id} | ({"word": event.word} if event.word else {})
    log_event(session, row, what, LINE, now, detail=detail)
    if not event.test:
        log.warning("device %s: %s; see case %s", device.id, event.kind, row.id)
