"""A notice to 4,000 elders beside the morning round: the same morning twice, in virtual time, without and with notices.

In both the daily call says a sentence of the committee's after "well": else calls of a day with a notice were longer.
An urgent one for everybody is published at 08:00, one for those who speak Shanghainese with it, an urgent one for one
building at 09:10; the tables hold last year's, too. Checked is what the carrier saw (bench.notice_checks); times are
processor time, so that what else this machine does matters less.
"""

from __future__ import annotations

import asyncio
import importlib.util
import logging
import multiprocessing
import tempfile
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from bench.figures import out, percentile, verdict
from bench.notice_checks import broken, later
from bench.notice_morning import Day, Morning, News, minute
from bench.notice_town import Inline, Register, Resident, Town, move_in

NINE, FIVE = 9 * 60, 17 * 60
NEWS = (
    News("活动室明天上午量血压。", 8 * 60, FIVE, language="wuu"),
    News("今天下午一点到四点停水,请先接好水。", 8 * 60, FIVE, urgent=True),
    News("三号楼的电梯今天修理。", NINE + 10, FIVE, urgent=True, building=3),
)
BEGIN, END = 8 * 60 - 10, 13 * 60 + 10  # half of the time of each notice is over
WITHOUT, WITH = "without notices", "with notices"
TICK_MS, LOOK_MS, PUBLISH_MS = 1000.0, 1000.0, 1000.0  # so long the database's one writer may be busy


@dataclass(frozen=True)
class Seen:
    day: Day
    broken: list[str]


def town(elders: int) -> Town:
    """As many lines as the planner asks for, and not one more: 90 s for an elder, within two hours and a half."""
    calls = int(elders * 0.82)
    return Town(elders, lines=-(-calls * 90 // 9000) + 2, tick_s=10, starts_per_s=10.0, old=20)


def refusing(register: Register) -> dict[str, int]:
    """In the middle of the morning three say that they want no such calls any more."""
    rung = [each for each in register.residents.values() if not each.barred]
    return {each.id: NINE + 5 * at for at, each in enumerate(_some(rung))}


def _some(rung: list[Resident]) -> list[Resident]:
    return rung[7 :: max(1, len(rung) // 3)][:3]


def notices(elders: int, folder: Path) -> bool:
    """Whether everything held."""
    seen = _both(elders)
    without, with_them = seen[WITHOUT].day, seen[WITH].day
    late, tick = later(without, with_them), town(elders).tick_s
    out.print(
        f"\n[b]Notices to {elders:,} elders beside the morning round[/b] ({town(elders).lines - 2} lines for calls)"
    )
    verdict("a check-in comes later than without notices, at most", max(late.values()), tick, "s")
    mark = "[red]✗[/red]" if seen[WITH].broken else "[green]✓[/green]"
    out.print(f"  {mark} line rules, consents, pauses, refusals, hours; everybody knows it or stands on the door sheet")
    for sentence in sorted(set(seen[WITH].broken)):
        out.print(f"  [red]✗[/red] {sentence}")
    for name, day in ((WITHOUT, without), (WITH, with_them)):
        verdict(f"a look of the cycle, 99th percentile, {name}", percentile(day.ticks, 99), TICK_MS, "ms")
        out.print(f"    median {percentile(day.ticks, 50):.0f} ms, worst {max(day.ticks):.0f} ms")
    verdict("a look of the notices' rounds, worst", max(with_them.rounds), LOOK_MS, "ms")
    out.print(f"    median {percentile(with_them.rounds, 50):.1f} ms")
    verdict("publishing, worst", max(with_them.published), PUBLISH_MS, "ms")
    _told(with_them)
    if importlib.util.find_spec("matplotlib") is not None:
        from bench.notice_plot import draw

        out.print(f"  {draw(without, with_them, late, tick, folder / 'notices.png')}")
    return not seen[WITH].broken and max(late.values()) <= tick


def _told(day: Day) -> None:
    for number, understood in sorted(day.understood.items()):
        out.print(f"  {number}: {len(understood):,} understood it by telephone, {len(day.doors[number]):,} at the door")
    if day.told:
        out.print(f"  the last by telephone at {max(day.told).astimezone(minute(0).tzinfo):%H:%M} UTC")


def _both(elders: int) -> dict[str, Seen]:
    """Each in a process of its own; moments and what was seen come through a queue."""
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    running = [context.Process(target=_live, args=(elders, name, told)) for name in (WITHOUT, WITH)]
    for process in running:
        process.start()
    try:
        return _followed(told)
    finally:
        for process in running:
            process.terminate()


def _followed(told: Any) -> dict[str, Seen]:
    seen: dict[str, Seen] = {}
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[at]}"), TimeElapsedColumn())
    with Progress(*columns, console=out) as progress:
        tasks = {name: progress.add_task(name, total=END - BEGIN, at="") for name in (WITHOUT, WITH)}
        while len(seen) < len(tasks):
            name, what = told.get(timeout=3600)
            if isinstance(what, str):
                raise SystemExit(f"{name}: {what}")
            if isinstance(what, Seen):
                seen[name] = what
                progress.update(tasks[name], completed=END - BEGIN)
            else:
                minutes = (what - minute(BEGIN)).total_seconds() / 60
                progress.update(
                    tasks[name], completed=minutes, at=f"{int(BEGIN + minutes) // 60:02}:{int(BEGIN + minutes) % 60:02}"
                )
    return seen


def _live(elders: int, name: str, told: Any) -> None:
    logging.basicConfig(level=logging.ERROR)
    logging.getLogger("checkins").setLevel(logging.CRITICAL)  # nobody is on the roster: people see to them all the same
    try:
        told.put((name, asyncio.run(morning(town(elders), name, lambda at: told.put((name, at))))))
    except BaseException as error:
        told.put((name, repr(error)))
        raise


async def morning(size: Town, name: str, told: Any = lambda at: None) -> Seen:
    with tempfile.TemporaryDirectory() as folder:
        db = Inline(f"sqlite:///{folder}/town.db")
        try:
            register = move_in(db, size)
            day = Morning(db, register, size, NEWS if name == WITH else (), refusing(register))
            await day.lives(END, told)
            return Seen(day.day, broken(day))
        finally:
            db.close()


def at_clock(moment: datetime) -> float:
    """Hours of the local day."""
    return (moment - minute(0)).total_seconds() / 3600
