"""A recording of a case, opened: who does so is written down before it is heard."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from sqlalchemy.orm import Session

from checkins import cases, deciding
from checkins.case_rows import log_event
from checkins.tables import Checkin
from console import call_log
from console.deps import Deps
from console.guard import PageError
from console.wav import wav
from ivr.recordings import RecordingBrokenError

NO_RECORDING = PageError(404, "没有这段录音，或录音已损坏。", "there is no such recording, or it is damaged")


async def opened(
    deps: Deps, number: int, path: str, who: str, whole: Callable[[int], bool] = lambda _size: True
) -> bytes:
    """A recording that belongs to this case, as WAV; writes down who opens it, before it is heard, and whether all of
    it (`whole`, of so many bytes) is given. PageError 404 when there is none."""
    now = deps.clock.now()

    def known(session: Session) -> call_log.CallLog:
        row = cases.one(session, number)
        for call in call_log.calls(session, row.intents) if row else ():
            if path in call.recordings:
                return call
        raise NO_RECORDING

    call = await deps.db.browse(known)
    try:
        sound = await asyncio.to_thread(lambda: wav(deps.recordings_read(path)))
    except (RecordingBrokenError, OSError):
        raise NO_RECORDING from None
    all_of_it = whole(len(sound))

    def note(session: Session) -> None:
        opened = call_log.listened(session, call, path, who, now)
        if opened or (all_of_it and not deciding.heard(session, number, who, now - call_log.SAME_LISTENING, path)):
            row, detail = session.get_one(Checkin, number), {"path": path, "whole": all_of_it}
            log_event(session, row, deciding.LISTENED, who, now, intent_id=call.id, detail=detail)

    await deps.db.run(note)
    return sound
