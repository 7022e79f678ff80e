"""sherpa-onnx in its child process: real decoding, what comes of silence, and children that crash, hang, grow or lie.

The models are tiny ones with the published ones' inputs and notes (sherpa_weights), and the streaming zipformer where
its weights are at hand.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from speech.ears import EarFailed, Ears
from speech.engines import sherpa_engine, sherpa_process
from speech.engines.sherpa_engine import SherpaRecogniser, clean, name_of, sherpa_engines, words
from speech.engines.sherpa_process import SherpaError
from speech.recogniser import Hypothesis, Request
from speech.resample import resample
from tests.unit.speech import sherpa_weights
from tests.unit.speech.audio import frames, noise, over_the_line, prompt, silence

ROOT = Path(__file__).resolve().parents[3]
ZIPFORMER = "zipformer-wenetspeech-3.3M"
DICTATION = Request("dictation")
LIAR = (
    "import sys, struct; body = {body}; sys.stdout.buffer.write(struct.pack('<I', {length}) + body); sys.stdin.read()"
)


def said() -> bytes:
    """The same word twice, with a pause between, over a telephone."""
    word = prompt("收到。")
    return over_the_line(silence(500) + word + silence(800) + word + silence(300))


@pytest.fixture
def wu(tmp_path: Path) -> Iterator[SherpaRecogniser]:
    made = SherpaRecogniser(sherpa_weights.wenet(tmp_path / "sherpa-onnx-wenetspeech-wu-u2pp"))
    with closing(made):
        yield made


@pytest.fixture(scope="module")
def zipformer() -> Iterator[SherpaRecogniser]:
    places = [os.environ.get("WENAN_MODELS"), ROOT / "data" / "models", ROOT.parent / "shared" / "models"]
    folders = [Path(one) / ZIPFORMER for one in places if one]
    folder = next((one for one in folders if (one / "tokens.txt").is_file()), None)
    if folder is None:
        pytest.skip(f"no weights of {ZIPFORMER}: .venv/bin/python server.py models pull {ZIPFORMER}")
    made = SherpaRecogniser(folder)
    with closing(made):
        yield made


def hear(engine: SherpaRecogniser, pcm: bytes) -> Hypothesis:
    stream = engine.open(DICTATION)
    for frame in frames(pcm):
        stream.feed(frame)
    return stream.finish()


# ── the models ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("make", "kind", "timed"),
    [
        (sherpa_weights.wenet, "wenet-ctc", True),
        (sherpa_weights.sense_voice, "sense-voice", True),
        (sherpa_weights.zipformer_ctc, "zipformer-ctc", True),
        (sherpa_weights.paraformer, "paraformer", False),
    ],
)
def test_each_kind_is_found_loaded_and_decoded(
    tmp_path: Path, make: Callable[[Path], Path], kind: str, timed: bool
) -> None:
    folder = make(tmp_path / f"sherpa-onnx-{make.__name__}")
    (found,) = sherpa_engines(tmp_path)
    assert found.engine is not None
    assert found.why == f"ready, {kind} in {folder.name}, starts when first needed"
    with closing(found.engine) as engine:
        assert (engine.kind, engine.streaming, engine.name) == (kind, False, f"sherpa-{make.__name__}")
        heard = hear(engine, said())
        assert heard.text.startswith("好")
        assert set(heard.text) == {"好"}
        assert heard.engine == engine.name
        assert heard.confidence == 0.0, "these models tell no probabilities, and none is made up"
        assert bool(heard.words) == timed
        if timed:
            assert heard.begin_s == pytest.approx(0.6, abs=0.2)
            assert heard.end_s is not None
            assert heard.end_s <= heard.seconds


@pytest.mark.parametrize("make", [sherpa_weights.wenet, sherpa_weights.paraformer])
def test_silence_and_noise_are_no_text_and_start_nothing(tmp_path: Path, make: Callable[[Path], Path]) -> None:
    with closing(SherpaRecogniser(make(tmp_path / "sherpa-loud"))) as engine:
        for pcm in (b"", silence(3000), noise(3000, 40), noise(3000, 3000)):
            assert hear(engine, pcm).text == ""
        assert engine.process.pid is None


def test_fillers_are_no_message(tmp_path: Path) -> None:
    with closing(SherpaRecogniser(sherpa_weights.wenet(tmp_path / "sherpa-filler", "嗯"))) as engine:
        heard = hear(engine, said())
        assert (heard.text, heard.words) == ("", ())
        assert engine.process.pid, "it was asked, and said 嗯"


def test_a_long_message_without_pauses_is_cut_and_keeps_its_times(wu: SherpaRecogniser) -> None:
    pcm = said() * 16
    assert len(pcm) > 2 * sherpa_engine.SAMPLE_RATE * 45
    heard = hear(wu, pcm)
    assert heard.seconds == pytest.approx(len(pcm) / 16000, abs=0.02)
    starts = [word.start_s for word in heard.words]
    assert starts == sorted(starts)
    assert starts[-1] > heard.seconds - 3
    assert heard.end_s == heard.words[-1].end_s


def test_only_dictations_in_its_languages_are_its_business(wu: SherpaRecogniser, tmp_path: Path) -> None:
    assert wu.languages == ("wuu", "zh")
    assert wu.supports(Request("dictation", language="wuu"))
    assert not wu.supports(Request("dictation", language="ko"))
    assert not wu.supports(Request("answer", {"yes": ["是的"]}))
    assert not wu.supports(Request("spot", {"distress": ["救命"]}))
    mandarin = SherpaRecogniser(sherpa_weights.sense_voice(tmp_path / "sherpa-onnx-sense-voice-zh-en"))
    assert mandarin.languages == ("zh",)
    assert mandarin.supports(Request("dictation", language="wuu")), "as an aid, after those that know it"
    korean = SherpaRecogniser(sherpa_weights.wenet(tmp_path / "sherpa-onnx-zipformer-ko"))
    assert not korean.supports(DICTATION)


def test_the_streaming_model_gives_text_while_it_is_spoken(zipformer: SherpaRecogniser) -> None:
    assert zipformer.streaming
    stream = zipformer.open(DICTATION)
    partial = [text for frame in frames(over_the_line(prompt("收到。")) + silence(600)) if (text := stream.feed(frame))]
    heard = stream.finish()
    assert partial
    assert heard.text.startswith("sh")
    assert "ào" in heard.text
    assert heard.confidence > 0.3, "a transducer tells the probability of each token"
    assert [word.text for word in heard.words][:1] == ["sh"]
    assert all(0 < word.confidence <= 1 for word in heard.words)


def test_two_streams_at_once_do_not_mix(zipformer: SherpaRecogniser) -> None:
    alone = hear(zipformer, over_the_line(prompt("收到。")) + silence(600)).text
    one, two = zipformer.open(DICTATION), zipformer.open(DICTATION)
    for frame in frames(over_the_line(prompt("收到。")) + silence(600)):
        one.feed(frame)
        two.feed(silence(20))
    assert two.finish().text == ""
    assert one.finish().text == alone


def test_silence_and_noise_are_no_text_while_streaming_either(zipformer: SherpaRecogniser) -> None:
    for pcm in (b"", silence(2000), noise(2000, 1000)):
        stream = zipformer.open(DICTATION)
        assert not any(stream.feed(frame) for frame in frames(pcm))
        assert stream.finish().text == ""


# ── the folder of models ──────────────────────────────────────────────────────────────────────────


def test_engines_are_found_by_folder_and_the_others_say_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sherpa_weights.wenet(tmp_path / "sherpa-onnx-wenetspeech-wu")
    (sherpa_weights.wenet(tmp_path / "ours") / "wenan.toml").write_text('language = "wuu"')
    sherpa_weights.wenet(tmp_path / "somebody-elses")
    (tmp_path / "sherpa-onnx-empty").mkdir()
    sherpa_weights.tokens(sherpa_weights.wenet(tmp_path / "sherpa-pinyin"), ("<blk>", "h", "ǎo"))
    found = {one.name: one for one in sherpa_engines(tmp_path)}
    assert {name for name, one in found.items() if one.engine} == {"sherpa-ours", "sherpa-wenetspeech-wu"}
    assert "holds no model" in found["sherpa-empty"].why
    assert "no Chinese characters" in found["sherpa-pinyin"].why
    assert found.keys() == {"sherpa-ours", "sherpa-wenetspeech-wu", "sherpa-empty", "sherpa-pinyin"}
    assert sherpa_engines(tmp_path / "nowhere") == []
    monkeypatch.setattr(sherpa_engine, "PACKAGE", "no_such_package")
    assert {one.why for one in sherpa_engines(tmp_path)} == {"the package sherpa-onnx is missing: run make setup"}


def test_names_are_short_and_begin_alike() -> None:
    assert name_of(Path("sherpa-onnx-paraformer-zh-2023-09-14")) == "sherpa-paraformer-zh-2023-09-14"
    assert name_of(Path("sherpa-ours")) == "sherpa-ours"
    assert name_of(Path("ours")) == "sherpa-ours"


def test_the_library_never_enters_this_process(tmp_path: Path) -> None:
    folder = sherpa_weights.wenet(tmp_path / "sherpa-onnx-wu")
    code = (
        "import sys; from pathlib import Path\n"
        "from speech.engines import sherpa_engine as e\n"
        "from speech.recogniser import Request\n"
        "(found,) = e.sherpa_engines(Path(sys.argv[1]))\n"
        "found.engine.warm()\n"
        "print(found.engine.process.pid, 'sherpa_onnx' in sys.modules, flush=True)\n"
        "import os; os._exit(0)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder.parent)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    pid, imported = done.stdout.split()
    assert imported == "False"
    assert _gone(int(pid)), "the child ends with its parent, however that ends"


def _gone(pid: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        if not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text():
            return True
        time.sleep(0.02)
    return False


# ── children that go wrong ────────────────────────────────────────────────────────────────────────


class Other:
    """An engine that always hears the same."""

    name = "the other"  # ears take engines that they do not know by name in alphabetical order
    streaming = False

    def supports(self, request: Request) -> bool:
        return True

    def open(self, request: Request) -> Other:
        return self

    def feed(self, pcm: bytes) -> None: ...

    def close(self) -> None: ...

    def finish(self) -> Hypothesis:
        return Hypothesis("别的", self.name, 0.5)


def kill(engine: SherpaRecogniser, how: signal.Signals) -> None:
    assert engine.process.pid
    os.kill(engine.process.pid, how)


def test_a_killed_child_costs_nothing_where_the_audio_is_here(wu: SherpaRecogniser) -> None:
    before = hear(wu, said()).text
    stream = wu.open(DICTATION)
    stream.feed(said())
    kill(wu, signal.SIGKILL)
    assert stream.finish().text == before
    assert wu.process.born == 2


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGSTOP])
async def test_a_lost_child_costs_the_engine_one_utterance(
    zipformer: SherpaRecogniser, how: signal.Signals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sherpa_process, "BACKOFF_S", (0.0,))
    zipformer.warm()
    ears = Ears([zipformer, Other()], workers=1)
    try:
        for gone, expected in ((False, zipformer.name), (True, "the other"), (False, zipformer.name)):
            ear = ears.open(DICTATION)
            ear.feed(over_the_line(prompt("收到。")))
            while not ears.idle:
                await asyncio.sleep(0.01)
            if gone:
                kill(zipformer, how)
            with monkeypatch.context() as impatient:
                impatient.setattr(sherpa_engine, "ASK_S", 0.3 if gone else 5.0)
                ear.feed(silence(1000))
                told = await ear.finish()
            assert (told.engine, bool(told.text)) == (expected, True)
    finally:
        ears.close()


async def test_alone_it_fails_with_a_sentence_and_the_next_utterance_works(
    wu: SherpaRecogniser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sherpa_process, "BACKOFF_S", (0.0,))
    wu.warm()
    ears = Ears([wu], workers=1)
    try:
        monkeypatch.setattr(sherpa_engine, "ASK_S", 0.2)
        monkeypatch.setattr(sherpa_engine, "ASK_S_PER_S", 0.0)
        kill(wu, signal.SIGSTOP)
        ear = ears.open(DICTATION)
        ear.feed(said())
        with pytest.raises(EarFailed, match=f"{wu.name}: sherpa-onnx's process took too long and was ended"):
            await ear.finish()
        monkeypatch.setattr(sherpa_engine, "ASK_S", 5.0)
        ear = ears.open(DICTATION)
        ear.feed(said())
        assert (await ear.finish()).text == "好。好。"
    finally:
        ears.close()


async def test_a_message_in_pieces_is_heard_live_and_survives_a_crash_between_them(wu: SherpaRecogniser) -> None:
    ears, heard = Ears([wu], workers=1), []
    try:
        ear = ears.open(Request("dictation", language="wuu"), heard.append)
        for _ in range(2):
            ear.feed(said())
            ear.pause()
            while not ears.idle:
                await asyncio.sleep(0.01)
            kill(wu, signal.SIGKILL)
        told = await ear.finish()
        assert heard[0] == "好好"
        assert told.text == "好。好。好。好。"
    finally:
        ears.close()


def test_a_child_that_grows_is_ended_between_utterances(wu: SherpaRecogniser) -> None:
    wu.warm()
    first = wu.process.pid
    assert hear(wu, said()).text
    assert wu.process.pid == first
    wu.process._growth_mb = -1.0
    assert hear(wu, said()).text
    assert wu.process.pid is None
    wu.process._growth_mb = 800.0
    assert hear(wu, said()).text
    assert wu.process.pid != first


def test_several_threads_share_one_child(wu: SherpaRecogniser) -> None:
    with ThreadPoolExecutor(4) as pool:
        heard = list(pool.map(lambda _: hear(wu, said()).text, range(8)))
    assert heard == ["好好"] * 8
    assert wu.process.born == 1
    assert not wu.process._open, "nothing is left in the child"


def test_a_busy_child_is_not_trimmed_and_nobody_waits_for_ever(wu: SherpaRecogniser) -> None:
    wu.warm()
    wu.process._growth_mb = -1.0
    with wu.process._one_at_a_time:
        assert not wu.process.trim()
        with pytest.raises(SherpaError, match="busy with other utterances"):
            wu.process.ask("F", 1, b"", 0.05)
    assert wu.process.trim()


@pytest.mark.parametrize(
    ("body", "length", "why"),
    [
        ("b'nonsense'", 8, "failed"),
        ("b'[1]'", 3, "no answer"),
        ("b''", 4_000_000_000, "announced 4000000000 bytes"),
        ('b\'{"error": "RuntimeError"}\'', 25, "can't be loaded (RuntimeError)"),
    ],
)
def test_a_child_that_talks_nonsense_is_ended(tmp_path: Path, body: str, length: int, why: str) -> None:
    command = (sys.executable, "-c", LIAR.format(body=body, length=length))
    engine = SherpaRecogniser(sherpa_weights.wenet(tmp_path / "sherpa-liar"), command=command)
    with pytest.raises(SherpaError) as told:
        engine.warm()
    assert why in str(told.value)
    assert engine.process.pid is None


def test_weights_that_the_library_refuses_are_told_and_left_alone_for_a_while(tmp_path: Path) -> None:
    folder = sherpa_weights.wenet(tmp_path / "sherpa-onnx-wu")
    sherpa_weights.only_notes(folder / "model.int8.onnx", {"model_type": "wenet_ctc"})  # no vocab_size: it exits
    engine = SherpaRecogniser(folder)
    for _ in range(2):
        with pytest.raises(SherpaError, match=r"process failed \(exit code"):
            engine.warm()
    with pytest.raises(SherpaError, match="not started again yet"):
        engine.warm()


# ── text and words ────────────────────────────────────────────────────────────────────────────────


def test_marks_fillers_and_foreign_coughs_are_no_text(wu: SherpaRecogniser) -> None:
    for raw in ("", "。", "嗯,啊。", "<|zh|><|nospeech|>", "Yeah.", "<unk>", "[noise]", " 嗯嗯嗯… "):
        assert clean(raw, wu) == ""
    assert clean("<|zh|>水管漏了<unk>", wu) == "水管漏了"
    assert clean("3号楼", wu) == "3号楼"


def test_characters_are_words_and_latin_parts_are_put_together() -> None:
    heard = words(["我", "用", "▁WI", "FI", "了"], [0.1, 0.3, 0.5, 0.7, 2.0], [-0.1] * 5, 10.0, 3.0)
    assert [one.text for one in heard] == ["我", "用", "WIFI", "了"]
    assert heard[0].start_s == pytest.approx(10.1)
    assert heard[2].end_s == pytest.approx(10.5 + sherpa_engine.WORD_S), "a word does not reach over a pause"
    assert heard[3].end_s == pytest.approx(13.0) or heard[3].end_s < 13.0
    assert [one.text for one in words(["wi@@", "fi", "好"], [0, 0.1, 0.2], [], 0.0, 1.0)] == ["wifi", "好"]
    assert words(["好"], [], [], 0.0, 1.0) == ()


@given(
    st.lists(st.tuples(st.sampled_from(["好", "▁a", "b", "b@@", "<unk>", "", "▁", ","]), st.floats(0, 30)), max_size=12)
)
def test_words_have_text_and_time_in_order(parts: list[tuple[str, float]]) -> None:
    starts = sorted(start for _, start in parts)
    heard = words([token for token, _ in parts], starts, [], 0.0, 31.0)
    assert all(word.text and word.start_s <= word.end_s for word in heard)
    assert [word.start_s for word in heard] == sorted(word.start_s for word in heard)


def test_the_audio_reaches_the_model_at_its_own_rate(zipformer: SherpaRecogniser) -> None:
    wide = resample(resample(prompt("收到。"), 8000, 16000), 16000, 8000)
    assert hear(zipformer, wide + silence(600)).text == hear(zipformer, prompt("收到。") + silence(600)).text
