"""One elder's page: the last months, who to call, what holds in the register and who said so. Personal."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import policies, register_log, register_words
from checkins.consents import PURPOSE_ZH
from checkins.contacts import CONTACT_ZH, Condition, Contact, ContactKind
from checkins.people import stops_calls
from checkins.people_csv import text_of, value_of
from checkins.register_log import PersonEvent
from checkins.register_words import STATE_ZH
from checkins.results import Reason, Result, Status
from checkins.roster.resolve import buddies_for, on_duty
from checkins.roster.values import Kind as Capacity
from checkins.roster.values import Responder, Roster
from checkins.schedule import at_minute, local_date
from checkins.tables import Checkin, IntentCheckin, Neighbourhood, NumberState, Person, Role, State
from console import elder_plot, elder_words
from console.elder_plot import Case, Plot
from console.kept import Kept
from ivr.records import CallEvent

FIELDS = ("phone", "mode", "language", "slot", "address", "key_holder", "notes", "name", "spoken_name")
MOST_EVENTS = 40
MOST_RECORDINGS = 30
_CONDITION_ZH = {Condition.FINE: "，平安", Condition.WORRIED: "，不放心", Condition.UNKNOWN: ""}


@dataclass(frozen=True)
class Call:
    """Somebody to call about them. `why`: in what capacity. Personal."""

    name: str = field(repr=False)
    number: str | None = field(repr=False)
    why: str


@dataclass(frozen=True)
class Recorded:
    """A call of which something is recorded."""

    case: int
    call_id: str
    at: datetime
    dictation: bool


@dataclass(frozen=True)
class ElderPage:
    id: str
    name: str = field(repr=False)
    spoken_name: str = field(repr=False)
    number: str | None = field(repr=False)
    number_bad: bool
    place: str
    place_id: int
    zone: str
    state: State
    until: date | None
    barred: Reason | None  # why no machine call goes out
    today: int | None  # the case of today
    open_cases: tuple[Case, ...] = field(repr=False)
    plot: Plot = field(repr=False)
    call: tuple[Call, ...] = field(repr=False)
    shares: bool  # with buddies
    facts: tuple[str, ...] = field(repr=False)  # what holds, with who said so
    entry: dict[str, str] = field(repr=False)  # as it is typed into the form
    consents: tuple[tuple[str, str, bool], ...]
    calls_zh: str
    rungs: tuple[tuple[str, tuple[str, ...]], ...] = field(repr=False)
    own_policy: bool
    recorded: tuple[Recorded, ...]
    events: tuple[PersonEvent, ...] = field(repr=False)
    more_events: bool

    @property
    def state_zh(self) -> str:
        return STATE_ZH[self.state]

    @property
    def refused(self) -> bool:
        return self.state is State.REFUSED


def look(session: Session, person_id: str, now: datetime, kept: Kept) -> ElderPage | None:
    """None: there is no such elder."""
    person = session.get(Person, person_id)
    if person is None or person.role != Role.ELDER:
        return None
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    today = local_date(place.timezone, now)
    cases = _cases(session, person.id, elder_plot.first_day(today))
    log = register_log.events(session, person.id)
    escalation = policies.escalation_in(place, person)
    roster = kept.anew(session, place.id, now)
    elder = roster.elders.get(person.id)
    return ElderPage(
        id=person.id,
        name=person.name,
        spoken_name=person.spoken_name,
        number=person.number,
        number_bad=person.number_state != NumberState.OK,
        place=place.name,
        place_id=place.id,
        zone=place.timezone,
        state=State(person.state),
        until=person.state_until,
        barred=stops_calls(person),
        today=next((case.id for case in cases if case.day == today), None),
        open_cases=tuple(case for case in cases if case.status is Status.NEEDS_PERSON),
        plot=elder_plot.plot(cases, _contacts(session, person.id, place.timezone, today), today),
        call=tuple(_who_to_call(roster, person.id, now)),
        shares=elder is not None and Capacity.BUDDY in elder.shares,
        facts=tuple(register_words.lines(session, person, place.timezone)),
        entry=entry(person),
        consents=tuple((purpose, zh, bool(person.consents.get(purpose))) for purpose, zh in PURPOSE_ZH.items()),
        calls_zh=elder_words.calls_zh(policies.call_policy(place, person)),
        rungs=(
            ("没联系上", tuple(elder_words.rungs_zh(escalation.unreached))),
            ("紧急", tuple(elder_words.rungs_zh(escalation.emergency))),
            ("说不舒服", tuple(elder_words.rungs_zh(escalation.soon))),
        ),
        own_policy=bool(person.policy or person.escalation),
        recorded=tuple(_recorded(session, person.id, elder_plot.first_day(today))),
        events=tuple(reversed(log[-MOST_EVENTS:])),
        more_events=len(log) > MOST_EVENTS,
    )


def entry(person: Person) -> dict[str, str]:
    """As it is typed into the form."""
    written = {column: text_of(column, value_of(person, column)) for column in FIELDS}
    return written | {"mode": person.mode, "language": person.language}


def _cases(session: Session, person_id: str, since: date) -> list[Case]:
    columns = (
        Checkin.id,
        Checkin.date,
        Checkin.status,
        Checkin.result,
        Checkin.reason,
        Checkin.closed_by,
        Checkin.finding,
        Checkin.ladder,
    )
    query = select(*columns).where(Checkin.elder_id == person_id)
    query = query.where((Checkin.date >= since) | (Checkin.status == Status.NEEDS_PERSON)).order_by(Checkin.date)
    return [
        Case(
            row.id,
            row.date,
            Status(row.status),
            Result(row.result) if row.result else None,
            Reason(row.reason) if row.reason else None,
            row.closed_by,
            row.finding,
            int(row.ladder.get("tries") or 0),
        )
        for row in session.execute(query)
    ]


def _contacts(session: Session, person_id: str, zone: str, today: date) -> dict[date, tuple[str, ...]]:
    """What buddies logged, by day, in sentences."""
    since = at_minute(zone, elder_plot.first_day(today), 0)
    query = select(Contact, Person.name).join(Person, Person.id == Contact.buddy_id)
    found: dict[date, list[str]] = defaultdict(list)
    for row, name in session.execute(
        query.where(Contact.elder_id == person_id, Contact.at >= since).order_by(Contact.at)
    ):
        kind, condition = CONTACT_ZH[ContactKind(row.kind)], _CONDITION_ZH[Condition(row.condition)]
        found[local_date(zone, row.at)].append(f"{name}{kind}{condition}")
    return {day: tuple(said) for day, said in found.items()}


def _who_to_call(roster: Roster, elder_id: str, now: datetime) -> Iterator[Call]:
    """Paired buddies in their order (who is away says so), the family, who is on duty now."""
    free = {one.id for one in buddies_for(roster, elder_id, now, emergency=True)}
    for pair in roster.pairs.get(elder_id, ()):
        buddy = roster.people.get(pair.buddy_id)
        if buddy is not None:
            yield _call(buddy, "老伙伴" if buddy.id in free else "老伙伴（请假或不在时段）")
    for each in roster.family.get(elder_id, ()):
        if one := roster.people.get(each):
            yield _call(one, "家属")
    duty = on_duty(roster, now)
    if duty.first is not None:
        yield _call(duty.first, "现在值班")


def _call(one: Responder, why: str) -> Call:
    return Call(one.name, one.number, why)


def _recorded(session: Session, person_id: str, since: date) -> Sequence[Recorded]:
    """The newest first."""
    query = (
        select(Checkin.id, CallEvent.call_id, CallEvent.at, CallEvent.kind, CallEvent.detail)
        .join(IntentCheckin, IntentCheckin.checkin_id == Checkin.id)
        .join(CallEvent, CallEvent.call_id == IntentCheckin.intent_id)
        .where(Checkin.elder_id == person_id, Checkin.date >= since - timedelta(days=1))
        .where(CallEvent.kind.in_(("dictation", "recording")))
        .order_by(CallEvent.at.desc(), CallEvent.id.desc())
    )
    found: dict[str, Recorded] = {}
    for case, call_id, at, kind, detail in session.execute(query):
        if detail.get("recording") or detail.get("path"):
            known = found.get(call_id)
            dictated = kind == "dictation" or (known is not None and known.dictation)
            found[call_id] = Recorded(case, call_id, known.at if known else at, dictated)
    return list(found.values())[:MOST_RECORDINGS]
