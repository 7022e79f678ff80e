"""What is true of the people, whatever the line knows of it, and so what comes of each call to them. Seconds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from checkins.emergency import ALARM
from checkins.errands import FINDING
from checkins.ports import Disposition, PersonOutcome
from checkins.results import Result
from checkins.schedule import at_minute, local_date
from checkins.telling import TAKEN
from simulation.chance import Chance
from simulation.line import Call
from simulation.people import ZONE
from simulation.rates import Rates

RINGS = 45
_ZONE = ZoneInfo(ZONE)
Span = tuple[datetime, datetime]

_PICK_UP, _GREETING, _ANSWER, _CRY = 12, 20, 20, 8  # seconds: until picked up; of a responder's call; until 救命
_WELL_TALK = (15.0, 30.0)  # PRODUCT.md: the well path takes less than 30 s
_LONG_TALK = (40.0, 100.0)
_MORNING = (7 * 60.0, 11 * 60.0)  # when somebody goes out
_HOURS_OUT = (60.0, 240.0)
_DAY = 24 * 60.0


@dataclass(frozen=True)
class Answer:
    """What comes of a call: its end after `seconds`, a cry for help on the way, keys that say "I go"."""

    seconds: int
    disposition: Disposition
    people: tuple[PersonOutcome, ...] = ()
    cries: tuple[int, str] | None = None  # after so many seconds, who
    accepts: tuple[tuple[int, str], ...] = ()  # after so many seconds, for which elder


@dataclass(frozen=True)
class Trouble:
    """Somebody lies on the floor."""

    elder: str
    since: datetime
    can_answer: bool


@dataclass
class Life:
    rates: Rates
    chance: Chance
    outages: Sequence[Span] = ()
    trouble: dict[str, Trouble] = field(default_factory=dict)
    understood: set[str] = field(default_factory=set)  # silent ones whose answering mode somebody has corrected

    # ── days ──

    def trouble_on(self, elder: str, day: date) -> Trouble | None:
        """What befalls the elder on that day."""
        if self.chance.of("trouble", elder, day) >= self.rates.trouble:
            return None
        minute = int(self.chance.between((0, _DAY - 1), "when", elder, day))
        able = self.chance.of("able", elder, day) < self.rates.trouble_can_answer
        return Trouble(elder, at_minute(ZONE, day, minute), able)

    def at_home(self, elder: str, at: datetime) -> bool:
        day = local_date(ZONE, at)
        luck = self.chance.of("out", elder, day)
        if luck < self.rates.away:
            return False
        if luck >= self.rates.away + self.rates.out:
            return True
        leaves = _midnight(day) + timedelta(minutes=self.chance.between(_MORNING, "leaves", elder, day))
        return not leaves <= at < leaves + timedelta(minutes=self.chance.between(_HOURS_OUT, "hours", elder, day))

    def silent(self, elder: str) -> bool:
        if elder in self.understood or self.chance.of("silent", elder) >= self.rates.silent:
            return False
        return self.chance.of("corrected", elder) >= self.rates.corrected

    def hears_telephone(self, elder: str, at: datetime) -> bool:
        """At home, on their feet, and it is loud enough."""
        able = elder not in self.trouble or self.trouble[elder].can_answer
        return able and self.at_home(elder, at) and self.chance.of("hears", elder, at) >= self.rates.unheard

    # ── calls to elders ──

    def elder_call(self, call: Call) -> Answer:
        if call.flow == ALARM:
            return self._cut(call, self._alarm_call(call))
        answers = [self._elder(elder, call.at) for elder in call.elders]
        talked = [one for one in answers if one.disposition is Disposition.ANSWERED]
        if not talked:
            return self._cut(call, answers[0])
        seconds = sum(one.seconds for one in talked)
        cries = next((one.cries for one in talked if one.cries), None)
        people = tuple(person for one in talked for person in one.people)
        return self._cut(call, Answer(seconds, Disposition.ANSWERED, people, cries))

    def _alarm_call(self, call: Call) -> Answer:
        """Who is in trouble says so, if they can; else nobody has an alarm."""
        (elder,) = call.elders
        trouble = self.trouble.get(elder)
        if (trouble is not None and not trouble.can_answer) or not self.hears_telephone(elder, call.at):
            return Answer(RINGS, Disposition.NO_ANSWER)
        person = PersonOutcome(elder, "needs_help" if trouble else "says_fine", "key")
        return Answer(_PICK_UP + _GREETING, Disposition.ANSWERED, (person,))

    def _elder(self, elder: str, at: datetime) -> Answer:
        """One elder's part."""
        rates, luck = self.rates, self.chance.of("call", elder, at)
        fates = ((rates.line_error, Disposition.LINE_ERROR, 3), (rates.unknown, Disposition.UNKNOWN, 900))
        for share, disposition, seconds in fates:
            if luck < share:
                return Answer(seconds, disposition)
            luck -= share
        if elder in self.trouble:
            return self._in_trouble(self.trouble[elder])
        if not self.at_home(elder, at):
            return self._somebody_else(elder, at)
        missed = ((rates.busy, Disposition.BUSY, 2), (rates.unheard, Disposition.NO_ANSWER, RINGS))
        for share, disposition, seconds in (*missed, (rates.machine, Disposition.MACHINE, 25)):
            if luck < share:
                return Answer(seconds, disposition)
            luck -= share
        return self._talks(elder, at)

    def _in_trouble(self, trouble: Trouble) -> Answer:
        if not trouble.can_answer:
            return Answer(RINGS, Disposition.NO_ANSWER)
        person = PersonOutcome(trouble.elder, Result.EMERGENCY, "speech")
        cry = _PICK_UP + _CRY
        return Answer(cry + 120, Disposition.ANSWERED, (person,), (cry, trouble.elder))

    def _somebody_else(self, elder: str, at: datetime) -> Answer:
        lives_with = self.chance.of("others", elder) < self.rates.with_others
        if not lives_with or self.chance.of("picks up", elder, at) >= self.rates.other_answers:
            return Answer(RINGS, Disposition.NO_ANSWER)
        return self._said(elder, at, Result.OTHER_SAYS_WELL, _WELL_TALK)

    def _talks(self, elder: str, at: datetime) -> Answer:
        rates, luck = self.rates, self.chance.of("says", elder, at)
        if self.silent(elder) and luck < rates.silent_call:
            return self._said(elder, at, Result.SILENT, _LONG_TALK, "none")
        luck = self.chance.of("says then", elder, at)
        words = (
            (rates.hung_up, Result.HUNG_UP, "none"),
            (rates.not_well, Result.NOT_WELL, "key"),
            (rates.wants_person, Result.WANTS_PERSON, "key"),
            (rates.unclear, Result.PRESENT_UNCONFIRMED, "none"),
            (rates.refuses, Result.REFUSED, "key"),
            (rates.wrong_number, Result.WRONG_NUMBER, "key"),
        )
        for share, result, evidence in words:
            if luck < share:
                return self._said(elder, at, result, _LONG_TALK, evidence)
            luck -= share
        return self._said(elder, at, Result.WELL, _WELL_TALK)

    def _said(self, elder: str, at: datetime, result: Result, talk: Sequence[float], evidence: str = "key") -> Answer:
        seconds = _PICK_UP + int(self.chance.between(talk, "talk", elder, at))
        return Answer(seconds, Disposition.ANSWERED, (PersonOutcome(elder, result, evidence),))

    # ── calls to responders ──

    def responder_call(self, call: Call, found: Mapping[tuple[str, str], str]) -> Answer:
        """`found`: what responders found, by responder and elder, as far as they have."""
        who = call.responder
        assert who is not None
        if self.chance.of("picks up", who, call.at) >= self._picks_up(who, call.at):
            machine = self.chance.of("machine", who, call.at) < self.rates.machine_responder
            return self._cut(call, Answer(RINGS, Disposition.MACHINE if machine else Disposition.NO_ANSWER))
        if call.flow == FINDING:
            people = [PersonOutcome(elder, found.get((who, elder), "no_reply"), "key") for elder in call.elders]
            return self._cut(call, Answer(_length(people), Disposition.ANSWERED, tuple(people)))
        if call.flow == TAKEN:
            people = [PersonOutcome(elder, "told", "key") for elder in call.elders]
            return self._cut(call, Answer(_length(people), Disposition.ANSWERED, tuple(people)))
        people = [PersonOutcome(elder, self._word(who, call, elder), "key") for elder in call.elders]
        moments = [_PICK_UP + _GREETING + _ANSWER * (index + 1) - 5 for index in range(len(people))]
        accepts = [(at, one.id) for at, one in zip(moments, people, strict=True) if one.result == "accepted"]
        return self._cut(call, Answer(_length(people), Disposition.ANSWERED, tuple(people), None, tuple(accepts)))

    def _picks_up(self, who: str, at: datetime) -> float:
        rates, kind = self.rates, who.partition("-")[0]
        if kind == "buddy":
            return 0 if self.chance.of("ignores", who) < rates.ignoring else rates.picks_up_buddy
        if kind == "family":
            return rates.picks_up_family
        if kind == "street":
            return rates.picks_up_street
        return rates.picks_up_staff if daytime(at) else rates.picks_up_staff_night

    def _word(self, who: str, call: Call, elder: str) -> str:
        """What they press for this elder."""
        shares = {"buddy": self.rates.accepts_buddy, "family": self.rates.accepts_family}
        if self.chance.of("accepts", who, elder, call.at) < shares.get(call.purpose, self.rates.accepts_staff):
            return "accepted"
        return "no_reply" if self.chance.of("declines", who, elder, call.at) < 0.1 else "declined"

    # ── the line ──

    def _cut(self, call: Call, answer: Answer) -> Answer:
        """A trunk that is down at the call's moment, or goes down before its end."""
        for begins, ends in self.outages:
            if begins <= call.at < ends:
                return Answer(3, Disposition.LINE_ERROR)
            if call.at < begins < call.at + timedelta(seconds=answer.seconds):
                return _broken(answer, int((begins - call.at).total_seconds()))
        return answer


def _broken(answer: Answer, seconds: int) -> Answer:
    """Broken off after so many seconds: what was said before is known."""
    accepts = tuple(item for item in answer.accepts if item[0] <= seconds)
    cries = answer.cries if answer.cries and answer.cries[0] <= seconds else None
    return Answer(max(1, seconds), Disposition.INTERRUPTED, (), cries, accepts)


def _length(people: Sequence[PersonOutcome]) -> int:
    return _PICK_UP + _GREETING + _ANSWER * len(people)


def daytime(at: datetime) -> bool:
    begins = _midnight(local_date(ZONE, at))
    return timedelta(hours=8) <= at - begins < timedelta(hours=21)  # PRODUCT.md, line rules


def local_hour(at: datetime) -> int:
    return at.astimezone(_ZONE).hour


@lru_cache(maxsize=512)
def _midnight(day: date) -> datetime:
    return at_minute(ZONE, day, 0)
