"""Whose turn it is in a call about ballots: what this caller may choose, what only a letter opens, what waits to be
heard. What the call came to so far stands in its events; the same question again comes to the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.ports import CallRequest, Told
from checkins.results import LINE
from checkins.tables import Person
from community import ballot_calls as calls
from community import ballot_proposals as proposed
from community import ballot_rows as rows
from community.ballot import Unit
from community.ballot_tables import Ballot, BallotCall, BallotSlot, Errand

NONE = Told("none")
# Events, with the call, like calls.ASKED. BEGUN without a place on the roll: the letter was asked for.
BEGUN, LETTER, OFFERED = "begun", "letter", "offered"
PROPOSALS = "proposals"  # `detail` of BEGUN: only these


@dataclass(frozen=True)
class Asked:
    """`value`: a key or a PIN; secret."""

    call_id: str
    person_id: str
    value: str = field(repr=False)
    now: datetime


Turn = tuple[Ballot, BallotSlot]


def begin(session: Session, asked: Asked) -> Told:
    """A result that they wait for, then what they may choose, then what owners may. Of whom both may be, key 6 offers
    one after the other, whatever they make of it: neither hides the other."""
    if asked.person_id and calls.pending(session, asked.person_id, Errand.RESULT):
        return Told("result")
    mine, left = _all(session, asked), letters_left(session, asked)
    if left and (not mine or _own_was_last(session, asked)):
        rows.note(session, left[0], BEGUN, LINE, asked.now, call_id=asked.call_id)
        return Told("owners", titles(left))
    return _open(session, asked, mine)


def begin_proposals(session: Session, asked: Asked) -> Told:
    """Key 4 of the board: nothing else is read until key 6."""
    mine = [turn for turn in _all(session, asked) if proposed.is_one(session, turn[0])]
    return _open(session, asked, mine, {"only": PROPOSALS})


def _open(session: Session, asked: Asked, mine: Sequence[Turn], detail: dict[str, str] | None = None) -> Told:
    if not mine:
        return NONE
    ballot, slot = mine[0]
    rows.note(session, ballot, BEGUN, LINE, asked.now, slot=slot, call_id=asked.call_id, detail=detail)
    return Told("open", titles([ballot for ballot, _ in mine]))


def mine(session: Session, asked: Asked) -> list[Turn]:
    """What they choose in now: a unit that a letter has opened before anything else."""
    found = _all(session, asked)
    if _proposals_only(session, asked):
        found = [turn for turn in found if turn[0].unit == Unit.OWNER or proposed.is_one(session, turn[0])]
    return sorted(found, key=lambda turn: turn[0].unit != Unit.OWNER)


def _proposals_only(session: Session, asked: Asked) -> bool:
    """Since key 4 of the board, until key 6."""
    begun = [each.detail or {} for each in rows.in_call(session, asked.call_id) if each.what == BEGUN]
    return bool(begun) and begun[-1].get("only") == PROPOSALS


def _all(session: Session, asked: Asked) -> list[Turn]:
    """Open ballots with the place of this caller; an owner's unit counts from its PIN on."""
    proven = [session.get_one(BallotSlot, each) for each in rows.proven_in(session, asked.call_id)]
    found = []
    for ballot in rows.open_now(session, asked.now):
        if ballot.unit != Unit.OWNER:
            slot = rows.slot_of(session, ballot, asked.person_id) if asked.person_id else None
        else:
            slot = next((each for each in proven if each.ballot_id == ballot.id), None)
        if slot is not None:
            found.append((ballot, slot))
    return found


def owners(session: Session, now: datetime) -> list[Ballot]:
    return [each for each in rows.open_now(session, now) if each.unit == Unit.OWNER]


def letters_left(session: Session, asked: Asked) -> list[Ballot]:
    """Owners' ballots that no letter has opened in this call; of whom the register knows, those of their own place."""
    opened = {ballot.id for ballot, _ in _all(session, asked)}
    person = session.get(Person, asked.person_id) if asked.person_id else None
    found = [each for each in owners(session, asked.now) if each.id not in opened]
    return [each for each in found if person is None or each.neighbourhood_id == person.neighbourhood_id]


def offer_letters(session: Session, asked: Asked) -> list[Ballot]:
    """What to offer to who has chosen all else: once in a call that came in. Who asked for proposals alone has not."""
    if _proposals_only(session, asked):
        return []
    left = letters_left(session, asked)
    once = any(each.what == OFFERED for each in rows.in_call(session, asked.call_id))
    made = session.scalar(select(BallotCall.id).where(BallotCall.intent_id == asked.call_id).limit(1))
    if not left or once or made is not None:
        return []
    rows.note(session, left[0], OFFERED, LINE, asked.now, call_id=asked.call_id)
    return left


def _own_was_last(session: Session, asked: Asked) -> bool:
    """Whether what was opened or read to them last needed no letter."""
    units = {ballot.id: ballot.unit for ballot in rows.open_now(session, asked.now)}
    turn = (BEGUN, calls.ASKED, LETTER, OFFERED)
    last = next((each for each in reversed(rows.in_call(session, asked.call_id)) if each.what in turn), None)
    if last is None or last.slot_id is None:
        return False
    return last.what in (BEGUN, calls.ASKED) and units.get(last.ballot_id) != Unit.OWNER


def titles(found: Sequence[Ballot]) -> dict[str, str]:
    return {"title": "、".join(dict.fromkeys(each.title for each in found))[:100]}


# ── before the menu ───────────────────────────────────────────────────────────────────────────────


def with_offers(session: Session, request: CallRequest, now: datetime) -> CallRequest:
    """What each of those who ring in is offered, as variables of the call."""
    callees = (
        replace(each, variables={**each.variables, **_offers(session, each.id, now)}) for each in request.callees
    )
    return replace(request, callees=tuple(callees))


def _offers(session: Session, person_id: str, now: datetime) -> dict[str, str]:
    mine = [each for each in rows.open_now(session, now) if each.unit != Unit.OWNER]
    mine = [each for each in mine if rows.slot_of(session, each, person_id)]
    on_board = [each for each in mine if proposed.is_one(session, each)]
    said = {"proposals": "1"} if on_board else {}
    if calls.pending(session, person_id, Errand.RESULT):
        return {"ballot": "打钩有结果了,要听,请按6。", **said}
    if on_board == mine:
        return {"ballot": "邻居有提议,要选,请按6。", **said} if mine else {}
    return {"ballot": "现在有打钩,要选,请按6。", **said}
