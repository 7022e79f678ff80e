"""One server on one data folder: a second one would finish recordings that grow, and break off calls that go on."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "lock"


class FolderTakenError(Exception):
    """Another process holds the folder."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds `folder` (made when it is missing) as long as the context is open. The system lets go when the process
    ends, however it ends; the file is never removed. FolderTakenError, or OSError when it can't be written."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / NAME).open("a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FolderTakenError(str(folder)) from None
        yield
