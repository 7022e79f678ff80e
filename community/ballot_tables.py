"""Tables of 打钩. Who took part stands in `ballot_slot` and `ballot_event`; what was chosen in `ballot_choice`, under a
keyed hash, without a time and in no order. The key is destroyed when the result is sealed: docs/ballots.md says what
somebody who can read the database knows before and after that.

Columns marked `info=PERSONAL` hold personal data: never logged, deleted in time.
"""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

from sqlalchemy import JSON, BigInteger, ForeignKey, Index, Integer, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from checkins.tables import PERSONAL
from community.tables import Happened
from storage.database import Base, UtcTime

FIRST_BALLOT = 7001  # the numbers of complaints begin with 1, of tickets with 5
FIRST_LETTER, LAST_LETTER = 10_001, 99_999  # what an owner types before the PIN: some 7 ballots of 12,000 units at once
FIRST_OF_OLD = 1001  # letters had four digits, and those that are out go on
_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER
_Json = JSON(none_as_null=True)


class Errand(StrEnum):
    """Why somebody is rung."""

    ASK = "ask"
    RESULT = "result"


class Rung(StrEnum):
    """What became of that."""

    DONE = "done"  # they have chosen; they have heard the result
    HEARD = "heard"  # asked, and they chose nothing: they ring in if they like
    BY_HAND = "by_hand"  # the line can't reach them: on the sheet
    OVER = "over"  # it closed meanwhile


class Ballot(Base):
    """`unit`: who has one choice. `key` (hexadecimal) hashes voters, until `sealed_at`. `result`: topic → counts, as
    they were counted then."""

    __tablename__ = "ballot"
    __table_args__ = (Index("ix_ballot_open", "sealed_at", "closes_at"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    number: Mapped[int] = mapped_column(Integer, unique=True)
    title: Mapped[str] = mapped_column(String(100))
    unit: Mapped[str] = mapped_column(String(16))
    opens_at: Mapped[datetime] = mapped_column(UtcTime)
    closes_at: Mapped[datetime] = mapped_column(UtcTime)
    made_by: Mapped[str] = mapped_column(String(100))
    key: Mapped[str | None] = mapped_column(String(64), info=PERSONAL)
    result: Mapped[dict[str, list[int]] | None] = mapped_column(_Json)
    sealed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    withdrawn_by: Mapped[str | None] = mapped_column(String(100))


class BallotTopic(Base):
    """`position` from 1; `options` as they are read out, the first one behind key 1."""

    __tablename__ = "ballot_topic"
    __table_args__ = (UniqueConstraint("ballot_id", "position"),)

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ballot_id: Mapped[int] = mapped_column(ForeignKey("ballot.id"))
    position: Mapped[int] = mapped_column(Integer)
    question: Mapped[str] = mapped_column(String(300))
    options: Mapped[list[str]] = mapped_column(_Json)


class BallotSlot(Base):
    """A place on the roll, as it was when the ballot was made: one choice. `holder` (a person's id, or an owner's or
    proxy's name) speaks for it by `channel`, once somebody has chosen. The PIN of an owner's letter is only hashed.
    `phone`: of an owner's unit, as the roll has it, until the result is told; it proves nothing."""

    __tablename__ = "ballot_slot"
    __table_args__ = (UniqueConstraint("ballot_id", "code"), UniqueConstraint("ballot_id", "letter"))

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ballot_id: Mapped[int] = mapped_column(ForeignKey("ballot.id"))
    code: Mapped[str] = mapped_column(String(100), info=PERSONAL)  # what is compared: a person, a home, a unit
    label: Mapped[str] = mapped_column(String(200), info=PERSONAL)  # as staff read it
    owners: Mapped[list[str] | None] = mapped_column(_Json, info=PERSONAL)
    phone: Mapped[str | None] = mapped_column(String(40), info=PERSONAL)
    letter: Mapped[int | None] = mapped_column(Integer)
    pin: Mapped[str | None] = mapped_column(String(200))
    wrong: Mapped[int] = mapped_column(Integer, default=0)  # PINs in a row, over all calls
    locked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    holder: Mapped[str | None] = mapped_column(String(100), info=PERSONAL)
    channel: Mapped[str | None] = mapped_column(String(16))


class BallotMember(Base):
    """Who of the register a place on the roll belongs to. Of an owner's unit: who is told the result."""

    __tablename__ = "ballot_member"
    __table_args__ = (Index("ix_ballot_member_person", "person_id"),)

    slot_id: Mapped[int] = mapped_column(ForeignKey("ballot_slot.id"), primary_key=True)
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), primary_key=True)


class BallotProxy(Base):
    """A written proxy that staff have on file."""

    __tablename__ = "ballot_proxy"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    slot_id: Mapped[int] = mapped_column(ForeignKey("ballot_slot.id"), index=True)
    name: Mapped[str] = mapped_column(String(100), info=PERSONAL)
    document: Mapped[str] = mapped_column(String(200), info=PERSONAL)  # where the paper is
    by: Mapped[str] = mapped_column(String(100))
    at: Mapped[datetime] = mapped_column(UtcTime)


class BallotChoice(Base):
    """One line of the log of choices, only ever added to until it is sealed; then it is papers in a box
    (community.ballot_rows.shuffle). `id` is random and there is no time: the order of the rows says nothing."""

    __tablename__ = "ballot_choice"
    __table_args__ = (UniqueConstraint("ballot_id", "voter", "topic", "nth"), {"sqlite_with_rowid": False})

    id: Mapped[str] = mapped_column(String(32), primary_key=True)
    ballot_id: Mapped[int] = mapped_column(ForeignKey("ballot.id"))
    voter: Mapped[str] = mapped_column(String(64))
    topic: Mapped[int] = mapped_column(Integer)
    nth: Mapped[int] = mapped_column(Integer)
    option: Mapped[int] = mapped_column(Integer)


class BallotEvent(Happened, Base):
    """What happened, when, by whom, never what was chosen. Only ever added to."""

    __tablename__ = "ballot_event"

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ballot_id: Mapped[int] = mapped_column(ForeignKey("ballot.id"), index=True)
    slot_id: Mapped[int | None] = mapped_column(ForeignKey("ballot_slot.id"), index=True)


class BallotCall(Base):
    """Somebody is to be rung, while `due_at` is set: `intent_id` is the call that was ordered last, `calls` how many
    reached nobody."""

    __tablename__ = "ballot_call"
    __table_args__ = (UniqueConstraint("ballot_id", "person_id", "errand"), Index("ix_ballot_call_due", "due_at"))

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    ballot_id: Mapped[int] = mapped_column(ForeignKey("ballot.id"))
    person_id: Mapped[str] = mapped_column(ForeignKey("person.id"), index=True)
    errand: Mapped[str] = mapped_column(String(16))
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    intent_id: Mapped[str | None] = mapped_column(String(36), index=True)
    calls: Mapped[int] = mapped_column(Integer, default=0)
    outcome: Mapped[str | None] = mapped_column(String(16))
