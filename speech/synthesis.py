"""Live synthesis: the `Synthesiser` protocol and espeak-ng in a child process that may be killed.

espeak-ng is GPL and crashes or hangs on some input: neither its code nor its faults enter this process. A hang or a
crash costs one prompt; the next one finds a new child.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
import sys
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from speech.recogniser import SAMPLE_RATE
from speech.resample import resample

log = logging.getLogger(__name__)

CHILD = Path(__file__).with_name("espeak_child.py")
# espeak-ng's names of voices. Shanghainese has none: it is played only when a person recorded it.
VOICES = {"zh": "sit/cmn"}
# Words a minute; espeak-ng's own pace is 175. Elders hear 0.8 of it.
RATE = 140
PROMPT_S = 5.0  # one prompt takes 15 ms; what takes so long hangs
START_S = 10.0  # 0.1 s on an idle machine
# How long a child may take to end by itself when its input closes, before it is killed.
CLOSE_S, GIVE_UP_S = 1.0, 0.2
# The first new start is immediate (a crash costs one prompt); a child that keeps failing is left alone for longer.
BACKOFF_S = (0.0, 0.5, 2.0, 8.0, 30.0)
MAX_CHARACTERS = 400  # a minute of speech; more is no prompt
MAX_BYTES = 16 << 20


class SynthesisError(Exception):
    """This prompt could not be spoken. The sentence says why and never repeats the text."""


class Synthesiser(Protocol):
    """A voice for any text."""

    voice: str
    """Engine, voice, pace and version: goes into the cache key, so that a new voice renders anew."""

    async def render(self, text: str, language: str) -> bytes:
        """16-bit mono PCM at 8 kHz, neither trimmed nor levelled (speech.loudness does that for every source alike).

        Bounded in time. Raises SynthesisError; after that the next call works as if nothing had happened.
        """
        ...

    async def close(self) -> None:
        """Ends what was started. Idempotent."""
        ...


class EspeakChild:
    """espeak-ng by pyttsx3 in a child process, one prompt at a time. Belongs to one event loop.

    `command` starts the child (tests put others there).
    """

    def __init__(
        self,
        *,
        rate: int = RATE,
        timeout_s: float = PROMPT_S,
        command: Sequence[str] | None = None,
    ) -> None:
        self.voice = f"espeak-ng {VOICES['zh']} {rate}"
        self._rate = rate
        self._timeout_s = timeout_s
        self._command = tuple(command or (sys.executable, "-P", str(CHILD)))
        self._child: asyncio.subprocess.Process | None = None
        self._one_at_a_time = asyncio.Lock()
        self._ids = itertools.count(1)
        self._failures = 0  # in a row
        self._not_before = 0.0  # loop time
        self._closed = False

    async def render(self, text: str, language: str) -> bytes:
        request = self._request(text, language)
        async with self._one_at_a_time:
            if self._closed:
                raise SynthesisError("the synthesiser is closed")
            return await self._bounded(request)

    async def close(self) -> None:
        self._closed = True
        async with self._one_at_a_time:
            await self._stop(CLOSE_S)

    def _request(self, text: str, language: str) -> dict[str, Any]:
        if language not in VOICES:
            raise SynthesisError(f"espeak-ng has no voice for the language {language!r}")
        clean = plain(text)
        if not clean or len(clean) > MAX_CHARACTERS:
            raise SynthesisError(f"a prompt has 1 to {MAX_CHARACTERS} characters, this one {len(clean)}")
        return {"id": next(self._ids), "text": clean, "voice": VOICES[language], "rate": self._rate}

    async def _bounded(self, request: dict[str, Any]) -> bytes:
        """Whatever goes wrong with the child (also this task being cancelled in the middle) ends the child."""
        try:
            child = self._child or await self._start()
            answer = await asyncio.wait_for(self._ask(child, request), self._timeout_s)
        except (TimeoutError, OSError, EOFError, ValueError, TypeError, LookupError) as error:
            raise SynthesisError(await self._give_up(error)) from None
        except BaseException:
            await self._stop(GIVE_UP_S)
            raise
        self._failures = 0
        if isinstance(answer, str):
            raise SynthesisError(f"espeak-ng refused the prompt: {answer}")
        return answer

    async def _start(self) -> asyncio.subprocess.Process:
        """A child that has said it is ready. Within the back-off: SynthesisError at once, for a caller can't wait."""
        if asyncio.get_running_loop().time() < self._not_before:
            raise SynthesisError("espeak-ng's process failed several times in a row and is not started again yet")
        # A session of its own: Ctrl-C in a terminal is for us, not for the child.
        self._child = await asyncio.create_subprocess_exec(
            *self._command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,  # pyttsx3 may print what it speaks
            start_new_session=True,
        )
        hello = await asyncio.wait_for(_head(self._child), START_S)
        if "ready" not in hello:
            raise ValueError(str(hello.get("error", "no greeting")))
        return self._child

    async def _ask(self, child: asyncio.subprocess.Process, request: dict[str, Any]) -> bytes | str:
        """PCM, or the child's own complaint."""
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdin.write(json.dumps(request).encode() + b"\n")
        await child.stdin.drain()
        head = await _head(child)
        if head.get("id") != request["id"]:
            raise ValueError("it answered another request")
        if "error" in head:
            return str(head["error"])
        size, hz = int(head["bytes"]), int(head["hz"])
        if not (0 < size <= MAX_BYTES and 8000 <= hz <= 48000):
            raise ValueError(f"it announced {size} bytes at {hz} Hz")
        return resample(await child.stdout.readexactly(size), hz, SAMPLE_RATE)

    async def _give_up(self, error: Exception) -> str:
        """Ends the child and sets the back-off; returns what happened, in one sentence."""
        code = await self._stop(GIVE_UP_S)
        delay = BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        self._not_before = asyncio.get_running_loop().time() + delay
        if isinstance(error, TimeoutError):
            return "espeak-ng's process took too long and was ended"
        return f"espeak-ng's process failed (exit code {code}): {error or type(error).__name__}"

    async def _stop(self, patience_s: float) -> int | None:
        """Closes the child's input, waits, kills, reaps: no zombie is left. Its exit code; None: there was no child."""
        child, self._child = self._child, None
        if child is None:
            return None
        assert child.stdin is not None
        child.stdin.close()
        try:
            return await asyncio.wait_for(child.wait(), patience_s)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                child.kill()
            return await child.wait()


async def _head(child: asyncio.subprocess.Process) -> dict[str, Any]:
    """One JSON line. EOFError when the child is gone, ValueError when it talks nonsense."""
    assert child.stdout is not None
    line = await child.stdout.readline()
    if not line.endswith(b"\n"):
        raise EOFError("it ended")
    head = json.loads(line)
    if not isinstance(head, dict):
        raise ValueError("it wrote something that is no answer")
    return head


def plain(text: str) -> str:
    """Text as data: control characters (a line break would end a request) become spaces, markup stays mere letters."""
    return "".join(" " if unicodedata.category(char)[0] in "CZ" else char for char in text).strip()
