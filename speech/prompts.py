"""What the line says, as μ-law ready to play: recorded by people → prompt pack → rendered before → synthesised now.

One `Prompts` serves all calls of an event loop. `find` and `get` always give something playable or say that nothing is
there; a prompt never costs a call.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import OrderedDict
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from speech import figures, g711, pack
from speech.human import HumanRecordings, sentence_key
from speech.loudness import pause_ms, pcm_to_prompt
from speech.prompt_cache import PromptCache, cache_key
from speech.recogniser import SAMPLE_RATE
from speech.resample import from_floats
from speech.synthesis import Synthesiser, SynthesisError

log = logging.getLogger(__name__)

MEMORY_BYTES = 32 << 20  # over an hour of prompts
# A caller waits at most that long; the rendering goes on and is there for the next one.
LIVE_S = 6.0
# A text that could not be spoken is not tried again by every call that wants it.
FAILED_FOR_S = 60.0
# What is rendered while a call waits and is longer than a name, a number or a moment is said once (a reply to a
# complaint): it is kept in memory, never on disk.
KEPT_CHARACTERS = 16
NO_VOICE = "none"  # the cache's voice when there is no synthesiser


def _tone() -> bytes:
    """0.3 s of a soft 400 Hz tone: something is missing here, and it is not the listener's ear."""
    time = np.arange(SAMPLE_RATE * 3 // 10) / SAMPLE_RATE
    return g711.ulaw_encode(from_floats(0.06 * np.sin(2 * math.pi * 400 * time) * np.hanning(len(time))))


TONE = _tone()


class Prompts:
    """Finds and makes prompts. `cache`: folder of rendered prompts (made when needed). `human`: folder of recordings.

    Shanghainese ("wuu") is spoken only by people; where nobody recorded the text, the Mandarin sources speak it, so a
    flow gives Mandarin text where it has no recording.
    """

    def __init__(
        self,
        *,
        cache: Path,
        human: Path | None = None,
        synthesiser: Synthesiser | None = None,
        packs: Path = pack.SHIPPED,
        memory_bytes: int = MEMORY_BYTES,
    ) -> None:
        self._human = HumanRecordings(human) if human is not None else None
        self._packs = pack.Packs(packs)
        self._disk = PromptCache(cache)
        self._synthesiser = synthesiser
        self._voice = synthesiser.voice if synthesiser else NO_VOICE
        self._memory: OrderedDict[tuple[str, str], bytes] = OrderedDict()
        self._memory_left = self._memory_bytes = memory_bytes
        self._human_changes = 0
        self._rendering: dict[str, asyncio.Task[bytes]] = {}
        self._failed: dict[str, float] = {}  # key → loop time until which it is not tried again

    @property
    def packs(self) -> pack.Packs:
        """Those that speak first after people."""
        return self._packs

    def find(self, text: str, language: str = "zh") -> bytes | None:
        """The prompt if it is there: in memory a microsecond, else a file is read (a wav of a person: some 10 ms).

        None: it must be rendered first (`get`, `prepare`). Text without a letter is a pause.
        """
        self._forget_when_people_recorded(language)
        known = self._memory.get((language, text))
        if known is not None:
            self._memory.move_to_end((language, text))
            return known
        found = self._look(text, language)
        if found is not None:
            self._remember((language, text), found)
        return found

    async def get(self, text: str, language: str = "zh") -> bytes:
        """The prompt, rendered now if need be. Never raises: what can't be spoken becomes a short soft tone."""
        found = self.find(text, language)
        if found is not None:
            return found
        try:
            keep = len(text) <= KEPT_CHARACTERS
            return await asyncio.wait_for(asyncio.shield(self._rendering_of(text, keep=keep)), LIVE_S)
        except SynthesisError as error:
            log.warning("prompt %s is missing and could not be spoken: %s", self._key(text)[:12], error)
        except TimeoutError:
            log.warning("prompt %s is missing and was not ready in %.0f s", self._key(text)[:12], LIVE_S)
        return TONE

    async def prepare(self, texts: Iterable[str], language: str = "zh") -> tuple[str, ...]:
        """Renders ahead, one after the other (a call's own prompt comes in between). Returns what could not be made."""
        missing = []
        for text in dict.fromkeys(texts):
            self._failed.pop(self._key(text), None)
            try:
                if self.find(text, language) is None:
                    await asyncio.shield(self._rendering_of(text))
            except SynthesisError as error:
                log.warning("prompt %s could not be prepared: %s", self._key(text)[:12], error)
                missing.append(text)
            await asyncio.sleep(0)  # a long list must not hold up the calls
        return tuple(missing)

    async def close(self) -> None:
        """Ends what is being rendered, and the synthesiser. Idempotent."""
        tasks = list(self._rendering.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._synthesiser is not None:
            await self._synthesiser.close()

    # ── looking ───────────────────────────────────────────────────────────────────────────────────

    def _look(self, text: str, language: str) -> bytes | None:
        if not sentence_key(text):
            return g711.ULAW_SILENCE * (pause_ms(text) * SAMPLE_RATE // 1000)
        for spoken in dict.fromkeys((language, "zh")):
            found = self._human.get(text, spoken) if self._human else None
            if found is not None:
                return found
        return (
            self._memory.get(("zh", text))
            or self._packs.get(text, "zh")
            or figures.joined(text, lambda figure: self._look(figure, language))
            or self._disk.read("zh", self._key(text))
        )

    def _forget_when_people_recorded(self, language: str) -> None:
        if self._human is None:
            return
        for spoken in dict.fromkeys((language, "zh")):
            self._human.refresh(spoken)
        if self._human.changes != self._human_changes:
            self._human_changes = self._human.changes
            self._memory.clear()
            self._memory_left = self._memory_bytes

    def _remember(self, place: tuple[str, str], audio: bytes) -> None:
        if len(audio) > self._memory_bytes:
            return
        old = self._memory.pop(place, b"")
        self._memory[place] = audio
        self._memory_left += len(old) - len(audio)
        while self._memory_left < 0:
            _, dropped = self._memory.popitem(last=False)
            self._memory_left += len(dropped)

    def _key(self, text: str) -> str:
        return cache_key(text, "zh", self._voice)

    # ── making ────────────────────────────────────────────────────────────────────────────────────

    def _rendering_of(self, text: str, *, keep: bool = True) -> asyncio.Task[bytes]:
        """The one rendering of this text, however many ask for it; it goes on when its askers go away."""
        key = self._key(text)
        if self._failed.get(key, 0.0) > asyncio.get_running_loop().time():
            raise SynthesisError("it failed a moment ago")
        task = self._rendering.get(key)
        if task is None:
            task = asyncio.create_task(self._made(key, text, keep))
            self._rendering[key] = task
            task.add_done_callback(lambda done: self._rendered(key, done))
        return task

    async def _made(self, key: str, text: str, keep: bool) -> bytes:
        if self._synthesiser is None:
            raise SynthesisError("there is no synthesiser")
        pcm = await self._synthesiser.render(text, "zh")
        audio = await asyncio.to_thread(pcm_to_prompt, pcm, SAMPLE_RATE, text)
        if not audio:
            raise SynthesisError("the synthesiser gave silence")
        self._remember(("zh", text), audio)
        if keep:
            await asyncio.to_thread(self._disk.write, "zh", key, audio)
        return audio

    def _rendered(self, key: str, done: asyncio.Task[bytes]) -> None:
        self._rendering.pop(key, None)
        if done.cancelled():
            return
        if done.exception() is None:  # asking marks the exception as seen, also when no caller is left
            self._failed.pop(key, None)
            return
        now = asyncio.get_running_loop().time()
        self._failed = {failed: until for failed, until in self._failed.items() if until > now}
        self._failed[key] = now + FAILED_FOR_S
