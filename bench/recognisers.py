"""How well an engine understands short answers, and at what cost: `python -m bench.recognisers [--engine NAME] …`.

Every recording of the speech set is brought to telephone quality (8 kHz, μ-law, half level, the silences that the
endpointer leaves around an answer) and offered at the steps of the daily check-in where its text may be said; what
may not be said there counts as off-menu. Nothing of this is elderly speech on a real line: the figures are a lower
bound of the difficulty.
"""

from __future__ import annotations

import argparse
import csv
import os
import resource
import sys
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from rich.console import Console
from rich.progress import track
from rich.table import Table

from callflows.loader import shipped
from speech import g711, phrases
from speech.ears import make_engine
from speech.interpret import interpret
from speech.recogniser import SAMPLE_RATE, Recogniser, Request
from speech.resample import from_floats, resample_floats

ROOT = Path(__file__).resolve().parent.parent
STEPS = ("greet.ask", "health.ask", "health.confirm", "message.ask")
LEAD_S, TAIL_S = 0.4, 1.2
OFF_MENU = "off-menu"
out = Console()


@dataclass(frozen=True)
class Clip:
    """`pcm`: 8 kHz, as it would come from the endpointer. `text`: what is said."""

    text: str
    kind: str
    pcm: bytes


@dataclass
class Tally:
    """How often an answer of one meaning was understood how."""

    said: int = 0
    right: int = 0
    right_certain: int = 0
    wrong: int = 0
    wrong_certain: int = 0

    def add(self, expected: str | None, meaning: str | None, certain: bool) -> None:
        right = meaning is not None and meaning == expected
        wrong = meaning is not None and meaning != expected
        self.said += 1
        self.right += right
        self.right_certain += right and certain
        self.wrong += wrong
        self.wrong_certain += wrong and certain


def speech_set() -> Path | None:
    """The folder with recordings: $WENAN_SHARED/speech-set or ../shared/speech-set; None where there is none."""
    shared = Path(os.environ.get("WENAN_SHARED") or ROOT.parent / "shared")
    folder = shared / "speech-set"
    return folder if (folder / "manifest.tsv").is_file() else None


def clips(folder: Path, snr_db: float | None, every: int = 1) -> Iterator[Clip]:
    with (folder / "manifest.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))[::every]
    noise = np.random.default_rng(1)
    for row in track(rows, "recordings", console=out, transient=True, disable=not out.is_terminal):
        yield Clip(row["text"], row["kind"], telephone(folder / row["file"], snr_db, noise))


def telephone(file: Path, snr_db: float | None, noise: np.random.Generator) -> bytes:
    """The recording as it would arrive: 8 kHz μ-law, white noise at `snr_db` below the speech (None: idle line)."""
    samples, rate = soundfile.read(file, dtype="float32")
    speech = 0.5 * resample_floats(samples, rate, SAMPLE_RATE)
    quiet = (np.zeros(round(seconds * SAMPLE_RATE), np.float32) for seconds in (LEAD_S, TAIL_S))
    line = np.concatenate([next(quiet), speech, next(quiet)])
    level = 0.0008 if snr_db is None else float(np.sqrt((speech**2).mean())) * 10 ** (-snr_db / 20)
    line += noise.normal(0.0, level, len(line)).astype(np.float32)
    return g711.ulaw_decode(g711.ulaw_encode(from_floats(line)))


def menus() -> dict[str, dict[str, tuple[str, ...]]]:
    """What may be said at the steps of the daily check-in: step → meaning → phrases."""
    flow = shipped("daily_checkin")
    found = {}
    for name in STEPS:
        offered: dict[str, tuple[str, ...]] = {phrases.DISTRESS: flow.distress}
        for choice in flow.offered(flow.steps[name]):
            if choice.phrases:
                offered[choice.meaning] = (*offered.get(choice.meaning, ()), *choice.phrases)
        found[name] = offered
    return found


def understand(engine: Recogniser, clip: Clip, menu: Mapping[str, Sequence[str]]) -> tuple[str | None, bool]:
    request = Request("answer", menu)
    stream = engine.open(request)
    stream.feed(clip.pcm)
    told = interpret(stream.finish(), request)
    return told.meaning, told.certain


def measure(engine: Recogniser, recordings: Iterator[Clip]) -> dict[str, Tally]:
    """By the meaning of what was said; certain "well" out of anything else is counted apart."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    offered = menus()
    for clip in recordings:
        for menu in offered.values():
            expected = phrases.match(clip.text, menu)
            meaning, certain = understand(engine, clip, menu)
            tallies[expected.meaning if expected else OFF_MENU].add(
                expected.meaning if expected else None, meaning, certain
            )
            if expected is None or expected.meaning != "well":
                tallies["taken for well"].add(None, meaning if meaning == "well" else None, certain)
    return dict(tallies)


def show(tallies: Mapping[str, Tally], title: str) -> None:
    table = Table(title=title, title_justify="left", box=None)
    for heading in ("what was said", "times", "right", "certain", "wrong", "wrong, certain"):
        table.add_column(heading, justify="left" if heading == "what was said" else "right")
    for meaning, one in sorted(tallies.items(), key=lambda item: (item[0] in (OFF_MENU, "taken for well"), item[0])):
        shares = [one.right, one.right_certain, one.wrong, one.wrong_certain]
        table.add_row(meaning, str(one.said), *(f"{share} ({share / one.said:.1%})" for share in shares))
    out.print(table)


def throughput(engine: Recogniser, recordings: Sequence[Clip], menu: Mapping[str, Sequence[str]]) -> None:
    """Time per answer and real-time factor, one utterance at a time."""
    spent, audio = [], 0.0
    for clip in recordings:
        begin = time.perf_counter()
        understand(engine, clip, menu)
        spent.append(time.perf_counter() - begin)
        audio += len(clip.pcm) / (2 * SAMPLE_RATE)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    out.print(
        f"{engine.name}: {np.median(spent) * 1000:.0f} ms an answer (median), "
        f"real-time factor {sum(spent) / audio:.2f}, "
        f"{len(spent) / sum(spent):.1f} answers a second, process at most {peak:.0f} MB",
        highlight=False,
    )


def _once(engine: Any) -> None:
    """The same audio is offered with several menus; an engine whose decoding knows no menu decodes it once."""
    if hasattr(engine, "decode"):
        engine.decode = lru_cache(maxsize=1)(engine.decode)


def main() -> int:
    options = _options()
    folder = speech_set()
    if folder is None:
        out.print("skipped: no speech set here (WENAN_SHARED names the folder that holds speech-set/)")
        return 0
    engine, why = make_engine(options.engine, options.models, workers=1, threads=options.threads)
    if engine is None:
        out.print(f"skipped: {options.engine}: {why}", highlight=False)
        return 0
    answers = [clip for clip in clips(folder, None, options.every) if clip.kind == "answer"][::8]
    throughput(engine, answers, menus()["health.ask"])
    _once(engine)
    for snr in (None, *options.snr):
        title = f"{options.engine}, {'idle line' if snr is None else f'noise {snr:g} dB below the speech'}"
        show(measure(engine, clips(folder, snr, options.every)), title)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="How well an engine understands short answers, and at what cost.")
    parser.add_argument("--engine", default="whisper", help="whisper or vosk")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("WENAN_MODELS") or ROOT / "data" / "models"))
    parser.add_argument("--threads", type=int, default=1, help="threads of the engine")
    parser.add_argument("--snr", type=float, nargs="*", default=[12.0], help="also with noise, dB below the speech")
    parser.add_argument("--every", type=int, default=1, help="only every nth recording (a quick look)")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
