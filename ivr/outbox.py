"""News for the care room: durable with what it follows from, told in order, told again until it was taken in."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from ivr.ports import CallListener, CallReport
from ivr.records import CallNews
from ivr.reports import report_from_json, report_to_json
from storage.database import Database

log = logging.getLogger(__name__)

FINAL = "final"
BATCH = 200


def put(session: Session, report: CallReport, key: str, now: datetime) -> int | None:
    """Writes a report; its number, or None when this news (`key`) of the call was written before."""
    if known(session, report.id, key):
        return None
    news = CallNews(call_id=report.id, key=key, report=report_to_json(report), created_at=now)
    session.add(news)
    session.flush()
    return news.id


def known(session: Session, call_id: str, key: str) -> bool:
    return session.scalar(select(CallNews.id).where(CallNews.call_id == call_id, CallNews.key == key)) is not None


class Outbox:
    """Tells the listener. Without one yet (start-up) everything waits."""

    def __init__(self, db: Database, now: Callable[[], datetime]) -> None:
        self.listener: CallListener | None = None
        self._db, self._now = db, now

    async def tell(self, news_id: int) -> bool:
        """Tells one report, unless it was told. False: the listener could not take it in; `retell` tries again."""
        report = await self._db.view(lambda session: _untold(session, news_id))
        if report is None:
            return True
        if self.listener is None:
            return False
        try:
            await self.listener.call_reported(report)
        except Exception as error:
            log.error("news of call %s could not be taken in (%s); it is told again", report.id, type(error).__name__)
            return False
        now = self._now()
        await self._db.run(lambda session: _mark(session, news_id, now))
        return True

    async def retell(self, older_than: timedelta = timedelta()) -> int:
        """Tells what was stored and not told, oldest first; how many the listener took in."""
        now = self._now()
        waiting = await self._db.view(lambda session: _waiting(session, now - older_than, now))
        return sum([await self.tell(news_id) for news_id in waiting])


def _untold(session: Session, news_id: int) -> CallReport | None:
    news = session.get(CallNews, news_id)
    return None if news is None or news.told_at else report_from_json(news.report)


def _mark(session: Session, news_id: int, now: datetime) -> None:
    news = session.get(CallNews, news_id)
    if news is not None:
        news.told_at = now


def _waiting(session: Session, before: datetime, now: datetime) -> list[int]:
    """What a clock that ran fast has written waits for nothing."""
    old = or_(CallNews.created_at <= before, CallNews.created_at > now)
    query = select(CallNews.id).where(CallNews.told_at.is_(None), old).order_by(CallNews.id).limit(BATCH)
    return list(session.scalars(query))
