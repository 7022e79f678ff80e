"""The elder's own call in an emergency, beside the calls to people: is she there, does she need help (PRODUCT.md,
"Emergency")? At once when she isn't on the line; once more after 2 min when she didn't answer; no more when somebody
has the case, for they may want to ring her. What she says is noted for whoever goes, and calls nobody off.

An emergency is exempt from the line rules, and from a refusal of machine calls; consent to record holds. Nobody is
rung under a number that is suspended, nor who moved or died.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.case_rows import log_event
from checkins.errands import herself
from checkins.escalation.values import Phase, Search
from checkins.line_rules import Purpose
from checkins.pace import LIVE
from checkins.ports import CallRequest, Disposition, PersonOutcome
from checkins.results import Reason, Status, Urgency
from checkins.tables import GONE, CallIntent, Checkin, IntentCheckin, NumberState

ALARM = "alarm"  # the flow
AGAIN = timedelta(minutes=2)
CALLS, LINE_ERRORS = 2, 2
RING_S = 45
_CAUSE: Mapping[str, str] = {Reason.SMOKE: "您家的烟雾报警器响了。", Reason.ALARM_BUTTON: "收到您家的报警。"}
_CRIED = "刚才您在电话里求救。"
_HEARD = ("silent", "present", "says_fine", "needs_help", "emergency")  # the flow's words


@dataclass(frozen=True)
class Rung:
    """One call to her. `end` is None while it goes on."""

    at: datetime
    end: Disposition | None


def next_call(rung: Sequence[Rung], now: datetime) -> datetime | None:
    """When she is to be rung (again), given the calls of this emergency, oldest first; None: not any more, or not
    before there is news of the last one. A failure of the line is no call, twice."""
    if not rung:
        return now
    errors = sum(call.end is Disposition.LINE_ERROR for call in rung)
    answered = any(call.end is Disposition.ANSWERED for call in rung)
    if rung[-1].end is None or answered or errors > LINE_ERRORS or len(rung) - errors >= CALLS:
        return None
    return max(now, rung[-1].at + AGAIN)


def wanted(row: Checkin, search: Search | None) -> bool:
    """While nobody has it. She must have a number that is known to be hers."""
    open_ = row.status == Status.NEEDS_PERSON and row.urgency == Urgency.EMERGENCY and not row.owner
    elder = row.elder
    hers = elder.number is not None and elder.number_state == NumberState.OK and elder.state not in GONE
    return open_ and hers and (search is None or search.phase is Phase.SEARCHING)


def calls_since(session: Session, row: Checkin, since: datetime) -> list[Rung]:
    query = (
        select(CallIntent)
        .join(IntentCheckin, IntentCheckin.intent_id == CallIntent.id)
        .where(IntentCheckin.checkin_id == row.id, CallIntent.purpose == Purpose.EMERGENCY)
        .where(CallIntent.created_at >= since)
        .order_by(CallIntent.created_at)
    )
    return [Rung(call.created_at, _end(call)) for call in session.scalars(query)]


def _end(call: CallIntent) -> Disposition | None:
    return None if call.state in LIVE else Disposition(call.disposition or Disposition.UNKNOWN)


def request(intent: CallIntent, row: Checkin) -> CallRequest:
    variables = {"committee": row.elder.neighbourhood.committee, "cause": _CAUSE.get(row.reason or "", _CRIED)}
    if row.reason == Reason.SMOKE:
        variables["smoke"] = "1"
    return CallRequest(intent.id, intent.number, ALARM, (herself(row),), variables, RING_S, urgent=True)


def heard(
    session: Session,
    intent: CallIntent,
    row: Checkin,
    disposition: Disposition,
    person: PersonOutcome | None,
    now: datetime,
) -> None:
    """What came of a call to her: into the case, for whoever goes. It changes nothing of who is rung."""
    word = person.result if person is not None and person.result in _HEARD else _ENDS.get(disposition, str(disposition))
    detail = {**(person.detail if person else {}), "evidence": person.evidence if person else "none"}
    log_event(session, row, f"elder:{word}", "line", now, intent_id=intent.id, detail=detail)
    row.answer = {**(row.answer or {}), **(person.detail if person else {}), "in_emergency": word}


_ENDS: Mapping[Disposition, str] = {Disposition.ANSWERED: "hung_up"}
