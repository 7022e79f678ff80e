"""Where a prompt comes from: people first, then the pack, then what was rendered before, then the synthesiser."""

from __future__ import annotations

import asyncio
import logging
import shutil
import wave
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import numpy as np
import pytest

from speech import g711, pack, prompts
from speech.human import sentence_key
from speech.loudness import TARGET_DBOV, active_level
from speech.pack import PackPrompt
from speech.prompt_cache import PromptCache, cache_key
from speech.prompts import TONE, Prompts
from speech.resample import from_floats, to_floats
from speech.synthesis import EspeakChild, SynthesisError

Make = Callable[..., Prompts]
HOUR = 3600


def voice(hz: float, seconds: float = 0.5, rate: int = 8000) -> bytes:
    """A tone as PCM: each pitch is another speaker."""
    time = np.arange(round(seconds * rate)) / rate
    return from_floats(0.1 * np.sin(2 * np.pi * hz * time))


def pitch(ulaw: bytes) -> int:
    """The strongest frequency, to 10 Hz."""
    samples = to_floats(g711.ulaw_decode(ulaw))
    spectrum = np.abs(np.fft.rfft(samples))
    return round(int(np.argmax(spectrum)) * 8000 / len(samples) / 10) * 10


class FakeSynthesiser:
    """Speaks at 500 Hz. `broken` texts fail; `gate` holds everything up until it is set."""

    voice = "fake 1"

    def __init__(self) -> None:
        self.rendered: list[str] = []
        self.broken: set[str] = set()
        self.gate = asyncio.Event()
        self.gate.set()
        self.closed = 0

    async def render(self, text: str, language: str) -> bytes:
        assert language == "zh"
        self.rendered.append(text)
        await self.gate.wait()
        if text in self.broken:
            raise SynthesisError("it crashed")
        return voice(500)

    async def close(self) -> None:
        self.closed += 1


@pytest.fixture
async def synthesiser() -> FakeSynthesiser:
    return FakeSynthesiser()


@pytest.fixture
async def make(tmp_path: Path, synthesiser: FakeSynthesiser) -> AsyncIterator[Make]:
    """Prompts with an empty folder for everything."""
    made: list[Prompts] = []
    (tmp_path / "packs").mkdir()

    def build(**options: object) -> Prompts:
        given = {"cache": tmp_path / "cache", "human": tmp_path / "human", "packs": tmp_path / "packs"}
        made.append(Prompts(**{**given, "synthesiser": synthesiser, **options}))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for each in made:
        await each.close()


def record(folder: Path, name: str, hz: float, language: str = "zh", rate: int = 44100) -> Path:
    """A person's recording: with silence around it, and at another loudness and rate than the line has."""
    path = folder / "human" / language / name
    path.parent.mkdir(parents=True, exist_ok=True)
    pcm = bytes(rate) + voice(hz, rate=rate) + bytes(rate)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(pcm)
    return path


def ship(folder: Path, **texts: float) -> None:
    items = [PackPrompt(text, "", g711.ulaw_encode(voice(hz))) for text, hz in texts.items()]
    pack.write(folder / "packs" / "zh.zip", "zh", "test", "test", items)


# ── the order of sources ──────────────────────────────────────────────────────────────────────────


async def test_people_win_over_the_pack_and_the_pack_over_the_machine(
    tmp_path: Path, make: Make, synthesiser: FakeSynthesiser
) -> None:
    record(tmp_path, "早上好.wav", 1000)
    ship(tmp_path, 早上好=700, 再会=700)
    ours = make()
    assert pitch(await ours.get("早上好")) == 1000
    assert pitch(await ours.get("再会")) == 700
    assert pitch(await ours.get("王阿婆")) == 500
    assert synthesiser.rendered == ["王阿婆"]


async def test_what_was_rendered_once_is_found_after_a_restart(make: Make, synthesiser: FakeSynthesiser) -> None:
    first = make()
    assert first.find("王阿婆") is None
    spoken = await first.get("王阿婆")
    assert first.find("王阿婆") == spoken
    assert make().find("王阿婆") == spoken
    assert make(synthesiser=None).find("王阿婆") is None  # another voice, another cache
    assert synthesiser.rendered == ["王阿婆"]


