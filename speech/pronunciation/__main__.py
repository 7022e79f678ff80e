"""`python -m speech.pronunciation [PHRASE …]`: what is wrong with the tables; how phrases are expected to sound."""

from __future__ import annotations

import sys

from speech.pronunciation.compose import pronunciations
from speech.pronunciation.slots import Slot
from speech.pronunciation.validate import problems


def main(phrases: list[str]) -> int:
    """Prints to standard output; the exit status is 1 when a table has a problem."""
    found = problems()
    for line in found:
        print(line)
    for phrase in phrases:
        for said in pronunciations(phrase):
            print(f"{phrase} {said.language} ({said.source}, {said.syllables} syllables)")
            print("\n".join(f"  {_shown(slot)}" for slot in said.slots))
    return 1 if found else 0


def _shown(slot: Slot) -> str:
    likeliest_first = sorted(slot.items(), key=lambda item: -item[1])
    return " ".join(f"{token or '–'}:{weight:g}" for token, weight in likeliest_first)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
