"""Who is on the line now, has said that she isn't well or wants somebody, and has dictated something that is stored
already: to be heard while the goodbye is still being said. Personal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.pace import LIVE
from checkins.results import Result, Status
from checkins.tables import CallIntent, Checkin, IntentCheckin
from console.call_log import KEPT
from ivr.records import Call, CallEvent, CarrierRecording

_NO_MATTER = frozenset({Result.WELL, Result.OTHER_SAYS_WELL, Result.PRESENT_UNCONFIRMED})


def dictated(session: Session) -> dict[int, Result]:
    """Their answers so far, by case."""
    query = (
        select(Checkin.id, Checkin.elder_id, Call.id, Call.session)
        .join(IntentCheckin, IntentCheckin.checkin_id == Checkin.id)
        .join(CallIntent, CallIntent.id == IntentCheckin.intent_id)
        .join(Call, Call.id == CallIntent.id)
        .where(Checkin.status == Status.CALLING, Checkin.due_at.is_not(None), CallIntent.state.in_(LIVE))
    )
    said = [(case, call, answer_of(talk, elder)) for case, elder, call, talk in session.execute(query)]
    matter = {case: (call, answer) for case, call, answer in said if answer and answer not in _NO_MATTER}
    stored = _stored(session, {call for call, _ in matter.values()})
    return {case: answer for case, (call, answer) in matter.items() if call in stored}


def answer_of(talk: Mapping[str, Any] | None, person: str) -> Result | None:
    """What a conversation, as the telephone room keeps it, has come to for this person so far; None: nothing."""
    if talk is None:
        return None
    people = zip(talk["context"]["people"], talk["state"]["people"], strict=False)
    found = next((one["result"] for known, one in people if known["id"] == person), None)
    return Result(found) if found in list(Result) else None


def _stored(session: Session, calls: set[str]) -> set[str]:
    events = select(CallEvent.call_id, CallEvent.detail).where(CallEvent.call_id.in_(calls), CallEvent.kind.in_(KEPT))
    fetched = select(CarrierRecording.call_id).where(
        CarrierRecording.call_id.in_(calls), CarrierRecording.stored_at.is_not(None)
    )
    own = {call for call, detail in session.execute(events) if detail.get("recording") or detail.get("path")}
    return own | set(session.scalars(fetched))
