"""A clock that was fast and is right again: complaints, tickets, notices and ballots of the days that didn't come are
of now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import inspect

from checkins.roster.holidays import Calendar
from community import ballot_rounds, ballot_staff, fast_clock, notice_rounds, notices, rows, tickets, tickets_rows
from community.ballot import Unit
from community.ballot_tables import Ballot, BallotCall, BallotEvent, Errand
from community.meeting_tables import MeetingPlan
from community.notice_tables import Hearer, Notice
from community.policy import DEFAULT
from community.tables import Complaint, Reply
from community.tickets_policy import CLOCK
from community.tickets_tables import Ticket, TicketKind
from storage.database import Base, UtcTime
from tests.unit.checkins.world import DAY
from tests.unit.community.hall import CHEN, Hall
from tests.unit.community.vote import ROLL, Vote

# Not pulled to now: hours that people named; deadlines and calls to come, which are reckoned anew.
AHEAD = {
    "complaint.heard_due",
    "complaint.answer_due",
    "complaint_reply.due_at",
    "complaint_meeting.at",
    "complaint_meeting_party.due_at",
    "ticket.due_at",
    "ticket.over_at",
    "ticket_booking.due_at",
    "ticket_booking.known_by",
    "notice.valid_from",
    "notice.valid_until",
    "notice_hearer.due_at",
    "ballot.opens_at",
    "ballot.closes_at",
    "ballot_call.due_at",
}

WATER, GAS = "今天停水。", "今天晚上停煤气。"
THURSDAY = DAY + timedelta(days=3)


def asks_for_a_taxi(hall: Hall, elder: str) -> None:
    hall.act(lambda session, now: tickets.choose(session, "call-3", elder, TicketKind.TAXI, now))
    hall.act(lambda session, now: tickets.send(session, "call-3", elder, now))


async def test_what_came_on_a_day_that_did_not_come_is_due_as_if_it_came_now(hall: Hall) -> None:
    elder = hall.world.elder()
    before = await hall.complains(elder)
    due = hall.complaint(before).answer_due
    hall.at("10:00", THURSDAY)
    ahead = await hall.complains(elder, call="call-2")
    hall.hears(before)
    hall.answers(before)
    asks_for_a_taxi(hall, elder)

    hall.world.clock._now = hall.world.at("10:00", DAY)
    now = hall.world.clock.now()
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) > 0
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) == 0
    late = hall.complaint(ahead)
    assert (late.opened_at, late.heard_due) == (now, DEFAULT.heard_by(Calendar(), now))
    assert late.answer_due == DEFAULT.answered_by(Calendar(), now)
    assert due == late.answer_due, "the same day"
    answer = hall.look(lambda session: rows.last_reply(session, rows.by_number(session, before)))
    assert answer is not None
    assert (answer.at, answer.due_at) == (now, now)
    ticket = hall.look(lambda session: session.query(Ticket).one())
    assert (ticket.opened_at, ticket.due_at) == (now, now + timedelta(minutes=10))
    assert hall.look(lambda session: max(each.at for each in rows.events(session, late))) == now
    assert hall.look(lambda session: max(each.at for each in tickets_rows.events(session, ticket))) == now


async def test_what_was_published_on_a_day_that_did_not_come_begins_now(hall: Hall) -> None:
    elder, ended = hall.world.elder(), hall.world.at("10:00", THURSDAY + timedelta(days=1))
    hall.at("10:00", THURSDAY)
    ahead = hall.world.clock.now()
    hall.act(
        lambda session, now: notices.publish(session, hall.world.place_id, WATER, CHEN, now, until=ended, urgent=True)
    )
    later = ahead + timedelta(hours=5)
    hall.act(
        lambda session, now: notices.publish(
            session, hall.world.place_id, GAS, CHEN, now, until=ended, since=later, urgent=True
        )
    )
    vote = Vote(hall, Unit.OWNER, ROLL)
    hall.act(ballot_staff.proxy, vote.number, "1号102室", "孙小妹", "柜三", CHEN)
    choice = Vote(hall)

    hall.world.clock._now = hall.world.at("10:00", DAY)
    now = hall.world.clock.now()
    assert (await choice.ask("ballot.begin", elder)).word == "none"
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) > 0
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) == 0
    found = hall.look(lambda session: [(row.at, row.valid_from, row.valid_until) for row in session.query(Notice)])
    assert found == [(now, now, ended), (now, later, ended)], "a named hour stays"
    assert hall.look(lambda session: [row.due_at for row in session.query(Hearer)]) == [now, later]
    assert (await choice.ask("ballot.begin", elder)).word == "open"
    assert hall.look(lambda session: [row.due_at for row in session.query(BallotCall)]) == [now]
    assert hall.look(lambda session: max(row.at for row in session.query(BallotEvent))) == now


@pytest.mark.parametrize(("out", "due"), [(None, 0), ("call-1", 2)])
async def test_who_was_to_be_rung_again_on_a_day_that_did_not_come_is_rung_now(
    hall: Hall, out: str | None, due: int
) -> None:
    """But not while the line is still busy with them."""
    hall.world.elder()
    Vote(hall)
    hall.later(hours=1)
    with hall.world.db.write() as session:
        row = session.query(BallotCall).one()
        row.due_at, row.intent_id = hall.world.at("12:00", THURSDAY), out
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) == 0
    now = hall.world.clock.now()
    assert hall.look(lambda session: session.query(BallotCall).one().due_at) == now + timedelta(hours=due)


async def test_a_clock_that_was_right_all_along_changes_nothing(hall: Hall) -> None:
    elder = hall.world.elder()
    number = await hall.complains(elder)
    hall.hears(number)
    hall.answers(number)
    await hall.complains(elder, call="call-2")
    asks_for_a_taxi(hall, elder)
    hall.later(hours=1)
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) == 0


def test_every_moment_of_the_room_is_thought_of() -> None:
    modules = {each.__module__ for each in (Complaint, MeetingPlan, Ticket, Notice, Ballot)}
    tables = [each.class_ for each in Base.registry.mappers if each.class_.__module__ in modules]
    moments = {
        f"{table.__tablename__}.{column.key}"
        for table in tables
        for column in inspect(table).columns
        if isinstance(column.type, UtcTime)
    }
    assert Reply in tables
    assert moments - AHEAD == {str(column.expression) for column in fast_clock._WRITTEN}


async def test_an_urgent_notice_that_clock_took_to_be_over_is_rung_out(hall: Hall) -> None:
    """By the fast clock nobody is rung any more."""
    hall.world.elder()
    ended = hall.world.at("20:00", DAY)
    hall.act(
        lambda session, now: notices.publish(session, hall.world.place_id, WATER, CHEN, now, until=ended, urgent=True)
    )
    hall.at("10:00", THURSDAY)
    hall.act(lambda session, now: notice_rounds.keep(session, 1, now))
    assert hall.look(lambda session: session.query(Hearer).one().due_at) is None

    hall.world.clock._now = hall.world.at("10:00", DAY)
    now = hall.world.clock.now()
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) == 1
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) == 0
    assert hall.look(lambda session: session.query(Hearer).one().due_at) == now


async def test_a_ballot_that_clock_closed_stays_closed(hall: Hall) -> None:
    """The key of its voters is gone. Nobody can choose or change any more, and the line still tells what came of it."""
    elder = hall.world.elder()
    vote = Vote(hall)
    await vote.ask("ballot.begin", elder)
    await vote.chooses(elder, "1")
    ballot = hall.look(lambda session: session.query(Ballot).one())
    before = hall.world.clock.now()
    hall.world.clock._now = ballot.closes_at + timedelta(hours=1)
    hall.act(lambda session, now: ballot_rounds.seal(session, ballot.id, now))

    hall.world.clock._now = before
    assert hall.act(lambda session, now: fast_clock.accept(session, now, DEFAULT, CLOCK)) > 0
    ballot = hall.look(lambda session: session.query(Ballot).one())
    assert (ballot.sealed_at, ballot.key) == (before, None)
    assert (await vote.ask("ballot.begin", elder)).word != "open"
    result = hall.look(lambda session: session.query(BallotCall).filter_by(errand=Errand.RESULT).one())
    assert result.due_at == before
