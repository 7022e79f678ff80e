"""What staff have recorded or chosen in their browsers, and what they want to hear before they send it: drafts, each
known to whoever made it alone, until a form takes it or a day is over.

A draft is a file of 8 kHz μ-law, trimmed and as loud as all prompts, called after the account and a random id. A text
is spoken as the line speaks it; that can be listened to, but no form takes it.
"""

from __future__ import annotations

import asyncio
import logging
import os
import re
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from console.guard import PageError
from ivr import own_voice
from ivr.recordings import BYTES_PER_S
from speech import clips
from speech.human import Unreadable
from speech.prompts import TONE
from speech.takes import Doubt

log = logging.getLogger(__name__)

KEPT_S = 24 * 3600.0
EVERY_S = 3600.0  # how often old drafts are looked for
MOST = 30  # drafts of one account: the oldest goes
AT_ONCE = 4  # uploads: each is held in memory
OWN, SAID, DOUBT = ".ulaw", ".said", ".doubt"
_ID = re.compile("[0-9a-f]{32}")

WRONG: Mapping[Doubt, str] = {
    Doubt.SILENT: "没有听到人说话。请检查话筒，再录一遍。Nobody speaks in it: check the microphone.",
    Doubt.QUIET: "声音太轻，老人可能听不清。请靠近话筒再录一遍。It is too soft: come nearer.",
    Doubt.CLIPPED: "声音太响，有破音。请离话筒远一点再录一遍。It is too loud and distorted: go further away.",
    Doubt.LONG: "超过三分钟，老人记不住。请说得短一点。It is longer than three minutes.",
}
UNREADABLE = "这个文件不是能用的录音（要 WAV 格式）。This is no WAV recording that can be used."
GONE = "这段录音已经不在了（一天没有用就删掉），请再录一遍。This recording isn't there any more: record it again."
UNSPOKEN = PageError(503, "现在念不出来，请稍后再试。", "nobody can speak it just now")
TOO_MANY = PageError(429, "有别的录音正在上传，请稍等再试。", "other recordings are being sent: wait a moment")
FULL = PageError(507, "存不下，磁盘可能满了。没有保存。", "it can't be stored: is the disk full?")
NO_SOUND = PageError(404, "没有这段录音。", "there is no such recording")


class GoneError(LookupError):
    """A draft that isn't there any more, or is somebody else's."""


@dataclass(frozen=True)
class Draft:
    """`id` "": it can't be used. `wrong`: one sentence for whoever recorded it, also of one that can be used."""

    id: str
    seconds: float
    wrong: str = ""


@dataclass
class Sounds:
    """`folder`: of the drafts; `recordings`: of what was said in calls, where a draft goes that a form takes; `speak`:
    as the line does, 8 kHz μ-law."""

    folder: Path
    recordings: Path
    speak: Callable[[str], Awaitable[bytes]]
    _sending: set[int] = field(default_factory=set)
    _one: asyncio.Lock = field(default_factory=asyncio.Lock)  # what is levelled takes memory

    # ── making ────────────────────────────────────────────────────────────────────────────────────

    @asynccontextmanager
    async def sending(self, account: int) -> AsyncIterator[None]:
        """While this account sends one. PageError when there are too many, or another one of theirs."""
        if account in self._sending or len(self._sending) >= AT_ONCE:
            raise TOO_MANY
        self._sending.add(account)
        try:
            yield
        finally:
            self._sending.discard(account)

    async def put(self, account: int, wav: bytes) -> Draft:
        """What was recorded, as it will be played."""
        async with self._one:
            try:
                made = await asyncio.to_thread(clips.clip, wav, own_voice.MOST_S)
            except Unreadable:
                return Draft("", 0.0, UNREADABLE)
        wrong = WRONG[made.doubt] if made.doubt else ""
        if not made.audio:
            return Draft("", 0.0, wrong)
        draft = await self._kept(account, made.audio, OWN, wrong)
        if made.doubt:
            await asyncio.to_thread(self._write, account, draft.id + DOUBT, made.doubt.encode())
        return draft

    async def say(self, account: int, *pieces: str) -> Draft:
        """These pieces one after the other, as the line says them. PageError when it can't."""
        async with self._one:
            spoken = [await self.speak(piece) for piece in pieces if piece.strip()]
        if not spoken or TONE in spoken:
            raise UNSPOKEN
        return await self._kept(account, b"".join(spoken), SAID)

    async def _kept(self, account: int, audio: bytes, kind: str, wrong: str = "") -> Draft:
        sound = secrets.token_hex(16)
        try:
            await asyncio.to_thread(self._write, account, sound + kind, audio)
        except OSError as error:
            log.error("what somebody has recorded can't be kept: %s", error.strerror)
            raise FULL from None
        return Draft(sound, round(len(audio) / BYTES_PER_S, 1), wrong)

    def _write(self, account: int, name: str, audio: bytes) -> None:
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for old in sorted(self.folder.glob(f"{account}-*"), key=_age)[MOST - 1 :]:
            old.unlink(missing_ok=True)
        file = self.folder / f"{account}-{name}"
        try:
            with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
                out.write(audio)
        except OSError:
            file.unlink(missing_ok=True)
            raise

    # ── using ─────────────────────────────────────────────────────────────────────────────────────

    def play(self, sound: str, account: int) -> bytes:
        """A draft of theirs, or what they had said. GoneError."""
        return self._read(sound, account, OWN, SAID)

    def take(self, sound: str, account: int) -> bytes:
        """A recording of theirs; it stays. GoneError."""
        return self._read(sound, account, OWN)

    def doubt(self, sound: str, account: int) -> Doubt | None:
        """What was wrong with a recording of theirs when it came. GoneError."""
        self.take(sound, account)
        try:
            return Doubt(self._read(sound, account, DOUBT).decode())
        except (GoneError, ValueError):
            return None

    def drop(self, sound: str, account: int) -> None:
        for kind in (OWN, DOUBT) if _ID.fullmatch(sound) else ():
            (self.folder / f"{account}-{sound}{kind}").unlink(missing_ok=True)

    @asynccontextmanager
    async def stored(
        self, sound: str, account: int, about: str, label: str, now: datetime
    ) -> AsyncIterator[str | None]:
        """Its path among the recordings ("": none) for what a form is about to write; the draft stays when that is
        refused (LookupError, ValueError), and goes when it isn't."""
        audio = await asyncio.to_thread(self.take, sound, account) if sound else None
        async with own_voice.stored(self.recordings, about, label, audio, now) as kept:
            yield kept
        if sound:
            await asyncio.to_thread(self.drop, sound, account)

    def _read(self, sound: str, account: int, *kinds: str) -> bytes:
        for kind in kinds if _ID.fullmatch(sound) else ():
            try:
                return (self.folder / f"{account}-{sound}{kind}").read_bytes()
            except OSError:
                continue
        raise GoneError(GONE)

    async def sweep(self) -> None:
        """Drafts that no form has taken within a day go."""
        await asyncio.to_thread(self._sweep)

    def _sweep(self) -> None:
        for file in self.folder.glob("*-*"):
            if _age(file) > KEPT_S:
                file.unlink(missing_ok=True)


def _age(file: Path) -> float:
    """Seconds; of what is gone already: none."""
    try:
        return time.time() - file.stat().st_mtime
    except FileNotFoundError:
        return 0.0
