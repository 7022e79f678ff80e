"""The packs that are shipped: whole, equally loud, unclipped, at an elder's pace; and broken packs do no harm."""

from __future__ import annotations

import json
import os
import sys
import zipfile
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from callflows.loader import shipped, shipped_names
from ivr.twilio import documents
from speech import g711, pack
from speech.loudness import TARGET_DBOV, active_level, lead_ms, pause_ms, trim
from speech.pack import PackError, PackPrompt, Packs
from speech.resample import Floats, to_floats

ROOT = Path(__file__).resolve().parents[3]
ELDER = "王阿婆"


@cache
def shipped_prompts() -> dict[str, bytes]:
    paths = sorted(pack.SHIPPED.glob("*.zip"))
    return {prompt.text: prompt.ulaw for path in paths for prompt in pack.read(path)}


def samples(ulaw: bytes) -> Floats:
    return to_floats(g711.ulaw_decode(ulaw))


# Flows whose audio comes with the next `make prompts`: until then espeak-ng speaks them.
UNRENDERED: set[str] = set()  # what still waits for its voice: flows, sentences of the line


def characters(text: str) -> int:
    return sum(char.isalnum() for char in text)


def surnames() -> list[str]:
    lines = (ROOT / "tools" / "surnames.txt").read_text("utf-8").splitlines()
    return [word.split("=")[0] for line in lines if not line.startswith("#") for word in line.split()]


# ── what is shipped ───────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("flow", sorted({*shipped_names()} - UNRENDERED))
def test_every_fixed_sentence_of_the_shipped_flows_is_there(flow: str) -> None:
    sentences = [text for text in shipped(flow).sentences("zh") if characters(text)]  # a mark alone is a pause
    assert [text for text in sentences if text not in shipped_prompts()] == [], "run: make prompts"


def test_the_line_s_own_sentences_are_there() -> None:
    said = [text for name, text in documents.SENTENCES.items() if name not in UNRENDERED]
    assert [text for text in said if text not in shipped_prompts()] == [], "run: make prompts"


def test_the_common_surnames_and_the_demo_committee_are_there() -> None:
    wanted = [name + ending for name in surnames() for ending in ("阿婆", "阿公")] + ["槐荫里居委会"]
    assert len(set(wanted)) > 500
    assert [text for text in wanted if text not in shipped_prompts()] == [], "run: make prompts"


def test_no_file_of_the_packs_is_large() -> None:
    sizes = {path.name: path.stat().st_size for path in pack.SHIPPED.glob("*.zip")}
    assert max(sizes.values()) < 2 << 20
    assert sum(sizes.values()) < 16 << 20  # some 40 minutes of speech


def test_every_prompt_is_as_loud_as_the_others() -> None:
    levels = {text: active_level(trim(samples(ulaw))) for text, ulaw in shipped_prompts().items()}
    assert {text: round(level, 1) for text, level in levels.items() if abs(level - TARGET_DBOV) > 3} == {}


def test_no_prompt_is_clipped() -> None:
    """A clipped voice stays at its highest value; a limited one only touches it."""
    loudest = {text: np.abs(samples(ulaw)) for text, ulaw in shipped_prompts().items()}
    assert {text for text, level in loudest.items() if level.max() > 0.95} == set()
    assert {text for text, level in loudest.items() if _longest_run(level >= level.max()) > 5} == set()


def _longest_run(flags: np.ndarray[Any, np.dtype[np.bool_]]) -> int:
    edges = np.flatnonzero(np.diff(np.concatenate([[0], flags.view(np.int8), [0]])))
    return int((edges[1::2] - edges[::2]).max(initial=0))


def test_prompts_are_spoken_slowly_but_not_drawled() -> None:
    pace = {text: len(ulaw) / 8000 / characters(text) for text, ulaw in shipped_prompts().items()}
    alone = {text: 0.7 for text in pace if characters(text) == 1}  # a figure, with the breath around it
    assert {text: round(at, 2) for text, at in pace.items() if not 0.1 <= at <= alone.get(text, 0.6)} == {}
    longer = [seconds for text, seconds in pace.items() if characters(text) >= 8]
    assert 0.2 < float(np.median(longer)) < 0.3


def test_the_pauses_at_the_joins_are_short() -> None:
    """No more silence at either end than the punctuation asks for, and what `trim` keeps around the voice."""
    for text, ulaw in shipped_prompts().items():
        quiet = np.abs(samples(ulaw)) < 10 ** (-50 / 20)
        before, after = int(np.argmin(quiet)) / 8, int(np.argmin(quiet[::-1])) / 8
        assert before <= lead_ms(text) + 50, text
        assert after <= pause_ms(text) + 70, text


def test_no_sentence_begins_or_ends_in_the_middle_of_a_sound() -> None:
    """Names are another matter: they were made before pieces were cut at breaths only."""
    packs = ("zh.zip", "zh-responders.zip", "zh-hand-over.zip")
    sentences = [prompt for name in packs for prompt in pack.read(pack.SHIPPED / name)]
    cut = {prompt.text: worst for prompt in sentences if (worst := _loudest_end(samples(prompt.ulaw))) > -12}
    assert cut == {}


def _loudest_end(voice: Floats) -> float:
    """Level of the first and the last 10 ms of sound, in dB below the loudest 10 ms."""
    heard = np.flatnonzero(np.abs(voice) > 0.001)
    sound = voice[heard[0] : heard[-1] + 1]
    frames = np.convolve(sound.astype(np.float64) ** 2, np.ones(80) / 80, mode="valid")
    return float(10 * np.log10(max(frames[40], frames[-41]) / frames.max()))


