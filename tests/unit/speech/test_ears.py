"""Recognition beside the event loop, with engines that do what a test wants."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from speech.ears import Ear, EarFailed, Ears, EngineStatus, load_ears
from speech.recogniser import Hypothesis, Mode, Request
from tests.unit.speech.audio import prompt

MENU = {"well": ["蛮好的"], "unwell": ["头晕"], "distress": ["救命"]}
ANSWER = Request("answer", MENU)
DICTATION = Request("dictation", {"distress": ["救命"]})
TENTH = bytes(1600)  # 100 ms


@dataclass
class Engine:
    """Says `says`; the audio's length as its first word shows that nothing was lost. `before` runs in the worker."""

    name: str = "whisper"
    streaming: bool = False
    says: str = "蛮好的"
    languages: tuple[str, ...] = ("zh",)
    modes: tuple[str, ...] = ("answer", "dictation", "spot")
    before: Callable[[bytes], None] = lambda pcm: None
    heard: list[bytes] = field(default_factory=list)
    closed: int = 0

    def supports(self, request: Request) -> bool:
        return request.language in self.languages and request.mode in self.modes

    def open(self, request: Request) -> Stream:
        return Stream(self)


class Stream:
    def __init__(self, engine: Engine) -> None:
        self.engine, self.audio = engine, b""

    def feed(self, pcm: bytes) -> str | None:
        self.audio += pcm
        if not self.engine.streaming:
            return None
        self.engine.before(self.audio)
        return f"{self.engine.says}{len(self.audio)}"

    def finish(self) -> Hypothesis:
        self.engine.before(self.audio)
        self.engine.heard.append(self.audio)
        return Hypothesis(
            self.engine.says,
            self.engine.name,
            0.9,
            meaning="well",
            phrase="蛮好的",
            margin=3.0,
            agreed=True,
            seconds=1.0,
        )

    def close(self) -> None:
        self.engine.closed += 1


@pytest.fixture
async def make() -> AsyncIterator[Callable[..., Ears]]:
    made: list[Ears] = []

    def ears(*engines: Engine, workers: int = 2, hang_s: float | None = None) -> Ears:
        made.append(Ears(engines, workers=workers, hang_s=hang_s))
        return made[-1]

    yield ears
    for one in made:
        one.close()


async def until(true: Callable[[], object]) -> None:
    async with asyncio.timeout(5):
        while not true():
            await asyncio.sleep(0.005)


def counted(ear: Ear, tenths: int) -> None:
    for number in range(tenths):
        ear.feed(bytes([number]) + TENTH[1:])


def raises(pcm: bytes) -> None:
    raise RuntimeError("out of memory")


async def test_an_answer_is_understood_with_all_its_audio_in_order(make: Callable[..., Ears]) -> None:
    engine = Engine()
    ears = make(engine)
    ear = ears.open(ANSWER)
    counted(ear, 30)
    told = await ear.finish()
    assert (told.meaning, told.certain, told.engine) == ("well", True, "whisper")
    assert [engine.heard[0][at] for at in range(0, 30 * 1600, 1600)] == list(range(30))
    assert ears.idle


async def test_partials_come_in_the_loop_and_in_order(make: Callable[..., Ears]) -> None:
    here, partials = threading.get_ident(), []

    def on_partial(text: str) -> None:
        assert threading.get_ident() == here
        partials.append(int(text.removeprefix("蛮好的")))

    ear = make(Engine("vosk", streaming=True)).open(ANSWER, on_partial)
    for _ in range(10):
        ear.feed(TENTH)
        await asyncio.sleep(0.002)
    told = await ear.finish()
    assert told.text == "蛮好的"
    await until(lambda: partials and partials[-1] == 16000)
    assert partials == sorted(partials)


async def test_feeding_never_waits_for_a_busy_engine(make: Callable[..., Ears]) -> None:
    release = threading.Event()
    waited: list[bool] = []
    ear = make(Engine("vosk", streaming=True, before=lambda pcm: waited.append(release.wait(30)))).open(ANSWER)
    counted(ear, 200)
    release.set()
    assert (await ear.finish()).meaning == "well"
    assert all(waited), "the engine waited for the feeding, and the feeding for the engine"


