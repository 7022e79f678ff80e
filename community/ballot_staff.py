"""What staff do about ballots. Each act names who does it. What is refused by a rule comes back as a Refusal, and is
logged; what is typed wrongly is a ValueError or LookupError, one sentence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from checkins.homes import plain
from checkins.names import named, says_something
from checkins.tables import Person
from community import ballot_acts as acts
from community import ballot_calls as calls
from community import ballot_rows as rows
from community.ballot import BY_STAFF, Act, Channel, Refusal, Unit
from community.ballot_tables import (
    Ballot,
    BallotMember,
    BallotProxy,
    BallotSlot,
    Errand,
)
from community.wrong import Unknown, Wrong

WITHDRAWN, PROXY = "withdrawn", "proxy"


# ── paper, visits, proxies ────────────────────────────────────────────────────────────────────────


def find_slot(session: Session, ballot: Ballot, whose: str) -> BallotSlot | None:
    """By an owner's unit, or by the name or id of somebody who lives there. ValueError when that is several."""
    if ballot.unit == Unit.OWNER:
        found = units(rows.slots(session, ballot), whose)
    else:
        query = select(BallotSlot).where(BallotSlot.ballot_id == ballot.id)
        query = query.join(BallotMember, BallotMember.slot_id == BallotSlot.id)
        query = query.join(Person, Person.id == BallotMember.person_id)
        query = query.where(or_(Person.id == whose, Person.name == whose)).order_by(BallotSlot.id)
        found = list(session.scalars(query).unique())
    if len(found) > 1:
        raise Wrong(
            f"名册上有{len(found)}处叫{whose}：请从列出的人里选",
            f"{whose} is {len(found)} places of this roll: give the person's id (`people list`)",
        )
    return found[0] if found else None


def units(slots: Sequence[BallotSlot], whose: str) -> list[BallotSlot]:
    """However it is written. A roll that took two spellings for two units, as rolls did, has both: then the one that
    is written so."""
    code = plain(whose)
    found = [slot for slot in slots if plain(slot.code) == code]
    literal = [slot for slot in found if slot.label.startswith(f"{whose.strip()} ")]
    return literal if len(found) > 1 and literal else found


def enter(
    session: Session,
    number: int,
    whose: str,
    choices: Mapping[int, int],
    channel: Channel,
    by: str,
    now: datetime,
    *,
    who: str = "",
    change: bool = False,
) -> Refusal | None:
    """What stands on a paper, or was said at a door. `who` has signed it, of an owner's unit: an owner, or somebody
    whose written proxy is on file. They speak for the unit: what another one signs is refused, but for `change`."""
    ballot, by = rows.by_number(session, number), named(by)
    if channel not in BY_STAFF or not choices:
        raise Wrong("请至少选一项", "say what was chosen, on paper or at a visit")
    slot = find_slot(session, ballot, whose)
    if slot is None:
        return acts.refuse(session, ballot, Refusal.NOT_ON_ROLL, by, now)
    owner = ballot.unit == Unit.OWNER
    signed = _signed(session, slot, who.strip()) if owner else acts.NOBODY_SIGNED
    if signed is None:
        claimed = {"signer": who.strip()[:100]} if who.strip() else acts.NOBODY_SIGNED
        return acts.refuse(session, ballot, Refusal.NO_PROXY, by, now, slot=slot, signed=claimed)
    holder = signed["signer"] if owner else _resident(session, slot, whose)
    done = [Act(slot.id, holder, channel, topic, option, change, owner) for topic, option in sorted(choices.items())]
    why = acts.choose_all(session, ballot, slot, done, by, now, signed=signed)
    if why is None:
        calls.chosen(session, ballot, slot, now, by)
    return why


def _resident(session: Session, slot: BallotSlot, whose: str) -> str:
    return next(each.id for each in rows.members(session, slot) if whose in (each.id, each.name))


def _signed(session: Session, slot: BallotSlot, who: str) -> acts.Signed | None:
    """None: neither an owner, nor anybody whose proxy is on file."""
    if who and who in (slot.owners or []):
        return {"signer": who[:100]}
    query = select(BallotProxy.document).where(BallotProxy.slot_id == slot.id, BallotProxy.name == who)
    document = session.scalars(query.order_by(BallotProxy.id.desc())).first()
    return {"signer": who, "proxy": document} if document else None


def proxy(session: Session, number: int, unit: str, name: str, document: str, by: str, now: datetime) -> None:
    """`name` may choose for this unit, by a paper that is kept at `document`."""
    ballot, by = rows.by_number(session, number), named(by)
    slot = _unit(session, ballot, unit)
    if not says_something(document):
        raise Wrong(
            "委托要有书面的：请写委托书放在哪里",
            "a proxy counts only in writing: say where the paper is kept (--document)",
        )
    session.add(BallotProxy(slot_id=slot.id, name=named(name)[:100], document=document.strip()[:200], by=by, at=now))
    rows.note(session, ballot, PROXY, by, now, slot=slot)


def withdraw(session: Session, number: int, by: str, now: datetime) -> None:
    """It is over without a result: nobody is rung any more."""
    ballot, by = rows.by_number(session, number), named(by)
    if ballot.sealed_at is not None:
        raise Wrong("这次打钩已经结束", "it is over already")
    ballot.withdrawn_by, ballot.sealed_at, ballot.key = by[:100], now, None
    rows.shuffle(session, ballot)
    rows.forget_phones(session, ballot)
    rows.note(session, ballot, WITHDRAWN, by, now)
    calls.stop(session, ballot, by, now)
    acts.unlocked(session, ballot, rows.locked_slots(session, ballot), by, now)


def told(session: Session, number: int, units: Sequence[str], by: str, now: datetime) -> int:
    """`by` has told the result to these units, or to all that wait for it; how many that is. LookupError for what is no
    unit of the roll."""
    ballot, by = rows.by_number(session, number), named(by)
    if ballot.unit != Unit.OWNER or ballot.result is None:
        raise Wrong(f"{number}不是已有结果的业主打钩", f"{number} is no owners' ballot with a result")
    meant = {_unit(session, ballot, each).id for each in units}
    waiting = [slot for slot in rows.untold(session, ballot) if not units or slot.id in meant]
    for slot in waiting:
        slot.phone = None
        rows.note(session, ballot, rows.TOLD, by, now, slot=slot)
    calls.settle_if_all(session, ballot, Errand.RESULT, by, now)
    return len(waiting)


def _unit(session: Session, ballot: Ballot, unit: str) -> BallotSlot:
    slot = find_slot(session, ballot, unit) if ballot.unit == Unit.OWNER else None
    if slot is None:
        raise Unknown(f"业主名册上没有{unit}", f"{unit} is no unit of this ballot's owners' roll")
    return slot


# ── whom to see ───────────────────────────────────────────────────────────────────────────────────


def to_visit(session: Session, ballot: Ballot) -> list[Person]:
    """Who has not chosen and can't be rung, or wasn't reached: paper goes to their door. After the result: who has
    not heard it."""
    return calls.to_see(session, ballot, Errand.ASK if ballot.sealed_at is None else Errand.RESULT)
