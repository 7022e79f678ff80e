"""What a flow asks about ballots while somebody is on the line. Every answer is one short transaction; the same
question again in the same call changes nothing twice. Personal, and what was chosen is secret: nothing of it is logged.

An elder's number is who they are, as in all calls that come in; an owner's unit is opened by the number and the PIN of
its letter alone, whoever calls.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import pins
from checkins.own_calls import RINGS_IN
from checkins.pins import PinVerdict
from checkins.ports import CallRequest, Clock, Told
from checkins.results import LINE
from checkins.tables import Person
from community import ballot as core
from community import ballot_acts as acts
from community import ballot_calls as calls
from community import ballot_rows as rows
from community import ballot_turns as turns
from community.ballot import Act, Channel, Refusal, Unit
from community.ballot_tables import FIRST_OF_OLD, LAST_LETTER, Ballot, BallotEvent, BallotSlot, BallotTopic, Errand
from community.ballot_turns import Asked
from storage.database import Database
from storage.faults import where

log = logging.getLogger(__name__)

NOBODY = Told("")
AGAIN = "again"  # an event, with the call, like calls.ASKED
# What is said to who is refused.
WHY: Mapping[Refusal, str] = {
    Refusal.CLOSED: "这次打钩已经结束了,不能再选。",
    Refusal.NOT_YET: "这次打钩还没有开始。",
    Refusal.OTHER_PERSON: "您家已经有人选过了,一户只选一次。",
    Refusal.NOT_PROVEN: "您的信已经换了新的,请用新信上的密码。",
    Refusal.OTHER_CHANNEL: "您已经在纸上选过了。要改,请到居委会。",
}


class BallotCounter:
    """Answers the questions in `QUERIES`."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def offered(self, request: CallRequest) -> CallRequest:
        """The same call of somebody who rings in, with what is offered to each of them. Nothing of it keeps an elder
        from being listened to."""
        if request.flow != RINGS_IN:
            return request
        now = self._clock.now()
        try:
            return await self._db.view(lambda session: turns.with_offers(session, request, now))
        except Exception as error:
            log.error("call %s: ballots could not be looked up (%s); none is offered", request.id, where(error))
            return request

    async def ask(self, call_id: str, query: str, person_id: str, value: str = "") -> Told:
        asked = Asked(call_id, person_id, value, self._clock.now())
        if query == PIN:
            return Told(await asyncio.to_thread(self._pin, asked))
        work = OWN[query]
        return await self._db.run(lambda session: work(session, asked))

    def _pin(self, asked: Asked) -> str:
        """Hashing takes its time: between two transactions. A letter that there isn't takes as long."""
        with self._db.read() as session:
            slot = _letter(session, asked)
            stored = slot.pin if slot is not None else None
        right = pins.matches(asked.value, stored or _NO_PIN)
        with self._db.write() as session:
            slot = _letter(session, asked)
            if slot is None:
                for each in turns.owners(session, asked.now)[:1]:
                    acts.refuse(session, each, Refusal.NOT_ON_ROLL, LINE, asked.now, call_id=asked.call_id)
                return PinVerdict.WRONG
            rows.locked(session, slot.ballot_id)  # no new letter between here and the end
            session.refresh(slot)
            if slot.pin != stored:
                return ""
            return acts.judge(session, slot, right and stored is not None, asked.now, asked.call_id)


_NO_PIN = pins.hashed("no letter has this")


# ── owners: the letter ────────────────────────────────────────────────────────────────────────────


def _unit(session: Session, asked: Asked) -> Told:
    """The number of a letter. Whether there is such a letter is not said."""
    found = {each.id: each for each in turns.owners(session, asked.now)}
    query = select(BallotSlot).where(BallotSlot.letter == _number(asked.value), BallotSlot.ballot_id.in_(found))
    slot = session.scalars(query.order_by(BallotSlot.id)).first()
    ballot = found[slot.ballot_id] if slot is not None else next(iter(found.values()), None)
    if ballot is not None:
        rows.note(session, ballot, turns.LETTER, LINE, asked.now, slot=slot, call_id=asked.call_id)
    return Told("known")


def _number(typed: str) -> int:
    """0 for what no letter has."""
    number = int(typed) if typed.isdecimal() and typed.isascii() and not typed.startswith("0") else 0
    return number if FIRST_OF_OLD <= number <= LAST_LETTER else 0


def _letter(session: Session, asked: Asked) -> BallotSlot | None:
    """Whose number was typed last in this call."""
    typed = [each.slot_id for each in rows.in_call(session, asked.call_id) if each.what == turns.LETTER]
    return session.get(BallotSlot, typed[-1]) if typed and typed[-1] is not None else None


# ── topics ────────────────────────────────────────────────────────────────────────────────────────


def _next(session: Session, asked: Asked) -> Told:
    """Without a key the next topic; with one, what is chosen of the topic that was asked last. One query does both, so
    that the call forgets what was read back as soon as the next topic is told."""
    return _choose(session, asked) if asked.value else _topic(session, asked)


def _topic(session: Session, asked: Asked) -> Told:
    mine = turns.mine(session, asked)
    if not mine:
        return Told("closed", {"why": WHY[Refusal.CLOSED]})
    answered, since = _answered(session, asked.call_id), _since_pause(session, asked.call_id)
    for ballot, slot in mine:
        topics = rows.topics(session, ballot)
        for topic in topics:
            if (slot.id, topic.position) in answered:
                continue
            if since >= core.GROUP:
                rows.note(session, ballot, PAUSE, LINE, asked.now, slot=slot, call_id=asked.call_id)
                return Told("more")
            detail = {"topic": topic.position}
            rows.note(session, ballot, calls.ASKED, LINE, asked.now, slot=slot, call_id=asked.call_id, detail=detail)
            return Told("topic", _values(session, asked, ballot, slot, topic, len(topics)))
    left = turns.offer_letters(session, asked)
    return Told("owners", turns.titles(left)) if left else Told("done")


