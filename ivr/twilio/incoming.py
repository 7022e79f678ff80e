"""A request of the carrier: read within bounds, its signature checked, its form taken apart. Nothing else happens
before that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import parse_qsl
from uuid import UUID, uuid5

from starlette.datastructures import Headers, QueryParams
from starlette.requests import ClientDisconnect, Request
from starlette.types import Scope
from starlette.websockets import WebSocket

from ivr.twilio.config import TwilioConfig
from ivr.twilio.signature import HEADER, Form, Signatures

MAX_BODY = 64 * 1024
MAX_FIELDS = 200
READ_S = 5.0
_INBOUND = UUID("5a1d3f0e-8c0b-4a39-9d0a-6f2f1c7be4a1")  # namespace of the ids of calls made to us
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"


class RefusedError(Exception):
    """The request is answered with this HTTP status, and nothing changes."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


@dataclass(frozen=True)
class Incoming:
    """A request that the carrier signed."""

    form: Form
    query: QueryParams
    at: datetime  # when it came in

    @property
    def call_id(self) -> str:
        """Ours. A call that somebody makes to us gets it from the carrier's: the same for all requests of that call."""
        return _clean(self.query.get("call", "")) or (str(uuid5(_INBOUND, self.call_sid)) if self.inbound else "")

    @property
    def inbound(self) -> bool:
        return self.form.get("Direction", "").startswith("inbound") and bool(self.call_sid)

    @property
    def leg(self) -> str:
        """A call that was made out of this one."""
        return _clean(self.query.get("leg", ""))

    @property
    def call_sid(self) -> str:
        return self.form.get("CallSid", "")

    def number(self, name: str) -> int:
        """A count in the query (ours, so it is signed); 0 when there is none."""
        text = self.query.get(name, "")
        return int(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0


class Gate:
    """Lets in what the carrier signed over our public address; the Host header plays no part."""

    def __init__(self, config: TwilioConfig, now: Callable[[], datetime]) -> None:
        self._now = now
        self._base = config.public_url
        self._media_url = config.media_url
        self._signatures = Signatures(config.tokens)

    async def read(self, request: Request) -> Incoming:
        """RefusedError: 413 too long, 403 not signed (or it can't be checked), 400 signed but no form."""
        at = self._now()
        body = await _body(request)
        url = self._base + _target(request.scope)
        kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        given = request.headers.get(HEADER, "")
        if kind == _JSON:
            form, signed = _json_form(body), self._signatures.valid_json(url, body, given)
        else:
            form = _form(body) if kind == _FORM else Form() if not body else None
            signed = form is not None and self._signatures.valid(url, form, given)
        if not signed:
            raise RefusedError(403, "no valid signature")
        if form is None:
            raise RefusedError(400, "no form")
        cleaned = Form([(_clean(key), _clean(value)) for key, value in form.multi_items()])
        return Incoming(cleaned, request.query_params, at)

    def handshake(self, websocket: WebSocket) -> bool:
        """Whether the carrier signed this WebSocket's handshake. Our media address has no query."""
        if websocket.scope.get("query_string"):
            return False
        return self._signatures.valid(self._media_url, Form(), Headers(scope=websocket.scope).get(HEADER, ""))


def _clean(text: str) -> str:
    """PostgreSQL stores no NUL."""
    return text.replace("\0", "")


def _target(scope: Scope) -> str:
    """Path and query exactly as they were asked for; what is not ASCII can't have been signed."""
    path = scope.get("raw_path") or scope["path"].encode()
    query = scope.get("query_string", b"")
    try:
        return bytes(path + (b"?" + query if query else b"")).decode("ascii")
    except UnicodeDecodeError:
        raise RefusedError(403, "no valid signature") from None


async def _body(request: Request) -> bytes:
    body = bytearray()
    try:
        async with asyncio.timeout(READ_S):
            async for piece in request.stream():
                body += piece
                if len(body) > MAX_BODY:
                    raise RefusedError(413, f"more than {MAX_BODY} bytes")
    except (TimeoutError, ClientDisconnect):
        raise RefusedError(408, "the body did not arrive") from None
    return bytes(body)


def _form(body: bytes) -> Form | None:
    try:
        text = body.decode("ascii")
        return Form(parse_qsl(text, keep_blank_values=True, max_num_fields=MAX_FIELDS))
    except (UnicodeDecodeError, ValueError):
        return None


def _json_form(body: bytes) -> Form | None:
    """A flat object of strings, else None."""
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        return None
    return Form(found)
