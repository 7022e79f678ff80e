"""The command line of `models …`: recogniser weights."""

from __future__ import annotations

from typing import Annotated

import typer

from cli.running import loaded, out

app = typer.Typer(help="Recogniser weights: list, pull, verify.", no_args_is_help=True)

Names = Annotated[list[str] | None, typer.Argument(help="names as `models list` shows them; none: all")]


@app.command("list")
def models_list() -> None:
    """Which weights the line knows, what they are for, and which are here."""
    _models("list", [])


@app.command("pull")
def models_pull(
    names: Names = None,
    soft: Annotated[bool, typer.Option("--soft", help="end with 0 also when some can't be had")] = False,
) -> None:
    """Fetches weights (goes on where it stopped, several sources in turn, checked by sha256)."""
    _models("pull", names or [], soft=soft)


@app.command("verify")
def models_verify(names: Names = None) -> None:
    """Checks the sums of the weights that are here."""
    _models("verify", names or [])


def _models(command: str, names: list[str], *, soft: bool = False) -> None:
    from speech import models

    raise typer.Exit(models.run(command, names, loaded().models_dir, soft, out))
