"""The command line of enrolment, under `people …`: what is typed, and its help. What it does: enrolment_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

_Who = Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="the whole name, or the id (`people list`)")]
_By = Annotated[str, typer.Option(metavar="WHO", help="your name: who writes it down; kept")]


app = typer.Typer()  # its commands stand among those of `people`


@app.command("consent")
def consent(
    who: _Who,
    by: _By,
    how: Annotated[str, typer.Option(help="paper (the signed sheet), phone or in_person")],
    give: Annotated[str, typer.Option(help='"calls recording transcription buddy family street", or some')] = "",
    withdraw: Annotated[str, typer.Option(help="the same words, taken back")] = "",
    guardian: Annotated[str, typer.Option(metavar="NAME", help="who speaks for the elder; without: they do")] = "",
    on: Annotated[str, typer.Option(metavar="DATE", help="the day on the paper, when it isn't today")] = "",
) -> None:
    """What an elder agrees to, purpose by purpose; others stay as they are. It holds before the next call, and who
    said so is never lost. Without `calls` a person takes the place of today's call at once."""
    _do(lambda it, settings: it.consent(settings, who, give, withdraw, guardian, how, on, by, out))


@app.command("refusal")
def refusal(
    who: _Who,
    by: _By,
    meant: Annotated[bool, typer.Option("--meant/--call-again", help="their own wish, or calls are wanted again")],
    found: Annotated[str, typer.Option(metavar="TEXT", help="how they are: closes the cases it had opened")] = "",
) -> None:
    """You have asked the elder in person whether "no more calls" was their wish: what they said. With --call-again
    the line rings them from the next day's plan on."""
    _do(lambda it, settings: it.refusal(settings, who, meant, found, by, out))


@app.command("number")
def number(
    who: _Who, digits: Annotated[str, typer.Argument(metavar="NUMBER", help="as people write it")], by: _By
) -> None:
    """The corrected number. It lifts a suspension: the line rings again from the next day's plan on."""

    do("cli.people_commands", lambda it, settings: it.set_person(settings, who, by, it.Change(number=digits), out))


@app.command("test-call")
def test_call(who: _Who, by: _By) -> None:
    """The line rings the elder now, says that it is a test, and asks whether it is heard well. No check-in. What came
    of it stands in `people show`; when it isn't heard, somebody must go and look (the console's list)."""
    _do(lambda it, settings: it.test_call(settings, who, by, out))


@app.command("one-key")
def one_key(who: _Who, by: _By) -> None:
    """You have shown the elder key 5: ring the line, press 5, and say what is needed."""
    _do(lambda it, settings: it.one_key(settings, who, by, out))


@app.command("papers")
def papers(
    to: Annotated[Path, typer.Option(metavar="FOLDER", help="where to; made if it isn't there")],
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="one elder; or --all")] = "",
    everybody: Annotated[bool, typer.Option("--all", help="of every elder who has not moved or died")] = False,
    line: Annotated[str, typer.Option(metavar="NUMBER", help="that elders ring, if not WENAN_TWILIO_FROM")] = "",
    font: Annotated[Path | None, typer.Option(metavar="FILE", help="a Chinese TrueType font")] = None,
) -> None:
    """The sheet on which an elder agrees (A4, large type) and the card for the fridge (A6), as PDF to print. They
    are personal: the folder is yours to delete."""
    _do(lambda it, settings: it.papers(settings, who, everybody, to, line, font, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.enrolment_commands", act)
