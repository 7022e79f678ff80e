"""One utterance with one engine: which audio it has had, what it made of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from speech.phrases import DISTRESS, match
from speech.recogniser import Hypothesis, Recogniser, Request, Stream, Word
from speech.voice import Voice


class Attempt:
    """One utterance with one engine. `work` is called by one thread at a time.

    An engine that streams gets the audio as it comes, and is told of pauses if it wants to know (a method `pause`: it
    may judge ahead what was said up to there). One that doesn't gets pieces: in a dictation up to each pause, so that
    a call for help is found before the end; an answer is never cut.

    A dictation in which no voice was (speech.voice) has no text, whatever the engine makes of it; only what may be a
    call for help is kept.

    A stream may have `decided` (one phrase is far ahead and whole) and `meaning` (that phrase's).
    """

    def __init__(self, engine: Recogniser, request: Request) -> None:
        self.name, self.streaming = engine.name, engine.streaming
        self._engine, self._request = engine, request
        self._stream: Stream | None = None
        self._pieces: list[Hypothesis] = []
        self._voice = Voice() if request.mode == "dictation" else None
        self.taken = 0  # bytes of the utterance that the engine has
        self.paused = 0  # the pause, in bytes, up to which it was asked
        self.decided: str | None = None  # the meaning that is decided, as of the last pause
        self.pauses = engine.streaming or request.mode == "dictation"  # whether a pause is any of its business

    def work(self, pcm: bytes, *, pause: bool, ending: bool) -> str | Hypothesis | None:
        """Takes the next audio; returns the partial text if it changed, or at the end the hypothesis."""
        partial = None
        if pcm:
            self._stream = self._stream or self._engine.open(self._request)
            partial = self._stream.feed(pcm)
            if self._voice:
                self._voice.feed(pcm)
        if ending:
            return self._end()
        return self._pause(partial) if pause else partial

    def _pause(self, partial: str | None) -> str | None:
        if not self.streaming:
            self._close_piece()
            return self._text()
        told = getattr(self._stream, "pause", lambda: None)()
        decided = bool(getattr(self._stream, "decided", False))
        self.decided = getattr(self._stream, "meaning", None) if decided else None
        return told if isinstance(told, str) else partial

    def _close_piece(self) -> None:
        if self._stream:
            stream, self._stream = self._stream, None
            self._pieces.append(stream.finish())

    def _end(self) -> Hypothesis:
        self._close_piece()
        whole = len(self._pieces) == 1
        told = self._pieces[0] if whole else _joined(self._pieces, self.name, self._text())
        return replace(told, text="", confidence=0.0, words=()) if self._invented(told.text) else told

    def _invented(self, text: str) -> bool:
        """Words made of noise."""
        if self._voice is None or self._voice.heard or not text:
            return False
        return match(text, {DISTRESS: self._request.phrases.get(DISTRESS, ())}) is None

    def _text(self) -> str:
        return "".join(piece.text for piece in self._pieces)

    def drop(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            stream.close()


def _joined(pieces: Sequence[Hypothesis], engine: str, text: str) -> Hypothesis:
    """The pieces of a dictation as one; confidence weighted by length of text, word times shifted."""
    letters = sum(len(piece.text) for piece in pieces)
    confidence = sum(piece.confidence * len(piece.text) for piece in pieces) / letters if letters else 0.0
    words: list[Word] = []
    seconds = 0.0
    for piece in pieces:
        words += [replace(word, start_s=word.start_s + seconds, end_s=word.end_s + seconds) for word in piece.words]
        seconds += piece.seconds
    return Hypothesis(text, engine, confidence, words=tuple(words), seconds=seconds)
