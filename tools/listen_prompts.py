#!/usr/bin/env python3
"""A recogniser hears the prompt pack: prints what it made of each sentence, and the character error rate.

    python tools/listen_prompts.py [PACK.zip …]

Needs Whisper's weights (`models pull whisper-base`). The rate is a bound from above: homophones count as errors, a
piece of a sentence is harder to guess than the whole, and the audio is a telephone's.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from speech import g711, pack  # noqa: E402
from speech.engines.whisper_engine import WhisperRecogniser  # noqa: E402
from speech.recogniser import Request  # noqa: E402

FIGURES = str.maketrans("0123456789幺", "零一二三四五六七八九一")


def main(argv: Sequence[str]) -> int:
    models = Path(os.environ.get("WENAN_MODELS", ROOT / "data" / "models"))
    engine = WhisperRecogniser(models / "whisper-base")
    errors = length = 0
    for path in [Path(name) for name in argv] or [pack.SHIPPED / "zh.zip"]:
        for prompt in pack.read(path):
            heard = _hear(engine, prompt.ulaw)
            wrong = distance(letters(prompt.text), letters(heard))
            errors, length = errors + wrong, length + len(letters(prompt.text))
            print(f"{wrong:3d}  {prompt.text}  →  {heard}", flush=True)
    print(f"character error rate {errors / length:.1%} ({errors} of {length})")
    return 0


def _hear(engine: WhisperRecogniser, ulaw: bytes) -> str:
    stream = engine.open(Request("dictation"))
    stream.feed(g711.ulaw_decode(ulaw))
    return stream.finish().text


def letters(text: str) -> str:
    """What counts: characters, with figures as characters."""
    return re.sub(r"[^一-鿿]", "", text.translate(FIGURES))


def distance(wanted: str, heard: str) -> int:
    """Insertions, deletions and substitutions between two texts (Levenshtein)."""
    row = list(range(len(heard) + 1))
    for at, char in enumerate(wanted, 1):
        before, row = row, [at]
        for to, other in enumerate(heard, 1):
            row.append(min(before[to] + 1, row[-1] + 1, before[to - 1] + (char != other)))
    return row[-1]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
