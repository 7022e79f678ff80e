"""`cases` from the command line: all that staff do with a complaint before there is a page for it."""

from __future__ import annotations

import asyncio
import csv
import io
import shutil
import wave
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import select
from typer.testing import CliRunner

from checkins.people import add_person
from checkins.ports import CallOutcome, PersonOutcome
from checkins.tables import Mode, Neighbourhood
from cli import case_commands as commands
from cli.running import said
from community import complaints, intake, rows
from community.tables import Complaint, Reply, Status, Wish
from ivr.recordings import Recordings
from ivr.records import Call, CallEvent
from server import app
from settings import Settings
from storage.database import Database
from storage.migrate import upgrade

CHEN = "陈老师"


@pytest.fixture(scope="module")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Made once: that is most of a test's time."""
    file = tmp_path_factory.mktemp("migrated") / "wenan.db"
    upgrade(f"sqlite:///{file}")
    return file


@pytest.fixture
def settings(tmp_path: Path, migrated: Path) -> Settings:
    """A complaint 1001 of 王秀珍, dictated just now, and one of somebody whom the line can't ring."""
    url, now = f"sqlite:///{tmp_path}/wenan.db", datetime.now(UTC)
    shutil.copy(migrated, tmp_path / "wenan.db")
    kept = asyncio.run(recorded(tmp_path, now))
    db = Database(url)
    with db.write() as session:
        place = Neighbourhood(name="曹杨", committee="曹杨居委会", timezone="Asia/Shanghai")
        session.add(place)
        session.flush()
        wang = add_person(session, place.id, "王秀珍", "王阿婆", "021-10001234", consents={"calls": True})
        li = add_person(session, place.id, "李福根", "李阿公", "021-10005678", mode=Mode.VISIT)
        for n, elder in enumerate((wang, li)):
            complaints.file(session, f"call-{n}", elder.id, now)
            detail = {"complaint_recording": kept, "complaint_text": "电梯坏了", "complaint_engine": "vosk"}
            person = PersonOutcome(elder.id, "rang_in", "key", {**detail, "complaint_confidence": 0.8})
            intake.settle(session, CallOutcome(f"call-{n}", now, True, people=(person,)), now)
    db.close()
    return Settings(database_url=url, data_dir=tmp_path)


async def recorded(folder: Path, now: datetime) -> str:
    recordings = Recordings(folder / "recordings")
    kept = await recordings.add("call-0", "dictation1", now, b"\xff" * 4000)
    await recordings.close()
    return kept.path


class Desk:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.out = Console(record=True, width=200)

    async def says(self, work: object) -> tuple[int, str]:
        status = await said(work, self.out)  # type: ignore[arg-type]
        return status, self.out.export_text()

    def row(self, number: int) -> Complaint:
        db = Database(self.settings.database_url)
        with db.read() as session:
            found = session.scalars(select(Complaint).where(Complaint.number == number)).one()
        db.close()
        return found


@pytest.fixture
def desk(settings: Settings) -> Desk:
    return Desk(settings)


async def test_listed_heard_answered_and_closed_by_what_she_said_to_a_person(desk: Desk, tmp_path: Path) -> None:
    settings, out = desk.settings, desk.out
    status, told = await desk.says(commands.show_all(settings, "", out, everything=False))
    assert status == 0
    assert "1001" in told
    assert "没有人听" in told
    assert "王秀珍" in told
    folder = tmp_path / "copies"
    folder.mkdir()
    status, told = await desk.says(commands.hear(settings, 1002, CHEN, folder, out))
    assert "「电梯坏了」 (vosk 0.80)" in told
    assert str(tmp_path / "recordings") in told
    with wave.open(str(next(folder.glob("1002-*-complaint.wav")))) as audio:
        assert (audio.getframerate(), audio.getnframes()) == (8000, 4000)
    status, told = await desk.says(commands.close(settings, 1002, "", CHEN, out))
    assert (status, "there is no answer yet" in told) == (2, True)
    _, told = await desk.says(commands.reply(settings, 1002, "明天来修。", None, CHEN, out))
    assert "can't ring them" in told
    assert await desk.says(commands.said(settings, 1002, "solved", "修好了", CHEN, out)) == (
        0,
        "1002: 已结案, 陈老师\n",
    )
    status, told = await desk.says(commands.show(settings, 1002, out))
    for part in ("已结案", "reply 1 (陈老师", "明天来修。 → solved", "words=修好了", "vosk"):
        assert part in told
    status, told = await desk.says(commands.show_all(settings, "", out, everything=False))
    assert "1002" not in told


async def test_a_spoken_answer_is_stored_as_the_line_plays_it(desk: Desk, tmp_path: Path) -> None:
    await commands.hear(desk.settings, 1001, CHEN, None, desk.out)
    spoken = tmp_path / "answer.wav"
    tone = (8000 * np.sin(2 * np.pi * 300 * np.arange(16000) / 16000)).astype("<i2")
    with wave.open(str(spoken), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16000)
        file.writeframes(tone.tobytes())
    _, told = await desk.says(commands.reply(desk.settings, 1001, "", spoken, CHEN, desk.out))
    assert "The line rings them" in told
    db = Database(desk.settings.database_url)
    with db.read() as session:
        answer = rows.last_reply(session, rows.by_number(session, 1001))
        assert isinstance(answer, Reply)
        assert answer.recording is not None
        assert len(Recordings(tmp_path / "recordings").read(answer.recording)) > 4000
    db.close()


