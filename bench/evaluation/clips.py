"""Audio that the evaluation's own speech is made of: rendered texts, the line's prompts, espeak-ng."""

from __future__ import annotations

import asyncio
import csv
import io
import json
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import soundfile

from bench.evaluation.conditions import Floats
from speech import g711, pack
from speech.recogniser import SAMPLE_RATE
from speech.resample import resample_floats, to_floats
from speech.synthesis import EspeakChild, SynthesisError

AUDIO = Path(__file__).resolve().parent / "audio"
TRIM = 0.02  # of the peak: quieter is the silence around espeak-ng's words


@dataclass(frozen=True)
class Clip:
    """Words as 8 kHz floats without silence around them, peak 0.5. Not yet a telephone's."""

    kind: str
    text: str
    voice: str
    samples: Floats


@cache
def rendered(half: str, folder: Path = AUDIO) -> tuple[Clip, ...]:
    """The half's clips in file order. FileNotFoundError: run tools/render_offmenu.py."""
    archives = sorted(folder.glob(f"offmenu-{half}-*.zip"))
    if not archives:
        raise FileNotFoundError(f"no offmenu-{half}-*.zip in {folder}: python tools/render_offmenu.py makes them")
    return tuple(clip for path in archives for clip in _from(path))


def _from(path: Path) -> list[Clip]:
    with zipfile.ZipFile(path) as archive:
        manifest = io.StringIO(archive.read("manifest.tsv").decode("utf-8"))
        rows = list(csv.DictReader(manifest, delimiter="\t"))
        return [Clip(row["kind"], row["text"], row["speaker"], _decoded(archive.read(row["file"]))) for row in rows]


def _decoded(data: bytes) -> Floats:
    samples, rate = soundfile.read(io.BytesIO(data), dtype="float32")
    return resample_floats(samples, rate, SAMPLE_RATE)


@cache
def prompts() -> tuple[Clip, ...]:
    """The sentences of the shipped prompt pack (not the names, which are never played alone)."""
    found = []
    with zipfile.ZipFile(pack.SHIPPED / "zh.zip") as archive:
        index = json.loads(archive.read(pack.INDEX))
        for prompt in index["prompts"]:
            samples = to_floats(g711.ulaw_decode(archive.read(prompt["file"])))
            found.append(Clip("prompt", prompt["text"], index["voice"], samples))
    return tuple(found)


def espeak(texts: Sequence[str]) -> tuple[Clip, ...]:
    """The texts in espeak-ng's voice at two paces; empty where espeak-ng can't run."""
    try:
        return asyncio.run(_espeak(texts))
    except (SynthesisError, OSError):
        return ()


async def _espeak(texts: Sequence[str]) -> tuple[Clip, ...]:
    found = []
    for rate, share in ((120, texts[::2]), (165, texts[1::2])):
        child = EspeakChild(rate=rate)
        try:
            for text in share:
                samples = _trimmed(await child.render(text, "zh"))
                found.append(Clip("espeak", text, f"espeak-ng {rate}", samples))
        finally:
            await child.close()
    return tuple(found)


def _trimmed(pcm: bytes) -> Floats:
    samples = to_floats(pcm)
    peak = max(1e-3, float(np.abs(samples).max(initial=0.0)))
    loud = np.flatnonzero(np.abs(samples) > TRIM * peak)
    return samples[loud[0] : loud[-1] + 1] * np.float32(0.5 / peak) if len(loud) else samples
