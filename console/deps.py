"""What the pages need of the rest of the house; `house.py` hands it over."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Protocol

from checkins.auditor import Late
from checkins.claims import Trunk
from checkins.ports import Clock
from community.policy import DEFAULT, Deadlines
from community.tickets_policy import CLOCK, ReplyClock
from console.api.pace import Pace
from console.door import Door
from console.import_desk import ImportDesk
from console.live import Live
from console.phone_desk import PhoneLine
from console.prompt_shelf import Shelf
from console.sounds import Sounds
from storage.database import Database


class Setting(Protocol):
    """One setting of the machine. `value`: what may be shown of it, nothing of a secret; `source`: environment, file
    or default."""

    @property
    def name(self) -> str: ...

    @property
    def value(self) -> str: ...

    @property
    def source(self) -> str: ...

    @property
    def said(self) -> str: ...


A_SMALL_TRUNK = Trunk(6, 1.0, 2)


class Engine(Protocol):
    """A recogniser's state. `why`: one sentence that says what to do when it isn't ready. `installed`: its weights are
    there."""

    @property
    def name(self) -> str: ...

    @property
    def ready(self) -> bool: ...

    @property
    def why(self) -> str: ...

    @property
    def installed(self) -> bool: ...


@dataclass(frozen=True)
class Deps:
    """`recordings_read` takes a recording's path and gives checked μ-law audio (RecordingBrokenError when there is
    none); `late` is what the auditor last found; `live` tells open pages what has changed; `door`: who is let in;
    `notes` are sentences for staff (a missing model, few lines …); `looked`: when the auditor last looked through all;
    `phone`: what a browser phone hangs on, None where there is none; `folders`: where there must be room; `failing`:
    what goes wrong now in rounds that must not fail; `line`: the number that everybody rings, as people read it;
    `sounds`: what staff record and have spoken; `imports`: their spreadsheets; `trunk`: what may be used for calls
    out; `setup`: what was set for the machine, as it may be shown.
    `pace`: how many requests a program may make; `deadlines`, `reply_clock`: by when complaints and tickets are seen
    to."""

    db: Database
    clock: Clock
    ears_status: Callable[[], Sequence[Engine]]
    recordings_read: Callable[[str], bytes]
    late: Callable[[], Sequence[Late]]
    live: Live
    door: Door
    notes: Callable[[], Sequence[str]]
    sounds: Sounds
    imports: ImportDesk
    shelf: Shelf
    looked: Callable[[], datetime | None] = lambda: None
    phone: PhoneLine | None = None
    folders: Sequence[Path] = ()
    failing: Callable[[], Sequence[str]] = tuple
    line: str = ""
    trunk: Trunk = A_SMALL_TRUNK
    setup: Sequence[Setting] = ()
    pace: Pace = field(default_factory=Pace)
    deadlines: Deadlines = DEFAULT
    reply_clock: ReplyClock = CLOCK
