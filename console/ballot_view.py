"""The pages of 打钩: what is open, who must be visited, what was refused, what came of it. Never who chose what, and no
count before it is over. Values only. Personal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from checkins.phones import national
from checkins.tables import Neighbourhood
from community import ballot_acts, ballot_doubts, ballot_letters, ballot_proposals, ballot_rounds, ballot_staff
from community import ballot_rows as rows
from community.ballot import Unit
from community.ballot_letters import Batch
from community.ballot_rounds import Recount
from community.ballot_tables import Ballot, BallotEvent, BallotProxy, BallotSlot
from community.ballot_words import CHANNEL_ZH, REFUSAL_ZH, UNIT_ZH

SHOWN = 60  # of a list at once: a form has at most 100 fields
MOST_EVENTS = 1000  # of the log that are looked at, the newest
FEW = 3  # voters of whom the result tells what each chose
PAST = 40


@dataclass(frozen=True)
class Line:
    """`state`: ahead, open, counting (its time is over, the line is about to count), over, withdrawn."""

    number: int
    title: str
    unit: str
    unit_zh: str
    opens: datetime
    closes: datetime
    by: str
    state: str
    place: str
    zone: str


@dataclass(frozen=True)
class Listed:
    open: tuple[Line, ...]
    over: tuple[Line, ...]
    several: bool


@dataclass(frozen=True)
class Topic:
    """`counts`: by option; empty before it is over."""

    position: int
    question: str
    options: tuple[str, ...]
    counts: tuple[int, ...] = ()


@dataclass(frozen=True)
class Visit:
    """Somebody to go to: with the paper, or after the end with the result."""

    id: str
    name: str = field(repr=False)
    address: str = field(repr=False)
    number: str = field(repr=False)


@dataclass(frozen=True)
class Untold:
    """An owner's unit to which staff tell the result."""

    slot: int
    label: str = field(repr=False)
    phone: str = field(repr=False)


@dataclass(frozen=True)
class Proxy:
    label: str = field(repr=False)
    name: str = field(repr=False)
    document: str = field(repr=False)
    by: str


@dataclass(frozen=True)
class Act:
    """A paper that counts, or what was refused and why (""): never what was chosen."""

    at: datetime
    label: str = field(repr=False)
    refused: str
    channel: str
    signer: str = field(repr=False)
    who: str


@dataclass(frozen=True)
class One:
    """`rows`: of proposals that came from the 议事厅, option and the matter's number."""

    line: Line
    topics: tuple[Topic, ...]
    proposed: tuple[tuple[int, int], ...]
    proposals: bool
    visits: tuple[Visit, ...]
    more_visits: int
    untold: tuple[Untold, ...]
    more_untold: int
    unlettered: int
    batches: Sequence[Batch]
    proxies: tuple[Proxy, ...]
    doubtful: Sequence[tuple[str, ...]] = field(repr=False)
    acts: tuple[Act, ...]
    recount: Recount | None
    withdrawn_by: str
    sealed_at: datetime | None

    @property
    def few(self) -> bool:
        """Whether the result tells what each of them chose."""
        alike = any(sum(count > 0 for count in topic.counts) == 1 for topic in self.topics)
        return self.recount is not None and bool(self.recount.voters) and (self.recount.voters <= FEW or alike)


# ── all of them ───────────────────────────────────────────────────────────────────────────────────


def listed(session: Session, now: datetime) -> Listed:
    """What closes first comes first; of those that are over the newest."""
    places = {place.id: place for place in session.scalars(select(Neighbourhood))}
    going = session.scalars(select(Ballot).where(Ballot.sealed_at.is_(None)).order_by(Ballot.closes_at, Ballot.id))
    over = session.scalars(
        select(Ballot).where(Ballot.sealed_at.is_not(None)).order_by(Ballot.sealed_at.desc()).limit(PAST)
    )
    return Listed(
        tuple(line_of(each, places[each.neighbourhood_id], now) for each in going),
        tuple(line_of(each, places[each.neighbourhood_id], now) for each in over),
        len(places) > 1,
    )


def line_of(ballot: Ballot, place: Neighbourhood, now: datetime) -> Line:
    return Line(
        number=ballot.number,
        title=ballot.title,
        unit=ballot.unit,
        unit_zh=UNIT_ZH[ballot.unit],
        opens=ballot.opens_at,
        closes=ballot.closes_at,
        by=ballot.made_by,
        state=state(ballot, now),
        place=place.name,
        zone=place.timezone,
    )


def state(ballot: Ballot, now: datetime) -> str:
    if ballot.withdrawn_by:
        return "withdrawn"
    if ballot.sealed_at is not None:
        return "over"
    if ballot.closes_at <= now:
        return "counting"
    return "open" if rows.is_open(ballot, now) else "ahead"


