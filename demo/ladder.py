"""What the people who were rung for an elder's case said, read from the case's own log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.tables import CallIntent, Checkin, CheckinEvent, Person

# What was said, in the case's log, and for whoever looks at the board.
WORDS = {
    "accepted": "去看",
    "declined": "去不了",
    "no_answer": "没接",
    "busy": "占线",
    "machine": "答录机",
    "silent": "没应答",
    "wrong_person": "不是本人",
    "line_error": "线路出错",
    "fine_seen": "已见到，平安",
    "fine_heard": "已听到，平安",
    "needs_help": "需要帮助",
    "nobody_opens": "没人开门",
}


@dataclass(frozen=True)
class Ladder:
    """`said`: "邵师傅 accepted", in order. `calls`: to these people, for this case."""

    said: tuple[str, ...] = ()
    calls: int = 0

    @property
    def said_zh(self) -> str:
        """ "李阿姨去不了 → 邵师傅去看"."""
        parts = (step.split() for step in self.said)
        return " → ".join(f"{name}{WORDS.get(word, word)}" for name, word in parts)


NOBODY = Ladder()  # was rung


def ladders(session: Session, place_id: int) -> Mapping[int, Ladder]:
    """By case. What was said twice running (accepted in mid-call, and at the call's end) is told once."""
    said: dict[int, list[str]] = {}
    calls: dict[int, set[str]] = {}
    query = (
        select(CheckinEvent, CallIntent.responder)
        .join(Checkin, Checkin.id == CheckinEvent.checkin_id)
        .join(CallIntent, CallIntent.id == CheckinEvent.intent_id)
        .where(Checkin.neighbourhood_id == place_id, CallIntent.responder.is_not(None))
        .order_by(CheckinEvent.id)
    )
    for event, responder in session.execute(query):
        person = session.get(Person, responder)
        kind, _, word = event.what.partition(":")
        calls.setdefault(event.checkin_id, set()).add(event.intent_id or "")
        step = f"{person.spoken_name if person else responder} {word}"
        steps = said.setdefault(event.checkin_id, [])
        if kind in ("reply", "found") and steps[-1:] != [step]:
            steps.append(step)
    return {case: Ladder(tuple(said[case]), len(calls[case])) for case in said}


def numbers(session: Session, call_ids: list[str]) -> Mapping[str, str]:
    """Whom these calls rang."""
    query = select(CallIntent.id, CallIntent.number).where(CallIntent.id.in_(call_ids))
    return {call_id: number for call_id, number in session.execute(query)}
