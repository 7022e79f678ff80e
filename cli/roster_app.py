"""The command line of `roster …`: what is typed, and its help. What the commands do: roster_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(help="Who is rung when an elder needs a person (docs/roster.md).", no_args_is_help=True)

Committee = Annotated[str, typer.Option(help="the committee's name; not needed where there is one only")]


@app.command("import")
def roster_import(
    file: Annotated[Path, typer.Argument(help="CSV: kind 类别, elder 老人, person 谁 … (docs/roster.md)")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept with every change")],
    committee: Committee = "",
) -> None:
    """Pairs, substitutes, family, duty and shifts from a spreadsheet: all rows or none; every error names row and
    column. A list that the file names stands instead of the one before; what it doesn't name stays."""

    _do(lambda it, settings: it.import_sheet(settings, file, committee, by, out))


@app.command("export")
def roster_export(
    file: Annotated[Path | None, typer.Argument(help="where to write it; without it, it is printed")] = None,
    committee: Committee = "",
) -> None:
    """The roster as the table that `roster import` reads, e.g. to change it in a spreadsheet."""

    _do(lambda it, settings: it.export_sheet(settings, committee, file, out))


@app.command("show")
def roster_show(committee: Committee = "") -> None:
    """Who is on duty today and in the next 14 days, and how many elders have a buddy."""

    _do(lambda it, settings: it.show(settings, committee, out))


@app.command("gaps")
def roster_gaps(
    committee: Committee = "", days: Annotated[int, typer.Option(min=1, max=92, help="how far ahead")] = 14
) -> None:
    """What the roster lacks in the next days: nobody on duty, elders without a buddy, numbers that don't work, people
    who are gone. Status 3: there are gaps."""

    _do(lambda it, settings: it.show_gaps(settings, committee, days, out))


@app.command("holidays")
def roster_holidays(
    file: Annotated[
        Path | None, typer.Argument(help="xlsx or CSV: from 从, until 到, kind 类别 (放假 or 上班), name 节日")
    ] = None,
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept; needed with a file")] = "",
    year: Annotated[
        int | None, typer.Option(min=2004, max=2100, help="which year to show; without it this one and the next")
    ] = None,
) -> None:
    """Days on and off: shown, or written from the State Council's notice for all committees. Status 3: the holidays of
    a year that is shown are not known yet."""

    do("cli.holiday_commands", lambda it, settings: it.holidays(settings, file, by, year, out))


@app.command("leave")
def roster_leave(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="a buddy, staff or family")],
    begins: Annotated[str, typer.Option("--from", metavar="TIME", help='"2026-03-02 09:00"; a date: from 00:00')],
    ends: Annotated[str, typer.Option("--until", metavar="TIME", help="a date: until the end of that day")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")],
) -> None:
    """Somebody is away: rung by nobody, for nothing. The next on the list follows by itself."""

    _do(lambda it, settings: it.leave(settings, who, begins, ends, by, out))


@app.command("remove")
def roster_remove(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="a buddy, staff or family")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")],
) -> None:
    """Takes somebody who moved, died or helps no longer out of pairs, rotation, shifts and whatever else is ahead."""

    _do(lambda it, settings: it.take_off(settings, who, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.roster_commands", act)
