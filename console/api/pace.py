"""How many requests a token may make. Pure, but for the memory."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

BURST, A_SECOND = 60.0, 10.0


@dataclass
class Pace:
    """A bucket for each token: `burst` requests at once, then so many a second. Times in seconds of any clock."""

    burst: float = BURST
    a_second: float = A_SECOND
    _left: dict[int, tuple[float, float]] = field(default_factory=dict)  # by token: how much, and when

    def wait(self, token_id: int, now_s: float) -> int:
        """0: this request may be made, and counts; else after how many seconds."""
        left, at = self._left.get(token_id, (self.burst, now_s))
        left = min(self.burst, left + max(0.0, now_s - at) * self.a_second)
        if left < 1:
            self._left[token_id] = left, now_s
            return max(1, math.ceil((1 - left) / self.a_second))
        self._left[token_id] = left - 1, now_s
        return 0
