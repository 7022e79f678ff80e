"""Character error rate of open text. The normalisation is written out here and nothing else is forgiven."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from speech.phrases import simplify


def letters(text: str) -> str:
    """What is compared: half width, simplified characters (the table of speech.phrases), lower case, digits written
    as Chinese numerals by their value (一九六五年 for 1965年, 百分之三 for 3%), no punctuation, no spaces. Particles,
    homophones and dialect characters are left as they are."""
    plain = simplify(text).lower()
    if re.search(r"\d", plain):
        plain = _numerals(plain)
    return "".join(char for char in plain if char.isalnum())


@cache
def _numerals(text: str) -> str:
    import cn2an

    try:
        return str(cn2an.transform(text, "an2cn"))
    except ValueError:  # a figure that the package can't read (20 digits, 1.2.3): digit by digit
        return text.translate(str.maketrans("0123456789", "零一二三四五六七八九"))


def edits(said: str, heard: str) -> int:
    """Levenshtein's distance between two strings: substitutions, deletions and insertions cost 1 each."""
    row = list(range(len(heard) + 1))
    for at, char in enumerate(said, 1):
        last, row[0] = row[0], at
        for to, other in enumerate(heard, 1):
            last, row[to] = row[to], min(row[to] + 1, row[to - 1] + 1, last + (char != other))
    return row[-1]


def error_rate(pairs: Iterable[tuple[str, str]]) -> tuple[float, int]:
    """All edits over all said characters, and the number of said characters. Above 1 where more was invented."""
    wrong = total = 0
    for said, heard in pairs:
        reference = letters(said)
        wrong += edits(reference, letters(heard))
        total += len(reference)
    return (wrong / total if total else 0.0), total
