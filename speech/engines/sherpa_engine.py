"""Dictation by any of sherpa-onnx's models, in a child process, behind the Recogniser protocol.

Which model a folder holds is found by its files (speech.engines.sherpa_models). The library is never imported here:
speech.engines.sherpa_child does, in a process of its own.

A model for whole utterances ("offline") gets pieces: Ear.pause closes one at each pause of the speaker, so that a live
text exists; a piece without pauses is cut where it is quietest. One that streams gets the audio as it comes. Nothing
voiced gives no text, whatever the model makes of it.

Confidence is the mean probability of a token (geometric), where the model tells it; 0.0 means that it does not.
"""

from __future__ import annotations

import itertools
import json
import logging
import math
import re
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from speech import phrases
from speech.catalogue import CATALOGUE
from speech.engines import sherpa_child
from speech.engines.gate import credible
from speech.engines.sherpa_models import NOTE, languages, plan
from speech.engines.sherpa_process import SherpaError, SherpaLost, SherpaProcess
from speech.engines.whisper_engine import pieces
from speech.recogniser import SAMPLE_RATE, Hypothesis, Request, Word
from speech.resample import Resampler, resample
from speech.vad import Vad, voiced_ms

log = logging.getLogger(__name__)

PACKAGE = "sherpa_onnx"
MIN_VOICED_MS = 60  # less is a click
STEP_BYTES = SAMPLE_RATE * 2 // 5  # a streaming model is asked five times a second
# Patience with one piece: the slowest models need 0.5 s for a second, on a machine that has other things to do.
ASK_S, ASK_S_PER_S = 5.0, 1.0
WORD_S = 0.3  # how long the last word of a result is thought to last: models give only where words begin
GAP_S = 0.8  # a word does not reach over a pause
_FILLERS = re.compile(r"[嗯呃额啊哦噢喔诶欸唉哎哈呵唔呀嘛\s,.!?,。!?、…~]*")
_NOT_SPOKEN = re.compile(r"<[^<>]*>|\[[A-Za-z_]+\]")  # <unk>, <|zh|>, [noise]
_SAID = re.compile(r"[\u3400-\u9fff0-9]")
_LETTER = re.compile(r"\w")


@dataclass(frozen=True)
class Found:
    """What a folder of the models folder is worth: the engine, or None; `why` in one sentence for the status."""

    name: str
    engine: SherpaRecogniser | None
    why: str


def sherpa_engines(models_dir: Path, *, threads: int = 1) -> list[Found]:
    """An engine for each folder of sherpa-onnx weights: named sherpa-…, or with a wenan.toml inside.

    Cheap: no child is started, no weights are read (`SherpaRecogniser.warm` does). To be put among the others by
    speech.engines.choice.dictation_order.
    """
    try:
        folders = sorted(one for one in models_dir.iterdir() if one.is_dir() and not one.name.startswith("."))
    except OSError:
        return []
    return [_found(one, threads) for one in folders if one.name.startswith("sherpa-") or (one / NOTE).is_file()]


def _found(folder: Path, threads: int) -> Found:
    name = name_of(folder)
    if find_spec(PACKAGE) is None:
        return Found(name, None, "the package sherpa-onnx is missing: run make setup")
    try:
        engine = SherpaRecogniser(folder, threads=threads)
    except RuntimeError as error:
        log.warning("no engine for the folder %s: it can't be used by sherpa-onnx", folder.name)
        return Found(name, None, f"{error}; see docs/operations.md, Voices and weights")
    if not engine.han and {"zh", "wuu"} & set(engine.languages):
        return Found(name, None, f"{folder.name} writes no Chinese characters: of no use for messages")
    return Found(name, engine, f"ready, {engine.kind} in {folder.name}, starts when first needed")


def name_of(folder: Path) -> str:
    """The engine's name: "sherpa-" and what is particular in the folder's name."""
    return "sherpa-" + re.sub(r"^(sherpa-)?(onnx-)?", "", folder.name)


