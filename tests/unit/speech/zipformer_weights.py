"""The real acoustic model, where it is. Tests that need it skip visibly elsewhere."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

import pytest

from speech.engines.phrase_scorer import PhraseScorer

ROOT = Path(__file__).resolve().parents[3]
NAME = "zipformer-wenetspeech-3.3M"
FOLDERS = (os.environ.get("WENAN_MODELS"), ROOT / "data" / "models", ROOT.parent / "shared" / "models")


def folder() -> Path:
    found = [path for each in FOLDERS if each and (path := Path(each) / NAME) and (path / "tokens.txt").is_file()]
    if not found:
        pytest.skip(f"no weights of {NAME}: .venv/bin/python server.py models pull {NAME}")
    return found[0]


@cache
def scorer() -> PhraseScorer:
    return PhraseScorer(folder())
