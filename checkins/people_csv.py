"""The register's columns: what a row of a spreadsheet says about somebody, and how it is written down again.

Columns (English or Chinese heading, any order): name 姓名, spoken_name 称呼, phone 电话; optional: role 角色,
language 语言, mode 方式, slot 时间 ("08:30"), consents 同意 ("calls recording", by spaces or commas), address 地址,
key_holder 钥匙, notes 备注 (as the line says them to somebody who has accepted to go and look), state 状态 and until
暂停到, source 来源 (who says so) and date 日期 (since when it is so), id 登记号 (as the export has it).

An empty cell says nothing; 无 says that there is nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cache, partial

from checkins.homes import home_of
from checkins.phones import national, to_e164
from checkins.schedule import read_minute
from checkins.spreadsheet import Fault, Table, read_date
from checkins.tables import Mode, Person, Role, State

CONSENTS = ("calls", "recording", "transcription", "buddy", "family", "street")
SHEET = ("人员", "people")  # what a workbook's sheet of people is called
HEADINGS = {
    "id": ("id", "登记号"),
    "name": ("name", "姓名"),
    "spoken_name": ("spoken_name", "称呼"),
    "phone": ("phone", "电话", "number", "电话号码", "联系电话", "手机", "手机号码"),
    "role": ("role", "角色"),
    "language": ("language", "语言"),
    "mode": ("mode", "方式", "应答方式"),
    "slot": ("slot", "时间", "时段"),
    "consents": ("consents", "同意"),
    "address": ("address", "地址", "住址"),
    "key_holder": ("key_holder", "钥匙"),
    "notes": ("notes", "备注"),
    "state": ("state", "状态"),
    "until": ("until", "暂停到"),
    "source": ("source", "来源"),
    "date": ("date", "日期"),
}
SPOKEN = {"address": 100, "key_holder": 100, "notes": 200}  # most characters, as the columns of Person have it
REQUIRED = ("name", "spoken_name", "phone")
NOTHING = ("无", "-", "—", "/")
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
    "正常": State.ACTIVE,
    "暂停": State.PAUSED,
    "不要自动电话": State.REFUSED,
    "搬走": State.MOVED,
    "搬走了": State.MOVED,
    "已故": State.DIED,
}
_ZH = {str(word): zh for zh, word in reversed(_WORDS.items())}  # of two words the first
_PURPOSE_ZH = {**_ZH, "family": "家人"}


@dataclass(frozen=True)
class Entry:
    """What one row says. `values`: by the columns of Person (phone: the number) and only what is said: no entry for an
    empty cell. `until` goes with the state; it may have passed. Personal."""

    row: int
    values: Mapping[str, object] = field(repr=False)
    id: str = ""
    until: date | None = None
    source: str = field(default="", repr=False)
    on: date | None = None

    @property
    def name(self) -> str:
        return str(self.values["name"])

    @property
    def phone(self) -> str | None:
        """As E.164; None: there is none."""
        number = self.values["phone"]
        return None if number is None else str(number)


def read_entries(table: Table, area_code: str, today: date) -> tuple[list[Entry], list[Fault]]:
    """The rows in which nothing is wrong, and what is wrong in the others, in the file's order."""
    faults, entries = list(table.faults), []
    readers = {column: cache(read) for column, read in _readers(area_code, today).items()}  # few words, many rows
    known: set[tuple[int, str]] = {(fault.row, fault.column) for fault in faults}
    bad = {fault.row for fault in faults}
    for number, cells in table.rows:
        values: dict[str, object] = {}
        for column, cell in cells.items():
            try:
                value = readers[column](cell)
            except ValueError as error:
                bad.add(number)
                if (number, column) not in known:
                    faults.append(Fault(number, column, str(error)))
            else:
                if cell:
                    values[column] = value
        wrong = None if number in bad else _together(values)
        if wrong is not None:
            faults.append(Fault(number, *wrong))
        elif number not in bad:
            entries.append(_entry(number, values))
    doubled = _doubled(entries)
    twice = {fault.row for fault in doubled}
    faults += doubled
    return [entry for entry in entries if entry.row not in twice], sorted(faults, key=lambda fault: fault.row)


def text_of(column: str, value: object) -> str:
    """A value as people write it, e.g. in a cell: `_readers` reads it again. "" for none."""
    if value is None or value == {}:
        return ""
    if column == "phone":
        return national(str(value))
    if column == "slot" and isinstance(value, int):
        return f"{value // 60:02d}:{value % 60:02d}"
    if isinstance(value, Mapping):
        return " ".join(_PURPOSE_ZH[purpose] for purpose in CONSENTS if value.get(purpose))
    return _ZH.get(str(value), str(value)) if column in ("role", "language", "mode", "state") else str(value)


def value_of(person: Person, column: str) -> object:
    """What the register has in one of our columns."""
    value = getattr(person, {"phone": "number"}.get(column, column))
    return {purpose: True for purpose in CONSENTS if value.get(purpose)} if column == "consents" else value


