"""Whisper (multilingual base, CTranslate2) as a Recogniser that works at the end of an utterance.

A short answer is decoded freely, by beam search without any menu, and the menu is looked up in the list of best
hypotheses: which share of their probability means what. So text and menu never come from a closed grammar, and the
margin says how far the meaning leads everything else that the audio may have been. (Scoring every phrase of the menu
by forced decoding was measured too: 30 ms of one core for each, and menus hold up to 400.)

A telephone's band ends at 4 kHz, which Whisper's training audio did not: a little noise above it, 24 dB below the
speech, makes 62 of 104 answers exact instead of 55.

Whisper pads all audio to 30 s. The encoder takes shorter input as well: with 10 s it is seven times faster and, on the
answers of the speech set, as good (121 of 208 texts exact, 120 with 30 s; with 8 s 113). (The forerunner of make eval.)
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from speech import phrases
from speech.engines import gate
from speech.engines.gate import credible
from speech.engines.log_mel import RATE, Floats, log_mel
from speech.recogniser import SAMPLE_RATE, Hypothesis, Mode, Request
from speech.resample import resample_floats, to_floats
from speech.vad import voiced_ms

NAME = "whisper"
FILES = ("model.bin", "config.json", "tokenizer.json", "vocabulary.txt")
LANGUAGES = frozenset({"zh", "wuu"})  # Shanghainese: an aid only, speech.interpret never takes it for certain

MIN_WINDOW_S, MAX_WINDOW_S = 10.0, 30.0
TAIL_S = 1.0  # of silence after the audio: without it the decoder repeats itself
PIECE_S = 28.0  # longer audio is cut at its quietest moment between LEAST_PIECE_S and this
LEAST_PIECE_S = 20.0
BEAM = 5
LETTERS_PER_S = 12  # nobody speaks more tokens a second; bounds the decoder's loops
UPPER_BAND = 0.06  # noise above 4 kHz, as a share of the audio's level
MIN_VOICED_MS = 60  # less is a click, and isn't decoded at all
# Another hypothesis than the best one may give the (uncertain) meaning when it is not far behind all the others.
MIN_LEAD = -2.5

# Given before a dictation, it makes the decoder write simplified characters and punctuation (CER of the speech set's
# read sentences 34 % instead of 41 %). Answers are decoded without: a hint would be heard into them.
_BEFORE_DICTATION = "以下是普通话的句子。"


@dataclass(frozen=True)
class Decoded:
    """One hypothesis of the decoder. `score`: log probability of all its `tokens` and the end."""

    text: str
    score: float
    tokens: int

    @property
    def nats(self) -> float:
        """Mean log probability of a token."""
        return self.score / (self.tokens + 1)

    @property
    def confidence(self) -> float:
        """Mean probability of a token (geometric)."""
        return math.exp(min(0.0, self.nats))


@dataclass(frozen=True)
class Verdict:
    """What the hypotheses mean among the menu. `lead`: nats by which the meaning leads all else together."""

    meaning: str
    phrase: str
    lead: float


class WhisperRecogniser:
    """One model in memory for all calls. `workers` utterances are decoded at once, each on `threads` threads.

    Raises OSError or RuntimeError when the folder does not hold the model.
    """

    name = NAME
    streaming = False

    def __init__(self, folder: Path, *, workers: int = 1, threads: int = 1) -> None:
        import ctranslate2
        import tokenizers

        self._storage = ctranslate2.StorageView.from_array
        self._model = ctranslate2.models.Whisper(
            str(folder), device="cpu", compute_type="int8", inter_threads=workers, intra_threads=threads
        )
        self._tokens = tokenizers.Tokenizer.from_file(str(folder / "tokenizer.json"))
        marks = ("<|startoftranscript|>", "<|zh|>", "<|transcribe|>", "<|notimestamps|>")
        self._prompt = [self._mark(mark) for mark in marks]
        hint = self._tokens.encode(_BEFORE_DICTATION, add_special_tokens=False).ids
        self._dictation_prompt = [self._mark("<|startofprev|>"), *hint, *self._prompt]

    def _mark(self, mark: str) -> int:
        number = self._tokens.token_to_id(mark)
        if number is None:
            raise RuntimeError(f"the tokenizer knows no {mark}")
        return number

    def supports(self, request: Request) -> bool:
        return request.mode != "spot" and request.language in LANGUAGES

    def open(self, request: Request) -> WhisperStream:
        return WhisperStream(self, request)

    def decode(self, pcm: bytes, mode: Mode = "answer") -> list[Decoded]:
        """The best hypotheses for at most 29 s of 8 kHz audio, best first; none when nobody speaks."""
        samples = with_upper_band(resample_floats(to_floats(pcm), SAMPLE_RATE, RATE))
        seconds = len(samples) / RATE
        window = min(MAX_WINDOW_S, max(MIN_WINDOW_S, math.ceil(seconds + TAIL_S)))
        prompt = self._dictation_prompt if mode == "dictation" else self._prompt
        found = self._generate(log_mel(samples, window), seconds, prompt)
        hypotheses = [
            Decoded(phrases.simplify(self._tokens.decode(ids)).strip(), score, len(ids))
            for ids, score in zip(found.sequences_ids, found.scores, strict=True)
        ]
        best, voiced = hypotheses[0], voiced_ms(pcm)
        nothing = (
            gate.nobody_spoke(found.no_speech_prob, best.nats)
            or gate.is_breath(best.text, best.nats)
            or not gate.voiced_enough(best.text, voiced)
        )
        return [] if nothing else hypotheses

    def _generate(self, features: Floats, seconds: float, prompt: list[int]) -> Any:
        return self._model.generate(
            self._storage(np.ascontiguousarray(features[None])),
            [prompt],
            beam_size=BEAM,
            num_hypotheses=BEAM,
            length_penalty=0,  # scores are then whole log probabilities, comparable with each other
            return_scores=True,
            return_no_speech_prob=True,
            max_length=len(prompt) + 8 + math.ceil(seconds * LETTERS_PER_S),
        )[0]


class WhisperStream:
    """Collects the utterance; all work is done at the end."""

    def __init__(self, engine: WhisperRecogniser, request: Request) -> None:
        self._engine, self._request = engine, request
        self._audio = bytearray()

    def feed(self, pcm: bytes) -> None:
        self._audio += pcm

    def close(self) -> None:
        self._audio.clear()

    def finish(self) -> Hypothesis:
        begin = time.monotonic()
        pcm = bytes(self._audio)
        if voiced_ms(pcm) < MIN_VOICED_MS:
            return Hypothesis("", NAME, 0.0, seconds=_seconds(pcm))
        if self._request.mode == "answer" and _seconds(pcm) <= PIECE_S:
            return self._answer(pcm, begin)
        return self._dictation(pcm, begin)

    def _answer(self, pcm: bytes, begin: float) -> Hypothesis:
        hypotheses = self._engine.decode(pcm)
        text = credible(hypotheses[0].text) if hypotheses else ""
        if not text:
            return Hypothesis("", NAME, 0.0, seconds=_seconds(pcm), work_s=time.monotonic() - begin)
        verdict = judge(hypotheses, self._request.phrases)
        top = phrases.match(text, self._request.phrases)
        return Hypothesis(
            text,
            NAME,
            hypotheses[0].confidence,
            meaning=verdict.meaning if verdict else None,
            phrase=verdict.phrase if verdict else None,
            margin=verdict.lead if verdict else None,
            agreed=bool(top and verdict and top.meaning == verdict.meaning),
            seconds=_seconds(pcm),
            work_s=time.monotonic() - begin,
        )

    def _dictation(self, pcm: bytes, begin: float) -> Hypothesis:
        texts, score, tokens = [], 0.0, 0
        for piece in pieces(pcm):
            hypotheses = self._engine.decode(piece, "dictation")
            text = credible(hypotheses[0].text) if hypotheses else ""
            if text:
                texts.append(text)
                score, tokens = score + hypotheses[0].score, tokens + hypotheses[0].tokens + 1
        confidence = math.exp(min(0.0, score / tokens)) if tokens else 0.0
        return Hypothesis("".join(texts), NAME, confidence, seconds=_seconds(pcm), work_s=time.monotonic() - begin)


@cache
def _hiss() -> Floats:
    """The part above 4 kHz of white noise of level 1, always the same (results must be repeatable)."""
    spectrum = np.fft.rfft(np.random.default_rng(0).normal(0.0, 1.0, round(MAX_WINDOW_S * RATE)))
    spectrum[: len(spectrum) // 2] = 0
    return np.fft.irfft(spectrum).astype(np.float32)


def with_upper_band(samples: Floats) -> Floats:
    """16 kHz audio of a telephone with noise where the telephone carries nothing."""
    level = UPPER_BAND * np.sqrt(np.mean(samples**2, dtype=np.float32)) if len(samples) else 0.0
    filled = samples.copy()
    filled[: len(_hiss())] += np.float32(level) * _hiss()[: len(samples)]
    return filled


def _seconds(pcm: bytes) -> float:
    return len(pcm) / (2 * SAMPLE_RATE)


def judge(hypotheses: Sequence[Decoded], menu: Mapping[str, Sequence[str]]) -> Verdict | None:
    """What the utterance means, by the probability of all hypotheses. The best one's meaning goes first; where it has
    none, the meaning that most of the others share, if it isn't MIN_LEAD nats behind everything else."""
    shares: dict[str | None, list[float]] = {}
    said: dict[str | None, str] = {}
    for one in hypotheses:
        match = phrases.match(credible(one.text), menu)
        meaning = match.meaning if match else None
        shares.setdefault(meaning, []).append(one.score)
        said.setdefault(meaning, match.phrase if match else "")
    totals = {meaning: float(np.logaddexp.reduce(scores)) for meaning, scores in shares.items()}
    first = next(iter(totals), None)  # the best hypothesis'
    meaning = first or max((one for one in totals if one), key=lambda one: totals[one], default=None)
    if meaning is None:
        return None
    rest = [total for other, total in totals.items() if other != meaning]
    # Hypotheses that the beam dropped are no likelier than the last one it kept.
    rest.append(min(one.score for one in hypotheses))
    lead = totals[meaning] - float(np.logaddexp.reduce(rest))
    return Verdict(meaning, said[meaning], lead) if first or lead >= MIN_LEAD else None


def pieces(pcm: bytes) -> list[bytes]:
    """Cuts long audio at its quietest 200 ms between LEAST_PIECE_S and PIECE_S, so that no word is halved."""
    found = []
    while _seconds(pcm) > PIECE_S:
        first, last = (2 * round(limit * SAMPLE_RATE) for limit in (LEAST_PIECE_S, PIECE_S))
        step = SAMPLE_RATE // 5
        levels = np.abs(to_floats(pcm[first:last])).reshape(-1, step).mean(axis=1)
        cut = first + 2 * step * int(levels.argmin()) + step // 2 * 2
        found.append(pcm[:cut])
        pcm = pcm[cut:]
    return [*found, pcm]
