"""What is queued for the callee's ear: audio and marks in order, taken out 20 ms at a time. Pure."""

from __future__ import annotations

from collections import deque

from .phone import FRAME_BYTES


class Playout:
    """A byte queue with marks at positions. A mark is reached when everything before it has been played."""

    def __init__(self) -> None:
        self._audio = bytearray()
        self._played = 0  # bytes taken out so far
        self._marks: deque[tuple[int, str]] = deque()

    @property
    def empty(self) -> bool:
        return not self._audio

    def push(self, audio: bytes) -> None:
        self._audio += audio

    def mark(self, name: str) -> None:
        self._marks.append((self._played + len(self._audio), name))

    def pop(self) -> tuple[bytes, tuple[str, ...]]:
        """The next 160 bytes (padded with silence) and the marks reached with them."""
        frame = bytes(self._audio[:FRAME_BYTES])
        del self._audio[:FRAME_BYTES]
        self._played += len(frame)
        return frame.ljust(FRAME_BYTES, b"\xff"), self._reached()

    def clear(self) -> tuple[str, ...]:
        """Drops what is queued; returns the marks that it takes along (the carrier sends those back too)."""
        self._audio.clear()
        names = tuple(name for _, name in self._marks)
        self._marks.clear()
        return names

    def _reached(self) -> tuple[str, ...]:
        names: list[str] = []
        while self._marks and self._marks[0][0] <= self._played:
            names.append(self._marks.popleft()[1])
        return tuple(names)
