"""The command line of `tokens …`: what is typed, and its help. What the commands do: token_commands.py."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(
    help="Tokens with which other programs use the JSON API (docs/api.md). A token is printed once.",
    no_args_is_help=True,
)

_By = Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="the program and its office; stands in cases and logs")]


@app.command("list")
def list_() -> None:
    """All tokens: whose, what they may, until when, when they were last used."""
    do("cli.token_commands", lambda it, settings: it.show(settings, out))


@app.command("new")
def new(
    name: _Name,
    scopes: Annotated[str, typer.Option(metavar="SCOPE,…", help="what it may: cases:read,cases:act … (docs/api.md)")],
    by: _By,
    days: Annotated[int, typer.Option(help="so long it is good")] = 365,
) -> None:
    """A new token; prints it, once."""
    do("cli.token_commands", lambda it, settings: it.new(settings, name, scopes, days, by, out))


@app.command("revoke")
def revoke(name: _Name, by: _By) -> None:
    """Nobody gets in with it any more, from the next request on."""
    do("cli.token_commands", lambda it, settings: it.revoke(settings, name, by, out))
