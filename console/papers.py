"""Papers as files to keep and print."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from fastapi import Response

from checkins.enrolment import font
from checkins.enrolment.font import FontError
from console.guard import PageError


async def drawn(draw: Callable[[], bytes]) -> bytes:
    """PageError where this machine can't print Chinese."""
    try:
        return await asyncio.to_thread(_with_font, draw)
    except FontError as error:
        zh = "打印不了：本机没有中文字体（请安装 fonts-wqy-zenhei），或者字体里没有某个字。"
        raise PageError(503, zh, str(error)) from None


def _with_font(draw: Callable[[], bytes]) -> bytes:
    font.load()
    return draw()


def download(pdf: bytes, name: str) -> Response:
    """`name`: without what a header can't hold."""
    headers = {"Content-Disposition": f'attachment; filename="{name}.pdf"'}
    return Response(pdf, media_type="application/pdf", headers=headers)
