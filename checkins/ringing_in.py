"""Who rings in, and what the call is to be about. The intent is written before the call begins.

Who has accepted to go and hasn't said what they found is asked that; else a buddy logs contacts; else an elder is
listened to (own_calls.py); else staff with a PIN record what the line says; everybody else is listened to
(strangers.py). To a buddy the number alone opens nothing that
names an elder: the log asks for the PIN, so does the finding; without one, bad news counts, and good news is asked
again by a call of our own.

Where helpers and elders have one telephone they are asked first whether they ring to help. Who doesn't say so is
listened to as an elder: nobody at home goes unheard.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import contacts, inbound, items, own_calls, pins, searches, strangers
from checkins.case_rows import log_event, select_cases, served_by
from checkins.errands import BUDDY_LOG, FINDING, RECORD_PROMPTS, callee
from checkins.escalation import decisions as core
from checkins.escalation.values import Phase, Search
from checkins.finder import MOST
from checkins.intents import INBOUND
from checkins.items import ItemKind
from checkins.phones import NumberError, to_e164
from checkins.ports import Callee, CallRequest
from checkins.results import SLEEPLESS, Status
from checkins.roster import loading, resolve
from checkins.roster.values import Kind, Roster
from checkins.tables import (
    GONE,
    CallIntent,
    Checkin,
    Neighbourhood,
    NumberState,
    Person,
    Role,
    State,
)

log = logging.getLogger(__name__)

HELPS = "1"  # the key of who rings to help
_STILL, _DONE = "还没联系的", "联系过的"  # before an elder's name in the list


class Heard(StrEnum):
    """What somebody who rings in hears instead of a conversation."""

    STRANGER = "stranger"  # there is no committee yet that could listen
    NOTED = "noted"  # an elder with whom no call can be begun: a person rings back
    WHO = "who"  # helpers and elders have this telephone: which of them it is


def rang_in(session: Session, call_id: str, number: str, now: datetime, key: str | None = None) -> CallRequest | Heard:
    """The call that begins now, or what the caller hears. `number` as the carrier gives it; withheld or malformed: a
    stranger's. The same call again gets the same answer. `key`: the answer to WHO ("": none); None: not asked."""
    intent = session.get(CallIntent, call_id)
    if intent is not None:
        return _again(session, intent, now)
    people = _behind(session, number)
    elders = [person for person in people if person.role == Role.ELDER]
    owing = next(((person, rows) for person in people if (rows := waiting_for(session, person))), None)
    buddies = _buddies(session, people, now)
    helps = owing is not None or bool(buddies)
    if helps and elders and key is None:
        return Heard.WHO
    if elders and not (helps and key == HELPS):
        return _listen(session, call_id, elders, now)
    if owing is not None:
        person, rows = owing
        return _finding(session, _intend(session, call_id, person, FINDING, now, rows), person, rows, now)
    if buddies:
        return _log(session, _intend(session, call_id, buddies[0][0], BUDDY_LOG, now), buddies, now)
    if staff := _who_record(session, people):
        return _record(session, _intend(session, call_id, staff[0], RECORD_PROMPTS, now), staff)
    return strangers.begin(session, call_id, number, people, now) or Heard.STRANGER


def _listen(session: Session, call_id: str, elders: Sequence[Person], now: datetime) -> CallRequest | Heard:
    """One broken row must not leave an elder unheard: then a person rings back."""
    try:
        with session.begin_nested():
            return own_calls.begin(session, call_id, elders, now)
    except (ValueError, LookupError, AssertionError) as error:
        log.error("call %s: an elder rang in, and could not be listened to: %s", call_id, type(error).__name__)
    for elder in elders:
        items.ring_back(session, call_id, elder, now)
    return Heard.NOTED


def waiting_for(session: Session, person: Person) -> list[Checkin]:
    """Open cases in which this person has still to say what they found, the most urgent first."""
    query = select_cases().where(
        Checkin.neighbourhood_id == person.neighbourhood_id, Checkin.status == Status.NEEDS_PERSON
    )
    rows = [row for row in session.scalars(query.order_by(Checkin.id)) if _owes(searches.search_of(row), person.id)]
    return sorted(rows, key=lambda row: row.urgency not in SLEEPLESS)[:MOST]


def _owes(search: Search | None, person_id: str) -> bool:
    """They have it; or had it, and it went on to others without a word of theirs."""
    if search is None or search.phase not in (Phase.SEARCHING, Phase.TAKEN):
        return False
    went = {*search.went, *(item.responder for item in search.untold)}
    return search.accepted_by == person_id or (person_id in went and search.found_by != person_id)


