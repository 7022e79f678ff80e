"""Keeping the roster: what is written is what is loaded, what makes no sense is refused, and who said so is kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.people import set_number, set_state
from checkins.phones import NumberError
from checkins.roster import edits
from checkins.roster.gaps import GapKind, gaps
from checkins.roster.loading import load
from checkins.roster.resolve import buddies_for, family_of, on_duty, street
from checkins.roster.tables import RosterChange, RosterLeave
from checkins.roster.values import Kind, Override, Pair, Roster, Rotation, Shift
from checkins.tables import Neighbourhood, NumberState, Person, Role, State
from storage.database import Base, Database
from tests.unit.checkins.roster.street import MONDAY, SATURDAY, TUESDAY, WEDNESDAY, at, ids

BY = "陈静"
NOW = at(MONDAY, "09:00")
NOON = at(TUESDAY, "12:00")
PEOPLE = {
    "wang": Role.ELDER,
    "he": Role.ELDER,
    "li": Role.BUDDY,
    "zhang": Role.BUDDY,
    "zhou": Role.BUDDY,
    "chen": Role.STAFF,
    "wu": Role.STAFF,
    "daughter": Role.FAMILY,
    "son": Role.FAMILY,
}
Edit = Callable[[Session, int], object]


class Book:
    """A roster on a real database."""

    def __init__(self, url: str) -> None:
        self.db = Database(url)
        Base.metadata.create_all(self.db.engine)
        with self.db.write() as session:
            here, there = (Neighbourhood(name=name, committee=name + "居委会") for name in ("曹杨", "新村"))
            session.add_all((here, there))
            session.flush()
            self.place_id, self.elsewhere = here.id, there.id
            session.add_all(self._person(here.id, each, role) for each, role in PEOPLE.items())
            session.add(self._person(there.id, "stranger", Role.STAFF))

    def _person(self, place_id: int, name: str, role: Role) -> Person:
        number = f"+8613800000{len(name):03d}"
        consents = {"buddy": True, "family": True} if role is Role.ELDER else {}
        names = {"id": name, "name": name, "spoken_name": name}
        return Person(neighbourhood_id=place_id, role=role, number=number, consents=consents, **names)

    def edit(self, change: Edit) -> None:
        with self.db.write() as session:
            change(session, self.place_id)

    def load(self, when: datetime = NOW) -> Roster:
        with self.db.read() as session:
            return load(session, self.place_id, when)

    def history(self) -> list[RosterChange]:
        with self.db.read() as session:
            return list(session.scalars(select(RosterChange).order_by(RosterChange.id)))


@pytest.fixture
def book(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Book]:
    book = Book(f"sqlite:///{tmp_path_factory.mktemp('roster')}/wenan.db")
    yield book
    book.db.close()


def fill(session: Session, place: int) -> None:
    """An example week, as docs/roster.md has it."""
    edits.pair(session, "wang", "li", BY, NOW)
    edits.pair(session, "wang", "zhang", BY, NOW)
    edits.pair(session, "he", "zhang", BY, NOW)
    edits.set_pair_substitutes(session, "wang", "li", ["zhou", "zhang"], BY, NOW)
    edits.set_substitutes(session, place, ["zhou"], BY, NOW)
    edits.set_shifts(session, "zhou", [Shift(1, 540, 720), Shift(3, 540, 720)], BY, NOW)
    edits.set_rotation(session, place, Rotation(("chen", "wu", "chen"), MONDAY, until=date(2026, 9, 1)), BY, NOW)
    edits.set_deputy(session, place, "wu", BY, NOW)
    edits.set_working_hours(session, place, ((510, 690), (810, 1020)), BY, NOW)
    edits.set_family(session, "wang", ["son", "daughter"], BY, NOW)
    edits.set_street(session, place, "曹杨新村街道", "62345678", BY, NOW)
    edits.set_working_day(session, MONDAY, False, BY, NOW)


def test_what_is_written_is_what_is_loaded(any_url: str) -> None:
    book = Book(any_url)
    book.edit(fill)
    book.edit(lambda session, _: edits.put_on_leave(session, "li", NOW, at(WEDNESDAY, "00:00"), BY, NOW))
    book.edit(lambda session, _: edits.override(session, "wu", NOW, NOON, BY, NOW, instead_of="chen"))
    roster = book.load()
    book.db.close()
    assert roster.pairs["wang"] == (Pair("wang", "li", ("zhou", "zhang")), Pair("wang", "zhang"))
    assert roster.pairs["he"] == (Pair("he", "zhang"),)
    assert roster.substitutes == ("zhou",)
    assert roster.shifts == {"zhou": (Shift(1, 540, 720), Shift(3, 540, 720))}
    assert roster.rotation == Rotation(("chen", "wu", "chen"), MONDAY, until=date(2026, 9, 1))
    assert (roster.deputy_id, roster.calendar.hours) == ("wu", ((510, 690), (810, 1020)))
    assert roster.calendar.days == {MONDAY: False}
    assert roster.family == {"wang": ("son", "daughter")}
    assert [(each.number, each.kind) for each in street(roster)] == [("+862162345678", Kind.STREET)]
    assert [(each.begins, each.ends) for each in roster.leave["li"]] == [(NOW, at(WEDNESDAY, "00:00"))]
    assert roster.overrides == (Override("wu", NOW, NOON, instead_of="chen"),)
    assert set(roster.people) == set(PEOPLE) - {"wang", "he"}


def test_the_example_week_rings_whom_it_should(book: Book) -> None:
    book.edit(fill)
    roster = book.load()
    assert ids(buddies_for(roster, "wang", at(TUESDAY, "10:00"))) == ["li", "zhang", "zhou"]
    assert ids(buddies_for(roster, "wang", NOON)) == ["li", "zhang"]
    assert ids(family_of(roster, "wang", NOON)) == ["son", "daughter"]
    assert [each and each.id for each in (on_duty(roster, NOON).first, on_duty(roster, NOON).deputy)] == ["chen", "wu"]


def test_a_neighbourhood_whose_roster_nobody_has_written_loads_empty(book: Book) -> None:
    roster = book.load()
    assert (roster.pairs, roster.rotation, roster.street) == ({}, None, None)
    kinds = [gap.kind for gap in gaps(roster, NOW, NOW + timedelta(days=1))]
    assert kinds == [GapKind.NO_BUDDY, GapKind.NO_DUTY]


def test_who_changed_what_is_kept(book: Book) -> None:
    book.edit(fill)
    book.edit(lambda session, _: edits.unpair(session, "wang", "li", " 吴强 ", NOW))
    rows = book.history()
    assert [row.what for row in rows[:3]] == ["pair"] * 3
    assert (rows[-1].what, rows[-1].who, rows[-1].at) == ("unpair", "吴强", NOW)
    assert rows[-1].detail == {"elder": "wang", "buddy": "li"}
    assert {row.neighbourhood_id for row in rows} == {book.place_id, None}  # the calendar is everybody's
    assert not [row for row in rows if "62345678" in str(row.detail)]


def test_a_pair_that_ends_takes_its_substitutes_along(book: Book) -> None:
    book.edit(fill)
    book.edit(lambda session, _: edits.unpair(session, "wang", "li", BY, NOW))
    assert book.load().pairs["wang"] == (Pair("wang", "zhang"),)
    book.edit(lambda session, _: edits.pair(session, "wang", "li", BY, NOW))
    assert book.load().pairs["wang"] == (Pair("wang", "zhang"), Pair("wang", "li"))  # comes last, as somebody new


def test_a_list_replaces_the_one_before(book: Book) -> None:
    book.edit(fill)

    def again(session: Session, place: int) -> None:
        edits.set_substitutes(session, place, ["zhang", "zhou"], BY, NOW)
        edits.set_pair_substitutes(session, "wang", "li", [], BY, NOW)
        edits.set_shifts(session, "zhou", [], BY, NOW)
        edits.set_rotation(session, place, Rotation(("wu",), TUESDAY), BY, NOW)
        edits.set_family(session, "wang", ["daughter"], BY, NOW)
        edits.set_deputy(session, place, None, BY, NOW)
        edits.set_street(session, place, "", None, BY, NOW)
        edits.set_working_day(session, MONDAY, None, BY, NOW)

    book.edit(again)
    roster = book.load()
    assert roster.substitutes == ("zhang", "zhou")
    assert roster.pairs["wang"][0] == Pair("wang", "li")
    assert (roster.shifts, roster.rotation) == ({}, Rotation(("wu",), TUESDAY))
    assert (roster.family, roster.deputy_id, roster.street) == ({"wang": ("daughter",)}, None, None)
    assert roster.calendar.days == {}
    book.edit(lambda session, place: edits.set_rotation(session, place, None, BY, NOW))
    assert book.load().rotation is None


def test_back_from_leave_before_time(book: Book) -> None:
    book.edit(fill)
    book.edit(lambda session, _: edits.put_on_leave(session, "li", NOW, at(SATURDAY, "00:00"), BY, NOW))
    book.edit(lambda session, _: edits.put_on_leave(session, "li", NOON, at(SATURDAY, "00:00"), BY, NOW))
    with book.db.read() as session:
        begun, ahead = session.scalars(select(RosterLeave.id).order_by(RosterLeave.id))
    back = at(TUESDAY, "08:00")
    book.edit(lambda session, _: edits.end_leave(session, begun, BY, back))
    book.edit(lambda session, _: edits.end_leave(session, ahead, BY, back))  # not begun: as if it had never been
    assert [(each.begins, each.ends) for each in book.load().leave["li"]] == [(NOW, back)]
    assert ids(buddies_for(book.load(back), "wang", NOON))[0] == "li"
    with pytest.raises(ValueError, match="no such leave"):
        book.edit(lambda session, _: edits.end_leave(session, ahead, BY, back))


def test_an_override_taken_back_ends_now(book: Book) -> None:
    book.edit(fill)
    found: list[int] = []
    book.edit(lambda session, _: found.append(edits.override(session, "zhou", NOW, NOON, BY, NOW, instead_of="li")))
    assert ids(buddies_for(book.load(), "wang", NOW))[0] == "zhou"
    later = NOW + timedelta(hours=1)
    book.edit(lambda session, _: edits.end_override(session, found[0], BY, later))
    assert ids(buddies_for(book.load(), "wang", later))[0] == "li"
    with pytest.raises(ValueError, match="over already"):
        book.edit(lambda session, _: edits.end_override(session, found[0], BY, later))


def test_what_is_over_is_not_loaded(book: Book) -> None:
    book.edit(lambda session, _: edits.put_on_leave(session, "li", NOW, NOON, BY, NOW))
    book.edit(lambda session, _: edits.override(session, "zhou", NOW, NOON, BY, NOW, instead_of="li"))
    assert (book.load(NOON).leave, book.load(NOON).overrides) == ({}, ())


def test_the_register_decides_who_can_be_rung(book: Book) -> None:
    book.edit(fill)

    def changed(session: Session, _place: int) -> None:
        set_state(session, "li", State.MOVED, BY, NOW)
        set_state(session, "zhang", State.PAUSED, BY, NOW, until=TUESDAY)
        session.get_one(Person, "son").number_state = NumberState.BAD

    book.edit(changed)
    roster = book.load()
    assert ids(buddies_for(roster, "wang", at(TUESDAY, "10:00"))) == ["zhou"]
    assert ids(buddies_for(roster, "wang", at(WEDNESDAY, "10:00"))) == ["zhang"]  # back; zhou's shift is tomorrow
    assert ids(family_of(roster, "wang", NOON)) == ["daughter"]
    missing = [gap.who for gap in gaps(roster, NOW, NOON) if gap.kind is GapKind.NO_NUMBER]
    assert missing == [("son",)]
    book.edit(lambda session, _: set_number(session, "son", "13800000123"))
    assert ids(family_of(book.load(), "wang", NOON)) == ["son", "daughter"]


def test_consent_taken_back_counts_from_the_next_call_on_and_not_in_an_emergency(book: Book) -> None:
    book.edit(fill)

    def refuse(session: Session, _place: int) -> None:
        session.get_one(Person, "wang").consents = {"calls": True}

    book.edit(refuse)
    roster = book.load()
    assert buddies_for(roster, "wang", NOON) == family_of(roster, "wang", NOON) == ()
    assert ids(buddies_for(roster, "wang", NOON, emergency=True))[0] == "li"
    assert ids(buddies_for(roster, "he", NOON)) == ["zhang"]


def test_elders_who_died_or_moved_lack_nobody(book: Book) -> None:
    book.edit(lambda session, _: set_state(session, "wang", State.DIED, BY, NOW))
    book.edit(lambda session, _: set_state(session, "he", State.REFUSED, BY, NOW))
    assert set(book.load().elders) == {"he"}  # who refuses the machine is visited all the same


ROTATION = Rotation(("chen", "wu"), MONDAY)
REFUSED: dict[str, tuple[Edit, str]] = {
    "nobody says so": (lambda s, _: edits.pair(s, "wang", "li", " ", NOW), "say who"),
    "an elder as a buddy": (lambda s, _: edits.pair(s, "wang", "he", BY, NOW), "an elder; a buddy or staff"),
    "a buddy as an elder": (lambda s, _: edits.pair(s, "li", "zhang", BY, NOW), "a buddy; an elder"),
    "somebody unknown": (lambda s, _: edits.pair(s, "wang", "ghost", BY, NOW), "nobody like this"),
    "somebody of elsewhere": (lambda s, _: edits.pair(s, "wang", "stranger", BY, NOW), "another neighbourhood"),
    "a pair twice": (lambda s, _: edits.pair(s, "he", "zhang", BY, NOW), "pair already"),
    "no pair": (lambda s, _: edits.unpair(s, "he", "li", BY, NOW), "no pair"),
    "twice on a list": (lambda s, p: edits.set_substitutes(s, p, ["li", "li"], BY, NOW), "named twice"),
    "herself": (lambda s, _: edits.set_pair_substitutes(s, "wang", "li", ["li"], BY, NOW), "themselves"),
    "a shift at night": (lambda s, _: edits.set_shifts(s, "li", [Shift(0, 420, 600)], BY, NOW), "08:00 to 21:00"),
    "leave of an elder": (lambda s, _: edits.put_on_leave(s, "wang", NOW, NOON, BY, NOW), "pause their calls"),
    "leave that is over": (lambda s, _: edits.put_on_leave(s, "li", NOW, NOON, BY, NOON), "over already"),
    "leave that ends first": (lambda s, _: edits.put_on_leave(s, "li", NOON, NOW, BY, NOW), "before it ends"),
    "a volunteer on duty": (
        lambda s, _: edits.override(s, "li", NOW, NOON, BY, NOW, instead_of="chen"),
        "only staff",
    ),
    "instead of nobody": (lambda s, _: edits.override(s, "li", NOW, NOON, BY, NOW), "instead of whom"),
    "elder of elsewhere": (
        lambda s, _: edits.override(s, "stranger", NOW, NOON, BY, NOW, elder_id="wang"),
        "another neighbourhood",
    ),
    "a buddy in the rotation": (
        lambda s, p: edits.set_rotation(s, p, replace(ROTATION, people=("li",)), BY, NOW),
        "a buddy; staff",
    ),
    "a buddy as deputy": (lambda s, p: edits.set_deputy(s, p, "li", BY, NOW), "a buddy; staff"),
    "no hours": (lambda s, p: edits.set_working_hours(s, p, (), BY, NOW), "at least one"),
    "a buddy as family": (lambda s, _: edits.set_family(s, "wang", ["li"], BY, NOW), "a buddy; family"),
    "no place": (lambda s, _: edits.set_deputy(s, 99, None, BY, NOW), "no such neighbourhood"),
    "nameless street": (lambda s, p: edits.set_street(s, p, " ", "62345678", BY, NOW), "who answers"),
    "no such override": (lambda s, _: edits.end_override(s, 99, BY, NOW), "no such override"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_makes_no_sense_is_refused_in_words_and_changes_nothing(book: Book, what: str) -> None:
    book.edit(fill)
    before, kept = book.load(), len(book.history())
    edit, why = REFUSED[what]
    with pytest.raises(ValueError, match=why):
        book.edit(edit)
    assert (book.load(), len(book.history())) == (before, kept)


def test_without_consent_no_buddy_and_no_family_is_written_down(book: Book) -> None:
    def refuse(session: Session, _place: int) -> None:
        session.get_one(Person, "he").consents = {"calls": True}

    book.edit(refuse)
    with pytest.raises(ValueError, match="buddy"):
        book.edit(lambda session, _: edits.pair(session, "he", "li", BY, NOW))
    with pytest.raises(ValueError, match="family"):
        book.edit(lambda session, _: edits.set_family(session, "he", ["son"], BY, NOW))


def test_a_number_that_is_none_is_not_taken_for_the_streets(book: Book) -> None:
    with pytest.raises(NumberError):
        book.edit(lambda session, place: edits.set_street(session, place, "街道", "abc", BY, NOW))
    assert book.load().street is None
