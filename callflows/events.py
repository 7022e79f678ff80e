"""What goes into a session (inputs) and what comes out (outputs). Values only; no behaviour.

Inputs are what happened on the line; outputs are what the line should do next. Audio never enters: the audio
pump (or the TwiML executor, or the terminal) turns sound into these values and back.
*no-input* (nobody said anything) ≠ *no-match* (`Heard.meaning is None`) ≠ *hang-up*.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

# ── inputs ────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Started:
    """The call was answered and audio flows."""


@dataclass(frozen=True)
class Key:
    """One DTMF key: 0-9, * or #. `at_ms` is audio time since answer (two `0` within 3 s are an emergency)."""

    digit: str
    at_ms: int = 0


@dataclass(frozen=True)
class Heard:
    """One utterance, interpreted. `meaning` None is a no-match (something was said, not understood).

    `certain` is True only when the rule on confidence of PRODUCT.md holds (see speech.interpret);
    a "well" needs it. `confidence` is 0..1, comparable only within one `engine`.
    """

    text: str
    meaning: str | None
    confidence: float
    engine: str
    certain: bool = False
    phrase: str | None = None


@dataclass(frozen=True)
class NoInput:
    """The wait's time ran out and nothing was said or pressed."""


@dataclass(frozen=True)
class Distress:
    """A distress phrase ("救命", "摔倒了" …) was heard at any moment."""

    text: str
    engine: str
    confidence: float


@dataclass(frozen=True)
class SpeechFailed:
    """Recognition is not available (no weights, engine crashed): the flow goes on by keys."""

    reason: str


@dataclass(frozen=True)
class DictationEnded:
    """A dictation is over. `recording` names the stored audio span (always kept), `text` may be empty."""

    seconds: float  # voiced and unvoiced, as recorded
    voiced_seconds: float
    text: str
    confidence: float
    engine: str
    recording: str
    ended_by: str  # "silence", "key", "limit", "hangup"
    node: str = ""  # the Dictate's node; tells a dictation that was broken off from the open one. "": the open one
    playable: bool = True  # the recording is here and can be played back in this call


@dataclass(frozen=True)
class MachineBeeped:
    """The carrier says an answering machine took the call and its greeting is over (a hint)."""


@dataclass(frozen=True)
class HungUp:
    """The other side hung up or the line dropped."""


@dataclass(frozen=True)
class TimeLimit:
    """The call's hard limit (10 min) is reached: say goodbye."""


@dataclass(frozen=True)
class Verdict:
    """The answer to the open Query: one of the words that the flow's step lists. Any other word, "" too: nobody could
    say. `values`: what the flow's variables of these names hold from now on; personal, never logged."""

    word: str
    values: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True)
class HandedOver:
    """What became of the open HandOver. `accepted`: a human being and the person have talked, and the other side is
    gone; else nobody would or could."""

    accepted: bool


Input = (
    Started
    | Key
    | Heard
    | NoInput
    | Distress
    | SpeechFailed
    | DictationEnded
    | MachineBeeped
    | HungUp
    | TimeLimit
    | Verdict
    | HandedOver
)

# ── outputs ───────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Part:
    """A piece of a prompt: fixed text (in the prompt pack) or a variable's value (rendered when the person
    was added). `personal` text is never logged. `recording`: the path of a stored recording, played in place of text
    (then `text` is empty)."""

    text: str
    personal: bool = False
    recording: str = ""


@dataclass(frozen=True)
class Say:
    """Play these prompts one after another. `name` is the mark's name: "node.prompt"."""

    name: str
    parts: tuple[Part, ...]
    language: str = "zh"


@dataclass(frozen=True)
class Answer:
    """One thing that may be answered: by key and/or by phrases. Where persons are chosen from, `meaning` is an id."""

    meaning: str
    key: str | None
    phrases: tuple[str, ...] = ()


@dataclass(frozen=True)
class Digits:
    """From `least` to `most` digits are wanted, one Key each; `#` ends them sooner. `secret`: the keys pressed in this
    wait must not be logged."""

    least: int
    most: int
    secret: bool = False


@dataclass(frozen=True)
class Listen:
    """Wait for a key or speech. Starts at once (barge-in); the time-out counts from the prompt's end.

    Always ends in exactly one of Key, Heard, NoInput, Distress, HungUp. With `digits` every key opens a wait anew.
    """

    node: str
    answers: tuple[Answer, ...]
    timeout_s: float = 8.0
    endpoint_s: float = 1.2
    speech: bool = True
    digits: Digits | None = None


@dataclass(frozen=True)
class Dictate:
    """Record free speech after the prompt; `#` or `silence_s` of silence or `max_s` ends it."""

    node: str
    max_s: float = 180.0
    silence_s: float = 4.0
    no_speech_s: float = 8.0
    finish_key: str = "#"


@dataclass(frozen=True)
class StopPlaying:
    """Clear whatever is queued for the elder's ear (barge-in)."""


@dataclass(frozen=True)
class Alarm:
    """Act now, in mid-call: the emergency path. Must be durable before anything else is done. `person` is "" while
    nobody has been chosen whom the call is about: whoever is on the line cried for themselves, or nobody knows."""

    person: str
    reason: str  # "distress", "double_zero"
    text: str = ""


@dataclass(frozen=True)
class Query:
    """A question to whoever runs the call, not to the person on the line ("is this PIN right?"). Ends a turn like a
    wait: answer it with a Verdict within seconds, prompts go on playing meanwhile. `value`: the digits that were just
    pressed (never logged, and where they are `secret` in no finding), or the recording that was just dictated, if it
    can be played in this call; where the question is `about` a variable, what that holds. A NoInput means that nobody
    could say."""

    name: str
    person: str
    value: str = field(default="", repr=False)
    secret: bool = False


@dataclass(frozen=True)
class HandOver:
    """Once what is queued has been played (and a second 0 would have come): let the person talk to a human being. Ends
    a turn like a wait: answer it with HandedOver, however long that takes. A Started or a NoInput means that nobody
    was there. `number`: which hand-over of the call this is, from 1. `known`: what the call has come to for the person
    so far, one of the flow's results."""

    person: str
    number: int
    known: str = ""


@dataclass(frozen=True)
class Hangup:
    """Hang up after what is queued has been played."""


Output = Say | Listen | Dictate | StopPlaying | Alarm | Query | HandOver | Hangup


@dataclass(frozen=True)
class Person:
    """One elder whom this call asks after. `spoken_name` as the line says it, e.g. "王阿婆". `variables`: the values of
    the flow's variables that are this person's own ("why"); personal."""

    id: str
    spoken_name: str
    language: str = "zh"
    variables: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class CallContext:
    """What a session must know of its call. `variables` are named in the flow ("committee")."""

    people: tuple[Person, ...]
    variables: Mapping[str, str] = field(default_factory=dict)
    consent_recording: bool = True
