#!/usr/bin/env python3
"""Fits the phrase scorer's confidence and bars on speech made for it, and writes speech/calibration.json.

    python tools/calibrate_scorer.py [--cache FOLDER] [--dry]    fits, prints how well it holds, writes

Answers: phrases of the lexicon drawn by chance, and all short ones that are heard in every call (SHORT), spoken by
Kokoro voices (rendered into the cache by `speak`, which needs what tools/render_prompts.py needs; whatever of them is
there is used). Everything else: the calibration half of the evaluation's off-menu speech. The
evaluation half and the speech set are never looked at here. Answers are offered in menus drawn by chance (a few
lists of the lexicon, or some fifty single phrases), where they also count as off-menu when nobody offers them, and at
the steps of the daily check-in, whose menus are the largest.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import random
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "tools")]

from bench.evaluation.conditions import LEVEL, coded, noise_for, padded, varied  # noqa: E402
from bench.evaluation.offmenu import PREFIX, Utterance, generate  # noqa: E402
from bench.evaluation.plan import own_menus  # noqa: E402
from lexicon.book import load  # noqa: E402
from speech import judging, phrases  # noqa: E402
from speech.engines.phrase_scorer import (  # noqa: E402
    ALIKE,
    LEAST,
    OUTSIDE,
    SPOKEN,
    SPOT_FRAMES,
    VOICED,
    PhraseScorer,
    Shelf,
    _activity,
    best_ways,
    negated,
)
from speech.judging import Calibration, Candidate, confidence, features, judge  # noqa: E402
from speech.phrases import DISTRESS  # noqa: E402
from speech.recogniser import SAMPLE_RATE  # noqa: E402
from speech.resample import from_floats, resample_floats  # noqa: E402
from speech.scoring import Heard, inside, whole  # noqa: E402
from speech.zipformer import DIM  # noqa: E402

VOICES = ("zf_xiaoni", "zm_yunyang", "zf_xiaoyi", "zm_yunxia")
# Of shares 0.2 … 0.5 and costs of 1.2 … 0 nats a slot, chosen on rendered answers in the check-in's own menus and in
# menus of some 50 single phrases: a higher cost loses fast long answers, a lower one makes long ones of short ones.
PRIOR_SHARE, SLOT_COST = 0.4, 0.56
WU_ONLY = set("勿侬伊呒覅囡迭搿辣侪睏掼")
ANSWERS = 420  # texts; each by two voices
# Of these meanings all phrases of one or two syllables, by two voices each.
SHORT = (
    *("good", "well", "so_so", "nothing_wrong", "bare_good", "good_alone", "yes", "myself", "agree", "understood"),
    *("here", "have", "no", "have_not", "not_me", "not_so", "repeat", "refuse", "hello", "wait", "talk", "not_good"),
)
SYLLABLES = 2
LISTED = ("list.tsv", "core.tsv")  # of the cache: drawn by chance, short
# False ones in an hour of running speech, on the speech that the levels were taken from; on other speech two to three
# times as many (at 24 here, 61 there). Twice as many would miss 7 % instead of 9 % of the cries in speech left out.
ALARMS = 12
out = Console()
Logs = NDArray[np.float64]


@dataclass(frozen=True)
class Clip:
    """One clip's scores with the lexicon's book, and with one of what the check-in offers besides. `text` is what is
    said, if anybody can tell; `phrase` "": off-menu."""

    phrase: str
    text: str
    scores: Logs
    beside: Logs
    frames: int


def answers(cache: Path) -> Iterator[tuple[str, bytes]]:
    """(phrase, 8 kHz PCM as it arrives), each with a tempo, pitch, level and noise of its own."""
    for listed in LISTED:
        draw = np.random.default_rng(3)
        for line in (cache / listed).read_text("utf-8").splitlines():
            name, _, phrase = line.split("\t")
            samples, rate = soundfile.read(cache / name, dtype="float32")
            speech = resample_floats(samples, rate, SAMPLE_RATE)
            speech = varied(speech, draw.uniform(0.65, 1.0), draw.uniform(0.88, 1.12))
            speech = speech * np.float32(LEVEL * 10 ** (-draw.uniform(0, 15) / 20))
            line_noise = noise_for(speech, None if draw.random() < 0.6 else draw.uniform(10, 25), draw)
            yield phrase, coded(from_floats(padded(speech) + line_noise), "ulaw")


def speak(cache: Path) -> None:
    """Renders what the cache lacks: ANSWERS Mandarin phrases of the lexicon and the short ones, two voices each, every
    phrase once before any of them twice. Some 3 s of a processor each."""
    from kokoro_voice import KokoroVoice
    from render_prompts import READINGS

    weights = Path(os.environ.get("WENAN_VOICES") or ROOT.parent / "shared" / "voices")
    cache.mkdir(parents=True, exist_ok=True)
    first = KokoroVoice(weights, VOICES[0], 1.0, READINGS)
    voices = {name: first.with_name(weights, name, 1.0) for name in VOICES}
    known = {listed: (cache / listed).read_text("utf-8") if (cache / listed).exists() else "" for listed in LISTED}
    for listed, phrase, name in track(wanted(), "speaking", console=out):
        digest = hashlib.md5((phrase + name).encode(), usedforsecurity=False).hexdigest()[:10]
        file = cache / f"{digest}_{name}.flac"
        if file.name in known[listed]:
            continue
        if not file.exists():
            samples = voices[name].speak(phrase)
            soundfile.write(file, samples * (0.5 / max(1e-3, float(np.abs(samples).max()))), 24000)
        with (cache / listed).open("a", encoding="utf-8") as lines:
            lines.write(f"{file.name}\t{name}\t{phrase}\n")


def wanted() -> list[tuple[str, str, str]]:
    """(list, phrase, voice)."""
    lexicon, draw = load(), random.Random(3)  # noqa: S311
    known = {name: [one for one in lexicon.phrases(name) if not set(one) & WU_ONLY] for name in lexicon.meanings}
    drawn = draw.sample(sorted({phrase for ways in known.values() for phrase in ways}), ANSWERS)
    by_chance = [(phrase, draw.sample(VOICES, 2)) for phrase in drawn]
    short = sorted({one for name in SHORT for one in known[name] if len(phrases.normalise(one)) <= SYLLABLES})
    found = []
    for turn in (0, 1):
        found += [(LISTED[1], phrase, VOICES[(at + 2 * turn) % len(VOICES)]) for at, phrase in enumerate(short)]
        found += [(LISTED[0], phrase, names[turn]) for phrase, names in by_chance]
    return found


def frames(engine: PhraseScorer, pcm: bytes) -> Heard:
    listening = engine.model.listen()
    return engine.base.hear(np.concatenate([listening.feed(pcm), listening.finish()]))


def scores(engine: PhraseScorer, beside: Shelf, phrase: str, text: str, pcm: bytes) -> Clip:
    listening = engine.model.listen()
    chances = engine.model.probabilities(
        np.concatenate([listening.feed(pcm), listening.finish()]), beside.book.contexts
    )
    spoken = np.flatnonzero(_activity(engine.base.read(chances)) > VOICED)
    span = int(spoken[-1] - spoken[0]) + 1 if len(spoken) else 0
    base, others = (
        np.asarray(whole(book.trie, book.read(chances)) + penalty)
        for book, penalty in ((engine.base, engine.base_penalty), (beside.book, beside.penalty))
    )
    return Clip(phrase, text, base, others, span)


def frame_of(engine: PhraseScorer, clips: Sequence[tuple[str, bytes]]) -> NDArray[np.float32]:
    """The average of the frames in which a token is heard, (320,)."""
    found = []
    for _, pcm in clips:
        listening = engine.model.listen()
        heard = np.concatenate([listening.feed(pcm), listening.finish()])
        found.append(heard[engine.model.probabilities(heard, engine.anything)[:, 0, 0] < SPOKEN])
    return np.asarray(np.concatenate(found).mean(axis=0), np.float32)


# ── menus ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Trial:
    told: Mapping[str, float]
    right: bool
    offered: bool
    off_menu: bool
    about: str


Lists = Mapping[str, Sequence[str] | frozenset[str]]


def besides(engine: PhraseScorer) -> Shelf:
    """The phrases of the daily check-in that are not in the lexicon."""
    offered = {phrase for menu in own_menus().values() for ways in menu.values() for phrase in ways}
    return engine.shelf(tuple(sorted(offered - set(engine.base.phrases))), engine.base)


def trials(engine: PhraseScorer, beside: Shelf, clips: Sequence[Clip]) -> Iterator[Trial]:
    """Every clip in menus with its meaning and without it, and at the steps of the check-in."""
    draw = random.Random(5)  # noqa: S311
    lexicon = load()
    lists = {
        name: frozenset(lexicon.phrases(name))
        for name in lexicon.meanings
        if name not in (DISTRESS, "digits", "relative", "time")
    }
    for number, clip in enumerate(clips):
        own = [name for name, ways in lists.items() if clip.phrase in ways]
        for offered in (True, False) if own else (False,):
            for single in (True, False) if own else (number % 2 == 0,):
                menu = _single(draw, lists, clip.phrase, own, offered) if single else _lists(draw, lists, own, offered)
                yield _trial(engine, beside, clip, menu, own if offered else [], offered)
        yield from _at_steps(engine, beside, clip, number)


def _at_steps(engine: PhraseScorer, beside: Shelf, clip: Clip, number: int) -> Iterator[Trial]:
    """What an answer means there; off-menu speech always at the question for the health, else one in three times.
    (Answers at a step that doesn't offer them are left out: they would weigh more than all chatter.)"""
    for step, menu in own_menus().items():
        match = phrases.match(clip.text, menu)
        chatter = not clip.phrase and match is None and (step == "health.ask" or number % 3 == 0)
        if chatter or (clip.phrase and match):
            yield _trial(engine, beside, clip, menu, [match.meaning] if match else [], match is not None)


def _lists(
    draw: random.Random, lists: Mapping[str, frozenset[str]], own: Sequence[str], offered: bool
) -> dict[str, frozenset[str]]:
    taken = set().union(*(lists[name] for name in own)) if own else set()
    others = [name for name in lists if not lists[name] & taken]
    menu = {name: lists[name] for name in draw.sample(others, min(5, len(others)))}
    return menu | ({own[0]: lists[own[0]]} if offered else {})


def _single(
    draw: random.Random,
    lists: Mapping[str, frozenset[str]],
    phrase: str,
    own: Sequence[str],
    offered: bool,
) -> dict[str, frozenset[str]]:
    taken = set().union(*(lists[name] for name in own)) if own else set()
    menu: dict[str, set[str]] = {}
    for name in draw.sample([name for name in lists if not lists[name] & taken], 12):
        menu[name] = set(draw.sample(sorted(lists[name]), min(4, len(lists[name]))))
    if offered:
        menu[own[0]] = {phrase}
    return {name: frozenset(ways) for name, ways in menu.items()}


def _trial(engine: PhraseScorer, beside: Shelf, clip: Clip, menu: Lists, own: Sequence[str], offered: bool) -> Trial:
    names = tuple(menu)
    number = {phrase: at for at, ways in reversed(list(enumerate(menu.values()))) for phrase in ways}
    inside_of_it = engine.meanings_of(number)
    others = np.array([number.get(phrase, ALIKE) for phrase in beside.book.phrases], np.int64)[beside.book.phrase_of]
    found = list(best_ways(engine.base, engine.base_penalty, clip.scores, inside_of_it, names))
    found += best_ways(beside.book, beside.penalty, clip.beside, others, names)
    best = {at: max((one for where, one in found if where == at), key=lambda one: one.score) for at, _ in found}
    outside = float(clip.scores[inside_of_it == OUTSIDE].max(initial=-1e9))

    def opposite(of: Candidate) -> float:
        meaning = names.index(of.meaning)
        return max(
            negated(engine.base, clip.scores, inside_of_it, of, meaning),
            negated(beside.book, clip.beside, others, of, meaning),
        )

    judged = judge(list(best.values()), outside, len(number), clip.frames, engine.calibration, opposite)
    if judged is None:
        return Trial({}, False, offered, not clip.phrase, "")
    told = features(judged.best, judged.lead, judged.outside, len(number), clip.frames)
    right = judged.best.meaning in own
    return Trial(told, right, offered, not clip.phrase, f"{clip.phrase or '·'} → {judged.best.phrase}")


# With "score" and "many" the same share of off-menu speech passes at the check-in's questions (a thousand phrases) as
# before with some fifty phrases more of the answers, and the best off-menu "well" falls from 0.96 to 0.89.
OFFERED = ("whole", "margin", "score", "outside", "short", "many", "long", "")
RIGHT = ("lead", "short", "whole", "")


def fit(tried: Sequence[Trial]) -> judging.Weights:
    """Was an answer of the menu given (off-menu speech and answers that nobody offers weigh as much as answers; answers
    heard wrongly are left out)? And, of the answers given: is the chosen meaning the right one?"""
    sorted_out = [one for one in tried if one.right or not one.offered]
    given = [one for one in tried if one.offered]
    return {
        "offered": _logistic(sorted_out, [one.offered for one in sorted_out], OFFERED, even=True),
        "right": _logistic(given, [one.right for one in given], RIGHT, even=False),
    }


def _logistic(tried: Sequence[Trial], yes: Sequence[bool], names: Sequence[str], *, even: bool) -> dict[str, float]:
    """Logistic regression: Newton's method, a little ridge. `even`: yes and no weigh the same."""
    rows = np.array([[one.told[name] for name in names] for one in tried])
    wanted = np.array(yes, float)
    halves = np.where(wanted > 0, 0.5 / wanted.sum(), 0.5 / (len(wanted) - wanted.sum())) * len(wanted)
    share = halves if even else np.ones(len(wanted))
    weights = np.zeros(len(names))
    for _ in range(60):
        chance = 1 / (1 + np.exp(-rows @ weights))
        slope = rows.T @ (share * (chance - wanted)) + 0.05 * weights
        curve = (rows * (share * chance * (1 - chance))[:, None]).T @ rows + 0.05 * np.eye(len(names))
        weights -= np.linalg.solve(curve, slope)
    return dict(zip(names, weights.round(4).tolist(), strict=True))


# ── calls for help ────────────────────────────────────────────────────────────────────────────────


def inside_of(engine: PhraseScorer, pcm: bytes) -> Logs:
    """The best log probability of every call for help in any 4.4 s of it."""
    ways, trie, _ = engine.spotting(load().phrases(DISTRESS))
    heard = frames(engine, pcm)
    best = np.full(len(ways), -99.0)
    for start in range(0, max(1, len(heard.start) - SPOT_FRAMES + 16), 16):
        window = Heard(*(column[start : start + SPOT_FRAMES] for column in (heard.start, heard.blank, heard.emit)))
        best = np.maximum(best, inside(trie, window, LEAST)[0])
    return best


def spotting(engine: PhraseScorer, speech: Sequence[Utterance]) -> tuple[float, dict[str, float]]:
    """The bar that running speech reaches ALARMS times an hour, and how far each phrase gets in it by chance."""
    running = [one for one in speech if one.kind == "running speech"]
    cries = [one for one in speech if one.kind == DISTRESS][::2]
    quiet = np.array([inside_of(engine, one.pcm) for one in track(running, "running speech", console=out)])
    cried = np.array([inside_of(engine, one.pcm) for one in track(cries, "cries", console=out)])
    return bar_of(engine, quiet, cried, sum(len(one.pcm) for one in running) / 2 / SAMPLE_RATE / 3600)


def bar_of(engine: PhraseScorer, quiet: Logs, cried: Logs, hours: float) -> tuple[float, dict[str, float]]:
    """`quiet`, `cried`: (utterances, ways) of so many hours of running speech, and of cries."""
    ways, _, _ = engine.spotting(load().phrases(DISTRESS))
    made = [engine.base.ways[at] for at in ways]
    chance = chances(engine, ways, quiet)
    told = replace(engine.calibration, chance=chance)
    offset = np.array([way.bias + told.spot_offset(engine.base.phrases[way.phrase], way.language) for way in made])
    found, alarms = (cried + offset).max(axis=1), np.sort((quiet + offset).max(axis=1))[::-1]
    for many in (3, 6, 12, 24, 48):
        bar = float(alarms[min(len(alarms) - 1, round(many * hours))])
        missed = np.mean(found <= bar)
        out.print(
            f"spotting: {many} alarms an hour ({hours:.2f} h): bar {bar:.2f}, {missed:.1%} of {len(found)} missed"
        )
    return float(alarms[min(len(alarms) - 1, round(ALARMS * hours))]), chance


def chances(engine: PhraseScorer, ways: NDArray[np.int64], quiet: Logs) -> dict[str, float]:
    """ "language:phrase" → the log probability that it reaches by chance: half what was measured (its third best time),
    half what a line through all measured ones says of its length, the model's expectation and its language: an hour of
    speech is too little to measure each phrase well. (Of measured, said by the line, the higher one, and the mean of
    both, the mean missed the fewest cries at the same number of alarms on the half of the speech that was left out.)"""
    made = [engine.base.ways[at] for at in ways]
    measured = np.clip(np.sort(quiet, axis=0)[-3], judging.RAREST, 0.0)
    expected = engine.base.expected(engine.calibration.frame)[ways]
    about = np.array(
        [[1.0, len(way.slots), each, way.language == "wuu"] for way, each in zip(made, expected, strict=True)]
    )
    heard = measured > judging.RAREST
    line, *_ = np.linalg.lstsq(about[heard], measured[heard], rcond=None)
    said = np.clip(about @ line, judging.RAREST, 0.0)
    found: dict[str, float] = {}
    for way, level, guess in zip(made, measured, said, strict=True):
        name = f"{way.language}:{engine.base.phrases[way.phrase]}"
        found[name] = max(found.get(name, -99.0), round(float(level + guess) / 2, 1))
    return found


# ── all of it ─────────────────────────────────────────────────────────────────────────────────────


def main() -> int:
    options = _options()
    if not all((options.cache / listed).is_file() for listed in LISTED):
        speak(options.cache)
    flat = Calibration(np.zeros(DIM, np.float32), PRIOR_SHARE, SLOT_COST, {}, -99.0, {})
    clips = list(answers(options.cache))
    engine = PhraseScorer(options.weights, flat)
    before = json.loads(judging.FILE.read_text("utf-8")) if options.keep_cries else {}
    frame = np.array(before["frame"], np.float32) if before else frame_of(engine, clips[::4])
    engine.calibration = Calibration(frame, PRIOR_SHARE, SLOT_COST, {}, -99.0, {})
    engine.base_penalty = engine.penalty(engine.base)
    beside = besides(engine)
    speech = list(generate("calibration", options.every))
    off = [one for one in speech if one.kind.startswith(PREFIX) and not one.kind.endswith("inside") and one.pcm]
    given = [*((phrase, phrase, pcm) for phrase, pcm in clips), *(("", one.text, one.pcm) for one in off)]
    scored = [scores(engine, beside, *one) for one in track(given, "scoring", console=out)]
    tried = [one for one in trials(engine, beside, scored) if one.told]
    weights = fit(tried)
    report(tried, weights)
    bar, chance = (before["spot"], before["chance"]) if before else spotting(engine, speech)
    if not options.dry:
        told = {
            "chance": chance,
            "frame": [round(float(each), 5) for each in frame],
            "prior_share": PRIOR_SHARE,
            "slot_cost": SLOT_COST,
            "weights": weights,
            "spot": round(bar, 2),
        }
        judging.FILE.write_text(json.dumps(told) + "\n", "utf-8")
    return 0


def report(tried: Sequence[Trial], weights: judging.Weights) -> None:
    for what, each in weights.items():
        out.print(f"{what}: " + ", ".join(f"{name or 'constant'} {weight:.2f}" for name, weight in each.items()))
    sure = np.array([confidence(one.told, weights) for one in tried])
    right = np.array([one.right for one in tried])
    answers_ = np.array([one.offered for one in tried])
    chatter = np.array([one.off_menu for one in tried])
    known = ~answers_ & ~chatter
    out.print(f"{answers_.sum()} answers, {right[answers_].mean():.2%} of the meanings right; {chatter.sum()} off-menu")
    for bar in (0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 0.97, 0.99):
        above = sure >= bar
        shares = [above[answers_].mean(), (~right[answers_ & above]).mean(), above[chatter].mean(), above[known].mean()]
        told = zip(("answers", "of them wrong", "off-menu", "answers that nobody offers"), shares, strict=True)
        out.print(f"confidence {bar:.2f}: " + ", ".join(f"{what} {share:.2%}" for what, share in told))
    for at in np.argsort(-sure * ~right)[:15]:
        numbers = " ".join(f"{name} {value:.1f}" for name, value in tried[at].told.items() if name)
        out.print(
            f"  {sure[at]:.2f} {tried[at].about} {'offered' if tried[at].offered else ''} {numbers}", highlight=False
        )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Fits the phrase scorer's confidence and bars.")
    parser.add_argument("--cache", type=Path, default=ROOT / "data" / "calibration", help="rendered answers")
    models = Path(os.environ.get("WENAN_MODELS") or ROOT.parent / "shared" / "models")
    parser.add_argument(
        "--weights", type=Path, default=models / "zipformer-wenetspeech-3.3M", help="the model's folder"
    )
    parser.add_argument("--every", type=int, default=1, help="only every nth off-menu utterance")
    parser.add_argument("--keep-cries", action="store_true", help="keep the average frame and how cries are found")
    parser.add_argument("--dry", action="store_true", help="write nothing")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