class SherpaRecogniser:
    """One model, one child process, for all calls. The child is started when it is first needed.

    `known`: the languages that it knows, best first; None: as the catalogue, wenan.toml or the folder's name say.
    `command`: starts another child (tests). Raises RuntimeError when the folder holds no model that sherpa-onnx knows.
    """

    def __init__(
        self,
        folder: Path,
        *,
        known: tuple[str, ...] | None = None,
        threads: int = 1,
        command: Sequence[str] | None = None,
    ) -> None:
        found = plan(folder)
        catalogued = next((one.languages for one in CATALOGUE if one.name == folder.name), ())
        self.name = name_of(folder)
        self.kind, self.streaming, self.rate, self.han = found.kind, found.online, found.rate, found.han
        self.languages = known or languages(folder, catalogued)
        arguments = asdict(found) | {"arguments": {**found.arguments, "num_threads": threads}}
        start = command or (sys.executable, "-P", str(sherpa_child.__file__))
        self.process = SherpaProcess((*start, json.dumps(arguments)))
        self._numbers = itertools.count(1)

    def supports(self, request: Request) -> bool:
        """Dictations. Shanghainese goes to a Mandarin model too, whose text is then an aid at best; it comes last there
        (speech.engines.choice)."""
        known = request.language in self.languages or (request.language == "wuu" and "zh" in self.languages)
        return request.mode == "dictation" and known

    def open(self, request: Request) -> WholeStream | OnlineStream:
        return OnlineStream(self) if self.streaming else WholeStream(self)

    def warm(self) -> None:
        """Reads the weights now. Blocking. SherpaError when they can't be loaded."""
        self.process.start()

    def close(self) -> None:
        """Ends the child."""
        self.process.close()

    def number(self) -> int:
        """A stream's number, new each time."""
        return next(self._numbers) & 0xFFFFFFFF


class WholeStream:
    """An utterance for a model that wants all of it. Collects; the work is done at the end."""

    def __init__(self, engine: SherpaRecogniser) -> None:
        self._engine = engine
        self._audio = bytearray()

    def feed(self, pcm: bytes) -> None:
        self._audio += pcm

    def close(self) -> None:
        self._audio.clear()

    def finish(self) -> Hypothesis:
        begin = time.monotonic()
        pcm, seconds = bytes(self._audio), _seconds(self._audio)
        self.close()
        if voiced_ms(pcm) < MIN_VOICED_MS:
            return Hypothesis("", self._engine.name, 0.0, seconds=seconds)
        heard, at = [], 0.0
        for piece in pieces(pcm):
            if voiced_ms(piece) >= MIN_VOICED_MS:
                heard.append(_heard(self._recognise(piece), self._engine, at, _seconds(piece)))
            at += _seconds(piece)
        self._engine.process.trim()
        return _joined(heard, self._engine.name, seconds, time.monotonic() - begin)

    def _recognise(self, piece: bytes) -> dict[str, Any]:
        """Once more if the child was lost: it may have been gone before, and the audio is here."""
        try:
            return self._ask(piece)
        except SherpaLost:
            return self._ask(piece)

    def _ask(self, piece: bytes) -> dict[str, Any]:
        process, number = self._engine.process, self._engine.number()
        patience = ASK_S + ASK_S_PER_S * _seconds(piece)
        child = process.start()
        try:
            process.ask("A", number, resample(piece, SAMPLE_RATE, self._engine.rate), patience, of=child)
            return process.ask("F", number, b"", patience, of=child)
        except SherpaError:
            process.drop(number, child)
            raise


class OnlineStream:
    """An utterance for a model that streams. The child has its audio; when that is gone, the utterance has failed."""

    def __init__(self, engine: SherpaRecogniser) -> None:
        self._engine = engine
        self._number = engine.number()
        self._child = 0  # which child has the audio; none yet
        self._resampler = Resampler(SAMPLE_RATE, engine.rate)
        self._waiting = bytearray()
        self._voiced = _Voiced()
        self._bytes = 0
        self._said = ""

    def feed(self, pcm: bytes) -> str | None:
        """The text so far, when it changed and somebody speaks."""
        self._bytes += len(pcm)
        self._waiting += pcm
        self._voiced.feed(pcm)
        return self._send() if len(self._waiting) >= STEP_BYTES else None

    def _send(self, last: bool = False) -> str | None:
        process = self._engine.process
        self._child = self._child or process.start()
        audio = self._resampler.feed(bytes(self._waiting), last)
        patience = ASK_S + ASK_S_PER_S * _seconds(self._waiting)
        self._waiting.clear()
        told = process.ask("A", self._number, audio, patience, of=self._child)
        text = clean(str(told.get("text", "")), self._engine) if self._voiced.ms >= MIN_VOICED_MS else ""
        if text == self._said:
            return None
        self._said = text
        return text

    def finish(self) -> Hypothesis:
        begin = time.monotonic()
        engine, seconds = self._engine, self._bytes / (2 * SAMPLE_RATE)
        if self._voiced.ms < MIN_VOICED_MS:
            self.close()
            return Hypothesis("", engine.name, 0.0, seconds=seconds)
        self._send(last=True)
        result = engine.process.ask("F", self._number, b"", ASK_S + ASK_S_PER_S * seconds, of=self._child)
        self._child = 0
        engine.process.trim()
        return _joined([_heard(result, engine, 0.0, seconds)], engine.name, seconds, time.monotonic() - begin)

    def close(self) -> None:
        if self._child:
            self._engine.process.drop(self._number, self._child)
            self._child = 0


