"""What hangs on the other end of a virtual line: a telephone that rings (or not) and a party who may pick it up."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from .pace import Pace
    from .resource import Orders

FRAME_BYTES = 160  # 20 ms of 8 kHz μ-law
FRAME_MS = 20
FRAME_S = FRAME_MS / 1000
SILENCE = b"\xff" * FRAME_BYTES  # μ-law zero
RING_CYCLE_S = 5.0  # 1 s of tone, 4 s of pause: ringing cadence in mainland China


class PhoneKind(StrEnum):
    """What dialling the number leads to."""

    ANSWERS = "answers"
    MACHINE = "machine"  # an answering machine picks up
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    LINE_ERROR = "line_error"  # the trunk fails: says nothing about the subscriber
    UNASSIGNED = "unassigned"  # the network finds no such number (fails after dialling)
    BAD_NUMBER = "bad_number"  # the carrier refuses the number at once


@dataclass(frozen=True)
class Move:
    """What a party does within one 20 ms frame. `audio` is 160 bytes μ-law; `label` names a clip that begins."""

    audio: bytes = SILENCE
    keys: str = ""
    hang_up: bool = False
    beeped: bool = False  # an answering machine's tone has just ended
    label: str = ""


QUIET = Move()


class Party(Protocol):
    """Whoever holds the receiver. Time is counted in frames: `hear` then `move`, once per 20 ms."""

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        """160 bytes that just played, and the marks whose prompt ended with them (cleared ones never come)."""
        ...

    def move(self) -> Move: ...


class Nobody:
    """A receiver off the hook: hears and says nothing."""

    def hear(self, frame: bytes, prompts: tuple[str, ...]) -> None:
        """Nobody listens."""

    def move(self) -> Move:
        return QUIET


class Dialler(Protocol):
    """Rings a number in a real network, where nobody knows beforehand what it leads to."""

    async def ring(self, orders: Orders, ringing: Callable[[], Awaitable[None]]) -> tuple[str, str]:
        """Until it is picked up ("in-progress", ""), or a final status and its SIP code. `ringing` is told once, when
        it is known to ring."""
        ...

    def hang_up(self) -> None:
        """The call is over, or taken back; told again it changes nothing."""
        ...


@dataclass(frozen=True)
class Echo:
    """The line's own prompt comes back `db` quieter after `delay_ms`."""

    db: float
    delay_ms: int = 80


@dataclass(frozen=True)
class Phone:
    """One dialling of one number. `amd` is what answering-machine detection will say ("" = what fits the kind).
    `picked_up`: whether somebody has, where that doesn't go by `rings`. `dialler`: who rings it, where only the network
    knows what becomes of that. `over`, `cleared`: told when the call is over, and when
    what was to be heard is dropped."""

    kind: PhoneKind = PhoneKind.ANSWERS
    rings: int = 2
    party: Party = field(default_factory=Nobody)
    echo: Echo | None = None
    amd: str = ""
    pace: Pace | None = None  # None: the carrier's usual
    picked_up: Callable[[], bool] | None = None
    dialler: Dialler | None = None
    over: Callable[[], None] | None = None
    cleared: Callable[[], None] | None = None

    @property
    def answered_by(self) -> str:
        return self.amd or ("machine_start" if self.kind is PhoneKind.MACHINE else "human")
