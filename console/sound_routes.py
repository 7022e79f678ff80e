"""Sounds that a page records, has spoken, and plays back (console/sounds.py). Answers are JSON; so are errors."""

from __future__ import annotations

import asyncio

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from community.spoken import MOST_SPOKEN
from console.deps import Deps
from console.forms import Text
from console.guard import PageError
from console.phone_routes import account
from console.ranges import ranged
from console.raw_body import raw_body
from console.sounds import NO_SOUND, Draft, GoneError
from console.wav import wav

NO_WAV = PageError(415, "请传 WAV 录音。", "send a WAV recording")
NOTHING = PageError(422, "请先写上要说的话。", "write first what is to be said")
TOO_LONG_TO_SAY = PageError(
    422, f"最多 {MOST_SPOKEN} 个字，请写得短一点。", f"the line speaks at most {MOST_SPOKEN} characters"
)


def add(router: APIRouter, deps: Deps) -> None:
    sounds = deps.sounds

    @router.post("/sounds")
    async def record(request: Request) -> Response:
        """A WAV file as it is → {id, seconds, wrong}; 422 and no id: it can't be used."""
        if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "audio/wav":
            raise NO_WAV
        async with sounds.sending(account()):
            return _told(await sounds.put(account(), await raw_body(request)))

    @router.post("/sounds/said")
    async def said(text: Text = "") -> Response:
        """`text` as the elder will hear it → {id, seconds, wrong}."""
        if not text.strip():
            return _refused(NOTHING)
        if len(text) > MOST_SPOKEN:
            return _refused(TOO_LONG_TO_SAY)
        try:
            return _told(await sounds.say(account(), text))
        except PageError as error:
            return _refused(error)

    @router.get("/sounds/{sound}")
    async def play(request: Request, sound: str) -> Response:
        try:
            audio = await asyncio.to_thread(sounds.play, sound, account())
        except GoneError:
            raise NO_SOUND from None
        return ranged(request, await asyncio.to_thread(wav, audio), "audio/wav")


def _told(draft: Draft) -> Response:
    told = {"id": draft.id, "seconds": draft.seconds, "wrong": draft.wrong}
    return JSONResponse(told, 200 if draft.id else 422)


def _refused(error: PageError) -> Response:
    return JSONResponse({"id": "", "seconds": 0.0, "wrong": f"{error.zh}{error}."}, error.status)
