"""What somebody has agreed to, purpose by purpose (PRODUCT.md, principle 6): on whose word, how, when.

What holds stands in the register (Person.consents) and counts from the next call on; who said so is added to its log,
and never changed. A guardian may speak for the elder, by name. Without consent to calls no machine call goes out any
more, and a person takes the place of the one that was ahead today.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy.orm import Session

from checkins import people, register_log
from checkins.names import named
from checkins.people_csv import CONSENTS
from checkins.register_log import SELF, How, What
from checkins.results import Reason
from checkins.tables import Person

PURPOSE_ZH: Mapping[str, str] = {
    "calls": "自动电话",
    "recording": "录音",
    "transcription": "把录音写成文字",
    "buddy": "让老伙伴知道",
    "family": "让家人知道",
    "street": "让街道知道",
}
HOW_ZH: Mapping[str, str] = {How.PAPER: "书面", How.PHONE: "电话里", How.IN_PERSON: "当面", How.FILE: "表格里"}


@dataclass(frozen=True)
class Word:
    """`said_by`: SELF, a guardian's name, or None where nobody knows; `on`: the day on the paper, if it isn't today."""

    by: str
    said_by: str | None = SELF
    how: How | None = None
    on: date | None = None


def change(session: Session, person_id: str, given: Mapping[str, bool], word: Word, now: datetime) -> None:
    """Purposes given (True) or taken back; others stay as they are. ValueError without a name, for a purpose that there
    isn't, or when nothing is said at all."""
    by, said_by = named(word.by), None if word.said_by is None else named(word.said_by)
    unknown = [purpose for purpose in given if purpose not in CONSENTS]
    if unknown or not given:
        raise ValueError(f"purposes are {', '.join(CONSENTS)}")
    if given.get("calls") is False:
        people.stop_calls(session, person_id, Reason.NO_CONSENT, by, now)
    person = session.get_one(Person, person_id, with_for_update=True)
    agreed = {**person.consents, **given}
    person.consents = {purpose: True for purpose in CONSENTS if agreed.get(purpose)}
    for purpose, yes in given.items():
        detail = {"purpose": purpose, "given": yes} | ({"on": word.on.isoformat()} if word.on else {})
        register_log.note(session, person_id, What.CONSENT, by, now, said_by=said_by, how=word.how, detail=detail)


def replace(session: Session, person_id: str, agreed: Iterable[str], word: Word, now: datetime) -> None:
    """All that is agreed to, instead of what stood there before; what does not change is not logged."""
    wanted = set(agreed)
    before = session.get_one(Person, person_id).consents  # cases are locked before people, everywhere
    changed = {purpose: purpose in wanted for purpose in CONSENTS if bool(before.get(purpose)) != (purpose in wanted)}
    if changed:
        change(session, person_id, changed, word, now)
