"""Finding people of the register by name, number or building. Personal."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.homes import home_of
from checkins.register_words import STATE_ZH
from checkins.tables import GONE, Neighbourhood, Person, Role, State
from console import today_view
from console.today_view import Line

MOST = 50
MAX_ASKED = 50
_SHORTEST_NUMBER = 4  # figures; fewer are a building or a flat


@dataclass(frozen=True)
class Found:
    """`line`: the case of today, if there is one."""

    id: str
    name: str = field(repr=False)
    spoken_name: str = field(repr=False)
    number: str | None = field(repr=False)
    address: str = field(repr=False)
    role: str
    place: str
    state: State
    line: Line | None

    @property
    def elder(self) -> bool:
        return self.role == Role.ELDER

    @property
    def state_zh(self) -> str:
        return STATE_ZH[self.state]


@dataclass(frozen=True)
class Results:
    asked: str = field(repr=False)
    found: tuple[Found, ...]
    more: bool


def find(session: Session, asked: str, now: datetime) -> Results:
    """Elders first, then by name; nobody for an empty question."""
    asked = asked.strip()[:MAX_ASKED]
    rows = [row for row in _everybody(session) if matches(asked, row)] if asked else []
    rows.sort(key=lambda row: (row.state in GONE, row.role != Role.ELDER, row.name, row.id))
    shown = rows[:MOST]
    lines = today_view.lines_of(session, [row.id for row in shown if row.role == Role.ELDER], now)
    return Results(asked, tuple(_found(row, lines.get(row.id)) for row in shown), len(rows) > MOST)


def matches(asked: str, row: Any) -> bool:
    """By part of a name, part of a number as people write it, of a home ("3号楼" finds 三号楼502室, not 13号楼), or of
    the address as it is written."""
    if asked in row.name or asked in row.spoken_name or asked in (row.address or ""):
        return True
    figures = "".join(sign for sign in asked if sign.isdecimal() and sign.isascii())
    if len(figures) >= _SHORTEST_NUMBER and not any(sign.isalpha() for sign in asked):
        return figures.removeprefix("0") in (row.number or "")
    home = home_of(asked)
    return bool(home) and _stands_in(home_of(row.address), home)


def _stands_in(home: str, wanted: str) -> bool:
    """Whole numbers only: "3号楼" does not stand in "13号楼", nor 12 in 123."""
    before = r"(?<![0-9])" if wanted[0].isdecimal() else ""
    after = r"(?![0-9])" if wanted[-1].isdecimal() else ""
    return re.search(before + re.escape(wanted) + after, home) is not None


def _everybody(session: Session) -> list[Any]:
    query = select(
        Person.id,
        Person.name,
        Person.spoken_name,
        Person.number,
        Person.address,
        Person.role,
        Person.state,
        Neighbourhood.name.label("place"),
    ).join(Neighbourhood, Neighbourhood.id == Person.neighbourhood_id)
    return list(session.execute(query))


def _found(row: Any, line: Line | None) -> Found:
    return Found(
        row.id, row.name, row.spoken_name, row.number, row.address or "", row.role, row.place, State(row.state), line
    )
