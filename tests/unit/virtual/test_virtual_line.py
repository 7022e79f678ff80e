"""The virtual line's parts: playing out, echo, noise, pace, signature, WAV, TwiML."""

from __future__ import annotations

import asyncio
import audioop
import math
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.virtual import twiml, wav
from ivr.virtual.acoustics import EchoPath, mix, noise_bed, sounds, tone
from ivr.virtual.pace import FastPace, Ticker, WallPace
from ivr.virtual.phone import FRAME_BYTES, SILENCE, Echo
from ivr.virtual.playout import Playout
from ivr.virtual.signature import sign
from ivr.virtual.webhooks import Overrides


def dbov(ulaw: bytes) -> float:
    return 20 * math.log10(audioop.rms(audioop.ulaw2lin(ulaw, 2), 2) / 32768)


def test_signature_of_twilios_own_example() -> None:
    form = [
        ("CallSid", "CA1234567890ABCDE"),
        ("Caller", "+14158675309"),
        ("Digits", "1234"),
        ("From", "+14158675309"),
        ("To", "+18005551212"),
    ]
    assert sign("12345", "https://mycompany.com/myapp.php?foo=1&bar=2", form) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


@given(st.lists(st.one_of(st.binary(min_size=1, max_size=500), st.sampled_from(["mark", "pop", "clear"])), max_size=40))
def test_playout_loses_no_byte_and_no_mark(steps: list[bytes | str]) -> None:
    playout, given_in, out, marked, back = Playout(), bytearray(), bytearray(), 0, 0
    for step in steps:
        if isinstance(step, bytes):
            playout.push(step)
            given_in += step
        elif step == "mark":
            playout.mark(str(marked))
            marked += 1
        elif step == "clear":
            back += len(playout.clear())
            del given_in[len(out) :]
        else:
            frame, names = playout.pop()
            assert len(frame) == FRAME_BYTES
            out += frame[: max(0, len(given_in) - len(out))]
            back += len(names)
    while not playout.empty:
        frame, names = playout.pop()
        out += frame[: max(0, len(given_in) - len(out))]
        back += len(names)
    back += len(playout.pop()[1])
    assert out == given_in
    assert back == marked


def test_a_mark_comes_with_the_last_byte_before_it() -> None:
    playout = Playout()
    playout.mark("at once")
    playout.push(b"\x01" * 170)
    playout.mark("after")
    playout.push(b"\x02" * 160)
    assert playout.pop() == (b"\x01" * 160, ("at once",))
    frame, names = playout.pop()
    assert (frame[:10], names) == (b"\x01" * 10, ("after",))


def test_echo_is_late_and_quiet() -> None:
    path = EchoPath(Echo(db=20, delay_ms=100))
    played = tone(500, 0.02)
    back = [path.through(frame) for frame in [played] + [SILENCE] * 9]
    assert [i for i, frame in enumerate(back) if frame != SILENCE] == [5]
    assert dbov(back[5]) == pytest.approx(dbov(played) - 20, abs=0.5)
    assert EchoPath(None).through(played) == SILENCE


@pytest.mark.parametrize("snr", [0, 10, 20])
def test_noise_stands_so_far_below_speech(snr: float) -> None:
    bed = noise_bed(snr, seed=4)
    assert dbov(b"".join(bed)) == pytest.approx(-19 - snr, abs=0.5)
    assert bed == noise_bed(snr, seed=4)
    assert bed != noise_bed(snr, seed=5)


def test_mixing() -> None:
    voice, other = tone(500, 0.02), tone(700, 0.02)
    assert mix(voice, SILENCE) == voice == mix(SILENCE, voice)
    assert dbov(mix(voice, other)) > dbov(voice)
    assert sounds(voice)
    assert not sounds(SILENCE)


def test_wav_both_ways_and_what_a_line_cannot_play() -> None:
    voice = tone(500, 0.5)
    assert wav.read(wav.write(voice)) == voice
    ulaw_header = b"RIFF\0\0\0\0WAVEfmt \x12\0\0\0\x07\0\x01\0@\x1f\0\0@\x1f\0\0\x01\0\x08\0\0\0"
    assert wav.read(ulaw_header + b"data" + len(voice).to_bytes(4, "little") + voice) == voice
    for broken in (b"", b"ID3", wav.write(voice)[:30], wav.write(voice).replace(b"@\x1f\0\0", b"\x80\x3e\0\0")):
        with pytest.raises(wav.WavError):
            wav.read(broken)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"<Response><Play>", 12100),
        (b"<Reply/>", 12102),
        (b"<Response><Sing/></Response>", 12200),
        (b"<Response><Gather><Hangup/></Gather></Response>", 12200),
        (b'<Response><Pause seconds="1"/></Response>', 12200),
        (b"<Response><Connect><Stream/></Connect></Response>", 12200),
        (b'<!DOCTYPE x [<!ENTITY a "b">]><Response/>', 12100),
        (b"<Response>" + b" " * 70000 + b"</Response>", 12100),
    ],
)
def test_twiml_that_twilio_would_not_run(body: bytes, code: int) -> None:
    with pytest.raises(twiml.TwimlError) as refused:
        twiml.parse(body)
    assert refused.value.code == code


def test_twiml_needs_an_xml_content_type() -> None:
    assert twiml.parse(b"<Response/>", "application/xml; charset=utf-8") == ()
    with pytest.raises(twiml.TwimlError):
        twiml.parse(b"<Response/>", "application/json")


def test_connection_overrides() -> None:
    assert Overrides.of("") == Overrides(5.0, 15.0, 1, frozenset({"ct"}))
    asked = Overrides.of("ct=2000&rt=3000&rc=9&rp=4xx,5xx")
    assert (asked.connect_s, asked.read_s, asked.retries) == (2.0, 3.0, 5)
    assert asked.again("5xx")
    assert not asked.again("ct")
    assert Overrides.of("rp=all").again("rt")


async def test_fast_pace_tells_how_much_time_passed() -> None:
    told: list[datetime] = []
    start = datetime(2026, 3, 2, tzinfo=UTC)
    pace = FastPace(lambda: start, told.append)
    await pace.sleep(10)
    await pace.tick()
    assert told == [start + timedelta(seconds=10), start + timedelta(seconds=10.02)]


async def test_the_shared_tick_keeps_its_schedule() -> None:
    ticker = Ticker()
    paces = [WallPace(ticker) for _ in range(20)]
    loop = asyncio.get_running_loop()

    async def count(pace: WallPace) -> None:
        pace.begin()
        for _ in range(15):
            await pace.tick()

    begun = loop.time()
    await asyncio.gather(*(count(pace) for pace in paces))
    assert 0.28 <= loop.time() - begun < 3  # one after the other it would be 6 s
    assert ticker.count == 15
