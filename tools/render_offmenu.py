#!/usr/bin/env python3
"""Renders the evaluation's off-menu texts (bench/evaluation/offmenu.txt) into bench/evaluation/audio/offmenu-*.zip.

    python tools/render_offmenu.py [--cache FOLDER]     speaks what the cache lacks, then packs both halves
    python tools/render_offmenu.py --pack               packs only what is there

Needs what tools/render_prompts.py needs (extra `voices`, SoX, Kokoro's weights). One text, one voice: the half's two
voices take turns. Ogg/Opus of about 22 kbit/s at 16 kHz, so that the audio can be kept with the code; a telephone
line leaves less of it. Levels, speeds, pitches and mixtures are made at evaluation time (bench/evaluation/offmenu.py).
"""

from __future__ import annotations

import argparse
import hashlib
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import soundfile

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from kokoro_voice import OWN_SPEED, RATE, KokoroVoice  # noqa: E402
from render_prompts import READINGS  # noqa: E402

from bench.evaluation.texts import Text, load  # noqa: E402
from speech.resample import resample_floats  # noqa: E402

VOICES = {"calibration": ("zf_xiaoni", "zm_yunyang"), "evaluation": ("zf_xiaoyi", "zm_yunxia")}
AUDIO = ROOT / "bench" / "evaluation" / "audio"
OUT_RATE = 16000
PEAK = 0.5
SILENCE = 0.01  # of the peak
# libsndfile maps 1…0 to 6…256 kbit/s.
BITRATE = 22000
COMPRESSION = 1 - (BITRATE - 6000) / 250000
MAX_ZIP = 1_950_000  # bytes of audio; the file stays below 2 MiB
LICENCE = "Audio made by this project with Kokoro-82M v1.0 (Apache-2.0), voices {voices}"


def main() -> int:
    options = _options()
    texts = load()
    if not options.pack:
        speak(texts, options.voices, options.cache)
    for half in VOICES:
        pack([text for text in texts if text.half == half], half, options.cache)
    return 0


def voice_of(texts: Sequence[Text]) -> Iterator[tuple[Text, str]]:
    """Every text with the voice that speaks it: the half's voices in turn, by place in its kind."""
    places: dict[tuple[str, str], int] = {}
    for text in texts:
        place = places.setdefault((text.half, text.kind), 0)
        places[text.half, text.kind] = place + 1
        names = VOICES[text.half]
        yield text, names[place % len(names)]


def name_of(text: Text, voice: str) -> str:
    return f"{text.kind}_{hashlib.sha256((voice + text.text).encode()).hexdigest()[:10]}_{voice}.ogg"


def speak(texts: Sequence[Text], weights: Path, cache: Path) -> None:
    """Renders into the cache what isn't there; takes about the audio's own length on one core."""
    cache.mkdir(parents=True, exist_ok=True)
    wanted = [(text, voice) for text, voice in voice_of(texts) if not (cache / name_of(text, voice)).exists()]
    if not wanted:
        return
    first = KokoroVoice(weights, wanted[0][1], OWN_SPEED, READINGS)
    voices = {name: first.with_name(weights, name, OWN_SPEED) for _, name in wanted}
    for done, (text, name) in enumerate(wanted):
        write(cache / name_of(text, name), voices[name].speak(text.text))
        if done % 20 == 0:
            print(f"{done} of {len(wanted)}", flush=True)


def write(file: Path, samples: np.ndarray) -> None:
    """24 kHz floats as Ogg/Opus with a fixed peak; the file appears whole or not at all."""
    small = trimmed(resample_floats(samples, RATE, OUT_RATE))
    small = small * (PEAK / max(1e-3, float(np.abs(small).max())))
    part = file.with_suffix(".part")
    soundfile.write(part, small, OUT_RATE, format="OGG", subtype="OPUS", compression_level=COMPRESSION)
    part.replace(file)


def trimmed(samples: np.ndarray) -> np.ndarray:
    """Without the silence around the words (50 ms of it are kept)."""
    loud = np.flatnonzero(np.abs(samples) > SILENCE * np.abs(samples).max(initial=0.0))
    if not len(loud):
        return samples
    kept = OUT_RATE // 20
    return samples[max(0, int(loud[0]) - kept) : int(loud[-1]) + kept]


def pack(texts: Sequence[Text], half: str, cache: Path) -> None:
    """The half's audio as zips below 2 MiB, each with a manifest in the speech set's columns."""
    rows = [(text, voice, cache / name_of(text, voice)) for text, voice in voice_of(texts)]
    there = [row for row in rows if row[2].exists()]
    if len(there) < len(rows):
        print(f"{half}: {len(rows) - len(there)} texts are not rendered yet")
    AUDIO.mkdir(parents=True, exist_ok=True)
    for old in AUDIO.glob(f"offmenu-{half}-*.zip"):
        old.unlink()
    for number, part in enumerate(_parts(there), 1):
        target = AUDIO / f"offmenu-{half}-{number}.zip"
        _zip(target, part, half)
        print(f"{target.relative_to(ROOT)}: {len(part)} utterances, {target.stat().st_size / 2**20:.2f} MiB")


def _parts(rows: Sequence[tuple[Text, str, Path]]) -> Iterator[list[tuple[Text, str, Path]]]:
    part: list[tuple[Text, str, Path]] = []
    size = 0
    for row in rows:
        more = row[2].stat().st_size + 400  # the manifest's line and the directory's entries
        if part and size + more > MAX_ZIP:
            yield part
            part, size = [], 0
        part.append(row)
        size += more
    if part:
        yield part


def _zip(target: Path, rows: Sequence[tuple[Text, str, Path]], half: str) -> None:
    licence = LICENCE.format(voices=", ".join(VOICES[half]))
    lines = ["file\tlanguage\tkind\tmeaning\ttext\tspeaker\tsource\tlicence"]
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as archive:
        for text, voice, file in rows:
            archive.writestr(zipfile.ZipInfo(file.name), file.read_bytes())
            meaning = "help" if text.kind == "distress" else "oov"
            lines.append(f"{file.name}\tzh\t{text.kind}\t{meaning}\t{text.text}\t{voice}\tsynthetic\t{licence}")
        archive.writestr(zipfile.ZipInfo("manifest.tsv"), "\n".join(lines) + "\n")


def _options() -> argparse.Namespace:
    shared = Path(os.environ.get("WENAN_SHARED") or ROOT.parent / "shared")
    parser = argparse.ArgumentParser(description="Renders the off-menu utterances of the evaluation.")
    parser.add_argument("--voices", type=Path, default=Path(os.environ.get("WENAN_VOICES") or shared / "voices"))
    parser.add_argument("--cache", type=Path, default=ROOT / "data" / "offmenu", help="rendered files, kept")
    parser.add_argument("--pack", action="store_true", help="only pack what the cache has")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