async def test_engines_are_asked_in_their_order(make: Callable[..., Ears]) -> None:
    ears = make(Engine("whisper"), Engine("unheard-of"), Engine("vosk"), Engine("phrase-scorer"))
    assert [one.name for one in ears.status()] == ["phrase-scorer", "vosk", "whisper", "unheard-of"]
    ear = ears.open(ANSWER)
    ear.feed(TENTH)
    assert (await ear.finish()).engine == "phrase-scorer"


@pytest.mark.parametrize(
    ("mode", "language", "first"),
    [
        ("answer", "zh", "phrase-scorer"),
        ("answer", "wuu", "phrase-scorer"),
        ("dictation", "zh", "sherpa-paraformer"),
        ("dictation", "wuu", "sherpa-wenetspeech-wu"),
    ],
)
async def test_whom_a_dictation_is_given_to_depends_on_the_elders_language(
    make: Callable[..., Ears], mode: Mode, language: str, first: str
) -> None:
    ears = make(
        Engine("whisper", languages=("zh", "wuu")),
        Engine("vosk"),
        Engine("sherpa-wenetspeech-wu", languages=("wuu", "zh"), modes=("dictation",)),
        Engine("sherpa-paraformer", modes=("dictation",)),
        Engine("phrase-scorer", languages=("zh", "wuu"), modes=("answer", "spot")),
    )
    ear = ears.open(Request(mode, MENU, language))
    ear.feed(TENTH)
    assert (await ear.finish()).engine == first


async def test_engines_with_a_process_of_their_own_are_closed(make: Callable[..., Ears]) -> None:
    class Child(Engine):
        def close(self) -> None:
            self.closed += 1

    child = Child("sherpa-paraformer")
    make(child, Engine()).close()
    assert child.closed == 1


async def test_an_engine_that_raises_hands_all_audio_to_the_next(make: Callable[..., Ears]) -> None:
    broken, sound = Engine("vosk", streaming=True, before=raises), Engine("whisper")
    ear = make(broken, sound).open(ANSWER)
    counted(ear, 20)
    assert (await ear.finish()).engine == "whisper"
    assert len(sound.heard[0]) == 20 * 1600


async def test_an_engine_that_hangs_costs_one_turn_and_is_left_alone(make: Callable[..., Ears]) -> None:
    release = threading.Event()
    stuck, sound = Engine("vosk", streaming=True, before=lambda pcm: release.wait(20) and None), Engine("whisper")
    ears = make(stuck, sound, workers=1, hang_s=0.1)
    ear = ears.open(ANSWER)
    counted(ear, 5)
    assert (await ear.finish()).engine == "whisper"
    assert [(one.name, one.ready) for one in ears.status()] == [("vosk", False), ("whisper", True)]
    other = ears.open(ANSWER)
    other.feed(TENTH)
    assert (await other.finish()).engine == "whisper"
    release.set()
    await until(lambda: all(one.ready for one in ears.status()))


async def test_when_no_engine_can_the_call_hears_of_it(make: Callable[..., Ears]) -> None:
    ear = make(Engine("vosk", before=raises), Engine("whisper", before=raises)).open(ANSWER)
    ear.feed(TENTH)
    with pytest.raises(EarFailed, match="vosk: out of memory; whisper: out of memory"):
        await ear.finish()


async def test_without_engines_nothing_can_be_heard(make: Callable[..., Ears]) -> None:
    ears = make()
    assert not ears.can(ANSWER)
    with pytest.raises(EarFailed, match="no engine"):
        await ears.open(ANSWER).finish()
    assert not make(Engine()).can(Request("answer", MENU, "wuu"))


