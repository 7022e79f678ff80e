"""Twilio Media Streams as the carrier speaks it: messages to the application, checks of what it sends. Sans-IO.

Source: Twilio, "Media Streams - WebSocket messages". Numbers travel as strings (mediaFormat's excepted).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from .phone import FRAME_MS


class StreamError(Exception):
    """The application broke the protocol; Twilio would stop the stream (error 31951)."""


@dataclass(frozen=True)
class Media:
    audio: bytes


@dataclass(frozen=True)
class Mark:
    name: str


@dataclass(frozen=True)
class Clear:
    pass


class StreamMessages:
    """Writes one stream's messages with their running numbers; reads the application's."""

    def __init__(self, account_sid: str, call_sid: str, stream_sid: str, parameters: Mapping[str, str]) -> None:
        self._account_sid = account_sid
        self._call_sid = call_sid
        self.stream_sid = stream_sid
        self._parameters = dict(parameters)
        self._sequence = 0
        self._chunk = 0

    def connected(self) -> str:
        return _text({"event": "connected", "protocol": "Call", "version": "1.0.0"})

    def start(self) -> str:
        details = {
            "accountSid": self._account_sid,
            "streamSid": self.stream_sid,
            "callSid": self._call_sid,
            "tracks": ["inbound"],
            "mediaFormat": {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1},
            "customParameters": self._parameters,
        }
        return self._numbered("start", details)

    def media(self, frame: bytes) -> str:
        self._chunk += 1
        payload = base64.b64encode(frame).decode()
        timestamp = str((self._chunk - 1) * FRAME_MS)
        chunk = {"track": "inbound", "chunk": str(self._chunk), "timestamp": timestamp, "payload": payload}
        return self._numbered("media", chunk)

    def dtmf(self, key: str) -> str:
        return self._numbered("dtmf", {"track": "inbound_track", "digit": key})

    def mark(self, name: str) -> str:
        return self._numbered("mark", {"name": name})

    def stop(self) -> str:
        return self._numbered("stop", {"accountSid": self._account_sid, "callSid": self._call_sid})

    def read(self, raw: str | bytes) -> Media | Mark | Clear:
        """One message from the application; StreamError when Twilio would not take it."""
        if isinstance(raw, bytes):
            raise StreamError("binary frame")
        try:
            message = orjson.loads(raw)
        except orjson.JSONDecodeError:
            raise StreamError("not JSON") from None
        if not isinstance(message, dict) or message.get("streamSid") != self.stream_sid:
            raise StreamError("streamSid is missing or another stream's")
        event = message.get("event")
        if event == "media":
            return Media(_payload(_part(message, "media").get("payload")))
        if event == "mark":
            return Mark(_name(_part(message, "mark").get("name")))
        if event == "clear":
            return Clear()
        raise StreamError(f"unknown event {event!r}")

    def _numbered(self, event: str, details: Mapping[str, Any]) -> str:
        self._sequence += 1
        head = {"event": event, "sequenceNumber": str(self._sequence), "streamSid": self.stream_sid}
        return _text({**head, event: details})


def _text(message: Mapping[str, Any]) -> str:
    return orjson.dumps(message).decode()


def _part(message: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = message.get(name)
    if not isinstance(part, dict):
        raise StreamError(f"{name} without its details")
    return part


def _payload(value: object) -> bytes:
    try:
        audio = base64.b64decode(value if isinstance(value, str) else "", validate=True)
    except binascii.Error:
        raise StreamError("payload is not base64") from None
    if not audio:
        raise StreamError("empty payload")
    return audio


def _name(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise StreamError("mark without a name")
    return value
