"""Files whose time is over. What an open case rests on stays, and what a notice that holds plays."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Text, cast, or_, select
from sqlalchemy.orm import Session

from keeping.due_rows import held_calls
from keeping.periods import AUDIO, Files
from storage.database import Base

_DAY = re.compile(r"(\d{4})[/-](\d\d)[/-](\d\d)")


@dataclass(frozen=True)
class Held:
    """`calls`: whose recordings stay; `paths`: further ones; `texts`: of open items, which may name some."""

    calls: frozenset[str]
    paths: frozenset[str]
    texts: str

    def holds(self, path: str) -> bool:
        """`path` is relative to the folder and ends in .ulaw."""
        return path in self.paths or Path(path).name[:36] in self.calls or path in self.texts


def held(session: Session, now: datetime) -> Held:
    """What recordings must stay. A closed case keeps its own for as long as recordings are kept, from its closing."""
    tables = Base.metadata.tables
    recent = AUDIO.until(now)
    paths: set[str] = set()
    for name, case in (
        ("complaint_dictation", "complaint"),
        ("complaint_reply", "complaint"),
        ("ticket_dictation", "ticket"),
        ("ticket_booking", "ticket"),
    ):
        spoken, above = tables[name], tables[case]
        closed = or_(above.c.closed_at.is_(None), above.c.closed_at >= recent)
        query = select(spoken.c.recording).join(above, spoken.c[f"{case}_id"] == above.c.id).where(closed)
        paths.update(path for path in session.scalars(query) if path)
    notice, item, checkin = tables["notice"], tables["item"], tables["checkin"]
    paths.update(
        path for path in session.scalars(select(notice.c.recording).where(notice.c.valid_until >= recent)) if path
    )
    open_ = [select(cast(item.c.detail, Text)).where(item.c.done_at.is_(None))]
    open_.append(select(cast(checkin.c.answer, Text)).where(checkin.c.closed_at.is_(None)))
    texts = "\n".join(each for query in open_ for each in session.scalars(query) if each)
    return Held(frozenset(session.scalars(select(held_calls().subquery()))), frozenset(paths), texts)


def due(data: Path, files: Files, now: datetime, stays: Held) -> Iterator[Path]:
    """Also a checksum whose recording went when the power did. Recordings that still grow are never among them."""
    folder, last = data / files.folder, (files.until(now) - timedelta(days=1)).date()
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        day = _day(name)
        if day is None or day > last or file.is_dir():
            continue
        if _is(files, file) and not (files is AUDIO and stays.holds(f"{name.rpartition('.')[0]}.ulaw")):
            yield file


def _is(files: Files, file: Path) -> bool:
    return file.suffix in ((".ulaw", ".sha256") if files is AUDIO else (".html",))


def _day(name: str) -> date | None:
    found: Any = _DAY.match(name)
    try:
        return date(*map(int, found.groups())) if found else None
    except ValueError:
        return None