async def test_a_long_text_that_a_call_brings_is_kept_on_no_disk(make: Make, tmp_path: Path) -> None:
    reply = "您反映的楼道灯,电工星期三上午来修。"
    first = make()
    assert await first.get(reply) == first.find(reply)
    assert make().find(reply) is None
    assert list((tmp_path / "cache").rglob("*.prompt")) == []
    await make().prepare([reply])  # a notice, for instance
    assert make().find(reply) is not None


async def test_another_voice_renders_anew(make: Make, synthesiser: FakeSynthesiser) -> None:
    await make().get("王阿婆")
    synthesiser.voice = "fake 2"
    await make().get("王阿婆")
    assert synthesiser.rendered == ["王阿婆", "王阿婆"]


async def test_live_prompts_come_out_levelled(make: Make) -> None:
    spoken = to_floats(g711.ulaw_decode(await make().get("王阿婆")))
    assert active_level(spoken) == pytest.approx(TARGET_DBOV, abs=1)


async def test_text_without_letters_is_a_pause(make: Make, synthesiser: FakeSynthesiser) -> None:
    ours = make()
    assert set(await ours.get("。")) == {0xFF}
    assert len(await ours.get("")) <= 480
    assert synthesiser.rendered == []


# ── recordings by people ──────────────────────────────────────────────────────────────────────────


async def test_a_recording_is_trimmed_and_levelled(tmp_path: Path, make: Make) -> None:
    record(tmp_path, "您好这里是.wav", 1000)
    ulaw = make().find("您好,这里是")
    assert ulaw is not None
    assert 0.5 < len(ulaw) / 8000 < 0.75
    assert active_level(to_floats(g711.ulaw_decode(ulaw))) == pytest.approx(TARGET_DBOV, abs=1)


async def test_an_index_names_the_sentences_of_numbered_files(tmp_path: Path, make: Make) -> None:
    record(tmp_path, "001.wav", 1000)
    index = "\ufeff# sheet\n001.wav\t今天身体好吗?身体好,请按1。\n002.wav\t还没录的句子。\n"
    (tmp_path / "human" / "zh" / "index.tsv").write_text(index, "utf-8")
    ours = make()
    assert pitch(await ours.get("今天身体好吗?身体好,请按1。")) == 1000
    assert pitch(await ours.get("还没录的句子。")) == 500


async def test_a_ulaw_file_is_played_as_it_is(tmp_path: Path, make: Make) -> None:
    path = record(tmp_path, "早.wav", 1000).with_name("再会.ulaw")
    path.write_bytes(b"\x12\x34" * 400)
    assert make().find("再会。") == b"\x12\x34" * 400


async def test_a_new_recording_is_heard_without_a_restart(tmp_path: Path, make: Make) -> None:
    ours = make()
    assert pitch(await ours.get("早上好")) == 500
    record(tmp_path, "早上好.wav", 1000)
    assert pitch(await ours.get("早上好")) == 1000


async def test_shanghainese_plays_only_what_a_person_said(
    tmp_path: Path, make: Make, synthesiser: FakeSynthesiser
) -> None:
    record(tmp_path, "侬好.wav", 1000, language="wuu")
    record(tmp_path, "侬好.wav", 1200, language="zh")
    record(tmp_path, "再会.wav", 1200, language="zh")
    ours = make()
    assert pitch(await ours.get("侬好", "wuu")) == 1000
    assert pitch(await ours.get("侬好", "zh")) == 1200
    assert pitch(await ours.get("再会", "wuu")) == 1200
    assert pitch(await ours.get("您好", "wuu")) == 500  # the Mandarin voice
    assert ours.find("您好", "wuu") == ours.find("您好", "zh")
    assert synthesiser.rendered == ["您好"]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("早上好.wav", b""),
        ("早上好.wav", b"RIFF\x10\x00\x00\x00WAVEjunk"),
        ("早上好.wav", b"ID3 this is an mp3"),
        ("早上好.ulaw", b""),
    ],
)
async def test_a_broken_recording_is_told_once_and_the_next_voice_speaks(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture, name: str, content: bytes
) -> None:
    path = tmp_path / "human" / "zh" / name
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    ours = make()
    for _ in range(3):
        assert pitch(await ours.get("早上好")) == 500
    assert [record.levelno for record in caplog.records] == [logging.WARNING]
    assert "早上好" not in caplog.text


