"""One child process with one model of sherpa-onnx in it, as seen by the worker threads that ask it.

A child that crashes, hangs or grows is ended; the next request starts a new one. Whatever it held of an utterance is
lost with it: `born` tells a stream whether its child is still the one that has its audio.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import threading
import time
import weakref
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from speech.engines.sherpa_child import HEAD, LENGTH

# Reading 230 MB of weights from a slow disk; less than what speech.ears takes for a hang.
START_S = 40.0
GROWTH_MB = 800  # more than this above what it had after loading (a piece of 28 s needs up to 400)
# The first new start is immediate (a crash costs one utterance); a child that keeps failing is left alone for longer.
BACKOFF_S = (0.0, 0.5, 2.0, 8.0, 30.0)
LAST_WORDS_S = 0.5  # a child that closed its pipe is about to end; its exit code is worth having
MAX_ANSWER = 4 << 20
_PAGE_MB = os.sysconf("SC_PAGE_SIZE") / 1e6


class SherpaError(RuntimeError):
    """The child could not do it. One sentence, without any spoken text."""


class SherpaLost(SherpaError):  # noqa: N818
    """The child was gone, or went, before it answered. Whoever still has the audio may ask once more."""


class SherpaProcess:
    """One request at a time, from whichever thread. `command` starts the child."""

    def __init__(self, command: Sequence[str], *, growth_mb: float = GROWTH_MB, start_s: float = START_S) -> None:
        self._command = tuple(command)
        self._growth_mb, self._start_s = growth_mb, start_s
        self._one_at_a_time = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._end: weakref.finalize[Any, Any] | None = None
        self._loaded_mb = 0.0
        self._failures = 0  # in a row
        self._not_before = 0.0
        self._open: set[int] = set()  # streams of which the child has audio
        self.born = 0  # how many children there have been

    @property
    def pid(self) -> int | None:
        """The child's, while there is one."""
        child = self._child
        return child.pid if child else None

    def start(self) -> int:
        """Makes sure of a child that has its model loaded; returns its number. Blocking. Raises SherpaError."""
        with self._turn(self._start_s):
            self._alive()
            return self.born

    def ask(self, what: str, stream: int, body: bytes, timeout_s: float, *, of: int | None = None) -> dict[str, Any]:
        """One answer. `of`: the child that must still be there, because it has the stream's audio.

        Raises SherpaError when there is none, when it took longer than `timeout_s`, or refused.
        """
        with self._turn(timeout_s):
            child = self._alive(of)
            try:
                answer = _talk(child, HEAD.pack(ord(what), stream, len(body)) + body, time.monotonic() + timeout_s)
            except (OSError, ValueError) as error:
                kind = SherpaError if isinstance(error, TimeoutError) else SherpaLost
                raise kind(self._give_up(error)) from None
            self._failures = 0
            (self._open.add if what == "A" else self._open.discard)(stream)
            if "error" in answer:
                self._open.discard(stream)
                raise SherpaError(f"sherpa-onnx refused the audio ({answer['error']})")
            return answer

    def drop(self, stream: int, of: int) -> None:
        """Frees what a child still holds of a stream. Never waits, never raises."""
        if not self._one_at_a_time.acquire(timeout=1.0):
            return  # it is busy or hangs: a forgotten stream is found by its growth
        try:
            self._open.discard(stream)
            if self._child and self.born == of:
                with contextlib.suppress(OSError, ValueError):
                    _write(self._child, HEAD.pack(ord("C"), stream, 0), time.monotonic() + 1.0)
        finally:
            self._one_at_a_time.release()

    def trim(self) -> bool:
        """Ends a child that has grown too big. Whether it did; not while it works for somebody else. Utterances that it
        was streaming fail over to the next engine, so it is let grow twice as far while there are some."""
        if not self._one_at_a_time.acquire(blocking=False):
            return False
        try:
            limit = self._growth_mb * (2 if self._open else 1)
            if self._child is None or _megabytes(self._child.pid) - self._loaded_mb < limit:
                return False
            self._stop()
            return True
        finally:
            self._one_at_a_time.release()

    def close(self) -> None:
        """Ends the child. The next request would start one again."""
        with self._turn(self._start_s):
            self._stop()

    @contextlib.contextmanager
    def _turn(self, patience_s: float) -> Any:
        if not self._one_at_a_time.acquire(timeout=patience_s):
            raise SherpaError("sherpa-onnx's process is busy with other utterances")
        try:
            yield
        finally:
            self._one_at_a_time.release()

    def _alive(self, of: int | None = None) -> subprocess.Popen[bytes]:
        if self._child and self._child.poll() is not None:
            self._stop()
        if of is not None and (self._child is None or of != self.born):
            raise SherpaLost("sherpa-onnx's process ended in the middle of the utterance")
        return self._child or self._begin()

    def _begin(self) -> subprocess.Popen[bytes]:
        """A child that has said it is ready. Within the back-off: SherpaError at once."""
        if time.monotonic() < self._not_before:
            raise SherpaError("sherpa-onnx's process failed several times in a row and is not started again yet")
        # A session of its own: Ctrl-C in a terminal is for us, not for the child. Its library logs what it hears.
        self._child = subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            bufsize=0,
            start_new_session=True,
        )
        self._end = weakref.finalize(self, _finish, self._child)
        self.born += 1
        for pipe in (self._child.stdin, self._child.stdout):
            assert pipe
            os.set_blocking(pipe.fileno(), False)
        try:
            hello = _read(self._child, time.monotonic() + self._start_s)
            if "ready" not in hello:
                raise ValueError(f"the weights can't be loaded ({hello.get('error', 'no greeting')})")
        except (OSError, ValueError) as error:
            raise SherpaError(self._give_up(error)) from None
        self._loaded_mb = _megabytes(self._child.pid)
        return self._child

    def _give_up(self, error: Exception) -> str:
        """Ends the child and sets the back-off; returns what happened, in one sentence."""
        code = self._stop(0.0 if isinstance(error, TimeoutError) else LAST_WORDS_S)
        self._not_before = time.monotonic() + BACKOFF_S[min(self._failures, len(BACKOFF_S) - 1)]
        self._failures += 1
        if isinstance(error, TimeoutError):
            return "sherpa-onnx's process took too long and was ended"
        return f"sherpa-onnx's process failed (exit code {code}): {error or type(error).__name__}"

    def _stop(self, patience_s: float = 0.0) -> int | None:
        """Kills and reaps: no zombie is left. Its exit code, if it ended by itself within `patience_s`."""
        child, self._child = self._child, None
        self._open.clear()
        if child is None or self._end is None:
            return None
        with contextlib.suppress(subprocess.TimeoutExpired):
            child.wait(patience_s)
        code = child.returncode
        self._end()
        return code


