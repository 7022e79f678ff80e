"""Fetches one file by HTTP: goes on where it stopped, and checks what came. Blocking; a progress callback counts."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path

import httpx

Progress = Callable[[int], None]  # bytes of this file that are here now

# A closed network must not hold up the set-up: connecting takes a moment or not at all.
CONNECT_S = 2.5
READ_S = 8.0
ATTEMPTS = 4  # after a cut connection, as long as each attempt brings something
PAUSE_S = 0.5
CHUNK = 1 << 18


class SourceError(Exception):
    """One source didn't work. The message is half a sentence: what it said."""


def sha256(path: Path) -> str:
    """The file's sum as hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fetch(url: str, target: Path, digest: str, progress: Progress, limit: int) -> None:
    """Makes `target` the file at `url`; what is there of it already (from whichever mirror) is not fetched again.

    Raises SourceError when the host doesn't answer, says no, sends more than `limit` bytes or something else than
    `digest` (then the part is thrown away; "": anything goes); OSError when the disk is full.
    """
    resumed = _size(target) > 0
    _fetch(url, target, progress, limit)
    if not digest:
        return
    if sha256(target) != digest and resumed:  # what was there may have been the wrong part: once more from the start
        target.unlink()
        _fetch(url, target, progress, limit)
    if sha256(target) != digest:
        target.unlink()
        raise SourceError("sent something else: its sha256 is not the one in the catalogue")


def _fetch(url: str, target: Path, progress: Progress, limit: int) -> None:
    """Until the server says that this was all."""
    timeout = httpx.Timeout(READ_S, connect=CONNECT_S)
    headers = {"User-Agent": "wenan-models", "Accept-Encoding": "identity"}
    with httpx.Client(timeout=timeout, follow_redirects=True, headers=headers) as client:
        for attempt in range(ATTEMPTS):
            before = _size(target)
            try:
                _receive(client, url, target, progress, limit)
                break
            except httpx.HTTPError as error:
                if _size(target) == before or attempt == ATTEMPTS - 1:
                    raise SourceError(_reason(error)) from None
                time.sleep(PAUSE_S)


def _receive(client: httpx.Client, url: str, target: Path, progress: Progress, limit: int) -> None:
    have = _size(target)
    with client.stream("GET", url, headers={"Range": f"bytes={have}-"} if have else {}) as answer:
        if answer.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # all of it is here; the sum tells whether it is the right thing
        if answer.status_code not in (httpx.codes.OK, httpx.codes.PARTIAL_CONTENT):
            raise SourceError(f"answered {answer.status_code} {answer.reason_phrase}".strip())
        going_on = answer.status_code == httpx.codes.PARTIAL_CONTENT and _starts_at(answer) == have
        with target.open("ab" if going_on else "wb") as file:
            for chunk in answer.iter_bytes():
                file.write(chunk)
                progress(file.tell())
                if file.tell() > limit:
                    target.unlink()
                    raise SourceError(f"sent more than {limit / 1e6:.0f} MB")


def _starts_at(answer: httpx.Response) -> int:
    """The first byte's place, from "Content-Range: bytes 100-199/200"; −1 when it isn't told."""
    _, _, span = answer.headers.get("Content-Range", "").partition(" ")
    first = span.partition("-")[0]
    return int(first) if first.isdigit() else -1


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _reason(error: httpx.HTTPError) -> str:
    if isinstance(error, httpx.ConnectTimeout):
        return f"no answer within {CONNECT_S:g} s"
    if isinstance(error, httpx.ConnectError):
        return "can't be reached"
    return f"the connection broke ({type(error).__name__})"