async def test_distress_in_a_dictation_is_found_at_a_pause(make: Callable[..., Ears]) -> None:
    partials: list[str] = []
    engine = Engine(says="救命啊。")
    ear = make(engine).open(DICTATION, partials.append)
    counted(ear, 10)
    ear.pause()
    await until(lambda: partials)
    counted(ear, 4)
    told = await ear.finish()
    assert partials == ["救命啊。"]
    assert (told.meaning, told.text) == ("distress", "救命啊。救命啊。")
    assert [len(piece) for piece in engine.heard] == [10 * 1600, 4 * 1600]


async def test_a_dictation_without_distress_has_no_meaning(make: Callable[..., Ears]) -> None:
    ear = make(Engine(says="今天头晕")).open(DICTATION)
    ear.feed(prompt("收到。"))
    told = await ear.finish()
    assert (told.meaning, told.certain, told.text) == (None, False, "今天头晕")


async def test_an_answer_goes_before_dictation_pieces(make: Callable[..., Ears]) -> None:
    release, order = threading.Event(), []
    slow = Engine(before=lambda pcm: release.wait(5) and None)
    ears = make(slow, workers=1)

    async def said(ear: Ear, name: str) -> None:
        await ear.finish()
        order.append(name)

    first, dictated, answered = ears.open(ANSWER), ears.open(DICTATION), ears.open(ANSWER)
    tasks = []
    for ear, name in ((first, "first"), (dictated, "dictation"), (answered, "answer")):
        ear.feed(TENTH)
        tasks.append(asyncio.create_task(said(ear, name)))
        await asyncio.sleep(0.02)
    release.set()
    await asyncio.gather(*tasks)
    assert order == ["first", "answer", "dictation"]


async def test_who_is_done_goes_before_those_who_still_speak(make: Callable[..., Ears]) -> None:
    release, order = threading.Event(), []
    slow = Engine(before=lambda pcm: release.wait(5) and None)
    spoken = Engine("vosk", streaming=True, before=lambda pcm: order.append(len(pcm)), languages=("wuu",))
    ears = make(slow, spoken, workers=1)
    busy = ears.open(ANSWER)
    busy.feed(TENTH)
    first = asyncio.create_task(busy.finish())
    await asyncio.sleep(0.02)
    speaking, done = (ears.open(Request("answer", MENU, "wuu")) for _ in range(2))
    done.feed(TENTH[:320])  # less than wakes the engine
    speaking.feed(TENTH)
    last = asyncio.create_task(done.finish())
    await asyncio.sleep(0.02)
    release.set()
    await asyncio.gather(first, last)
    await until(lambda: ears.idle)
    assert order[0] == 320
    speaking.close()


async def test_two_utterances_make_progress_side_by_side_on_one_worker(make: Callable[..., Ears]) -> None:
    ears, seen = make(Engine("vosk", streaming=True, before=lambda pcm: time.sleep(0.002)), workers=1), []
    one, two = ears.open(ANSWER, lambda text: seen.append(1)), ears.open(ANSWER, lambda text: seen.append(2))
    for _ in range(20):
        one.feed(TENTH)
        two.feed(TENTH)
        await asyncio.sleep(0.005)
    await asyncio.gather(one.finish(), two.finish())
    assert {1, 2} <= set(seen[:4])


async def test_a_closed_utterance_frees_its_worker(make: Callable[..., Ears]) -> None:
    begun, release = threading.Event(), threading.Event()
    engine = Engine(before=lambda pcm: begun.set() or (release.wait(5) and None))
    ears = make(engine, workers=1)
    running, waiting = ears.open(ANSWER), ears.open(ANSWER)
    for ear in (running, waiting):
        ear.feed(TENTH)
    tasks = [asyncio.create_task(ear.finish()) for ear in (running, waiting)]
    await until(begun.is_set)
    for ear in (running, waiting):
        ear.close()
        ear.close()
    for task in tasks:
        with pytest.raises(EarFailed, match="closed"):
            await task
    assert ears.idle
    release.set()
    last = ears.open(ANSWER)
    last.feed(TENTH)
    assert (await last.finish()).meaning == "well"
    assert len(engine.heard) == 2, "the one that waited was never recognised"


