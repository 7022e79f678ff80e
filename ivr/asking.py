"""A flow's question to the program, answered in time. Nobody on the line waits longer than that for it."""

from __future__ import annotations

import asyncio
import logging

from callflows.events import Query, Verdict
from ivr.ports import Answers

log = logging.getLogger(__name__)

ANSWER_WITHIN_S = 2.0


async def verdict(answers: Answers | None, call_id: str, query: Query) -> Verdict:
    """The word that `answers` gives; "" (nobody could say) when it fails, takes longer than 2 s, or isn't there. Raises
    nothing. An error's text is not logged: it may hold what was pressed."""
    if answers is None:
        return Verdict("")
    try:
        async with asyncio.timeout(ANSWER_WITHIN_S):
            return Verdict(await answers.ask(call_id, query.name, query.person, query.value))
    except Exception as error:
        why = f"took longer than {ANSWER_WITHIN_S:g} s" if isinstance(error, TimeoutError) else type(error).__name__
        log.error("call %s: the question %s got no answer (%s); the flow goes on without", call_id, query.name, why)
        return Verdict("")
