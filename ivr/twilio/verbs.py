"""The same conversation by plain TwiML verbs, when streaming or recognition is down: keys and recordings only.

Each turn is numbered and stored before it is answered, so a request that the carrier repeats gets the same document,
and a crash between two turns costs nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any
from weakref import WeakValueDictionary

from callflows.events import (
    Dictate,
    DictationEnded,
    HandedOver,
    HandOver,
    Input,
    Key,
    Listen,
    MachineBeeped,
    NoInput,
    Output,
    Query,
    SpeechFailed,
    Started,
    TimeLimit,
)
from callflows.flow import Flow
from callflows.session import Session
from ivr import endings, playback
from ivr.asking import verdict, whom
from ivr.calls import Calls, LogEntry
from ivr.ports import Answers, Switchboard
from ivr.records import Call, CallState
from ivr.reports import context_of, order_from_json
from ivr.secrecy import HIDDEN
from ivr.twilio import documents
from ivr.twilio.config import TwilioConfig
from ivr.twilio.fetching import CarrierRecordings
from ivr.twilio.signature import Form
from ivr.twilio.turns import alarms, turn_of

log = logging.getLogger(__name__)

HARD_LIMIT = timedelta(minutes=10)
KEYS = frozenset("0123456789*#")
KEY_MS = 150  # the keys of one gather come with one moment: so far apart two equal ones are two
_MAX_DICTATIONS = 20  # in a row; no flow has so many
_MAX_QUERIES = 20
ACCEPTED = "accepted"  # who says so in a call made out of another one is put through
_TAKEN_OVER = {"name": "line.sorry", "language": "zh", "parts": [documents.SENTENCES["line.sorry"]]}


class Verbs:
    """Every method answers with a TwiML document. `answers`: of what a flow asks the program; None: nobody can say.
    `switchboard`: who may be rung for an elder who wants a person; None: nobody. `voice`: speaks what the program
    tells; None: nobody looks whether it can."""

    def __init__(
        self,
        calls: Calls,
        config: TwilioConfig,
        recordings: CarrierRecordings,
        flow: Callable[[str], Flow],
        answers: Answers | None = None,
        switchboard: Switchboard | None = None,
        voice: playback.Voice | None = None,
    ) -> None:
        self._calls, self._config, self._recordings, self._flow = calls, config, recordings, flow
        self._answers, self._switchboard, self._voice = answers, switchboard, voice
        self._one_by_one: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()  # by call

    async def go_on(self, call: Call) -> str:
        """Begins the conversation, takes it over from a media stream, hands it over to a person, or repeats the turn on
        the line."""
        asked = self._session(call).handing
        if asked is not None:
            return await self._hand_over(call, asked)
        if call.verbs is not None:
            return documents.turn(self._config, call.id, call.verbs)
        await self._calls.log(call.id, [LogEntry("verbs", self._at_ms(call), {"begun": call.session is None})])
        failed = SpeechFailed("plain verbs")
        if call.session is None:
            return await self._feed(call, 0, [failed, Started()])
        return await self._feed(call, 0, self._taken_over(call, failed))

    def _taken_over(self, call: Call, failed: SpeechFailed) -> list[Input]:
        """A dictation that broke off is asked for again, and so are digits; what was asked of the program has got no
        answer; a question is asked with a word on keys."""
        session = self._session(call)
        if isinstance(session.wait, Dictate):
            return [Started()]
        return [failed, Started()] if session.asking or _entering(session) else [failed]

    async def key(self, call: Call, turn: int, digits: str, at: datetime) -> str:
        """The answer to a gather: one key, several where digits are entered, or none. `at`: when the request came in
        (the database may be slow)."""
        async with self._alone(call) as call:
            return await self._key(call, turn, digits, at) if self._on_line(call, turn) else self._again(call)

    async def _key(self, call: Call, turn: int, digits: str, at: datetime) -> str:
        at_ms, wait = self._at_ms(call, at), call.verbs["wait"] if call.verbs else {}
        node = wait.get("node", "")
        if wait.get("kind") == "hand_over":
            return await self._before_handing(call, turn, Key(digits[:1], at_ms))
        if "most" in wait and digits and KEYS.issuperset(digits):
            keys = digits[: wait["most"]]
            shown = [HIDDEN] if wait["secret"] else list(keys)
            entries = [LogEntry("key", at_ms, {"node": node, "digit": digit}) for digit in shown]
            return await self._feed(call, turn, _entered(keys, at_ms), *entries)
        if digits[:1] in KEYS and digits:
            entry = LogEntry("key", at_ms, {"node": node, "digit": digits[0]})
            return await self._feed(call, turn, [Key(digits[0], at_ms)], entry)
        entry = LogEntry("no_input", at_ms, {"node": node})
        return await self._feed(call, turn, [MachineBeeped(), NoInput()] if _machine(call) else [NoInput()], entry)

    async def recorded(self, call: Call, turn: int, form: Form, at: datetime) -> str:
        """The answer to a record, or that nothing was said. The recording is kept even when the call is over."""
        sid = form.get("RecordingSid", "")
        path = await self._recordings.note(call.id, sid, label(turn)) if sid else ""
        async with self._alone(call) as call:
            on_line = self._on_line(call, turn)
            return await self._recorded(call, turn, form, at, path) if on_line else self._again(call)

    async def _recorded(self, call: Call, turn: int, form: Form, at: datetime, path: str) -> str:
        ended_by = form.get("Digits", "")
        wait = call.verbs["wait"] if call.verbs else {}
        ended = _dictation(wait, _seconds(form), path, ended_by)
        detail = {"node": wait.get("node", ""), "seconds": ended.seconds, "recording": path, "ended_by": ended.ended_by}
        entry = LogEntry("dictation", self._at_ms(call, at), detail)
        if ended_by in ("0", "*"):  # the key leads on; what was said until then belongs to the dictation all the same
            return await self._feed(call, turn, [Key(ended_by, entry.at_ms), ended], entry)
        return await self._feed(call, turn, [ended], entry)

    async def recording(self, call: Call, turn: int, form: Form) -> None:
        """The carrier says that a recording is ready."""
        sid = form.get("RecordingSid", "")
        if sid and form.get("RecordingStatus", "completed") == "completed":
            await self._recordings.note(call.id, sid, label(turn))

    async def played(self, path: str) -> bytes | None:
        """A stored recording as a prompt; None when it can't be played after all."""
        return await playback.as_prompt(self._recordings.kept, path)

    # ── handing over ──────────────────────────────────────────────────────────────────────────────

    async def dialled(self, call: Call, leg: str, form: Form) -> str:
        """The call `leg`, made out of this one, is over: they have talked, or the next one is rung."""
        asked = self._session(call).handing
        if asked is None:
            return await self.go_on(call)
        return await self._hand_over(call, asked, bridged=form.get("DialBridged", "true") != "false", ended=leg)

    async def unable(self, call: Call) -> Call:
        """The carrier could make nothing of our last document: if it was to ring somebody, nobody is there."""
        asked = self._session(call).handing
        if asked is None:
            return call
        await self._calls.nobody_there(call.id, asked.number)
        return await self._calls.get(call.id) or call

    async def _before_handing(self, call: Call, turn: int, key: Key) -> str:
        """While they are asked to wait: a second 0 is the emergency, all else leads on."""
        session = self._session(call)
        asked = session.handing
        if key.digit == "0":
            session.feed(key)
        if asked is None or session.handing is None:
            entry = LogEntry("key", key.at_ms, {"node": "", "digit": key.digit})
            return await self._feed(call, turn, [key], entry)
        return await self._hand_over(call, asked)

    async def _hand_over(self, call: Call, asked: HandOver, *, bridged: bool = True, ended: str = "") -> str:
        """The document that rings whoever is to be rung, and who is next when that one didn't accept. The same request
        again rings nobody else. `ended`: the leg that is known to be over; `bridged`: it had been put through."""
        handing, turn = call.handing or {}, (call.verbs or {}).get("turn", 0)
        if handing.get("nobody") == asked.number:
            return await self._feed(call, turn, [HandedOver(accepted=False)])
        leg = await self._calls.get(handing["leg"]) if handing.get("number") == asked.number else None
        if leg is not None and leg.state != CallState.OVER and leg.id != ended:
            return documents.dial(self._config, call.id, order_from_json(leg.order))
        if leg is not None and bridged and self._accepted(leg):
            entry = LogEntry("handed_over", self._at_ms(call), {"accepted": True, "leg": leg.id})
            return await self._feed(call, turn, [HandedOver(accepted=True)], entry)
        return await self._ring(call, asked, handing.get("n", 0) + 1)

    async def _ring(self, call: Call, asked: HandOver, n: int) -> str:
        leg = await whom(self._switchboard, call.id, asked, n)
        if leg is None:
            return await self._nobody(call, asked)
        await self._calls.ring_out(call.id, leg, n, asked.number)
        await self._calls.log(call.id, [LogEntry("ring_out", self._at_ms(call), {"n": n, "leg": leg.id})])
        return documents.dial(self._config, call.id, leg)

    async def _nobody(self, call: Call, asked: HandOver) -> str:
        """The conversation goes on: by a new stream if it had one, for the sake of what may still be said."""
        await self._calls.nobody_there(call.id, asked.number)
        entry = LogEntry("handed_over", self._at_ms(call), {"accepted": False})
        if call.verbs is None and self._config.media == "stream":
            token = await self._calls.issue_token(call.id)
            if token is not None:
                await self._calls.log(call.id, [entry])
                return documents.stream(self._config, call.id, token)
        return await self._feed(call, (call.verbs or {}).get("turn", 0), [HandedOver(accepted=False)], entry)

    def _accepted(self, leg: Call) -> bool:
        """By key 1, before they were put through."""
        return leg.session is not None and _all_accepted(self._session(leg))

    def _session(self, call: Call) -> Session:
        """The conversation as it was saved, or a new one."""
        order = order_from_json(call.order)
        flow = self._flow(order.flow)
        return Session.from_json(flow, call.session) if call.session else Session(flow, context_of(order))

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    async def _feed(self, call: Call, before: int, events: Sequence[Input], *entries: LogEntry) -> str:
        """The conversation's next turn. An alarm goes first; `entries`, what happened, are written last."""
        order, kept = order_from_json(call.order), self._recordings.kept
        session = self._session(call) if call.session else await playback.begin(kept, self._flow(order.flow), order)
        if self._too_long(call) and not session.handing:
            events = [TimeLimit()]
        outputs = _fed(session, events)
        outputs += await self._asked(call, session, outputs)
        outputs += self._without_consent(session, all(callee.records for callee in order.callees))
        for alarm in alarms(outputs):
            await self._calls.alarm(call.id, alarm.person, alarm.reason, {"text": alarm.text})
        broke_off = before == 0 and call.session is not None and not isinstance(events[0], HandedOver)
        return await self._answer(call, before, session, outputs, entries, broke_off=broke_off)

    async def _answer(
        self,
        call: Call,
        before: int,
        session: Session,
        outputs: Sequence[Output],
        entries: Sequence[LogEntry],
        *,
        broke_off: bool,
    ) -> str:
        verbs = turn_of(before + 1, outputs, session.wait or session.handing)
        through = bool(call.order.get("for_call")) and session.over and _all_accepted(session)
        if through:
            verbs["wait"] = {"kind": "put_through", "node": ""}
        if call.verbs is not None and not outputs:  # a key that counted for nothing has cut the prompt: say it again
            verbs["says"] = call.verbs["says"]
        if broke_off:
            verbs["says"].insert(0, dict(_TAKEN_OVER))
        if not await self._calls.save_turn(call.id, before, verbs, session.to_json()):
            return self._again(await self._calls.get(call.id))  # the carrier asked twice at once
        await self._log(call, outputs, entries)
        if (session.over and not through) or call.state == CallState.OVER:  # a talk that begins now isn't over
            disposition, people = endings.answered(session.findings, answered_by=call.answered_by, interrupted=False)
            await self._calls.talked(call.id, people, disposition, session.to_json(), verbs=True)
        return documents.turn(self._config, call.id, verbs)

    async def _asked(self, call: Call, session: Session, outputs: Sequence[Output]) -> list[Output]:
        """Puts to the program what the flow asks of it, until the flow waits for the person on the line."""
        came: list[Output] = list(outputs)
        for _ in range(_MAX_QUERIES):
            if not session.asking or not isinstance(came[-1], Query):
                break
            said = await verdict(self._answers, call.id, came[-1])
            came += session.feed(await playback.told(self._recordings.kept, session, said, self._voice))
        return came[len(outputs) :]

    def _without_consent(self, session: Session, consent: bool) -> list[Output]:
        """Nothing is recorded without consent, whatever the flow asks for."""
        outputs: list[Output] = []
        for _ in range(_MAX_DICTATIONS):
            if consent or not isinstance(session.wait, Dictate):
                break
            outputs += session.feed(DictationEnded(0, 0, "", 0, "", "", "limit"))
        return outputs

    async def _log(self, call: Call, outputs: Sequence[Output], before: Sequence[LogEntry]) -> None:
        at_ms = self._at_ms(call)
        entries = [LogEntry("alarm", at_ms, {"person": each.person, "reason": each.reason}) for each in alarms(outputs)]
        entries += [LogEntry("prompt", at_ms, {"name": each["name"]}) for each in turn_of(0, outputs, None)["says"]]
        if before or entries:
            await self._calls.log(call.id, [*before, *entries])

    @asynccontextmanager
    async def _alone(self, call: Call) -> AsyncIterator[Call]:
        """One answer after the other, and the call as the last one has left it: the same request at the same time asks
        the program nothing a second time."""
        lock = self._one_by_one.setdefault(call.id, asyncio.Lock())
        async with lock:
            yield await self._calls.get(call.id) or call

    def _on_line(self, call: Call, turn: int) -> bool:
        """Whether this answers the turn on the line; an older one was answered before."""
        return call.verbs is not None and call.verbs["turn"] == turn

    def _again(self, call: Call | None) -> str:
        if call is None or call.verbs is None:
            return documents.hang_up()
        return documents.turn(self._config, call.id, call.verbs)

    def _at_ms(self, call: Call, at: datetime | None = None) -> int:
        at = at or self._calls.now()
        return max(0, round((at - (call.answered_at or at)) / timedelta(milliseconds=1)))

    def _too_long(self, call: Call) -> bool:
        return call.answered_at is not None and self._calls.now() - call.answered_at >= HARD_LIMIT


