"""A loaded flow as frozen values: flow → step → {prompts, wait, exits}. No behaviour beyond looking things up.

`loader.load` makes them from YAML and refuses what is not sound, so the session may rely on every name here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from callflows.findings import STRENGTH

# Targets that are no step.
REPEAT = "repeat"  # say this step's prompt again
STAY = "stay"  # say nothing, go on listening
AGAIN = "again"  # counts as not understood: the next, simpler reprompt
BACK = "back"  # to the step that was left by an answer of "anytime"
DONE = "done"  # this person's part is over: the next person, or hang up
END_CALL = "end_call"

NAME = "name"  # the built-in variable: the person who is asked after
KEY = "key"  # in the sentence with which a `pick` offers one person: the key that chooses them
# Built-in conditions of `only_if`; every other condition is a variable that is set.
RECORDING = "recording"  # the person agreed to being recorded
SPEECH = "speech"  # speech may be used and can be understood
LAST_PERSON = "last_person"  # nobody else is to be asked in this call
CONDITIONS = (RECORDING, SPEECH, LAST_PERSON)


@dataclass(frozen=True)
class Piece:
    """A stretch of fixed text, or the name of a variable."""

    text: str
    variable: bool = False


@dataclass(frozen=True)
class Prompt:
    """One sentence to say, per language. `name` is its mark."""

    name: str
    texts: Mapping[str, tuple[Piece, ...]]


class Place(NamedTuple):
    """Where something stands, for errors."""

    file: str = ""
    line: int = 0


NOWHERE = Place()


@dataclass(frozen=True)
class Exit:
    """Where to go, and what that means for the person. `result` None changes nothing. `everyone`: the result holds for
    all persons of the call."""

    go: str
    result: str | None = None
    everyone: bool = False
    place: Place = field(default=NOWHERE, compare=False)  # for errors


@dataclass(frozen=True)
class Choice:
    """One answer: by `key`, by any of `phrases`, or both. `unsure` is where an uncertain spoken answer leads
    (None: the same way). `forget`: what was known of the person was a mistake. `unsaid`: no prompt names the key."""

    meaning: str
    key: str | None
    phrases: tuple[str, ...]
    exit: Exit
    unsure: str | None = None
    forget: bool = False
    unsaid: bool = False
    place: Place = field(default=NOWHERE, compare=False)


@dataclass(frozen=True)
class Dictation:
    """Free speech to record. `keep_as` names what it is: "message" → detail `message_recording`, `message_text`."""

    keep_as: str
    max_s: float


@dataclass(frozen=True)
class Entry:
    """From `least` to `most` digits to press, kept as detail `keep_as`; secret ones only go into the next step's
    query."""

    keep_as: str
    least: int
    most: int
    secret: bool = False


@dataclass(frozen=True)
class Pick:
    """The caller chooses whom to speak of, among the persons of whom nothing is known yet. `each[n]` offers the person
    behind key n + 1; `more`, behind the last key, the next ones when they don't fit. `none`: nobody is left."""

    each: tuple[Prompt, ...]
    more: Prompt
    go: Exit
    none: Exit


@dataclass(frozen=True)
class Query:
    """Whoever runs the call is asked `name`; each word that they may answer leads on, `none` when nobody answers.
    `about`: a variable; the question is about what it holds, and hands that over."""

    name: str
    verdicts: Mapping[str, Exit]
    none: Exit
    about: str | None = None


@dataclass(frozen=True)
class Bridge:
    """Whoever runs the call is to let the person talk to a human being. `accepted`: they have talked, and the other
    side is gone; `nobody`: nobody would or could."""

    accepted: Exit
    nobody: Exit


@dataclass(frozen=True)
class Step:
    """One thing the line says, and what may follow. It waits (listens, takes a dictation or digits, asks whoever runs
    the call, hands it over) or just goes on."""

    name: str
    place: Place
    prompts: tuple[Prompt, ...]  # the prompt, then its reprompts, each simpler
    choices: tuple[Choice, ...] = ()
    anytime: tuple[str, ...] = ()  # meanings of the flow's `anytime` answers that are offered here
    any_key: Exit | None = None
    any_speech: Exit | None = None
    seconds: float = 8.0
    dictation: Dictation | None = None
    entry: Entry | None = None
    pick: Pick | None = None
    query: Query | None = None
    bridge: Bridge | None = None
    go: Exit | None = None
    no_input: Exit | None = None
    no_match: Exit | None = None
    hang_up: Exit | None = None
    only_if: str | None = None
    otherwise: Exit | None = None
    at_most: int | None = None
    too_often: Exit | None = None

    @property
    def node(self) -> str:
        """The name that logs show: "health" for health.ask, "health.confirm" for health.confirm."""
        return node_of(self.name)

    @property
    def listens(self) -> bool:
        return self.no_input is not None and self.dictation is None and self.entry is None

    @property
    def said(self) -> tuple[Prompt, ...]:
        """All it may say."""
        return self.prompts if self.pick is None else (*self.prompts, *self.pick.each, self.pick.more)


