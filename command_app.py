"""How a group of commands is run that has its help in one module (`…_app.py`) and its work in another
(`…_commands.py`): the work is imported when it is asked for, so that `--help` stays quick."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from importlib import import_module

from rich.console import Console

from settings import Settings

Run = Callable[[Callable[[Settings], Awaitable[int]]], None]  # settings, log, event loop around what a command does


def do(run: Run, out: Console, commands: str, act: Callable[..., Awaitable[int]]) -> None:
    """Has `act` done with the module `commands` and the settings; what can't be done is said in a sentence."""

    async def work(settings: Settings) -> int:
        from roster_commands import said

        return await said(act(import_module(commands), settings), out)

    run(work)
