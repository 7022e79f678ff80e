"""The command line of `keep …`: what is typed, and its help. What it does: keep_commands.py."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from cli.running import do, out

app = typer.Typer(help="How long what is kept, and its deletion on time.", no_args_is_help=True)


@app.command()
def show(
    backups: Annotated[Path | None, typer.Option(help="a folder with backups: lists those that keep too much")] = None,
) -> None:
    """Every kind of data: for how many days, why; and when something was deleted last."""
    do("cli.keep_commands", lambda it, settings: it.show(settings, backups, out))


@app.command()
def due() -> None:
    """How much would be deleted now. Deletes nothing."""
    do("cli.keep_commands", lambda it, settings: it.show_due(settings, out))


@app.command("run")
def run_(
    by: Annotated[str, typer.Option(metavar="WHO", help="your name: you have looked at `keep due` and at the clock")],
) -> None:
    """Deletes what is due, for good. A running `serve` does so every day from then on. Status 3: it is being done."""
    do("cli.keep_commands", lambda it, settings: it.run(settings, by, out))