def _fed(session: Session, events: Sequence[Input]) -> list[Output]:
    """A machine's beep that the session answered leaves no silence to tell of; what is left of the keys of one gather
    is no answer to the next question."""
    outputs: list[Output] = []
    keys = 0
    for event in events:
        keys += isinstance(event, Key)
        left_over = isinstance(event, Key) and keys > 1 and not _entering(session)
        if not left_over and not (isinstance(event, NoInput) and outputs):
            outputs += session.feed(event)
    return outputs


def _all_accepted(session: Session) -> bool:
    return all(finding.result == ACCEPTED and finding.evidence == "key" for finding in session.findings)


def _entering(session: Session) -> bool:
    """Digits are being entered."""
    return isinstance(session.wait, Listen) and session.wait.digits is not None


def _entered(digits: str, at_ms: int) -> list[Input]:
    """The keys of one gather, as if they came one by one. The carrier keeps the `#` that ended them to itself; after a
    `*` nothing has ended."""
    ended = digits if digits.endswith("*") else digits + "#"
    return [Key(digit, at_ms + KEY_MS * number) for number, digit in enumerate(ended)]


def label(turn: int) -> str:
    """Names a recording within its call."""
    return f"verbs-{turn}"


def _machine(call: Call) -> bool:
    """Answering-machine detection has spoken, and nobody has pressed a key since: a hint, told once it is quiet."""
    return (call.answered_by or "").startswith("machine")


def _seconds(form: Form) -> float:
    text = form.get("RecordingDuration", "")
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 6 else 0.0


def _dictation(wait: dict[str, Any], seconds: float, path: str, ended_by: str) -> DictationEnded:
    """The carrier tells whole seconds, the silence at the end included. It has the recording: nothing of it can be
    played back yet."""
    silence = max(wait.get("silence_s", 0), wait.get("no_speech_s", 0))
    voiced = seconds if ended_by else max(seconds - silence, min(seconds, 1.0))
    if ended_by == "hangup":
        why = "hangup"
    elif ended_by:
        why = "key"
    else:
        why = "limit" if seconds >= wait.get("max_s", 1e9) else "silence"
    return DictationEnded(seconds, voiced, "", 0.0, "", path, why, wait.get("node", ""), playable=False)
