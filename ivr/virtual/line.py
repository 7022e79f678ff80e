"""One leg of a virtual call: 20 ms frames both ways between the application's audio and the party."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from .acoustics import EchoPath, mix
from .observation import Kind
from .pace import Pace
from .phone import FRAME_MS, Move, Phone
from .playout import Playout


@dataclass(frozen=True)
class Heard:
    """What came from the callee's side within one frame, and the marks that the callee has now heard."""

    audio: bytes  # 160 bytes μ-law
    keys: str = ""
    marks: tuple[str, ...] = ()
    hung_up: bool = False


class Line:
    """Time is the number of frames since answer. `watch` sees every move (answering-machine detection)."""

    def __init__(self, phone: Phone, pace: Pace, see: Callable[[Kind, str, int], None]) -> None:
        self.playout = Playout()
        self.pace = pace
        self.frames = 0
        self.dropped = False  # the carrier's side ended the call
        self.watch: Callable[[Move, int], Awaitable[None]] | None = None
        self._party, self._cleared = phone.party, phone.cleared
        self._echo = EchoPath(phone.echo)
        self._see = see

    @property
    def at_ms(self) -> int:
        return self.frames * FRAME_MS

    def see(self, kind: Kind, detail: str = "") -> None:
        self._see(kind, detail, self.at_ms)

    def drop(self) -> None:
        """Ends the leg from the carrier's side: the next step reports it as hung up."""
        self.dropped = True

    async def step(self) -> Heard:
        """Passes 20 ms."""
        await self.pace.tick()
        self.frames += 1
        played, marks = self.playout.pop()
        for mark in marks:
            self.see("prompt", mark)
        self._party.hear(played, marks)
        move = self._party.move()
        self._tell(move)
        if self.watch is not None:
            await self.watch(move, self.at_ms)
        audio = mix(move.audio, self._echo.through(played))
        return Heard(audio, move.keys, marks, move.hang_up or self.dropped)

    def clear(self) -> tuple[str, ...]:
        """Barge-in: drops what is queued; the marks it took along (an application that sends its marks with the last
        frame has none out yet)."""
        names = self.playout.clear()
        if self._cleared:
            self._cleared()
        for name in names or ("",):
            self.see("cleared", name)
        return names

    def _tell(self, move: Move) -> None:
        if move.label:
            self.see("said", move.label)
        for key in move.keys:
            self.see("pressed", key)
        if move.hang_up:
            self.see("hung_up")
