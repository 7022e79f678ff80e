"""Why the roster can't be changed so, in the words of whoever keeps it."""

from __future__ import annotations


class RosterError(ValueError):
    """One sentence in English (the exception's text) and the same in Chinese (`zh`)."""

    def __init__(self, en: str, zh: str) -> None:
        super().__init__(en)
        self.zh = zh
