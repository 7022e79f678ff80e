"""Recordings of what was said, for the commands that staff type: where they lie, copies that any player plays, and what
staff have spoken themselves, stored as the line plays it."""

from __future__ import annotations

import asyncio
import stat
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from rich.console import Console
from sqlalchemy.orm import Session

from community.readable import Broken
from console import call_log
from console.wav import wav
from ivr import own_voice
from ivr.own_voice import MOST_S
from ivr.recordings import BYTES_PER_S, RecordingBrokenError, Recordings
from settings import Settings
from speech import human


class Said(Protocol):
    """A row of what was dictated; `recording` "": there is none."""

    @property
    def id(self) -> Any: ...
    @property
    def call_id(self) -> Any: ...
    @property
    def name(self) -> Any: ...
    @property
    def recording(self) -> Any: ...


def path_of(settings: Settings, recording: str) -> Path:
    return settings.data_dir / "recordings" / recording


def log_listening(session: Session, said: Iterable[Said], by: str, now: datetime) -> None:
    """Into the calls' own logs, as the console does it."""
    heard = [each for each in said if each.recording]
    known = {call.id: call for call in call_log.calls(session, sorted({each.call_id for each in heard}))}
    for each in heard:
        if each.call_id in known:
            call_log.listened(session, known[each.call_id], each.recording, by, now)


def unheard(settings: Settings, recording: str) -> str:
    """Why nobody can listen to it; "": one can."""
    return own_voice.unheard(settings.data_dir / "recordings", recording)


async def copy_all(settings: Settings, number: int, said: Iterable[Said], to: Path, out: Console) -> None:
    """As wav files into the folder `to`. LookupError when one can't be written there; a broken recording is told."""
    for each in said:
        if each.recording:
            await asyncio.to_thread(_copy, settings, each, to / f"{number}-{each.id}-{each.name}.wav", out)


def _copy(settings: Settings, said: Said, target: Path, out: Console) -> None:
    try:
        target.write_bytes(wav(Recordings(settings.data_dir / "recordings").read(said.recording)))
    except RecordingBrokenError as error:
        say(out, f"{said.name}: {error}", style="red")
    except OSError as error:
        raise LookupError(f"{target}: {error.strerror}") from None
    else:
        say(out, f"  {target}")


@asynccontextmanager
async def stored(
    settings: Settings, call_id: str, label: str, file: Path | None, now: datetime
) -> AsyncIterator[str | None]:
    """The path of what staff have spoken into `file` (None: nothing), at the prompts' loudness, whole on the disk;
    dropped again when what it was meant for is refused (LookupError, ValueError)."""
    try:
        audio = None if file is None else await asyncio.to_thread(_spoken, file)
    except OSError as error:
        raise LookupError(f"{file}: {error.strerror}") from None
    except human.Unreadable as error:
        raise ValueError(f"{file}: {error}") from None
    async with own_voice.stored(settings.data_dir / "recordings", call_id, label, audio, now) as kept:
        yield kept


def _spoken(file: Path) -> bytes:
    """At the prompts' loudness. OSError, or Unreadable with the reason: what is no file of its own may never end."""
    if not stat.S_ISREG(file.stat().st_mode):
        raise human.Unreadable("this is no file")
    if file.suffix.lower() != ".wav":
        raise human.Unreadable("save it as .wav")
    audio = human.read(file, "")
    if len(audio) > MOST_S * BYTES_PER_S:
        raise human.Unreadable(f"the line plays at most {MOST_S // 60} minutes: say it shorter")
    return audio


def tell_broken(out: Console, broken: Iterable[Broken]) -> None:
    for one in broken:
        say(out, f"{one.number} can't be read: tell who looks after the machine, and ask them in person", style="red")


def clock(moment: datetime | None, zone: str) -> str:
    """ "2026-03-02 14:00" where the committee is; "" for none."""
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}" if moment else ""


def say(out: Console, text: str, **more: Any) -> None:
    """One line as it is: numbers not coloured, brackets no markup, nothing wrapped."""
    out.print(text, highlight=False, markup=False, soft_wrap=True, **more)
