"""Runs an application's TwiML on a line: fetches documents, plays, gathers, records, streams, until somebody ends."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urljoin, urlsplit

from . import wav
from .acoustics import sounds, tone
from .line import Line
from .pace import NoPace
from .phone import FRAME_S, RING_CYCLE_S
from .resource import Orders
from .stream import HandshakeError, StreamSession, open_socket
from .stream_messages import StreamError, StreamMessages
from .twiml import TwimlError, Verb, parse
from .webhooks import Params, WebhookError, Webhooks

RING_TONE = tone(450, 1.0, -20.0) + b"\xff" * round((RING_CYCLE_S - 1.0) * 8000)  # as in mainland China
MAX_DOCUMENTS = 200  # a loop of redirects ends the call
_LOOPBACK = {"127.0.0.1", "localhost", "::1"}


class HungUpError(Exception):
    """The callee is gone or the call was ended: nothing more is run."""


@dataclass(frozen=True)
class Goto:
    """Where the next document comes from."""

    url: str
    method: str = "POST"
    params: Params = ()


class Office(Protocol):
    """What the interpreter needs of its call and carrier."""

    account_sid: str
    call_sid: str

    def form(self) -> Params:
        """The standard parameters of a voice request, as of now."""
        ...

    async def record(self, audio: bytes) -> Params:
        """Stores a recording; its parameters for the action request."""
        ...

    async def recording_ready(self, url: str, params: Params) -> None:
        """Sends a recording status callback."""
        ...

    def gone(self) -> None:
        """This side has hung up: what is asked from now on says so."""
        ...

    def dial(self, orders: Orders) -> Leg:
        """Begins to ring another party, to be put through to this call."""
        ...


class Leg(Protocol):
    """A call that was dialled out of this one, as seen from here."""

    line: Line
    ready: asyncio.Event  # its party has picked up and heard what they were to hear

    @property
    def over(self) -> bool: ...

    def dialled(self) -> Params:
        """What became of it, for the action request."""
        ...

    async def settled(self) -> None:
        """Returns when it waits for time to pass, is ready, or over (in lockstep; else at once)."""
        ...

    def let(self) -> None:
        """20 ms have passed here."""
        ...

    async def release(self) -> None:
        """Nobody is put through (any more): returns when it is over."""
        ...


class Interpreter:
    """One call's execution. Errors that Twilio would log are shown as `error` observations."""

    def __init__(self, office: Office, line: Line, webhooks: Webhooks, *, stream_answer_s: float) -> None:
        self._office = office
        self._line = line
        self._webhooks = webhooks
        self._answer_s = stream_answer_s
        self._here = ""  # URL of the running document
        self.jump: Goto | None = None  # a live call was sent elsewhere by REST

    async def run(self, first: Goto, fallback: str = "") -> bool:
        """From the first document to the end of the call. `fallback` is asked once when a document fails. True: the
        documents came to their end, and nobody hung up."""
        goto: Goto | None = first
        try:
            for _ in range(MAX_DOCUMENTS):
                if goto is None:
                    return True
                goto, fallback = await self._document(goto, fallback)
            self._line.see("error", "12100: endless redirects")
        except HungUpError:
            pass
        return False

    async def execute(self, verbs: Iterable[Verb]) -> Goto | None:
        """Runs verbs in order; where to go next, None at the end of the document."""
        for verb in verbs:
            goto = await self._HANDLERS[verb.name](self, verb)
            if self.jump is not None:
                goto, self.jump = self.jump, None
            if goto is not None:
                return goto
        return None

    async def _document(self, goto: Goto, fallback: str) -> tuple[Goto | None, str]:
        try:
            verbs = await self._fetch(goto)
            return await self.execute(verbs), fallback
        except (WebhookError, TwimlError) as error:
            self._line.see("error", str(error) if isinstance(error, WebhookError) else f"{error.code}: {error}")
            if not fallback:
                raise HungUpError from error
            trouble = (("ErrorCode", str(error.code)), ("ErrorUrl", goto.url))
            return Goto(fallback, "POST", trouble), ""

    async def _fetch(self, goto: Goto) -> tuple[Verb, ...]:
        self._here = goto.url
        params = [*self._office.form(), *goto.params]
        response = await self._webhooks.send(goto.url, params, goto.method)
        if self._line.dropped:
            raise HungUpError
        return parse(response.content, response.headers.get("content-type", ""))

    async def _pass(self, seconds: float) -> None:
        for _ in range(round(seconds / FRAME_S)):
            if (await self._line.step()).hung_up:
                raise HungUpError

    def _after(self, verb: Verb, params: Params, *, default_here: bool = False) -> Goto | None:
        action = verb.get("action")
        if not action and not default_here:
            return None
        return Goto(urljoin(self._here, action) if action else self._here, verb.get("method", "POST"), params)

    # ── verbs ─────────────────────────────────────────────────────────────────────────────────────

    async def _connect(self, verb: Verb) -> Goto | None:
        for stream in verb.children:
            await self._stream(stream)
        return self._after(verb, ())

    async def _stream(self, verb: Verb) -> None:
        url = verb.get("url")
        if not _may_stream(url):
            raise TwimlError(12200, "<Stream url> must be wss without a query string")
        parameters = {child.get("name"): child.get("value") for child in verb.children}
        stream_sid = "MZ" + uuid.uuid4().hex
        messages = StreamMessages(self._office.account_sid, self._office.call_sid, stream_sid, parameters)
        try:
            socket = await open_socket(self._webhooks.route(url), self._webhooks.signer(url, ()))
            self._line.see("stream")
            stays = await StreamSession(socket, self._line, messages, answer_s=self._answer_s).run()
        except HandshakeError as error:
            self._line.see("error", f"31920: {error}")
            return
        except StreamError as violation:
            self._line.see("error", f"31951: {violation}")
            return
        finally:
            self._line.playout.clear()
        if not stays:
            raise HungUpError

    async def _redirect(self, verb: Verb) -> Goto | None:
        return Goto(urljoin(self._here, verb.text), verb.get("method", "POST"))

    async def _gather(self, verb: Verb) -> Goto | None:
        finish = verb.get("finishOnKey", "#")
        wanted = int(verb.number("numDigits", 0))
        timeout = verb.number("timeout", 5)
        keys = await self._gather_prompts(verb, finish)
        quiet = 0.0
        self._line.pace.begin()
        while not _complete(keys, wanted, finish) and quiet < timeout:
            heard = await self._step()
            keys += heard
            quiet = 0.0 if heard else quiet + FRAME_S
        digits = keys.partition(finish)[0] if finish else keys
        digits = digits[:wanted] if wanted else digits
        if keys or verb.get("actionOnEmptyResult") == "true":
            return self._after(verb, (("Digits", digits),), default_here=True)
        return None

    async def _gather_prompts(self, verb: Verb, finish: str) -> str:
        """Plays the nested prompts; a key stops them."""
        for child in verb.children:
            if child.name == "Play":
                self._line.playout.push(await self._audio(child))
                self._line.playout.mark(urlsplit(child.text).path.rpartition("/")[2])
            elif child.name == "Pause":
                self._line.playout.push(b"\xff" * round(child.number("length", 1) * 8000))
        self._line.pace.begin()
        while not self._line.playout.empty:
            keys = await self._step()
            if keys:
                self._line.clear()
                return keys
        return ""

    async def _step(self) -> str:
        """Passes 20 ms; the keys pressed in it."""
        heard = await self._line.step()
        if heard.hung_up:
            raise HungUpError
        return heard.keys

    async def _play(self, verb: Verb) -> Goto | None:
        audio = await self._audio(verb)
        for _ in range(max(1, int(verb.number("loop", 1)))):
            self._line.playout.push(audio)
        self._line.playout.mark(urlsplit(verb.text).path.rpartition("/")[2])
        self._line.pace.begin()
        while not self._line.playout.empty:
            await self._step()
        return None

    async def _audio(self, verb: Verb) -> bytes:
        url = urljoin(self._here, verb.text)
        try:
            response = await self._webhooks.send(url, (), "GET")
            return wav.read(response.content)
        except (WebhookError, wav.WavError) as error:
            self._line.see("error", f"12400: {error}")
            return b""

    async def _say(self, verb: Verb) -> Goto | None:
        """This carrier has no voice of its own: the time passes, and the use is shown."""
        self._line.see("error", "Say: this carrier does not speak")
        await self._pass(0.2 * len(verb.text))
        return None

    async def _pause(self, verb: Verb) -> Goto | None:
        self._line.pace.begin()
        await self._pass(verb.number("length", 1))
        return None

    async def _record(self, verb: Verb) -> Goto | None:
        if verb.get("playBeep", "true") == "true":
            self._line.playout.push(tone(1000, 0.5))
        audio, ended = await self._take_down(verb)
        if not any(sounds(audio[i : i + 160]) for i in range(0, len(audio), 160)):
            if ended == "hangup":
                raise HungUpError
            return None
        params = [*await self._office.record(audio), ("Digits", ended)]
        callback = verb.get("recordingStatusCallback")
        if callback:
            await self._office.recording_ready(urljoin(self._here, callback), params)
        goto = self._after(verb, params, default_here=True)
        if ended == "hangup" and goto is not None:
            await self._fetch(goto)  # its answer comes too late to be heard
            raise HungUpError
        return goto

    async def _take_down(self, verb: Verb) -> tuple[bytes, str]:
        """Audio until silence, a finishing key, the limit or the hang-up; what ended it."""
        finish, silence = verb.get("finishOnKey", "1234567890*#"), verb.number("timeout", 5)
        audio, quiet = bytearray(), 0.0
        self._line.pace.begin()
        while len(audio) < verb.number("maxLength", 3600) * 8000:
            heard = await self._line.step()
            if heard.hung_up:
                return bytes(audio), "hangup"
            pressed = [key for key in heard.keys if key in finish]
            if pressed:
                return bytes(audio), pressed[0]
            audio += heard.audio
            quiet = 0.0 if sounds(heard.audio) else quiet + FRAME_S
            if quiet >= silence:
                break
        return bytes(audio), ""

    async def _hang_up(self, verb: Verb) -> Goto | None:
        raise HungUpError

    async def _dial(self, verb: Verb) -> Goto | None:
        """One number at a time. The action is asked for also when this side has hung up."""
        leg = self._office.dial(self._orders(verb))
        gone, bridged = await self._ring(leg), False
        if leg.ready.is_set() and not gone:
            bridged, gone = True, await self._talk(leg, verb.number("timeLimit", 14400))
        await leg.release()
        self._line.playout.clear()
        self._line.pace.begin()
        goto = self._after(verb, (*leg.dialled(), ("DialBridged", "true" if bridged else "false")))
        if gone:
            self._office.gone()
            if goto is not None:
                await self._fetch(goto)
            raise HungUpError
        return goto

    def _orders(self, verb: Verb) -> Orders:
        if len(verb.children) > 1:
            raise TwimlError(13200, "this carrier dials one number at a time")
        number = verb.children[0] if verb.children else Verb("Number", text=verb.text)
        caller = verb.get("callerId")
        if not caller:
            raise TwimlError(13214, "<Dial> lacks callerId")
        callback, url = number.get("statusCallback"), number.get("url")
        return Orders(
            to=number.text,
            from_=caller,
            url=urljoin(self._here, url) if url else "",
            method=number.get("method", "POST"),
            status_callback=urljoin(self._here, callback) if callback else "",
            events=frozenset(number.get("statusCallbackEvent", "completed").split()),
            ring_s=verb.number("timeout", 30),
        )

    async def _ring(self, leg: Leg) -> bool:
        """This side hears it ring until the other is ready, or over. Whether this side has hung up meanwhile."""
        self._line.pace.begin()
        while True:
            await leg.settled()
            if leg.over or leg.ready.is_set():
                return False
            if self._line.playout.empty:
                self._line.playout.push(RING_TONE)
            if (await self._line.step()).hung_up:
                return True
            leg.let()

    async def _talk(self, leg: Leg, limit_s: float) -> bool:
        """Both hear each other until one hangs up or the time is over. Whether this side has hung up."""
        self._line.playout.clear()
        leg.line.pace = NoPace()
        self._line.see("bridged")
        leg.line.see("bridged")
        for _ in range(round(limit_s / FRAME_S)):
            here, there = await self._line.step(), await leg.line.step()
            if here.hung_up or there.hung_up:
                return here.hung_up
            leg.line.playout.push(here.audio)
            self._line.playout.push(there.audio)
        return False

    _HANDLERS: dict[str, Callable[[Interpreter, Verb], Awaitable[Goto | None]]] = {  # noqa: RUF012
        "Connect": _connect,
        "Redirect": _redirect,
        "Gather": _gather,
        "Play": _play,
        "Say": _say,
        "Pause": _pause,
        "Record": _record,
        "Hangup": _hang_up,
        "Reject": _hang_up,
        "Dial": _dial,
    }


def _may_stream(url: str) -> bool:
    """wss only, no query string; plain ws to this very machine is let through for demo and tests."""
    parts = urlsplit(url)
    secure = parts.scheme == "wss" or (parts.scheme == "ws" and parts.hostname in _LOOPBACK)
    return secure and not parts.query


def _complete(keys: str, wanted: int, finish: str) -> bool:
    if finish and finish in keys:
        return True
    return bool(wanted) and len(keys) >= wanted