def reader(column: str, area_code: str, today: date) -> Callable[[str], object]:
    """Reads what somebody writes into this column; it raises ValueError."""
    return _readers(area_code, today)[column]


def _entry(number: int, values: dict[str, object]) -> Entry:
    about = {column: values.pop(column, None) for column in ("id", "until", "source", "date")}
    until, on = about["until"], about["date"]
    assert until is None or isinstance(until, date)
    assert on is None or isinstance(on, date)
    return Entry(number, values, str(about["id"] or ""), until, str(about["source"] or ""), on)


def _together(values: Mapping[str, object]) -> tuple[str, str] | None:
    """What two columns of a row say against each other: column and sentence."""
    if (values.get("state") == State.PAUSED) != ("until" in values):
        return "until", "a pause, and only a pause, has a last day"
    return None


def _doubled(entries: list[Entry]) -> list[Fault]:
    """Who is in the file twice. Of one name in one home there is one, whatever their numbers; but two ids are two
    people (who moved, and came back)."""
    found: list[Fault] = []
    ids: dict[str, int] = {}
    seen: dict[tuple[str, str | None], int] = {}
    without_id: dict[tuple[str, str | None], int] = {}
    for entry in entries:
        home = home_of(entry.values.get("address"))
        keys = [(entry.name, entry.phone)] + ([(entry.name, home)] if home else [])
        same = without_id if entry.id else seen
        first = ids.get(entry.id) or next((same[key] for key in keys if key in same), None)
        if first is not None:
            found.append(Fault(entry.row, "", f"the same person as in row {first}: leave one of them out"))
        if entry.id:
            ids.setdefault(entry.id, entry.row)
        for key in keys:
            seen.setdefault(key, entry.row)
            if not entry.id:
                without_id.setdefault(key, entry.row)
    return found


def _readers(area_code: str, today: date) -> dict[str, Callable[[str], object]]:
    return {
        "": str,
        "id": _id,
        "name": _text,
        "spoken_name": _text,
        "phone": lambda cell: _phone(cell, area_code),
        "role": lambda cell: _one_of(cell, tuple(Role), Role.ELDER),
        "language": lambda cell: _one_of(cell, ("zh", "wuu"), "zh"),
        "mode": lambda cell: _one_of(cell, tuple(Mode), Mode.KEYS),
        "slot": read_slot,
        "consents": read_consents,
        **{column: partial(read_spoken, most=most) for column, most in SPOKEN.items()},
        "state": lambda cell: _one_of(cell, tuple(State), State.ACTIVE),
        "until": lambda cell: read_date(cell) if cell else None,
        "source": _short,
        "date": lambda cell: _day(cell, today),
    }


def _id(cell: str) -> str:
    if len(cell) > 36:
        raise ValueError("is no id: copy it from the export, or leave it empty")
    return cell


def _phone(cell: str, area_code: str) -> str | None:
    """Spreadsheets make numbers of them: 13800000000.0, and 1.38E+10, in which figures are lost."""
    if cell in NOTHING:
        return None
    if re.fullmatch(r"\d(\.\d+)?E\+?\d+", cell, re.IGNORECASE):
        raise ValueError("was rounded by the spreadsheet: make the column text and type it again")
    return to_e164(_text(re.sub(r"^(\d+)\.0+$", r"\1", cell)), area_code)


def _day(cell: str, today: date) -> date | None:
    if not cell:
        return None
    day = read_date(cell)
    if day > today:
        raise ValueError("is still to come")
    return day


def _short(cell: str) -> str:
    if len(cell) > 100:
        raise ValueError("is longer than 100 characters")
    return cell


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
    if cell in NOTHING:
        return None
    return cell.strip(" \t。.,;！!") or None


def _one_of(cell: str, words: tuple[str, ...], default: str) -> str:
    if not cell:
        return default
    word = str(_WORDS.get(cell, cell.lower()))
    if word not in words:
        known = (f"{_PURPOSE_ZH[each]} {each}" if each in _PURPOSE_ZH else each for each in words)
        raise ValueError(f"must be one of {', '.join(known)}")
    return word


def read_slot(cell: str) -> int | None:
    """ "08:30" → 510; nothing: the planner chooses. ValueError outside the hours in which elders are rung."""
    if not cell or cell in NOTHING:
        return None
    minute = read_minute(cell)
    if not 8 * 60 <= minute < 21 * 60:
        raise ValueError("must lie between 08:00 and 21:00")
    return minute


def read_consents(cell: str) -> dict[str, bool]:
    """ "calls recording", "拨打，录音" → purposes agreed to; "" for none. ValueError for an unknown word."""
    if cell.strip() in NOTHING:
        return {}
    words = re.split(r"[\s,;\u3001\uff0c\uff1b]+", cell)  # Chinese commas and semicolons, too
    return {_one_of(word, CONSENTS, ""): True for word in words if word}
