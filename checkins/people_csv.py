"""Elders from a spreadsheet: a CSV file in, all errors at once by row and column, nothing imported if there is one.

Columns (English or Chinese heading, any order): name 姓名, spoken_name 称呼, phone 电话; optional: role 角色,
language 语言, mode 方式, slot 时间 ("08:30"), consents 同意 ("calls recording", by spaces or commas), address 地址,
key_holder 钥匙, notes 备注 (as the line says them to somebody who has accepted to go and look).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import spreadsheet
from checkins.phones import to_e164
from checkins.schedule import read_minute
from checkins.tables import Mode, Neighbourhood, Person, Role

CONSENTS = ("calls", "recording", "transcription", "buddy", "family", "street")

_HEADINGS = {
    "name": ("name", "姓名"),
    "spoken_name": ("spoken_name", "称呼"),
    "phone": ("phone", "number", "电话", "电话号码"),
    "role": ("role", "角色"),
    "language": ("language", "语言"),
    "mode": ("mode", "方式", "应答方式"),
    "slot": ("slot", "时间", "时段"),
    "consents": ("consents", "同意"),
    "address": ("address", "地址"),
    "key_holder": ("key_holder", "钥匙"),
    "notes": ("notes", "备注"),
}
SPOKEN = {"address": 100, "key_holder": 100, "notes": 200}  # most characters, as the columns of Person have it
_REQUIRED = ("name", "spoken_name", "phone")
_WORDS = {
    "老人": Role.ELDER,
    "老伙伴": Role.BUDDY,
    "工作人员": Role.STAFF,
    "家属": Role.FAMILY,
    "按键": Mode.KEYS,
    "语音": Mode.VOICE,
    "人工": Mode.HUMAN,
    "上门": Mode.VISIT,
    "普通话": "zh",
    "上海话": "wuu",
    "拨打": "calls",
    "录音": "recording",
    "转写": "transcription",
    "家人": "family",
    "街道": "street",
}


@dataclass(frozen=True)
class ImportReport:
    """`errors` as sentences ("row 7, column phone: has too few digits"); when there are any, `added` is 0. `known`
    counts rows whose name and number are in the register already. `encoding` is what the file was read as.
    `spoken_names` are those of the people added (personal): prompts that say them can be made now, not in a call.
    `homes` counts known ones of whom address, key holder or notes were missing and are in the file.
    `no_consent` counts elders added whom the machine will not ring; `warnings` are sentences, too (personal)."""

    added: int
    known: int
    errors: tuple[str, ...]
    encoding: str = ""
    spoken_names: tuple[str, ...] = field(default=(), compare=False, repr=False)
    no_consent: int = 0
    warnings: tuple[str, ...] = field(default=(), repr=False)
    homes: int = 0


def import_people(session: Session, neighbourhood_id: int, path: Path) -> ImportReport:
    """Adds the people of a CSV file to the register. Row numbers are the spreadsheet's (headings are row 1)."""
    place = session.get_one(Neighbourhood, neighbourhood_id)
    try:
        table = spreadsheet.read(path, _HEADINGS, _REQUIRED)
    except spreadsheet.TableError as error:
        return ImportReport(0, 0, tuple(f"{path.name}: {sentence}" for sentence in error.sentences))
    people, errors = _people(table.rows, place)
    errors += map(str, table.faults)
    if errors:
        return ImportReport(0, 0, tuple(errors), table.encoding)
    known = [_known(session, person) for person in people]
    new = [person for person, old in zip(people, known, strict=True) if old is None]
    homes = sum(_fill_in(old, person) for person, old in zip(people, known, strict=True) if old is not None)
    warnings = tuple(warning for person in new for warning in _elsewhere(session, person))
    session.add_all(new)
    session.flush()
    names = tuple(dict.fromkeys(person.spoken_name for person in new))
    silent = sum(person.role == Role.ELDER and not person.consents.get("calls") for person in new)
    return ImportReport(len(new), len(people) - len(new), (), table.encoding, names, silent, warnings, homes)


