"""Vosk (Kaldi) as a streaming Recogniser: one model in memory, recognisers of their own for every utterance.

A short answer is decoded twice at the same time: with a grammar of the menu's phrases and the unknown word, and
openly. A grammar bends anything into its phrases with a confidence near 1.0 (tests/unit/speech/test_vosk.py holds an
example: nonsense comes out as "no"), so its opinion counts only where the open decoding says the same, and the
confidence is the open one's.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from speech import phrases
from speech.recogniser import SAMPLE_RATE, Hypothesis, Request, Word

NAME = "vosk"
MANDARIN = frozenset({"zh", "wuu"})  # Shanghainese: an aid only, speech.interpret never takes it for certain

STEP_BYTES = SAMPLE_RATE * 2 // 10  # decoded in steps of 100 ms: a partial result costs as much as some frames
# How models spell the word for "none of these" (the Chinese ones "[unk]", others as Kaldi's recipes do).
_UNKNOWN = ("[unk]", "<unk>", "<UNK>", "[UNK]")
_NO_WORD = re.compile(r"[\[<!].*")  # noises and the unknown word
_GAP = re.compile(r"(?<=[\u3400-\u9fff]) +(?=[\u3400-\u9fff])")
# What rings people, ends all calls or suspends a number is never taken from the grammar alone.
_NEVER_ALONE = frozenset({phrases.DISTRESS, "refuse", "wrong_number"})


class VoskRecogniser:
    """`languages` that the model in `folder` understands. Raises RuntimeError when the folder holds no model."""

    name = NAME
    streaming = True

    def __init__(self, folder: Path, languages: frozenset[str] = MANDARIN) -> None:
        import vosk

        vosk.SetLogLevel(-1)  # it would print every phrase to standard error
        try:
            self._model = vosk.Model(str(folder))
        except Exception as error:  # vosk raises the bare class
            raise RuntimeError(f"{folder} holds no Vosk model") from error
        self._make = vosk.KaldiRecognizer
        self._languages = languages
        self._unknown = next((word for word in _UNKNOWN if self.knows(word)), None)
        self._segmented = lru_cache(maxsize=4096)(self._segment)

    def supports(self, request: Request) -> bool:
        return request.mode != "spot" and request.language in self._languages

    def open(self, request: Request) -> VoskStream:
        grammar = self.grammar(request.phrases) if request.mode == "answer" else ()
        menu = self._recogniser(json.dumps(grammar, ensure_ascii=False)) if grammar else None
        return VoskStream(request, self._recogniser(), menu)

    def _recogniser(self, *grammar: str) -> Any:
        made = self._make(self._model, float(SAMPLE_RATE), *grammar)
        made.SetWords(True)
        return made

    def knows(self, word: str) -> bool:
        """Whether the word is in the model's vocabulary."""
        return bool(self._model.vosk_model_find_word(word) >= 0)

    def grammar(self, menu: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
        """The phrases in the model's words, and the unknown word; empty where the model knows no phrase, or has no
        unknown word (without one every cough would be an answer). Phrases with a word that the model lacks can't be
        recognised by grammar; the open decoding may still spell them."""
        if self._unknown is None:
            return ()
        found = (self._segmented(phrase) for ways in menu.values() for phrase in ways)
        lines = dict.fromkeys(line for line in found if line)
        return (*lines, self._unknown) if lines else ()

    def _segment(self, phrase: str) -> str:
        """The phrase as the fewest words of the vocabulary, blanks between; "" when it can't be made of them."""
        parts = [self._words(part) for part in phrase.split()]
        return " ".join(word for part in parts for word in part) if all(parts) else ""

    def _words(self, text: str) -> tuple[str, ...]:
        best: dict[int, tuple[str, ...]] = {0: ()}
        for end in range(1, len(text) + 1):
            ways = [
                (*best[start], text[start:end]) for start in range(end) if start in best and self.knows(text[start:end])
            ]
            if ways:
                best[end] = min(ways, key=len)
        return best.get(len(text), ())


class VoskStream:
    """One utterance: an open decoding, and beside it the menu's where there is one."""

    def __init__(self, request: Request, free: Any, menu: Any | None) -> None:
        self._request = request
        self._free: _Decoding | None = _Decoding(free)
        self._menu = _Decoding(menu) if menu is not None else None
        self._said = ""
        self._bytes = 0
        self._waiting = bytearray()

    def feed(self, pcm: bytes) -> str | None:
        """The open decoding's text so far, when it changed."""
        assert self._free is not None, "the stream was closed"
        self._bytes += len(pcm)
        self._waiting += pcm
        return self._decode() if len(self._waiting) >= STEP_BYTES else None

    def _decode(self) -> str | None:
        assert self._free is not None, "the stream was closed"
        pcm = bytes(self._waiting)
        self._waiting.clear()
        if self._menu:
            self._menu.feed(pcm)
        said = self._free.feed(pcm)
        if said == self._said:
            return None
        self._said = said
        return said

    def finish(self) -> Hypothesis:
        assert self._free is not None, "the stream was closed"
        begin = time.monotonic()
        if self._waiting:
            self._decode()
        words, menu_words = self._free.finish(), self._menu.finish() if self._menu else ()
        self.close()
        seconds = self._bytes / (2 * SAMPLE_RATE)
        text, confidence = glue(word.text for word in words), _mean(words)
        told = Hypothesis(text, NAME, confidence, words=words, seconds=seconds, work_s=time.monotonic() - begin)
        return told if self._request.mode == "dictation" else _answered(told, menu_words, self._request)

    def close(self) -> None:
        self._free = self._menu = None


class _Decoding:
    """One recogniser's words. Kaldi ends an utterance by itself at a pause; the words so far are kept."""

    def __init__(self, recogniser: Any) -> None:
        self._recogniser = recogniser
        self._words: list[Word] = []

    def feed(self, pcm: bytes) -> str:
        """Everything heard so far as text."""
        if self._recogniser.AcceptWaveform(pcm):
            self._keep(self._recogniser.Result())
            return glue(word.text for word in self._words)
        going = json.loads(self._recogniser.PartialResult()).get("partial", "")
        return glue([*(word.text for word in self._words), *_real(going.split())])

    def finish(self) -> tuple[Word, ...]:
        self._keep(self._recogniser.FinalResult())
        return tuple(self._words)

    def _keep(self, result: str) -> None:
        for word in json.loads(result).get("result", ()):
            if _real([word["word"]]):
                self._words.append(Word(word["word"], word["start"], word["end"], min(1.0, word["conf"])))


def _real(words: Iterable[str]) -> list[str]:
    return [word for word in words if not _NO_WORD.match(word)]


def glue(words: Iterable[str]) -> str:
    """Words as text: blanks between them, but none between Chinese characters."""
    return _GAP.sub("", " ".join(words))


def _mean(words: Sequence[Word]) -> float:
    return sum(word.confidence for word in words) / len(words) if words else 0.0


def _answered(told: Hypothesis, menu_words: Sequence[Word], request: Request) -> Hypothesis:
    """The menu's opinion beside the open decoding's."""
    chosen = phrases.match(glue(word.text for word in menu_words), request.phrases)
    free = phrases.match(told.text, request.phrases)
    agreed = bool(chosen and free and chosen.meaning == free.meaning)
    if chosen is None or (not agreed and chosen.meaning in _NEVER_ALONE):
        return replace(told, agreed=False)
    text = told.text or glue(word.text for word in menu_words)
    return replace(told, text=text, meaning=chosen.meaning, phrase=chosen.phrase, agreed=agreed)
