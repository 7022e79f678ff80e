"""What was spoken in a call or by staff, given to a browser."""

from __future__ import annotations

import asyncio

from fastapi import Request, Response

from console.deps import Deps
from console.guard import PageError
from console.ranges import ranged
from console.wav import wav
from ivr.recordings import RecordingBrokenError

NO_RECORDING = PageError(404, "没有这段录音，或录音已损坏。", "there is no such recording, or it is damaged")


async def audio_of(deps: Deps, path: str) -> bytes:
    """μ-law. PageError when there is none."""
    try:
        return await asyncio.to_thread(deps.recordings_read, path)
    except (RecordingBrokenError, OSError):
        raise NO_RECORDING from None


async def played(request: Request, audio: bytes) -> Response:
    return ranged(request, await asyncio.to_thread(wav, audio), "audio/wav")
