"""Style, script and other files of the pages, shipped with them: whatever lies in `static/` and is of a known kind."""

from __future__ import annotations

import hashlib
from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from console.guard import PageError

FOLDER = Path(__file__).parent / "static"
_KINDS = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".wasm": "application/wasm",
}
STATIC = {file.name: _KINDS[file.suffix] for file in sorted(FOLDER.iterdir()) if file.suffix in _KINDS}
_PRINTS = {name: hashlib.sha256((FOLDER / name).read_bytes()).hexdigest()[:12] for name in STATIC}


def static_url(name: str) -> str:
    """The file's address, another one whenever the file is: browsers keep it for good."""
    return f"/static/{name}?v={_PRINTS[name]}"


def add(router: APIRouter) -> None:
    @router.get("/static/{name}")
    async def static(name: str, v: str = "") -> Response:
        if name not in STATIC:
            raise PageError(404, "没有这个文件。", "there is no such file")
        kept = "private, max-age=31536000, immutable" if v == _PRINTS[name] else "no-cache"
        return FileResponse(FOLDER / name, media_type=STATIC[name], headers={"Cache-Control": kept})
