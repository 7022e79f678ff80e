"""The command line of `accounts …`: what is typed, and its help. What the commands do: account_commands.py."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(
    help="Accounts of the console (docs/console.md). Passwords are printed once, are good for one login within 7 days, "
    "and must be changed there.",
    no_args_is_help=True,
)

_Login = Annotated[str, typer.Argument(metavar="LOGIN", help="as `accounts list` shows it")]
_By = Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")]
_ROLES = (
    "worker: listens, acts, keeps register and roster; duty: listens and acts, changes neither; supervisor: what a "
    "worker may, and accounts; auditor: reads who did what, hears and changes nothing"
)


@app.command("list")
def list_() -> None:
    """All accounts: whose, which role, when they last logged in."""
    _do(lambda it, settings: it.show(settings, out))


@app.command("add")
def add(
    login: Annotated[str, typer.Argument(metavar="LOGIN", help="what is typed at the login: a-z, 0-9, . _ -")],
    name: Annotated[str, typer.Option(metavar="NAME", help="the person's name, as cases and logs will say it")],
    role: Annotated[str, typer.Option(metavar="ROLE", help=_ROLES)],
    by: _By,
) -> None:
    """A new account; prints its one-time password."""
    _do(lambda it, settings: it.add(settings, login, name, role, by, out))


@app.command("role")
def role(login: _Login, role: Annotated[str, typer.Argument(metavar="ROLE", help=_ROLES)], by: _By) -> None:
    """Another role, from the next page on."""
    _do(lambda it, settings: it.set_role(settings, login, role, by, out))


@app.command("lock")
def lock(
    login: _Login, by: _By, undo: Annotated[bool, typer.Option("--undo", help="let them in again")] = False
) -> None:
    """Nobody gets in with it any more; who is in is out at the next step."""
    _do(lambda it, settings: it.lock(settings, login, by, out, undo=undo))


@app.command("reset-password")
def reset_password(login: _Login, by: _By) -> None:
    """A one-time password instead of the one that was lost; prints it."""
    _do(lambda it, settings: it.reset(settings, login, by, out))


def _do(act: Callable[..., Awaitable[int]]) -> None:
    do("cli.account_commands", act)
