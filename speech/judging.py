"""From the scores of phrases to a decision with a calibrated confidence. Pure.

A phrase's *score* is the log probability that it and nothing else was said, less a share (`prior_share`) of what the
model expects without listening, less `slot_cost` for every slot: without the first a frequent phrase, or a Shanghainese
one whose sounds are spread over many Mandarin ones, would win by being easy; the first alone would favour long ones.
The *margin* is the score per slot; since all that may be said
adds up to probability 1, it is the lead over the garbage model. The confidence is the product of two chances, each a
logistic regression: that an answer was given at all (from the margin, the lead over every phrase of the lexicon that is
not offered now, how many phrases are: of a thousand one fits by chance sooner than of fifty, and how long it took), and
that it was this one (from the lead over other meanings). tools/calibrate_scorer.py fits both on speech that was made
for it, and docs/evaluation.md shows how well they hold.

A phrase's negation (不对 for 对呀) is its rival wherever it is known, offered or not; where the negation is the more
probable one, the confidence is none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Logs = NDArray[np.float64]
Weights = Mapping[str, Mapping[str, float]]
FILE = Path(__file__).parent / "calibration.json"
# Of 0.7, 1 and 1, 2 nats these missed the fewest calls for help at the same number of false alarms.
CHANCE_SHARE, WU_CAUTION = 1.0, 2.0
# Nats that a Shanghainese way of saying it must be ahead when a Mandarin speaker answers. At 3.5 some more rendered
# Mandarin answers are right in the check-in's own menus, but who speaks Shanghainese unannounced is heard less well.
OTHER_LANGUAGE = 3.0
# Nats by which what is said every day (lexicon/everyday.tsv) is more probable than other phrases, for each of its two
# levels. Of 0 … 2, at 1 the most short answers rendered for it were right (90.3 % instead of 88.5), and rare phrases
# hardly less (94.9 instead of 95.5). Calls for help have the higher level, too: without it 救我 became 要.
EVERYDAY, CRIES_LEVEL = 1.0, 2
# Frames a slot that nobody needs who says only this, 170 ms: what takes longer has something else in it.
PACE = 4.25
RAREST, UNHEARD = -15.0, -8.0  # below the first no chance is measured; the second stands for phrases without a measure
FAR = 60.0  # nats; a lead when there is nothing else


@dataclass(frozen=True)
class Calibration:
    """`frame`: the average frame of speech, (320,). `prior_share`, `slot_cost`: see above. `weights`: chance (offered,
    right) → feature → weight, "" is the constant. `spot`: what the score of a phrase found inside running speech must
    reach (`spot_offset`). `chance`: "language:phrase" → the log probability that it reaches in running speech in which
    it is not said."""

    frame: NDArray[np.float32]
    prior_share: float
    slot_cost: float
    weights: Weights
    spot: float
    chance: Mapping[str, float]

    @classmethod
    def read(cls, path: Path = FILE) -> Calibration:
        told = json.loads(path.read_text("utf-8"))
        frame = np.array(told["frame"], np.float32)
        return cls(
            frame,
            float(told["prior_share"]),
            float(told["slot_cost"]),
            told["weights"],
            float(told["spot"]),
            told["chance"],
        )

    def spot_offset(self, phrase: str, language: str) -> float:
        """What is added to the log probability of a phrase inside running speech: some phrases are heard by chance far
        more often than others (two short syllables, and Shanghainese ones, whose sounds are many Mandarin sounds)."""
        level = max(self.chance.get(f"{language}:{phrase}", UNHEARD), RAREST)
        return -CHANCE_SHARE * level - (WU_CAUTION if language == "wuu" else 0.0)


@lru_cache
def shipped() -> Calibration:
    """The calibration that comes with the program."""
    return Calibration.read()


@dataclass(frozen=True)
class Candidate:
    """The best way of a meaning. `slots`: its length, `whole`: log probability, `score`: with the prior's share."""

    meaning: str
    phrase: str
    slots: int
    whole: float
    score: float


@dataclass(frozen=True)
class Judgement:
    """`lead`: nats over the best other meaning, or over its own negation; `outside`: over the best phrase that is not
    offered. `others`: the best phrases of the other meanings."""

    best: Candidate
    lead: float
    outside: float
    confidence: float
    others: tuple[str, ...]

    @property
    def margin(self) -> float:
        """Nats per slot."""
        return self.best.score / self.best.slots


def features(best: Candidate, lead: float, outside: float, many: int, frames: int) -> dict[str, float]:
    """What the confidence depends on, each kept in the range in which it tells something. `many`: phrases offered,
    `frames`: from the first sound to the last one."""
    return {
        "whole": float(np.clip(best.whole / best.slots, -6, 0)),
        "margin": float(np.clip(best.score / best.slots, -6, 3)),
        "score": float(np.clip(best.score, -20, 20)),
        "lead": float(np.clip(lead, -1, 10)),
        "outside": float(np.clip(outside, -10, 10)),
        "short": 1 / best.slots,
        "many": float(np.log(max(1, many))),
        "long": float(np.clip(np.log(max(1, frames) / (PACE * best.slots)), 0, 3)),
        "": 1.0,
    }


def judge(
    candidates: Sequence[Candidate],
    outside: float,
    many: int,
    frames: int,
    calibration: Calibration,
    negated: Callable[[Candidate], float] = lambda _: -FAR,
) -> Judgement | None:
    """The best of `candidates` (one for each meaning). `outside`: the best score of what is not offered, `many`: how
    many phrases are, `frames`: from the first sound to the last one, `negated`: the best score of what becomes the
    candidate when a negation isn't heard."""
    if not candidates:
        return None
    ranked = sorted(candidates, key=lambda one: -one.score)
    best = ranked[0]
    ahead = best.score - negated(best)
    lead = min(ahead, best.score - ranked[1].score if len(ranked) > 1 else FAR)
    told = features(best, lead, best.score - outside, many, frames)
    sure = confidence(told, calibration.weights) if ahead > 0 else 0.0
    return Judgement(best, lead, best.score - outside, sure, tuple(one.phrase for one in ranked[1:]))


def confidence(told: Mapping[str, float], weights: Weights) -> float:
    """How sure it is with these features: 0 to 1."""
    return float(np.prod([_chance(told, each) for each in weights.values()]))


def _chance(told: Mapping[str, float], weights: Mapping[str, float]) -> float:
    logit = sum(weight * told[name] for name, weight in weights.items())
    return float(1 / (1 + np.exp(-logit)))