class _Voiced:
    """How much of a stream is voiced, in ms, counted as it comes."""

    def __init__(self) -> None:
        self._vad, self._rest, self.ms = Vad(), b"", 0

    def feed(self, pcm: bytes) -> None:
        data = self._rest + pcm
        whole = len(data) // 320 * 320
        self.ms += 20 * sum(self._vad.is_speech(data[at : at + 320]) for at in range(0, whole, 320))
        self._rest = data[whole:]


# ── what came out ─────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class _Heard:
    text: str
    words: tuple[Word, ...]
    logs: tuple[float, ...]


def _heard(result: dict[str, Any], engine: SherpaRecogniser, at: float, seconds: float) -> _Heard:
    """One piece that begins at `at` s."""
    try:
        text, tokens = clean(str(result["text"]), engine), [str(one) for one in result["tokens"]]
        starts = [float(one) for one in result["starts"]]
        logs = [float(one) for one in result["logs"]]
    except (KeyError, TypeError, ValueError):
        raise SherpaError("sherpa-onnx's process gave an answer that can't be read") from None
    if not text:
        return _Heard("", (), ())
    return _Heard(text, words(tokens, starts, logs, at, seconds), tuple(min(0.0, one) for one in logs))


def clean(text: str, engine: SherpaRecogniser) -> str:
    """The model's text in simplified characters, without its marks; empty when nothing was said but 嗯 and the like."""
    plain = phrases.simplify(_NOT_SPOKEN.sub("", text)).strip()
    if _FILLERS.fullmatch(plain) or not _LETTER.search(plain):
        return ""
    if not engine.han:
        return plain
    return credible(plain) if _SAID.search(plain) else ""  # "Yeah." is what models for all languages make of a cough


def words(
    tokens: Sequence[str], starts: Sequence[float], logs: Sequence[float], at: float, seconds: float
) -> tuple[Word, ...]:
    """Words with their times in the utterance: a Chinese character each, Latin ones put together from their parts
    ("▁" or a blank begins one, "@@" goes on). Empty where the model gives no times."""
    if not tokens or len(starts) != len(tokens):
        return ()
    parts: list[tuple[str, float, list[float]]] = []
    glue = False
    for index, token in enumerate(tokens):
        text = token.replace("▁", " ")
        if _NOT_SPOKEN.search(text) or not _LETTER.search(text):
            glue = glue and bool(text.strip())
            continue
        own = [logs[index]] if len(logs) == len(tokens) else []
        goes_on = text.endswith("@@")
        if parts and glue and not text.startswith(" ") and not _SAID.search(text):
            before, start, sure = parts[-1]
            parts[-1] = (before + text.strip().removesuffix("@@"), start, sure + own)
        else:
            parts.append((text.strip().removesuffix("@@"), starts[index], own))
        glue = goes_on or ("▁" in "".join(tokens) and not _SAID.search(text))
    return tuple(_timed(parts, at, seconds))


def _timed(parts: Sequence[tuple[str, float, list[float]]], at: float, seconds: float) -> list[Word]:
    starts = [start for _, start, _ in parts]
    made = []
    for (text, start, sure), following in zip(parts, [*starts[1:], seconds], strict=False):
        end = following if following - start <= GAP_S else start + WORD_S
        made.append(Word(text, at + start, at + max(start, min(end, seconds)), _probability(sure)))
    return made


def _probability(logs: Sequence[float]) -> float:
    """Geometric mean of the probabilities; 0.0 where there are none."""
    return math.exp(min(0.0, sum(logs) / len(logs))) if logs else 0.0


def _joined(heard: Sequence[_Heard], name: str, seconds: float, work_s: float) -> Hypothesis:
    said = tuple(word for one in heard for word in one.words)
    return Hypothesis(
        "".join(one.text for one in heard),
        name,
        _probability([log for one in heard for log in one.logs]),
        words=said,
        seconds=seconds,
        begin_s=said[0].start_s if said else None,
        end_s=said[-1].end_s if said else None,
        work_s=work_s,
    )


def _seconds(pcm: bytes | bytearray) -> float:
    return len(pcm) / (2 * SAMPLE_RATE)
