"""The command line of `devices …`: what is typed, and its help. What the commands do: device_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(help="Alarm buttons and smoke detectors: add, list, test, remove.", no_args_is_help=True)

_Device = Annotated[str, typer.Argument(metavar="ID", help="as `devices list` shows it")]
_By = Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")]


@app.command("add")
def devices_add(
    elder: Annotated[str, typer.Argument(help="an elder's id, or the whole name")],
    kind: Annotated[str, typer.Option(help="alarm_button or smoke")],
    by: _By,
    test: Annotated[bool, typer.Option("--test", help="what it sends rings nobody, until `devices live`")] = False,
) -> None:
    """A new device in an elder's home; prints its address and its secret, once."""

    _do(lambda it, settings: it.add(settings, elder, kind, by, out, testing=test))


@app.command("list")
def devices_list() -> None:
    """All devices: whose, of what kind, when they last raised an alarm and when they were last tested."""

    _do(lambda it, settings: it.show(settings, out))


@app.command("test")
def devices_test(device: _Device, by: _By) -> None:
    """Into test mode: what it sends is kept, and rings nobody."""

    _do(lambda it, settings: it.set_testing(settings, device, by, out, testing=True))


@app.command("live")
def devices_live(device: _Device, by: _By) -> None:
    """Out of test mode: what it sends rings people."""

    _do(lambda it, settings: it.set_testing(settings, device, by, out, testing=False))


@app.command("remove")
def devices_remove(device: _Device, by: _By) -> None:
    """Nothing it sends counts any more; what it sent before stays."""

    _do(lambda it, settings: it.remove(settings, device, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.device_commands", act)
