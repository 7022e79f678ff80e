"""Draws that depend on what they are about, not on the order in which they are made: the same seed, person and moment
give the same, whoever asks first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b

_MOST = float(1 << 64)


@dataclass(frozen=True)
class Chance:
    seed: str

    def of(self, *about: object) -> float:
        """From 0 to less than 1."""
        text = "\x1f".join(map(str, (self.seed, *about)))
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest()) / _MOST

    def between(self, span: Sequence[float], *about: object) -> float:
        low, high = span
        return low + (high - low) * self.of(*about)
