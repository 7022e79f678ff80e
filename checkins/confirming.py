"""The elder's own call after somebody saw them and said that they are fine: a "well" ends the case by the name of who
saw them, a miss begins everything from the start (PRODUCT.md, "The calls", buddy dispatch)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from sqlalchemy.orm import Session

from checkins import ladder, searches
from checkins.case_rows import case_of, log_event, put_case
from checkins.escalation import search as core
from checkins.escalation.values import Phase
from checkins.ladder import News
from checkins.results import Result, Status
from checkins.tables import CallIntent, Checkin

AGAIN = (Result.BUSY, Result.LINE_ERROR, Result.INTERRUPTED, Result.CANCELLED)  # nothing is known: rung once more


def heard(session: Session, intent: CallIntent, row: Checkin, news: News, now: datetime) -> bool:
    """Takes in what the confirming call came to. False: nobody waits for it any more; it counts as any late news."""
    search = searches.search_of(row)
    if search is None or search.phase is not Phase.CONFIRMING or row.status != Status.NEEDS_PERSON:
        return False
    detail = {"evidence": news.evidence}
    log_event(session, row, str(news.result), "line", now, intent_id=intent.id, detail=detail)
    if news.result in AGAIN:
        row.due_at = now
    elif news.result is Result.WELL:
        put_answer(row, news)
        searches.keep(session, row, core.confirmed(search, now), now)
    elif not _worse(session, row, news, now):
        searches.keep(session, row, core.unconfirmed(search, now), now)
    return True


def put_answer(row: Checkin, news: News) -> None:
    row.result, row.evidence = news.result, news.evidence


def _worse(session: Session, row: Checkin, news: News, now: datetime) -> bool:
    """The elder said, or showed, something that needs a person for a reason of its own: a search of its own."""
    before = case_of(row)
    after = ladder.apply(replace(before, owner=None), news, now)
    same = after.reason is before.reason and news.result is not Result.EMERGENCY
    if after.status is not Status.NEEDS_PERSON or same:
        return False
    put_case(row, after)
    searches.start(session, row, now)
    return True
