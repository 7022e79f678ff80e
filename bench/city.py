"""A city of 200,000 elders on PostgreSQL: planning one day beside its limit of 10 s, and due calls claimed a second
beside what bare FOR UPDATE SKIP LOCKED takes of the same rows, one row a transaction and 200 rows a transaction.

The server is WENAN_TEST_POSTGRES_URL's, else a private one that writes nothing safely to the disk: ratios hold, seconds
are those of a fast disk."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import date, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import Engine, insert, select, text, type_coerce, update

from bench.figures import out, verdict
from checkins.claims import BATCH, Trunk, claim
from checkins.planning import plan_day
from checkins.schedule import at_minute
from checkins.tables import Checkin, Neighbourhood, Person
from storage.database import Base, Database, UtcTime, to_millis
from tests.fakes import postgres

TOGETHER = 1_000  # elders of one neighbourhood
LIMIT_S = 10.0  # for 200,000
SHARE = 0.5  # of the bare speed
CLAIMS = 4_000
DAY, ZONE = date(2026, 3, 2), "Asia/Shanghai"
_TAKE = """
UPDATE checkin SET lease_owner = 'bare', lease_until = :until, status = 'calling'
WHERE id IN (SELECT id FROM checkin WHERE status IN ('planned', 'waiting') AND due_at <= :now
             AND (lease_until IS NULL OR lease_until <= :now)
             ORDER BY due_at, id LIMIT :batch FOR UPDATE SKIP LOCKED)
RETURNING id"""
_INTEND = """
INSERT INTO call_intent (id, number, purpose, try_no, created_at, state, dialled, check_at, owner, applied)
VALUES (:id, :number, 'checkin', 1, :now, 'intended', true, :until, 'bare', '{}')"""


def city(elders: int, to: Path) -> None:
    """Prints the figures and writes them to `to`/city.json."""
    with postgres.cluster() as server, postgres.database(server) as url:
        db = Database(url)
        Base.metadata.create_all(db.engine)
        figures = {"elders": elders, **_planned(db, elders)}
        figures |= _claimed(db)
        db.close()
    (to / "city.json").write_text(json.dumps(figures, indent=1) + "\n")


def _planned(db: Database, elders: int) -> dict[str, float]:
    _people(db, elders)
    now = at_minute(ZONE, DAY, 7 * 60)
    out.print(f"\n[b]planning {elders:,} elders of {-(-elders // TOGETHER)} neighbourhoods[/b] (PostgreSQL)")
    with db.write() as session:
        at = time.perf_counter()
        added = sum(plan_day(session, place, DAY, now, 8).added for place in session.scalars(select(Neighbourhood)))
    took = time.perf_counter() - at
    assert added == elders, added
    verdict("one plan", took, LIMIT_S * elders / 200_000, "s")
    return {"plan_s": took}


def _people(db: Database, elders: int) -> None:
    agreed = {"calls": True, "recording": True}
    for first in range(0, elders, TOGETHER):
        with db.write() as session:
            place = Neighbourhood(name=f"{first}", committee=f"{first}", timezone=ZONE)
            session.add(place)
            session.flush()
            more = {"neighbourhood_id": place.id, "name": "王", "spoken_name": "王阿婆", "consents": agreed}
            numbers = range(first, min(elders, first + TOGETHER))
            rows = [{**more, "id": str(uuid4()), "number": f"+8621{10_000_000 + number}"} for number in numbers]
            session.execute(insert(Person), rows)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _claimed(db: Database) -> dict[str, float]:
    now = at_minute(ZONE, DAY, 10 * 60)
    _all_due(db, now)
    out.print(f"\n[b]calls claimed out of {CLAIMS * 8:,} due[/b] (PostgreSQL, one process)")
    ours = _rate(lambda: _ours(db, now))
    bare = {batch: _rate(lambda batch=batch: _bare(db.engine, now, batch)) for batch in (1, BATCH)}
    for batch, rate in bare.items():
        out.print(f"  bare SKIP LOCKED with the intent's row, {batch} a transaction: {rate:,.0f} a second")
    for batch, rate in bare.items():
        verdict(f"bare ÷ ours ({ours:,.0f} a second), {batch} a transaction", rate / ours, 1 / SHARE, "times")
    return {"claims_per_s": ours, **{f"bare_{batch}_per_s": rate for batch, rate in bare.items()}}


def _all_due(db: Database, now: datetime) -> None:
    with db.write() as session:
        some = select(Checkin.id).order_by(Checkin.id).limit(CLAIMS * 8)
        session.execute(update(Checkin).values(due_at=at_minute(ZONE, DAY, 20 * 60)))
        since = (Checkin.id % 100_000) * 100  # ms: the morning's, not all of one moment
        session.execute(
            update(Checkin).where(Checkin.id.in_(some)).values(due_at=type_coerce(to_millis(now) - since, UtcTime))
        )
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def _rate(take: Callable[[], int]) -> float:
    """Rows a second, until enough were taken."""
    done, at = 0, time.perf_counter()
    while done < CLAIMS:
        taken = take()
        assert taken, "nothing is due any more"
        done += taken
    return done / (time.perf_counter() - at)


def _ours(db: Database, now: datetime) -> int:
    with db.write() as session:
        return len(claim(session, now, "bench", Trunk(1_000_000, 1_000_000.0)).requests)


def _bare(engine: Engine, now: datetime, batch: int) -> int:
    """What any claimer must write, and nothing else: the lease, and the intent of each call."""
    millis = {"now": round(now.timestamp() * 1000), "until": round(now.timestamp() * 1000) + 60_000}
    with engine.begin() as connection:
        found = connection.execute(text(_TAKE), {**millis, "batch": batch}).scalars().all()
        rows = [{**millis, "id": str(uuid4()), "number": f"b{row}"} for row in found]
        connection.execute(text(_INTEND), rows)
    return len(found)
