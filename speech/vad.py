"""Voice activity per 20 ms frame: WebRTC's detector behind an energy gate.

WebRTC's detector alone fires on line hum and hiss; the gate follows the line's noise floor and wants speech to stand
above it. One `Vad` serves one call (it carries state); no clock, only frames.
"""

from __future__ import annotations

import webrtcvad

from speech import g711
from speech.recogniser import SAMPLE_RATE

# −55 dBov: the quietest speech that a telephone line carries intelligibly lies about −45 dBov (ITU-T P.56 levels of
# −16…−36 with a weak speaker 10 dB below); idle G.711 noise lies near −65.
MIN_RMS = 58
MIN_LEAD = 1.8  # times the noise floor (5 dB)
FLOOR_RISE = 1.0025  # per frame, about 1 dB a second: speech pauses often enough to bring it down again
FLOOR_FALL = 0.3  # share of the way to a quieter frame
MAX_FLOOR = 1000  # −30 dBov: in a louder room people speak up, and the floor must not swallow them


class Vad:
    """`is_speech(frame)`: 20 ms of PCM at 8 kHz (320 bytes) → does somebody speak?"""

    def __init__(self, aggressiveness: int = 2) -> None:
        self._detector = webrtcvad.Vad(aggressiveness)
        self._floor = float(MIN_RMS)

    def is_speech(self, frame: bytes) -> bool:
        level = g711.rms(frame)
        loud = level >= MIN_RMS and level >= self._floor * MIN_LEAD
        self._follow(level)
        return loud and bool(self._detector.is_speech(frame, SAMPLE_RATE))

    def _follow(self, level: int) -> None:
        if level < self._floor:
            self._floor += (level - self._floor) * FLOOR_FALL
            self._floor = max(self._floor, 1.0)
        else:
            self._floor = min(self._floor * FLOOR_RISE, MAX_FLOOR)


def voiced_ms(pcm: bytes, aggressiveness: int = 2) -> int:
    """How much of a whole clip (8 kHz PCM) is voiced, in ms. A last piece shorter than a frame is left out."""
    vad = Vad(aggressiveness)
    return 20 * sum(vad.is_speech(pcm[at : at + 320]) for at in range(0, len(pcm) - 319, 320))
