"""What staff have typed and can't be done, in one sentence for each of the two languages that they read."""

from __future__ import annotations


class Wrong(ValueError):  # noqa: N818 (an answer, no fault)
    """`zh` says why to whoever asked in a page; the text itself is for the command line."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh


class Unknown(LookupError):  # noqa: N818
    """What was named isn't there."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh
