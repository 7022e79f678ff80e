"""Our TwiML against an allow-list of verbs and attributes, and the audio addresses in it."""

from __future__ import annotations

import itertools
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callflows.events import Dictate, HandOver, Hangup, Listen, Part, Say
from ivr.ports import CallOrder
from ivr.twilio import documents, wav
from ivr.twilio.config import TwilioConfig
from ivr.twilio.turns import turn_of
from ivr.virtual import twiml
from ivr.virtual import wav as carriers_wav

CONFIG = TwilioConfig("AC1", ("token", "next"), "+862155500000", "https://line.example")
SAY = Say("greet.ask", (Part("您好"), Part("王阿婆", personal=True)))


def parsed(document: str) -> tuple[twiml.Verb, ...]:
    return twiml.parse(document.encode())


def test_a_stream_and_what_follows_it() -> None:
    connect, redirect = parsed(documents.stream(CONFIG, "i1", "t0k<&>n"))
    (stream,) = connect.children
    assert stream.get("url") == "wss://line.example/twilio/media"
    assert [(each.get("name"), each.get("value")) for each in stream.children] == [("token", "t0k<&>n")]
    assert redirect.text.startswith("https://line.example/twilio/verbs?call=i1#")


def test_a_question_takes_any_key() -> None:
    (gather,) = parsed(documents.turn(CONFIG, "i1", turn_of(3, [SAY, Listen("greet", (), timeout_s=7.2)], None)))
    assert (gather.get("input"), gather.get("numDigits"), gather.get("timeout")) == ("dtmf", "1", "8")
    assert gather.attributes["finishOnKey"] == ""
    assert gather.get("actionOnEmptyResult") == "true"
    assert "turn=3" in gather.get("action")
    assert [child.name for child in gather.children] == ["Play"]


def test_a_dictation() -> None:
    play, record, redirect = parsed(documents.turn(CONFIG, "i1", turn_of(4, [SAY, Dictate("unwell")], None)))
    assert play.name == "Play"
    assert (record.get("playBeep"), record.get("trim"), record.get("finishOnKey")) == ("false", "do-not-trim", "#0*")
    assert (record.get("maxLength"), record.get("timeout")) == ("180", "8")
    assert "transcribe" not in record.attributes
    assert redirect.text == record.get("action")  # nothing was said


def test_the_end() -> None:
    assert [verb.name for verb in parsed(documents.turn(CONFIG, "i1", turn_of(5, [SAY, Hangup()], None)))] == [
        "Play",
        "Hangup",
    ]
    assert [verb.name for verb in parsed(documents.hang_up())] == ["Hangup"]


def test_somebody_is_rung_out_of_the_call() -> None:
    """Heard first by whoever is rung; nothing is recorded; however it ends we are asked."""
    leg = CallOrder("l1", "+862155510003", "hand_over", (), ring_s=20, for_call="i1")
    (dial,) = parsed(documents.dial(CONFIG, "i1", leg))
    (number,) = dial.children
    assert (number.text, dial.get("callerId")) == (leg.number, CONFIG.from_number)
    assert (dial.get("timeout"), dial.get("timeLimit"), dial.get("answerOnBridge")) == ("20", "1800", "true")
    assert "record" not in dial.attributes
    assert dial.get("action").startswith("https://line.example/twilio/verbs/dialled?call=i1&leg=l1#")
    assert number.get("url").startswith("https://line.example/twilio/verbs?call=l1#")
    assert number.get("statusCallback").startswith("https://line.example/twilio/status?call=l1#")


def test_before_somebody_is_rung_a_second_zero_is_heard() -> None:
    (gather,) = parsed(documents.turn(CONFIG, "i1", turn_of(2, [SAY, HandOver("e1", 1)], None)))
    assert (gather.name, gather.get("numDigits"), gather.get("timeout")) == ("Gather", "1", "1")


