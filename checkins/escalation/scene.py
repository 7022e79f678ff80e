"""Who may be rung for a search right now: the search, the roster as it is at this moment, who is on a call. Pure.

What holds for every call to a responder: never while they are on another one, never within 2 min of the last, never
in the hours in which their role sleeps. A call whose end nobody told holds its place for 2 min, for the step's
spacing while they are still on the line. Somebody who talks to others is waited for as long, then passed over; a round
that has rung nobody for that reason is not repeated, the next rung begins.

A stamp that lies more than 10 min ahead of the clock was made by a clock that ran fast: it counts as long ago, so
that a clock set right doesn't stop a search. (That no call starts until somebody has looked is the cycle's matter.)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property

from checkins.escalation.hours import awake_from, office_from
from checkins.escalation.policy import APART, AWAKE, FINDING, Step, Who
from checkins.escalation.values import Called, Phase, Reply, Responder, Responders, Search, Wait
from checkins.results import Urgency

LINE_ERRORS = 3  # so many failures of the line in one round: as if they had been tried
POLL = timedelta(minutes=1)  # how soon somebody on another call is looked for again
POLL_URGENT = timedelta(seconds=10)  # the same, in an emergency
TELL_WITHIN = timedelta(minutes=FINDING)  # later it is no news any more
QUIET_WAIT = timedelta(hours=1)  # what isn't urgent looks at roster and hours that often
_APART = timedelta(minutes=APART)


def ago(moment: datetime, now: datetime) -> timedelta:
    """How long ago; a little in the future is negative, more than that is for ever ago."""
    gone = now - moment
    return timedelta.max if gone < -timedelta(minutes=AWAKE) else gone


@dataclass(frozen=True)
class Scene:
    search: Search
    responders: Responders
    busy: frozenset[str]
    now: datetime
    working_from: datetime | None = None  # when the office works next, by the roster; None: Monday to Friday

    # ── hours ──

    def opens(self, who: Who) -> datetime:
        """The first moment from now on when this role may be rung."""
        plan, moment = self.search.plan, self.now
        if who in plan.quiet:
            moment = self._awake_from
        if who in plan.office:
            moment = max(moment, self._office_from)
        return moment

    @cached_property
    def _awake_from(self) -> datetime:
        return awake_from(self.search.hours, self.search.zone, self.now)

    @cached_property
    def _office_from(self) -> datetime:
        return self.working_from or office_from(self.search.hours, self.search.zone, self.now)

    def rings(self, who: Who) -> bool:
        return self.opens(who) <= self.now

    # ── people ──

    def step(self, rung: int) -> Step:
        return self.search.plan.steps[rung]

    def roles(self, rung: int, *, forgiven: bool = False) -> list[list[Responder]]:
        """Who may be rung on this rung, for each of its roles, everybody once. `forgiven`: also who said "can't"."""
        out = set() if forgiven else set(self.search.declined)
        found = []
        for who in self.step(rung).who:
            people = self.responders.get(who, ()) if self.rings(who) else ()
            found.append(list(_new(people, out)))
        return found

    def anybody(self, rung: int, *, forgiven: bool = False) -> bool:
        return any(self.roles(rung, forgiven=forgiven))

    def find(self, responder: str) -> Responder | None:
        """Somebody by id, if the roster still has them and their role may be rung."""
        people = (person for who in self.responders if self.rings(who) for person in self.responders[who])
        return next((person for person in people if person.id == responder and person.number), None)

    def heads(self) -> list[Responder]:
        """Whose turn it is: of each role the first ones who have not been tried in this round."""
        roles = self.roles(self.search.rung)
        idle = self._idle([person for people in roles for person in people])
        waiting = [[person for person in people if not self._tried(person, idle)] for people in roles]
        return [person for people in waiting for person in people[: self.step(self.search.rung).together]]

    def _idle(self, people: Sequence[Responder]) -> timedelta:
        """How long nobody of this rung was rung."""
        calls = [call for person in people if (call := self.search.called(person.id))]
        return ago(max([self.search.round_since, *(call.last for call in calls)]), self.now)

    def _tried(self, person: Responder, idle: timedelta) -> bool:
        """Rung often enough in this round; or on another call for so long that they are passed over meanwhile."""
        passed_over = person.id in self.busy and idle >= timedelta(minutes=self.step(self.search.rung).spacing)
        return not self._on_the_line(person) and (self._called_enough(person) or passed_over)

    def _called_enough(self, person: Responder) -> bool:
        call = self.search.called(person.id)
        calls = self.step(self.search.rung).calls
        return call is not None and (call.calls >= calls or call.errors >= LINE_ERRORS)

    def passed_over(self) -> bool:
        """Somebody of this rung is on another call who hasn't been rung often enough in this round."""
        people = [person for role in self.roles(self.search.rung) for person in role]
        return any(person.id in self.busy and not self._called_enough(person) for person in people)

    def rung_somebody(self) -> bool:
        """Whether a call of this rung was made in this round."""
        people = [person for role in self.roles(self.search.rung) for person in role]
        calls = [call for person in people if (call := self.search.called(person.id))]
        return any(call.calls or call.errors for call in calls)

    def _on_the_line(self, person: Responder) -> bool:
        """Our last call to them may still be going on."""
        call = self.search.called(person.id)
        return call is not None and call.outcome is None and ago(call.last, self.now) < self._patience(call)

    def _patience(self, call: Called) -> timedelta:
        spacing = timedelta(minutes=self.step(self.search.rung).spacing)
        return spacing if call.responder in self.busy else _APART

    # ── moments ──

    @property
    def look_again(self) -> datetime:
        """When to look whether somebody is off the telephone."""
        return self.now + (POLL_URGENT if self.search.urgency is Urgency.EMERGENCY else POLL)

    def free_from(self, responder: str, apart: timedelta = _APART) -> datetime:
        """The first moment from now on when they may be rung; while they are on a call: when to look again."""
        if responder in self.busy:
            return self.look_again
        call = self.search.called(responder)
        return self.now if call is None or ago(call.last, self.now) >= apart else call.last + apart

    def turn_from(self, person: Responder) -> datetime:
        """The first moment from now on when it is this person's turn on the present rung."""
        call = self.search.called(person.id)
        if call and self._on_the_line(person):
            return min(call.last + self._patience(call), self.free_from(person.id, _APART))
        again = call and call.calls and call.outcome is not Reply.LINE_ERROR
        return self.free_from(person.id, timedelta(minutes=self.step(self.search.rung).spacing) if again else _APART)

    def overdue(self) -> int | None:
        """A later rung that must have begun by now, and has somebody."""
        gone = ago(self.search.pass_since, self.now)
        begun = [rung for rung, latest in self._latest() if latest <= gone and self.anybody(rung)]
        return begun[-1] if begun else None

    def _latest(self) -> Iterator[tuple[int, timedelta]]:
        """Later rungs that must begin so long after this pass did."""
        for rung, step in enumerate(self.search.plan.steps):
            if step.latest is not None and rung > self.search.rung:
                yield rung, timedelta(minutes=step.latest)

    def wait(self, *moments: datetime, nobody: bool = False) -> Wait:
        """Until the earliest of them, of a rung that must begin, and of what its promise allows."""
        allowed = timedelta(minutes=AWAKE) if self.search.loud else QUIET_WAIT
        if self.search.phase is not Phase.SEARCHING:
            allowed = timedelta(minutes=FINDING)
        latest = [self.search.pass_since + latest for _, latest in self._latest()]
        begin = [moment for moment in latest if moment > self.now]
        return Wait(min([self.now + allowed, *moments, *begin]), nobody)


def _new(people: Sequence[Responder], out: set[str]) -> Iterator[Responder]:
    """Everybody who can be rung and isn't `out`; each is out from then on."""
    for person in people:
        if person.number and person.id not in out:
            out.add(person.id)
            yield person