PAUSE = "pause"  # an event: a group of topics was over


def _answered(session: Session, call_id: str) -> set[tuple[int | None, int]]:
    """(place on the roll, topic) of what was answered in this call, since they wanted to choose anew."""
    found: set[tuple[int | None, int]] = set()
    last: BallotEvent | None = None
    for event in rows.in_call(session, call_id):
        if event.what == AGAIN:
            found = set()
        elif event.what == calls.ASKED:
            last = event
        elif event.what == ANSWERED and last is not None:
            found.add((last.slot_id, (last.detail or {}).get("topic", 0)))
    return found


ANSWERED = "answered"  # an event: a key was pressed for the topic that was asked last


def _since_pause(session: Session, call_id: str) -> int:
    count = 0
    for event in rows.in_call(session, call_id):
        count = 0 if event.what in (PAUSE, AGAIN) else count + (event.what == ANSWERED)
    return count


def _values(
    session: Session, asked: Asked, ballot: Ballot, slot: BallotSlot, topic: BallotTopic, topics: int
) -> dict[str, str]:
    """What they chose before is told to who chose it, and to nobody else at home."""
    mine = slot.holder == _holder(ballot, slot, asked)
    before = _before(session, ballot, slot, topic) if mine else ""
    said = {"place": core.place_of(topic.position, topics), "question": topic.question}
    said["options"] = core.offered(topic.options)
    return said | ({"before": before} if before else {})


def _holder(ballot: Ballot, slot: BallotSlot, asked: Asked) -> str:
    return slot.code if ballot.unit == Unit.OWNER else asked.person_id


def _before(session: Session, ballot: Ballot, slot: BallotSlot, topic: BallotTopic) -> str:
    assert ballot.key is not None
    voter = core.voter_of(ballot.key, slot.id)
    option = core.last_of(rows.chosen(session, ballot, voter)).get((voter, topic.position))
    return topic.options[option - 1] if option else ""


def _choose(session: Session, asked: Asked) -> Told:
    last = next((each for each in reversed(rows.in_call(session, asked.call_id)) if each.what == calls.ASKED), None)
    if last is None or last.slot_id is None:
        return NOBODY
    ballot, slot = rows.locked(session, last.ballot_id), session.get_one(BallotSlot, last.slot_id)
    position, person = (last.detail or {}).get("topic", 0), session.get(Person, asked.person_id)
    owner = ballot.unit == Unit.OWNER
    if not owner and rows.slot_of(session, ballot, asked.person_id) is not slot:
        return NOBODY  # somebody else of this call was asked
    who = slot.label if owner or person is None else person.name
    if owner and slot.id not in rows.proven_in(session, asked.call_id):
        acts.refuse(session, ballot, Refusal.NOT_PROVEN, who, asked.now, slot=slot, call_id=asked.call_id)
        return Told("closed", {"why": WHY[Refusal.NOT_PROVEN]})
    act = Act(
        slot.id,
        _holder(ballot, slot, asked),
        Channel.PHONE,
        position,
        int(asked.value) if asked.value.isdecimal() else 0,
        owner=owner,
    )
    why = acts.choose(session, ballot, slot, act, who, asked.now, asked.call_id)
    if why is Refusal.NO_SUCH_OPTION:
        return Told("again")
    rows.note(session, ballot, ANSWERED, LINE, asked.now, slot=slot, call_id=asked.call_id)
    if why is not None:
        return Told("closed", {"why": WHY.get(why, WHY[Refusal.CLOSED])})
    calls.chosen(session, ballot, slot, asked.now)
    topic = next(each for each in rows.topics(session, ballot) if each.position == position)
    return Told("noted", {"chosen": topic.options[act.option - 1]})


def _again(session: Session, asked: Asked) -> Told:
    for ballot, slot in turns.mine(session, asked):
        rows.note(session, ballot, AGAIN, LINE, asked.now, slot=slot, call_id=asked.call_id)
    return Told("noted")


# ── the result ────────────────────────────────────────────────────────────────────────────────────


def _result(session: Session, asked: Asked) -> Told:
    """One topic after the other; they have heard it when there is no other."""
    told = {
        (e.ballot_id, (e.detail or {}).get("topic")) for e in rows.in_call(session, asked.call_id) if e.what == READ
    }
    for row in calls.pending(session, asked.person_id, Errand.RESULT):
        ballot = session.get_one(Ballot, row.ballot_id)
        topics = rows.topics(session, ballot)
        for topic in topics:
            if (ballot.id, topic.position) not in told:
                detail = {"topic": topic.position}
                rows.note(session, ballot, READ, LINE, asked.now, call_id=asked.call_id, detail=detail)
                counted = (ballot.result or {}).get(str(topic.position), [])
                said = {"title": ballot.title, "place": core.place_of(topic.position, len(topics))}
                said |= {"question": topic.question, "tally": core.told(topic.options, counted)}
                return Told("result", said)
        calls.over(session, ballot, asked.person_id, Errand.RESULT, asked.now)
    return turns.NONE


READ = "read"  # an event: the result of a topic was read to them
PIN = "ballot.pin"
OWN: Mapping[str, Callable[[Session, Asked], Told]] = {
    "ballot.begin": turns.begin,
    "ballot.proposals": turns.begin_proposals,
    "ballot.unit": _unit,
    "ballot.next": _next,
    "ballot.again": _again,
    "ballot.result": _result,
}
QUERIES = frozenset({*OWN, PIN})