# ── one of them ───────────────────────────────────────────────────────────────────────────────────


def found(session: Session, number: int) -> Ballot | None:
    """Not locked."""
    return session.scalars(select(Ballot).where(Ballot.number == number)).one_or_none()


def one(session: Session, number: int, now: datetime) -> One | None:
    ballot = found(session, number)
    if ballot is None:
        return None
    place = session.get_one(Neighbourhood, ballot.neighbourhood_id)
    going, owners = ballot.sealed_at is None, ballot.unit == Unit.OWNER
    visits, untold = _visits(session, ballot), _untold(session, ballot)
    made = [event.detail or {} for event in _events(session, ballot, BallotEvent.what == ballot_proposals.PROPOSED)]
    return One(
        line=line_of(ballot, place, now),
        topics=tuple(topics(session, ballot)),
        proposed=tuple((each["option"], each["case"]) for each in made if "case" in each),
        proposals=bool(made),
        visits=tuple(visits[:SHOWN]),
        more_visits=len(visits[SHOWN:]),
        untold=tuple(untold[:SHOWN]),
        more_untold=len(untold[SHOWN:]),
        unlettered=_unlettered(session, ballot) if owners and going else 0,
        batches=ballot_letters.batches(session, ballot) if owners and going else (),
        proxies=tuple(_proxies(session, ballot)) if owners else (),
        doubtful=ballot_doubts.doubtful(session, ballot) if going else (),
        acts=tuple(acts(session, ballot)[:SHOWN]),
        recount=ballot_rounds.recount(session, ballot),
        withdrawn_by=ballot.withdrawn_by or "",
        sealed_at=ballot.sealed_at,
    )


def topics(session: Session, ballot: Ballot) -> list[Topic]:
    counted = ballot.result or {}
    return [
        Topic(each.position, each.question, tuple(each.options), tuple(counted.get(str(each.position), ())))
        for each in rows.topics(session, ballot)
    ]


def _visits(session: Session, ballot: Ballot) -> list[Visit]:
    if ballot.withdrawn_by:
        return []
    people = ballot_staff.to_visit(session, ballot)
    return [Visit(each.id, each.name, each.address or "", national(each.number)) for each in people]


def _untold(session: Session, ballot: Ballot) -> list[Untold]:
    return [Untold(slot.id, slot.label, slot.phone or "") for slot in rows.untold(session, ballot)]


def _proxies(session: Session, ballot: Ballot) -> list[Proxy]:
    query = select(BallotProxy, BallotSlot.label).join(BallotSlot, BallotSlot.id == BallotProxy.slot_id)
    query = query.where(BallotSlot.ballot_id == ballot.id).order_by(BallotProxy.id)
    return [Proxy(label, row.name, row.document, row.by) for row, label in session.execute(query)]


def acts(session: Session, ballot: Ballot, by: str = "") -> list[Act]:
    """What was refused, and the papers (of `by` alone); newest first, one line for all topics of a paper."""
    paper = BallotEvent.what.in_((ballot_acts.CHOSE, ballot_acts.CHANGED)) & BallotEvent.call_id.is_(None)
    told = _events(session, ballot, or_(BallotEvent.what == rows.REFUSED, paper), *([BallotEvent.who == by] * bool(by)))
    ids = {event.slot_id for event in told}
    labels = select(BallotSlot.id, BallotSlot.label).where(BallotSlot.id.in_(ids))
    known = {slot_id: label for slot_id, label in session.execute(labels)}
    return list(dict.fromkeys(_act(event, known.get(event.slot_id or 0, "")) for event in told))


def _events(session: Session, ballot: Ballot, *which: ColumnElement[bool]) -> Sequence[BallotEvent]:
    """Newest first."""
    query = select(BallotEvent).where(BallotEvent.ballot_id == ballot.id, *which)
    return session.scalars(query.order_by(BallotEvent.id.desc()).limit(MOST_EVENTS)).all()


def _unlettered(session: Session, ballot: Ballot) -> int:
    query = select(func.count()).where(BallotSlot.ballot_id == ballot.id, func.coalesce(BallotSlot.pin, "") == "")
    return session.scalar(query) or 0


def _act(event: BallotEvent, label: str) -> Act:
    detail = event.detail or {}
    reason = REFUSAL_ZH.get(detail.get("reason", ""), "")
    channel = CHANNEL_ZH.get(detail.get("channel", ""), "电话" if event.call_id else "")
    proxy = f"（委托书：{detail['proxy']}）" if "proxy" in detail else ""
    return Act(event.at, label, reason, channel, f"{detail.get('signer', '')}{proxy}", event.who)
