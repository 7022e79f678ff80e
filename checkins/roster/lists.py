"""The lists of a roster that a spreadsheet names (sheet.py has judged them): which are others than there are, and all
of those written at once. One after the other, and each checked, they are changed by edits.py."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, insert, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from checkins.roster import edits
from checkins.roster.tables import RosterChange, RosterFamily, RosterPair, RosterShift, RosterSubstitute
from checkins.roster.values import Roster, Rotation, Shift
from storage.database import Base
from storage.ready_rows import ReadyRows, ready_rows

_AT_ONCE = 500  # ids in one statement
_Row = dict[str, Any]


@dataclass
class Lists:
    """By ids. What is not named stays as it is."""

    pairs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    pair_substitutes: dict[tuple[str, str], list[str]] = field(default_factory=lambda: defaultdict(list))
    substitutes: list[str] = field(default_factory=list)
    family: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    turns: list[str] = field(default_factory=list)
    beginning: tuple[date, int, int, date | None] | None = None  # first day, clock time, days of a turn, end
    deputy: str | None = None
    shifts: dict[str, list[Shift]] = field(default_factory=lambda: defaultdict(list))
    hours: list[tuple[int, int]] = field(default_factory=list)
    street: tuple[str, str] | None = None

    @property
    def rotation(self) -> Rotation | None:
        if self.beginning is None or not self.turns:
            return None
        first, minute, days, until = self.beginning
        return Rotation(tuple(self.turns), first, first.weekday(), minute, days, until)

    def __len__(self) -> int:
        many = len(self.pairs) + len(self.pair_substitutes) + len(self.family) + len(self.shifts)
        one = bool(self.substitutes), self.rotation is not None, self.deputy is not None, bool(self.hours)
        return many + sum(one) + (self.street is not None)


def differing(roster: Roster, lists: Lists) -> Lists:
    """Those that are not as they should be."""
    rotation = lists.rotation if lists.rotation != roster.rotation else None
    street = roster.street and (roster.street.name, roster.street.number)
    return Lists(
        pairs={elder: people for elder, people in lists.pairs.items() if _buddies(roster, elder) != people},
        pair_substitutes={
            (elder, buddy): people
            for (elder, buddy), people in lists.pair_substitutes.items()
            if _substitutes(roster, elder).get(buddy) != tuple(people)
        },
        substitutes=lists.substitutes if roster.substitutes != tuple(lists.substitutes) else [],
        family={who: people for who, people in lists.family.items() if roster.family.get(who, ()) != tuple(people)},
        turns=lists.turns if rotation else [],
        beginning=lists.beginning if rotation else None,
        deputy=lists.deputy if lists.deputy != roster.deputy_id else None,
        shifts={who: times for who, times in lists.shifts.items() if roster.shifts.get(who, ()) != _in_order(times)},
        hours=lists.hours if roster.calendar.hours != tuple(lists.hours) else [],
        street=lists.street if lists.street != street else None,
    )


@dataclass(frozen=True)
class Ready:
    """What `put` writes, without the few lists of the neighbourhood itself. `ended`: pairs, `replaced`: those that get
    other `substitutes`; whose family and whose shifts are others."""

    lists: Lists = field(repr=False)
    ended: Sequence[int]
    replaced: Sequence[int]
    pairs: ReadyRows
    substitutes: Mapping[tuple[str, str], Sequence[str]] = field(repr=False)
    family: ReadyRows
    shifts: ReadyRows
    notes: ReadyRows
    by: str
    now: datetime


def made_ready(session: Session, place_id: int, roster: Roster, lists: Lists, by: str, now: datetime) -> Ready:
    """Only looks. `lists` stand instead of those of `roster`, on the word of `by`. RosterError without a name."""
    by, notes = edits.word(by), list[tuple[str, _Row]]()
    ended, pairs, substitutes = _pairs(session, place_id, roster, lists, notes)
    notes += [
        ("substitutes", {"elder": elder, "buddy": buddy, "people": [*people]})
        for (elder, buddy), people in substitutes.items()
    ]
    notes += [("family", {"elder": elder, "people": [*people]}) for elder, people in lists.family.items()]
    shifts = _shifts(place_id, lists, notes)
    rows = _pair_rows(session, place_id) if substitutes else {}
    at = {"neighbourhood_id": place_id, "at": now, "who": by}
    dialect = session.get_bind().dialect
    return Ready(
        lists,
        ended,
        [rows[elder][buddy][0] for elder, buddy in substitutes if buddy in rows.get(elder, {})],
        ready_rows(dialect, RosterPair, pairs),
        substitutes,
        ready_rows(dialect, RosterFamily, _family(place_id, lists)),
        ready_rows(dialect, RosterShift, shifts),
        ready_rows(dialect, RosterChange, [{**at, "what": what, "detail": detail} for what, detail in notes]),
        by,
        now,
    )


def put(session: Session, place_id: int, ready: Ready) -> None:
    _delete(session, RosterSubstitute, RosterSubstitute.pair_id, [*ready.ended, *ready.replaced])
    _delete(session, RosterPair, RosterPair.id, ready.ended)
    ready.pairs.write(session)
    _add_substitutes(session, place_id, ready.substitutes)
    _delete(session, RosterFamily, RosterFamily.elder_id, list(ready.lists.family))
    ready.family.write(session)
    _delete(session, RosterShift, RosterShift.person_id, list(ready.lists.shifts))
    ready.shifts.write(session)
    ready.notes.write(session)
    _put_duty(session, place_id, ready.lists, ready.by, ready.now)


def _put_duty(session: Session, place_id: int, lists: Lists, by: str, now: datetime) -> None:
    if lists.substitutes:
        edits.set_substitutes(session, place_id, lists.substitutes, by, now)
    if lists.rotation is not None:
        edits.set_rotation(session, place_id, lists.rotation, by, now)
    if lists.deputy is not None:
        edits.set_deputy(session, place_id, lists.deputy, by, now)
    if lists.hours:
        edits.set_working_hours(session, place_id, tuple(lists.hours), by, now)
    if lists.street is not None:
        edits.set_street(session, place_id, *lists.street, by, now)


# ── pairs ─────────────────────────────────────────────────────────────────────────────────────────


def _pairs(
    session: Session, place_id: int, roster: Roster, lists: Lists, notes: list[tuple[str, _Row]]
) -> tuple[list[int], list[_Row], dict[tuple[str, str], Sequence[str]]]:
    """Which pairs end (from the first that differs on), which are made, and the substitutes that go with them; those of
    who stays stay."""
    rows = _pair_rows(session, place_id)
    ended: list[int] = []
    made: list[_Row] = []
    substitutes: dict[tuple[str, str], Sequence[str]] = {}
    for elder, buddies in lists.pairs.items():
        old, known = rows.get(elder, {}), _substitutes(roster, elder)
        same = _same(list(old), buddies)
        places = [old[buddy][1] for buddy in buddies[:same]]
        for buddy in list(old)[same:]:
            ended.append(old[buddy][0])
            notes.append(("unpair", {"elder": elder, "buddy": buddy}))
        for position, buddy in enumerate(buddies[same:], start=max(places, default=-1) + 1):
            pair = {"elder_id": elder, "buddy_id": buddy}
            made.append({"neighbourhood_id": place_id, **pair, "position": position})
            notes.append(("pair", {"elder": elder, "buddy": buddy}))
            if known.get(buddy):
                substitutes[elder, buddy] = known[buddy]
    return ended, made, substitutes | lists.pair_substitutes


def _add_substitutes(session: Session, place_id: int, wanted: Mapping[tuple[str, str], Sequence[str]]) -> None:
    rows = _pair_rows(session, place_id) if wanted else {}
    added = [
        {"neighbourhood_id": place_id, "pair_id": rows[elder][buddy][0], "position": position, "person_id": person}
        for (elder, buddy), people in wanted.items()
        for position, person in enumerate(people)
    ]
    if added:
        session.connection().execute(insert(RosterSubstitute), added)


def _pair_rows(session: Session, place_id: int) -> dict[str, dict[str, tuple[int, int]]]:
    """By elder and buddy, in their order: id and position."""
    rows: dict[str, dict[str, tuple[int, int]]] = defaultdict(dict)
    query = select(RosterPair.elder_id, RosterPair.buddy_id, RosterPair.id, RosterPair.position)
    query = query.where(RosterPair.neighbourhood_id == place_id).order_by(RosterPair.position, RosterPair.id)
    for elder, buddy, number, position in session.execute(query):
        rows[elder][buddy] = number, position
    return rows


def _same(old: Sequence[str], new: Sequence[str]) -> int:
    """How many are the same from the first on."""
    most = min(len(old), len(new))
    return next((at for at in range(most) if old[at] != new[at]), most)


def _buddies(roster: Roster, elder_id: str) -> list[str]:
    return [pair.buddy_id for pair in roster.pairs.get(elder_id, ())]


def _substitutes(roster: Roster, elder_id: str) -> dict[str, tuple[str, ...]]:
    return {pair.buddy_id: pair.substitutes for pair in roster.pairs.get(elder_id, ())}


# ── family and shifts ─────────────────────────────────────────────────────────────────────────────


def _family(place_id: int, lists: Lists) -> list[_Row]:
    return [
        {"neighbourhood_id": place_id, "elder_id": elder, "position": position, "person_id": person}
        for elder, people in lists.family.items()
        for position, person in enumerate(people)
    ]


def _shifts(place_id: int, lists: Lists, notes: list[tuple[str, _Row]]) -> list[_Row]:
    found: list[_Row] = []
    for person, shifts in lists.shifts.items():
        times = [[shift.weekday, shift.begins, shift.ends] for shift in shifts]
        notes.append(("shifts", {"person": person, "shifts": times}))
        here = {"neighbourhood_id": place_id, "person_id": person}
        found += [{**here, "weekday": weekday, "begins": begins, "ends": ends} for weekday, begins, ends in times]
    return found


def _in_order(shifts: Iterable[Shift]) -> tuple[Shift, ...]:
    return tuple(sorted(shifts, key=lambda shift: (shift.weekday, shift.begins)))


# ── rows ──────────────────────────────────────────────────────────────────────────────────────────


def _delete(session: Session, table: type[Base], column: InstrumentedAttribute[Any], ids: Sequence[Any]) -> None:
    for at in range(0, len(ids), _AT_ONCE):
        among: ColumnElement[bool] = column.in_(ids[at : at + _AT_ONCE])
        session.execute(delete(table).where(among), execution_options={"synchronize_session": False})
