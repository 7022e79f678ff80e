"""What Asterisk's WebSocket says, and what it must not be able to do."""

from __future__ import annotations

import orjson
import pytest

from ivr.asterisk.leg import Leg
from ivr.asterisk.protocol import FLUSH, Audio, Begun, Digit, MarkReached, Paused, Resumed, Wire
from ivr.media_messages import ProtocolError
from ivr.virtual.phone import SILENCE
from speech.g711 import alaw_encode, ulaw_decode

SPOKEN = bytes(range(160))


def _begun(coded: str = "ulaw") -> str:
    return orjson.dumps({"event": "MEDIA_START", "channel_id": "c1", "format": coded}).decode()


def _event(name: str, **values: str) -> str:
    return orjson.dumps({"event": name, **values}).decode()


def test_each_event_is_read() -> None:
    wire = Wire()
    assert wire.read(_begun()) == Begun("c1", "ulaw")
    assert wire.read(SPOKEN) == Audio(SPOKEN)
    assert wire.read(_event("DTMF_END", digit="5")) == Digit("5")
    assert wire.read(_event("MEDIA_MARK_PROCESSED", correlation_id="m")) == MarkReached("m")
    assert wire.read(_event("MEDIA_XOFF")) == Paused()
    assert wire.read(_event("MEDIA_XON")) == Resumed()
    assert wire.read(_event("OF_A_LATER_VERSION")) is None


def test_a_law_is_spoken_on_the_wire_where_asterisk_wants_it() -> None:
    wire = Wire()
    wire.read(_begun("alaw"))
    coded = alaw_encode(ulaw_decode(SPOKEN))
    assert wire.audio(SPOKEN) == coded
    heard = wire.read(coded)
    assert isinstance(heard, Audio)
    assert len(heard.ulaw) == 160


@pytest.mark.parametrize(
    "message",
    [
        b"\xff" * 160,
        "no json",
        "[]",
        _begun("g722"),
        "x" * 70_000,
        orjson.dumps({"event": "MEDIA_START", "format": "ulaw"}).decode(),
    ],
)
def test_what_is_no_beginning_is_refused(message: str | bytes) -> None:
    with pytest.raises(ProtocolError):
        Wire().read(message)


@pytest.mark.parametrize("message", [_begun(), _event("DTMF_END", digit="x"), _event("DTMF_END"), b"0" * 16_001])
def test_what_does_not_fit_afterwards_is_refused(message: str | bytes) -> None:
    wire = Wire()
    wire.read(_begun())
    with pytest.raises(ProtocolError):
        wire.read(message)


def test_a_barge_in_drops_what_has_not_been_sent_and_what_asterisk_still_holds() -> None:
    leg = Leg()
    leg.read(_begun())
    leg.hear(SPOKEN, ("p",))
    leg.cleared()
    assert leg.to_send() == [FLUSH]
    leg.hear(SPOKEN, ("p",))
    assert leg.to_send() == [SPOKEN]


def test_frames_and_keys_come_in_order_and_pieces_of_frames_are_put_together() -> None:
    leg = Leg()
    leg.read(_begun())
    leg.read(SPOKEN[:100])
    assert leg.move().audio == SILENCE
    leg.read(SPOKEN[100:] + SPOKEN[:80])
    leg.read(_event("DTMF_END", digit="1"))
    leg.read(_event("DTMF_END", digit="2"))
    first, second = leg.move(), leg.move()
    assert (first.audio, first.keys, second.audio, second.keys) == (SPOKEN, "1", SILENCE, "2")


def test_whose_line_is_gone_has_hung_up() -> None:
    leg = Leg()
    leg.read(_begun())
    leg.end()
    assert leg.move().hang_up
    assert leg.over.is_set()


def test_a_slow_socket_costs_old_audio_never_memory() -> None:
    leg = Leg()
    leg.read(_begun())
    for _ in range(500):
        leg.hear(SPOKEN, ("p",))
    assert len(leg.to_send()) == 50
    assert leg.lost == 450
