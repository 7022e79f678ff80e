"""What staff have spoken themselves: kept among the recordings, whole on the disk, as the line plays it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

from ivr.recordings import RecordingBrokenError, Recordings

MOST_S = 180  # nobody keeps more in mind
NOT_WHOLE = "the recording could not be stored whole: is the disk full? Nothing was changed"


@asynccontextmanager
async def stored(folder: Path, about: str, label: str, audio: bytes | None, now: datetime) -> AsyncIterator[str | None]:
    """The path among the recordings in `folder` of the μ-law `audio` (None: nothing). Dropped again when what it was
    meant for is refused (LookupError, ValueError). LookupError when it can't be written."""
    kept = None if audio is None else await _added(folder, about, label, audio, now)
    try:
        yield kept
    except (LookupError, ValueError):
        if kept is not None:
            await asyncio.to_thread(_drop, folder / kept)
        raise


def unheard(folder: Path, recording: str) -> str:
    """Why nobody can listen to it; "": one can."""
    if not recording:
        return "nothing was recorded"
    try:
        return "" if Recordings(folder).read(recording) else "the recording is empty"
    except RecordingBrokenError as error:
        return str(error)


async def _added(folder: Path, about: str, label: str, audio: bytes, now: datetime) -> str:
    recordings = Recordings(folder)
    try:
        path = (await recordings.add(about, f"{label}-{now:%H%M%S%f}", now, audio)).path
    finally:
        await recordings.close(within_s=0)  # what didn't fit now is not tried again: staff are told
    if not await asyncio.to_thread(_is, recordings, path, audio):
        await asyncio.to_thread(_drop, folder / path)
        raise LookupError(NOT_WHOLE)
    return path


def _is(recordings: Recordings, path: str, audio: bytes) -> bool:
    """Read back."""
    try:
        return recordings.read(path) == audio
    except RecordingBrokenError:
        return False


def _drop(recording: Path) -> None:
    for ending in (".ulaw", ".sha256", ".part", ".sha256-part"):
        recording.with_suffix(ending).unlink(missing_ok=True)