def _people(table: Sequence[tuple[int, Mapping[str, str]]], place: Neighbourhood) -> tuple[list[Person], list[str]]:
    people, errors = [], []
    seen: dict[tuple[str, str], int] = {}
    for number, cells in table:
        values = {}
        for column, read in _readers(place).items():
            try:
                values[column] = read(cells.get(column, ""))
            except ValueError as error:
                errors.append(f"row {number}, column {column}: {error}")
        key = (str(values.get("name")), str(values.get("phone")))
        if len(values) == len(_HEADINGS):
            if key in seen:
                errors.append(f"row {number}: the same person as in row {seen[key]}")
            seen.setdefault(key, number)
            people.append(_person(values, place))
    return people, errors


def _person(values: Mapping[str, object], place: Neighbourhood) -> Person:
    plain = {column: value for column, value in values.items() if column != "phone"}
    return Person(neighbourhood_id=place.id, number=values["phone"], **plain)


def _readers(place: Neighbourhood) -> dict[str, Callable[[str], object]]:
    return {
        "name": _text,
        "spoken_name": _text,
        "phone": lambda cell: to_e164(_text(cell), place.area_code),
        "role": lambda cell: _one_of(cell, tuple(Role), Role.ELDER),
        "language": lambda cell: _one_of(cell, ("zh", "wuu"), "zh"),
        "mode": lambda cell: _one_of(cell, tuple(Mode), Mode.KEYS),
        "slot": _slot,
        "consents": read_consents,
        **{column: partial(read_spoken, most=most) for column, most in SPOKEN.items()},
    }


def _text(cell: str) -> str:
    if not cell:
        raise ValueError("is empty")
    if len(cell) > 100:
        raise ValueError("is longer than 100 characters")
    return cell


def read_spoken(cell: str, most: int) -> str | None:
    """What the line says of an elder's home; "" for nothing. Its end is the sentence's matter."""
    if len(cell) > most:
        raise ValueError(f"is longer than {most} characters")
    return cell.strip(" \t。.,;！!") or None


def _one_of(cell: str, words: tuple[str, ...], default: str) -> str:
    if not cell:
        return default
    word = str(_WORDS.get(cell, cell.lower()))
    if word not in words:
        raise ValueError(f"must be one of {', '.join(words)}")
    return word


def _slot(cell: str) -> int | None:
    if not cell:
        return None
    minute = read_minute(cell)
    if not 8 * 60 <= minute < 21 * 60:
        raise ValueError("must lie between 08:00 and 21:00")
    return minute


def read_consents(cell: str) -> dict[str, bool]:
    """ "calls recording", "拨打，录音" → purposes agreed to; "" for none. ValueError for an unknown word."""
    words = re.split(r"[\s,;\u3001\uff0c\uff1b]+", cell)  # Chinese commas and semicolons, too
    return {_one_of(word, CONSENTS, ""): True for word in words if word}


def _elsewhere(session: Session, person: Person) -> list[str]:
    """A sentence for each other neighbourhood whose register has the same name and number."""
    query = (
        select(Neighbourhood.committee)
        .join(Person, Person.neighbourhood_id == Neighbourhood.id)
        .where(Person.number == person.number, Person.name == person.name)
        .where(Neighbourhood.id != person.neighbourhood_id)
    )
    same = "is in the register with the same number, too: who moved is set to `moved` there"
    return [f"{person.name}: {committee} {same}" for committee in session.scalars(query.distinct())]


def _known(session: Session, person: Person) -> Person | None:
    same = select(Person).where(
        Person.neighbourhood_id == person.neighbourhood_id,
        Person.number == person.number,
        Person.name == person.name,
    )
    return session.scalars(same.limit(1)).first()


def _fill_in(known: Person, person: Person) -> bool:
    """What nobody has written down yet; what somebody has stays."""
    missing = [column for column in SPOKEN if getattr(known, column) is None and getattr(person, column)]
    for column in missing:
        setattr(known, column, getattr(person, column))
    return bool(missing)
