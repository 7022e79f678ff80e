"""The addresses under /twilio/ that the carrier asks: what to say, how a call stands, the media stream, audio.

Every request is signed, or sealed in its address (audio); what is not gets 403 and changes nothing. Voice requests are
always answered within a second by a TwiML document: the caller never hears dead air or an English error.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Protocol, TypeVar

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from ivr import playback
from ivr.calls import Calls, LogEntry, StatusNews
from ivr.endings import FINAL
from ivr.incoming_calls import IncomingCalls
from ivr.ports import Reception, Unserved
from ivr.records import Call
from ivr.twilio import documents, wav
from ivr.twilio.config import TwilioConfig
from ivr.twilio.incoming import Gate, Incoming, RefusedError
from ivr.twilio.verbs import Verbs
from storage.faults import where

log = logging.getLogger(__name__)

T = TypeVar("T")

ANSWER_S = 0.9
_UNSERVED = {Unserved.STRANGER: "line.inbound", Unserved.NOTED: "line.noted"}
_MAX_VALUE = 1000  # characters of a form's value that are kept


class Media(Protocol):
    """The media server, as the routes use it."""

    async def serve(self, websocket: WebSocket) -> None: ...

    def machine_answered(self, call_id: str, answered_by: str) -> None: ...


class PromptSource(Protocol):
    async def get(self, text: str, language: str = "zh") -> bytes: ...


def routes(
    calls: Calls,
    config: TwilioConfig,
    media: Media,
    verbs: Verbs,
    prompts: PromptSource,
    reception: Reception | None = None,
) -> APIRouter:
    """All of /twilio/. `media`: see ivr.media.MediaServer. `prompts`: see speech.prompts.Prompts. `reception`: who
    knows who rings in; None: every caller is a stranger."""
    desk = _Desk(calls, config, media, verbs, prompts, IncomingCalls(calls, reception))
    router = APIRouter()
    for path, handler in (
        ("/voice", desk.voice),
        ("/status", desk.status),
        ("/amd", desk.amd),
        ("/verbs", desk.verbs),
        ("/verbs/key", desk.key),
        ("/verbs/recorded", desk.recorded),
        ("/verbs/dialled", desk.dialled),
        ("/verbs/recording", desk.recording),
    ):
        router.add_route(config.prefix + path, handler, methods=["POST"], include_in_schema=False)
    audio = "/audio/{call}/{turn}/{index}/{seal}/{name}"
    router.add_route(config.prefix + audio, desk.audio, methods=["GET"], include_in_schema=False)
    router.add_websocket_route(config.prefix + "/media", desk.media)
    return router


class _Desk:
    def __init__(
        self,
        calls: Calls,
        config: TwilioConfig,
        media: Media,
        verbs: Verbs,
        prompts: PromptSource,
        incoming: IncomingCalls,
    ) -> None:
        self._calls, self._config, self._media = calls, config, media
        self._verbs, self._prompts, self._incoming = verbs, prompts, incoming
        self._gate = Gate(config, calls.now)
        self._late: dict[str, asyncio.Task[Any]] = {}  # by call: the newest work that was too slow for its answer

    # ── documents ─────────────────────────────────────────────────────────────────────────────────

    async def voice(self, request: Request) -> Response:
        return await self._document(request, self._voice)

    async def verbs(self, request: Request) -> Response:
        return await self._document(request, self._go_on)

    async def key(self, request: Request) -> Response:
        return await self._document(request, self._key)

    async def recorded(self, request: Request) -> Response:
        return await self._document(request, self._recorded)

    async def dialled(self, request: Request) -> Response:
        return await self._document(request, self._dialled)

    async def _voice(self, incoming: Incoming) -> str:
        if incoming.inbound:
            key = incoming.form.get("Digits", "")[:1] if incoming.number("asked") else None
            unserved = await self._incoming.take(incoming.call_id, incoming.form.get("From", "")[:_MAX_VALUE], key)
            if unserved is Unserved.WHO:
                return documents.who(self._config)
            if unserved is not None:
                return documents.goodbye(self._config, _UNSERVED[unserved])
        elif not incoming.call_id:
            return documents.goodbye(self._config, "line.inbound")
        call = await self._calls.picked_up(incoming.call_id, incoming.call_sid)
        if call is None:
            return documents.goodbye(self._config, "line.unknown")
        trouble = incoming.form.get("ErrorCode", "")[:10]
        if trouble:
            log.error("call %s: the carrier met error %s in our document; going on by verbs", call.id, trouble)
            await self._calls.log(call.id, [LogEntry("error", 0, {"what": "document", "why": trouble})])
            call = await self._verbs.unable(call)
        elif self._streams(incoming) and not await self._calls.reported(call.id):
            token = await self._calls.issue_token(call.id)
            if token is not None:
                return documents.stream(self._config, call.id, token)
        return await self._continue(call)

    def _streams(self, incoming: Incoming) -> bool:
        return self._config.media == "stream" and not incoming.number("fallback")

    async def _go_on(self, incoming: Incoming) -> str:
        call = await self._calls.picked_up(incoming.call_id, incoming.call_sid)
        if call is None and incoming.inbound and await self._calls.get(incoming.call_id) is None:
            return await self._voice(incoming)  # who rang in could not be found out in time
        return documents.hang_up() if call is None else await self._continue(call)

    async def _continue(self, call: Call) -> str:
        if await self._calls.reported(call.id):
            return documents.hang_up()
        return await self._verbs.go_on(call)

    async def _key(self, incoming: Incoming) -> str:
        call = await self._calls.picked_up(incoming.call_id, incoming.call_sid)
        if call is None:
            return documents.hang_up()
        return await self._verbs.key(call, incoming.number("turn"), incoming.form.get("Digits", ""), incoming.at)

    async def _recorded(self, incoming: Incoming) -> str:
        call = await self._mine(incoming)
        if call is None:
            return documents.hang_up()
        return await self._verbs.recorded(call, incoming.number("turn"), incoming.form, incoming.at)

    async def _dialled(self, incoming: Incoming) -> str:
        """A call made out of this one is over; written down also when this one is, too. Then nobody else is rung."""
        leg = incoming.leg
        status = incoming.form.get("DialCallStatus", "")
        await self._calls.carrier_says(leg, status if status in FINAL else "completed")
        if status == "canceled" or incoming.form.get("CallStatus") in FINAL:
            return documents.hang_up()
        call = await self._calls.picked_up(incoming.call_id, incoming.call_sid)
        return documents.hang_up() if call is None else await self._verbs.dialled(call, leg, incoming.form)

    async def _document(self, request: Request, work: Callable[[Incoming], Awaitable[str]]) -> Response:
        try:
            incoming = await self._gate.read(request)
        except RefusedError as refusal:
            return _refused(request, refusal)
        try:
            text = await self._in_time(incoming.call_id, partial(work, incoming))
        except Exception as error:
            log.error("call %s: %s failed: %s", incoming.call_id, request.url.path, where(error))
            text = documents.sorry(self._config, incoming.call_id, incoming.number("tries"))
        return Response(text, media_type="text/xml")

    async def _in_time(self, call_id: str, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` comes to, if it does within ANSWER_S; else TimeoutError, and the work goes on: a key that was
        pressed counts also when the database is slow. A call's later requests wait for its late work first."""
        task = asyncio.create_task(_after(self._late.get(call_id), work))
        done, _ = await asyncio.wait({task}, timeout=ANSWER_S)
        if done:
            return task.result()
        self._late[call_id] = task
        task.add_done_callback(partial(self._came_late, call_id))
        raise TimeoutError

    def _came_late(self, call_id: str, task: asyncio.Task[Any]) -> None:
        if self._late.get(call_id) is task:
            del self._late[call_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("call %s: what was answered late failed in the end: %s", call_id, where(error))

    # ── news ──────────────────────────────────────────────────────────────────────────────────────

    async def status(self, request: Request) -> Response:
        return await self._news(request, self._status)

    async def amd(self, request: Request) -> Response:
        return await self._news(request, self._amd)

    async def recording(self, request: Request) -> Response:
        return await self._news(request, self._recording)

    async def _status(self, incoming: Incoming) -> None:
        form = incoming.form
        status, sid = form.get("CallStatus", ""), incoming.call_sid
        if not status or not sid:
            raise RefusedError(400, "a status callback without CallSid or CallStatus")
        sequence = form.get("SequenceNumber", "")
        counted = sequence.isascii() and sequence.isdecimal() and len(sequence) < 9
        news = StatusNews(
            key=f"status:{sid}:{int(sequence) if counted else status}"[:128],
            call_sid=sid,
            status=status[:32],
            sequence=int(sequence) if counted else None,
            sip_code=form.get("SipResponseCode", "")[:10],
            error_code=form.get("ErrorCode", "")[:10],
            form=_kept(incoming),
        )
        await self._calls.status(incoming.call_id, news)

    async def _amd(self, incoming: Incoming) -> None:
        answered_by = incoming.form.get("AnsweredBy", "")[:32]
        if not answered_by:
            raise RefusedError(400, "an answering-machine callback without AnsweredBy")
        if await self._calls.machine(incoming.call_id, incoming.call_sid, answered_by, _kept(incoming)):
            self._media.machine_answered(incoming.call_id, answered_by)

    async def _recording(self, incoming: Incoming) -> None:
        call = await self._mine(incoming)
        if call is not None:
            await self._verbs.recording(call, incoming.number("turn"), incoming.form)

    async def _news(self, request: Request, work: Callable[[Incoming], Awaitable[None]]) -> Response:
        """204, or 503 when it could not be taken in: then the carrier sends it again."""
        try:
            incoming = await self._gate.read(request)
            await self._in_time(incoming.call_id, partial(work, incoming))
        except RefusedError as refusal:
            return _refused(request, refusal)
        except Exception as error:
            log.error("%s could not be taken in: %s", request.url.path, where(error))
            return Response(status_code=503)
        return Response(status_code=204)

    async def _mine(self, incoming: Incoming) -> Call | None:
        """The call that this request speaks of, over or not."""
        call = await self._calls.get(incoming.call_id)
        return call if call is not None and call.carrier_sid == incoming.call_sid else None

    # ── audio ─────────────────────────────────────────────────────────────────────────────────────

    async def media(self, websocket: WebSocket) -> None:
        if not self._gate.handshake(websocket):
            log.warning("a media stream without a valid signature was refused")
            await websocket.close(1008)  # before accept: the handshake is answered with 403
            return
        await websocket.accept()
        await self._media.serve(websocket)

    async def audio(self, request: Request) -> Response:
        """One prompt as a WAV file. The address is sealed; the text stands in the call's row."""
        part = request.path_params
        names = part["call"], part["turn"], part["index"], part["name"]
        if not documents.sealed(self._config, part["seal"], *names):
            return Response(status_code=403)
        try:
            audio = await self._audio(*names)
        except Exception as error:
            log.error("a prompt of call %s failed: %s", names[0], where(error))
            return Response(status_code=503)
        if audio is None:
            return Response(status_code=404)
        return Response(wav.of_ulaw(audio), media_type="audio/wav", headers={"Cache-Control": "no-store"})

    async def _audio(self, call_id: str, turn: str, index: str, name: str) -> bytes | None:
        if call_id == documents.LINE:
            return await self._prompts.get(documents.SENTENCES[name])
        call = await self._calls.get(call_id)
        if call is None or call.verbs is None or str(call.verbs["turn"]) != turn:
            return None
        say = call.verbs["says"][int(index)]
        return b"".join([await self._part(part, say["language"]) for part in say["parts"]])

    async def _part(self, part: str | Mapping[str, str], language: str) -> bytes:
        """A text, or a stored recording; a word where that can't be played after all."""
        if isinstance(part, str):
            return await self._prompts.get(part, language)
        return await self._verbs.played(part["recording"]) or await self._prompts.get(playback.INSTEAD)


def _kept(incoming: Incoming) -> dict[str, str]:
    return {key[:_MAX_VALUE]: value[:_MAX_VALUE] for key, value in incoming.form.items()}


def _refused(request: Request, refusal: RefusedError) -> Response:
    log.warning("%s was refused with %d: %s", request.url.path, refusal.status, refusal)
    return Response(status_code=refusal.status)


async def _after(earlier: asyncio.Task[Any] | None, work: Callable[[], Awaitable[T]]) -> T:
    if earlier is not None:
        await asyncio.wait({earlier})
    return await work()
