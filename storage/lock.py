"""One server on one data folder: a second one would finish recordings that grow, and break off calls that go on."""

from __future__ import annotations

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NAME = "lock"


class FolderTakenError(Exception):
    """One sentence for the operator: why the folder can't be had, and what to do."""


@contextmanager
def held(folder: Path) -> Iterator[None]:
    """Holds `folder` (made when it is missing) as long as the context is open. The system lets go when the process
    ends, however it ends; the file is never removed. Raises FolderTakenError."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = (folder / NAME).open("a")
    except OSError as error:
        raise FolderTakenError(f"WENAN_DATA_DIR ({folder}) can't be used: {error.strerror}") from None
    with file:
        _lock(folder, file.fileno())
        yield


def _lock(folder: Path, number: int) -> None:
    try:
        fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise FolderTakenError(
            f"a server is running on this data folder already ({folder}); stop it first, or use another WENAN_DATA_DIR "
            "with a database of its own (WENAN_DATABASE_URL)"
        ) from None
    except OSError as error:
        raise FolderTakenError(f"WENAN_DATA_DIR ({folder}) can't be locked: {error.strerror}") from None
