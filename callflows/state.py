"""Where a conversation stands: a frozen value that survives JSON between any two turns."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

from callflows.events import CallContext, Person
from callflows.findings import Standing


class Phase(StrEnum):
    NEW = "new"
    LISTENING = "listening"
    DICTATING = "dictating"
    ENTERING = "entering"  # digits are being pressed
    ASKING = "asking"  # whoever runs the call is asked something
    HANDING = "handing"  # whoever runs the call finds a human being to talk to
    ENDING = "ending"  # the goodbye is being played
    GONE = "gone"  # nobody is on the line


@dataclass(frozen=True)
class State:
    """`last` is the last key or utterance ("by": key or speech) of the current person, for the record of a result."""

    people: tuple[Standing, ...]
    phase: Phase = Phase.NEW
    step: str = ""
    person: int = 0
    reprompts: int = 0  # said in this step
    repeats: int = 0  # asked for in this step
    stays: int = 0  # "wait a moment" in this step
    visits: Mapping[str, int] = field(default_factory=dict)  # of steps with `at_most`, for this person
    back: str = ""  # the step that an answer of `anytime` left
    lead: str = ""  # the step that was said right before this one's question (a notice): said again with it
    last: Mapping[str, Any] = field(default_factory=dict)
    answered: bool = False  # a key or an answer that was understood: no answering machine
    emergency: bool = False
    speech: bool = True
    key: str = ""
    key_ms: int = 0
    left_dictation: str = ""  # keep_as of a dictation that was broken off; its recording may come late
    left_person: int = 0
    entry: str = ""  # the digits pressed so far in this step: secret ones are here only until the last is pressed
    page: int = 0  # which persons this step offers to choose from
    turns: int = 0  # of pages in this step
    handed: int = 0  # hand-overs of this call so far
    chosen: bool = False  # where persons are chosen: somebody was
    told: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # see callflows.told; personal

    @property
    def standing(self) -> Standing:
        return self.people[self.person]


def to_dict(state: State) -> dict[str, Any]:
    """Plain data: what JSON would give back."""
    data = asdict(state)
    data["people"] = [{**one, "also": list(one["also"])} for one in data["people"]]
    return {**data, "phase": state.phase.value}


def from_dict(data: Mapping[str, Any]) -> State:
    """Raises TypeError, ValueError or KeyError when `data` is not a state."""
    people = tuple(Standing(**{**one, "also": tuple(one["also"])}) for one in data["people"])
    state = State(**{**data, "people": people, "phase": Phase(data["phase"])})
    if not 0 <= state.person < len(people):
        raise ValueError("the session's current person does not exist")
    return state


def context_to_dict(context: CallContext) -> dict[str, Any]:
    return {
        "people": [{**vars(person), "variables": dict(person.variables)} for person in context.people],
        "variables": dict(context.variables),
        "consent_recording": context.consent_recording,
    }


def context_from_dict(data: Mapping[str, Any]) -> CallContext:
    people = tuple(Person(**person) for person in data["people"])
    return CallContext(people, dict(data["variables"]), bool(data["consent_recording"]))
