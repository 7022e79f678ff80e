"""What a responder hears about a case, and the orders for their calls. Pure but for reading rows."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy.orm import Session

from checkins import phones
from checkins.escalation.policy import STAFF
from checkins.escalation.values import Finding, Responder, Search
from checkins.people import stops_calls
from checkins.ports import Callee, CallRequest
from checkins.results import Reason, Urgency
from checkins.tables import CallIntent, Checkin, Person

DISPATCH, FINDING, CHECKIN, BUDDY_LOG = "dispatch", "finding", "daily_checkin", "buddy_log"  # flows
RECORD_PROMPTS = "record_prompts"  # the same: staff ring in to record what the line says
CONFIRM = "confirm"  # purpose of the elder's own call after somebody saw them

RING_S = 45
_OTHERWISE = "需要有人去看看"
# A responder hears what they need to know to go, no more (PRODUCT.md, principle 6). Spoken after the elder's name.
_WHY: Mapping[str, str] = {
    Reason.EMERGENCY: "在电话里呼救了",
    Reason.ALARM_BUTTON: "家里报警了",
    Reason.SMOKE: "家的烟雾报警器响了",
    Reason.UNREACHED: "三次没接电话",
    Reason.OFF_HOOK: "的电话一直打不通",
    Reason.NOT_WELL: "说身体不舒服",
    Reason.OTHER_SAYS_UNWELL: "说身体不舒服",
    Reason.WANTS_PERSON: "说想找人",
    Reason.SILENT: "接了电话,没有声音",
}
_FOUND = {Finding.NEEDS_HELP: "需要帮助,已经有人联系过", Finding.NOBODY_OPENS: "家没人开门,有人已经去过"}


REASONS = tuple(dict.fromkeys([*_WHY.values(), *_FOUND.values(), _OTHERWISE]))  # all that `why` may be


def why(row: Checkin, search: Search | None) -> str:
    """Half a sentence: why somebody must look."""
    found = _FOUND.get(search.finding) if search and search.finding else None
    return found or _WHY.get(row.reason or "", _OTHERWISE)


def callee(
    row: Checkin, search: Search | None, flow: str = DISPATCH, *, proven: bool = True, shares: bool = True
) -> Callee:
    """The elder whom a responder is asked to see. The flows say where, and who has the key, to who accepted only.
    `proven`: it is they, for we rang them, or they gave their PIN; else nothing is told but the name. `shares`: the
    elder has agreed that they hear of them; else they hear why, where and who has the key, but nothing of health."""
    variables = {"why": why(row, search)}
    if search is not None and not search.plan.seen:
        variables["phone"] = "1"
    if flow == FINDING and search is not None and search.plan.confirm_within and not stops_calls(row.elder):
        variables["confirm"] = "1"
    if row.urgency == Urgency.EMERGENCY:
        variables["urgent"] = "1"
    if search is not None and search.plan.steps[search.rung].several:
        variables["shared"] = "1"
    shut = search is not None and search.finding is Finding.NOBODY_OPENS
    known = {"where": row.elder.address, "key_holder": row.elder.key_holder}
    if shares and (flow == FINDING or shut or row.urgency == Urgency.EMERGENCY):
        known["notes"] = row.elder.notes  # of health, too: for who stands at a door that stays shut
    variables |= {word: text for word, text in known.items() if text and proven}
    return Callee(row.elder.id, row.elder.spoken_name, row.elder.language, False, False, variables)


def who_said(session: Session, search: Search | None, to: Responder) -> dict[str, str]:
    """For the committee's own, who must reach whoever found that help is needed, or that nobody opens: name and number.
    A volunteer's number is nobody else's business."""
    if search is None or search.finding not in _FOUND or to.kind not in STAFF or search.found_by == to.id:
        return {}
    person = session.get(Person, search.found_by or "")
    if person is None:
        return {}
    number = phones.spoken(person.number)
    return {"there": person.spoken_name} | ({"there_number": number} if number else {})


def request(
    intent: CallIntent, row: Checkin, responder: Responder, callees: tuple[Callee, ...], person: Person | None
) -> CallRequest:
    """A responder's call. It is recorded when they themselves have agreed to that; the elders aren't on the line."""
    agreed = bool(person and person.consents.get("recording"))
    callees = tuple(Callee(c.id, c.spoken_name, c.language, agreed, False, c.variables) for c in callees)
    variables = {"committee": row.elder.neighbourhood.committee, "responder": responder.spoken_name}
    if intent.flow == FINDING and responder.kind in STAFF:
        variables["staff"] = "1"
    return CallRequest(intent.id, intent.number, intent.flow or CHECKIN, callees, variables, RING_S)


def herself(row: Checkin) -> Callee:
    """The elder in a call to her own number: recorded and written down as she has agreed."""
    elder = row.elder
    records, transcribes = (bool(elder.consents.get(purpose)) for purpose in ("recording", "transcription"))
    return Callee(elder.id, elder.spoken_name, elder.language, records, transcribes)


def confirm_request(intent: CallIntent, row: Checkin, ring_s: int) -> CallRequest:
    """The elder's own check-in call, for this elder alone."""
    variables = {"committee": row.elder.neighbourhood.committee}
    return CallRequest(intent.id, intent.number, CHECKIN, (herself(row),), variables, ring_s)
