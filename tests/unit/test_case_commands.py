"""`cases` from the command line: all that staff do with a complaint before there is a page for it."""

from __future__ import annotations

import asyncio
import csv
import errno
import io
import os
import shutil
import wave
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console
from sqlalchemy import select
from typer.testing import CliRunner

from checkins import items
from checkins.people import add_person
from checkins.ports import CallOutcome, PersonOutcome
from checkins.tables import Mode, Neighbourhood
from cli import case_commands as commands
from cli.running import said
from community import complaints, intake, rows, staff
from community.tables import Complaint, Outcome, Reply, Status, Wish
from ivr import recordings
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


async def recorded(folder: Path, now: datetime, ulaw: bytes = b"\xff" * 4000) -> str:
    recordings = Recordings(folder / "recordings")
    kept = await recordings.add("call-0", "dictation1", now, ulaw)
    await recordings.close()
    return kept.path


class Desk:
    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.out = Console(record=True, width=200)

    async def says(self, work: object) -> tuple[int, str]:
        status = await said(work, self.out)  # type: ignore[arg-type]
        return status, self.out.export_text()

    def items(self) -> list[str]:
        db = Database(self.settings.database_url)
        with db.read() as session:
            found = [item.kind for item in items.open_items(session)]
        db.close()
        return sorted(found, reverse=True)

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


def spoken_into(file: Path, seconds: int = 1, rate: int = 16000) -> Path:
    tone = (8000 * np.sin(2 * np.pi * 300 * np.arange(rate * seconds) / rate)).astype("<i2")
    with wave.open(str(file), "wb") as audio:
        audio.setnchannels(1)
        audio.setsampwidth(2)
        audio.setframerate(rate)
        audio.writeframes(tone.tobytes())
    return file


async def test_a_spoken_answer_is_stored_as_the_line_plays_it(desk: Desk, tmp_path: Path) -> None:
    await commands.hear(desk.settings, 1001, CHEN, None, desk.out)
    spoken = spoken_into(tmp_path / "answer.wav")
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


