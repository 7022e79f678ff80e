"""The carrier's REST through the official SDK: calls and recordings. Blocking; run it in threads.

No request is repeated here: creating a call is not idempotent.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

import httpx
import requests
from twilio.base.exceptions import TwilioRestException
from twilio.http.http_client import TwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from ivr.endings import BAD_NUMBER_CODES
from ivr.ports import CallOrder, Placing
from ivr.twilio.config import TwilioConfig

EVENTS = ["initiated", "ringing", "answered", "completed"]
# The flow says goodbye after 10 min, and somebody who was put through may talk for 30 (ivr.twilio.documents); the
# carrier cuts what goes on after that.
TIME_LIMIT_S = 660 + 120 + 30 * 60
MAX_RECORDING_BYTES = 16 * 1024 * 1024  # 3 min of 16-bit audio at 8 kHz are 2.9 MB
MAX_LISTED = 50

log = logging.getLogger(__name__)

# The SDK logs request parameters, urllib3 request lines: both would put telephone numbers into the log.
_silent = logging.getLogger("wenan.silent")
_silent.addHandler(logging.NullHandler())
_silent.propagate = False
_silent.setLevel(logging.CRITICAL + 1)


@dataclass(frozen=True)
class CarrierCall:
    """A call as the carrier shows it. `begun`: start, or creation while it is queued."""

    sid: str
    status: str
    begun: datetime | None


@dataclass(frozen=True)
class Created:
    """The carrier's answer to an order. `sid` when it took it; `reason` when not (codes only, nothing personal)."""

    placing: Placing
    sid: str = ""
    reason: str = ""


class UnreachableError(Exception):
    """The carrier could not be asked, or answered uselessly."""


class TwilioRest:
    def __init__(self, config: TwilioConfig) -> None:
        logging.getLogger("urllib3").setLevel(logging.INFO)
        self._config = config
        http = _HttpClient(config.api_base, config.rest_timeout_s)
        self._client = Client(config.account_sid, config.tokens[0], http_client=http)

    def create(self, order: CallOrder) -> Created:
        """Asks for one call, once. Every failure is one of Placing's words; nothing is raised."""
        try:
            created = self._client.calls.create(**self.fields(order))
        except TwilioRestException as error:
            return _refusal(error)
        except requests.exceptions.ConnectionError as error:
            reason = _root(error)
            never_sent = reason in ("NewConnectionError", "ConnectTimeoutError", "NameResolutionError")
            return Created(Placing.REFUSED if never_sent else Placing.UNKNOWN, reason=reason)
        except Exception as error:  # time-outs, half an answer, no JSON: it may ring
            return Created(Placing.UNKNOWN, reason=type(error).__name__)
        return Created(Placing.PLACED, str(created.sid)) if created.sid else Created(Placing.UNKNOWN, reason="no sid")

    def fetch(self, sid: str) -> CarrierCall | None:
        """None: the carrier knows no such call. UnreachableError."""
        try:
            return _shown(self._client.calls(sid).fetch())
        except TwilioRestException as error:
            if error.status == 404:
                return None
            raise UnreachableError(f"status {error.status}") from error
        except Exception as error:
            raise UnreachableError(type(error).__name__) from error

    def find(self, number: str, since: datetime) -> Sequence[CarrierCall]:
        """Calls from our line to `number` that began at or after `since`. UnreachableError."""
        try:
            found = self._client.calls.page(  # one page, newest first: nobody is rung so often
                to=number, from_=self._config.from_number, start_time_after=since, page_size=MAX_LISTED
            )
            return [_shown(call) for call in found]
        except Exception as error:
            raise UnreachableError(type(error).__name__) from error

    def delete_recording(self, sid: str) -> None:
        """Deletes it at the carrier; one that is gone already is fine. UnreachableError."""
        try:
            self._client.recordings(sid).delete()
        except TwilioRestException as error:
            if error.status != 404:
                raise UnreachableError(f"status {error.status}") from error
        except Exception as error:
            raise UnreachableError(type(error).__name__) from error

    def download_recording(self, sid: str) -> bytes | None:
        """The WAV file. None: the carrier has no such recording (yet). UnreachableError. (The SDK decodes every
        answer as text, so this goes past it; the address is our own, never one that came in a webhook.)"""
        config = self._config
        url = f"{config.api_base}/2010-04-01/Accounts/{config.account_sid}/Recordings/{sid}.wav"
        auth = (config.account_sid, config.tokens[0])
        try:
            with httpx.stream("GET", url, auth=auth, timeout=config.rest_timeout_s, follow_redirects=True) as answer:
                if answer.status_code == 404:
                    return None
                answer.raise_for_status()
                return _bounded(answer)
        except httpx.HTTPError as error:
            raise UnreachableError(type(error).__name__) from error

    def fields(self, order: CallOrder) -> dict[str, Any]:
        """The order as the SDK takes it."""
        config, call = self._config, order.id
        return {
            "to": order.number,
            "from_": config.from_number,
            "url": config.webhook("voice", call=call),
            "method": "POST",
            "fallback_url": config.webhook("voice", call=call, fallback=1),
            "fallback_method": "POST",
            "status_callback": config.webhook("status", call=call),
            "status_callback_method": "POST",
            "status_callback_event": EVENTS,
            "timeout": order.ring_s,
            "time_limit": TIME_LIMIT_S,
            "machine_detection": "DetectMessageEnd",
            "async_amd": "true",
            "async_amd_status_callback": config.webhook("amd", call=call),
            "async_amd_status_callback_method": "POST",
        }


class _HttpClient(TwilioHttpClient):  # type: ignore[misc]
    """The SDK's client, aimed at any base address, silent, and without repetition."""

    def __init__(self, base: str, timeout_s: float) -> None:
        super().__init__(timeout=timeout_s, max_retries=0, logger=_silent)
        self._base = base

    def request(self, method: str, url: str, *args: Any, **kwargs: Any) -> Response:
        parts = urlsplit(url)
        path = f"{parts.path}?{parts.query}" if parts.query else parts.path
        # A connection kept alive may be closed by the other side just when it is used again: then nobody could tell
        # whether a call was created.
        kwargs["headers"] = {**(kwargs.get("headers") or {}), "Connection": "close"}
        return super().request(method, self._base + path, *args, **kwargs)


def _refusal(error: TwilioRestException) -> Created:
    reason = f"status {error.status} code {error.code}"
    if error.code in BAD_NUMBER_CODES:
        return Created(Placing.BAD_NUMBER, reason=reason)
    if 400 <= error.status < 500 and error.status != 408:
        return Created(Placing.REFUSED, reason=reason)
    return Created(Placing.UNKNOWN, reason=reason)


def _root(error: requests.exceptions.ConnectionError) -> str:
    """The name of what lies below: only a connection that never stood is sure to have carried nothing."""
    inner = error.args[0] if error.args else error
    return type(getattr(inner, "reason", None) or inner).__name__


def _shown(call: Any) -> CarrierCall:
    return CarrierCall(str(call.sid), str(call.status), call.start_time or call.date_created)


def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    for piece in answer.iter_bytes():
        body += piece
        if len(body) > MAX_RECORDING_BYTES:
            raise UnreachableError("a recording over the size limit")
    return bytes(body)
