"""The WebSocket of Asterisk's chan_websocket as we, the application, speak it: its messages in, ours out. Sans-IO.

Binary messages are raw G.711, text messages one JSON object each. Source: Asterisk documentation, "Channel Drivers:
WebSocket" (JSON control messages: Asterisk 20.18, 22.8, 23.2 and later).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from ivr.media_messages import ProtocolError
from speech.g711 import alaw_decode, alaw_encode, ulaw_decode, ulaw_encode

FORMATS = ("ulaw", "alaw")
MAX_BINARY = 16_000  # bytes, 2 s: Asterisk sends 160 at a time
MAX_TEXT = 64 * 1024
_KEYS = frozenset("0123456789*#ABCD")


@dataclass(frozen=True)
class Begun:
    """The connection stands. `variables`: of the channel; `format`: what goes over it, both ways."""

    channel_id: str
    format: str
    variables: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class Audio:
    ulaw: bytes


@dataclass(frozen=True)
class Digit:
    digit: str


@dataclass(frozen=True)
class MarkReached:
    name: str


@dataclass(frozen=True)
class Paused:
    """Asterisk's queue is nearly full: nothing more until `Resumed`."""


@dataclass(frozen=True)
class Resumed:
    pass


Event = Begun | Audio | Digit | MarkReached | Paused | Resumed


class Wire:
    """One connection. ProtocolError, which repeats nothing of what was sent, ends this one call."""

    def __init__(self) -> None:
        self._format = ""

    def read(self, message: str | bytes) -> Event | None:
        """None: nothing to do for it."""
        if isinstance(message, bytes):
            return self._audio(message)
        return self._event(_parse(message))

    def audio(self, ulaw: bytes) -> bytes:
        """A frame for Asterisk, in the format of this connection."""
        return ulaw if self._format == "ulaw" else alaw_encode(ulaw_decode(ulaw))

    def _audio(self, raw: bytes) -> Audio:
        if not self._format:
            raise ProtocolError("audio before MEDIA_START")
        if len(raw) > MAX_BINARY:
            raise ProtocolError("a piece of audio that is too long")
        return Audio(raw if self._format == "ulaw" else ulaw_encode(alaw_decode(raw)))

    def _event(self, message: Mapping[str, Any]) -> Event | None:
        match message.get("event"):
            case "MEDIA_START":
                return self._start(message)
            case "DTMF_END":
                return _digit(message)
            case "MEDIA_MARK_PROCESSED":
                return MarkReached(_text(message, "correlation_id"))
            case "MEDIA_XOFF":
                return Paused()
            case "MEDIA_XON":
                return Resumed()
        return None  # events of a newer protocol don't concern us

    def _start(self, message: Mapping[str, Any]) -> Begun:
        if self._format:
            raise ProtocolError("MEDIA_START a second time")
        coded = message.get("format")
        if coded not in FORMATS:
            raise ProtocolError("a format other than ulaw and alaw")
        self._format = coded
        given = message.get("channel_variables") or {}
        variables = {key: value for key, value in given.items() if isinstance(value, str)}
        return Begun(_text(message, "channel_id"), coded, variables)


def command(name: str, **values: str) -> str:
    """FLUSH_MEDIA, MARK_MEDIA, HANGUP …"""
    return orjson.dumps({"command": name, **values}).decode()


FLUSH = command("FLUSH_MEDIA")
HANG_UP = command("HANGUP")


def mark(name: str) -> str:
    return command("MARK_MEDIA", correlation_id=name)


def _parse(text: str) -> Mapping[str, Any]:
    if len(text) > MAX_TEXT:
        raise ProtocolError("a message longer than 64 KiB")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ProtocolError("a message that is not JSON (chan_websocket.conf: control_message_format=json)") from None
    if not isinstance(message, dict):
        raise ProtocolError("a message that is no object")
    return message


def _digit(message: Mapping[str, Any]) -> Digit:
    digit = message.get("digit")
    if not isinstance(digit, str) or digit not in _KEYS:
        raise ProtocolError("a key that no telephone has")
    return Digit(digit)


def _text(message: Mapping[str, Any], name: str) -> str:
    value = message.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise ProtocolError(f"{name} is missing or no short text")
    return value
