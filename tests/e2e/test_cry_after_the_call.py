"""An elder says that she is well and falls while she leaves a message; nobody understands it before the second pass
does. The case is an emergency then, once, whatever dies in between."""

from __future__ import annotations

import asyncio
import re
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import select

from checkins import cases
from checkins.results import Reason, Result, Status, Urgency
from console.deps import Deps
from console.import_desk import ImportDesk
from console.live import Live
from console.prompt_shelf import Shelf
from console.routes import routes
from console.sounds import Sounds
from demo.clips import load
from ivr.late_cries import SECOND_PASS
from ivr.records import CallNews, Transcript
from ivr.transcripts import LEASE
from speech import g711
from speech.ears import Ears
from speech.engines.whisper_engine import WhisperRecogniser
from speech.prompts import Prompts
from tests.e2e.late_cry import Morning, ToldBefore
from tests.e2e.office import spoken
from tests.fakes.accounts import cheap_door, log_in
from tests.unit.speech.audio import silence
from tests.unit.speech.conftest import whisper

__all__ = ["whisper"]

ROOT = Path(__file__).parents[2]
WRITES = 5  # plan, claim, text and alarm, the case, told
CRIED = "楼上漏水。哎呀，我摔倒了"  # what Whisper makes of such a message


@pytest.fixture
def morning(tmp_path: Path) -> Iterator[Morning]:
    here = Morning(tmp_path)
    yield here
    here.world.db.close()


def message() -> bytes:
    clips, pause = load(), g711.ulaw_encode(silence(1200))
    return clips("zm_yunxi/tell_water") + pause + clips("zm_yunxi/fell") + pause


def close(morning: Morning, finding: str) -> None:
    row = morning.world.row(morning.elder)
    with morning.world.db.write() as session:
        cases.close_case(session, row.checkin_id, "陈静", finding, morning.world.clock.now())


def is_an_emergency(morning: Morning) -> None:
    """Once: one case, one line in its log, one piece of news, which was told; and the text is there."""
    row = morning.world.row(morning.elder)
    assert (row.status, row.reason, row.urgency) == (Status.NEEDS_PERSON, Reason.EMERGENCY, Urgency.EMERGENCY)
    assert row.closed_by is None
    assert row.answer["alarm"] == SECOND_PASS
    with morning.world.db.read() as session:
        happened = [one.what for one in cases.events(session, row.checkin_id)]
        (news,) = session.scalars(select(CallNews).where(CallNews.key.like("alarm:%")))
        (text,) = session.scalars(select(Transcript))
    assert happened.count(str(Result.EMERGENCY)) == 1
    assert news.told_at is not None
    assert text.finished_at is not None
    assert re.search("摔[倒到]", text.text or ""), "engines write it either way"


async def page(morning: Morning) -> str:
    deps = Deps(
        db=morning.world.db,
        clock=morning.world.clock,
        ears_status=list,
        recordings_read=morning.recordings.read,
        late=list,
        live=Live(morning.world.db),
        door=cheap_door(morning.world.db, morning.world.clock),
        notes=list,
        sounds=Sounds(Path(), morning.recordings.folder, spoken),
        imports=ImportDesk("", morning.world.clock, morning.recordings.folder),
        shelf=Shelf(morning.recordings.folder, Prompts(cache=morning.recordings.folder)),
    )
    app = FastAPI(redirect_slashes=False)
    app.include_router(routes(deps))
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://127.0.0.1:8000") as client:
        log_in(morning.world.db, client, now=morning.world.clock.now())
        return (await client.get(f"/case/{morning.world.row(morning.elder).checkin_id}")).text


@pytest.mark.weights
async def test_a_real_recogniser_finds_it_and_staff_read_where_it_was_found(
    morning: Morning, whisper: WhisperRecogniser
) -> None:
    path = await morning.leaves_a_message(message())
    assert morning.world.row(morning.elder).status is Status.CLOSED, "well, by key"
    ears = Ears([whisper], workers=1)
    try:
        await morning.restarted(ears)
    finally:
        ears.close()
    is_an_emergency(morning)
    shown = await page(morning)
    for words in ("紧急", "求救：通话后重听录音发现「", "通话后重听录音发现 「", '<mark class="distress"', path):
        assert words in shown


async def test_a_case_that_a_person_closed_is_open_again(morning: Morning) -> None:
    await morning.leaves_a_message(message(), "not_well")
    close(morning, "讲过了，有点头晕")
    await morning.restarted(ToldBefore(CRIED, 0.7))
    is_an_emergency(morning)


async def test_an_alarm_of_the_call_itself_that_was_closed_hides_nothing(morning: Morning) -> None:
    """Two zeroes by mistake, closed by name; what was said in the message nobody had heard then."""
    await morning.leaves_a_message(message())
    call = morning.world.last_call(morning.elder)
    await morning.calls.alarm(call.id, morning.elder, "double_zero", {"alarm": "double_zero", "by": "key"})
    close(morning, "按错了")
    await morning.restarted(ToldBefore(CRIED, 0.7))
    row = morning.world.row(morning.elder)
    assert (row.urgency, row.closed_by) == (Urgency.EMERGENCY, None)
    assert (row.answer["alarm"], row.answer["alarm_text"]) == (SECOND_PASS, CRIED)


async def test_closed_with_a_finding_it_stays_closed(morning: Morning) -> None:
    """The same recording, found and told again, rings nobody twice."""
    await morning.leaves_a_message(message())
    await morning.restarted(ToldBefore(CRIED, 0.7))
    now = morning.world.clock.now()
    close(morning, "上门见到本人，没有受伤")
    with morning.world.db.write() as session:
        for news in session.scalars(select(CallNews)):
            news.told_at = None
        text = session.scalars(select(Transcript)).one()
        text.due_at, text.tries = now, 0
    morning.world.clock.advance(minutes=20)
    await morning.restarted(ToldBefore(CRIED, 0.7))
    assert morning.world.row(morning.elder).closed_by == "陈静"


@pytest.fixture
async def heard_for_good(morning: Morning) -> ToldBefore:
    await morning.leaves_a_message(message())
    return ToldBefore(CRIED, 0.7)


async def dies(morning: Morning, write: int) -> tuple[int | None, bytes]:
    """The second pass in a process that is killed there; its end, and what it printed."""
    now = morning.world.clock.now().isoformat()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.e2e.late_cry", str(morning.folder), now, CRIED, "0.7", str(write),
        cwd=ROOT, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    printed, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, printed


@pytest.mark.parametrize("write", range(1, WRITES + 1))
async def test_killed_within_any_write_it_rings_once(morning: Morning, heard_for_good: ToldBefore, write: int) -> None:
    assert (await dies(morning, write))[0] == -signal.SIGKILL
    morning.world.clock.advance_to(morning.world.clock.now() + LEASE)
    await morning.restarted(heard_for_good)
    is_an_emergency(morning)


async def test_these_are_all_its_writes(morning: Morning, heard_for_good: ToldBefore) -> None:
    assert await dies(morning, 0) == (0, f"{WRITES}\n".encode())
    is_an_emergency(morning)
    await morning.restarted(heard_for_good)
    is_an_emergency(morning)
