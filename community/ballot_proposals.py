"""提议: two to four proposals of neighbours and staff, of which each neighbour chooses one. A ballot of persons with
one topic, each option of which is a proposal; the events say that it is one, and where each came from.

Nothing that an elder has said is read out: staff write each proposal in one sentence. Who proposed it is named only
when they have agreed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.names import named, says_something
from checkins.tables import Neighbourhood
from community import ballot as core
from community import ballot_making, staff
from community import ballot_rows as rows
from community import rows as complaints
from community.ballot import Unit
from community.ballot_tables import Ballot, BallotEvent
from community.tables import Wish
from community.wrong import Unknown, Wrong

PROPOSED = "proposed"  # an event of the ballot, one for each; of a complaint: it has become one
LEAST, MOST = 2, core.KEYS
LONGEST, LONGEST_NAME = 40, 20  # characters
_ENDS = "。?!;"
_CASE = re.compile(r"([0-9]+)\s*号?")


@dataclass(frozen=True)
class Proposal:
    """One sentence. `proposer`: who has agreed to be named; `case`: the complaint that it came from."""

    text: str
    proposer: str = ""
    case: int | None = None


def read(text: str) -> Proposal:
    """ "楼下装一排长凳", "…|李福根", "…|1007", "…|1007号|李福根"; ValueError says what is wrong."""
    sentence, *more = (part.strip() for part in unicodedata.normalize("NFKC", text).split("|"))
    sentence = sentence.rstrip(_ENDS)
    cases = [int(found[1]) for each in more if (found := _CASE.fullmatch(each))]
    names = [each for each in more if not _CASE.fullmatch(each)]
    if not says_something(sentence) or len(sentence) > LONGEST or any(end in sentence for end in _ENDS):
        raise Wrong(
            f"一个提议写一句话，1到{LONGEST}个字，不用句号：{sentence}",
            f"a proposal is one sentence of 1 to {LONGEST} characters: {text}",
        )
    if len(cases) > 1 or len(names) > 1 or any(not says_something(each) or len(each) > LONGEST_NAME for each in names):
        raise Wrong(
            f"提议人写一个名字，最多{LONGEST_NAME}个字；诉求写一个编号：{sentence}",
            f'a proposal is "sentence", "sentence|who", "sentence|case" or "sentence|case|who": {text}',
        )
    return Proposal(sentence, "".join(names), *cases)


def question(found: Sequence[Proposal]) -> str:
    """有三个提议,请选一个。第一个是李福根提的。"""
    who = [f"第{core.figure(nth)}个是{each.proposer}提的" for nth, each in enumerate(found, 1) if each.proposer]
    return f"有{core.figure(len(found), before=True)}个提议,请选一个。" + (",".join(who) + "。" if who else "")


def make(
    session: Session,
    place: Neighbourhood,
    title: str,
    found: Sequence[Proposal],
    opens: datetime,
    closes: datetime,
    by: str,
    now: datetime,
    *,
    rings: bool = False,
) -> Ballot:
    """Without `rings` it is for who rings in, and on paper, which goes to whom no machine may ring; who has chosen is
    rung with the result."""
    by = named(by)
    check(session, place, found)
    topic = question(found), [each.text for each in found]
    ballot = ballot_making.open_one(session, place, title, [topic], Unit.PERSON, opens, closes, by, now, rings=rings)
    for nth, each in enumerate(found, 1):
        detail = {"option": nth, "named": bool(each.proposer), **({"case": each.case} if each.case else {})}
        rows.note(session, ballot, PROPOSED, by, now, detail=detail)
        if each.case:
            complaint = complaints.by_number(session, each.case)
            complaints.note(session, complaint, PROPOSED, by, now, detail={"ballot": ballot.number})
    return ballot


def check(session: Session, place: Neighbourhood, found: Sequence[Proposal]) -> None:
    """Wrong or Unknown where one can't choose among them."""
    options = [each.text for each in found]
    if not LEAST <= len(options) <= MOST or len(set(options)) < len(options):
        raise Wrong(
            f"要有{LEAST}到{MOST}个不同的提议", f"one chooses among {LEAST} to {MOST} proposals, each another one"
        )
    for each in found:
        _from_hall(session, place, each)


def _from_hall(session: Session, place: Neighbourhood, proposal: Proposal) -> None:
    """What came from a complaint: only one of the 议事厅 that stands there, and without who it was, as it is there."""
    if proposal.case is None:
        return
    complaint = complaints.by_number(session, proposal.case)
    if complaint.neighbourhood_id != place.id:
        raise Unknown(f"{proposal.case}号是别的居委的", f"{proposal.case} is another committee's")
    if complaint.wish != Wish.PUBLIC or not complaint.text:
        raise Wrong(
            f"{proposal.case}号不在议事厅：本人同意的，先公开",
            "the matter stands in no 议事厅: `cases publish` first, where they agreed",
        )
    if told := staff._personal(session, complaint, proposal.text):
        raise Wrong(f"这句话看得出是谁（{told}）：请改写", f"the text says who it is ({told}): write it without")
    if told := staff._personal(session, complaint, proposal.proposer):
        raise Wrong(
            f"{proposal.case}号在议事厅里没有写是谁（{told}）：提议人请空着，或者不写编号",
            f"the matter stands in the 议事厅 without who it was ({told}): name nobody, or no matter",
        )


def is_one(session: Session, ballot: Ballot) -> bool:
    query = select(BallotEvent.id).where(BallotEvent.ballot_id == ballot.id, BallotEvent.what == PROPOSED)
    return session.scalar(query.limit(1)) is not None
