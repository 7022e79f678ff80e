"""The demo's scenario: who lives in the neighbourhood, how each telephone behaves, what must come of the round.

`load(seed)` reads demo/scenario.yaml and makes every choice in it by the seed: the same seed gives the same morning,
another seed other voices, wordings, noise, slots. What is expected of an elder never depends on the seed.

An elder's entry: `name`, `spoken` (as the line says it), `number` or `shares` (the name of the elder who has the
telephone), `mode`, `state` and `source`, `speaker` (f or m: who speaks, when it isn't the elder), `early` (asked
first: takes several tries, or long), the keys of ivr.virtual.elder, `manners` (names of sets of reactions,
later ones win), `buddies` and `family` (names, in order), and `expect`.

Staff, buddies and family (`name`, `spoken`, `number`) have telephones like the elders'. `roster` says who is on duty,
who is deputy, and who sits at the console and takes there the cases that they must close, once `ladder` was said.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import yaml

from checkins.phones import NumberError, to_e164
from checkins.results import Reason, Result, Status
from checkins.schedule import read_minute
from checkins.tables import Mode, Role, State
from ivr.virtual.behaviour import Clips, ElderDirectory
from ivr.virtual.elder import ElderScript, ScriptError

FILE = Path(__file__).with_name("scenario.yaml")
CLIPS_FILE = Path(__file__).with_name("clips.yaml")
DEFAULT_SEED = 1
NO_CASE = "none"
_EVIDENCE = frozenset({"key", "speech", "none"})
# Good news counts only with evidence; other results may come without.
_GOOD = frozenset({Result.WELL, Result.OTHER_SAYS_WELL})
_TELEPHONE = ("phone", "rings", "greeting", "amd", "noise", "echo", "calls")
_ELDER_KEYS = {
    *_TELEPHONE,
    *("name", "spoken", "number", "shares", "mode", "state", "source", "speaker", "early", "manners", "reactions"),
    *("buddies", "family", "expect"),
}
_HELPER_KEYS = {*_TELEPHONE, "name", "spoken", "number", "manners", "reactions"}
_HELPERS = {"staff": Role.STAFF, "buddies": Role.BUDDY, "family": Role.FAMILY}
_CHOICES = frozenset({"say", "press", "greeting", "snr_db", "rings", "after_s", "into_next_s"})


@dataclass(frozen=True)
class Expected:
    """What must come of the round for one elder. `status` None: no case at all. `keeps` names entries that the case's
    answer must hold. `calls`: how often the elder was rung. `by`: the name that closed the case. `ladder`: what the
    people who were rung for it said, in order ("邵师傅 accepted")."""

    status: Status | None
    result: Result | None = None
    reason: Reason | None = None
    evidence: frozenset[str] = _EVIDENCE
    calls: int = 1
    keeps: tuple[str, ...] = ()
    by: str | None = None
    ladder: tuple[str, ...] = ()


@dataclass(frozen=True)
class Elder:
    """One line of the register, and what is expected. `slot`: minute of the day."""

    name: str
    spoken_name: str
    number: str
    slot: int
    expected: Expected
    mode: Mode = Mode.KEYS
    state: State = State.ACTIVE
    state_source: str = ""
    buddies: tuple[str, ...] = ()  # names, in the order in which they are rung
    family: tuple[str, ...] = ()


@dataclass(frozen=True)
class Helper:
    """A buddy, somebody of the staff, or of an elder's family."""

    role: Role
    name: str
    spoken_name: str
    number: str


@dataclass(frozen=True)
class Roster:
    """Names. `duty`: whose turn it is, and who follows. `desk`: who sits at the console."""

    duty: tuple[str, ...] = ()
    deputy: str | None = None
    desk: str = ""


@dataclass(frozen=True)
class Scenario:
    """One morning, all choices made. `scripts`: one per telephone, for the virtual carrier."""

    seed: int
    name: str
    committee: str
    notice: str
    elders: tuple[Elder, ...]
    helpers: tuple[Helper, ...]
    scripts: tuple[ElderScript, ...]
    roster: Roster = Roster()

    def directory(self, clips: Clips) -> ElderDirectory:
        """The telephones of the neighbourhood; `clips` gives the voices (demo.clips.load)."""
        return ElderDirectory(self.scripts, clips)

    def spoken_texts(self) -> tuple[str, ...]:
        """What the line will say and no prompt pack can know: names, the committee, today's notice."""
        people: list[Elder | Helper] = [*self.elders, *self.helpers]
        return (self.committee, self.notice, *dict.fromkeys(person.spoken_name for person in people))


