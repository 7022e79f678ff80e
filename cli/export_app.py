"""The command line of `export`: what is typed, and its help. What it does: export_commands.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out


def export(
    file: Annotated[Path, typer.Argument(help=".xlsx: a sheet for each list")],
    committee: Annotated[str, typer.Option(help="whose lists; not needed when there is one committee")] = "",
    month: Annotated[str, typer.Option(metavar="YYYY-MM", help="without it, the month that is going on")] = "",
) -> None:
    """What a committee hands to the street office, from what is written down already: pairs, contacts of buddies,
    elders whom the line did not reach, complaints with their answers, meetings, results of ballots. Only of elders who
    have agreed that the street hears of them; lists, no counts (docs/register.md)."""
    do("cli.export_commands", lambda it, settings: it.export(settings, file, committee, month, out))