async def test_a_silent_recording_does_not_silence_the_line(tmp_path: Path, make: Make) -> None:
    record(tmp_path, "早上好.wav", 0)
    assert pitch(await make().get("早上好")) == 500


@pytest.mark.parametrize("line", ["001.wav 早上好", "../x.wav\t早上好", "001.wav\t"])
async def test_a_broken_line_of_the_index_is_told_with_its_number(
    tmp_path: Path, make: Make, caplog: pytest.LogCaptureFixture, line: str
) -> None:
    record(tmp_path, "001.wav", 1000)
    (tmp_path / "human" / "zh" / "index.tsv").write_text(f"# sheet\n{line}\n", "utf-8")
    assert pitch(await make().get("早上好")) == 500
    assert "line 2" in caplog.text


def test_only_letters_and_figures_tell_sentences_apart() -> None:
    assert sentence_key("您好,这里是 ") == sentence_key("您好\uff0c这里是。") == "您好这里是"
    assert sentence_key("请按1") != sentence_key("请按2")


# ── rendering ─────────────────────────────────────────────────────────────────────────────────────


async def test_many_who_want_one_text_wait_for_one_rendering(make: Make, synthesiser: FakeSynthesiser) -> None:
    ours = make()
    synthesiser.gate.clear()
    waiting = [asyncio.create_task(ours.get("王阿婆")) for _ in range(20)]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    synthesiser.gate.set()
    assert len(set(await asyncio.gather(*waiting))) == 1
    assert synthesiser.rendered == ["王阿婆"]


async def test_one_who_hangs_up_does_not_take_the_prompt_from_the_others(
    make: Make, synthesiser: FakeSynthesiser
) -> None:
    ours = make()
    synthesiser.gate.clear()
    gone, stays = (asyncio.create_task(ours.get("王阿婆")) for _ in range(2))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.sleep(0)
    synthesiser.gate.set()
    assert pitch(await stays) == 500
    assert synthesiser.rendered == ["王阿婆"]


async def test_what_cannot_be_spoken_is_a_soft_tone_and_is_not_tried_by_every_call(
    make: Make, synthesiser: FakeSynthesiser, caplog: pytest.LogCaptureFixture
) -> None:
    synthesiser.broken = {"王阿婆"}
    ours = make()
    assert [await ours.get("王阿婆") for _ in range(3)] == [TONE] * 3
    assert synthesiser.rendered == ["王阿婆"]
    assert "王阿婆" not in caplog.text
    assert ours.find("王阿婆") is None  # the tone is not kept as if it were the name
    assert -45 < active_level(to_floats(g711.ulaw_decode(TONE))) < -25


async def test_preparing_tries_again_what_failed(make: Make, synthesiser: FakeSynthesiser) -> None:
    synthesiser.broken = {"王阿婆"}
    ours = make()
    assert await ours.prepare(["王阿婆", "李阿公", "王阿婆"]) == ("王阿婆",)
    synthesiser.broken = set()
    assert await ours.prepare(["王阿婆", "李阿公"]) == ()
    assert ours.find("王阿婆") is not None
    assert synthesiser.rendered == ["王阿婆", "李阿公", "王阿婆"]


