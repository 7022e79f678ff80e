"""Voice activity per 20 ms frame: WebRTC's detector behind an energy gate.

WebRTC's detector alone fires on hiss; the gate wants speech to stand above the line's noise floor, which is the
quietest frame of the last seconds: noise goes on and on, speech has gaps between its syllables. One `Vad` serves one
call (it carries state); no clock, only frames.
"""

from __future__ import annotations

from collections import deque

import webrtcvad

from speech import g711
from speech.recogniser import SAMPLE_RATE

# −55 dBov: the quietest speech that a telephone line carries intelligibly lies about −45 dBov (ITU-T P.56 levels of
# −16…−36 with a weak speaker 10 dB below); idle G.711 noise lies near −65.
MIN_RMS = 58
MIN_LEAD = 1.8  # times the noise floor (5 dB)
FLOOR_FRAMES = 150  # 3 s: nobody speaks so long without a gap of 20 ms


class Vad:
    """`is_speech(frame)`: 20 ms of PCM at 8 kHz (320 bytes) → does somebody speak?"""

    def __init__(self, aggressiveness: int = 2) -> None:
        self._detector = webrtcvad.Vad(aggressiveness)
        self._levels: deque[int] = deque(maxlen=FLOOR_FRAMES)

    def is_speech(self, frame: bytes) -> bool:
        level = g711.rms(frame)
        self._levels.append(level)
        loud = level >= MIN_RMS and level >= MIN_LEAD * min(self._levels)
        return loud and bool(self._detector.is_speech(frame, SAMPLE_RATE))


def voiced_ms(pcm: bytes, aggressiveness: int = 2) -> int:
    """How much of a whole clip (8 kHz PCM) is voiced, in ms. A last piece shorter than a frame is left out."""
    vad = Vad(aggressiveness)
    return 20 * sum(vad.is_speech(pcm[at : at + 320]) for at in range(0, len(pcm) - 319, 320))
