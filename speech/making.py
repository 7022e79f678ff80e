"""Engines made of the weights that are there, each with one sentence for the status."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from speech.catalogue import CATALOGUE, Weights
from speech.engines import vosk_engine, whisper_engine
from speech.engines.sherpa_engine import name_of, sherpa_engines
from speech.recogniser import Recogniser

log = logging.getLogger(__name__)

SHERPA = "sherpa"  # the catalogue's word for every model that sherpa-onnx runs


@dataclass(frozen=True)
class EngineStatus:
    """`why`: one sentence; when not ready, with what to do. `installed`: its weights are there, whatever they do."""

    name: str
    ready: bool
    why: str
    installed: bool = True


@dataclass(frozen=True)
class Made:
    """An engine with its weights loaded, or None; and what is to be said of it."""

    engine: Recogniser | None
    status: EngineStatus


def make_engines(models_dir: Path, *, workers: int, threads: int) -> Iterator[Made]:
    """All engines that the line knows, with those weights of the catalogue that `models_dir` lacks."""
    for name in dict.fromkeys(weights.engine for weights in CATALOGUE if weights.engine != SHERPA):
        made = make_engine(name, models_dir, workers=workers, threads=threads)
        yield _made(name, *made, installed=(models_dir / _weights(name).name).is_dir())
    found = {one.name: one for one in sherpa_engines(models_dir)}
    for each in found.values():
        yield _made(each.name, each.engine, each.why)
    for weights in CATALOGUE:
        if weights.engine == SHERPA and name_of(models_dir / weights.name) not in found:
            yield _made(name_of(models_dir / weights.name), None, _missing(weights), installed=False)


def make_engine(name: str, models_dir: Path, *, workers: int, threads: int) -> tuple[Recogniser | None, str]:
    """The engine of this name with its weights loaded, or None; and one sentence on it. `threads`: per utterance, for
    whisper."""
    makers: dict[str, Callable[[Path], Recogniser]] = {
        "phrase-scorer": _phrase_scorer,
        "vosk": vosk_engine.VoskRecogniser,
        "whisper": lambda folder: whisper_engine.WhisperRecogniser(folder, workers=workers, threads=threads),
    }
    weights = next((one for one in CATALOGUE if one.engine == name), None)
    if weights is None or name not in makers:
        known = {one.name: one for one in sherpa_engines(models_dir)}
        if name in known:
            return known[name].engine, known[name].why
        return None, f"no such engine; known are {', '.join([*makers, *known])}"
    folder = models_dir / weights.name
    if not folder.is_dir():
        return None, _missing(weights)
    try:
        return makers[name](folder), f"ready, with {weights.name}"
    except ImportError as error:
        return None, f"the package {error.name} is missing: run make setup"
    except Exception as error:  # whatever the engine's library throws at weights that it can't read
        log.warning("%s can't be loaded: %s", weights.name, type(error).__name__)
        return (
            None,
            f"the weights in {folder} can't be loaded: .venv/bin/python server.py models verify, then models pull",
        )


def _phrase_scorer(folder: Path) -> Recogniser:
    from speech.engines.phrase_scorer import PhraseScorer  # its runtime is only loaded where there are weights

    return PhraseScorer(folder)


def _made(name: str, engine: Recogniser | None, why: str, *, installed: bool = True) -> Made:
    return Made(engine, EngineStatus(name, engine is not None, why, installed))


def _weights(name: str) -> Weights:
    return next(one for one in CATALOGUE if one.engine == name)


def _missing(weights: Weights) -> str:
    return f"no weights: .venv/bin/python server.py models pull {weights.name}"
