#!/usr/bin/env python3
"""Renders the audio that is shipped: the prompt pack of all flows, the names pack, the demo's voices.

    python tools/render_prompts.py [sentences|names|clips|all] [--again]   renders what is missing or has changed
    python tools/render_prompts.py check                                    says what is missing; 1 if something is
    python tools/render_prompts.py sheet FOLDER                             a list for people who record the prompts

Needs the optional extra `voices`, SoX, and Kokoro's weights in the folder that WENAN_VOICES names (default:
shared/voices beside this checkout); `check` and `sheet` need none of them. See docs/prompts.md.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import json
import os
import sys
import zipfile
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from kokoro_voice import ALONE, RATE, Context, KokoroVoice  # noqa: E402

from callflows.flow import Flow, Piece  # noqa: E402
from callflows.loader import shipped  # noqa: E402
from callflows.samples import SAMPLES  # noqa: E402
from ivr.twilio import documents  # noqa: E402
from speech import pack  # noqa: E402
from speech.figures import FIGURES  # noqa: E402
from speech.loudness import to_prompt  # noqa: E402

VOICE = "zf_xiaoxiao"
LICENCE = "Audio made by this project with Kokoro-82M v1.0 (Apache-2.0), voice zf_xiaoxiao"
MAX_FILE = 1_900_000  # bytes of audio in one zip; each file stays below 2 MiB
# Which flows' sentences lie in which pack, each in the first that needs it (after a colon: those of these groups of
# steps alone); the line's own sentences are in MAIN.
MAIN = "zh.zip"
PACKS = {
    MAIN: ("daily_checkin",),
    "zh-responders.zip": ("dispatch", "buddy_log"),
    "zh-findings.zip": ("finding",),
    "zh-emergencies.zip": ("alarm", "taken"),
    "zh-hand-over.zip": ("hand_over",),
    "zh-alarms.zip": ("line_alarm",),
    "zh-ballots.zip": ("ballot",),
    "zh-strangers.zip": ("stranger",),
    "zh-meetings.zip": ("rings_in:meet",),
    "zh-ringing-in-2.zip": ("rings_in:register,home,help,board,hours,services,street",),
    "zh-ringing-in.zip": ("rings_in",),
    "zh-replies.zip": ("reply",),
    "zh-tickets.zip": ("booking",),
    "zh-notices.zip": ("notices",),
    "zh-test-calls.zip": ("test_call",),
    "zh-recording.zip": ("record_prompts",),
}
ENDINGS = {"阿婆": ("a1", "po2"), "阿公": ("a1", "gong1")}
NAME_CONTEXT = Context("请问您是", "本人吗?")
# Words that the dictionary would read otherwise.
READINGS = {
    "槐荫里": ("huai2", "yin1", "li3"),
    "应一声": ("ying4", "yi4", "sheng1"),
    "保重": ("bao3", "zhong4"),
    "按井号": ("an4", "jing3", "hao4"),
    "喂": ("wei2",),
    "听得到": ("ting1", "de5", "dao4"),
    "不用": ("bu2", "yong4"),
    "不在": ("bu2", "zai4"),
    "谢谢": ("xie4", "xie5"),
    "不好意思": ("bu4", "hao3", "yi4", "si5"),
    "告诉": ("gao4", "su5"),
    "清楚": ("qing1", "chu5"),
    "舒服": ("shu1", "fu5"),
    "人会": ("ren2", "hui4"),
    # of the demo's elders
    "得厉害": ("de5", "li4", "hai5"),
    "睡不着": ("shui4", "bu4", "zhao2"),
    "嘀声": ("di1", "sheng1"),
    "一遍": ("yi2", "bian4"),
    "一位": ("yi2", "wei4"),
    "不放心": ("bu2", "fang4", "xin1"),
    "那里": ("na4", "li5"),
    "一下": ("yi2", "xia4"),
    "一件": ("yi2", "jian4"),
    "一共": ("yi2", "gong4"),
    "事情": ("shi4", "qing5"),
    "商量": ("shang1", "liang5"),
    "名字": ("ming2", "zi5"),
    "消息": ("xiao1", "xi5"),
    "时候": ("shi2", "hou5"),
    "重新": ("chong2", "xin1"),
}
SURNAMES = ROOT / "tools" / "surnames.txt"
CLIPS = ROOT / "demo" / "clips.yaml"
SHOWN = 20  # texts named in a report
SENTENCE_END = "。?!;"


@dataclass(frozen=True)
class Recipe:
    """How one kind of audio is made. Raise `version` when its rendering changes in any way: all of it is made again."""

    speed: float
    version: str


SENTENCES = Recipe(0.87, "5")
NAMES = Recipe(0.85, "4")  # what is shipped was slowed down by Kokoro itself: docs/prompts.md says why
CLIPS_VERSION = "4"  # the speed stands in clips.yaml


@dataclass(frozen=True)
class Job:
    """One piece to render."""

    text: str
    context: Context = ALONE
    recipe: Recipe = SENTENCES

    @property
    def made_from(self) -> str:
        return self.made_by(VOICE)

    def made_by(self, voice: str) -> str:
        """Hash of everything that decides the audio."""
        whole = self.context.before + self.text + self.context.after
        used = sorted(item for item in overrides().items() if item[0] in whole)
        parts = [
            self.text,
            self.context.before,
            self.context.after,
            voice,
            self.recipe.speed,
            self.recipe.version,
            used,
        ]
        return hashlib.sha256(json.dumps(parts, ensure_ascii=False).encode()).hexdigest()[:16]


def main(argv: Sequence[str] | None = None) -> int:
    options = _options(argv)
    if options.what == "check":
        return _check()
    if options.what == "sheet":
        return _sheet(options.folder)
    try:
        studio = Studio(_voices_folder())
    except (ImportError, OSError) as error:
        print(
            f"can't render: {error}. Install the extra: pip install -e '.[voices]'; set WENAN_VOICES", file=sys.stderr
        )
        return 1
    for name, work in {"sentences": _sentences, "names": _names, "clips": _clips}.items():
        if options.what in (name, "all") or (options.what == "packs" and name != "clips"):
            work(studio, options.again)
    return _check()


def _options(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    what = ("packs", "sentences", "names", "clips", "all", "check", "sheet")
    parser.add_argument("what", nargs="?", default="packs", choices=what, help="default: packs (sentences and names)")
    parser.add_argument("folder", nargs="?", type=Path, help="for sheet: where the recordings will lie")
    parser.add_argument("--again", action="store_true", help="render everything anew, not only what changed")
    options = parser.parse_args(argv)
    if options.what == "sheet" and options.folder is None:
        parser.error("sheet needs the folder of the recordings, the one that WENAN_HUMAN_PROMPTS names")
    return options


def _voices_folder() -> Path:
    return Path(os.environ.get("WENAN_VOICES", ROOT.parent / "shared" / "voices"))


# ── what there is to render ───────────────────────────────────────────────────────────────────────


@cache
def overrides() -> dict[str, tuple[str, ...]]:
    """Our own readings as they are written down."""
    return READINGS | {name: reading for name, reading in surnames() if reading}


def readings() -> dict[str, tuple[str, ...]]:
    """Our own readings as the voice needs them: a surname only counts together with 阿婆 or 阿公, as one word."""
    names: dict[str, tuple[str, ...]] = {}
    for name, reading in surnames():
        syllables = reading or _usual(name)
        names |= {name + ending: syllables + spoken for ending, spoken in ENDINGS.items()}
    return READINGS | names


def _usual(name: str) -> tuple[str, ...]:
    pypinyin = importlib.import_module("pypinyin")
    return tuple(pypinyin.lazy_pinyin(name, style=pypinyin.Style.TONE3, neutral_tone_with_five=True))


def surnames() -> Iterator[tuple[str, tuple[str, ...]]]:
    for line in SURNAMES.read_text("utf-8").splitlines():
        if not line.startswith("#"):
            for word in line.split():
                name, _, reading = word.partition("=")
                yield name, tuple(reading.split(",")) if reading else ()


def sentence_jobs() -> tuple[Job, ...]:
    """Every fixed text of every shipped flow, the line's own sentences, the demo's committee; each once."""
    return tuple(job for jobs in pack_jobs().values() for job in jobs)


def pack_jobs() -> dict[str, tuple[Job, ...]]:
    """The same by pack."""
    packs: dict[str, tuple[Job, ...]] = {}
    known: set[str] = set()
    for name, flows in PACKS.items():
        jobs = {job.text: job for job in _own_jobs()} if name == MAIN else {}
        jobs = {**_flow_jobs(flows), **jobs}
        packs[name] = tuple(job for text, job in jobs.items() if text not in known)
        known |= set(jobs)
    return packs


def _flow_jobs(flows: Iterable[str]) -> dict[str, Job]:
    jobs: dict[str, Job] = {}
    for name, _, groups in (each.partition(":") for each in flows):
        flow = shipped(name)
        in_context = _in_context(flow)
        for text in _of_steps(flow, groups.split(",")) if groups else flow.sentences("zh"):
            if not any(char.isalnum() for char in text):
                continue  # a mark alone is a pause
            jobs.setdefault(text, in_context.get(text, Job(text)))
    return jobs


def _of_steps(flow: Flow, groups: Collection[str]) -> Iterator[str]:
    """The fixed texts of the steps whose names begin so: "home" is home.ask and home.wrong."""
    for name, step in flow.steps.items():
        if name.partition(".")[0] in groups:
            yield from (piece.text for prompt in step.said for piece in prompt.texts["zh"] if not piece.variable)


def _own_jobs() -> Iterator[Job]:
    yield from (Job(text) for text in documents.SENTENCES.values())
    yield Job(SAMPLES["committee"], Context("您好,这里是", "的自动语音电话。"))
    yield from (Job(figure, Context("八,", "。")) for figure in FIGURES)  # in which all come out about as long


def _in_context(flow: Flow) -> dict[str, Job]:
    """Text → job, for pieces between variables: spoken with samples in the variables' places, then cut out."""
    jobs: dict[str, Job] = {}
    for step in flow.steps.values():
        for prompt in step.said:
            pieces = prompt.texts.get("zh", ())
            for at, piece in enumerate(pieces):
                if not piece.variable and piece.text.strip(SENTENCE_END):
                    before, after = _spoken(pieces[:at]), _spoken(pieces[at + 1 :])
                    jobs.setdefault(piece.text, Job(piece.text, Context(_last(before), _first(after))))
    return jobs


