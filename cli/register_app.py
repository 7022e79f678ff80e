"""The command line of `register …`: what is typed, and its help. What the commands do: register_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(
    help="The register as spreadsheets, and what elders say is wrong in it (docs/register.md).", no_args_is_help=True
)

Committee = Annotated[str, typer.Option(help="the committee's name; not needed where there is one only")]
By = Annotated[str, typer.Option(metavar="WHO", help="who says so; kept with every change")]
Number = Annotated[int, typer.Argument(metavar="NUMBER", help="as `register corrections` shows it")]


@app.command("import")
def register_import(
    file: Annotated[
        Path, typer.Argument(help=".xlsx (people 人员, roster 值班表) or CSV of people (docs/register.md)")
    ],
    by: By,
    committee: Committee = "",
    source: Annotated[str, typer.Option(help="whose list it is, for rows without 来源; else the file's name")] = "",
    date: Annotated[str, typer.Option(help="of which day it is, for rows without 日期: 2026-03-02")] = "",
    update: Annotated[bool, typer.Option("--update", help="also change what the register has otherwise")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what is wrong, and what would change")] = False,
) -> None:
    """People and roster from a spreadsheet: all rows or none; every problem by row and column. Made again, nothing
    changes. Nothing that somebody said themselves is changed by an older list."""

    _do(
        lambda it, settings: it.import_book(settings, file, it.Typed(by, committee, source, date), update, dry_run, out)
    )


@app.command("export")
def register_export(
    file: Annotated[Path, typer.Argument(help=".xlsx, or .csv of people alone")],
    committee: Committee = "",
    street: Annotated[bool, typer.Option("--street", help="the list for the street office: who agreed to it")] = False,
) -> None:
    """People, roster and who said what, as `register import` reads it; or the list that is handed upward."""

    _do(lambda it, settings: it.export_book(settings, file, committee, street, out))


@app.command("corrections")
def register_corrections(committee: Committee = "") -> None:
    """What elders said by telephone is wrong in their entry: who, what about, the recording."""

    _do(lambda it, settings: it.show_corrections(settings, committee, out))


@app.command("hear")
def register_hear(
    number: Number,
    by: Annotated[str, typer.Option(metavar="WHO", help="who listens: your name; it is written down")],
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="copies that any player plays (wav)")] = None,
) -> None:
    """Says where the recordings are of what they said. It is written down that you have listened."""

    _do(lambda it, settings: it.hear(settings, number, by, to, out))


@app.command("confirm")
def register_confirm(
    number: Number,
    column: Annotated[str, typer.Argument(metavar="FIELD", help="address, phone, name, key_holder, notes …")],
    text: Annotated[str, typer.Argument(help="what stands there from now on, as in a spreadsheet")],
    by: By,
) -> None:
    """Writes it into the register as the elder's own word; it holds before the next call."""

    _do(lambda it, settings: it.confirm(settings, number, column, text, by, out))


@app.command("refuse")
def register_refuse(
    number: Number,
    by: By,
    why: Annotated[str, typer.Option(help="what to tell the elder; kept")],
) -> None:
    """It stays as it is."""

    _do(lambda it, settings: it.refuse(settings, number, by, why, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.register_commands", act)
