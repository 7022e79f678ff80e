"""The command line of `ballots …`: what is typed, and its help. What the commands do: ballot_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

_Number = Annotated[int, typer.Argument(metavar="NUMBER", help="as `ballots list` shows it")]
_By = Annotated[str, typer.Option(metavar="WHO", help="your name; kept")]
_Unit = Annotated[str, typer.Argument(metavar="UNIT", help="as on the owners' roll: 1号101室")]
_Line = Annotated[str, typer.Option(metavar="NUMBER", help="which number people ring; else the line's own")]
_Font = Annotated[Path | None, typer.Option(metavar="FILE", help="a TrueType font with Chinese signs")]


app = typer.Typer(
    help="打钩: what the neighbours choose by telephone and on paper; not binding (docs/ballots.md).",
    no_args_is_help=True,
)


@app.command("new")
def new(
    title: Annotated[str, typer.Argument(help="what it is about, as the line says it: 电梯")],
    topic: Annotated[list[str], typer.Option(metavar="TEXT", help='"question|option|option"; several times')],
    until: Annotated[str, typer.Option(metavar="TIME", help='"2026-03-09": to its end; "2026-03-09 17:00"')],
    by: _By,
    committee: Annotated[str, typer.Option(help="whose, when there are several")] = "",
    unit: Annotated[str, typer.Option(help="one choice for each person, household or owner")] = "person",
    roll: Annotated[Path | None, typer.Option(metavar="FILE", help="the owners' roll (CSV: 室号,业主,电话)")] = None,
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="when it opens; else now")] = "",
    ring: Annotated[bool, typer.Option(help="ring those who may choose")] = True,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say for how many it is and what is doubtful")] = False,
) -> None:
    """Makes a ballot, and its roll as the register stands now; says which homes may be one."""
    told = (title, topic, committee, unit, roll, since, until, ring, by, out)
    _do(lambda it, settings: it.new(settings, *told, dry_run=dry_run))


@app.command("proposals")
def proposals(
    title: Annotated[str, typer.Argument(help="what they are about, as the line says it: 重阳节")],
    proposal: Annotated[
        list[str],
        typer.Option(
            metavar="TEXT",
            help='"sentence", 2 to 4 times; "sentence|who" names who proposed it (only if they agreed); '
            '"sentence|1007" comes from a published matter, in your own words',
        ),
    ],
    until: Annotated[str, typer.Option(metavar="TIME", help='"2026-03-09": to its end; "2026-03-09 17:00"')],
    by: _By,
    committee: Annotated[str, typer.Option(help="whose, when there are several")] = "",
    since: Annotated[str, typer.Option("--from", metavar="TIME", help="when it opens; else now")] = "",
    ring: Annotated[
        bool, typer.Option("--ring", help="ring those who may choose; else it is for who rings in")
    ] = False,
) -> None:
    """提议: neighbours choose one of them, by keys 4 and 6 and on paper. A ballot of persons: all else works alike."""
    _do(lambda it, settings: it.proposals(settings, title, proposal, committee, since, until, ring, by, out))


@app.command("list")
def list_(everything: Annotated[bool, typer.Option("--all", help="those that are over, too")] = False) -> None:
    """What is open, and until when."""
    _do(lambda it, settings: it.show_all(settings, out, everything=everything))


@app.command("show")
def show(number: _Number) -> None:
    """Its topics, whom to see in person, what was refused and why; the result, once over. Never who chose what."""
    _do(lambda it, settings: it.show(settings, number, out))


@app.command("enter")
def enter(
    number: _Number,
    whose: Annotated[str, typer.Argument(metavar="WHO", help="name or id in the register; of owners: the unit")],
    choose: Annotated[list[str], typer.Option(metavar="TOPIC=OPTION", help="1=2; several times")],
    by: _By,
    who: Annotated[str, typer.Option(help="of owners: who has signed it")] = "",
    visit: Annotated[bool, typer.Option("--visit", help="said at the door, not on paper")] = False,
    change: Annotated[bool, typer.Option("--change", help="you have asked them: it replaces what they chose")] = False,
) -> None:
    """What stands on a paper, or was said at a visit. Status 1: it was refused, and is logged."""
    _do(lambda it, settings: it.enter(settings, number, whose, choose, who, visit, change, by, out))


@app.command("proxy")
def proxy(
    number: _Number,
    unit: _Unit,
    name: Annotated[str, typer.Argument(help="who may choose for the owner")],
    document: Annotated[str, typer.Option(help="where the written proxy is kept")],
    by: _By,
) -> None:
    """A written proxy is on file."""
    _do(lambda it, settings: it.proxy(settings, number, unit, name, document, by, out))


@app.command("letters")
def letters(
    number: _Number,
    to: Annotated[Path, typer.Option(metavar="FILE", help="the PDF; it must not exist yet")],
    by: _By,
    unit: Annotated[str, typer.Option(help="a new letter for one unit; its old PIN counts no more")] = "",
    line: _Line = "",
    font: _Font = None,
) -> None:
    """The owners' letters with number and PIN, for all units that have none."""
    _do(lambda it, settings: it.letters(settings, number, to, unit, line, font, by, out))


@app.command("paper")
def paper(
    number: _Number,
    to: Annotated[Path, typer.Option(metavar="FILE", help="the PDF")],
    line: _Line = "",
    font: _Font = None,
) -> None:
    """The sheet on which one chooses by hand, in large type."""
    _do(lambda it, settings: it.paper(settings, number, to, line, font, out))


@app.command("told")
def told(
    number: _Number,
    by: _By,
    unit: Annotated[list[str] | None, typer.Argument(metavar="[UNIT]...", help="1号101室; none: all who wait")] = None,
) -> None:
    """You have told the result to owners of whom the line knows nobody (`show` lists them)."""
    _do(lambda it, settings: it.told(settings, number, unit or [], by, out))


@app.command("count")
def count(number: _Number) -> None:
    """Counts the log of one that is over anew. Status 3: it does not come to what was told."""
    _do(lambda it, settings: it.count(settings, number, out))


@app.command("withdraw")
def withdraw(number: _Number, by: _By) -> None:
    """Ends it without a result."""
    _do(lambda it, settings: it.withdraw(settings, number, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.ballot_commands", act)
