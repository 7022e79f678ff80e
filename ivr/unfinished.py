"""A dictation that was open when the call ended, and whose end nobody heard: our process died in the middle of it.
What was said is in the recording of the whole call, as far as it had come to the disk."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session as DbSession

from callflows.flow import Flow
from callflows.session import Session
from ivr.recordings import WHOLE_CALL
from ivr.records import Call, CarrierRecording

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Unfinished:
    """Who was dictating, what it would have been kept as, and a recording in which it is ("": there is none)."""

    person: str
    keep_as: str
    recording: str


def unfinished(db: DbSession, call_id: str, flow_of: Callable[[str], Flow], folder: Path) -> Unfinished | None:
    """None: no dictation was open. `folder`: of the recordings."""
    call = db.get(Call, call_id)
    if call is None or call.session is None:
        return None
    try:
        open_ = Session.from_json(flow_of(call.order["flow"]), call.session).dictating
    except Exception as error:
        log.error("the conversation of call %s can't be read: %s", call_id, type(error).__name__)
        return None
    return None if open_ is None else Unfinished(*open_, _recording(db, call, folder))


def _recording(db: DbSession, call: Call, folder: Path) -> str:
    """What the carrier recorded last, else the whole call."""
    query = select(CarrierRecording.path).where(CarrierRecording.call_id == call.id)
    fetched = db.scalars(query.order_by(CarrierRecording.seen_at.desc()).limit(1)).first()
    days = {f"{call.ordered_at + timedelta(days=more):%Y/%m/%d}" for more in (0, 1)}
    found = sorted(file for day in days for file in (folder / day).glob(f"{call.id}-*{WHOLE_CALL}.ulaw"))
    return fetched or (found[-1].relative_to(folder).as_posix() if found else "")
