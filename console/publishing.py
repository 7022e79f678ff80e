"""Checking and publishing a sentence's recording from the console, and taking it back: by the same log and files as by
telephone (speech/published.py). Who did it stands there, and in the log of acts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Container, Mapping
from dataclasses import dataclass, field

from checkins import office_log
from console.deps import Deps
from console.guard import PageError
from console.sentences import Sentence
from console.sounds import GONE, GoneError
from speech import takes
from speech.human import sentence_key
from speech.published import ChangedError
from speech.takes import Doubt

log = logging.getLogger(__name__)

WORSE = (
    "这段录音可能有问题（看下面的检查）。还是要发布，请勾上“还是要发布”。"
    "Something may be wrong with this recording: tick the box if it is to be published all the same."
)
NOTHING_RECORDED = "还没有录音。请先录一遍。Nothing is recorded yet."
NOTHING_THERE = "没有可以退回的录音。There is nothing to take back."
FULL = PageError(507, "存不下，磁盘可能满了。没有发布。", "it can't be stored: is the disk full?")


@dataclass(frozen=True)
class Check:
    """One thing that was looked at: whether it is good, and what is to be said of it."""

    good: bool
    zh: str
    en: str


@dataclass(frozen=True)
class Checked:
    """A draft as the prompt that says a sentence."""

    sound: str
    prompt: bytes = field(repr=False)
    checks: tuple[Check, ...]

    @property
    def good(self) -> bool:
        return all(one.good for one in self.checks)


def check(deps: Deps, one: Sentence, language: str, sound: str, account: int) -> Checked:
    """Waits for the disk. GoneError."""
    text = one.spoken(language)
    made = takes.fitted(deps.sounds.take(sound, account), text)
    found = {made.doubt, deps.sounds.doubt(sound, account)}
    told = f"：{made.seconds:.1f} 秒，{len(sentence_key(text))} 个字"
    return Checked(sound, made.prompt, (*(_looked(found, *one) for one in _LOOKED_AT), _length(made.doubt, told)))


_LOOKED_AT = (
    (Doubt.SILENT, ("有人说话", "somebody speaks"), ("没有听到人说话", "nobody speaks in it")),
    (Doubt.QUIET, ("声音够大", "loud enough"), ("声音太轻，请靠近话筒", "too soft: come nearer")),
    (Doubt.CLIPPED, ("没有破音", "not distorted"), ("声音太响，有破音，请离话筒远一点", "distorted: go further away")),
)
_LENGTH: Mapping[Doubt | None, tuple[str, str]] = {
    Doubt.SHORT: ("太短，好像没有念完", "too short: is it all there?"),
    Doubt.LONG: ("太长，好像多了话，或停得太久", "too long for these words"),
}


def _looked(found: Container[Doubt | None], doubt: Doubt, good: tuple[str, str], wrong: tuple[str, str]) -> Check:
    return Check(False, *wrong) if doubt in found else Check(True, *good)


def _length(doubt: Doubt | None, told: str) -> Check:
    zh, en = _LENGTH.get(doubt, ("长短正好", "the length fits"))
    return Check(doubt not in _LENGTH, zh + told, en)


async def publish(
    deps: Deps, one: Sentence, language: str, sound: str, account: int, by: str, *, seen: str, sure: bool
) -> str:
    """A sentence when it can't be done: nothing recorded, something doubtful, somebody was faster. Sent twice, it is
    done once."""
    take, text = f"console-{sound}", one.spoken(language)
    try:
        made = await asyncio.to_thread(check, deps, one, language, sound, account)
    except GoneError:
        there = await asyncio.to_thread(deps.shelf.published.now, language, text)
        return "" if sound and there is not None and there.take == take else GONE if sound else NOTHING_RECORDED
    if not made.prompt or not (made.good or sure):
        return WORSE if made.prompt else NOTHING_RECORDED
    now = deps.clock.now()
    work = deps.shelf.published.publish
    try:
        async with deps.sounds.stored(sound, account, f"prompt-{one.number}", language, now) as source:
            at, kept = now.isoformat(), source or ""
            await asyncio.to_thread(work, language, text, made.prompt, take, by, at, kept, instead_of=seen)
    except ChangedError as changed:
        return changed_zh(changed)
    except GoneError:
        return GONE
    except (OSError, LookupError, ValueError) as error:
        log.error("a recorded prompt can't be published: %s", type(error).__name__)
        raise FULL from None
    await noted(deps, office_log.PROMPT_PUBLISHED, by, one, language)
    return ""


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