def test_who_is_put_through_is_not_hung_up_on() -> None:
    turn = {**turn_of(2, [SAY, Hangup()], None), "wait": {"kind": "put_through"}}
    assert [verb.name for verb in parsed(documents.turn(CONFIG, "l1", turn))] == ["Play"]


@pytest.mark.parametrize("sentence", sorted(documents.SENTENCES))
def test_the_lines_own_sentences(sentence: str) -> None:
    play, hang_up = parsed(documents.goodbye(CONFIG, sentence))
    assert play.text.endswith("/" + sentence)
    assert hang_up.name == "Hangup"


def test_who_it_is_is_answered_by_one_key_or_by_none() -> None:
    (gather,) = parsed(documents.who(CONFIG))
    assert (gather.get("numDigits"), gather.get("finishOnKey"), gather.get("actionOnEmptyResult")) == ("1", "", "true")
    assert "asked=1" in gather.get("action", "")
    assert [verb.text.endswith("/line.who") for verb in gather.children] == [True]


def test_an_apology_is_repeated_a_few_times_at_most() -> None:
    seen = [[verb.name for verb in parsed(documents.sorry(CONFIG, "i1", tries))] for tries in range(5)]
    assert seen == [["Play", "Redirect"]] * 3 + [["Play", "Hangup"]] * 2
    assert [verb.name for verb in parsed(documents.sorry(CONFIG, "", 0))] == ["Play", "Hangup"]


def test_an_audio_address_is_sealed_and_says_nothing() -> None:
    url = documents.audio_url(CONFIG, "i1", 3, 0, "greet.ask")
    *_, call, turn, index, seal, name = urlsplit(url).path.split("/")
    assert documents.sealed(CONFIG, seal, call, turn, index, name)
    rotated = TwilioConfig("AC1", ("next",), "+862155500000", "https://line.example")
    assert not documents.sealed(rotated, seal, call, turn, index, name)
    for other in set(itertools.product(["i1", "3", "0", "greet.ask"], repeat=4)) - {(call, turn, index, name)}:
        assert not documents.sealed(CONFIG, seal, *other)
    assert not documents.sealed(CONFIG, "ü", call, turn, index, name)


@given(call=st.text(max_size=40), name=st.text(min_size=1, max_size=20), token=st.text(max_size=30))
def test_documents_are_well_formed_whatever_stands_in_them(call: str, name: str, token: str) -> None:
    turn = {"turn": 1, "says": [{"name": name}], "wait": {"kind": "listen", "timeout_s": 0.1}}
    assert parsed(documents.turn(CONFIG, call, turn))
    urls = [verb.text for verb in parsed(documents.redirect(CONFIG, call))]
    assert all(url.isascii() for url in urls)


def test_only_wss_but_on_this_machine() -> None:
    assert TwilioConfig("AC1", ("t",), "+86", "http://127.0.0.1:8000").media_url == "ws://127.0.0.1:8000/twilio/media"


@pytest.mark.parametrize("tokens", [(), ("",), ("good", "")])
def test_a_carrier_without_a_token_is_refused(tokens: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="auth token"):
        TwilioConfig("AC1", tokens, "+862155500000", "https://line.example")


def test_secrets_are_not_shown() -> None:
    assert "token" not in repr(CONFIG).replace("tokens", "")


@given(audio=st.binary(max_size=500))
def test_wav_files_that_carriers_read_and_write(audio: bytes) -> None:
    assert carriers_wav.read(wav.of_ulaw(audio)) == audio
    # μ-law has two zeros; the rest comes back as it was.
    assert wav.to_ulaw(carriers_wav.write(audio)).replace(b"\x7f", b"\xff") == audio.replace(b"\x7f", b"\xff")


@given(st.binary(max_size=100))
def test_a_broken_wav_file_is_a_value_error(data: bytes) -> None:
    for file in (data, b"RIFF\x10\0\0\0WAVE" + data, wav.of_ulaw(data)):
        with pytest.raises(ValueError, match=r"WAV|channels"):
            wav.to_ulaw(file)