def load(seed: int = DEFAULT_SEED, file: Path = FILE) -> Scenario:
    """The scenario as `seed` makes it. ScriptError names file and place of the first mistake."""
    data = _read(file)
    return _Reader(seed, data, file.name).scenario()


def clip_texts(file: Path = CLIPS_FILE) -> Mapping[str, str]:
    """Key → what is said."""
    clips: dict[str, str] = _read(file)["clips"]
    return clips


def clip_voices(file: Path = CLIPS_FILE) -> tuple[str, ...]:
    return tuple(_read(file)["voices"])


@cache
def _read(file: Path) -> dict[str, Any]:
    try:
        data = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise ScriptError(f"{file}: {error}") from error
    if not isinstance(data, dict):
        raise ScriptError(f"{file}: must be a mapping")
    return data


class _Reader:
    """Makes a Scenario of the file's mapping. `where` leads every complaint."""

    def __init__(self, seed: int, data: Mapping[str, Any], where: str) -> None:
        self._seed, self._data, self._where = seed, data, where
        self._texts = clip_texts()

    def scenario(self) -> Scenario:
        people: Sequence[Mapping[str, Any]] = self._data["elders"]
        slots = self._slots(people)
        elders = tuple(self._elder(entry, people, slots) for entry in people)
        telephones = [*people, *(entry for key in _HELPERS for entry in self._data[key])]
        return Scenario(
            seed=self._seed,
            name=self._data["name"],
            committee=self._data["committee"],
            notice=self._data["notice"],
            elders=elders,
            helpers=tuple(helper for key, role in _HELPERS.items() for helper in self._helpers(key, role)),
            scripts=tuple(self._script(entry) for entry in telephones if "number" in entry),
            roster=self._roster(),
        )

    # ── register ──────────────────────────────────────────────────────────────────────────────────

    def _slots(self, people: Sequence[Mapping[str, Any]]) -> Mapping[str, int]:
        """Name → slot, of those who have a telephone. Whoever needs several tries is asked first, so that their retries
        meet the later waves; the seed deals out the others."""
        waves = [read_minute(text) for text, calls in self._data["waves"].items() for _ in range(calls)]
        called = [entry["name"] for entry in people if "number" in entry]
        early = [entry["name"] for entry in people if entry.get("early")]
        others = [name for name in called if name not in early]
        self._random("order").shuffle(others)
        if len(waves) < len(called):
            raise ScriptError(f"{self._where}: waves: {len(waves)} calls are too few for {len(called)} telephones")
        return dict(zip(early + others, waves, strict=False))

    def _elder(self, entry: Mapping[str, Any], people: Sequence[Mapping[str, Any]], slots: Mapping[str, int]) -> Elder:
        place = self._place(entry)
        unknown = sorted(set(entry) - _ELDER_KEYS)
        if unknown:
            raise ScriptError(f"{place}: unknown {', '.join(unknown)}")
        owner = next((one for one in people if one["name"] == entry.get("shares", entry["name"])), None)
        if owner is None or "number" not in owner:
            raise ScriptError(f"{place}: needs a number, or `shares` with the name of an elder who has one")
        expected = _expected(entry.get("expect"), place)
        self._known([expected.by] if expected.by else [], f"{place}.expect.by")
        return Elder(
            name=entry["name"],
            spoken_name=entry["spoken"],
            number=_number(owner["number"], place),
            slot=slots[owner["name"]],
            expected=expected,
            mode=Mode(entry.get("mode", Mode.KEYS)),
            state=State(entry.get("state", State.ACTIVE)),
            state_source=entry.get("source", ""),
            buddies=self._known(entry.get("buddies", ()), f"{place}.buddies"),
            family=self._known(entry.get("family", ()), f"{place}.family"),
        )

    def _roster(self) -> Roster:
        place, entry = f"{self._where}: roster", self._data["roster"]
        duty, deputy, desk = self._known(entry["duty"], f"{place}.duty"), entry.get("deputy"), entry.get("desk", "")
        self._known([name for name in (deputy, desk) if name], place)
        return Roster(duty, deputy, desk)

    def _known(self, names: Sequence[str], place: str) -> tuple[str, ...]:
        """Names of people who are rung for others."""
        known = {entry["name"] for key in _HELPERS for entry in self._data[key]}
        if missing := sorted(set(names) - known):
            raise ScriptError(f"{place}: nobody is called {', '.join(missing)}")
        return tuple(names)

    def _helpers(self, key: str, role: Role) -> Iterator[Helper]:
        for entry in self._data[key]:
            if unknown := sorted(set(entry) - _HELPER_KEYS):
                raise ScriptError(f"{self._where}: {key}: {entry['name']}: unknown {', '.join(unknown)}")
            number = _number(entry["number"], f"{self._where}: {key}: {entry['name']}")
            yield Helper(role, entry["name"], entry["spoken"], number)

    # ── telephones ────────────────────────────────────────────────────────────────────────────────

    def _script(self, entry: Mapping[str, Any]) -> ElderScript:
        place = self._place(entry)
        choose = _Chooser(self._random(entry["name"]), self._voice(entry))
        told = choose({"rings": [1, 2, 3], **{key: entry[key] for key in _TELEPHONE if key in entry}})
        if "noise" in told:
            told["noise"]["seed"] = choose.number()
        told["reactions"] = choose(self._reactions(entry))
        told["number"] = _number(entry["number"], place)
        return ElderScript.from_mapping(told, where=place, clip_exists=self._clip_exists)

    def _reactions(self, entry: Mapping[str, Any]) -> dict[str, Any]:
        reactions: dict[str, Any] = {}
        for manner in entry.get("manners", ()):
            if manner not in self._data["manners"]:
                raise ScriptError(f"{self._place(entry)}.manners: no manner {manner!r}")
            reactions.update(self._data["manners"][manner])
        reactions.update(entry.get("reactions", {}))
        return reactions

    def _voice(self, entry: Mapping[str, Any]) -> str:
        """A voice that fits who speaks; women are called 阿婆."""
        speaker = entry.get("speaker") or ("f" if entry["spoken"].endswith("婆") else "m")
        fitting = [voice for voice in clip_voices() if voice[1] == speaker]
        return self._random(entry["name"], "voice").choice(fitting)

    def _random(self, *what: str) -> Random:
        """Chance of its own for each thing, so that a change to one elder doesn't change the others."""
        return Random("/".join((str(self._seed), *what)))  # noqa: S311 (a play must be repeatable, not secret)

    def _clip_exists(self, name: str) -> bool:
        return name.partition("/")[2] in self._texts

    def _place(self, entry: Mapping[str, Any]) -> str:
        return f"{self._where}: {entry.get('name', 'an elder without a name')}"