def who_may_log(session: Session, intent: CallIntent) -> list[Person]:
    """Whoever may be calling to log contacts; who they are is told by their PIN alone. First who it is taken for."""
    people = [person for person in _behind(session, intent.number) if person.role != Role.ELDER]
    return sorted(people, key=lambda person: person.id != intent.responder)


def who_may_record(session: Session, intent: CallIntent) -> list[Person]:
    """The same for staff who record what the line says."""
    return _who_record(session, _behind(session, intent.number))


def _who_record(session: Session, people: Iterable[Person]) -> list[Person]:
    """Only who can show by a PIN that it is they."""
    return [one for one in people if one.role == Role.STAFF and pins.known(session, one.id) is not None]


def _buddies(session: Session, people: Iterable[Person], now: datetime) -> list[tuple[Person, list[Callee]]]:
    """Who of them has elders, and whom; two who live together have one telephone."""
    themselves = [person for person in people if person.role != Role.ELDER]
    return [(person, elders) for person in themselves if (elders := elders_of(session, person, now))]


def elders_of(session: Session, buddy: Person, now: datetime) -> list[Callee]:
    """Whose contacts this buddy logs: who is paired with them, and who they stand in for right now; who still needs a
    contact first. Elders who don't share with buddies are left out."""
    roster = loading.load(session, buddy.neighbourhood_id, now)
    away = _away(roster, now)
    mine = [elder_id for elder_id in roster.pairs if _logs(roster, elder_id, buddy.id, away, now)]
    last = contacts.last_contacts(session, buddy.neighbourhood_id)
    open_ = _need_person(session, mine)
    listed = []
    for elder_id in mine:
        still = elder_id in open_ or contacts.due(last.get(elder_id), now, roster.zone)
        listed.append((not still, Callee(elder_id, roster.elders[elder_id].spoken_name)))
    found = sorted(listed, key=lambda each: (each[0], each[1].spoken_name))
    return [Callee(c.id, c.spoken_name, variables={"state": _DONE if done else _STILL}) for done, c in found]


def _logs(roster: Roster, elder_id: str, buddy_id: str, away: Collection[str | None], now: datetime) -> bool:
    """Who stands in is looked for only where somebody may: a caller must not wait for thousands of elders."""
    elder, pairs = roster.elders.get(elder_id), roster.pairs[elder_id]
    if elder is None or Kind.BUDDY not in elder.shares:
        return False
    if any(pair.buddy_id == buddy_id for pair in pairs):
        return True
    if elder_id not in away and not any(pair.buddy_id in away for pair in pairs):
        return False
    return [one.id for one in resolve.buddies_for(roster, elder_id, now)][:1] == [buddy_id]


def _away(roster: Roster, now: datetime) -> set[str | None]:
    """Who is on leave or stood in for right now, and elders for whom somebody is named."""
    on_leave = {
        person for person, spans in roster.leave.items() if any(span.begins <= now < span.ends for span in spans)
    }
    active = [each for each in roster.overrides if each.begins <= now < each.ends]
    return {*on_leave, *(each.instead_of for each in active), *(each.elder_id for each in active)} - {None}


def _need_person(session: Session, elders: Iterable[str]) -> set[str]:
    query = select(Checkin.elder_id).where(Checkin.elder_id.in_([*elders]), Checkin.status == Status.NEEDS_PERSON)
    return set(session.scalars(query))


# ── who it is ─────────────────────────────────────────────────────────────────────────────────────


def _behind(session: Session, number: str) -> list[Person]:
    """Everybody with this number, who may be meant. One that is suspended, since somebody there said "wrong number",
    is a stranger's."""
    try:
        known = to_e164(number)
    except NumberError:
        return []
    query = select(Person).where(Person.number == known, Person.number_state != NumberState.SUSPECT)
    moved = (Person.role == Role.ELDER) & (Person.state == State.MOVED)  # is listened to, and called by nobody
    return list(session.scalars(query.where(moved | Person.state.not_in(GONE)).order_by(Person.name, Person.id)))


# ── the call ──────────────────────────────────────────────────────────────────────────────────────


def _intend(
    session: Session, call_id: str, person: Person, flow: str, now: datetime, rows: Sequence[Checkin] = ()
) -> CallIntent:
    number = person.number
    assert number is not None
    intent = inbound.take(session, call_id, number, flow, now, rows, person.id)
    for row in rows:
        log_event(session, row, "rang_in", person.name, now, intent_id=intent.id, detail={"responder": person.id})
    return intent


