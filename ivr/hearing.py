"""The elder's side of one call: every 20 ms frame in, utterances out. No waits, no flow: only where speech begins and
ends, and what of it is not the line's own echo."""

from __future__ import annotations

from dataclasses import dataclass

from speech import g711
from speech.echo import EchoGuard
from speech.endpoint import Endpointer, EndpointRules, Event, SpeechEnded, SpeechStarted
from speech.recogniser import FRAME_MS
from speech.vad import Vad

# Shorter voiced sounds are clicks, coughs and knocks: the shortest answer there is, "好", is voiced for about 200 ms.
MIN_VOICED_MS = 160


@dataclass(frozen=True)
class Pause:
    """Somebody speaks and pauses for a moment (`EndpointRules.pause_ms`)."""


_PAUSE = Pause()


class Hearing:
    """One per call. `step` is called once per frame that came, with the frame that was sent in the same 20 ms."""

    def __init__(self) -> None:
        self._vad = Vad()
        self._guard = EchoGuard()
        self._endpointer = Endpointer(EndpointRules.answer(), self._vad.is_speech)

    def expect(self, rules: EndpointRules) -> None:
        """How long a silence ends what is being said, from now on."""
        self._endpointer.rules = rules

    @property
    def speaking(self) -> bool:
        return self._endpointer.speaking

    @property
    def silent(self) -> bool:
        """Whether the last frame held no speech."""
        return self._endpointer.silent_ms > 0

    @property
    def elapsed_ms(self) -> int:
        """Audio time of the call so far."""
        return self._endpointer.elapsed_ms

    def step(self, heard: bytes, sent: bytes | None) -> tuple[bytes, Event | Pause | None]:
        """`heard`, `sent`: 160 bytes of μ-law (`sent` None: silence). Gives the heard frame as PCM and what it began
        or ended."""
        pcm = g711.ulaw_decode(heard)
        self._guard.played(g711.ulaw_decode(sent) if sent else None)
        voiced = self._guard.heard(pcm, self._vad.is_speech(pcm))
        return pcm, self._endpointer.step(pcm, voiced) or self._pause()

    def settle(self) -> None:
        """What is being said is understood: a shorter silence ends it (speech.endpoint)."""
        self._endpointer.settle()

    def finish(self) -> SpeechEnded | None:
        """Ends what is being said, without waiting for silence."""
        return self._endpointer.finish()

    def _pause(self) -> Pause | None:
        endpointer = self._endpointer
        pausing = endpointer.speaking and endpointer.silent_ms == endpointer.rules.pause_ms // FRAME_MS * FRAME_MS
        return _PAUSE if pausing else None


def is_click(ended: SpeechEnded) -> bool:
    """Whether this was too short to be anything said."""
    return ended.voiced_ms < MIN_VOICED_MS


__all__ = ["Hearing", "Pause", "SpeechEnded", "SpeechStarted", "is_click"]
