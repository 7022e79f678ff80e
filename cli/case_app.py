"""The command line of `cases …`: what is typed, and its help. What the commands do: case_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

_Number = Annotated[int, typer.Argument(metavar="NUMBER", help="as `cases list` shows it, and as the caller heard it")]
_By = Annotated[str, typer.Option(metavar="WHO", help="your name; kept")]
_Committee = Annotated[str, typer.Option(help="of this committee only")]


app = typer.Typer(
    help="Complaints: hear, answer, close them (docs/complaints.md). Only their own “solved”, by telephone or in "
    "person, closes one, or three calls that reached nobody and a visit.",
    no_args_is_help=True,
)


@app.command("list")
def list_(
    committee: _Committee = "",
    everything: Annotated[bool, typer.Option("--all", help="closed ones, too")] = False,
) -> None:
    """What is open, and by when somebody must do what. Status 3: something is overdue."""
    _do(lambda it, settings: it.show_all(settings, committee, out, everything=everything))


@app.command("show")
def show(number: _Number) -> None:
    """All about one: what was said, with the engine that wrote it down, answers, meetings, who did what when."""
    _do(lambda it, settings: it.show(settings, number, out))


@app.command("export")
def export(
    file: Annotated[Path | None, typer.Argument(help="where to write it; without it, it is printed")] = None,
    committee: _Committee = "",
    for_street: Annotated[
        bool, typer.Option("--street", help="what the street office should know, and no more")
    ] = False,
) -> None:
    """All complaints as a table (CSV), without names and without what was spoken. With --street only those marked for
    the level above; name and place of who has agreed that the street knows."""
    if for_street:
        _do(lambda it, settings: it.export_for_street(settings, committee, file, out))
    else:
        _do(lambda it, settings: it.export(settings, committee, file, out))


@app.command("hear")
def hear(
    number: _Number,
    by: _By,
    to: Annotated[Path | None, typer.Option(metavar="FOLDER", help="copies that any player plays (wav)")] = None,
    told: Annotated[
        str, typer.Option(metavar="WORDS", help="nothing can be listened to, and you have rung them: what they said")
    ] = "",
) -> None:
    """Says where the recordings are. It is written down that you have listened; the first one has the case."""
    _do(lambda it, settings: it.hear(settings, number, by, to, out, told=told))


@app.command("sort")
def sort(
    number: _Number,
    by: _By,
    category: Annotated[str, typer.Option(help="漏水, 电梯, 噪音 …: one of community/words.tsv")] = "",
    place: Annotated[str, typer.Option(help="where it is")] = "",
) -> None:
    """Corrects what was suggested by the words."""
    _do(lambda it, settings: it.sort(settings, number, category, place, by, out))


@app.command("assign")
def assign(number: _Number, to: Annotated[str, typer.Argument(metavar="NAME")], by: _By) -> None:
    """Somebody else sees to it from now on."""
    _do(lambda it, settings: it.assign(settings, number, to, by, out))


@app.command("reply")
def reply(
    number: _Number,
    by: _By,
    text: Annotated[str, typer.Argument(help="the answer, as the line reads it out")] = "",
    recording: Annotated[Path | None, typer.Option(metavar="FILE", help="the answer, spoken by you (wav)")] = None,
) -> None:
    """The answer. The line rings them with it in the hours of calls, and asks whether that solves it; an earlier
    answer that nobody has heard is replaced."""
    _do(lambda it, settings: it.reply(settings, number, text, recording, by, out))


@app.command("discuss")
def discuss(
    number: _Number,
    text: Annotated[str, typer.Argument(help="what they said")],
    who: Annotated[str, typer.Option(metavar="NAME", help="who said it: 物业王经理, 业委会 …")],
    by: _By,
) -> None:
    """Adds to the log what somebody else said about it (多方). Nothing of it is ever changed."""
    _do(lambda it, settings: it.discuss(settings, number, who, text, by, out))


@app.command("meet")
def meet(
    number: _Number,
    by: _By,
    at: Annotated[
        str,
        typer.Option(
            metavar="TIME", help='you have agreed on it: "2026-03-02 14:00"; with --outcome or --cancel: which meeting'
        ),
    ] = "",
    offer: Annotated[
        list[str] | None,
        typer.Option(metavar="TIME", help="up to four times, each with --offer: the line rings them, and they choose"),
    ] = None,
    place: Annotated[str, typer.Option(help="where")] = "",
    with_whom: Annotated[str, typer.Option("--with", metavar="WHO", help="who comes")] = "",
    other: Annotated[
        str, typer.Option(metavar="ELDER", help="with --offer: the other party, an elder: asked by telephone, too")
    ] = "",
    outcome: Annotated[
        str, typer.Option(metavar="TEXT", help="what came of the last meeting, or of the one --at")
    ] = "",
    cancel: Annotated[str, typer.Option(metavar="WHY", help="the next one isn't to be, or nobody came")] = "",
) -> None:
    """Books a meeting face to face: by telephone (--offer), where they choose by key, are reminded on the evening
    before and say what came of it; or as you have agreed (--at): that somebody tells them is an item. Later what came
    of it (--outcome), or why it isn't (--cancel)."""
    _do(
        lambda it, settings: it.meet(
            settings, number, at, place, with_whom, outcome, by, out, cancel=cancel, offered=offer or [], other=other
        )
    )


@app.command("level-above")
def level_above(number: _Number, by: _By) -> None:
    """The street office should know. After two answers that solve nothing it is marked by itself."""
    _do(lambda it, settings: it.level_above(settings, number, by, out))


@app.command("publish")
def publish(
    number: _Number,
    text: Annotated[str, typer.Argument(help="the matter in your own words, without who it is")],
    by: _By,
) -> None:
    """Puts it up in the 议事厅, where they have agreed. What was spoken is never published."""
    _do(lambda it, settings: it.publish(settings, number, text, by, out))


@app.command("said")
def said(
    number: _Number,
    outcome: Annotated[str, typer.Argument(metavar="OUTCOME", help="solved, not-solved or talk")],
    words: Annotated[str, typer.Argument(metavar="WORDS", help="what they said")],
    by: _By,
    in_person: Annotated[bool, typer.Option("--in-person", help="to your face, not by telephone")] = False,
) -> None:
    """You have told them the answer, and write down what they said: to your face (--in-person), or where the line
    can't ask them."""
    _do(lambda it, settings: it.said(settings, number, outcome, words, by, out, in_person=in_person))


@app.command("visit")
def visit(number: _Number, found: Annotated[str, typer.Argument(metavar="FOUND")], by: _By) -> None:
    """You were there about the answer: what you found."""
    _do(lambda it, settings: it.visit(settings, number, found, by, out))


@app.command("close")
def close(
    number: _Number,
    by: _By,
    visited: Annotated[
        str, typer.Option(metavar="FOUND", help="you were there: what you found; or where you put up the answer")
    ] = "",
) -> None:
    """Without their “solved”: only when three calls with the answer have reached nobody and somebody was there; when
    nobody can be told (a stranger without a number) and somebody was there or put up a notice; or when they have moved
    or died. Else it says why not."""
    _do(lambda it, settings: it.close(settings, number, visited, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.case_commands", act)
