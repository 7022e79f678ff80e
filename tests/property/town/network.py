"""The telephone network of the town, and the people who do or don't pick up: what each call comes to, and what of it
is told to the house, when, and how often."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random

from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from tests.property.town.values import CHECKIN, RESPONDER, Weather

MISSES = (Disposition.NO_ANSWER,) * 4 + (Disposition.BUSY, Disposition.MACHINE, Disposition.LINE_ERROR)
ODD = (Disposition.INTERRUPTED, Disposition.CANCELLED, Disposition.UNKNOWN)
ELDER_WORDS = ("well",) * 8 + (
    "not_well", "wants_person", "other_says_well", "silent", "hung_up", "present_unconfirmed", "emergency", "refused",
    "absent", "no_such_word",
)  # fmt: skip
OTHER_WORDS = ("declined", "declined", "no_reply", "wrong_person", "emergency", "accepted_aloud", "no_such_word")
ALARM_WORDS = ("present", "says_fine", "needs_help", "silent", "not_reached")
TOLD_WORDS = ("told", "told", "no_reply", "wrong_person")
FOUND_WORDS = ("fine_seen",) * 3 + ("needs_help", "nobody_opens", "no_reply", "no_reply", "emergency")


@dataclass(frozen=True)
class Event:
    """Something that reaches the house at a moment of true time."""

    at: datetime
    news: CallOutcome | None = None
    pressed: tuple[str, str] | None = None  # call and elder: "I'll go", before the call has ended


@dataclass
class Wire:
    """A call as it truly is."""

    request: CallRequest
    begins: datetime
    ends: datetime


@dataclass
class Network:
    """`now` tells true time. `on_order` hears of every order first."""

    weather: Weather
    start: datetime
    now: Callable[[], datetime]
    on_order: Callable[[CallRequest], None]
    events: list[Event] = field(default_factory=list)
    wires: dict[str, Wire] = field(default_factory=dict)
    last: dict[str, Wire] = field(default_factory=dict)  # by number
    calls_to: dict[str, int] = field(default_factory=dict)
    mute: dict[str, bool] = field(default_factory=dict)  # whether the carrier can't be asked after this call

    def dead(self) -> bool:
        begins, until = self.weather.outage
        return begins <= (self.now() - self.start) / timedelta(minutes=1) < until

    def place(self, request: CallRequest) -> Placed:
        """Every number has dice of its own: what happens there doesn't hang on the order of others' calls."""
        assert request.id not in self.wires, "dialled twice"
        self.on_order(request)
        nth = self.calls_to[request.number] = self.calls_to.get(request.number, 0) + 1
        dice = Random(f"{self.weather.seed}/{request.number}/{nth}")
        if self.dead() and dice.random() < 0.5:
            return Placed.REFUSED
        if request.number not in RESPONDER and dice.random() < 0.01:
            return Placed.BAD_NUMBER
        silence = Random(f"{self.weather.seed}/{request.number}/{nth}/mute")
        self.mute[request.id] = silence.random() < self.weather.timeouts
        timeout = dice.random() < self.weather.timeouts
        if not (timeout and dice.random() < 0.5):
            self._rings(request, dice)
        return Placed.UNKNOWN if timeout else Placed.PLACED

    def trace(self, intent_id: str) -> Trace:
        wire = self.wires.get(intent_id)
        if self.dead() or self._unreachable(intent_id):
            talks = wire is not None and self.now() < wire.ends  # who talks to us is known to, by their call's webhooks
            return Trace.ALIVE if talks else Trace.UNREACHABLE
        if wire is None:
            return Trace.NOT_FOUND
        return Trace.ALIVE if self.now() < wire.ends else Trace.OVER

    def _unreachable(self, intent_id: str) -> bool:
        """Of some calls the carrier never says anything. Ids are new every time, so no dice hang on them."""
        if intent_id not in self.mute:  # never ordered: the process died before
            dice = Random(f"{self.weather.seed}/mute/{len(self.mute)}")
            self.mute[intent_id] = dice.random() < self.weather.timeouts
        return self.mute[intent_id]

    def talks(self, number: str) -> bool:
        """Whether a call of ours to this number truly goes on."""
        last = self.last.get(number)
        return last is not None and last.begins <= self.now() < last.ends

    # ── what a call comes to ──────────────────────────────────────────────────────────────────────

    def _rings(self, request: CallRequest, dice: Random) -> None:
        lasts = dice.choice([0.1, 0.5, 0.75, 0.75, 1, 2, 4, 9])
        begins = self.now()
        wire = self.wires[request.id] = self.last[request.number] = Wire(
            request, begins, begins + timedelta(minutes=lasts)
        )
        final = self._end(request, dice, wire.ends)
        self._tell(final, dice)
        emergency = next((one.id for one in final.people if one.result == "emergency"), None)
        if emergency and dice.random() < 0.7:  # told in mid-call; now and then after the end
            at = begins + timedelta(minutes=lasts * dice.choice([0.5, 0.9, 1.1]))
            self._tell(CallOutcome(request.id, at, final=False, alarm="救命", alarm_person=emergency), dice)
        for one in final.people:
            if one.result == "accepted" and one.evidence == "key" and dice.random() < 0.5:
                pressed = begins + timedelta(minutes=lasts * 0.8)
                self.events.append(Event(pressed, pressed=(request.id, one.id)))

    def _end(self, request: CallRequest, dice: Random, at: datetime) -> CallOutcome:
        if self.dead():
            return CallOutcome(request.id, at, final=True, disposition=Disposition.LINE_ERROR)
        if dice.random() < 0.03:
            return CallOutcome(request.id, at, final=True, disposition=dice.choice(ODD))
        elder = request.number not in RESPONDER
        picks_up = dice.random() < (self.weather.answers if elder else max(0.4, self.weather.helps))
        if not picks_up:
            return CallOutcome(request.id, at, final=True, disposition=dice.choice(MISSES))
        say = self._elder if elder else self._responder
        people = tuple(say(request, one.id, dice) for one in request.callees if dice.random() < 0.95)
        return CallOutcome(request.id, at, final=True, disposition=Disposition.ANSWERED, people=people)

    def _elder(self, request: CallRequest, elder: str, dice: Random) -> PersonOutcome:
        if request.flow != CHECKIN:  # asked in an emergency
            return PersonOutcome(elder, dice.choice(ALARM_WORDS), dice.choice(["key", "speech"]))
        evidence = dice.choice(["key", "key", "speech", "speech", "none"])
        return PersonOutcome(elder, dice.choice(ELDER_WORDS), evidence, {"certain": dice.random() < 0.8})

    def _responder(self, request: CallRequest, elder: str, dice: Random) -> PersonOutcome:
        if request.flow == "finding":
            return PersonOutcome(elder, dice.choice(FOUND_WORDS), dice.choice(["key", "key", "none"]))
        if request.flow == "taken":
            return PersonOutcome(elder, dice.choice(TOLD_WORDS), "key")
        helps = (self.now() - self.start) / timedelta(minutes=1) >= self.weather.helps_after
        if helps and dice.random() < self.weather.helps:
            return PersonOutcome(elder, "accepted", "key")
        word = dice.choice(OTHER_WORDS)
        if word == "accepted_aloud":
            return PersonOutcome(elder, "accepted", dice.choice(["speech", "none"]))
        return PersonOutcome(elder, word, dice.choice(["key", "speech", "none"]))

    # ── what is told of it ────────────────────────────────────────────────────────────────────────

    def _tell(self, news: CallOutcome, dice: Random) -> None:
        if dice.random() < self.weather.lost:
            if dice.random() < 0.2:
                return
            # The carrier's word never came: the telephone room asks for it a while later.
            news = replace(news, at=news.at + timedelta(minutes=dice.uniform(1, 4)))
        for _ in range(2 if dice.random() < self.weather.twice else 1):
            late = dice.choice([0.5, 3, 20, 90]) if dice.random() < self.weather.late else 0
            self.events.append(Event(news.at + timedelta(minutes=late), news=news))