async def test_a_finish_that_was_given_up_leaves_no_trace(make: Callable[..., Ears]) -> None:
    release = threading.Event()
    ears = make(Engine(before=lambda pcm: release.wait(5) and None))
    ear = ears.open(DICTATION)
    ear.feed(TENTH)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(ear.finish(), 0.02)
    assert not ears.idle
    ear.close()
    release.set()
    await until(lambda: ears.idle)


async def test_a_heavy_job_does_not_hold_up_the_loop(make: Callable[..., Ears]) -> None:
    begun, turned, in_time = threading.Event(), threading.Event(), []

    def works(_pcm: bytes) -> None:
        begun.set()
        in_time.append(turned.wait(10))

    ear = make(Engine(before=works)).open(ANSWER)
    ear.feed(TENTH)
    task = asyncio.create_task(ear.finish())
    await until(begun.is_set)
    for _ in range(20):
        await asyncio.sleep(0)
    turned.set()
    await task
    assert in_time == [True], "the loop stood still until the job was done"


async def test_nothing_said_is_recognised_as_nothing(make: Callable[..., Ears]) -> None:
    told = await make(Engine()).open(ANSWER).finish()
    assert (told.meaning, told.text) == (None, "")


@dataclass
class Scorer(Engine):
    """Streams, judges at pauses; `means` is what it then has decided."""

    name: str = "phrase-scorer"
    streaming: bool = True
    means: str | None = "unwell"
    turns: list[int] = field(default_factory=list)  # bytes of each turn's audio
    pauses: list[int] = field(default_factory=list)  # bytes heard at each pause

    def open(self, request: Request) -> ScorerStream:
        return ScorerStream(self)


class ScorerStream(Stream):
    engine: Scorer
    decided = False
    meaning: str | None = None

    def feed(self, pcm: bytes) -> str | None:
        self.engine.turns.append(len(pcm))
        super().feed(pcm)
        return None

    def pause(self) -> None:
        self.engine.pauses.append(len(self.audio))
        self.decided, self.meaning = self.engine.means is not None, self.engine.means

    def finish(self) -> Hypothesis:
        super().finish()
        meaning = self.engine.means
        phrase = MENU[meaning][0] if meaning else None
        return Hypothesis(phrase or "", self.engine.name, 0.9, meaning, phrase, margin=3.0, begin_s=0.1, end_s=0.4)


async def test_a_streaming_engine_is_woken_for_a_tenth_of_a_second_not_for_a_frame(make: Callable[..., Ears]) -> None:
    scorer = Scorer()
    ears = make(scorer)
    ear = ears.open(ANSWER)
    for _ in range(52):
        ear.feed(bytes(320))
        await until(lambda: ears.idle)
    assert scorer.turns == [1600] * 10
    ear.pause()
    await until(lambda: scorer.pauses)
    assert scorer.pauses == [52 * 320], "a pause brings what was left over"
    assert (await ear.finish()).meaning == "unwell"


@pytest.mark.parametrize(
    ("means", "decided"),
    [("unwell", True), ("distress", True), ("well", False), ("yes", False), ("me", False), (None, False)],
)
async def test_a_good_answer_is_never_decided_early(
    make: Callable[..., Ears], means: str | None, decided: bool
) -> None:
    scorer = Scorer(means=means)
    ears = make(scorer)
    ear = ears.open(ANSWER)
    ear.feed(TENTH * 5)
    await until(lambda: ears.idle)
    assert not ear.decided, "nobody has paused yet"
    ear.pause()
    await until(lambda: ears.idle)
    assert ear.decided is decided


async def test_what_was_decided_before_somebody_went_on_is_open_again(make: Callable[..., Ears]) -> None:
    scorer = Scorer()
    ears = make(scorer)
    ear = ears.open(ANSWER)
    ear.feed(TENTH)
    ear.pause()
    await until(lambda: ears.idle)
    assert ear.decided
    scorer.means = None
    ear.feed(TENTH)
    ear.pause()
    assert not ear.decided
    await until(lambda: ears.idle)
    assert not ear.decided


