"""The script of a virtual elder: how the phone behaves and what is done after each prompt. Values and their loader.

A script as YAML (`ElderScript.from_mapping` takes one such mapping):

    number: "+862155500001"
    phone: answers            # answers, machine, no_answer, busy, line_error, unassigned, bad_number
    rings: 2                  # picks up (or the machine does) after so many rings of 5 s
    greeting: zm_yunxi/lmsg   # an answering machine's announcement, followed by its beep
    amd: human                # what answering-machine detection says; default: what fits the phone
    noise: {snr_db: 10, seed: 3, bed: babble}   # `bed` names a clip; without it: seeded noise
    echo: {db: 20, delay_ms: 80}                # the line's own prompt comes back
    reactions:
      answered: {say: zm_yunxi/wei, after_s: 0.4}
      greet.ask: {press: "1"}                          # the same every time
      health.ask:                                      # a list: the n-th time, the last repeats
        - {say: zm_yunxi/unclear}
        - {say: zm_yunxi/well, after_s: 0.8, then: {press: "1"}}
      "notice.*": {into_next_s: 1.0, say: zm_yunxi/help}   # speaks while the next prompt plays
      default: {silence: true}
    calls:                    # optional: what differs by the n-th call, the last repeats
      - {phone: busy}
      - {phone: answers}

A reaction begins `after_s` after the prompt named by the key has been heard to its end; with `into_next_s`, once that
much sound of whatever is played next has been heard (barge-in). A key may be a pattern (`*`, `?`); the exact name wins,
then patterns in the order written, then `default`, else nothing happens.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any

from .phone import Echo, PhoneKind

DEFAULT_THINKING_S = 0.5
ANSWERED = "answered"  # the pseudo-prompt of picking up
_ACTIONS = ("say", "press", "silence", "hang_up")
_REACTION_KEYS = {*_ACTIONS, "after_s", "into_next_s", "then"}
_CALL_KEYS = {"phone", "rings", "greeting", "amd", "noise", "echo", "reactions"}


class ScriptError(ValueError):
    """A script is wrong; the message names the place."""


@dataclass(frozen=True)
class Reaction:
    """One deed and what follows it. Exactly one of say, press, silence, hang_up."""

    say: str = ""  # name of a clip
    press: str = ""  # keys, 0-9 * #
    hang_up: bool = False
    after_s: float = DEFAULT_THINKING_S
    into_next_s: float | None = None
    then: Reaction | None = None


@dataclass(frozen=True)
class Noise:
    snr_db: float
    seed: int = 0
    bed: str = ""


@dataclass(frozen=True)
class CallScript:
    """What happens when the number is called once."""

    phone: PhoneKind = PhoneKind.ANSWERS
    rings: int = 2
    greeting: str = ""
    amd: str = ""
    noise: Noise | None = None
    echo: Echo | None = None
    reactions: Mapping[str, tuple[Reaction, ...]] = field(default_factory=dict)

    def reaction(self, prompt: str, nth: int) -> Reaction | None:
        """What is done the `nth` time (from 0) that `prompt` has been heard."""
        patterns = (p for p in self.reactions if p not in (ANSWERED, "default"))
        matching = (p for p in patterns if prompt != ANSWERED and fnmatchcase(prompt, p))
        for name in (prompt, *matching, *(() if prompt == ANSWERED else ("default",))):
            if name in self.reactions:
                known = self.reactions[name]
                return known[min(nth, len(known) - 1)]
        return None


@dataclass(frozen=True)
class ElderScript:
    """One number's subscriber over several calls."""

    number: str  # personal
    calls: tuple[CallScript, ...]

    def call(self, nth: int) -> CallScript:
        """The script of the `nth` call (from 0) to this number; the last one repeats."""
        return self.calls[min(nth, len(self.calls) - 1)]

    @classmethod
    def from_mapping(
        cls, data: Mapping[str, Any], *, where: str = "elder", clip_exists: Callable[[str], bool] | None = None
    ) -> ElderScript:
        """Reads one elder. ScriptError names the place, e.g. `elder.reactions.health.ask[1].say: no clip "x"`.

        `clip_exists` checks clip names at once; without it they are checked when a call begins.
        """
        reader = _Reader(clip_exists or (lambda name: True))
        reader.only(data, _CALL_KEYS | {"number", "calls"}, where)
        number = data.get("number")
        if not isinstance(number, str) or not number.startswith("+"):
            raise ScriptError(f'{where}.number: must be a quoted number in the form "+8621…"')
        base = reader.call({k: v for k, v in data.items() if k in _CALL_KEYS}, where, CallScript())
        calls = reader.sequence(data.get("calls", [{}]), f"{where}.calls")
        return cls(number, tuple(reader.call(each, f"{where}.calls[{i}]", base) for i, each in enumerate(calls)))


