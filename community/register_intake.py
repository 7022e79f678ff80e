"""What came of a call, for corrections of entries: a recording that the call itself couldn't file (it broke off, the
carrier had it still, nothing could be written) goes to what was called wrong. The same news again changes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.orm import Session

from checkins.ports import CallOutcome, Clock
from checkins.tables import Person
from community import register_entry
from community.intake import Cut, Spoken, kept_as
from community.register_entry import OTHER
from storage.database import Database

CORRECTION = "correction"  # what the flow keeps dictations as


class RegisterIntake:
    """Takes in what the telephone room tells of calls."""

    def __init__(self, db: Database, clock: Clock) -> None:
        self._db, self._clock = db, clock

    async def settle(self, outcome: CallOutcome, cut: Cut | None = None) -> None:
        """Durable when it returns. Only of calls that are over."""
        people = (person for person in outcome.people if person.id)
        said = {person.id: [*kept_as(person.detail, lambda name: name == CORRECTION)] for person in people}
        if cut is not None and cut[0] and cut[1].name == CORRECTION:
            said[cut[0]] = [*said.get(cut[0], []), cut[1]]
        if outcome.final and any(said.values()):
            now = self._clock.now()
            await self._db.run(lambda session: settle(session, outcome.intent_id, said, now))


def settle(session: Session, call_id: str, said: dict[str, list[Spoken]], now: datetime) -> None:
    """`said`: by person. Of somebody who isn't in the register (any more) nothing is kept here."""
    for person_id, dictated in said.items():
        if session.get(Person, person_id, with_for_update=True) is not None:
            _keep(session, call_id, person_id, dictated, now)


def _keep(session: Session, call_id: str, person_id: str, said: Sequence[Spoken], now: datetime) -> None:
    noted = [event.detail or {} for event in register_entry.in_call(session, person_id, call_id)]
    of = {each["recording"]: each["field"] for each in noted if "recording" in each}
    left = [each for each in said if each.recording not in of]
    silent = [each["field"] for each in noted if "recording" not in each and each["field"] not in of.values()]
    last = noted[-1]["field"] if noted else OTHER  # where nobody can tell: they say themselves what it is about
    about = silent if len(silent) == len(left) else [last] * len(left)
    of |= {each.recording: where for each, where in zip(left, about, strict=True)}
    for each in said:
        told = {"recording": each.recording, "text": each.text}
        register_entry.say_wrong(session, person_id, of[each.recording], call_id, now, **told)
