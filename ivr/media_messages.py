"""Twilio Media Streams as we, the application, speak it: messages of the carrier in, ours out. Sans-IO.

Source: Twilio, "Media Streams - WebSocket messages". Order: connected, start, then media, dtmf,
mark in any order, stop. A message with a number that was passed already is ignored; anything else that breaks the
protocol is a `ProtocolError`, which ends this one call.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

FRAME_BYTES = 160  # 20 ms of 8 kHz μ-law
MAX_MESSAGE_BYTES = 64 * 1024
MAX_PAYLOAD_BYTES = 16_000  # 2 s of audio in one message: nobody sends that
MAX_PARAMETERS = 20
_KEYS = frozenset("0123456789*#ABCD")


class ProtocolError(Exception):
    """The carrier broke the protocol; the message says how, and repeats nothing of what was sent."""


@dataclass(frozen=True)
class Start:
    stream_sid: str
    call_sid: str
    parameters: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Media:
    audio: bytes  # μ-law, any length


@dataclass(frozen=True)
class Dtmf:
    digit: str


@dataclass(frozen=True)
class Mark:
    name: str


@dataclass(frozen=True)
class Stop:
    """The call is over on the other side."""


Message = Start | Media | Dtmf | Mark | Stop


class StreamReader:
    """Reads one stream's messages in order."""

    def __init__(self) -> None:
        self.stream_sid = ""
        self.ignored = 0  # messages that came late or twice
        self._last = 0
        self._stopped = False

    def read(self, text: str) -> Message | None:
        """One message; None when there is nothing to do for it."""
        message = _parse(text)
        event = message.get("event")
        if event == "connected":
            self._only_before_start()
            return None
        if event == "start":
            return self._start(message)
        if not self.stream_sid:
            raise ProtocolError("a message before start")
        if message.get("streamSid") != self.stream_sid:
            raise ProtocolError("a message of another stream")
        if self._late(message):
            self.ignored += 1
            return None
        return self._running(event, message)

    def _running(self, event: object, message: Mapping[str, Any]) -> Message | None:
        if self._stopped:
            raise ProtocolError("a message after stop")
        if event == "media":
            return _media(message)
        if event == "dtmf":
            return _dtmf(message)
        if event == "mark":
            return Mark(_text(_part(message, "mark"), "name"))
        if event == "stop":
            self._stopped = True
            return Stop()
        return None  # events of a newer protocol don't concern us

    def _start(self, message: Mapping[str, Any]) -> Start:
        self._only_before_start()
        part = _part(message, "start")
        media = _part(part, "mediaFormat")
        if (media.get("encoding"), str(media.get("sampleRate")), str(media.get("channels"))) != (
            "audio/x-mulaw",
            "8000",
            "1",
        ):
            raise ProtocolError("a media format other than one channel of 8 kHz μ-law")
        parameters = part.get("customParameters") or {}
        if not isinstance(parameters, dict) or len(parameters) > MAX_PARAMETERS:
            raise ProtocolError("customParameters is no small object")
        start = Start(_text(part, "streamSid"), _text(part, "callSid"), {k: str(v) for k, v in parameters.items()})
        self.stream_sid = start.stream_sid
        self._late(message)
        return start

    def _only_before_start(self) -> None:
        if self.stream_sid:
            raise ProtocolError("connected or start a second time")

    def _late(self, message: Mapping[str, Any]) -> bool:
        """Whether a later message was read before; messages without a number are in time."""
        raw = message.get("sequenceNumber")
        if raw is None:
            return False
        number = _number(raw)
        if number <= self._last:
            return True
        self._last = number
        return False


class StreamWriter:
    """Writes our messages for one stream."""

    def __init__(self, stream_sid: str) -> None:
        quoted = orjson.dumps(stream_sid).decode()
        self._media = f'{{"event":"media","streamSid":{quoted},"media":{{"payload":"'
        self._sid = stream_sid
        self.clear = orjson.dumps({"event": "clear", "streamSid": stream_sid}).decode()
        self.silence = self.media(b"\xff" * FRAME_BYTES)

    def media(self, frame: bytes) -> str:
        """`frame`: μ-law. Written by hand: this runs 50 times a second in every call."""
        return f'{self._media}{base64.b64encode(frame).decode("ascii")}"}}}}'

    def mark(self, name: str) -> str:
        return orjson.dumps({"event": "mark", "streamSid": self._sid, "mark": {"name": name}}).decode()


def _parse(text: str) -> Mapping[str, Any]:
    if len(text) > MAX_MESSAGE_BYTES:
        raise ProtocolError("a message longer than 64 KiB")
    try:
        message = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ProtocolError("a message that is not JSON") from None
    if not isinstance(message, dict):
        raise ProtocolError("a message that is no object")
    return message


def _media(message: Mapping[str, Any]) -> Media | None:
    part = _part(message, "media")
    if part.get("track", "inbound") not in ("inbound", "inbound_track"):
        return None  # our own audio, mirrored
    payload = part.get("payload")
    if not isinstance(payload, str) or len(payload) > MAX_PAYLOAD_BYTES * 4 // 3 + 4:
        raise ProtocolError("a payload that is missing or too long")
    try:
        return Media(base64.b64decode(payload, validate=True))
    except (binascii.Error, ValueError):
        raise ProtocolError("a payload that is not base64") from None


def _dtmf(message: Mapping[str, Any]) -> Dtmf:
    digit = _part(message, "dtmf").get("digit")
    if not isinstance(digit, str) or digit not in _KEYS:
        raise ProtocolError("a key that no telephone has")
    return Dtmf(digit)


def _part(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = message.get(name)
    if not isinstance(part, dict):
        raise ProtocolError(f"{name} without its details")
    return part


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= 200:
        raise ProtocolError(f"{name} is missing or no short text")
    return value


def _number(raw: object) -> int:
    if isinstance(raw, int) and not isinstance(raw, bool):
        return raw
    if isinstance(raw, str) and raw.isascii() and raw.isdecimal() and len(raw) < 16:
        return int(raw)
    raise ProtocolError("sequenceNumber is no number")
