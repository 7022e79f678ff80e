"""A piece of something that lies in memory, as players ask for it (RFC 9110, 14). Of several ranges, all is given."""

from __future__ import annotations

import re

from fastapi import Request, Response

_RANGE = re.compile(r"bytes=\s*([0-9]{0,18})-([0-9]{0,18})\s*")


class UnsatisfiableError(ValueError):
    """The range begins behind the end."""


def span(header: str, size: int) -> tuple[int, int] | None:
    """First byte and the one behind the last; None: everything (no range, several, or none that can be read)."""
    found = _RANGE.fullmatch(header)
    if found is None or found.group(1) == found.group(2) == "":
        return None
    first, last = found.groups()
    if first == "":
        begin, end = max(0, size - int(last)), size
    else:
        begin, end = int(first), min(size, int(last) + 1) if last else size
    if first and last and int(last) < int(first):
        return None
    if begin >= size or begin >= end:
        raise UnsatisfiableError
    return begin, end


def ranged(request: Request, body: bytes, media_type: str) -> Response:
    try:
        begin, end = given(request, len(body))
    except UnsatisfiableError:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{len(body)}"})
    if span(request.headers.get("range", ""), len(body)) is None:
        return Response(body, media_type=media_type, headers={"Accept-Ranges": "bytes"})
    headers = {"Accept-Ranges": "bytes", "Content-Range": f"bytes {begin}-{end - 1}/{len(body)}"}
    return Response(body[begin:end], 206, headers, media_type)


def given(request: Request, size: int) -> tuple[int, int]:
    """First byte and the one behind the last that is given for the request. UnsatisfiableError: none is."""
    return span(request.headers.get("range", ""), size) or (0, size)
