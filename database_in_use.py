"""The database that a command works on: said on stderr, since in a shell without WENAN_SETTINGS it is another one."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable
from contextvars import ContextVar
from pathlib import Path
from typing import TypeVar

from alembic.util import CommandError
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from settings import FILE_VARIABLE, Settings, SettingsError
from storage.database import Database
from storage.migrate import is_current, upgrade

T = TypeVar("T")
_SAID: ContextVar[frozenset[str]] = ContextVar("said", default=frozenset())  # a command has a context of its own


def opened(settings: Settings, *, make: bool = False, as_it_is: bool = False) -> Database:
    """The database, up to date. SettingsError when there is none, unless `make`. `as_it_is`: only read, which
    works also when nothing can be written."""
    new = missing(settings)
    if new and not make:
        raise SettingsError(
            f"there is no database {shown(settings)}. If `serve` uses another one, say where its settings are: "
            f"export {FILE_VARIABLE}=/etc/wenan.toml. A new database is made by `people import` and by `serve`"
        )
    _say(settings, f"database {shown(settings)}{' (new)' if new else ''}")
    if not as_it_is:
        migrate(settings)
    try:
        return Database(settings.database_url)
    except ImportError as error:
        raise SettingsError(_lacks(error)) from None


def missing(settings: Settings) -> bool:
    """Whether the first who opens the database makes it."""
    return _file_missing(make_url(settings.database_url))


def _say(settings: Settings, sentence: str) -> None:
    """Once a command, however often that opens the database."""
    if settings.database_url not in _SAID.get():
        _SAID.set(_SAID.get() | {settings.database_url})
        print(sentence, file=sys.stderr)


async def write(settings: Settings, work: Callable[[Session], T]) -> T:
    """One transaction of a command."""
    with contextlib.closing(opened(settings)) as db:
        return await db.run(work)


async def read(settings: Settings, work: Callable[[Session], T]) -> T:
    """The same, only looking: SettingsError for a database of an older version, which stays as it is."""
    with contextlib.closing(opened(settings, as_it_is=True)) as db:
        _check(db)
        return await db.view(work)


def _check(db: Database) -> None:
    try:
        with db.engine.connect() as connection:
            current = is_current(connection)
    except (DBAPIError, CommandError, OSError) as error:
        raise SettingsError(f"WENAN_DATABASE_URL: {sentence(error)}") from None
    if not current:
        raise SettingsError(
            "WENAN_DATABASE_URL: this database is of an older version, and a look doesn't change it: stop the server, "
            "make a backup, then start `serve`, which brings it up to date (docs/operations.md, Upgrade)"
        )


def _lacks(error: ImportError) -> str:
    return f"WENAN_DATABASE_URL needs the package {error.name}, which is not installed (docs/settings.md)"


def migrate(settings: Settings) -> None:
    """Brings the database up to date. SettingsError says why it can't be used."""
    try:
        upgrade(settings.database_url)
    except ImportError as error:
        raise SettingsError(_lacks(error)) from None
    except (DBAPIError, CommandError, RuntimeError, OSError) as error:
        raise SettingsError(f"WENAN_DATABASE_URL: {sentence(error)}") from None


def sentence(error: Exception) -> str:
    """What is wrong with the database, and what to do; nothing of what is in it."""
    why = (str(getattr(error, "orig", error)).strip() or type(error).__name__).splitlines()[0]
    if isinstance(error, CommandError):
        return f"this database is from a newer version of the program: use that one, or the backup of before ({why})"
    if "locked" in why:
        return f"the database is locked by another process (a backup, a shell): end that, and try again ({why})"
    if "not a database" in why or "malformed" in why:
        return f"the database is broken: stop the server and restore the backup (docs/operations.md, Backup) ({why})"
    return f"the database can't be used: {why}"


def shown(settings: Settings) -> str:
    """Without the password, and an SQLite file with its whole path."""
    url = make_url(settings.database_url)
    if _is_file(url):
        url = url.set(database=str(Path(url.database or "").resolve()))
    return url.render_as_string(hide_password=True)


def _file_missing(url: URL) -> bool:
    return _is_file(url) and not Path(url.database or "").exists()


def _is_file(url: URL) -> bool:
    return url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:")
