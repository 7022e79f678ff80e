"""打钩: one choice for each voter on each topic, until it closes. Pure: a log that is only ever added to, and what
counts of it.

Who takes part and what was chosen stand in two logs. `Taken` names the place on the roll (a person, a household, an
owner's unit) and who speaks for it; `Chosen` names a voter by a keyed hash, which says nothing without the ballot's
key. Both may be written again, and in any order, without changing a count.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from checkins.homes import home_of

KEYS = 4  # options of a topic, each behind a key from 1 on
GROUP = 4  # topics that are read out before somebody is asked whether to go on
MOST_TOPICS = 20
_FIGURES = "零一二三四五六七八九"


class Unit(StrEnum):
    """Who has one choice."""

    PERSON = "person"
    HOUSEHOLD = "household"
    OWNER = "owner"  # one for each unit of the owners' roll


class Channel(StrEnum):
    PHONE = "phone"
    PAPER = "paper"  # written down by staff, likewise the next one
    VISIT = "visit"


BY_STAFF = (Channel.PAPER, Channel.VISIT)


class Refusal(StrEnum):
    """Why a choice does not count. Each is logged with its reason."""

    NOT_YET = "not_yet"
    CLOSED = "closed"
    NOT_ON_ROLL = "not_on_roll"
    GONE = "gone"  # they have died, or moved
    NO_PROXY = "no_proxy"  # neither the owner, nor anybody whose written proxy is on file
    OTHER_PERSON = "other_person"  # somebody else speaks for this household or unit
    OTHER_CHANNEL = "other_channel"  # chosen before by telephone, or on paper
    NOT_PROVEN = "not_proven"  # an owner's unit, without the PIN of its letter
    PIN_WRONG = "pin_wrong"
    PIN_LOCKED = "pin_locked"
    NO_SUCH_OPTION = "no_such_option"


@dataclass(frozen=True)
class Taken:
    """`holder` speaks for this place on the roll from now on, in this way."""

    slot: int
    holder: str
    channel: Channel


@dataclass(frozen=True)
class Chosen:
    """The `nth` choice (from 1) of a voter on a topic; the last one counts. `option` from 1."""

    voter: str
    topic: int
    nth: int
    option: int


Record = Taken | Chosen


@dataclass(frozen=True)
class Act:
    """Somebody chooses. `change`: staff have asked them in person, and what was chosen before is not to count. `owner`:
    of an owner's unit, whose letter says on the telephone which unit it is and not who."""

    slot: int
    holder: str
    channel: Channel
    topic: int
    option: int
    change: bool = False
    owner: bool = False


def voter_of(key: str, slot: int) -> str:
    """`key` in hexadecimal. Without it nobody can say which place on the roll a voter is."""
    return hmac.new(bytes.fromhex(key), str(slot).encode(), hashlib.sha256).hexdigest()


def refusal(taken: Taken | None, act: Act) -> Refusal | None:
    """Whether somebody else, or another channel, was first; None: the choice counts, instead of an earlier one of the
    same voter. A number on the telephone proves less than a person before whom staff sit: it replaces nothing."""
    if taken is None or (act.change and act.channel in BY_STAFF):
        return None
    other_way = (taken.channel in BY_STAFF) != (act.channel in BY_STAFF)
    if other_way and act.owner:
        return Refusal.OTHER_CHANNEL
    if taken.holder != act.holder:
        return Refusal.OTHER_PERSON
    return Refusal.OTHER_CHANNEL if other_way else None


def writes(taken: Taken | None, chosen: Iterable[Chosen], act: Act, voter: str) -> list[Record]:
    """What is still to be written for an act that isn't refused: nothing, when all of it stands there. Cut off after
    any of these and asked again, it writes the rest. `chosen`: at least this voter's on this topic."""
    records: list[Record] = []
    mine = Taken(act.slot, act.holder, act.channel)
    if taken != mine:
        records.append(mine)
    last = max((each for each in chosen if each.voter == voter and each.topic == act.topic), key=_nth, default=None)
    if last is None or last.option != act.option:
        records.append(Chosen(voter, act.topic, last.nth + 1 if last else 1, act.option))
    return records


def last_of(chosen: Iterable[Chosen]) -> dict[tuple[str, int], int]:
    """What counts: (voter, topic) → option."""
    return {(each.voter, each.topic): each.option for each in sorted(chosen, key=_nth)}


def counts(chosen: Iterable[Chosen], options: Mapping[int, int]) -> dict[int, list[int]]:
    """Topic → how many chose each option. `options`: how many each topic has. ValueError for what is none of them."""
    found = {topic: [0] * most for topic, most in options.items()}
    for (_, topic), option in last_of(chosen).items():
        if not 1 <= option <= options.get(topic, 0):
            raise ValueError(f"the log has a choice that is none: topic {topic}, option {option}")
        found[topic][option - 1] += 1
    return found


def voters(chosen: Iterable[Chosen]) -> int:
    """How many have chosen on the topic on which the most have: once it is sealed, nothing says who is who on two."""
    found: dict[int, set[str]] = {}
    for each in chosen:
        found.setdefault(each.topic, set()).add(each.voter)
    return max(map(len, found.values()), default=0)


def _nth(each: Chosen) -> int:
    return each.nth


# ── households ────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Neighbour:
    id: str
    address: str
    number: str


def households(neighbours: Sequence[Neighbour]) -> list[list[str]]:
    """Ids of those who live together: in one home (`home_of`), or behind one number. Who has neither is alone."""
    home: dict[str, str] = {}

    def top(mark: str) -> str:
        while home.setdefault(mark, mark) != mark:
            mark = home[mark]
        return mark

    for each in neighbours:
        marks = [f"{kind}:{value}" for kind, value in (("at", home_of(each.address)), ("no", each.number)) if value]
        for mark in marks:
            home[top(mark)] = top(f"id:{each.id}")
    found: dict[str, list[str]] = {}
    for each in neighbours:
        found.setdefault(top(f"id:{each.id}"), []).append(each.id)
    return list(found.values())


# ── what the line says ────────────────────────────────────────────────────────────────────────────


def offered(options: Sequence[str]) -> str:
    """赞成,请按1;反对,请按2。"""
    return ";".join(f"{option},请按{key}" for key, option in enumerate(options, 1)) + "。"


def place_of(nth: int, topics: int) -> str:
    """一共三件,第一件。"""
    first = f"一共{figure(topics, before=True)}件,第一件" if nth == 1 and topics > 1 else f"第{figure(nth)}件"
    return "" if topics == 1 else first + "。"


def told(options: Sequence[str], counted: Sequence[int]) -> str:
    """赞成,一百零二;反对,三。"""
    return ";".join(f"{option},{figure(votes)}" for option, votes in zip(options, counted, strict=True)) + "。"


def figure(number: int, *, before: bool = False) -> str:
    """0 … 99999 in Chinese. `before` a measure word 2 is 两."""
    if number == 2 and before:
        return "两"
    if number >= 10_000:
        high, rest = divmod(number, 10_000)
        return figure(high) + "万" + (("零" if rest < 1000 else "") + figure(rest) if rest else "")
    said, zero = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            said += ("零" if zero and said else "") + _FIGURES[digit] + name
        zero = not digit
    return said.removeprefix("一") if said.startswith("一十") else said or _FIGURES[0]
