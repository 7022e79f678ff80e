"""Generated neighbourhoods for the ladder's preview: people, roster, policies, in a database; and what a simulated town
does there when nobody answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.emergency import ALARM
from checkins.emergency import RING_S as RINGS_HERSELF
from checkins.errands import DISPATCH, FINDING, RING_S
from checkins.escalation.policy import Escalation, Who
from checkins.policy import Policy
from checkins.ports import Disposition, PersonOutcome
from checkins.rehearsal.lone_case import SAYS_AFTER, TALKS
from checkins.rehearsal.values import Answers, Happens
from checkins.results import Result
from checkins.roster.tables import (
    RosterDuty,
    RosterFamily,
    RosterLeave,
    RosterOverride,
    RosterPair,
    RosterShift,
    RosterSubstitute,
    RosterTurn,
)
from checkins.schedule import at_minute, local_date
from checkins.tables import Mode, Neighbourhood, Person, Role
from simulation.chance import Chance
from simulation.life import Answer, Life
from simulation.line import Call
from simulation.people import ZONE
from simulation.rates import Rates
from simulation.town import AnyDesk, Town

ELDER = "elder-50"  # among the others by name; who is next to her by number would share her telephone
DAYS = (date(2026, 3, 6), date(2026, 3, 7), date(2026, 2, 17), date(2026, 4, 1), date(2026, 10, 9))
_CONSENTS = ("buddy", "family", "street")


@dataclass(frozen=True)
class Made:
    """One generated morning."""

    seed: int
    day: date
    trunk: Trunk
    policy: dict[str, Any]
    escalation: dict[str, Any]
    happens: Happens
    answers: Answers

    @property
    def begin(self) -> datetime:
        return at_minute(ZONE, self.day, 0)


def made(seed: int) -> Made:
    """A valid policy, whatever the seed."""
    chance = Random(seed)
    others = seed % 5 == 0  # then nobody waits for the other calls of the morning
    trunk = Trunk(40, 40.0, 2) if others else Trunk(chance.randint(1, 6), chance.choice((0.5, 1.0, 4.0)), 2)
    happens = chance.choice((*(Happens.NO_ANSWER,) * 5, Happens.NOT_WELL, Happens.UNCLEAR, Happens.CRIES))
    answers = chance.choice((Answers.NOBODY, *Answers))
    return Made(seed, chance.choice(DAYS), trunk, _policy(chance), _escalation(chance), happens, answers)


# ── policies ──────────────────────────────────────────────────────────────────────────────────────


def _policy(chance: Random) -> dict[str, Any]:
    tries = [0, *sorted(chance.sample(range(2, 120), chance.randint(0, 5)))]
    opens = chance.choice((480, 480, 540))
    document = {
        "try_after": tries,
        "ring_s": chance.randint(10, 60),
        "calls_from": opens,
        "calls_until": chance.choice((660, 720, 1260)),
        "unserved_at": chance.randint(opens, 659),
        "longest_delay": chance.randint(1, 120),
        "unreached_every": chance.randint(1, 10),
        "emergency_every": chance.randint(1, 10),
        "remind_every": chance.randint(1, 60),
        "soon_within": chance.randint(1, 120),
        "today_within": chance.randint(1, 240),
    }
    return _some(chance, document, Policy.from_json)


def _escalation(chance: Random) -> dict[str, Any]:
    loud, soft = ("unreached", "emergency"), ("soon", "today")
    document = {name: _plan(chance, loud=name in loud) for name in (*loud, *soft) if chance.random() < 0.7}
    if chance.random() < 0.5:
        document["hours"] = {
            "quiet_from": chance.randint(1080, 1260),
            "quiet_until": chance.randint(480, 600),
            "office_from": chance.randint(420, 600),
            "office_until": chance.randint(700, 1100),
        }
    return _some(chance, document, Escalation.from_json)


def _some(chance: Random, document: dict[str, Any], read: Any) -> dict[str, Any]:
    """What of it is no policy is left out."""
    kept: dict[str, Any] = {}
    for name, entry in document.items():
        try:
            read({**kept, name: entry})
        except ValueError:
            continue
        kept[name] = entry
    return kept


def _plan(chance: Random, *, loud: bool) -> dict[str, Any]:
    every = 10 if loud else chance.choice((10, 30, 120))
    steps = [_step(chance, every) for _ in range(chance.randint(1, 5))]
    if not any("duty" in step["who"] for step in steps):
        steps[-1]["who"] = [*steps[-1]["who"], "duty"]
    last = max(index for index, step in enumerate(steps) if "duty" in step["who"])
    within = chance.randint(2, 30 if loud else 120)
    plan = {
        "steps": steps,
        "loop": chance.randint(0, last),
        "finding_within": within,
        "finding_call": chance.randint(1, within - 1),
    }
    if not loud:
        plan["office"] = chance.choice(([], ["duty"], ["duty", "deputy"], ["street"]))
    return plan


def _step(chance: Random, every: int) -> dict[str, Any]:
    who = chance.sample([who.value for who in Who], chance.randint(1, 3))
    return {
        "who": who,
        "calls": chance.randint(1, 3),
        "spacing": chance.randint(2, 10),
        "together": chance.randint(1, 4),
        "rounds": chance.randint(1, 3),
        "every": chance.randint(2, every),
        "latest": chance.choice((None, chance.randint(1, 60), chance.randint(1, 60))),
    }


# ── people ────────────────────────────────────────────────────────────────────────────────────────


def settle(session: Session, town: Made) -> Neighbourhood:
    """Writes it into a database without one."""
    chance = Random(-town.seed - 1)
    window = chance.choice(((480, 630), (500, 600), (540, 545)))
    place = Neighbourhood(
        name="街区", committee="居委会", timezone=ZONE, plan_from=window[0], plan_until=window[1],
        policy=town.policy, escalation=town.escalation, lines=chance.choice((None, None, 2)),
    )  # fmt: skip
    session.add(place)
    session.flush()
    people = _People(session, place.id, chance)
    slot = chance.choice((None, None, chance.randint(480, 700)))
    mode = Mode.HUMAN if chance.random() < 0.06 else Mode.KEYS
    agrees = {"calls": True, **{purpose: chance.random() < 0.8 for purpose in _CONSENTS}}
    people.add(ELDER, Role.ELDER, slot=slot, mode=mode, consents=agrees)
    for index in range(2, 2 + chance.randint(1, 12) if town.seed % 5 == 0 else 2):
        people.add(f"elder-{2 * index}", Role.ELDER, consents={"calls": True})
    _Roster(session, place.id, chance, town.begin, people).write()
    session.flush()
    return place


@dataclass
class _People:
    session: Session
    place_id: int
    chance: Random
    _numbers: int = 10_000_000
    known: dict[str, list[str]] = field(default_factory=dict)

    def add(self, who: str, role: Role, **more: Any) -> str:
        self._numbers += 1
        number: str | None = f"+8621{self._numbers}"
        if role is not Role.ELDER:
            number = self.chance.choice((number,) * 8 + (None, "+862118888888"))  # two may share a telephone
        values = {"name": who, "spoken_name": who, "number": number, "consents": {}, **more}
        self.session.add(Person(id=who, neighbourhood_id=self.place_id, role=role, **values))
        self.session.flush()
        self.known.setdefault(role, []).append(who)
        return who

    def several(self, role: Role, most: int) -> list[str]:
        return [self.add(f"{role}-{index}", role) for index in range(self.chance.randint(0, most))]


@dataclass
class _Roster:
    session: Session
    place_id: int
    chance: Random
    begin: datetime
    people: _People

    def write(self) -> None:
        chance, here = self.chance, self.place_id
        buddies, staff = self.people.several(Role.BUDDY, 4), self.people.several(Role.STAFF, 4)
        family = self.people.several(Role.FAMILY, 3)
        paired = buddies[: chance.randint(0, 2)]
        for position, who in enumerate(paired):
            pair = RosterPair(neighbourhood_id=here, elder_id=ELDER, buddy_id=who, position=position)
            self.session.add(pair)
            self.session.flush()
        for position, who in enumerate(buddies[len(paired) :]):
            own = pair.id if paired and chance.random() < 0.5 else None
            self.session.add(RosterSubstitute(neighbourhood_id=here, pair_id=own, person_id=who, position=position))
        for position, who in enumerate(family):
            kin = RosterFamily(neighbourhood_id=here, elder_id=ELDER, person_id=who, position=position)
            self.session.add(kin)
        self._duty(staff)
        self._shifts(buddies)
        self._away([*buddies, *staff, *family])
        self._overrides(buddies, staff)

    def _duty(self, staff: list[str]) -> None:
        chance = self.chance
        turns = staff[: chance.randint(0, len(staff))]
        for position, who in enumerate(turns):
            self.session.add(RosterTurn(neighbourhood_id=self.place_id, person_id=who, position=position))
        rotation = {"anchor": "2026-01-05", "weekday": 0, "minute": chance.randint(0, 1439), "days": 1, "until": None}
        hours = chance.choice((None, [[480, 690], [780, 1020]], [[600, 900]]))
        street = "+862199999999" if chance.random() < 0.6 else None
        self.session.add(
            RosterDuty(
                neighbourhood_id=self.place_id,
                rotation=rotation if turns else None,
                hours=hours,
                deputy_id=chance.choice((None, *staff)),
                street_name="街道" if street else None,
                street_number=street,
            )
        )

    def _shifts(self, buddies: list[str]) -> None:
        for who in buddies:
            if self.chance.random() < 0.2:
                begins = self.chance.randint(480, 700)
                weekday = local_date(ZONE, self.begin).weekday()
                shift = RosterShift(neighbourhood_id=self.place_id, person_id=who, weekday=weekday, begins=begins)
                shift.ends = begins + self.chance.randint(15, 300)
                self.session.add(shift)

    def _span(self) -> tuple[datetime, datetime]:
        begins = self.begin + timedelta(minutes=self.chance.randint(-600, 900))
        return begins, begins + timedelta(minutes=self.chance.randint(601, 1800))

    def _away(self, people: list[str]) -> None:
        for who in people:
            if self.chance.random() < 0.3:
                begins, ends = self._span()
                self.session.add(RosterLeave(neighbourhood_id=self.place_id, person_id=who, begins=begins, ends=ends))

    def _overrides(self, buddies: list[str], staff: list[str]) -> None:
        for group in (buddies, staff):
            if len(group) > 1 and self.chance.random() < 0.4:
                instead, who = self.chance.sample(group, 2)
                begins, ends = self._span()
                elder = ELDER if group is buddies and self.chance.random() < 0.5 else None
                self.session.add(
                    RosterOverride(
                        neighbourhood_id=self.place_id,
                        person_id=who,
                        instead_of=instead,
                        elder_id=elder,
                        begins=begins,
                        ends=ends,
                    )
                )


# ── what the town does ────────────────────────────────────────────────────────────────────────────

Told = tuple[str, str, str]  # moment, whom, kind


class Script(Life):
    """Nobody answers but as the rehearsal was told; other elders are well."""

    def __init__(self, town: Made) -> None:
        super().__init__(Rates(), Chance("script"))
        self._town, self._ring_s = town, Policy.from_json(town.policy).ring_s
        self._went = False

    def elder_call(self, call: Call) -> Answer:
        if call.flow == ALARM:
            return Answer(RINGS_HERSELF, Disposition.NO_ANSWER)
        (elder,) = call.elders
        if elder != ELDER:
            return Answer(30, Disposition.ANSWERED, (PersonOutcome(elder, Result.WELL, "key"),))
        happens = self._town.happens
        if happens is Happens.NO_ANSWER:
            return Answer(self._ring_s, Disposition.NO_ANSWER)
        cries = (SAYS_AFTER, elder) if happens is Happens.CRIES else None
        words = {
            Happens.NOT_WELL: (Result.NOT_WELL, "key"),
            Happens.UNCLEAR: (Result.PRESENT_UNCONFIRMED, "none"),
            Happens.CRIES: (Result.EMERGENCY, "speech"),
        }
        return Answer(TALKS, Disposition.ANSWERED, (PersonOutcome(elder, *words[happens]),), cries)

    def responder_call(self, call: Call, found: object) -> Answer:
        answers = self._town.answers if call.flow == DISPATCH and call.purpose == Who.BUDDY else Answers.NOBODY
        if answers is Answers.BUDDIES_CANT:
            return Answer(TALKS, Disposition.ANSWERED, (PersonOutcome(ELDER, "declined", "key"),))
        if answers is Answers.BUDDY_GOES and not self._went:
            self._went = True
            people = (PersonOutcome(ELDER, "accepted", "key"),)
            return Answer(TALKS, Disposition.ANSWERED, people, accepts=((SAYS_AFTER, ELDER),))
        return Answer(RING_S, Disposition.NO_ANSWER)


class Log:
    """The calls about the elder, as they can be compared."""

    def __init__(self) -> None:
        self.calls: list[Told] = []

    def call(self, call: Call, _answer: Answer) -> None:
        if ELDER not in call.elders:
            return
        kind = {DISPATCH: call.purpose, FINDING: "ask", ALARM: "elder"}.get(call.flow, "try")
        self.calls.append((f"{call.at:%m-%d %H:%M:%S}", call.responder or ELDER, kind))

    def accepted(self, *_args: object) -> None: ...

    def worked(self, *_args: object) -> None: ...

    def fell(self, _trouble: object) -> None: ...

    def helped(self, _trouble: object, _now: object) -> None: ...


def lived(town: Made, desk: AnyDesk, until: datetime) -> list[Told]:
    """All calls about the elder that the line places until then, in a town that has been planned."""
    log = Log()
    script = Script(town)
    Town(script.rates, script.chance, script, desk, log).run(until)
    return log.calls
