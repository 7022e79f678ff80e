"""Policies as they are written down in layers, one part at a time, before anybody has saved them. Pure but for reading
rows. A part is `calls` (the policy of calls), one plan of the escalation policy, or its `hours`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from checkins.escalation.policy import Escalation
from checkins.policy import MOVED, Policy
from checkins.tables import Neighbourhood, Person

CALLS = "calls"
PARTS = (CALLS, *(each.name for each in fields(Escalation)))

Entries = Mapping[str, Any]


@dataclass(frozen=True)
class Written:
    """What differs, as it is written down for a neighbourhood or for an elder."""

    policy: Entries = field(default_factory=dict)
    escalation: Entries = field(default_factory=dict)

    def part(self, part: str) -> Entries:
        found = self.policy if part == CALLS else self.escalation.get(part)
        return found if isinstance(found, Mapping) else {}


def written(whose: Neighbourhood | Person) -> Written:
    return Written(_entries(whose.policy), _entries(whose.escalation))


def _entries(document: object) -> Entries:
    return document if isinstance(document, Mapping) else {}


def hold(*layers: Written) -> tuple[Policy, Escalation]:
    """What holds, later layers over earlier ones. ValueError names the entry that can't be."""
    policy = Policy.from_json(*(layer.policy for layer in layers))
    return policy, Escalation.from_json(*(layer.escalation for layer in layers))


def entries_of(holds: tuple[Policy, Escalation], part: str) -> Entries:
    policy, escalation = holds
    entries: Entries = policy.to_json() if part == CALLS else escalation.to_json()[part]
    return entries


def with_part(own: Written, part: str, entries: Entries, below: tuple[Policy, Escalation]) -> Written:
    """`own` with these entries for a part; what is the same as `below` isn't written down, and follows it."""
    given = {**own.part(part), **entries}
    base = entries_of(below, part)
    differs = {name: entry for name, entry in given.items() if name not in base or entry != base[name]}
    return _put(own, part, {name: entry for name, entry in differs.items() if not (part == CALLS and name in MOVED)})


def without_part(own: Written, part: str) -> Written:
    return _put(own, part, {})


def _put(own: Written, part: str, entries: Entries) -> Written:
    if part == CALLS:
        return Written(entries, own.escalation)
    others = {name: plan for name, plan in own.escalation.items() if name != part}
    return Written(own.policy, {**others, part: entries} if entries else others)


def stamp(place: Neighbourhood, elder: Person | None = None) -> str:
    """Changes whenever something of it does: a page that was made from another one is old."""
    layers = [place.policy, place.escalation, place.plan_from, place.plan_until]
    layers += [elder.policy, elder.escalation] if elder else []
    return hashlib.sha256(json.dumps(layers, sort_keys=True).encode()).hexdigest()[:16]


def changed(before: object, after: object) -> dict[str, list[Any]]:
    """Entry → what it was and what it is, None where nothing was written: "unreached.steps", "try_after"."""
    old, new = dict(_flat(before)), dict(_flat(after))
    names = [*old, *(name for name in new if name not in old)]
    return {name: [old.get(name), new.get(name)] for name in names if old.get(name) != new.get(name)}


def _flat(document: object) -> list[tuple[str, Any]]:
    found: list[tuple[str, Any]] = []
    for name, entry in _entries(document).items():
        inner = entry.items() if isinstance(entry, Mapping) else ()
        found += [(f"{name}.{each}", value) for each, value in inner] if inner else [(name, entry)]
    return found
