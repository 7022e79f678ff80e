"""The Media Streams reader: what Twilio sends is read, what breaks the protocol is one clear error."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest

from ivr.media_messages import Dtmf, Mark, Media, ProtocolError, Start, Stop, StreamReader, StreamWriter

SID = "MZ1"
FORMAT = {"encoding": "audio/x-mulaw", "sampleRate": 8000, "channels": 1}


def text(event: str, number: int | None = None, **details: Any) -> str:
    message: dict[str, Any] = {"event": event, "streamSid": SID, **details}
    return orjson.dumps(message | ({"sequenceNumber": str(number)} if number is not None else {})).decode()


def start(**more: Any) -> str:
    details = {"streamSid": SID, "callSid": "CA1", "mediaFormat": FORMAT, "customParameters": {"token": "t"}, **more}
    return text("start", 1, start=details)


def media(number: int, audio: bytes = b"\xff" * 160) -> str:
    payload = base64.b64encode(audio).decode()
    return text("media", number, media={"track": "inbound", "chunk": "1", "timestamp": "0", "payload": payload})


@pytest.fixture
def reader() -> StreamReader:
    reader = StreamReader()
    assert reader.read('{"event":"connected","protocol":"Call","version":"1.0.0"}') is None
    assert reader.read(start()) == Start(SID, "CA1", {"token": "t"})
    return reader


def test_a_whole_stream(reader: StreamReader) -> None:
    assert reader.read(media(2, b"abc")) == Media(b"abc")
    assert reader.read(text("dtmf", 3, dtmf={"track": "inbound_track", "digit": "#"})) == Dtmf("#")
    assert reader.read(text("mark", 4, mark={"name": "greet.ask"})) == Mark("greet.ask")
    assert reader.read(text("stop", 5, stop={})) == Stop()


def test_late_and_double_messages_are_ignored_and_counted(reader: StreamReader) -> None:
    assert reader.read(media(7)) is not None
    assert reader.read(media(7)) is None
    assert reader.read(media(6)) is None
    assert reader.read(media(9)) is not None  # gaps are the network's business
    assert reader.ignored == 2


def test_the_outbound_track_and_unknown_events_are_none_of_our_business(reader: StreamReader) -> None:
    assert reader.read(text("media", 2, media={"track": "outbound", "payload": "AAAA"})) is None
    assert reader.read(text("something_new", 3)) is None


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        ("", "not JSON"),
        ("[1]", "no object"),
        ('{"event":"media"}', "another stream"),
        ('{"event":"media","streamSid":"MZ2"}', "another stream"),
        (text("media", 2), "media without its details"),
        (text("media", 2, media={"track": "inbound"}), "payload"),
        (text("media", 2, media={"track": "inbound", "payload": "%%%"}), "not base64"),
        (text("media", 2, media={"track": "inbound", "payload": "A" * 30_000}), "too long"),
        (text("dtmf", 2, dtmf={"digit": "12"}), "key"),
        (text("mark", 2, mark={}), "name"),
        (text("mark", 2, mark={"name": "x" * 999}), "name"),
        ('{"event":"media","streamSid":"MZ1","sequenceNumber":"two"}', "sequenceNumber"),
        ('{"event":"media","streamSid":"MZ1","sequenceNumber":"²"}', "sequenceNumber"),
        (start(), "second time"),
        ("x" * 70_000, "64 KiB"),
    ],
)
def test_what_breaks_the_protocol(reader: StreamReader, said: str, complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        reader.read(said)


@pytest.mark.parametrize(
    ("said", "complaint"),
    [
        (media(1), "before start"),
        (start(mediaFormat={"encoding": "audio/l16", "sampleRate": 16000, "channels": 1}), "media format"),
        (start(callSid=""), "callSid"),
        (start(customParameters=[1]), "customParameters"),
        (start(customParameters={str(i): "x" for i in range(99)}), "customParameters"),
    ],
)
def test_a_start_that_is_none(said: str, complaint: str) -> None:
    with pytest.raises(ProtocolError, match=complaint):
        StreamReader().read(said)


def test_nothing_comes_after_stop(reader: StreamReader) -> None:
    reader.read(text("stop", 2, stop={}))
    with pytest.raises(ProtocolError, match="after stop"):
        reader.read(media(3))


def test_what_we_write_is_json_with_the_stream_in_it() -> None:
    writer = StreamWriter('MZ"1')
    assert orjson.loads(writer.media(b"\x00\xff")) == {
        "event": "media", "streamSid": 'MZ"1', "media": {"payload": "AP8="},
    }  # fmt: skip
    assert orjson.loads(writer.clear) == {"event": "clear", "streamSid": 'MZ"1'}
    assert orjson.loads(writer.mark("greet.ask"))["mark"] == {"name": "greet.ask"}
