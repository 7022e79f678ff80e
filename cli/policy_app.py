"""The command line of `policy …`: what is typed, and its help. What the commands do: policy_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Annotated

import typer

from cli.roster_app import Committee
from cli.running import do, out

app = typer.Typer(
    help="How elders are called and who is rung: show, set, check (docs/escalation.md).", no_args_is_help=True
)

Elder = Annotated[str, typer.Option(metavar="NAME_OR_ID", help="for this elder only; else for the neighbourhood")]


@app.command("show")
def policy_show(
    committee: Committee = "",
    elder: Elder = "",
    own: Annotated[bool, typer.Option("--own", help="only what is written here, as `policy set` reads it")] = False,
) -> None:
    """What holds, as YAML: the default, over it what differs for the neighbourhood, over that for the elder."""

    _do(lambda it, settings: it.show(settings, committee, elder, out, own=own))


@app.command("set")
def policy_set(
    file: Annotated[Path, typer.Argument(help="YAML or JSON: policy, escalation or both; null takes it back")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")],
    committee: Committee = "",
    elder: Elder = "",
) -> None:
    """Writes what differs, instead of what was written there before; shows what holds then. All of it or nothing."""

    _do(lambda it, settings: it.put(settings, file, committee, elder, by, out))


@app.command("check")
def policy_check() -> None:
    """Whether all that is written down can be read, and counts. Status 3: something doesn't; says whose, and why."""

    _do(lambda it, settings: it.check(settings, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.policy_commands", act)
