"""A real PostgreSQL for tests: the one of WENAN_TEST_POSTGRES_URL, else a private cluster from the system's own
binaries on a Unix socket in a temporary folder; else the test skips visibly."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import create_engine, make_url, text

VARIABLE = "WENAN_TEST_POSTGRES_URL"


@contextmanager
def cluster() -> Iterator[str]:
    """The URL of a server's maintenance database. Skips when there is none to be had."""
    pytest.importorskip("psycopg", reason="the postgres extra is not installed")
    if os.environ.get(VARIABLE):
        yield os.environ[VARIABLE]
        return
    binaries = _binaries()
    if binaries is None:
        pytest.skip(f"no PostgreSQL: set {VARIABLE} or install the package postgresql")
    with _private(binaries) as url:
        yield url


@contextmanager
def database(server: str, like: str = "template1") -> Iterator[str]:
    """A fresh database on `server`, a copy of the one named `like`, dropped afterwards."""
    name = f"wenan_{uuid4().hex[:12]}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {like}"))
        yield make_url(server).set(database=name).render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    finally:
        engine.dispose()


def _binaries() -> Path | None:
    if found := shutil.which("initdb"):
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


@contextmanager
def _private(binaries: Path) -> Iterator[str]:
    """PostgreSQL refuses to run as root, so root hands the folder to an unprivileged account."""
    user = _unprivileged() if os.getuid() == 0 else None
    folder = Path(tempfile.mkdtemp(prefix="wenan-pg-", dir="/tmp"))  # a socket's path must be short
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        _run(user, binaries / "initdb", "-D", data, "-U", "wenan", "-A", "trust", "-E", "UTF8", "--no-sync")
        options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off -c full_page_writes=off"
        _run(user, binaries / "pg_ctl", "-D", data, "-w", "-l", folder / "log", "-o", options, "start")
        try:
            yield f"postgresql+psycopg://wenan@/postgres?host={folder}"
        finally:
            _run(user, binaries / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _unprivileged() -> str:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name).pw_name
        except KeyError:
            continue
    pytest.skip("PostgreSQL does not run as root, and there is no other account")


def _run(user: str | None, *command: object) -> None:
    words = [str(word) for word in command]
    done = subprocess.run(words, user=user, cwd="/", capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        raise RuntimeError(f"{words[0]} failed: {done.stderr.strip()}")
