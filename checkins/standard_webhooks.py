"""Signed messages over HTTP by the Standard Webhooks scheme, in and out (https://www.standardwebhooks.com, spec 1.0.0).

Three headers: `webhook-id` (the same in every attempt to deliver one message), `webhook-timestamp` (seconds since 1970
of the attempt) and `webhook-signature` ("v1," and the base64 of HMAC-SHA256 over "ID.TIMESTAMP.BODY"; several,
separated by spaces, while a secret is being changed). A secret is "whsec_" and the base64 of 24 to 64 bytes.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"
TOLERANCE = timedelta(minutes=5)  # the spec's own libraries take as much
SECRET_BYTES = 32
_PREFIX, _VERSION = "whsec_", "v1,"
_MESSAGE_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")  # no full stop: "a.1" and "2" would be signed like "a" and "1.2"
_SECONDS = re.compile(r"[0-9]{1,11}")
_SIGNATURES = 10  # looked at; nobody sends more


class RefusedError(Exception):
    """Not a message of who has the secret, or an old one. Says what is wrong; holds nothing secret."""


@dataclass(frozen=True)
class Stamp:
    """What a verified message says of itself. `off`: how far its clock is behind ours, if too far."""

    message_id: str
    sent_at: datetime
    off: timedelta | None = None


class WrongClockError(RefusedError):
    """Signed by who has the secret, but not now: an old message, or a clock that is wrong."""

    def __init__(self, stamp: Stamp) -> None:
        assert stamp.off is not None
        super().__init__(f"sent {stamp.off.total_seconds():.0f} s ago by the sender's clock")
        self.stamp = stamp


def new_secret() -> str:
    return _PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed(secret: str, message_id: str, at: datetime, body: bytes) -> dict[str, str]:
    """The headers of a message that is sent at `at`. ValueError for a secret that is none."""
    stamp = str(int(at.timestamp()))
    mac = base64.b64encode(_mac(_key(secret), message_id, stamp, body)).decode()
    return {ID: message_id, TIMESTAMP: stamp, SIGNATURE: _VERSION + mac}


def verify(secret: str, headers: Mapping[str, str], body: bytes, now: datetime) -> Stamp:
    """RefusedError unless the message was signed with `secret`; WrongClockError when that was more than 5 min ago or
    ahead. `headers` by their names in lower case. That it has not come before is for the caller to see: a signature can
    be sent again."""
    message_id, stamp = headers.get(ID, ""), headers.get(TIMESTAMP, "")
    if not _MESSAGE_ID.fullmatch(message_id) or not _SECONDS.fullmatch(stamp):
        raise RefusedError("no message id or no time")
    if not _matches(_mac(_key(secret), message_id, stamp, body), headers.get(SIGNATURE, "")):
        raise RefusedError("the signature is wrong")
    sent_at = datetime.fromtimestamp(int(stamp), UTC)
    if abs(now - sent_at) > TOLERANCE:
        raise WrongClockError(Stamp(message_id, sent_at, now - sent_at))
    return Stamp(message_id, sent_at)


def _mac(key: bytes, message_id: str, stamp: str, body: bytes) -> bytes:
    return hmac.digest(key, f"{message_id}.{stamp}.".encode() + body, hashlib.sha256)


def _matches(mac: bytes, given: str) -> bool:
    """In a time that doesn't tell how much of a signature is right."""
    wanted = base64.b64encode(mac)
    tokens = [each.removeprefix(_VERSION) for each in given.split(" ")[:_SIGNATURES] if each.startswith(_VERSION)]
    return any([hmac.compare_digest(wanted, each.encode("utf-8", "replace")) for each in tokens])


def _key(secret: str) -> bytes:
    try:
        return base64.b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise ValueError("a secret is whsec_ and base64") from None
