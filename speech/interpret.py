"""What an utterance counts for: PRODUCT.md's rule on confidence in one pure function.

A decoder's own confidence in grammar mode is none. `certain` needs the phrase scorer's margin over a garbage model, or
a phrase of the menu *and* a free decoding that agrees, above the bar. Whoever is not certain is asked again.
"""

from __future__ import annotations

from dataclasses import dataclass

from speech import phrases
from speech.recogniser import Hypothesis, Request

POSITIVE = frozenset({"well", "yes"})


@dataclass(frozen=True)
class Bar:
    """What one engine's numbers must reach. None: the engine doesn't make that number and needs none."""

    confidence: float | None
    margin: float | None
    needs_agreement: bool


SCORER = "phrase-scorer"
# Its confidence is calibrated (tools/calibrate_scorer.py prints what each bar lets through; these shares are of speech
# that was left out of the fit). Below SCORED nothing was understood: 0.5 to 1 % of off-menu speech lies above where
# some fifty to a few hundred phrases are open, 2.2 % at the health question with its thousand, and 94 to 97 % of
# rendered answers. Certain is what no off-menu "well" reached (0.89) and no answer with another meaning, and 86 % of
# the answers do. A call for help counts when the spotter found it, whose bar is measured in false alarms an hour; as a
# whole answer from 0.85 on: of the calibration's speech, what was none stayed below but for one 行的 (heard as 晕倒).
# What sounds like something else that may be said now must be nearly sure: 是我 in a noisy room came as 失火 with 0.72.
SCORED, SCORED_CERTAIN, SCORED_DISTRESS, SCORED_ALIKE = 0.45, 0.9, 0.85, 0.9

BARS = {
    SCORER: Bar(confidence=SCORED, margin=-2.0, needs_agreement=False),
    # Vosk's word confidences in open decoding: right words lie above 0.8, guesses around 0.5. The grammar's own
    # confidence is not looked at.
    "vosk": Bar(confidence=0.7, margin=None, needs_agreement=True),
    # Mean token probability of the best hypothesis, and the meaning at least as likely as everything else together.
    # bench/recognisers.py on synthetic voices as 8 kHz μ-law: of 77 "well" 50 certain (8 of the others are one
    # syllable), of 669 off-menu utterances none certain, of 1187 that are no "well" 2 certain "well" (是的 as 没事的).
    "whisper": Bar(confidence=0.4, margin=0.0, needs_agreement=True),
}
# An engine that nobody has measured never makes anything certain.
UNKNOWN = Bar(confidence=2.0, margin=0.0, needs_agreement=True)

# So much less lead a call for help may have. On half of the speech set Whisper chose distress wrongly at no margin;
# the one cry that its free text missed (我摔倒了 heard as 握水倒呢) lay at −1.1.
DISTRESS_SLACK = 2.0

# One syllable is what a telephone distorts most (不 is swallowed, 好 is left), so it asks for a confirmation.
MIN_SYLLABLES = 2


@dataclass(frozen=True)
class Interpretation:
    """`meaning` None: no-match (with text: something was said; without: silence or noise). `reason`: why not certain.

    `work_s`: how long the answer took after the last audio.
    """

    meaning: str | None
    certain: bool
    text: str
    phrase: str | None
    confidence: float
    engine: str
    reason: str = ""
    work_s: float = 0.0
    margin: float | None = None
    begin_s: float | None = None
    end_s: float | None = None


def interpret(hypothesis: Hypothesis, request: Request) -> Interpretation:
    """The meaning of `hypothesis` among the request's phrases, and whether it is certain."""
    if hypothesis.engine == SCORER:
        return _scored(hypothesis)
    by_text = phrases.match(hypothesis.text, request.phrases)
    found = by_text or _chosen(hypothesis)
    if found is None:
        reason = "no-match" if hypothesis.text else "nothing heard"
        return _result(hypothesis, None, False, reason)
    doubt = _doubt(hypothesis, found, request) if by_text else "the free decoding says something else"
    return _result(hypothesis, found, not doubt, doubt)


def _scored(hyp: Hypothesis) -> Interpretation:
    """The phrase scorer has compared the phrase with everything else that may be said: its confidence decides."""
    if hyp.meaning is None:
        return _result(hyp, None, False, "no-match" if hyp.text else "nothing heard")
    found = phrases.Match(hyp.meaning, hyp.phrase or "", whole=True)
    if hyp.meaning == phrases.DISTRESS and hyp.agreed:
        return _result(hyp, found, True, "")
    if hyp.confidence < _least(hyp):
        return _result(hyp, None, False, "no-match")
    doubt = ""
    if hyp.meaning in POSITIVE and len(phrases.normalise(found.phrase)) < MIN_SYLLABLES:
        doubt = "one syllable"
    elif hyp.confidence < SCORED_CERTAIN:
        doubt = "confidence below the bar"
    elif hyp.meaning in POSITIVE:
        doubt = _below(hyp, BARS[SCORER])
    return _result(hyp, found, not doubt, doubt)


def _least(hyp: Hypothesis) -> float:
    if hyp.meaning != phrases.DISTRESS:
        return SCORED
    return SCORED_ALIKE if hyp.alike else SCORED_DISTRESS


def _result(hyp: Hypothesis, found: phrases.Match | None, certain: bool, reason: str) -> Interpretation:
    meaning, phrase = (found.meaning, found.phrase) if found else (None, None)
    return Interpretation(
        meaning,
        certain,
        hyp.text,
        phrase,
        hyp.confidence,
        hyp.engine,
        reason,
        hyp.work_s,
        hyp.margin,
        hyp.begin_s,
        hyp.end_s,
    )


def _chosen(hyp: Hypothesis) -> phrases.Match | None:
    """The engine's own choice of phrase against a free text that means nothing here: a meaning only where the engine
    is sure of it, and never a certain one ("你大错了" at the greeting was no complaint). A call for help may be less
    sure: a false one costs a call of a person, a missed one a life."""
    if hyp.meaning is None:
        return None
    bar, slack = BARS.get(hyp.engine, UNKNOWN), DISTRESS_SLACK if hyp.meaning == phrases.DISTRESS else 0.0
    leads = bar.margin is not None and hyp.margin is not None and hyp.margin >= bar.margin - slack
    return phrases.Match(hyp.meaning, hyp.phrase or "", whole=False) if hyp.agreed or leads else None


def _doubt(hyp: Hypothesis, found: phrases.Match, request: Request) -> str:
    """Why this is not certain; empty when it is."""
    bar = BARS.get(hyp.engine, UNKNOWN)
    if hyp.meaning is not None and hyp.meaning != found.meaning:
        return "the menu and the free decoding differ"
    if not found.whole:
        return "only a part of the utterance"
    if found.meaning in POSITIVE and len(phrases.normalise(found.phrase)) < MIN_SYLLABLES:
        return "one syllable"
    if request.language != "zh":
        return "the engine does not know this language"
    return _below(hyp, bar)


def _below(hyp: Hypothesis, bar: Bar) -> str:
    if bar.needs_agreement and hyp.agreed is not True:
        return "no agreeing free decoding"
    if bar.confidence is not None and hyp.confidence < bar.confidence:
        return "confidence below the bar"
    if bar.margin is not None and (hyp.margin is None or hyp.margin < bar.margin):
        return "margin below the bar"
    return ""
