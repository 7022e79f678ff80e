"""One day of the town in one house, told by true time: the house's clock may be wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from random import Random
from typing import Self

from checkins.ports import CallRequest, Placed, Trace
from tests.property.town.network import Event, Network
from tests.property.town.promises import Promises
from tests.property.town.pure_house import PureHouse
from tests.property.town.values import BUDDIES, ELDERS, STAFF, Carrier, House, Role, Weather, at

STAFF_NAME = "李老师"
MOST = 20_000  # steps of a day; more would be a fault
# Of a call whose end nobody tells: its 9 min, the two questions after which it is given up, and a look or two; a crash
# before it was dialled costs another one, of which the carrier may not say anything.
PATIENCE, AFTER_CRASH = timedelta(minutes=14), timedelta(minutes=10)
Build = Callable[[Weather, Carrier], House]


@dataclass
class _Wiretap:
    """The carrier as the house sees it, with somebody listening who knows the promises."""

    day: Day

    def place(self, request: CallRequest) -> Placed:
        answer = self.day.network.place(request)
        self.day.promises.ordered(request, answer)
        return answer

    def trace(self, intent_id: str) -> Trace:
        return self.day.network.trace(intent_id)


class Day:
    def __init__(self, weather: Weather, build: Build = PureHouse) -> None:
        self.weather, self.dice = weather, Random(f"{weather.seed}/day")
        self.start = self.now = at(weather.begins)
        self.end = self.start + timedelta(hours=weather.hours)
        self.network = Network(weather, self.start, lambda: self.now, lambda request: self.promises.order(request))
        self.house = build(weather, _Wiretap(self))
        self.promises = Promises(self.house, lambda number: not self._moved() and self.network.talks(number))
        self.skewed_at: datetime | None = None  # when the clock was last moved
        self.acts = sorted(self._acts(), key=lambda act: act[0])

    # ── the day ──

    def live(self) -> Self:
        try:
            for _ in range(MOST):
                if self.now >= self.end:
                    return self
                self._hear()
                self._act()
                self._tick()
                self._sleep()
            raise AssertionError("the day does not end")
        finally:
            self.house.shut()

    def _tick(self) -> None:
        sees = self.house.tick()
        dead = self.network.dead() or self._lately_dead()
        moved = self._moved()
        if not sees or dead or moved or Role.STAFF in self.weather.missing:
            self.promises.rest(blind=not sees)
        else:
            unsure = self.weather.crashes or self.weather.timeouts
            self.promises.rest(patience=PATIENCE + (AFTER_CRASH if unsure else timedelta()))
        if sees:
            self.promises.everybody()

    def _moved(self) -> bool:
        """The house's clock was moved a while ago: it can't know how long a call has lasted."""
        return self.skewed_at is not None and self.now - self.skewed_at < timedelta(minutes=20)

    def _lately_dead(self) -> bool:
        """The line counts as down until a call has got through."""
        minutes = (self.now - self.start) / timedelta(minutes=1)
        begins, until = self.weather.outage
        return begins <= minutes < until + 75

    def _hear(self) -> None:
        due = [event for event in self.network.events if event.at <= self.now]
        self.network.events = [event for event in self.network.events if event.at > self.now]
        self.dice.shuffle(due)  # what comes together comes in any order
        for event in due:
            self._tell(event)

    def _tell(self, event: Event) -> None:
        if event.pressed:
            call, elder = event.pressed
            self.promises.pressed(self.network.wires[call].request, elder)
            self.house.first(call, elder)
        if event.news:
            self.promises.said(self.network.wires[event.news.intent_id].request, event.news)
            self.house.settle(event.news)
            assert not self.house.settle(event.news), "told twice, counted twice"

    def _sleep(self) -> None:
        """To the next thing that happens. The cycle ticks all the time; here, when there is something for it to do."""
        due = self.house.next_due()
        wait = (due - self.house.now) if due else timedelta(minutes=20)
        if wait <= timedelta():  # nothing could be done about it: no line, or a wrong clock
            wait = timedelta(seconds=30)
        ahead = [event.at for event in self.network.events] + [moment for moment, _ in self.acts[:1]]
        moments = [self.now + min(wait, timedelta(minutes=20)), *ahead]
        self._pass(max(min(moments), self.now + timedelta(seconds=1)))

    def _pass(self, until: datetime) -> None:
        """In whole milliseconds, as rows keep them: a moment that a row rounds up is no later than it was promised."""
        until += timedelta(microseconds=-until.microsecond % 1000)
        self.house.now += until - self.now
        self.now = until

    # ── what people and machines do to it ──

    def _act(self) -> None:
        while self.acts and self.acts[0][0] <= self.now:
            self.acts.pop(0)[1]()

    def _acts(self) -> list[tuple[datetime, Callable[[], None]]]:
        weather = self.weather
        acts = [(self._moment(), self._edit) for _ in range(weather.edits)]
        acts += [(self._moment(), self._crash) for _ in range(weather.crashes)]
        acts += [(self.start + timedelta(minutes=when), self._jump(by)) for when, by in weather.jumps]
        return acts + self._ring_ins()

    def _ring_ins(self) -> list[tuple[datetime, Callable[[], None]]]:
        """On one day in four somebody rings in. By dice of their own: what else a day's number stands for stays so."""
        dice = Random(f"{self.weather.seed}/rings in")
        count = dice.choice([1, 1, 2, 4]) if dice.random() < 0.25 else 0
        minutes = min(self.weather.hours, 6) * 60
        found = [(dice.uniform(0, minutes), dice.choice(ELDERS)) for _ in range(count)]
        return [(self.start + timedelta(minutes=when), partial(self._rings_in, elder)) for when, elder in found]

    def _rings_in(self, elder: str) -> None:
        """Not who has died or moved: who rings there then is somebody else."""
        if elder not in self.promises.gone:
            self.house.rings_in(elder)

    def _moment(self) -> datetime:
        return self.start + timedelta(minutes=self.dice.uniform(0, min(self.weather.hours, 6) * 60))

    def _edit(self) -> None:
        elder = self.dice.choice(ELDERS)
        match self.dice.choice(["leave", "leave", "takes", "closes", "died", "refused", "moved"]):
            case "leave":
                self.house.leave(self.dice.choice([*BUDDIES, STAFF[0]]), self.dice.choice([10, 60, 600]))
            case "takes" | "closes" as act:
                self._staff(elder, takes=act == "takes")
            case state:
                self.promises.stops(elder, state)
                self.house.stops(elder, state)

    def _staff(self, elder: str, *, takes: bool) -> None:
        status = {held.elder: held.status for held in self.house.held()}
        if status.get(elder, "closed") == "closed":
            return
        self.promises.spoke.add((STAFF_NAME, elder))
        (self.house.take_over if takes else self.house.close)(elder, STAFF_NAME)

    def _crash(self) -> None:
        self.house.dies(self.dice.randrange(40))

    def _jump(self, minutes: float) -> Callable[[], None]:
        def jump() -> None:
            self.house.now += timedelta(minutes=minutes)
            self.skewed_at = self.now
            self.promises.alone.clear()

        return jump
