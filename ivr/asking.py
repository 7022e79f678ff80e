"""A flow's question to the program, and whom to ring for an elder, answered in time. Nobody on the line waits longer
than that for it."""

from __future__ import annotations

import asyncio
import logging

from callflows.events import HandOver, Query, Verdict
from ivr.ports import Answers, CallOrder, Switchboard

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 2.0


async def verdict(answers: Answers | None, call_id: str, query: Query) -> Verdict:
    """What `answers` says; the word "" (nobody could say) and no values when it fails, takes longer than 2 s, or isn't
    there. Raises nothing. An error's text is not logged: it may hold what was pressed."""
    if answers is None:
        return Verdict("")
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            told = await answers.ask(call_id, query.name, query.person, query.value)
            return Verdict(told.word, dict(told.values))
    except Exception as error:
        why = f"took longer than {ANSWER_WITHIN_S:g} s" if isinstance(error, TimeoutError) else type(error).__name__
        log.error("call %s: the question %s got no answer (%s); the flow goes on without", call_id, query.name, why)
        return Verdict("")


async def whom(switchboard: Switchboard | None, call_id: str, asked: HandOver, nth: int) -> CallOrder | None:
    """Whom to ring out of this call; None (nobody) also when that can't be said, or not within 2 s. Raises nothing."""
    if switchboard is None:
        return None
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return await switchboard.whom(call_id, asked.person, nth, asked.known)
    except Exception as error:
        why = f"took longer than {ANSWER_WITHIN_S:g} s" if isinstance(error, TimeoutError) else type(error).__name__
        log.error("call %s: whom to ring for the elder could not be said (%s): nobody is rung", call_id, why)
        return None
