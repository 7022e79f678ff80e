"""Two weeks of a roster as a calendar: a row for who is on duty, one for what is lacking, one for everybody who is away
or stands in. Pure. A gap has a word and a sign beside its colour."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from checkins.roster.duty_days import DutyDay, DutySpan
from checkins.roster.gaps import GapKind
from checkins.schedule import at_minute
from console.roster_view import Ahead, GapLine, RosterPage
from console.roster_words import part_zh

LACK, AWAY, STANDS = "lack", "away", "stands"
NOBODY = "⚠ 没有人"


@dataclass(frozen=True)
class Cell:
    """`kind`: LACK, AWAY, STANDS, or "" for an ordinary one. `more`: the whole of it, for whoever asks."""

    text: str = field(repr=False)
    kind: str = ""
    more: str = field(default="", repr=False)


@dataclass(frozen=True)
class Line:
    head: str = field(repr=False)
    en: str
    cells: tuple[Cell, ...]


def calendar(page: RosterPage) -> tuple[Line, ...]:
    """Rows of as many cells as the page has days."""
    days = page.days
    lines = [
        Line("值班", "on duty", tuple(_duty(day, page.zone) for day in days)),
        Line("副班", "deputy", tuple(_deputy(day) for day in days)),
    ]
    buddies = [gap for gap in page.gaps if gap.kind is GapKind.NO_BUDDY]
    if buddies:
        lines.append(Line("老伙伴空缺", "no buddy", tuple(_lacking(day.day, page.zone, buddies) for day in days)))
    return (*lines, *_people(page))


def _duty(day: DutyDay, zone: str) -> Cell:
    parts = [(part_zh(span, day.day, zone), span.duty.first.name if span.duty.first else NOBODY) for span in day.spans]
    text = "\n".join(" ".join(filter(None, part)) for part in parts)
    return Cell(text, LACK if any(span.duty.first is None for span in day.spans) else "")


def _deputy(day: DutyDay) -> Cell:
    return Cell("\n".join(dict.fromkeys(_deputy_of(span) for span in day.spans)))


def _deputy_of(span: DutySpan) -> str:
    return span.duty.deputy.name if span.duty.deputy else "—"


def _lacking(day: date, zone: str, gaps: Sequence[GapLine]) -> Cell:
    there = [gap for gap in gaps if _on(day, zone, gap.begins, gap.ends)]
    return Cell("⚠ 缺", LACK, "；".join(gap.said.zh for gap in there)) if there else Cell("")


def _people(page: RosterPage) -> Iterator[Line]:
    """Whoever is away or stands in within these days, by name."""
    for name in sorted({one.who for one in (*page.leave, *page.overrides)}):
        cells = tuple(_person(day.day, page, name) for day in page.days)
        if any(cell.text for cell in cells):
            yield Line(name, "", cells)


def _person(day: date, page: RosterPage, name: str) -> Cell:
    stands = [one for one in page.overrides if one.who == name and _on(day, page.zone, one.begins, one.ends)]
    if stands:
        return Cell("顶班", STANDS, "；".join(_instead(one) for one in stands))
    away = any(one.who == name and _on(day, page.zone, one.begins, one.ends) for one in page.leave)
    return Cell("请假", AWAY) if away else Cell("")


def _instead(one: Ahead) -> str:
    whom = f"替{one.instead}" if one.instead else "顶班"
    return f"{whom}，只为{one.elder}" if one.elder else whom


def _on(day: date, zone: str, begins: datetime, ends: datetime) -> bool:
    """Any part of the local day."""
    return begins < at_minute(zone, day, 24 * 60) and ends > at_minute(zone, day, 0)
