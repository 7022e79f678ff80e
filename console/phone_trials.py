"""Trial calls of the browser phone: any flow, with nobody behind it. The care room never hears of them: whom a trial
names keeps their case as it is, and nobody is rung for it. What a flow asks of the program gets a sample answer."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import Protocol
from uuid import uuid4

from callflows.flow import Flow
from callflows.samples import SAMPLES
from ivr.ports import Answers, Callee, CallListener, CallOrder, CallReport, Reception, Switchboard, Told, Unserved

TRIAL = "trial"  # in a person's place, in the order and in what a call has come to
RING_S = 45


class Desk(Answers, Reception, Switchboard, Protocol):
    """Who answers what real calls ask."""


@dataclass(frozen=True)
class Trial:
    """Which flow, and who is called by it: their name as the line says it, their committee's. Personal."""

    flow: str
    name: str = field(default=SAMPLES["name"], repr=False)
    committee: str = SAMPLES["committee"]


class Trials:
    """Satisfies `Desk` before the one that it is given, which hears of real calls only."""

    def __init__(self, desk: Desk, flows: Callable[[str], Flow]) -> None:
        self._desk, self._flows = desk, flows
        self._numbers = map("+8621000{:05d}".format, cycle(range(1, 100_000)))  # no local number begins with 0
        self._expected: dict[str, Trial] = {}  # by the number from which somebody rings in
        self._rang_in: dict[str, CallOrder] = {}
        self._calls: dict[str, Flow] = {}
        self._asked: Counter[tuple[str, str]] = Counter()

    def number(self) -> str:
        """Of a handset that is nobody's telephone."""
        return next(self._numbers)

    def outgoing(self, trial: Trial, number: str, trunk: str) -> CallOrder:
        """To be placed at once; the call rings a handset at `number`."""
        return self._order(str(uuid4()), trial, number, trunk)

    def expect(self, trial: Trial, number: str) -> None:
        """Somebody is about to ring in from `number`, once."""
        self._expected[number] = trial

    def forget(self, number: str) -> None:
        """Nobody rings in from `number` any more."""
        self._expected.pop(number, None)

    def heard_by(self, listener: CallListener) -> CallListener:
        """The listener, deaf to trials."""
        return _Listener(listener, self._calls)

    # ── ivr.ports.Reception, Switchboard, Answers ─────────────────────────────────────────────────

    async def rang_in(self, call_id: str, number: str, key: str | None = None) -> CallOrder | Unserved:
        if call_id in self._rang_in:
            return self._rang_in[call_id]
        trial = self._expected.pop(number, None)
        if trial is None:
            return await self._desk.rang_in(call_id, number, key)
        order = self._rang_in[call_id] = self._order(call_id, trial, number, "")
        return order

    async def whom(self, call_id: str, person_id: str, nth: int, known: str) -> CallOrder | None:
        if call_id in self._calls:
            return None
        return await self._desk.whom(call_id, person_id, nth, known)

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> Told:
        flow = self._calls.get(call_id)
        if flow is None:
            return await self._desk.ask(call_id, query, person_id, value)
        nth = self._asked[call_id, query]
        self._asked[call_id, query] += 1
        return Told(sample_verdict(flow, query, nth), {**samples(flow, alone=True), **samples(flow, alone=False)})

    def _order(self, call_id: str, trial: Trial, number: str, trunk: str) -> CallOrder:
        flow = self._calls[call_id] = self._flows(trial.flow)
        callee = Callee(TRIAL, trial.name, variables=samples(flow, alone=True))
        variables = {**samples(flow, alone=False), "committee": trial.committee}
        return CallOrder(call_id, number, trial.flow, (callee,), variables, RING_S, trunk)


class _Listener:
    def __init__(self, listener: CallListener, trials: Mapping[str, Flow]) -> None:
        self._listener, self._trials = listener, trials

    async def call_reported(self, report: CallReport) -> None:
        if report.id not in self._trials:
            await self._listener.call_reported(report)


def samples(flow: Flow, *, alone: bool) -> dict[str, str]:
    """Values of the flow's texts: a person's own (`alone`), or the call's. Recordings have none. Pure."""
    known = flow.variables.items()
    return {
        name: SAMPLES[name]
        for name, variable in known
        if name in SAMPLES and variable.per_person is alone and not variable.audio
    }


def sample_verdict(flow: Flow, query: str, nth: int) -> str:
    """What the program says when it is asked this the `nth` time (from 0): the steps that ask it take turns, and each
    goes from its first word, mostly the good one, to its last. Pure."""
    lists = verdicts(flow, query)
    if not lists:
        return ""
    words = lists[nth % len(lists)]
    return words[min(nth // len(lists), len(words) - 1)]


def verdicts(flow: Flow, query: str) -> Sequence[tuple[str, ...]]:
    asked = (step.query for step in flow.steps.values() if step.query is not None)
    return list(dict.fromkeys(tuple(one.verdicts) for one in asked if one.name == query))