@dataclass(frozen=True)
class Variable:
    """`default` None: may be missing, so steps that say it need `only_if`. `usual`: values that are rendered ahead.
    `per_person`: each person of the call has a value of their own. `audio`: the value is the path of a stored
    recording, which is played. `secret`: nobody but them may know it; what was told of it is forgotten with the call's
    end."""

    about: str
    default: str | None = None
    usual: tuple[str, ...] = ()
    per_person: bool = False
    personal: bool = False
    audio: bool = False
    secret: bool = False


@dataclass(frozen=True)
class Flow:
    """A checked flow. `moments`: what can happen at any time → step. `results`: the words for what a call came to, the
    weakest first."""

    name: str
    version: int
    file: str
    languages: tuple[str, ...]
    start: str
    variables: Mapping[str, Variable]
    acknowledge: Prompt
    moments: Mapping[str, str]
    anytime: tuple[Choice, ...]
    steps: Mapping[str, Step]
    distress: tuple[str, ...] = field(default=())
    results: tuple[str, ...] = STRENGTH
    goodbye: tuple[Choice, ...] = ()  # what still counts, spoken, while the goodbye is being played

    def sentences(self, language: str) -> tuple[str, ...]:
        """Every fixed text that a Part of this flow can carry in `language`, once each, in the flow's order."""
        prompts = [self.acknowledge, *(prompt for step in self.steps.values() for prompt in step.said)]
        pieces = (piece for prompt in prompts for piece in prompt.texts.get(language, ()) if not piece.variable)
        values = (value for one in self.variables.values() for value in (one.default, *one.usual) if value)
        return tuple(dict.fromkeys([*(piece.text for piece in pieces), *values]))

    def waits(self) -> tuple[tuple[str, ...], ...]:
        """What may be said in each wait, but phrases with a name in them: the same in every call."""
        offers = [*(self.offered(step) for step in self.steps.values()), self.goodbye]
        said = ([phrase for choice in choices for phrase in choice.phrases] for choices in offers)
        return tuple(tuple(phrase for phrase in phrases if f"{{{NAME}}}" not in phrase) for phrases in said)

    @property
    def recorded(self) -> frozenset[str]:
        """The variables whose values are recordings."""
        return frozenset(name for name, variable in self.variables.items() if variable.audio)

    @cached_property
    def tells_secrets(self) -> frozenset[str]:
        """The marks of prompts that say what nobody else may know."""
        secret = {name for name, variable in self.variables.items() if variable.secret}
        prompts = (prompt for step in self.steps.values() for prompt in step.said)
        return frozenset(prompt.name for prompt in prompts if not secret.isdisjoint(_variables(prompt)))

    @property
    def optional(self) -> frozenset[str]:
        """The variables whose values are text, and without which the flow goes another way: each step that says one is
        said only if there is one."""
        asked = {name for name, known in self.variables.items() if not known.audio and known.default is None}
        for step in self.steps.values():
            pieces = (piece for prompt in step.said for text in prompt.texts.values() for piece in text)
            asked -= {piece.text for piece in pieces if piece.variable and piece.text != step.only_if}
        return frozenset(asked & {step.only_if for step in self.steps.values()})

    @property
    def picks(self) -> bool:
        """Whether the person whom the call is about is chosen in it."""
        return any(step.pick is not None for step in self.steps.values())

    def offered(self, step: Step) -> tuple[Choice, ...]:
        """The step's own answers first, then those of `anytime` that it offers."""
        return step.choices + tuple(choice for choice in self.anytime if choice.meaning in step.anytime)


def _variables(prompt: Prompt) -> Iterator[str]:
    return (piece.text for text in prompt.texts.values() for piece in text if piece.variable)


def node_of(step: str) -> str:
    return step.removesuffix(".ask")
