"""The preview of a ladder: what would happen to this elder on that day, by policies that nobody has saved yet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from checkins.claims import Trunk
from checkins.people import stops_calls
from checkins.rehearsal import foresee
from checkins.rehearsal.foresee import Policies, Question
from checkins.rehearsal.lone_case import rehearse
from checkins.rehearsal.values import Answers, Happens
from checkins.roster.tables import RosterPair
from checkins.roster.values import Roster
from checkins.schedule import at_minute, local_date, read_minute
from checkins.tables import GONE, Neighbourhood, Person, Role
from console import preview_words
from console.preview_words import Line
from console.roster_words import day_zh

DAYS = 14
_HORIZON = timedelta(hours=30)
_MOST_CALLS = 60
_BUTTON_AT = "20:00"
_NAMES = 50

RosterOf = Callable[[Session, int], Roster]


@dataclass(frozen=True)
class Asked:
    """What the form of the preview says, whatever it is."""

    elder: str = field(default="", repr=False)
    day: str = ""
    happens: str = ""
    answers: str = ""
    at: str = ""

    @classmethod
    def of(cls, typed: Mapping[str, str]) -> Asked:
        names = ("elder", "day", "happens", "answers", "at")
        return cls(*(typed.get(f"if-{name}", "").strip()[:100] for name in names))


@dataclass(frozen=True)
class Preview:
    """`wrong`: why there are no lines. `question`: as it was understood, to stand in the form."""

    elder: str = field(repr=False)
    elder_id: str
    question: Question
    at: str
    head: str = field(repr=False)
    lines: tuple[Line, ...]
    wrong: str = ""

    @property
    def lacks(self) -> bool:
        return any(line.kind == "lack" for line in self.lines)


def days(place: Neighbourhood, now: datetime) -> list[tuple[str, str]]:
    """Tomorrow and the days after it."""
    today = local_date(place.timezone, now)
    ahead = [today + timedelta(days=later) for later in range(1, DAYS + 1)]
    return [(day.isoformat(), f"{'明天 ' if day == ahead[0] else ''}{day_zh(day)}") for day in ahead]


def names(session: Session, place_id: int) -> list[str]:
    """Some, to choose from."""
    query = _elders(place_id).order_by(Person.name).limit(_NAMES)
    return [person.name for person in session.scalars(query)]


def question(place: Neighbourhood, asked: Asked, now: datetime) -> Question:
    """What isn't said, or can't be read, is what is asked most."""
    ahead = [date.fromisoformat(day) for day, _ in days(place, now)]
    day = next((one for one in ahead if one.isoformat() == asked.day), ahead[0])
    happens = Happens(asked.happens) if asked.happens in list(Happens) else Happens.NO_ANSWER
    answers = Answers(asked.answers) if asked.answers in list(Answers) else Answers.NOBODY
    try:
        minute = read_minute(asked.at or _BUTTON_AT)
    except ValueError:
        minute = read_minute(_BUTTON_AT)
    return Question(day, happens, answers, minute)


def chosen(session: Session, place_id: int, asked: str) -> Person | str:
    """The elder of that name or id; without one, somebody who has a buddy. A sentence when there is nobody."""
    query = _elders(place_id)
    if asked:
        query = query.where(or_(Person.id == asked, Person.name == asked, Person.spoken_name == asked))
    else:
        paired = select(RosterPair.id).where(RosterPair.elder_id == Person.id).exists()
        query = query.order_by(paired.desc(), Person.name)
    found = session.scalars(query.limit(2)).all()
    if not found:
        return "没有叫这个名字的老人。No elder has this name." if asked else "还没有老人。There is no elder yet."
    if asked and len(found) > 1:
        return "有几位老人叫这个名字：请从老人的页面打开。Several have this name: open it from the elder's page."
    return found[0]


def _elders(place_id: int) -> Select[Person]:
    return select(Person).where(
        Person.neighbourhood_id == place_id, Person.role == Role.ELDER, Person.state.not_in(GONE)
    )


def preview(
    session: Session,
    place: Neighbourhood,
    elder: Person,
    asks: Question,
    policies: Policies,
    roster: Roster,
    trunk: Trunk,
) -> Preview:
    given = foresee.given(session, place, elder, asks, policies, roster, trunk)
    at = f"{asks.minute // 60:02}:{asks.minute % 60:02}"
    head = f"{elder.spoken_name} {day_zh(asks.day)}：{preview_words.HAPPENS_ZH[asks.happens][0]}"
    if given is None:
        wrong = "这一天不会打给这位老人（暂停、搬走或去世）。Nobody calls this elder on that day."
        return Preview(elder.name, elder.id, asks, at, head, (), wrong)
    if given.reason is not None and stops_calls(elder):
        head = f"{elder.spoken_name} {day_zh(asks.day)}：不由机器打"
    until = at_minute(place.timezone, asks.day, 0) + _HORIZON
    lines = preview_words.lines(given, rehearse(given, until, _MOST_CALLS), elder.spoken_name)
    return Preview(elder.name, elder.id, asks, at, head, tuple(lines))