def _again(session: Session, intent: CallIntent, now: datetime) -> CallRequest | Heard:
    if intent.purpose == INBOUND and intent.flow == own_calls.RINGS_IN:
        return own_calls.again(session, intent, now)
    if intent.purpose == INBOUND and strangers.is_stranger(intent):
        return strangers.again(session, intent, now)
    person = session.get(Person, intent.responder or "")
    if person is None or intent.purpose != INBOUND:
        return Heard.STRANGER
    if intent.flow == RECORD_PROMPTS:
        return _record(session, intent, who_may_record(session, intent) or [person])
    if intent.flow == BUDDY_LOG:
        return _log(session, intent, _buddies(session, _behind(session, intent.number), now), now)
    return _finding(session, intent, person, session.scalars(served_by(intent.id)).all(), now)


def _finding(
    session: Session, intent: CallIntent, person: Person, rows: Sequence[Checkin], now: datetime
) -> CallRequest:
    """With a PIN, by which they show who they are; without one nothing is told that a forged number must not learn."""
    pin = pins.known(session, person.id) is not None
    callees = [_asked(row, person, now, proven=pin) for row in rows]
    known = {"staff": "1"} if person.role == Role.STAFF else {}
    return _request(session, intent, person, callees, **({**known, "pin": "1"} if pin else {"unproven": "1"}))


def _asked(row: Checkin, person: Person, now: datetime, *, proven: bool) -> Callee:
    """`rung_back`: a call of our own will ask them what they found."""
    search = searches.search_of(row)
    asked = callee(row, search, FINDING, proven=proven)
    back = search is not None and search.phase is Phase.TAKEN and search.accepted_by == person.id
    back = back and search is not None and core.asks_at(search) > now
    return replace(asked, variables={**asked.variables, "rung_back": "1"}) if back else asked


def _log(
    session: Session, intent: CallIntent, buddies: Sequence[tuple[Person, Sequence[Callee]]], now: datetime
) -> CallRequest | Heard:
    """Without a PIN nothing is logged: staff give them one. The list is of all who may be calling."""
    if not buddies:
        return Heard.STRANGER
    without = [person for person, _ in buddies if pins.known(session, person.id) is None]
    for person in without:
        pins.tell(session, ItemKind.NO_PIN, person.id, now)
    variables = {"pin": "1"} | ({"no_pin": "1"} if len(without) == len(buddies) else {})
    request = _request(session, intent, buddies[0][0], _all_of(buddies), **variables)
    return _agreed(request, [person for person, _ in buddies])


def _record(session: Session, intent: CallIntent, staff: Sequence[Person]) -> CallRequest:
    """Nothing of it is written down: what they read out is known."""
    first = staff[0]
    request = _request(session, intent, first, [Callee(first.id, first.spoken_name)], pin="1")
    return _agreed(request, staff, transcribes=False)


def _agreed(request: CallRequest, people: Iterable[Person], *, transcribes: bool = True) -> CallRequest:
    """Recorded only when all who may be calling have agreed to that; `transcribes` False: not written down even so."""
    consents = [one.consents for one in people]
    records, agreed = (all(one.get(purpose) for one in consents) for purpose in ("recording", "transcription"))
    transcribes = transcribes and agreed
    callees = (replace(each, records=records, transcribes=transcribes) for each in request.callees)
    return replace(request, callees=tuple(callees))


def _all_of(buddies: Iterable[tuple[Person, Sequence[Callee]]]) -> list[Callee]:
    """Each elder once, in the order of a list for one."""
    elders = {elder.id: elder for _, elders in buddies for elder in elders}
    return sorted(elders.values(), key=lambda each: (each.variables["state"] == _DONE, each.spoken_name))


def _request(
    session: Session, intent: CallIntent, person: Person, callees: Sequence[Callee], **variables: str
) -> CallRequest:
    """Recorded when they themselves have agreed to that; the elders aren't on the line."""
    records, transcribes = (bool(person.consents.get(purpose)) for purpose in ("recording", "transcription"))
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    variables |= {"committee": place.committee, "responder": person.spoken_name}
    people = tuple(Callee(c.id, c.spoken_name, c.language, records, transcribes, c.variables) for c in callees)
    return CallRequest(intent.id, intent.number, intent.flow or FINDING, people, variables)
