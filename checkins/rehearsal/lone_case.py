"""One elder's case in virtual time, as if there were no other: the ladder, the search, the roster, the line rules and
the pace are the product's; said again is only what cycle, claims, searches and finder do between them, for one case.
tests/property/test_rehearsal.py holds it to the simulator, and that is held to the product.

How long a call takes is a guess, but for ringing: whoever answers is on the line for `TALKS` seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import heappop, heappush
from itertools import count

from checkins import emergency, ladder
from checkins.emergency import Rung
from checkins.errands import RING_S
from checkins.escalation import search as core
from checkins.escalation.policy import AWAKE, FINDING, Who
from checkins.escalation.values import CallForFinding, Phase, Reply, Responder, Responders, Ring, Search, Wait
from checkins.finder import Lines
from checkins.intents import NEWS_WITHIN
from checkins.ladder import Case, News
from checkins.ports import Disposition
from checkins.rehearsal.lacking import lacking, passed
from checkins.rehearsal.trunk import QuietTrunk
from checkins.rehearsal.values import Answers, Given, Happens, Kind, Moment
from checkins.results import BY_DEVICE, SLEEPLESS, Reason, Result, Status, Urgency
from checkins.roster import resolve
from checkins.roster.holidays import next_working_time

TALKS = 60  # seconds, from ringing to the end
SAYS_AFTER = 40  # seconds: until a key says "I go", or somebody cries for help
_TICK = timedelta(seconds=1)  # Cycle.run
_NEWS = {
    Happens.NO_ANSWER: News(Result.NO_ANSWER),
    Happens.NOT_WELL: News(Result.NOT_WELL, "key"),
    Happens.UNCLEAR: News(Result.PRESENT_UNCONFIRMED),
}


def rehearse(given: Given, until: datetime, most: int) -> tuple[Moment, ...]:
    """All that happens before `until`, in order; no more than about `most` calls of it."""
    case = _LoneCase(given, _opened(given))
    case.run(until, most)
    return tuple(case.told)


def _opened(given: Given) -> Case:
    """As the planner opens it; the alarm button comes into a case for which nobody is needed any more."""
    case = ladder.open_case(given.policy, given.at, given.day)
    if given.reason is None:
        return case
    return replace(case, status=Status.NEEDS_PERSON, reason=given.reason, urgency=Urgency.TODAY)


@dataclass(eq=False)
class _LoneCase:
    given: Given
    case: Case
    search: Search | None = None
    told: list[Moment] = field(default_factory=list)
    _trunk: QuietTrunk = field(init=False)
    _lines: Lines = field(init=False)
    _events: list[tuple[datetime, int, Callable[[datetime], None]]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _ticked: datetime | None = None
    _elder: list[Rung] = field(default_factory=list)  # her own calls in an emergency
    _calls: int = 0
    _went: bool = False  # the one buddy who accepts has
    _known: set[tuple[Kind, int | None, Who | None]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._trunk = QuietTrunk(self.given.trunk)
        if self.given.happens is Happens.BUTTON:
            self.case = replace(self.case, status=Status.CLOSED, due_at=None)
            self._at(self.given.at, lambda now: self._need(Reason.ALARM_BUTTON, Urgency.EMERGENCY, now))
        elif self.given.reason is not None:
            self.told.append(Moment(self.given.at, Kind.PERSON, reason=self.given.reason))

    # ── time ──

    def _at(self, moment: datetime, work: Callable[[datetime], None]) -> None:
        heappush(self._events, (moment, next(self._order), work))

    def run(self, until: datetime, most: int) -> None:
        while self._calls < most:
            moments = [*([self._events[0][0]] if self._events else []), *self._next_tick()]
            if not moments or (now := min(moments)) >= until:
                return
            while self._events and self._events[0][0] <= now:
                heappop(self._events)[2](now)
            self._tick(now)

    def _next_tick(self) -> list[datetime]:
        due = self.case.due_at
        if due is None or self.case.status in (Status.CALLING, Status.CLOSED):
            return []
        due = due.replace(microsecond=0) + (_TICK if due.microsecond else timedelta(0))
        return [due if self._ticked is None else max(due, self._ticked + _TICK)]

    def _tick(self, now: datetime) -> None:
        self._ticked = now
        if not self._next_tick() or self.case.due_at is None or self.case.due_at > now:
            return
        self._lines = self._trunk.lines(now)
        if self.case.status is Status.NEEDS_PERSON:
            self._look(now)
        else:
            self._decide(now)

    # ── the ladder: checkins.claims, checkins.settling ──

    def _decide(self, now: datetime) -> None:
        match ladder.decide(self.case, now):
            case ladder.Wait(until):
                self.case = replace(self.case, due_at=until)
            case ladder.NeedPerson(reason, urgency):
                self._need(reason, urgency, now)
            case ladder.PlaceCall(number):
                self._try(number, now)

    def _need(self, reason: Reason, urgency: Urgency, now: datetime) -> None:
        self._becomes(ladder.need_person(self.case, reason, urgency, now), now)

    def _try(self, number: int, now: datetime) -> None:
        assert self.given.number is not None
        allowed = self._trunk.allowed_at(now)
        if allowed > now:
            self._becomes(ladder.postpone(self.case, allowed, now), now)
            return
        self._trunk.elder_rung(self.given.number, now, routine=True)
        self.case = ladder.calling(self.case, now + NEWS_WITHIN)
        self._tell(Moment(now, Kind.TRY, number=number))
        self._answers_herself(now)

    def _answers_herself(self, begun: datetime) -> None:
        happens, ring = self.given.happens, timedelta(seconds=self.case.policy.ring_s)
        if happens is Happens.CRIES:
            cry = News(Result.EMERGENCY)
            self._at(begun + timedelta(seconds=SAYS_AFTER), lambda now: self._news(cry, now))
        talks = timedelta(seconds=TALKS)
        self._at(begun + (ring if happens is Happens.NO_ANSWER else talks), self._hangs_up)

    def _hangs_up(self, now: datetime) -> None:
        self._trunk.live.discard(self.given.number or "")
        if news := _NEWS.get(self.given.happens):
            self._news(news, now)
        self._off_the_line(now)

    def _off_the_line(self, now: datetime) -> None:
        if self.case.alarm and not self.case.owner:
            self.case = replace(self.case, due_at=now)

    def _news(self, news: News, now: datetime) -> None:
        self._becomes(ladder.apply(self.case, news, now), now)

    def _becomes(self, after: Case, now: datetime) -> None:
        """searches.follow: who needs a person, or needs one sooner, is looked for from now on."""
        before, self.case = self.case, after
        if after.status is Status.NEEDS_PERSON and (before.status, before.urgency) != (after.status, after.urgency):
            self.told.append(Moment(now, Kind.PERSON, reason=after.reason))
            self._start(now)

    # ── the search: checkins.searches, checkins.finder ──

    def _begin(self, now: datetime) -> Search:
        urgency, device = self.case.urgency or Urgency.TODAY, self.case.reason in BY_DEVICE
        return core.begin(self.given.escalation, urgency, now, zone=self.given.roster.zone, device=device)

    def _start(self, now: datetime) -> None:
        search, action = self._advance(self._begin(now), now)
        if not isinstance(action, Wait):
            self.case = replace(self.case, due_at=now)
        elif not action.nobody_to_ring:
            self.case = replace(self.case, due_at=action.until)
        self.search = search

    def _advance(self, search: Search, now: datetime) -> tuple[Search, object]:
        urgent = search.urgency is Urgency.EMERGENCY
        people = self._people(search, now)
        works = next_working_time(self.given.roster.calendar, now)
        everybody = (one for some in people.values() for one in some)
        busy = {one.id for one in everybody if self._trunk.taken(one.number, now, urgent=urgent)}
        after, action = core.advance(search, people, busy, now, working_from=works)
        self._note_rungs(after, people, now, works)
        return after, action

    def _people(self, search: Search, now: datetime) -> Responders:
        emergency_, vital = search.urgency is Urgency.EMERGENCY, search.urgency in SLEEPLESS
        roster, elder = self.given.roster, self.given.elder_id
        found = resolve.responders(roster, elder, now, emergency=emergency_, vital=vital)
        return {Who(kind.value): some for kind, some in found.items()}

    def _look(self, now: datetime) -> None:
        before = self.search or self._begin(now)
        search, action = self._advance(before, now)
        match action:
            case Wait(until, nobody_to_ring=True):
                self._remind(before, until, now)
            case Wait(until):
                self._wait(search, until, now)
            case Ring(people):
                self._wait(search, now, now)
                self._ring(people, Kind.RING, now)
            case CallForFinding(one):
                self._wait(search, now, now)
                self._ring((one,), Kind.ASK, now)
            case _:  # nobody finds anything, so nothing ends and nobody is told
                raise AssertionError(f"a rehearsal doesn't know {action}")
        if self.case.urgency is Urgency.EMERGENCY:
            self._ring_herself(now)

    def _remind(self, search: Search, until: datetime, now: datetime) -> None:
        self._tell_nobody(search, now)
        self.search, self.case = search, ladder.remind(self.case, now)
        if not self.case.owner and self.case.urgency in SLEEPLESS and self.case.due_at:
            self.case = replace(self.case, due_at=min(self.case.due_at, until))

    def _wait(self, search: Search, until: datetime, now: datetime) -> None:
        before = self.search
        if before is not None and before.phase is Phase.TAKEN and search.phase is Phase.SEARCHING:
            self.told.append(Moment(now, Kind.NO_WORD, self._somebody(before.accepted_by, now), rung=before.rung))
        self._keep(search, now)
        if until > now:
            awake = timedelta(minutes=FINDING if self.case.owner else AWAKE)
            sleepless = self.case.urgency in SLEEPLESS
            self.case = replace(self.case, due_at=min(until, now + awake) if sleepless else until)

    def _keep(self, search: Search, now: datetime) -> None:
        owner = search.accepted_by if search.phase is Phase.TAKEN else None
        self.search, self.case = search, replace(self.case, owner=owner, urgency=search.urgency, due_at=now)

    def _ring(self, people: Sequence[Responder], kind: Kind, now: datetime) -> None:
        urgent = self.case.urgency is Urgency.EMERGENCY
        for one in people:
            if one.number is None or self._trunk.taken(one.number, now, urgent=urgent):
                continue
            if self._lines.free(urgent=urgent):
                self._dial(one, kind, now)
        self._after(now)

    def _dial(self, one: Responder, kind: Kind, now: datetime) -> None:
        assert self.search is not None
        assert one.number is not None
        self._trunk.responder_rung(one.number, now)
        self._lines.take()
        self.search = core.rang(self.search, one.id, now)
        self._tell(Moment(now, kind, one, rung=self.search.rung, role=Who(one.kind)))
        self._answers(one, kind, now)

    def _after(self, now: datetime) -> None:
        assert self.search is not None
        search, action = self._advance(self.search, now)
        if isinstance(action, Wait) and not action.nobody_to_ring:
            self._wait(search, action.until, now)
        elif isinstance(action, Wait):
            self.case = replace(self.case, due_at=now + min(NEWS_WITHIN, timedelta(minutes=AWAKE)))

    def _ring_herself(self, now: datetime) -> None:
        """Finder._elder: in an emergency she is asked as well, while nobody has it."""
        search, number = self.search, self.given.number
        if self.case.owner or number is None or search is None or search.phase is not Phase.SEARCHING:
            return
        when = emergency.next_call([rung for rung in self._elder if rung.at >= search.since], now)
        if when is None or self._trunk.taken(number, now, urgent=True):
            return
        if when > now or not self._lines.free(urgent=True):
            self.case = replace(self.case, due_at=min(self.case.due_at or when, when))
            return
        self._elder.append(Rung(now, None))
        self._trunk.elder_rung(number, now, routine=False)
        self._lines.take()
        self._tell(Moment(now, Kind.ELDER))
        self._at(now + timedelta(seconds=emergency.RING_S), self._herself_over)

    def _herself_over(self, now: datetime) -> None:
        self._elder[-1] = Rung(self._elder[-1].at, Disposition.NO_ANSWER)
        self._trunk.live.discard(self.given.number or "")
        self._off_the_line(now)

    # ── what people answer ──

    def _answers(self, one: Responder, kind: Kind, begun: datetime) -> None:
        asked = self.given.answers if kind is Kind.RING and one.kind == Who.BUDDY else Answers.NOBODY
        ends, reply = begun + timedelta(seconds=RING_S), Reply.NO_ANSWER
        if asked is Answers.BUDDIES_CANT:
            ends, reply = begun + timedelta(seconds=TALKS), Reply.DECLINED
        elif asked is Answers.BUDDY_GOES and not self._went:
            self._went = True
            ends, reply = begun + timedelta(seconds=TALKS), Reply.ACCEPTED
            self._at(begun + timedelta(seconds=SAYS_AFTER), lambda now: self._goes(one, begun, now))
        self._at(ends, lambda now: self._over(one, reply, begun, now))

    def _goes(self, one: Responder, begun: datetime, now: datetime) -> None:
        self.told.append(Moment(now, Kind.GOES, one))
        self._replied(one, Reply.ACCEPTED, begun, now)

    def _over(self, one: Responder, reply: Reply, begun: datetime, now: datetime) -> None:
        self._replied(one, reply, begun, now)
        self._trunk.live.discard(one.number or "")

    def _replied(self, one: Responder, reply: Reply, begun: datetime, now: datetime) -> None:
        assert self.search is not None
        after = core.replied(self.search, one.id, reply, now, since=begun)
        if after != self.search:
            self._keep(after, now)

    # ── what is told ──

    def _tell(self, call: Moment) -> None:
        self._calls += 1
        self.told.append(call)

    def _tell_once(self, moment: Moment) -> None:
        about = moment.kind, moment.rung, moment.role
        if about not in self._known:
            self._known.add(about)
            self.told.append(moment)

    def _tell_nobody(self, search: Search, now: datetime) -> None:
        """With what each rung lacks, for all of them were tried."""
        works = next_working_time(self.given.roster.calendar, now)
        rungs = [*range(len(search.plan.steps))]
        for lack in lacking(search, rungs, self._people(search, now), now, works):
            self._tell_once(lack)
        self._tell_once(Moment(now, Kind.NOBODY))

    def _note_rungs(self, after: Search, people: Responders, now: datetime, works: datetime) -> None:
        before = self.search if self.search and self.search.since == after.since else None
        for lack in lacking(after, passed(before, after), people, now, works):
            self._tell_once(lack)
        if before and after.pass_since != before.pass_since:
            self.told.append(Moment(now, Kind.AGAIN, rung=after.rung))

    def _somebody(self, responder: str | None, now: datetime) -> Responder | None:
        assert self.search is not None
        everybody = (one for some in self._people(self.search, now).values() for one in some)
        return next((one for one in everybody if one.id == responder), None)