@pytest.mark.parametrize("content", [b"no sound", b""])
async def test_what_is_no_recording_is_refused_and_nothing_is_left(desk: Desk, tmp_path: Path, content: bytes) -> None:
    (tmp_path / "answer.wav").write_bytes(content)
    before = sorted((tmp_path / "recordings").rglob("*"))
    for number, file in ((1001, "answer.wav"), (1001, "missing.wav")):
        work = commands.reply(desk.settings, number, "", tmp_path / file, CHEN, desk.out)
        status, told = await desk.says(work)
        assert (status, file in told.replace("\n", "")) == (2, True)
    assert sorted((tmp_path / "recordings").rglob("*")) == before


async def test_an_answer_that_may_not_be_given_leaves_no_recording(desk: Desk, tmp_path: Path) -> None:
    spoken = tmp_path / "answer.ulaw"
    spoken.write_bytes(bytes(range(256)) * 40)
    before = sorted((tmp_path / "recordings").rglob("*.ulaw"))
    status, told = await desk.says(commands.reply(desk.settings, 1001, "", spoken, CHEN, desk.out))
    assert (status, "nobody has listened" in told) == (2, True)
    assert sorted((tmp_path / "recordings").rglob("*.ulaw")) == before


async def test_listening_stands_in_the_calls_log_too(desk: Desk) -> None:
    db, now = Database(desk.settings.database_url), datetime.now(UTC)
    with db.write() as session:
        session.add(Call(id="call-0", number="+862110001234", order={}, ordered_at=now, state="over"))
    await commands.hear(desk.settings, 1001, CHEN, None, desk.out)
    with db.read() as session:
        assert [event.detail["who"] for event in session.scalars(select(CallEvent))] == [CHEN]
    db.close()


async def test_the_rest_of_the_acts_and_their_faults(desk: Desk) -> None:
    settings, out = desk.settings, desk.out
    await commands.hear(settings, 1001, CHEN, None, out)
    for work in (
        commands.assign(settings, 1001, "张老师", CHEN, out),
        commands.sort(settings, 1001, "电梯", "5号楼", CHEN, out),
        commands.discuss(settings, 1001, "物业王经理", "零件要等一周", CHEN, out),
        commands.meet(settings, 1001, "2999-03-02 14:00", "居委会", "物业", "", CHEN, out),
        commands.meet(settings, 1001, "", "", "", "说好一周修好", CHEN, out),
        commands.level_above(settings, 1001, CHEN, out),
        commands.visit(settings, 1001, "电梯停着", CHEN, out),
    ):
        assert (await desk.says(work))[0] == 0
    for bad, why in (
        (commands.meet(settings, 1001, "tomorrow", "居委会", "物业", "", CHEN, out), "--at: write"),
        (commands.said(settings, 1001, "fine", "好", CHEN, out), "say one of solved"),
        (commands.publish(settings, 1001, "电梯坏了", CHEN, out), "haven't agreed"),
        (commands.sort(settings, 1001, "天气", "", CHEN, out), "--category: one of"),
        (commands.assign(settings, 1009, "张老师", CHEN, out), "no complaint 1009"),
        (commands.assign(settings, 1001, "张老师", " ", out), "say who"),
    ):
        status, told = await desk.says(bad)
        assert (status, why in told) == (2, True), told
    row = desk.row(1001)
    assert (row.status, row.owner, row.level_above, row.category) == (Status.HEARD, "张老师", True, "电梯")


async def test_the_export_has_no_name_no_number_and_nothing_that_was_spoken(desk: Desk, tmp_path: Path) -> None:
    db = Database(desk.settings.database_url)
    with db.write() as session:
        row = rows.by_number(session, 1001)
        row.wish, row.text = Wish.PUBLIC, "=HYPERLINK(1)"
    db.close()
    file = tmp_path / "all.csv"
    assert await commands.export(desk.settings, "", file, desk.out) == 0
    text = file.read_text("utf-8-sig")
    assert not {word for word in ("王秀珍", "王阿婆", "10001234", "电梯坏了") if word in text}
    table = list(csv.reader(io.StringIO(text)))
    assert [line[0] for line in table] == ["编号", "1001", "1002"]
    assert table[1][-1] == "'=HYPERLINK(1)"


@pytest.mark.parametrize(
    "command",
    [
        *("list", "show", "export", "hear", "sort", "assign", "reply", "discuss"),
        *("meet", "level-above", "publish", "said", "visit", "close"),
    ],
)
def test_every_command_says_what_it_does(command: str) -> None:
    told = CliRunner().invoke(app, ["cases", command, "--help"])
    assert told.exit_code == 0
    assert len(told.stdout) > 300
