"""Recordings as files with a checksum: DATA_DIR/recordings/YYYY/MM/DD/CALL-LABEL.ulaw, and a .sha256 beside each.

8 kHz μ-law without a header. A take grows on disk while the call goes on, as `.part`; a crash leaves what was written
so far, and `recover` gives it its checksum. With the disk full the audio stays in memory and is tried again until it
fits: nothing that an elder said is lost while the process lives.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from pathlib import Path

from tenacity import AsyncRetrying, retry_if_result, wait_fixed

log = logging.getLogger(__name__)

BYTES_PER_S = 8000
FLUSH_BYTES = 2 * BYTES_PER_S
RETRY_S = 30.0
WHOLE_CALL = "call"  # the label of the recording of a whole call


@dataclass(frozen=True)
class Recording:
    """`path` is relative to the folder, with forward slashes; it names the recording everywhere."""

    path: str
    seconds: float
    sha256: str


class RecordingBrokenError(Exception):
    """The file is missing, or its content is not what was recorded."""


class Recordings:
    """All recordings of one folder. Files are written by one thread, never on the event loop."""

    def __init__(self, folder: Path, *, retry_s: float = RETRY_S) -> None:
        self.folder = folder
        self._retry_s = retry_s
        self._writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix="recordings")
        self._unsaved: set[asyncio.Task[None]] = set()

    def take(self, call_id: str, label: str, at: datetime) -> Take:
        """A recording that grows while the call goes on."""
        return Take(self, _path(call_id, label, at))

    async def add(self, call_id: str, label: str, at: datetime, ulaw: bytes) -> Recording:
        """Stores a whole recording. With the disk full it returns all the same and goes on trying."""
        take = self.take(call_id, label, at)
        take.write(ulaw)
        return await take.close()

    def read(self, path: str) -> bytes:
        """The audio, checked. RecordingBrokenError when it is missing, changed, or outside the folder."""
        file = (self.folder / path).resolve()
        if not file.is_relative_to(self.folder.resolve()):
            raise RecordingBrokenError("this is no recording")
        try:
            audio = file.read_bytes()
            wanted = file.with_suffix(".sha256").read_text("ascii").split()[0]
        except (OSError, IndexError, UnicodeDecodeError):
            raise RecordingBrokenError("this recording is missing or has no checksum") from None
        if hashlib.sha256(audio).hexdigest() != wanted:
            raise RecordingBrokenError("this recording is not what was recorded: its checksum differs")
        return audio

    def recover(self) -> list[Recording]:
        """Finishes takes that a crash left behind. Call before any call is taken, and while no other process records
        into this folder. What can't be read or written now (disk full) is left as it is for the next start."""
        found = []
        for part in sorted(self.folder.rglob("*.part")):
            try:
                found.append(self._finish(part))
            except OSError as error:
                why = error.strerror or type(error).__name__
                log.error("a recording that a crash cut off can't be finished (%s); the next start tries again", why)
        return found

    def _finish(self, part: Path) -> Recording:
        file = part.with_suffix(".ulaw")
        audio = part.read_bytes()
        _seal(file, hashlib.sha256(audio).hexdigest())
        part.replace(file)
        return _recording(file.relative_to(self.folder).as_posix(), audio)

    @property
    def unsaved(self) -> int:
        """Recordings that wait in memory for room on the disk."""
        return len(self._unsaved)

    async def close(self, within_s: float = 5.0) -> None:
        """Waits a moment for what is still in memory, then gives up on it, with an error in the log."""
        if self._unsaved:
            _, late = await asyncio.wait(self._unsaved, timeout=within_s)
            for task in late:
                task.cancel()
            if late:
                log.error("%d recordings could not be written before the end: the disk is full", len(late))
        self._writer.shutdown(wait=True)

    async def run(self, work: Callable[[], None]) -> None:
        await asyncio.get_running_loop().run_in_executor(self._writer, work)

    def keep_trying(self, take: Take) -> None:
        task = asyncio.create_task(self._until_saved(take))
        self._unsaved.add(task)
        task.add_done_callback(self._unsaved.discard)

    async def _until_saved(self, take: Take) -> None:
        again = AsyncRetrying(wait=wait_fixed(self._retry_s), retry=retry_if_result(lambda saved: not saved))
        await again(take.saved)
        log.warning("a recording that waited for room on the disk is written now: %s", take.path)