class _Chooser:
    """Copies a mapping with every choice made and every clip given its voice."""

    def __init__(self, rng: Random, voice: str) -> None:
        self._rng, self._voice = rng, voice

    def __call__(self, value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: self.one(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self(item) for item in value]
        return value

    def one(self, key: str, value: Any) -> Any:
        if key in _CHOICES and isinstance(value, list):
            value = self._rng.choice(value)
        if key in ("say", "greeting"):
            return f"{self._voice}/{value}"
        return self(value)

    def number(self) -> int:
        return self._rng.randrange(1_000_000)


def _number(text: str, place: str) -> str:
    try:
        return to_e164(text)
    except NumberError as error:
        raise ScriptError(f"{place}.number: {error}") from None


def _expected(data: Any, place: str) -> Expected:
    """Raises ScriptError for a missing or unknown word: an expectation must never be empty by mistake."""
    if not isinstance(data, Mapping) or "status" not in data:
        raise ScriptError(f"{place}.expect: needs a status")
    unknown = sorted(set(data) - {"status", "result", "reason", "evidence", "calls", "keeps", "by", "ladder"})
    if unknown:
        raise ScriptError(f"{place}.expect: unknown {', '.join(unknown)}")
    try:
        status = None if data["status"] == NO_CASE else Status(data["status"])
        result = Result(data["result"]) if "result" in data else None
        reason = Reason(data["reason"]) if "reason" in data else None
    except ValueError as error:
        raise ScriptError(f"{place}.expect: {error}") from None
    if status is Status.NEEDS_PERSON and reason is None:
        raise ScriptError(f"{place}.expect: why a person is needed must be said (reason)")
    usual = _EVIDENCE - {"none"} if result in _GOOD else _EVIDENCE
    evidence = frozenset(data.get("evidence", usual))
    keeps, ladder = tuple(data.get("keeps", ())), tuple(data.get("ladder", ()))
    return Expected(status, result, reason, evidence, data.get("calls", 1), keeps, data.get("by"), ladder)
