"""A telephone in somebody's hand: what is said comes out even, keys one after the other, and one call at a time."""

from __future__ import annotations

import pytest

from ivr.virtual.acoustics import tone
from ivr.virtual.behaviour import KEY_GAP_FRAMES
from ivr.virtual.handset import AHEAD, BEHIND, MOST, Exchange, Handset, Mouth
from ivr.virtual.phone import FRAME_BYTES, SILENCE, Phone, PhoneKind

VOICE = tone(440, 0.02)


def voices(many: int) -> bytes:
    return VOICE * many


def test_a_voice_begins_when_a_few_frames_are_in_hand_and_again_after_a_gap() -> None:
    mouth = Mouth()
    mouth.add(voices(AHEAD - 1) + VOICE[:80])
    assert mouth.frame() == SILENCE
    mouth.add(VOICE[80:])
    assert [mouth.frame() for _ in range(AHEAD + 1)] == [VOICE] * AHEAD + [SILENCE]
    mouth.add(VOICE)
    assert mouth.frame() == SILENCE


def test_a_voice_that_lags_leaves_out_silence_before_speech() -> None:
    mouth = Mouth()
    mouth.add(SILENCE * 20 + voices(5))
    assert mouth.frame() == SILENCE
    rest = [mouth.frame() for _ in range(BEHIND)]
    assert rest.count(VOICE) == 5
    mouth.add(voices(3 * MOST))
    heard = [mouth.frame() for _ in range(3 * MOST)]
    assert heard.count(VOICE) == MOST


def test_keys_come_one_after_the_other_and_others_are_refused() -> None:
    handset = Handset(lambda frame: None)
    handset.press("1")
    handset.press("#")
    keys = [handset.move().keys for _ in range(2 * KEY_GAP_FRAMES)]
    assert [key for key in keys if key] == ["1", "#"]
    assert keys[0] == "1"
    with pytest.raises(ValueError, match="key"):
        handset.press("A")


def test_what_is_heard_reaches_the_ear_and_hanging_up_the_line() -> None:
    heard: list[bytes] = []
    handset = Handset(heard.append)
    handset.hear(VOICE, ("greet.ask",))
    assert heard == [VOICE]
    assert len(VOICE) == FRAME_BYTES
    handset.hang_up()
    assert handset.move().hang_up


def test_a_handset_rings_where_it_is_plugged_in_once_until_it_is_picked_up() -> None:
    exchange = Exchange(lambda number: Phone(PhoneKind.NO_ANSWER))
    handset = Handset(lambda frame: None)
    assert exchange("+862110000001").kind is PhoneKind.NO_ANSWER
    exchange.plug_in("+862110000001", handset)
    with pytest.raises(ValueError, match="already"):
        exchange.plug_in("+862110000001", Handset(lambda frame: None))
    phone = exchange("+862110000001")
    assert phone.kind is PhoneKind.ANSWERS
    assert phone.picked_up is not None
    assert not phone.picked_up()
    handset.pick_up()
    assert phone.picked_up()
    assert exchange("+862110000001").kind is PhoneKind.BUSY
    exchange.unplug("+862110000001", Handset(lambda frame: None))
    assert exchange.plugged
    exchange.unplug("+862110000001", handset)
    assert exchange("+862110000001").kind is PhoneKind.NO_ANSWER
