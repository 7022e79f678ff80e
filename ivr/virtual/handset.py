"""A telephone that a person holds in their hand: rings until they pick it up, hears what they say and press."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping

from .acoustics import sounds
from .behaviour import KEY_GAP_FRAMES
from .pace import Ticker, WallPace
from .phone import FRAME_BYTES, QUIET, SILENCE, Move, Phone, PhoneKind

KEYS = frozenset("0123456789*#")
AHEAD = 3  # frames that are kept in hand against an uneven way from the microphone (60 ms)
BEHIND = 10  # with more, silence is left out until the voice is in time again
MOST = 100  # frames; what is older is lost
MOST_KEYS = 30  # pressed and not yet sent


class Handset:
    """Satisfies ivr.virtual.phone.Party. `ear` is given each frame that is heard, at its time."""

    def __init__(self, ear: Callable[[bytes], None]) -> None:
        self._ear = ear
        self._mouth = Mouth()
        self._keys: deque[str] = deque(maxlen=MOST_KEYS)
        self._gap = 0  # frames until the next key
        self._off_hook = self._down = False
        self.used = False  # it was rung, or has rung somebody: one call

    # ── the person ────────────────────────────────────────────────────────────────────────────────

    def pick_up(self) -> None:
        self._off_hook = True

    def hang_up(self) -> None:
        """Nothing is heard from now on; the line learns of it with the next frame."""
        self._down, self._ear = True, _deaf

    def press(self, key: str) -> None:
        """ValueError for a key that no telephone has."""
        if key not in KEYS:
            raise ValueError("no such key")
        self._keys.append(key)

    def say(self, ulaw: bytes) -> None:
        """Any length."""
        self._mouth.add(ulaw)

    # ── the line ──────────────────────────────────────────────────────────────────────────────────

    def phone(self) -> Phone:
        """For the one call of this handset; after that it is engaged."""
        if self.used:
            return Phone(PhoneKind.BUSY)
        self.used = True
        return Phone(party=self, picked_up=lambda: self._off_hook, pace=WallPace(Ticker()))

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        """A person knows a prompt by its sound."""
        self._ear(frame)

    def move(self) -> Move:
        if self._down:
            return Move(hang_up=True)
        frame = self._mouth.frame()
        if self._gap:
            self._gap -= 1
        elif self._keys:
            self._gap = KEY_GAP_FRAMES
            return Move(frame, self._keys.popleft())
        return QUIET if frame is SILENCE else Move(frame)


def _deaf(_frame: bytes) -> None:
    """The receiver lies on the hook."""


class Mouth:
    """Evens out what comes from a microphone: in at any pace, out a frame each 20 ms. After a gap it waits until a few
    frames are there; when it lags (two clocks, a busy machine), it leaves out silence, and speech only at last."""

    def __init__(self) -> None:
        self._rest = b""
        self._frames: deque[bytes] = deque(maxlen=MOST)
        self._speaking = False

    def add(self, ulaw: bytes) -> None:
        self._rest += ulaw[-MOST * FRAME_BYTES :]
        while len(self._rest) >= FRAME_BYTES:
            self._frames.append(self._rest[:FRAME_BYTES])
            self._rest = self._rest[FRAME_BYTES:]

    def frame(self) -> bytes:
        while len(self._frames) > BEHIND and not sounds(self._frames[0]):
            self._frames.popleft()
        self._speaking = bool(self._frames) and (self._speaking or len(self._frames) >= AHEAD)
        return self._frames.popleft() if self._speaking else SILENCE


class Exchange:
    """Finds the telephone behind a number: a handset that is plugged in there, else what `directory` says."""

    def __init__(self, directory: Callable[[str], Phone]) -> None:
        self._directory = directory
        self._handsets: dict[str, Handset] = {}

    def __call__(self, number: str) -> Phone:
        handset = self._handsets.get(number)
        return self._directory(number) if handset is None else handset.phone()

    @property
    def plugged(self) -> Mapping[str, Handset]:
        return self._handsets

    def plug_in(self, number: str, handset: Handset) -> None:
        """ValueError when somebody holds this number's telephone already."""
        if number in self._handsets:
            raise ValueError("somebody holds this telephone already")
        self._handsets[number] = handset

    def unplug(self, number: str, handset: Handset) -> None:
        if self._handsets.get(number) is handset:
            del self._handsets[number]
