"""A daily check-in by voice: real speech through the media path; what the engine makes of it is told by the story."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from checkins.results import Reason, Result, Status
from ivr.virtual.phone import Echo
from tests.e2e.line import ELDER, Story, story
from tests.fakes.carrier import FakeCarrier
from tests.fakes.ears import ScriptedRecogniser, ScriptedScorer


@pytest_asyncio.fixture
async def ear() -> ScriptedRecogniser:
    return ScriptedRecogniser()


@pytest_asyncio.fixture
async def line(carrier: FakeCarrier, tmp_path: Path, ear: ScriptedRecogniser) -> AsyncIterator[Story]:
    async with story(carrier, tmp_path, [ear]) as line:
        yield line


def some_words(line: Story) -> bytes:
    """About 1.5 s of a natural voice."""
    audio = line.house.prompts.find("您多保重,再会。")
    assert audio, "the prompt pack lacks the goodbye"
    return audio


async def test_well_by_voice(line: Story, ear: ScriptedRecogniser) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    for prompt, words in (("greet.ask", "是的"), ("health.ask", "蛮好的"), ("message.ask", "没有")):
        await call.hears(prompt)
        ear.will_hear(words)
        call.says(some_words(line))
    await call.hears("bye.say")
    await call.ended()
    row = await line.row(elder)
    assert (row.status, row.result, row.evidence) == (Status.CLOSED, Result.WELL, "speech")
    heard = [detail for _, detail in await line.log("heard")]
    assert [each["meaning"] for each in heard] == ["me", "well", "no"]
    assert all(each["certain"] and each["engine"] == "vosk" for each in heard)


async def test_an_uncertain_well_is_asked_again_and_never_counts(line: Story, ear: ScriptedRecogniser) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    ear.will_hear("蛮好的", confidence=0.3)
    call.says(some_words(line))
    await call.hears("health.confirm")
    call.hangs_up()
    await call.ended()
    row = await line.row(elder)
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.PRESENT_UNCONFIRMED)


async def test_what_hurts_is_dictated_kept_and_shown(line: Story, ear: ScriptedRecogniser) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.ask")
    ear.will_hear("膝盖疼了两天了")
    call.says(some_words(line) + some_words(line))
    await call.hears("unwell.bye", within_s=60)
    await call.ended()
    row = await line.row(elder)
    assert (row.status, row.reason) == (Status.NEEDS_PERSON, Reason.NOT_WELL)
    (dictation,) = [detail for _, detail in await line.log("dictation")]
    assert dictation["text"] == "膝盖疼了两天了"
    audio = line.house.recordings.read(dictation["recording"])
    assert len(audio) > len(some_words(line))
    paths = [detail["path"] for _, detail in await line.log("recording")]
    assert all(line.house.recordings.read(path) for path in paths)


async def test_without_consent_to_transcription_a_dictation_is_kept_and_not_written_down(
    line: Story, ear: ScriptedRecogniser
) -> None:
    await line.elder(consents={"calls": True, "recording": True})
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.ask")
    ear.will_hear("膝盖疼了两天了")
    call.says(some_words(line))
    await call.hears("unwell.bye", within_s=60)
    await call.ended()
    (dictation,) = [detail for _, detail in await line.log("dictation")]
    assert (dictation["text"], bool(dictation["recording"])) == ("", True)


@pytest.mark.parametrize("transcription", [True, False])
async def test_a_cry_in_the_middle_of_a_dictation_is_an_emergency_before_its_end(
    carrier: FakeCarrier, tmp_path: Path, ear: ScriptedRecogniser, transcription: bool
) -> None:
    scorer = ScriptedScorer("spot")
    async with story(carrier, tmp_path, [ear, scorer]) as line:
        elder = await line.elder(consents={"calls": True, "recording": True, "transcription": transcription})
        call = line.carrier.expect_call(ELDER)
        await line.tick()
        for prompt, key in (("greet.ask", "1"), ("health.ask", "2")):
            await call.hears(prompt)
            call.presses(key)
        await call.hears("unwell.ask")
        scorer.will_spot("爬不起来", after_s=2.0)
        call.says(some_words(line) * 6)
        await call.hears("emergency.ask", within_s=25)
        assert (await line.now(elder)).reason is Reason.EMERGENCY
        call.hangs_up()
        await call.ended()
        await line.row(elder)  # the log is written beside the audio: to its end once all of the call is told
        ((_, cry),) = await line.log("distress")
        assert (cry["text"], cry["engine"]) == ("爬不起来", "phrase-scorer")
        assert not any(request.mode == "dictation" for request in ear.requests) or transcription


async def test_a_strangers_voice_is_not_kept(line: Story, ear: ScriptedRecogniser) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    ear.will_hear("打错了")
    call.says(some_words(line))
    await call.hears("wrong.bye")
    await call.ended()
    assert (await line.row(elder)).reason is Reason.WRONG_NUMBER
    assert not [file for file in line.house.recordings.folder.rglob("*") if file.is_file()]


async def test_a_cry_for_help_over_a_prompt_is_an_emergency_at_once(line: Story, ear: ScriptedRecogniser) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    call.keeps_quiet(1.0)
    ear.will_hear("救命啊救命")
    call.says(some_words(line))
    await call.hears("emergency.ask")
    assert (await line.now(elder)).reason is Reason.EMERGENCY
    call.hangs_up()
    await call.ended()
    assert (await line.row(elder)).reason is Reason.EMERGENCY


async def test_a_cry_for_help_and_a_dropped_receiver(line: Story, ear: ScriptedRecogniser) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    ear.will_hear("我摔倒了")
    call.says(some_words(line))
    call.hangs_up()
    await call.ended()
    assert (await line.row(elder)).reason is Reason.EMERGENCY


async def test_a_television_over_the_prompt_changes_nothing(line: Story, ear: ScriptedRecogniser) -> None:
    await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    call.keeps_quiet(1.0)
    ear.will_hear("今天股票又跌了")
    call.says(some_words(line))
    await call.hears("greet.ask")
    await call.hears("greet.again")  # only because nobody answered
    (heard,) = [detail for _, detail in await line.log("heard")]
    assert heard["counts"] is False
    call.hangs_up()
    await call.ended()


async def test_the_lines_own_echo_is_not_heard_at_all(carrier: FakeCarrier, line: Story) -> None:
    await line.elder()
    call = carrier.expect_call(ELDER, echo=Echo(db=14, delay_ms=120))
    await line.tick()
    await call.hears("greet.again2", within_s=120)
    assert await line.log("heard") == []
    call.hangs_up()
    await call.ended()


async def test_without_consent_nothing_is_recorded(line: Story) -> None:
    elder = await line.elder(consents={"calls": True})
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    await call.hears("greet.ask")
    call.presses("1")
    await call.hears("health.ask")
    call.presses("2")
    await call.hears("unwell.bye")
    await call.ended()
    assert (await line.row(elder)).reason is Reason.NOT_WELL
    assert not list(line.house.recordings.folder.rglob("*"))


async def test_a_complaint_during_the_goodbye_is_not_lost(line: Story, ear: ScriptedRecogniser) -> None:
    elder = await line.elder()
    call = line.carrier.expect_call(ELDER)
    await line.tick()
    for prompt, key in (("greet.ask", "1"), ("health.ask", "1"), ("message.ask", "2")):
        await call.hears(prompt)
        call.presses(key)
    ear.will_hear("我头晕得厉害")
    call.keeps_quiet(0.3)
    call.says(some_words(line))
    await call.ended()
    assert (await line.row(elder)).reason is Reason.NOT_WELL
