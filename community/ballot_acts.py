"""Somebody chooses, on whatever way: one transaction that writes who speaks for a place on the roll, the choice, and
that something was chosen. What is refused is logged with its reason, and changes nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from checkins import items
from checkins.items import ItemKind
from checkins.pins import WRONG, PinVerdict
from checkins.results import LINE
from community import ballot as core
from community import ballot_rows as rows
from community.ballot import Act, Refusal, Unit
from community.ballot_tables import Ballot, BallotSlot

CHOSE, CHANGED = "chose", "changed"  # events; `detail`: which topic, and who has signed

Signed = Mapping[str, str]  # of an owner's paper: `signer`, and the `proxy` by which they have; personal
NOBODY_SIGNED: Signed = {}


def refuse(
    session: Session,
    ballot: Ballot,
    why: Refusal,
    who: str,
    now: datetime,
    *,
    slot: BallotSlot | None = None,
    call_id: str | None = None,
    signed: Signed = NOBODY_SIGNED,
) -> Refusal:
    detail = {"reason": str(why), **signed}
    rows.note(session, ballot, rows.REFUSED, who, now, slot=slot, call_id=call_id, detail=detail)
    return why


def closed(ballot: Ballot, now: datetime) -> Refusal | None:
    if rows.is_open(ballot, now):
        return None
    return Refusal.NOT_YET if now < ballot.opens_at else Refusal.CLOSED


def choose(
    session: Session, ballot: Ballot, slot: BallotSlot, act: Act, who: str, now: datetime, call_id: str | None = None
) -> Refusal | None:
    """None: it counts. The same again changes nothing."""
    return choose_all(session, ballot, slot, [act], who, now, call_id)


def choose_all(
    session: Session,
    ballot: Ballot,
    slot: BallotSlot,
    acts: Sequence[Act],
    who: str,
    now: datetime,
    call_id: str | None = None,
    signed: Signed = NOBODY_SIGNED,
) -> Refusal | None:
    """All of a paper's choices, or none."""
    ballot = rows.locked(session, ballot.id)
    slot = session.get_one(BallotSlot, slot.id, with_for_update=True, populate_existing=True)
    options = {topic.position: len(topic.options) for topic in rows.topics(session, ballot)}
    for act in acts:
        why = closed(ballot, now) or core.refusal(rows.taken(slot), act)
        if why is None and not 1 <= act.option <= options.get(act.topic, 0):
            why = Refusal.NO_SUCH_OPTION
        if why is None and ballot.unit != Unit.OWNER and rows.is_gone(session, act.holder):
            why = Refusal.GONE
        if why is not None:
            return refuse(session, ballot, why, who, now, slot=slot, call_id=call_id, signed=signed)
    for act in acts:
        _write(session, ballot, slot, act, who, now, call_id, signed)
    return None


def _write(
    session: Session,
    ballot: Ballot,
    slot: BallotSlot,
    act: Act,
    who: str,
    now: datetime,
    call_id: str | None,
    signed: Signed,
) -> None:
    assert ballot.key is not None  # it is open
    voter = core.voter_of(ballot.key, slot.id)
    log = rows.chosen(session, ballot, voter)
    records = core.writes(rows.taken(slot), log, act, voter)
    before = any(each.topic == act.topic for each in log)
    rows.write(session, ballot, slot, records)
    if records:
        detail = {"topic": act.topic, "channel": str(act.channel), **signed}
        what = CHANGED if before else CHOSE
        rows.note(session, ballot, what, who, now, slot=slot, call_id=call_id, detail=detail)


# ── owners: the PIN of the letter ─────────────────────────────────────────────────────────────────


def judge(session: Session, slot: BallotSlot, right: bool, now: datetime, call_id: str) -> PinVerdict:
    """Counts a try; five wrong ones in a row, over all calls, lock the letter, against the right PIN too."""
    slot = session.get_one(BallotSlot, slot.id, with_for_update=True, populate_existing=True)
    ballot = session.get_one(Ballot, slot.ballot_id)
    if slot.locked_at is not None:
        refuse(session, ballot, Refusal.PIN_LOCKED, LINE, now, slot=slot, call_id=call_id)
        return PinVerdict.LOCKED
    if right:
        slot.wrong = 0
        rows.note(session, ballot, rows.PROVEN, LINE, now, slot=slot, call_id=call_id)
        return PinVerdict.RIGHT
    slot.wrong += 1
    refuse(session, ballot, Refusal.PIN_WRONG, LINE, now, slot=slot, call_id=call_id)
    if slot.wrong < WRONG:
        return PinVerdict.WRONG
    slot.locked_at = now
    detail = {"ballot": ballot.number, "text": f"{ballot.number}号打钩,{slot.label}"}
    place, about = ballot.neighbourhood_id, _about(ballot, slot)
    items.open_item(session, ItemKind.BALLOT_PIN, now, neighbourhood_id=place, due_at=now, about=about, detail=detail)
    return PinVerdict.LOCKED


def unlocked(session: Session, ballot: Ballot, found: Sequence[BallotSlot], by: str, now: datetime) -> None:
    """No new letter is wanted for these any more: there is one, or it is over."""
    keys = [items.key_of(ItemKind.BALLOT_PIN, about=_about(ballot, slot)) for slot in found]
    rows.end_items(session, ballot, keys, by, now)


def _about(ballot: Ballot, slot: BallotSlot) -> str:
    return f"{ballot.number}-{slot.id}"
