"""The command line of `notices …`: what is typed, and its help. What the commands do: notice_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

_Number = Annotated[int, typer.Argument(metavar="NUMBER", help="as `notices list` shows it")]
_By = Annotated[str, typer.Option(metavar="WHO", help="your name; kept")]
_Until = Annotated[str, typer.Option(metavar="TIME", help='it holds until then: "17:30", "2026-03-03 17:30"')]
_Urgent = Annotated[bool, typer.Option("--urgent", help="elders are rung with it, in the hours of calls")]
_Font = Annotated[Path | None, typer.Option(metavar="FILE", help="a Chinese TrueType font")]
_To = Annotated[Path, typer.Option(metavar="FILE", help="the PDF to write")]


app = typer.Typer(
    help="公告: what elders are told, and to whom somebody must go (docs/notices.md).", no_args_is_help=True
)


@app.command("publish")
def publish(
    text: Annotated[str, typer.Argument(help="what it says, in whole sentences; for paper, too")],
    until: _Until,
    by: _By,
    since: Annotated[str, typer.Option(metavar="TIME", help="not before")] = "",
    building: Annotated[list[str] | None, typer.Option(help="only for 3号楼, 1234弄5号 …; may be repeated")] = None,
    language: Annotated[str, typer.Option(help="only for those who speak it: zh, wuu")] = "",
    topic: Annotated[str, typer.Option(help="notice; or on the board: hours, services, news")] = "notice",
    urgent: _Urgent = False,
    recording: Annotated[Path | None, typer.Option(metavar="FILE", help="the same, spoken by you (wav)")] = None,
    committee: Annotated[str, typer.Option(help="where there are several")] = "",
    anyway: Annotated[bool, typer.Option("--anyway", help="also for a building where nobody lives")] = False,
) -> None:
    """A notice for the daily call; or for the board, which is read to who asks."""
    _do(
        lambda it, settings: it.publish(
            settings,
            text,
            since,
            until,
            building or [],
            language,
            topic,
            urgent,
            recording,
            committee,
            by,
            out,
            anyway=anyway,
        )
    )


@app.command("answer")
def answer(
    complaint: Annotated[int, typer.Argument(metavar="COMPLAINT", help="a published and answered one")],
    text: Annotated[str, typer.Argument(help="what came of it, in your own words, without names")],
    until: _Until,
    by: _By,
    urgent: _Urgent = False,
) -> None:
    """The answer to a matter of the 议事厅 becomes a notice for all neighbours."""
    _do(lambda it, settings: it.answer(settings, complaint, text, until, urgent, by, out))


@app.command("list")
def list_(everything: Annotated[bool, typer.Option("--all", help="old ones, too")] = False) -> None:
    """What holds, or will hold. Status 3: somebody must go from door to door."""
    _do(lambda it, settings: it.show_all(settings, out, everything=everything))


@app.command("sheet")
def sheet(number: _Number, to: _To, font: _Font = None) -> None:
    """The door sheet: everybody whom it has not reached, and why. It is personal: the file is yours to delete."""
    _do(lambda it, settings: it.sheet(settings, number, to, font, out))


@app.command("poster")
def poster(number: _Number, to: _To, font: _Font = None) -> None:
    """To be put up."""
    _do(lambda it, settings: it.poster(settings, number, to, font, out))


@app.command("told")
def told(
    number: _Number,
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="an elder, as `people list` shows them")],
    by: _By,
) -> None:
    """You have told them yourself."""
    _do(lambda it, settings: it.told(settings, number, who, by, out))


@app.command("withdraw")
def withdraw(number: _Number, by: _By) -> None:
    """Nobody hears it from now on."""
    _do(lambda it, settings: it.withdraw(settings, number, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.notice_commands", act)
