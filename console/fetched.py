"""How far a recording was given to whom: a player fetches it in one go or piece after piece, and whoever was given a
few bytes of it has heard nothing. In memory; after a restart it is fetched from the beginning again."""

from __future__ import annotations

MOST = 2000  # recordings that are being listened to; of more, the oldest are forgotten


class Fetched:
    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._reached: dict[tuple[int, str], int] = {}  # by account and path: so many bytes without a gap

    def whole(self, account: int, path: str, begin: int, end: int, size: int) -> bool:
        """Bytes `begin` to `end` (not included) of `size` are given now; whether with them all of it was."""
        reached = self._reached.pop((account, path), 0)
        if begin <= reached:
            reached = max(reached, end)
        if reached >= size:
            return True
        self._reached[account, path] = reached
        if len(self._reached) > self._most:
            del self._reached[next(iter(self._reached))]
        return False
