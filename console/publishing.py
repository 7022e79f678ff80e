"""Publishing a sentence's recording from the console, and taking it back: by the same log and files as by telephone
(speech/published.py). Who did it stands there, and in the log of acts."""

from __future__ import annotations

import asyncio
import logging

from checkins import office_log
from console.deps import Deps
from console.guard import PageError
from console.sentences import Sentence
from speech.published import ChangedError

log = logging.getLogger(__name__)

NOTHING_THERE = "没有可以退回的录音。There is nothing to take back."
FULL = PageError(507, "存不下，磁盘可能满了。没有发布。", "it can't be stored: is the disk full?")


async def withdraw(deps: Deps, one: Sentence, language: str, by: str, seen: str) -> str:
    """A sentence when it can't be done: somebody was faster."""
    now = deps.clock.now()
    work = deps.shelf.published.withdraw
    try:
        taken = await asyncio.to_thread(work, language, one.spoken(language), by, now.isoformat(), instead_of=seen)
    except ChangedError as changed:
        return changed_zh(changed)
    except OSError as error:
        log.error("a recorded prompt can't be taken back: %s", error.strerror)
        raise FULL from None
    if taken is None:
        return NOTHING_THERE
    await noted(deps, office_log.PROMPT_WITHDRAWN, by, one, language)
    return ""


async def noted(deps: Deps, what: str, by: str, one: Sentence, language: str) -> None:
    """Into the log of acts."""
    now = deps.clock.now()
    detail = {"number": one.number, "language": language}
    await deps.db.run(lambda session: office_log.note(session, what, by, now, detail=detail))


def changed_zh(changed: ChangedError) -> str:
    """Who was faster isn't said: the page that follows says who stands there now."""
    what = "已经换了录音" if changed.now else "已经退回了录音"
    return (
        f"您打开这一页以后，有人{what}。没有保存，请先听一听现在的声音，再决定。"
        "Somebody has changed it since this page was opened; nothing was saved. Listen first."
    )
