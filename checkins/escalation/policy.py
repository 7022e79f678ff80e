"""The escalation policy: whom to ring, in what order, how often, for each urgency. Data: stored as JSON.

Numbers are PRODUCT.md's ("The ladder", "Emergency", principle 5); minutes unless named otherwise, clock times minutes
of the neighbourhood's day. A policy that could let a case sleep, or lose sight of the duty person, is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, ClassVar

from pydantic import ConfigDict

from checkins.escalation import as_json
from checkins.results import Urgency

AWAKE = 10  # an unreached case's next action is at most so near until a named person accepts
FINDING = 30  # and so near until that person has said what they found
CONFIRM = 120  # the line's own call to the elder after "fine, seen in person"
DUTY_BY = 60  # the duty person is rung at the latest so long after the third try
APART = 2  # calls to one responder
SLOW = 120  # what isn't urgent is raised again within this; so near a finding of it is due
SOON_FINDING = 60  # a call may bring up to 20 such cases: who takes them works off one after the other
QUIET = (21 * 60, 8 * 60)


class Who(StrEnum):
    """In which capacity somebody is rung."""

    BUDDY = "buddy"
    DUTY = "duty"
    DEPUTY = "deputy"
    FAMILY = "family"
    STREET = "street"  # the street office's 24-hour number


VOLUNTEERS = frozenset({Who.BUDDY, Who.FAMILY})
STAFF = frozenset({Who.DUTY, Who.DEPUTY, Who.STREET})


@dataclass(frozen=True)
class Step:
    """One rung. Of each role the first `together` people who haven't been tried are rung at once; who was rung `calls`
    times, `spacing` min apart, has been tried. When everybody was, and `every` min have passed, the next round begins,
    after `rounds` of them the next rung. `latest`: so long after the search (or a later pass over all rungs) began
    it starts, whatever goes on."""

    __pydantic_config__: ClassVar[ConfigDict] = as_json.STRICT

    who: tuple[Who, ...]
    calls: int = 1
    spacing: int = 5
    together: int = 1
    rounds: int = 1
    every: int = 10
    latest: int | None = None

    @property
    def several(self) -> bool:
        """Whether more than one person may be rung at the same time."""
        return self.together > 1 or len(self.who) > 1

    def __post_init__(self) -> None:
        if not self.who or len(set(self.who)) < len(self.who):
            raise ValueError("who must name at least one role, each once")
        _within("calls", self.calls, 1, 5)
        _within("spacing", self.spacing, APART, AWAKE)
        _within("together", self.together, 1, 10)
        _within("rounds", self.rounds, 1, 10)
        _within("every", self.every, 0, SLOW)
        _within("latest", self.latest if self.latest is not None else 1, 1, DUTY_BY)
        if self.rounds > 1 and self.every < APART:
            raise ValueError(f"every must be at least {APART} when there are several rounds")


@dataclass(frozen=True)
class Plan:
    """The rungs of one urgency. After the last one the search goes on at `loop`, without end."""

    __pydantic_config__: ClassVar[ConfigDict] = as_json.STRICT

    steps: tuple[Step, ...]
    loop: int = 0
    quiet: tuple[Who, ...] = (Who.BUDDY, Who.FAMILY)  # never rung in quiet hours
    office: tuple[Who, ...] = ()  # rung in working hours only
    finding_within: int = FINDING
    finding_call: int = 25  # who accepted and said nothing is called so long after accepting
    seen: bool = True  # "fine" counts only when seen in person
    confirm_within: int = CONFIRM  # after "fine, seen" the line rings the elder; 0: it doesn't

    def __post_init__(self) -> None:
        if not self.steps:
            raise ValueError("steps must name at least one step")
        _within("loop", self.loop, 0, len(self.steps) - 1)
        _within("finding_within", self.finding_within, 1, SLOW)
        _within("finding_call", self.finding_call, 1, self.finding_within - 1)
        _within("confirm_within", self.confirm_within, 0, CONFIRM)
        if not any(Who.DUTY in step.who for step in self.steps[self.loop :]):
            raise ValueError("steps must come back to duty without end: somebody with a name must take the case")

    @property
    def roles(self) -> tuple[Who, ...]:
        """Everybody it rings."""
        return tuple(dict.fromkeys(who for step in self.steps for who in step.who))

    def first(self, who: Who) -> int:
        """The first rung that rings `who`."""
        return next(index for index, step in enumerate(self.steps) if who in step.who)


@dataclass(frozen=True)
class Hours:
    """When the roles that sleep, or work, may be rung. Quiet hours may be longer than 21:00–08:00, never shorter.
    Working days are the roster's matter; without its word they are Monday to Friday."""

    __pydantic_config__: ClassVar[ConfigDict] = as_json.STRICT

    quiet_from: int = QUIET[0]
    quiet_until: int = QUIET[1]
    office_from: int = 9 * 60
    office_until: int = 17 * 60

    def __post_init__(self) -> None:
        if not QUIET[1] <= self.quiet_until < self.quiet_from <= QUIET[0]:
            raise ValueError("quiet hours must cover 21:00 to 08:00 and leave some of the day")
        if not 0 <= self.office_from < self.office_until <= 24 * 60:
            raise ValueError("office_from must lie before office_until, both within one day")


