"""What the acoustic model can output: Mandarin initials (y and w among them) and finals with their tone.

The list is that of zipformer-wenetspeech-3.3M (tokens.txt, ids 0 to 196, "#0" and what follows left out: the model
never outputs those). tokens.tsv holds it in id order, with kind, sound and tone of each.
"""

from __future__ import annotations

from typing import Final

from speech.pronunciation.table import rows

_ROWS = rows("tokens")
SIZE: Final = 197
NEUTRAL: Final = 5
"""The tone number of a syllable without a tone of its own; 1 to 4 are the four tones."""

TOKENS: Final[tuple[str, ...]] = tuple(row["token"] for row in _ROWS)
"""Every output of the model; a token's place is its id. 0 is the blank, 2 is <unk>."""

INITIALS: Final[frozenset[str]] = frozenset(row["token"] for row in _ROWS if row["kind"] == "initial")

_FINALS: Final = {(row["sound"], int(row["tone"])): row["token"] for row in _ROWS if row["kind"] == "final"}
_PARTS: Final = {token: sound_and_tone for sound_and_tone, token in _FINALS.items()}
SOUNDS: Final[frozenset[str]] = frozenset(sound for sound, _ in _FINALS)
"""Finals without their tone, spelt as sherpa-onnx spells them: "iu", "ui", "un", and "u" for ü after j, q, x, y."""

if len(TOKENS) != SIZE or len(set(TOKENS)) != SIZE or TOKENS[0] != "<blk>":
    raise ValueError("tokens.tsv is not the model's list")


def final(sound: str, tone: int) -> str | None:
    """The token of a final in that tone (1 to 5); None where the model has none ("ai" is never neutral)."""
    return _FINALS.get((sound, tone))


def parts(token: str) -> tuple[str, int] | None:
    """Sound and tone of a final; None for anything else."""
    return _PARTS.get(token)


def tones(sound: str) -> tuple[int, ...]:
    """The tones in which the model knows that final."""
    return tuple(tone for tone in range(1, NEUTRAL + 1) if (sound, tone) in _FINALS)
