"""The command line of `tickets …`: what is typed, and its help. What the commands do: ticket_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

_Number = Annotated[
    int, typer.Argument(metavar="NUMBER", help="as `tickets list` shows it, and as the caller heard it")
]
_By = Annotated[str, typer.Option(metavar="WHO", help="your name; kept")]


app = typer.Typer(
    help="一键通: what elders ask for by key 5 (a taxi, a doctor's hour, repairs, advice; docs/tickets.md).",
    no_args_is_help=True,
)


@app.command("list")
def list_(everything: Annotated[bool, typer.Option("--all", help="closed ones, too")] = False) -> None:
    """What is open, and by when somebody must do what. Status 3: something is overdue."""
    _do(lambda it, settings: it.show_all(settings, out, everything=everything))


@app.command("show")
def show(number: _Number) -> None:
    """All about one: what was said, what was booked, who did what when."""
    _do(lambda it, settings: it.show(settings, number, out))


@app.command("hear")
def hear(
    number: _Number,
    by: _By,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="copies that any player plays (wav)")] = None,
) -> None:
    """Says where the recordings are. It is written down that you have listened."""
    _do(lambda it, settings: it.hear(settings, number, by, to, out))


@app.command("take")
def take(number: _Number, by: _By) -> None:
    """You see to it from now on."""
    _do(lambda it, settings: it.take(settings, number, by, out))


@app.command("book")
def book(
    number: _Number,
    by: _By,
    text: Annotated[str, typer.Argument(help="what was booked, as the line reads it out")] = "",
    recording: Annotated[Path | None, typer.Option(metavar="FILE", help="the same, spoken by you (wav)")] = None,
    before: Annotated[
        str, typer.Option(metavar="TIME", help='they must know it by then: "14:30", "2026-03-03 08:30"')
    ] = "",
) -> None:
    """What was booked. The line rings them with it in the hours of calls, until they know it."""
    _do(lambda it, settings: it.book(settings, number, text, recording, before, by, out))


@app.command("told")
def told(number: _Number, words: Annotated[str, typer.Argument(help="what you told them")], by: _By) -> None:
    """You have rung them yourself: they know it."""
    _do(lambda it, settings: it.told(settings, number, words, by, out))


@app.command("cannot")
def cannot(number: _Number, words: Annotated[str, typer.Argument(help="what you told them")], by: _By) -> None:
    """It can't be done, and you have told them so. Closes it."""
    _do(lambda it, settings: it.cannot(settings, number, words, by, out))


@app.command("close")
def close(number: _Number, by: _By) -> None:
    """Of what they know. Without it, it closes by itself when its time is over."""
    _do(lambda it, settings: it.close(settings, number, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.ticket_commands", act)
