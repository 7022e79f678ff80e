"""What goes to the elder's ear, 20 ms at a time: prompts in order, each followed by its mark."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice

from ivr.media_messages import FRAME_BYTES

_SILENCE = b"\xff"
# A mark comes back when its prompt has been played. A carrier that forgets it must not stop the call: so many frames
# after the last one was sent (2 s: network and the carrier's buffer) the prompt counts as played.
MARK_PATIENCE_FRAMES = 100

Part = bytes | asyncio.Future[bytes]


@dataclass
class _Item:
    """A prompt (with a mark) or a hold: something that must be done before what follows may be played."""

    name: str
    parts: Sequence[Part]
    audio: bytes | None = None  # joined once all parts are there
    at: int = 0

    def ready(self) -> bool:
        if self.audio is None and all(isinstance(part, bytes) or part.done() for part in self.parts):
            joined = b"".join(part if isinstance(part, bytes) else _result(part) for part in self.parts)
            self.audio = joined + _SILENCE * (-len(joined) % FRAME_BYTES)
        return self.audio is not None


def _result(part: asyncio.Future[bytes]) -> bytes:
    return b"" if part.cancelled() or part.exception() else part.result()


@dataclass
class Playout:
    """`next()` is called once per 20 ms. `playing`: something may still be heard at the other end."""

    _queue: deque[_Item] = field(default_factory=deque)
    _awaited: deque[str] = field(default_factory=deque)  # marks sent and not yet back
    _cleared: Counter[str] = field(default_factory=Counter)  # marks that will come back of prompts cut off
    _since_sent: int = 0

    def say(self, name: str, parts: Sequence[Part]) -> None:
        self._queue.append(_Item(name, parts))

    def hold(self, work: asyncio.Future[bytes]) -> None:
        """Nothing further is played before `work` is done."""
        self._queue.append(_Item("", (work,)))

    @property
    def playing(self) -> bool:
        return bool(self._queue or self._awaited)

    def heard_now(self) -> set[str]:
        """The marks of what may be heard at the other end at this moment."""
        return {*self._awaited, *(item.name for item in islice(self._queue, 1))}

    @property
    def pending(self) -> list[asyncio.Future[bytes]]:
        """What the next frame waits for."""
        head = self._queue[0].parts if self._queue else ()
        return [part for part in head if not isinstance(part, bytes) and not part.done()]

    def next(self) -> tuple[bytes | None, list[str]]:
        """The next frame (None: silence) and the marks to send right after it."""
        marks: list[str] = []
        while self._queue and self._queue[0].ready():
            item = self._queue[0]
            audio = item.audio or b""
            frame = audio[item.at : item.at + FRAME_BYTES]
            item.at += FRAME_BYTES
            if item.at >= len(audio):
                self._queue.popleft()
                marks += [item.name] if item.name else []
            if frame:
                return self._sent(frame, marks)
        return self._sent(None, marks)

    def _sent(self, frame: bytes | None, marks: list[str]) -> tuple[bytes | None, list[str]]:
        self._awaited.extend(marks)
        self._since_sent = 0 if frame or marks else self._since_sent + 1
        return frame, marks

    def overdue(self) -> list[str]:
        """Marks that should have come back long ago: they count as played."""
        if not self._awaited or self._since_sent < MARK_PATIENCE_FRAMES:
            return []
        names = list(self._awaited)
        self._cleared.update(names)  # if they come after all, they are no news
        self._awaited.clear()
        return names

    def came_back(self, name: str) -> bool:
        """A mark is back. True when its prompt was played to the end, False when it had been cut off."""
        if self._cleared[name]:
            self._cleared[name] -= 1
            return False
        if name not in self._awaited:
            return False
        self._awaited.remove(name)
        return True

    def clear(self) -> list[str]:
        """Drops everything; the names of the prompts that were cut off. Holds stay: they protect what follows."""
        names = [*self._awaited, *(item.name for item in self._queue if item.name)]
        self._cleared.update(self._awaited)
        self._awaited.clear()
        self._queue = deque(item for item in self._queue if not item.name)
        return names
