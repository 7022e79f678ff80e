"""What the commands `policy …` do: how elders are called and who is rung, for a neighbourhood or for one elder. Each
returns an exit status; they work beside a running server."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml
from rich.console import Console
from sqlalchemy import or_, select
from sqlalchemy.orm import Session, joinedload

from checkins import policies
from checkins.tables import Neighbourhood, Person, Role
from database_in_use import read, write
from settings import Settings

WHEN = "policy counts from the next day's cases on, escalation for searches that begin from now on"
_Whose = tuple[Neighbourhood, Person | None]


async def show(settings: Settings, committee: str, elder: str, out: Console, *, own: bool) -> int:
    """As YAML: what holds, all layers together; with `own` only what is written down here, as `policy set` reads it."""
    sections = await read(settings, lambda session: (_written if own else _holds)(*_whose(session, committee, elder)))
    out.out(_as_yaml(sections), end="", highlight=False)
    return 0


async def put(settings: Settings, file: Path, committee: str, elder: str, by: str, out: Console) -> int:
    """All of the file or nothing; shows what holds then."""
    sections, now = _read(file), datetime.now(UTC)

    def work(session: Session) -> Mapping[str, Any]:
        place, person = _whose(session, committee, elder)
        policies.put(session, place, person, sections, by, now)
        return _holds(place, person)

    holds = await write(settings, work)
    out.out(_as_yaml({name: holds[name] for name in sections}), end="", highlight=False)
    out.print(f"written; {WHEN}", highlight=False)
    return 0


async def check(settings: Settings, out: Console) -> int:
    """0: everything can be read, and counts; 3: something counts for nothing."""
    faults = await read(settings, lambda session: [_fault(*each) for each in _all_faults(session)])
    for fault in faults:
        out.print(fault, style="red", highlight=False, markup=False, soft_wrap=True)
    if not faults:
        out.print("every policy can be read")
    return 3 if faults else 0


def _all_faults(session: Session) -> list[tuple[Neighbourhood, Person | None, str]]:
    return [*policies.broken(session), *policies.left_over(session)]


def _fault(place: Neighbourhood, person: Person | None, why: str) -> str:
    return f"{place.committee}{f', {person.name} ({person.id})' if person else ''}: {why}"


def _holds(place: Neighbourhood, elder: Person | None) -> dict[str, Any]:
    called, rung = policies.call_policy(place, elder), policies.escalation_in(place, elder)
    return {"policy": called.to_json(), "escalation": rung.to_json()}


def _written(place: Neighbourhood, elder: Person | None) -> dict[str, Any]:
    whose = elder or place
    return {name: getattr(whose, name) for name in policies.SECTIONS if getattr(whose, name)}


def _read(file: Path) -> dict[str, Any]:
    """YAML, and so JSON too. LookupError or ValueError say what is wrong with it."""
    try:
        sections = yaml.safe_load(file.read_text("utf-8"))
    except OSError as error:
        raise LookupError(f"{file}: {error.strerror}") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ValueError(f"{file}: is no YAML or JSON: {' '.join(str(error).split())}") from None
    if not isinstance(sections, dict) or not sections:
        raise ValueError(f"{file}: must hold {' or '.join(policies.SECTIONS)}, or both")
    return sections


def _as_yaml(sections: Mapping[str, Any]) -> str:
    return yaml.safe_dump(dict(sections), sort_keys=False, allow_unicode=True, default_flow_style=None, width=120)


def _whose(session: Session, committee: str, elder: str) -> _Whose:
    """The elder with their neighbourhood, or the neighbourhood alone; LookupError says which to name."""
    if elder:
        query = select(Person).where(or_(Person.id == elder, Person.name == elder), Person.role == Role.ELDER)
        people = session.scalars(query.options(joinedload(Person.neighbourhood))).all()
        if len(people) != 1:
            many = f"{len(people)} elders have this name; use the id" if people else "no elder with this id or name"
            raise LookupError(f"--elder: {many} (`people list` shows all)")
        return people[0].neighbourhood, people[0]
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    found = [place for place in places if committee.strip() in ("", place.committee, place.name)]
    if len(found) != 1:
        known = "、".join(place.committee for place in places) or "none yet: `people import` makes one"
        raise LookupError(f"--committee: name one of: {known}")
    return found[0], None