def test_a_greeting_is_joined_from_pieces_that_are_all_there() -> None:
    ours = Packs()
    greeting = shipped("daily_checkin").steps["greet.ask"].prompts[0].texts["zh"]
    values = {"name": ELDER, "committee": "槐荫里居委会"}
    pieces = [ours.get(values[piece.text] if piece.variable else piece.text, "zh") for piece in greeting]
    assert None not in pieces
    assert 6 < sum(len(piece or b"") for piece in pieces) / 8000 < 13


# ── the format ────────────────────────────────────────────────────────────────────────────────────


def test_the_same_prompts_give_the_same_file(tmp_path: Path) -> None:
    prompts = [PackPrompt("再会。", "1", b"\xff" * 80), PackPrompt("您好", "2", b"\x10" * 80)]
    for name in ("a.zip", "b.zip"):
        pack.write(tmp_path / name, "zh", "voice", "licence", prompts)
        os.utime(tmp_path / name, (0, 0))
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    assert pack.read(tmp_path / "a.zip") == tuple(prompts)
    assert list(tmp_path.glob("*.part")) == []


@pytest.mark.parametrize(
    "index",
    [
        None,
        b"no json",
        b"[]",
        b'{"format": 2, "language": "zh", "prompts": []}',
        b'{"format": 1, "prompts": []}',
        b'{"format": 1, "language": "zh", "prompts": [{"text": 7, "file": "x"}]}',
    ],
)
def test_a_broken_pack_is_told_and_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, index: bytes | None
) -> None:
    pack.write(tmp_path / "good.zip", "zh", "voice", "licence", [PackPrompt("再会。", "", b"\xff" * 80)])
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        if index is not None:
            archive.writestr("index.json", index)
    (tmp_path / "worse.zip").write_bytes(b"no zip at all")
    ours = Packs(tmp_path)
    assert ours.get("再会。", "zh") == b"\xff" * 80
    assert ours.texts("zh") == ("再会。",)
    assert [record.getMessage().split()[0] for record in caplog.records] == ["bad.zip", "worse.zip"]
    with pytest.raises(PackError, match=r"bad\.zip"):
        pack.read(tmp_path / "bad.zip")


def test_a_damaged_prompt_counts_as_missing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "zh.zip"
    audio = bytes(np.random.default_rng(1).integers(0, 256, 4000, dtype=np.uint8))
    pack.write(path, "zh", "voice", "licence", [PackPrompt("再会。", "", audio)])
    data = bytearray(path.read_bytes())
    at = data.index(audio[1000:1010])
    data[at] ^= 0xFF
    path.write_bytes(data)
    assert Packs(tmp_path).get("再会。", "zh") is None
    assert "damaged" in caplog.text


def test_a_pack_names_a_file_that_it_does_not_have(tmp_path: Path) -> None:
    index = {"format": 1, "language": "zh", "prompts": [{"text": "再会。", "file": "0001.ulaw", "made_from": ""}]}
    with zipfile.ZipFile(tmp_path / "zh.zip", "w") as archive:
        archive.writestr("index.json", json.dumps(index))
    assert Packs(tmp_path).get("再会。", "zh") is None
    with pytest.raises(PackError):
        pack.read(tmp_path / "zh.zip")


def test_packs_of_one_language_do_not_speak_another() -> None:
    assert Packs().get(ELDER, "zh") is not None
    assert Packs().get(ELDER, "wuu") is None
    assert Packs().get("没有这句话", "zh") is None


# ── the rendering tool ────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def tool(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(ROOT / "tools"))
    import render_prompts

    yield render_prompts
    for name in ("render_prompts", "kokoro_voice"):
        sys.modules.pop(name, None)


def test_pieces_are_spoken_inside_their_sentence(tool: Any) -> None:
    jobs = {job.text: job.context for job in tool.sentence_jobs()}
    assert jobs["您好,这里是"].before == ""
    assert jobs["本人吗?是的,请按1;不是,请按2;打错了,请按3。"].before == "请问您是张阿婆"
    assert jobs["您好,这里是"].after.startswith("槐荫里居委会的自动语音电话")
    assert jobs["收到。"] == tool.ALONE
    assert jobs["槐荫里居委会"].after == "的自动语音电话。"


def test_the_packs_are_up_to_date(tool: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert tool.main(["check"]) == 0, capsys.readouterr().out + "run: make prompts"


def test_the_recording_sheet_is_the_index_of_the_recordings(
    tool: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert tool.main(["sheet", str(tmp_path)]) == 0
    lines = (tmp_path / "zh" / "index.tsv").read_text("utf-8").splitlines()
    assert lines[0].split("\t")[0] == "001.wav"
    assert {line.split("\t")[1] for line in lines} >= set(shipped("daily_checkin").sentences("zh"))
    assert tool.main(["sheet", str(tmp_path)]) == 1  # never over what a person may have written
    assert "exists already" in capsys.readouterr().err


def test_a_piece_is_only_cut_where_the_voice_breathes(tool: Any) -> None:
    kokoro = sys.modules["kokoro_voice"]
    voice = np.sin(np.arange(24000, dtype=np.float32) / 20)
    breath = voice.copy()
    breath[11000:13000] *= 0.01
    assert kokoro._is_clean(breath, 12000)
    assert not kokoro._is_clean(breath, 6000)
    assert not kokoro._is_clean(voice, 12000)


def test_the_voice_at_its_own_speed_is_left_alone(tool: Any) -> None:
    voice = np.ones(2400, np.float32)
    assert sys.modules["kokoro_voice"].slowed(voice, 1.0) is voice