def _finish(child: subprocess.Popen[bytes]) -> None:
    for pipe in (child.stdin, child.stdout):
        assert pipe
        with contextlib.suppress(OSError):
            pipe.close()
    with contextlib.suppress(ProcessLookupError):
        child.send_signal(signal.SIGKILL)
    child.wait()


def _talk(child: subprocess.Popen[bytes], request: bytes, until: float) -> dict[str, Any]:
    _write(child, request, until)
    return _read(child, until)


def _write(child: subprocess.Popen[bytes], data: bytes, until: float) -> None:
    """All of it, even into a pipe that is full. TimeoutError; BrokenPipeError when the child is gone."""
    assert child.stdin
    left = memoryview(data)
    while left:
        _wait(child.stdin.fileno(), select.POLLOUT, until)
        with contextlib.suppress(BlockingIOError):
            left = left[os.write(child.stdin.fileno(), left[:65536]) :]


def _read(child: subprocess.Popen[bytes], until: float) -> dict[str, Any]:
    """One answer. ValueError when the child talks nonsense."""
    (length,) = LENGTH.unpack(_exactly(child, LENGTH.size, until))
    if length > MAX_ANSWER:
        raise ValueError(f"it announced {length} bytes")
    answer = json.loads(_exactly(child, length, until))
    if not isinstance(answer, dict):
        raise ValueError("it wrote something that is no answer")
    return answer


def _exactly(child: subprocess.Popen[bytes], count: int, until: float) -> bytes:
    assert child.stdout
    got = bytearray()
    while len(got) < count:
        _wait(child.stdout.fileno(), select.POLLIN, until)
        with contextlib.suppress(BlockingIOError):
            piece = os.read(child.stdout.fileno(), count - len(got))
            if not piece:
                raise ValueError("it ended")
            got += piece
    return bytes(got)


def _wait(descriptor: int, event: int, until: float) -> None:
    poll = select.poll()
    poll.register(descriptor, event)
    if not poll.poll(max(0.0, until - time.monotonic()) * 1000):
        raise TimeoutError


def _megabytes(pid: int) -> float:
    """Memory that the process holds now; 0 when it is gone."""
    try:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE_MB
    except OSError:
        return 0.0
