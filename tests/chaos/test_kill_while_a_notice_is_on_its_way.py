"""kill -9 on an urgent notice's way: as it is published, as the call is claimed, as the telephone rings, while it is
told, and as she presses that she has understood. Started again, the line rings her until she has, once for each intent,
and never takes her for somebody who has understood what she has not.

`make chaos`. Real processes, real time; only the hours until the next call are cut short.
"""

from __future__ import annotations

import asyncio
import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from checkins.tables import Neighbourhood
from community import notices
from community.notice_tables import Hearer
from ivr.virtual.elder import CallScript, Reaction
from tests.chaos.test_kill_while_a_complaint_is_on_its_way import LIMIT_S, Matters, Telephone

PUBLISHED, CLAIMED = "published", "claimed"
UNDERSTANDS = CallScript(rings=1, reactions={"greet.ask": (Reaction(press="1"),), "notice.ask": (Reaction(press="1"),)})


class Noticed(Matters):
    rung: Any = Hearer

    def publish(self) -> None:
        now = datetime.now(UTC)
        with self.db.write() as session:
            place, until = session.scalars(select(Neighbourhood)).one(), now + timedelta(days=1)
            notices.publish(session, place.id, "今天下午停水。", "陈老师", now, until=until, urgent=True)

    def hearer(self) -> Any:
        with self.db.read() as session:
            return session.scalars(select(Hearer)).one()

    async def claimed(self) -> None:
        async with asyncio.timeout(LIMIT_S):
            while self.hearer().intent_id is None:
                await asyncio.sleep(0.002)

    async def understood(self) -> Hearer:
        """As often as nobody rings her meanwhile, hours pass."""
        async with asyncio.timeout(LIMIT_S):
            while (row := self.hearer()).understood_at is None:
                assert row.given_up_at is None
                self._hours_pass()
                await asyncio.sleep(0.5)
        return row  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    "what",
    [
        PUBLISHED,
        CLAIMED,
        "ringing",
        "prompt greet.ask",
        "prompt notice.text",
        "prompt notice.ask",
        "prompt understood.note",
        "prompt bye.say",
    ],
)
async def test_killed_while_a_notice_is_told(what: str, tmp_path: Path) -> None:
    phone = Telephone(UNDERSTANDS)
    async with phone.carrier:
        line = Noticed(tmp_path, phone.carrier)
        process = await line.start()
        try:
            line.publish()
            if what == CLAIMED:
                await line.claimed()
            elif what != PUBLISHED:
                await phone.happens(what)
            process.send_signal(signal.SIGKILL)
            await process.wait()
            known = line.hearer().understood_at
            assert known is None or "pressed 1" in phone.told
            process = await line.start()
            row = await line.understood()
            assert (row.by, row.due_at, row.given_up_at) == ("王秀英", None, None)
            assert known is None or row.understood_at == known, "the first word counts"
            assert set(phone.rung().values()) == {1}, "rung twice for one intent"
            assert len(phone.rung()) <= 3
        finally:
            process.kill()
            await process.wait()
            line.db.close()