def _unreached() -> Plan:
    return Plan(
        steps=(
            Step((Who.BUDDY,), calls=2, spacing=5, every=0),
            Step((Who.DUTY,), rounds=3, every=10, latest=DUTY_BY),
            Step((Who.DUTY, Who.DEPUTY, Who.FAMILY), together=3, every=10),
            Step((Who.STREET,), every=10),
        ),
        loop=1,
    )


def _emergency(*also: Who) -> Plan:
    """Everybody at once, every 2 min; who doesn't answer at first gets more around them."""
    first = (Who.DUTY, Who.FAMILY, *also)
    more = (Who.DUTY, Who.DEPUTY, Who.FAMILY, *also, Who.STREET)
    return Plan(
        steps=(
            Step(first, together=3, spacing=2, rounds=2, every=2),
            Step(more, together=3, spacing=2, every=2),
        ),
        loop=1,
        quiet=(),
    )


def _soon() -> Plan:
    """The duty person in working hours. Outside them (weekend, evening) the buddy, while volunteers may be rung."""
    return Plan(
        steps=(
            Step((Who.DUTY,), rounds=3, every=10),
            Step((Who.DEPUTY, Who.BUDDY), calls=2, spacing=5, every=60),
        ),
        office=(Who.DUTY, Who.DEPUTY),
        finding_within=SOON_FINDING,
        finding_call=SOON_FINDING - 10,
        seen=False,
        confirm_within=0,
    )


def _today() -> Plan:
    """As what is soon, but slower: a person rings back the same day, and staff have evenings. So on a day off it is the
    buddy who rings."""
    return Plan(
        steps=(
            Step((Who.DUTY,), rounds=2, every=60),
            Step((Who.DEPUTY, Who.BUDDY), calls=2, spacing=5, every=60),
        ),
        office=(Who.DUTY, Who.DEPUTY),
        finding_within=SLOW,
        finding_call=SLOW - 10,
        seen=False,
        confirm_within=0,
    )


@dataclass(frozen=True)
class Escalation:
    """A neighbourhood's or an elder's whole policy. ValueError names the entry that breaks a promise."""

    __pydantic_config__: ClassVar[ConfigDict] = as_json.STRICT

    unreached: Plan = field(default_factory=_unreached)
    emergency: Plan = field(default_factory=_emergency)
    device: Plan = field(default_factory=lambda: _emergency(Who.BUDDY))  # alarm button, smoke detector
    soon: Plan = field(default_factory=_soon)
    today: Plan = field(default_factory=_today)
    hours: Hours = field(default_factory=Hours)

    def __post_init__(self) -> None:
        for name in ("unreached", "emergency", "device"):
            _never_sleeps(name, getattr(self, name))
        for name in ("unreached", "soon", "today"):
            if VOLUNTEERS - set(getattr(self, name).quiet):
                raise ValueError(f"{name}.quiet: buddy and family are rung in quiet hours in emergencies only")

    def plan(self, urgency: Urgency, *, device: bool = False) -> Plan:
        """`device`: an emergency that an alarm button or a smoke detector raised."""
        plan: Plan = getattr(self, "device" if device and urgency is Urgency.EMERGENCY else urgency)
        return plan

    def to_json(self) -> dict[str, Any]:
        return as_json.dump(self)

    @classmethod
    def from_json(cls, *documents: Mapping[str, Any]) -> Escalation:
        """A later document goes over an earlier one, also inside a plan; what none names takes its default; `steps`
        are given whole. ValueError names the entry that is unknown, of a wrong type, or breaks a promise."""
        whole: dict[str, Any] = cls().to_json()
        if not all(isinstance(document, Mapping) for document in documents):
            raise ValueError("escalation: must be an object of plans")
        for name, given in (pair for document in documents for pair in document.items()):
            both = isinstance(given, Mapping) and name in whole
            whole[name] = {**whole[name], **given} if both else given
        return as_json.load(cls, whole, "escalation")


def _never_sleeps(name: str, plan: Plan) -> None:
    """What holds for unreached elders and emergencies."""
    duty = plan.first(Who.DUTY)
    if duty and plan.steps[duty].latest is None:
        raise ValueError(f"{name}.steps.{duty}.latest: duty must be rung within {DUTY_BY} minutes")
    if plan.office or Who.DUTY in plan.quiet:
        raise ValueError(f"{name}: duty is rung at any hour; office must be empty and quiet must not name duty")
    for index, step in enumerate(plan.steps):
        if step.every > AWAKE:
            raise ValueError(f"{name}.steps.{index}.every: such a case never sleeps longer than {AWAKE} minutes")
    if plan.finding_within > FINDING:
        raise ValueError(f"{name}.finding_within: a finding is due within {FINDING} minutes")
    if not plan.seen:
        raise ValueError(f"{name}.seen: somebody must have seen the elder in person")
    if name == "unreached" and not plan.confirm_within:
        raise ValueError("unreached.confirm_within: the line must ring the elder after three missed tries")


def _within(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{name} must be {least} to {most}, not {value}")
