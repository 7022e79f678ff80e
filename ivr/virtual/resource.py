"""The Call resource: what the application ordered, what became of it, and how REST shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.utils import format_datetime

FINAL = frozenset({"completed", "busy", "failed", "no-answer", "canceled"})


@dataclass(frozen=True)
class Orders:
    """What the application asked for when it created the call (form fields of POST Calls.json)."""

    to: str
    from_: str
    url: str
    method: str = "POST"
    fallback_url: str = ""
    status_callback: str = ""
    events: frozenset[str] = frozenset({"completed"})
    ring_s: float = 60.0
    detect_machine: str = ""  # "Enable" or "DetectMessageEnd"
    amd_callback: str = ""


@dataclass
class Resource:
    """The call as REST shows it."""

    sid: str
    account_sid: str
    orders: Orders
    created: datetime
    status: str = "queued"
    started: datetime | None = None
    answered: datetime | None = None
    ended: datetime | None = None
    duration_s: int | None = None
    answered_by: str | None = None
    sip_code: str = ""
    recordings: list[str] = field(default_factory=list)
    parent_sid: str = ""  # dialled out of that call
    inbound: bool = False  # somebody rang the application's number

    @property
    def direction(self) -> str:
        if self.inbound:
            return "inbound"
        return "outbound-dial" if self.parent_sid else "outbound-api"


def rest_form(resource: Resource, prefix: str) -> Mapping[str, object]:
    """The Call resource as JSON fields (dates in RFC 2822, numbers as strings where Twilio sends strings)."""
    orders = resource.orders
    uri = f"{prefix}/Calls/{resource.sid}"
    return {
        "account_sid": resource.account_sid,
        "annotation": None,
        "answered_by": resource.answered_by,
        "api_version": "2010-04-01",
        "caller_name": None,
        "date_created": _date(resource.created),
        "date_updated": _date(resource.ended or resource.created),
        "direction": resource.direction,
        "duration": None if resource.duration_s is None else str(resource.duration_s),
        "end_time": _date(resource.ended),
        "forwarded_from": None,
        "from": orders.from_,
        "from_formatted": orders.from_,
        "group_sid": None,
        "parent_call_sid": resource.parent_sid or None,
        "phone_number_sid": None,
        "price": None,
        "price_unit": "USD",
        "queue_time": "0",
        "sid": resource.sid,
        "start_time": _date(resource.started),
        "status": resource.status,
        "subresource_uris": {"recordings": f"{uri}/Recordings.json"},
        "to": orders.to,
        "to_formatted": orders.to,
        "trunk_sid": None,
        "uri": f"{uri}.json",
    }


def _date(moment: datetime | None) -> str | None:
    return None if moment is None else format_datetime(moment - timedelta(microseconds=moment.microsecond))
