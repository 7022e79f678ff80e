"""What counts as a name and as a finding, wherever somebody says who they are: what a person can read. Pure."""

from __future__ import annotations

import unicodedata

from checkins.results import LINE

# Letters by Unicode's word, but without a shape: Hangul fillers.
_BLANK = frozenset("\u115f\u1160\u3164\uffa0")
_UNSEEN = ("Cc", "Cf")  # control characters, and format characters such as the zero-width space


FORMULA = "=+-@"  # what begins so, a spreadsheet takes for a formula


def says_something(text: str) -> bool:
    """Whether there is a letter or a digit in it that can be seen."""
    return any(sign.isalnum() and sign not in _BLANK for sign in text)


def named(by: str) -> str:
    """The name as it is kept, without what can't be seen. ValueError when it is none, or the line's own."""
    name = "".join(sign for sign in by if unicodedata.category(sign) not in _UNSEEN).strip()
    read = unicodedata.normalize("NFKC", name).strip()
    if not says_something(name) or read.casefold() == LINE:
        raise ValueError("say who: only a named person can do this")
    if read[0] in FORMULA:
        raise ValueError(f"a name doesn't begin with “{read[0]}”")
    return name


def is_name(by: str) -> bool:
    try:
        named(by)
    except ValueError:
        return False
    return True