class _Reader:
    """Turns mappings into values; every complaint names its place."""

    def __init__(self, clip_exists: Callable[[str], bool]) -> None:
        self._clip_exists = clip_exists

    def only(self, data: object, allowed: set[str], where: str) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            raise ScriptError(f"{where}: must be a mapping, not {type(data).__name__}")
        unknown = [str(key) for key in data if key not in allowed]
        if unknown:
            raise ScriptError(f"{where}: unknown {', '.join(unknown)} (known: {', '.join(sorted(allowed))})")
        return data

    def sequence(self, data: object, where: str) -> Sequence[Any]:
        if not isinstance(data, list) or not data:
            raise ScriptError(f"{where}: must be a list with at least one entry")
        return data

    def call(self, data: object, where: str, base: CallScript) -> CallScript:
        found = self.only(data, _CALL_KEYS, where)
        changes: dict[str, Any] = {}
        for key, value in found.items():
            changes[key] = getattr(self, f"_{key}")(value, f"{where}.{key}")
        if "reactions" in changes:
            changes["reactions"] = {**base.reactions, **changes["reactions"]}
        return replace(base, **changes)

    def _phone(self, value: object, where: str) -> PhoneKind:
        try:
            return PhoneKind(str(value))
        except ValueError:
            raise ScriptError(f"{where}: {value!r} is none of {', '.join(PhoneKind)}") from None

    def _rings(self, value: object, where: str) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise ScriptError(f"{where}: must be a whole number from 0 on, not {value!r}")
        return value

    def _greeting(self, value: object, where: str) -> str:
        return self._clip(value, where)

    def _amd(self, value: object, where: str) -> str:
        known = ("human", "fax", "unknown", "machine_start")
        if value not in known:
            raise ScriptError(f"{where}: {value!r} is none of {', '.join(known)}")
        return str(value)

    def _noise(self, value: object, where: str) -> Noise:
        found = self.only(value, {"snr_db", "seed", "bed"}, where)
        bed = self._clip(found["bed"], f"{where}.bed") if "bed" in found else ""
        return Noise(self._number(found.get("snr_db"), f"{where}.snr_db"), int(found.get("seed", 0)), bed)

    def _echo(self, value: object, where: str) -> Echo:
        found = self.only(value, {"db", "delay_ms"}, where)
        delay = self._number(found.get("delay_ms", 80), f"{where}.delay_ms")
        return Echo(self._number(found.get("db"), f"{where}.db"), int(delay))

    def _reactions(self, value: object, where: str) -> dict[str, tuple[Reaction, ...]]:
        if not isinstance(value, Mapping):
            raise ScriptError(f"{where}: must be a mapping from prompts to reactions")
        found = {}
        for prompt, told in value.items():
            place = f"{where}.{prompt}"
            if isinstance(told, list):
                items = enumerate(self.sequence(told, place))
                found[str(prompt)] = tuple(self.reaction(item, f"{place}[{i}]") for i, item in items)
            else:
                found[str(prompt)] = (self.reaction(told, place),)
        return found

    def reaction(self, value: object, where: str) -> Reaction:
        found = self.only(value, _REACTION_KEYS, where)
        if sum(key in found for key in _ACTIONS) != 1:
            raise ScriptError(f"{where}: needs exactly one of {', '.join(_ACTIONS)}")
        into = found.get("into_next_s")
        return Reaction(
            say=self._clip(found["say"], f"{where}.say") if "say" in found else "",
            press=self._keys(found["press"], f"{where}.press") if "press" in found else "",
            hang_up=bool(found.get("hang_up", False)),
            after_s=self._number(found.get("after_s", DEFAULT_THINKING_S), f"{where}.after_s"),
            into_next_s=None if into is None else self._number(into, f"{where}.into_next_s"),
            then=self.reaction(found["then"], f"{where}.then") if "then" in found else None,
        )

    def _clip(self, value: object, where: str) -> str:
        if not isinstance(value, str) or not self._clip_exists(value):
            raise ScriptError(f'{where}: no clip "{value}"')
        return value

    def _keys(self, value: object, where: str) -> str:
        if not isinstance(value, str) or not value or set(value) - set("0123456789*#"):
            raise ScriptError(f"{where}: keys are a quoted text of 0-9, * and #, not {value!r}")
        return value

    def _number(self, value: object, where: str) -> float:
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise ScriptError(f"{where}: must be a number from 0 on, not {value!r}")
        return float(value)
