"""What the book of calls does to its rows: small steps inside one transaction, and the values it hands out."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session as DbSession

from ivr import outbox
from ivr.ports import CallOrder, CallReport, Disposition, PersonResult
from ivr.records import Call, CallEvent, CallNews, CallState, WebhookInbox
from ivr.reports import order_from_json, order_to_json

log = logging.getLogger(__name__)

LOST = "lost"  # the carrier, asked, knew no such call


@dataclass(frozen=True)
class LogEntry:
    """One line of a call's log. `at_ms`: audio time since answer. `detail` is personal."""

    kind: str
    at_ms: int = 0
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class CallStart:
    """What the media server needs to begin, or to go on (`session` is not None)."""

    call_id: str
    call_sid: str
    order: CallOrder
    session: dict[str, Any] | None
    part: int = 1  # which stream of the call it is: one that was handed over in vain has another
    at_ms: int = 0  # since answer, when it isn't the first


def order(session: DbSession, order: CallOrder, now: datetime) -> bool:
    if session.get(Call, order.id) is not None:
        return False
    session.add(Call(id=order.id, number=order.number, order=order_to_json(order), ordered_at=now))
    return True


def locked(session: DbSession, call_id: str) -> Call | None:
    return session.get(Call, call_id, with_for_update=True)


def event(call_id: str, entry: LogEntry, now: datetime) -> CallEvent:
    return CallEvent(call_id=call_id, at=now, kind=entry.kind, at_ms=entry.at_ms, detail=dict(entry.detail))


def claim(call: Call | None, sid: str) -> bool:
    """Binds the carrier's call to ours. False: there is none, or it is bound to another."""
    if call is None or not sid:
        return False
    if call.carrier_sid is None:
        call.carrier_sid = sid[:64]
        if call.state == CallState.ORDERED:
            call.state = CallState.PLACED
    if call.carrier_sid != sid:
        log.error("call %s: the carrier speaks of another call under its address; ignored", call.id)
        return False
    return True


def refuse(call: Call | None, disposition: Disposition, reason: str, now: datetime) -> None:
    if call is not None and call.state == CallState.ORDERED:
        call.state, call.disposition, call.reason, call.ended_at = CallState.OVER, disposition, reason[:100], now


def lose(call: Call | None) -> None:
    if call is not None:
        call.reason = LOST


def last_word_ahead(call: Call) -> bool:
    """Whether somebody will still say what was heard: a media stream that began, or a recording of the carrier."""
    if call.verbs is not None:
        return bool(call.verbs.get("wait", {}).get("kind") == "dictate")
    return call.token_used_at is not None and call.interrupted_at is None


def never_asked(call: Call) -> bool:
    """The carrier says that it is over, and never asked what to say in it: whoever picked up heard nothing from us."""
    return call.answered_at is None and call.session is None and call.last_sequence < 0


def said_no(call: Call) -> Disposition | None:
    """Refused by the carrier when it was placed, and nobody was told: the process died in between."""
    if call.carrier_sid is not None or call.disposition is None:
        return None
    return Disposition(call.disposition)


def pick_up(call: Call | None, sid: str, now: datetime) -> Call | None:
    if call is None or call.state == CallState.OVER or not claim(call, sid):
        return None
    advance(call, "in-progress", now)
    return call


def advance(call: Call, status: str, now: datetime) -> None:
    """A status that ends nothing; a call never goes back."""
    if status == "ringing" and call.state in (CallState.ORDERED, CallState.PLACED):
        call.state, call.ringing_at = CallState.RINGING, now
    elif status in ("in-progress", "answered") and call.state not in (CallState.TALKING, CallState.OVER):
        call.state, call.answered_at = CallState.TALKING, now


def token_hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def set_token(call: Call | None, hashed: str) -> bool:
    if call is None or call.token_used_at is not None:
        return False
    call.token_hash = hashed
    return True


def ring_out(session: DbSession, call: Call, leg: CallOrder, n: int, number: int, now: datetime) -> None:
    """Out of this call somebody else is rung. The stream it had is over: the next one gets a token of its own."""
    order(session, leg, now)
    call.handing = {**(call.handing or {}), "n": n, "leg": leg.id, "number": number}
    call.token_hash = call.token_used_at = None


def nobody_there(call: Call, number: int) -> None:
    """Nobody was to be had for this hand-over of the call. A new stream may go on with it."""
    before = call.handing or {}
    call.handing = {"n": 0, **before, "nobody": number, "streams": before.get("streams", 1) + 1}
    call.token_hash = call.token_used_at = None


def use_token(session: DbSession, hashed: str, call_sid: str, now: datetime) -> CallStart | None:
    call = session.scalar(select(Call).where(Call.token_hash == hashed).with_for_update())
    if call is None or call.carrier_sid != call_sid or call.token_used_at or call.state == CallState.OVER:
        return None
    if outbox.known(session, call.id, outbox.FINAL):
        return None
    call.token_used_at = now
    part, since = (call.handing or {}).get("streams", 1), now - (call.answered_at or now)
    at_ms = round(since / timedelta(milliseconds=1)) if part > 1 else 0
    return CallStart(call.id, call_sid, order_from_json(call.order), call.session, part, at_ms)


def seen(session: DbSession, key: str) -> bool:
    return session.scalar(select(WebhookInbox.id).where(WebhookInbox.key == key)) is not None


def finish(
    session: DbSession, call: Call, disposition: Disposition, people: tuple[PersonResult, ...], now: datetime
) -> int | None:
    """The final report, once. None: it was written before."""
    report = CallReport(call.id, now, final=True, disposition=disposition, people=people, reason=call.reason)
    news = outbox.put(session, report, outbox.FINAL, now)
    if news is not None:
        call.disposition = disposition
    return news


def break_off(session: DbSession, began: datetime, now: datetime) -> list[str]:
    """Marks conversations that a crash cut (begun before this process was); the ids of all calls on a line."""
    calls = session.scalars(select(Call).where(Call.state != CallState.OVER, Call.reason != LOST)).all()
    for call in calls:
        ours = call.answered_at is None or began < call.answered_at <= now  # later: by a clock that ran fast
        if not ours and call.interrupted_at is None:
            call.interrupted_at = now
    for call in session.scalars(unreported()):
        call.interrupted_at = call.interrupted_at or now
    return [call.id for call in calls]


def unreported() -> Select[Any]:
    """Calls that are over and have no final report, but for those that the carrier refused (told by the answer)."""
    final = select(CallNews.id).where(CallNews.call_id == Call.id, CallNews.key == outbox.FINAL)
    return select(Call).where(Call.state == CallState.OVER, Call.carrier_sid.is_not(None), ~final.exists())


def without_report(session: DbSession, before: datetime) -> list[str]:
    return [call.id for call in session.scalars(unreported().where(Call.ended_at <= before))]
