"""The register as spreadsheets: the workbook that comes in again as it went out, and the list that a committee hands
upward. Nobody types anything twice; nothing here counts what anybody did."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import register_log
from checkins.consents import HOW_ZH
from checkins.people_csv import HEADINGS, NOTHING, SHEET, text_of, value_of
from checkins.phones import national
from checkins.register_log import Source
from checkins.roster import sheet as roster_sheet
from checkins.roster.loading import load
from checkins.schedule import local_date
from checkins.tables import GONE, Neighbourhood, Person, Role

Rows = list[list[str]]
UPWARD = ("序号", "居委会", "姓名", "住址", "电话", "老伙伴", "老伙伴电话", "家属", "家属电话")
_SOURCES = ("登记号", "姓名", "栏目", "来源", "怎么说的", "日期", "谁登记", "登记日期")


def register_book(session: Session, place: Neighbourhood, now: datetime) -> dict[str, Rows]:
    """People, roster, and who said what: by the names of their sheets. The first two are read in again."""
    people = _people(session, place)
    return {
        SHEET[0]: people_rows(people),
        roster_sheet.SHEET[0]: roster_sheet.table_of(session, place.id, now),
        "来源": _source_rows(session, people, place.timezone),
    }


def people_rows(people: Sequence[Person]) -> Rows:
    return [[names[1] for names in HEADINGS.values()], *map(_row, people)]


def upward(session: Session, place: Neighbourhood, now: datetime) -> tuple[Rows, int]:
    """Elders with address, buddy and family, as a street office asks for them, and how many are left out because they
    have not agreed that it hears of them. Buddies and family are named only to whom the elder shares with them."""
    people = {person.id: person for person in _people(session, place)}
    roster = load(session, place.id, now)
    elders = [person for person in people.values() if person.role == Role.ELDER and person.state not in GONE]
    agreed = [person for person in elders if person.consents.get("street")]
    rows = [list(UPWARD)]
    for number, elder in enumerate(agreed, start=1):
        pairs = [pair.buddy_id for pair in roster.pairs.get(elder.id, ())] if elder.consents.get("buddy") else []
        family = list(roster.family.get(elder.id, ())) if elder.consents.get("family") else []
        home = [str(number), place.committee, elder.name, elder.address or "", national(elder.number)]
        rows.append(home + _who(people, pairs) + _who(people, family))
    return rows, len(elders) - len(agreed)


def _people(session: Session, place: Neighbourhood) -> list[Person]:
    query = select(Person).where(Person.neighbourhood_id == place.id)
    order = {role: at for at, role in enumerate(Role)}
    return sorted(session.scalars(query), key=lambda one: (order[Role(one.role)], one.name, one.id))


def _row(person: Person) -> list[str]:
    cells = {"id": person.id, "until": "" if person.state_until is None else person.state_until.isoformat()}
    if person.state != "paused":
        cells["until"] = ""
    columns = [column for column in HEADINGS if column not in ("id", "until", "source", "date")]
    cells |= {column: text_of(column, value_of(person, column)) for column in columns}
    cells["phone"] = cells["phone"] or NOTHING[0]
    return [cells.get(column, "") for column in HEADINGS]


def _who(people: Mapping[str, Person], ids: Sequence[str]) -> list[str]:
    """Names and numbers, of several one under the other."""
    there = [people[one] for one in ids if one in people and people[one].state not in GONE]
    return ["、".join(one.name for one in there), "、".join(national(one.number) for one in there)]


def _source_rows(session: Session, people: Sequence[Person], zone: str) -> Rows:
    known = register_log.sources(session, [person.id for person in people])
    return [list(_SOURCES), *(row for one in people for row in _sources_of(one, known.get(one.id, {}), zone))]


def _sources_of(person: Person, known: Mapping[str, Source], zone: str) -> Iterator[list[str]]:
    """Each field that says something, also when nobody wrote down who said so."""
    for column, names in HEADINGS.items():
        if column in ("id", "until", "source", "date"):
            continue
        source = known.get(column)
        if source is not None:
            noted = [source.by, local_date(zone, source.at).isoformat()]
            on = source.on.isoformat() if source.on else ""
            yield [person.id, person.name, names[1], source.said_by or "", HOW_ZH.get(source.how or "", ""), on, *noted]
        elif text_of(column, value_of(person, column)):
            yield [person.id, person.name, names[1], "", "", "", "", ""]