async def test_an_answer_is_a_wav_file_of_three_minutes_at_most(desk: Desk, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.wav")
    (tmp_path / "answer.ulaw").write_bytes(bytes(range(256)) * 40)
    spoken_into(tmp_path / "long.wav", 181, 8000)
    await commands.hear(desk.settings, 1001, CHEN, None, desk.out)
    for name, why in (("pipe.wav", "no file"), ("answer.ulaw", "save it as .wav"), ("long.wav", "3 minutes")):
        async with asyncio.timeout(20):
            status, told = await desk.says(commands.reply(desk.settings, 1001, "", tmp_path / name, CHEN, desk.out))
        assert (status, why in told) == (2, True)
    assert desk.row(1001).status == Status.HEARD


async def test_with_the_disk_full_no_answer_is_given_by_half(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    await commands.hear(desk.settings, 1001, CHEN, None, desk.out)
    before = sorted(each for each in (tmp_path / "recordings").rglob("*") if each.is_file())

    def fills(take: Any, part: Path, final: bool) -> None:
        part.write_bytes(b"\x80" * 100)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(recordings.Take, "_write_pieces", fills)
    work = commands.reply(desk.settings, 1001, "", spoken_into(tmp_path / "answer.wav"), CHEN, desk.out)
    status, told = await desk.says(work)
    assert (status, "disk full" in told, desk.row(1001).status) == (2, True, Status.HEARD)
    assert sorted(each for each in (tmp_path / "recordings").rglob("*") if each.is_file()) == before


@pytest.mark.parametrize("left", [None, b""], ids=["lost", "empty"])
async def test_what_nobody_can_listen_to_is_heard_by_ringing_them(
    desk: Desk, tmp_path: Path, left: bytes | None
) -> None:
    for file in (tmp_path / "recordings").rglob("*dictation1*"):
        file.unlink()
    if left is not None:
        await recorded(tmp_path, desk.row(1001).opened_at, left)
    for _ in range(2):
        status, told = await desk.says(commands.hear(desk.settings, 1001, CHEN, None, desk.out))
        assert (status, "电梯坏了" in told, "still waits to be heard" in told) == (2, True, True)
        assert (desk.row(1001).status, desk.row(1001).heard_by) == (Status.SENT, None)
        assert desk.items() == ["complaint_new"] * 2
    await desk.says(commands.hear(desk.settings, 1001, CHEN, None, desk.out, told="电梯停在三楼"))
    assert (desk.row(1001).status, desk.items()) == (Status.HEARD, ["complaint_new", "complaint_answer"])
    _, told = await desk.says(commands.show(desk.settings, 1001, desk.out))
    assert "words=电梯停在三楼" in told
    status, told = await desk.says(commands.hear(desk.settings, 1001, CHEN, None, desk.out))
    assert status == 0, "once it was heard it may be looked at again"


async def test_nothing_is_heard_before_it_has_come(desk: Desk) -> None:
    db, now = Database(desk.settings.database_url), datetime.now(UTC)
    with db.write() as session:
        elder = rows.by_number(session, 1001).person_id
        number = complaints.file(session, "call-9", elder, now).number
    db.close()
    status, told = await desk.says(commands.hear(desk.settings, number, CHEN, None, desk.out))
    assert (status, "hasn't come yet" in told, desk.row(number).status) == (2, True, Status.SENT)


async def test_an_answer_that_may_not_be_given_leaves_no_recording(desk: Desk, tmp_path: Path) -> None:
    spoken = spoken_into(tmp_path / "answer.wav")
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
        commands.meet(settings, 1001, "", "", "", "", CHEN, out, cancel="物业没空"),
        commands.level_above(settings, 1001, CHEN, out),
        commands.visit(settings, 1001, "电梯停着", CHEN, out),
    ):
        assert (await desk.says(work))[0] == 0
    for bad, why in (
        (commands.meet(settings, 1001, "tomorrow", "居委会", "物业", "", CHEN, out), "--at: write"),
        (commands.meet(settings, 1001, "", "", "", "好了", CHEN, out, cancel="没空"), "either"),
        (commands.show_all(settings, "曹杨居委", out, everything=False), "no committee"),
        (commands.assign(settings, 1001, "=1+1", CHEN, out), "a name doesn't begin"),
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


async def test_the_list_is_readable_on_80_columns(desk: Desk) -> None:
    text = io.StringIO()
    await commands.show_all(desk.settings, "曹杨", Console(width=80, file=text), everything=False)
    line = next(line for line in text.getvalue().splitlines() if line.startswith("1001"))
    assert all(word in line for word in ("没有人听", "王秀珍", "电梯"))


async def test_the_export_has_no_name_no_number_and_nothing_that_was_spoken(desk: Desk, tmp_path: Path) -> None:
    db = Database(desk.settings.database_url)
    with db.write() as session:
        row = rows.by_number(session, 1001)
        row.wish, row.text = Wish.PUBLIC, "=HYPERLINK(1)"
        now = datetime.now(UTC)
        for number in (1001, 1002):
            staff.hear(session, number, CHEN, now)
            staff.reply(session, number, CHEN, now, "修好了")
        complaints.say(session, row, Outcome.SOLVED, now, call_id="call-9")
        staff.said(session, 1002, Outcome.SOLVED, "好了", CHEN, now)
    db.close()
    file = tmp_path / "all.csv"
    assert await commands.export(desk.settings, "", file, desk.out) == 0
    text = file.read_text("utf-8-sig")
    assert not {word for word in ("王秀珍", "王阿婆", "10001234", "电梯坏了") if word in text}
    table = list(csv.reader(io.StringIO(text)))
    assert [line[0] for line in table] == ["编号", "1001", "1002"]
    assert [line[table[0].index("结案人")] for line in table[1:]] == ["本人", CHEN]
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
