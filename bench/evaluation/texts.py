"""The off-menu texts: bench/evaluation/offmenu.txt, one utterance a line, in two halves that share no text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).resolve().parent / "offmenu.txt"
HALVES = ("calibration", "evaluation")
KINDS = ("chat", "room", "tv", "near", "ask", "inside", "distress")
DISTRESS = "distress"  # holds a distress phrase; all other kinds are no answer
INSIDE = "inside"  # holds a phrase that the text rules find inside longer utterances: counted apart


@dataclass(frozen=True)
class Text:
    half: str
    kind: str
    text: str


@cache
def load(file: Path = FILE) -> tuple[Text, ...]:
    """All texts in file order. ValueError "FILE:LINE: sentence" when a line is not `half TAB kind TAB text`."""
    found = []
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        fields = line.split("\t")
        if len(fields) != 3 or fields[0] not in HALVES or fields[1] not in KINDS or not fields[2]:
            raise ValueError(f"{file}:{number}: half, kind and text parted by tabs are wanted (head of the file)")
        found.append(Text(*fields))
    return tuple(found)
