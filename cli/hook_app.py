"""The command line of `hooks …`: what is typed, and its help. What the commands do: hook_commands.py."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(
    help="Other programs that are told what happens (docs/api.md). The secret of the signature is printed once.",
    no_args_is_help=True,
)

_By = Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")]
_Id = Annotated[int, typer.Argument(metavar="NUMBER", help="as `hooks list` shows it")]


@app.command("list")
def list_() -> None:
    """All of them: where, of what, and whether the last message was taken."""
    do("cli.hook_commands", lambda it, settings: it.show(settings, out))


@app.command("new")
def new(
    url: Annotated[str, typer.Argument(metavar="URL", help="https://…")],
    events: Annotated[str, typer.Option(metavar="EVENT,…", help="case.*,emergency.*,complaint.* or single ones")],
    by: _By,
    committee: Annotated[str, typer.Option(help="of this committee only (default: of all)")] = "",
) -> None:
    """A new one; prints its secret, once."""
    do("cli.hook_commands", lambda it, settings: it.new(settings, url, events, committee, by, out))


@app.command("pause")
def pause(number: _Id, by: _By) -> None:
    """Nothing is sent; what happens meanwhile is kept for a week."""
    do("cli.hook_commands", lambda it, settings: it.act(settings, "pause", number, by, out))


@app.command("resume")
def resume(number: _Id, by: _By) -> None:
    """What waits is sent at once."""
    do("cli.hook_commands", lambda it, settings: it.act(settings, "resume", number, by, out))


@app.command("remove")
def remove(number: _Id, by: _By) -> None:
    """Nothing is sent there any more."""
    do("cli.hook_commands", lambda it, settings: it.act(settings, "remove", number, by, out))


@app.command("test")
def test(number: _Id, by: _By) -> None:
    """A message that says nothing, sent by the running server; `hooks list` shows what came of it."""
    do("cli.hook_commands", lambda it, settings: it.act(settings, "test", number, by, out))