async def test_nobody_waits_longer_than_a_caller_can(
    make: Make, synthesiser: FakeSynthesiser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(prompts, "LIVE_S", 0.01)
    ours = make()
    synthesiser.gate.clear()
    assert await ours.get("王阿婆") == TONE
    synthesiser.gate.set()
    monkeypatch.setattr(prompts, "LIVE_S", HOUR)
    assert pitch(await ours.get("王阿婆")) == 500  # the rendering went on
    assert synthesiser.rendered == ["王阿婆"]


async def test_without_a_synthesiser_the_line_still_speaks(tmp_path: Path, make: Make) -> None:
    ship(tmp_path, 再会=700)
    ours = make(synthesiser=None)
    assert pitch(await ours.get("再会")) == 700
    assert await ours.get("王阿婆") == TONE
    assert await ours.prepare(["再会", "王阿婆"]) == ("王阿婆",)


async def test_closing_ends_what_is_being_rendered(make: Make, synthesiser: FakeSynthesiser) -> None:
    ours = make()
    synthesiser.gate.clear()
    waiting = asyncio.create_task(ours.get("王阿婆"))
    await asyncio.sleep(0)
    await ours.close()
    await ours.close()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    assert synthesiser.closed >= 1


async def test_the_real_voice_speaks_a_name(make: Make) -> None:
    spoken = await make(synthesiser=EspeakChild()).get("欧阳阿婆")
    assert spoken != TONE
    assert 0.15 < len(spoken) / 8000 / 4 < 0.6
    assert active_level(to_floats(g711.ulaw_decode(spoken))) == pytest.approx(TARGET_DBOV, abs=1)


# ── memory and disk ───────────────────────────────────────────────────────────────────────────────


async def test_memory_is_bounded_and_the_disk_remembers(make: Make, synthesiser: FakeSynthesiser) -> None:
    one = len(await make().get("甲"))
    ours = make(memory_bytes=3 * one)
    texts = [f"第{number}位" for number in range(10)]
    for text in texts:
        await ours.get(text)
    assert sum(map(len, ours._memory.values())) <= 3 * one
    assert all(ours.find(text) is not None for text in texts)
    assert len(synthesiser.rendered) == 11


async def test_a_disk_that_cannot_be_written_costs_one_warning(
    tmp_path: Path, make: Make, synthesiser: FakeSynthesiser, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    ours = make()
    for text in ("甲", "乙", "丙"):
        assert pitch(await ours.get(text)) == 500
        assert pitch(await ours.get(text)) == 500
    assert synthesiser.rendered == ["甲", "乙", "丙"]
    assert len(caplog.records) == 1
    assert "stay in memory" in caplog.text


async def test_a_full_disk_leaves_no_half_file(
    tmp_path: Path, make: Make, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def full(source: str, target: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("speech.prompt_cache.os.replace", full)
    assert pitch(await make().get("甲")) == 500
    assert list((tmp_path / "cache" / "zh").iterdir()) == []
    assert "No space left" in caplog.text


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[:-1],
        lambda data: data[:200] + b"\x00" + data[201:],
        lambda data: b"\n" + data,
        lambda data: data.replace(b"wenan-prompt 1", b"wenan-prompt 2"),
    ],
)
async def test_a_damaged_file_is_rendered_again(
    tmp_path: Path, make: Make, synthesiser: FakeSynthesiser, damage: Callable[[bytes], bytes]
) -> None:
    spoken = await make().get("王阿婆")
    (path,) = (tmp_path / "cache" / "zh").iterdir()
    path.write_bytes(damage(path.read_bytes()))
    assert await make().get("王阿婆") == spoken
    assert synthesiser.rendered == ["王阿婆", "王阿婆"]
    assert await make().get("王阿婆") == spoken
    assert len(synthesiser.rendered) == 2  # and it is whole again on disk


async def test_a_cache_that_vanishes_is_made_again(tmp_path: Path, make: Make) -> None:
    ours = make()
    await ours.get("甲")
    shutil.rmtree(tmp_path / "cache")
    await ours.get("乙")
    assert make().find("乙") is not None


def test_the_same_content_has_the_same_key_and_any_other_has_not(tmp_path: Path) -> None:
    keys = [
        cache_key(*parts) for parts in (("甲", "zh", "a"), ("乙", "zh", "a"), ("甲", "wuu", "a"), ("甲", "zh", "b"))
    ]
    assert len(set(keys)) == 4
    assert cache_key("甲", "zh", "a") == keys[0]
    cache = PromptCache(tmp_path)
    assert cache.read("zh", keys[0]) is None
    cache.write("zh", keys[0], b"audio\nwith a line break")
    assert cache.read("zh", keys[0]) == b"audio\nwith a line break"
