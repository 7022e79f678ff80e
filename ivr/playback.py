"""Stored recordings as prompts: what somebody dictated or replied is played to somebody on the line. Files are read in
threads; a recording that can't be played is told in the log by its path, and costs nobody a call. Texts that nobody can
speak count like that, too: nobody is asked about what they could not hear."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Protocol

from callflows.events import CallContext, Verdict
from callflows.flow import Flow
from callflows.session import Session
from ivr.ports import CallOrder
from ivr.recordings import RecordingBrokenError, Recordings
from ivr.reports import context_of
from speech import g711
from speech.loudness import pcm_to_prompt
from speech.prompts import TONE
from speech.recogniser import SAMPLE_RATE

log = logging.getLogger(__name__)


class Voice(Protocol):
    """The prompts, as 8 kHz μ-law; `get`: TONE where nobody can speak it (speech.prompts.Prompts)."""

    def find(self, text: str, language: str = "zh") -> bytes | None: ...

    async def get(self, text: str, language: str = "zh") -> bytes: ...


INSTEAD = "对不起,电话出了点问题,请稍等。"  # said where a recording was to be played that is broken after all


async def as_prompt(recordings: Recordings, path: str) -> bytes | None:
    """The recording as a prompt, trimmed and as loud as the others. None: it is missing or broken, or nobody speaks in
    it."""
    prompt = await asyncio.to_thread(_prompt, recordings, path)
    if prompt is None:
        log.error("the recording %s can't be played", path)
    return prompt


async def begin(recordings: Recordings, flow: Flow, order: CallOrder) -> Session:
    """The conversation of a call that begins; recordings that can't be played count as not given."""
    context = context_of(order)
    if flow.recorded:
        context = await audible(recordings, flow.recorded, context)
    return Session(flow, context)


async def told(recordings: Recordings, session: Session, verdict: Verdict, voice: Voice | None = None) -> Verdict:
    """The answer to a question of this conversation. Recordings that can't be played count as not told; so do texts
    that `voice` can't speak, where the flow can go on without."""
    values = await _playable(recordings, session.recorded, verdict.values)
    if voice is not None:
        values = {name: text for name, text in values.items() if await _spoken(voice, session, name, text)}
    return replace(verdict, values=values)


async def _spoken(voice: Voice, session: Session, name: str, text: str) -> bool:
    if name not in session.optional or voice.find(text) is not None or await voice.get(text) != TONE:
        return True
    log.error("what the program told as %s can't be spoken: the flow goes on without it", name)
    return False


async def _playable(recordings: Recordings, names: Collection[str], values: Mapping[str, str]) -> dict[str, str]:
    """`values` without those of the audio variables `names` whose recording is missing or broken."""
    broken = {name for name in values.keys() & set(names) if not await _intact(recordings, values[name])}
    return {name: value for name, value in values.items() if name not in broken}


async def audible(recordings: Recordings, names: Collection[str], context: CallContext) -> CallContext:
    """The context of a call that begins, without the recordings that can't be played."""
    people = [replace(one, variables=await _playable(recordings, names, one.variables)) for one in context.people]
    return replace(context, people=tuple(people), variables=await _playable(recordings, names, context.variables))


async def _intact(recordings: Recordings, path: str) -> bool:
    if not path:
        return False
    if await asyncio.to_thread(_prompt, recordings, path):
        return True
    log.error("the recording %s is missing or broken, or nobody speaks in it: the flow goes on without", path)
    return False


def _read(recordings: Recordings, path: str) -> bytes | None:
    try:
        return recordings.read(path)
    except RecordingBrokenError:
        return None


def _prompt(recordings: Recordings, path: str) -> bytes | None:
    audio = _read(recordings, path)
    return pcm_to_prompt(g711.ulaw_decode(audio), SAMPLE_RATE) or None if audio else None