def _spoken(pieces: Iterable[Piece]) -> str:
    return "".join(SAMPLES.get(piece.text, "") if piece.variable else piece.text for piece in pieces)


def _last(text: str) -> str:
    """The unfinished sentence at the end of `text`."""
    return text[max((text.rfind(end) for end in SENTENCE_END), default=-1) + 1 :]


def _first(text: str) -> str:
    """The rest of the sentence at the beginning of `text`."""
    ends = [text.find(end) for end in SENTENCE_END if end in text]
    return text[: min(ends) + 1] if ends else text


def name_jobs() -> tuple[Job, ...]:
    return tuple(Job(name + ending, NAME_CONTEXT, NAMES) for name, _ in surnames() for ending in ENDINGS)


# ── rendering ─────────────────────────────────────────────────────────────────────────────────────


class Studio:
    """The voice and the progress bar."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._voice = KokoroVoice(folder, VOICE, SENTENCES.speed, readings())

    def prompts(self, title: str, jobs: Sequence[Job], known: dict[str, pack.PackPrompt]) -> list[pack.PackPrompt]:
        """A prompt for each job; what is known and up to date is not rendered again."""
        voices = {speed: self.voice(VOICE, speed) for speed in {job.recipe.speed for job in jobs}}

        def make(job: Job) -> pack.PackPrompt:
            old = known.get(job.text)
            if old is not None and old.made_from == job.made_from:
                return old
            return pack.PackPrompt(job.text, job.made_from, self.render(voices[job.recipe.speed], job))

        return self.each(title, jobs, make)

    def render(self, voice: KokoroVoice, job: Job) -> bytes:
        ulaw = to_prompt(voice.speak(job.text, job.context), RATE, job.text)
        if not ulaw:
            raise ValueError(f"no voice in {job.text!r}")
        return ulaw

    def voice(self, name: str, speed: float) -> KokoroVoice:
        return self._voice.with_name(self._folder, name, speed)

    def each(self, title: str, items: Sequence[Any], work: Callable[[Any], Any]) -> list[Any]:
        from rich.progress import track

        return [work(item) for item in track(items, title, disable=not sys.stderr.isatty())]


def _known(paths: Iterable[Path], again: bool) -> dict[str, pack.PackPrompt]:
    known: dict[str, pack.PackPrompt] = {}
    for path in [] if again else paths:
        try:
            known |= {prompt.text: prompt for prompt in pack.read(path)}
        except pack.PackError as error:
            print(f"{error}; rendered anew")
    return known


def _sentences(studio: Studio, again: bool) -> None:
    known = _known([pack.SHIPPED / name for name in PACKS if (pack.SHIPPED / name).exists()], again)
    for name, jobs in pack_jobs().items():
        _write(pack.SHIPPED / name, SENTENCES, studio.prompts(name, jobs, known))


def _names(studio: Studio, again: bool) -> None:
    old = sorted(pack.SHIPPED.glob("zh-names-*.zip"))
    prompts = studio.prompts("names", name_jobs(), _known(old, again))
    groups = list(_groups(prompts, lambda prompt: len(prompt.ulaw)))
    paths = [pack.SHIPPED / f"zh-names-{number}.zip" for number in range(1, len(groups) + 1)]
    for path in set(old) - set(paths):
        path.unlink()
    for path, group in zip(paths, groups, strict=True):
        _write(path, NAMES, group)


def _write(path: Path, recipe: Recipe, prompts: Sequence[pack.PackPrompt]) -> None:
    pack.write(path, "zh", f"kokoro-v1.0 {VOICE} {recipe.speed}", LICENCE, prompts)
    print(f"{path.relative_to(ROOT)}: {len(prompts)} prompts, {path.stat().st_size / 1e6:.2f} MB")


def _groups(items: Sequence[Any], size: Callable[[Any], int]) -> Iterator[list[Any]]:
    """Items in order, in groups of at most MAX_FILE bytes."""
    group: list[Any] = []
    total = 0
    for item in items:
        if group and total + size(item) > MAX_FILE:
            yield group
            group, total = [], 0
        group.append(item)
        total += size(item)
    if group:
        yield group


def _clips(studio: Studio, again: bool) -> None:
    """demo/clips-N.zip: entries VOICE/KEY.ulaw, and index.json with what each was made from."""
    import yaml

    script = yaml.safe_load(CLIPS.read_text("utf-8"))
    recipe = Recipe(float(script["speed"]), CLIPS_VERSION)
    jobs = [
        (name, f"{name}/{key}.ulaw", Job(text, recipe=recipe))
        for name in script["voices"]
        for key, text in script["clips"].items()
    ]
    voices = {name: studio.voice(name, recipe.speed) for name in script["voices"]}
    known = {} if again else _known_clips()

    def make(named: tuple[str, str, Job]) -> tuple[str, str, bytes]:
        name, entry, job = named
        old, ulaw = known.get(entry, ("", b""))
        made_from = job.made_by(name)
        return entry, made_from, ulaw if old == made_from else studio.render(voices[name], job)

    groups = list(_groups(studio.each("clips", jobs, make), lambda clip: len(clip[2])))
    for path in CLIPS.parent.glob("clips*.zip"):
        path.unlink()
    for number, group in enumerate(groups, 1):
        path = CLIPS.with_name(f"clips-{number}.zip")
        index = json.dumps({entry: made_from for entry, made_from, _ in group}, indent=1).encode()
        pack.write_zip(path, {pack.INDEX: index} | {entry: ulaw for entry, _, ulaw in group})
        print(f"{path.relative_to(ROOT)}: {len(group)} clips, {path.stat().st_size / 1e6:.2f} MB")


def _known_clips() -> dict[str, tuple[str, bytes]]:
    """Entry → what it was made from, and its audio."""
    known: dict[str, tuple[str, bytes]] = {}
    for path in CLIPS.parent.glob("clips*.zip"):
        with zipfile.ZipFile(path) as archive:
            if pack.INDEX in archive.namelist():
                index = json.loads(archive.read(pack.INDEX))
                known |= {entry: (made_from, archive.read(entry)) for entry, made_from in index.items()}
    return known


# ── checking, recording sheets ────────────────────────────────────────────────────────────────────


def _check() -> int:
    have = {prompt.text: prompt for path in pack.SHIPPED.glob("zh*.zip") for prompt in pack.read(path)}
    jobs = [*sentence_jobs(), *name_jobs()]
    missing = [job.text for job in jobs if job.text not in have]
    stale = [job.text for job in jobs if job.text in have and have[job.text].made_from != job.made_from]
    unused = sorted(set(have) - {job.text for job in jobs})
    for title, texts in (("missing", missing), ("out of date", stale), ("no longer used", unused)):
        if texts:
            more = f" … and {len(texts) - SHOWN} more" if len(texts) > SHOWN else ""
            print(f"{title}: {' | '.join(texts[:SHOWN])}{more}")
    print(f"{len(jobs) - len(missing) - len(stale)} of {len(jobs)} prompts are there and up to date")
    return 1 if missing or stale else 0


def _sheet(folder: Path) -> int:
    """FOLDER/zh/index.tsv: one line for each sentence, with the file name under which a person records it."""
    path = folder / "zh" / "index.tsv"
    if path.exists():
        print(f"{path} exists already; move it away first, so that no recording loses its sentence", file=sys.stderr)
        return 1
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{number:03d}.wav\t{job.text}" for number, job in enumerate(sentence_jobs(), 1)]
    path.write_text("\n".join(lines) + "\n", "utf-8")
    print(f"{path}: {len(lines)} sentences")
    return 0


if __name__ == "__main__":
    sys.exit(main())