class Take:
    """One growing recording. `write` never blocks and never fails."""

    def __init__(self, house: Recordings, path: str) -> None:
        self.path = path
        self._house = house
        self._file = house.folder / path
        self._sum = hashlib.sha256()
        self._buffer = bytearray()  # not yet handed to the disk
        self._waiting: list[bytes] = []  # handed over, not yet written
        self._size = 0
        self._written = 0  # known to the writer's thread only
        self._flush: asyncio.Task[None] | None = None
        self._told = False

    def write(self, ulaw: bytes) -> None:
        self._buffer += ulaw
        if len(self._buffer) >= FLUSH_BYTES and (self._flush is None or self._flush.done()):
            self._hand_over()
            self._flush = asyncio.create_task(self._house.run(lambda: self._append(final=False)))

    async def close(self) -> Recording:
        """Finishes it. Comes back with the recording's name also when the disk is full (then it is tried again)."""
        if self._flush is not None:
            await asyncio.gather(self._flush, return_exceptions=True)
        if not await self.saved():
            self._house.keep_trying(self)
        return Recording(self.path, self._size / BYTES_PER_S, self._sum.hexdigest())

    async def discard(self) -> None:
        """Drops it: nothing of it stays on disk."""
        if self._flush is not None:
            await asyncio.gather(self._flush, return_exceptions=True)
        await self._house.run(lambda: self._file.with_suffix(".part").unlink(missing_ok=True))

    async def saved(self) -> bool:
        """Writes what is left; whether the recording is complete on disk."""
        self._hand_over()
        await self._house.run(lambda: self._append(final=True))
        return not self._waiting

    def _hand_over(self) -> None:
        """On the event loop only; what is handed over is never changed again."""
        if self._buffer:
            piece = bytes(self._buffer)
            self._buffer.clear()
            self._waiting.append(piece)
            self._sum.update(piece)
            self._size += len(piece)

    def _append(self, final: bool) -> None:
        """Runs in the writer's thread. What can't be written stays; `final` finishes the file."""
        part = self._file.with_suffix(".part")
        try:
            part.parent.mkdir(parents=True, exist_ok=True)
            if self._lost(part):
                log.error("a recording was moved or cut by somebody else while it grew: %s", self.path)
                if final and not self._waiting:
                    return  # all of it was written; it may well lie there under its own name
                self._begin_anew()
                part = self._file.with_suffix(".part")
            self._write_pieces(part, final)
            if final:
                _seal(self._file, self._sum.hexdigest())
                part.replace(self._file)
        except OSError as error:
            if not self._told:
                log.error("a recording can't be written (%s); it stays in memory and is tried again", error.strerror)
            self._told = True
            if final and not self._waiting:
                self._waiting.append(b"")  # only the sealing is left: not saved yet

    def _lost(self, part: Path) -> bool:
        """Whether less is on disk than was written. It would never be made up with zeros: that is no sound."""
        return self._written > 0 and (part.stat().st_size if part.exists() else 0) < self._written

    def _begin_anew(self) -> None:
        """What is still to come goes to a name of its own, with a sum of its own. The event loop hands nothing over
        while this runs: it waits for the writer first."""
        self._file = _free(self._file)
        self.path = self._file.relative_to(self._house.folder).as_posix()
        rest = b"".join(self._waiting)
        self._sum, self._size, self._written = hashlib.sha256(rest), len(rest), 0

    def _write_pieces(self, part: Path, final: bool) -> None:
        with part.open("ab") as file:
            file.truncate(self._written)  # drops what was written of a piece by half
            while self._waiting:
                file.seek(0, os.SEEK_END)
                file.write(self._waiting[0])
                file.flush()
                self._written += len(self._waiting.pop(0))
            if final:
                os.fsync(file.fileno())


def _path(call_id: str, label: str, at: datetime) -> str:
    """Only characters that are safe in a file's name."""
    name = "".join(char for char in f"{call_id}-{label}" if char.isalnum() or char in "-_")
    return f"{at:%Y/%m/%d}/{name}.ulaw"


def _free(file: Path) -> Path:
    """NAME-2.ulaw, or the next number that nothing has."""
    names = (file.with_name(f"{file.stem}-{number}.ulaw") for number in count(2))
    return next(name for name in names if not name.exists() and not name.with_suffix(".part").exists())


def _seal(file: Path, digest: str) -> None:
    seal = file.with_suffix(".sha256")
    fresh = seal.with_suffix(".sha256-part")
    fresh.write_text(f"{digest}  {file.name}\n", "ascii")
    fresh.replace(seal)


def _recording(path: str, audio: bytes) -> Recording:
    return Recording(path, len(audio) / BYTES_PER_S, hashlib.sha256(audio).hexdigest())
