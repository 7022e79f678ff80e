"""The command line of `alarms …` and `clock …`: what is typed, and its help. What they do: alarm_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(help="What is wrong with the line, and who knows of it.", no_args_is_help=True)
clock = typer.Typer(help="The machine's clock.", no_args_is_help=True)


@app.command("list")
def alarms_list() -> None:
    """Alarms that are open, or that nobody has acknowledged yet. Status 3: one of them waits for a name."""

    _do(lambda it, settings: it.show_alarms(settings, out))


@app.command("test")
def alarms_test() -> None:
    """Raises an alarm that is an exercise: a running `serve` tells it by every way that is set up, calls included."""

    _do(lambda it, settings: it.raise_test(settings, out))


@clock.command("accept")
def clock_accept(
    by: Annotated[str, typer.Option(metavar="WHO", help="your name: you have compared it with another clock")],
) -> None:
    """Says that the clock is right now and was fast before: calls begin again, and what was written ahead of time
    counts as written now. Never for a clock that is slow: set that one."""

    _do(lambda it, settings: it.accept_clock(settings, by, out))


@app.command("ack")
def alarms_ack(
    number: Annotated[int, typer.Argument(metavar="ID", help="as `alarms list` shows it")],
    by: Annotated[str, typer.Option(metavar="WHO", help="your name: you know of it, and it is told no more")],
) -> None:
    """Says that somebody knows of an alarm. It stays on the console until its cause is gone."""

    _do(lambda it, settings: it.acknowledge_alarm(settings, number, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.alarm_commands", act)