async def test_nothing_is_decided_in_a_dictation_nor_by_an_engine_that_cannot(make: Callable[..., Ears]) -> None:
    for engine, request in ((Scorer(), DICTATION), (Engine("vosk", streaming=True), ANSWER)):
        ears = make(engine)
        ear = ears.open(request)
        ear.feed(TENTH)
        ear.pause()
        await until(lambda ears=ears: ears.idle)
        assert not ear.decided


async def test_a_pause_never_cuts_an_answer(make: Callable[..., Ears]) -> None:
    engine = Engine()
    ear = make(engine).open(ANSWER)
    ear.feed(TENTH * 4)
    ear.pause()
    ear.feed(TENTH * 2)
    await ear.finish()
    assert [len(piece) for piece in engine.heard] == [6 * 1600]


async def test_word_times_and_margin_reach_the_interpretation(make: Callable[..., Ears]) -> None:
    ear = make(Scorer()).open(ANSWER)
    ear.feed(TENTH)
    told = await ear.finish()
    assert (told.margin, told.begin_s, told.end_s) == (3.0, 0.1, 0.4)


async def test_a_second_opinion_has_all_the_audio_and_its_own_bars(make: Callable[..., Ears]) -> None:
    other = Engine()
    ear = make(Scorer(means=None), other).open(ANSWER)
    counted(ear, 12)
    told = await ear.finish(second=True)
    assert (told.meaning, told.engine, len(other.heard[0])) == ("well", "whisper", 12 * 1600)


@pytest.mark.parametrize("second", [True, False])
async def test_no_second_opinion_where_the_first_knows_or_nobody_asks(make: Callable[..., Ears], second: bool) -> None:
    other = Engine()
    ear = make(Scorer(means="unwell" if second else None), other).open(ANSWER)
    ear.feed(TENTH)
    assert (await ear.finish(second=second)).engine == "phrase-scorer"
    assert other.heard == []


async def test_a_second_opinion_that_takes_too_long_is_not_waited_for(
    make: Callable[..., Ears], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("speech.ears.SECOND_S", 0.05)
    release = threading.Event()
    slow = Engine(before=lambda pcm: release.wait(5) and None)
    ears = make(Scorer(means=None), slow)
    for _ in range(2):
        ear = ears.open(ANSWER)
        ear.feed(TENTH)
        told = await ear.finish(second=True)
        assert (told.meaning, told.engine) == (None, "phrase-scorer")
    release.set()
    await until(lambda: ears.idle)
    assert len(slow.heard) == 1, "while one opinion is awaited nobody asks for another"
    ear = ears.open(ANSWER)
    ear.feed(TENTH)
    assert (await ear.finish(second=True)).engine == "whisper"


async def test_a_second_opinion_that_fails_leaves_the_first(make: Callable[..., Ears]) -> None:
    ear = make(Scorer(means=None), Engine(before=raises)).open(ANSWER)
    ear.feed(TENTH)
    assert (await ear.finish(second=True)).engine == "phrase-scorer"


def test_without_weights_the_status_says_what_to_do(tmp_path: Path) -> None:
    ears = load_ears(tmp_path, workers=1, whisper_threads=1)
    try:
        known = {one.name: one for one in ears.status()}
        for name, weights in (("vosk", "vosk-model-small-cn-0.22"), ("whisper", "whisper-base")):
            assert known[name] == EngineStatus(
                name, False, f"no weights: .venv/bin/python server.py models pull {weights}", installed=False
            )
        assert not ears.can(ANSWER)
        assert all("models pull" in one.why for one in ears.status())
    finally:
        ears.close()


def test_broken_weights_are_no_crash(tmp_path: Path) -> None:
    for name in ("whisper-base", "vosk-model-small-cn-0.22"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "model.bin").write_bytes(b"nonsense")
    ears = load_ears(tmp_path, workers=1, whisper_threads=1)
    try:
        assert not any(one.ready for one in ears.status())
        assert all("models verify" in one.why for one in ears.status() if one.name in ("whisper", "vosk"))
    finally:
        ears.close()
