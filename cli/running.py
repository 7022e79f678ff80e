"""How a command is run: settings, log and event loop around what it does; errors end in one sentence and status 2."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from importlib import import_module

import typer
import uvloop
from rich.console import Console
from sqlalchemy.exc import DBAPIError

import settings as settings_module
from settings import Settings, SettingsError
from storage.faults import Discreet

out = Console()
err = Console(stderr=True)


def loaded() -> Settings:
    """The settings; ends the command when one is wrong, warns of those that nobody knows."""
    try:
        found = settings_module.load()
    except SettingsError as error:
        raise fail(str(error)) from None
    for warning in settings_module.unknown_variables():
        err.print(f"warning: {warning}", style="yellow", highlight=False)
    return found


def run(work: Callable[[Settings], Awaitable[int]]) -> None:
    """The exit status is what `work` returns."""
    settings = loaded()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler])
    for talkative in ("httpx", "uvicorn", "alembic", "websockets"):  # request lines would hold numbers
        logging.getLogger(talkative).setLevel(logging.WARNING)

    async def main() -> int:
        return await work(settings)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(main())
    except SettingsError as error:
        raise fail(str(error)) from None
    except DBAPIError as error:
        from database_in_use import sentence

        raise fail(sentence(error)) from None
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def do(commands: str, act: Callable[..., Awaitable[int]]) -> None:
    """Runs `act` with the module `commands` and the settings; what can't be done is said in a sentence."""

    async def work(settings: Settings) -> int:
        try:
            module = import_module(commands)
        except ModuleNotFoundError as missing:
            raise fail(
                f"this Python has no {missing.name}: run `make setup`, then .venv/bin/python server.py …"
            ) from None
        return await said(act(module, settings), out)

    run(work)


async def said(work: Awaitable[int], out: Console) -> int:
    """What a command comes to; what can't be done is one sentence and status 2."""
    try:
        return await work
    except (LookupError, ValueError) as error:
        out.print(f"wenan: {error.args[0]}", style="red", highlight=False)
        return 2


def until_signal() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM; the second one ends the process at once: the next start deals with what is open."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    return stop


def fail(sentence: str) -> typer.Exit:
    """To be raised: status 2, after the sentence."""
    err.print(f"wenan: {sentence}", style="red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(2)
