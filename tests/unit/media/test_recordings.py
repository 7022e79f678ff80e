"""Recordings: whole, checked, safe from crashes and from a full disk."""

from __future__ import annotations

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ivr.recordings import FLUSH_BYTES, RecordingBrokenError, Recordings, Take

AT = datetime(2026, 3, 2, 0, 30, tzinfo=UTC)


async def test_a_recording_is_kept_with_its_checksum(tmp_path: Path) -> None:
    house = Recordings(tmp_path)
    done = await house.add("intent-1", "dictation1", AT, b"\x10" * 4000)
    assert done.path == "2026/03/02/intent-1-dictation1.ulaw"
    assert (done.seconds, done.sha256) == (0.5, hashlib.sha256(b"\x10" * 4000).hexdigest())
    assert house.read(done.path) == b"\x10" * 4000
    assert sorted(file.suffix for file in tmp_path.rglob("*") if file.is_file()) == [".sha256", ".ulaw"]
    await house.close()


async def test_it_grows_on_disk_while_the_call_goes_on_and_a_crash_leaves_it(tmp_path: Path) -> None:
    house = Recordings(tmp_path)
    take = house.take("intent-1", "call", AT)
    for _ in range(FLUSH_BYTES // 160 + 1):
        take.write(b"\x20" * 160)
    await asyncio.sleep(0)
    await house.run(lambda: None)  # the writer has done what came before
    again = Recordings(tmp_path)  # the process died here and another one started
    (found,) = again.recover()
    assert found.path == "2026/03/02/intent-1-call.ulaw"
    assert again.read(found.path) == b"\x20" * FLUSH_BYTES
    assert not list(tmp_path.rglob("*.part"))


async def test_closing_while_a_part_is_still_being_written(tmp_path: Path) -> None:
    house = Recordings(tmp_path)
    take = house.take("intent-1", "call", AT)
    take.write(b"\x21" * FLUSH_BYTES)
    take.write(b"\x22" * 160)
    done = await take.close()
    assert house.read(done.path) == b"\x21" * FLUSH_BYTES + b"\x22" * 160


async def test_a_changed_or_missing_file_is_said_to_be_broken(tmp_path: Path) -> None:
    house = Recordings(tmp_path)
    done = await house.add("intent-1", "call", AT, b"\x30" * 160)
    (tmp_path / done.path).write_bytes(b"\x31" * 160)
    with pytest.raises(RecordingBrokenError, match="checksum differs"):
        house.read(done.path)
    with pytest.raises(RecordingBrokenError, match="missing"):
        house.read("2026/03/02/nothing.ulaw")


@pytest.mark.parametrize("path", ["../secret.ulaw", "/etc/passwd", "2026/../../secret.ulaw"])
def test_nothing_outside_the_folder_is_read(tmp_path: Path, path: str) -> None:
    (tmp_path / "secret.ulaw").write_bytes(b"")
    with pytest.raises(RecordingBrokenError):
        Recordings(tmp_path / "recordings").read(path)


async def test_a_callers_name_can_not_lead_out_of_the_folder(tmp_path: Path) -> None:
    house = Recordings(tmp_path)
    done = await house.add("../../x", "a/b", AT, b"\x00" * 160)
    assert done.path == "2026/03/02/x-ab.ulaw"


async def test_with_the_disk_full_it_waits_in_memory_until_there_is_room(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "2026").write_text("a file where a folder must be: every write fails, as on a full disk")
    house = Recordings(tmp_path, retry_s=0.01)
    done = await house.add("intent-1", "dictation1", AT, b"\x40" * 8000)
    assert (done.seconds, house.unsaved) == (1.0, 1)
    assert "stays in memory" in caplog.text
    (tmp_path / "2026").unlink()
    async with asyncio.timeout(10):
        while house.unsaved:
            await asyncio.sleep(0.01)
    assert house.read(done.path) == b"\x40" * 8000
    assert Recordings(tmp_path).recover() == []


async def test_a_piece_written_by_half_is_written_again_whole(tmp_path: Path) -> None:
    house = Recordings(tmp_path)
    take = house.take("intent-1", "call", AT)
    part = tmp_path / "2026/03/02/intent-1-call.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(b"\x50" * 70)  # of a write that failed in the middle
    take.write(b"\x51" * 320)
    done = await take.close()
    assert house.read(done.path) == b"\x51" * 320


async def test_a_disk_that_stays_full_is_said_so_at_the_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "2026").write_text("")
    house = Recordings(tmp_path, retry_s=60)
    await house.add("intent-1", "call", AT, b"\x60" * 160)
    await house.close(within_s=0.05)
    assert "could not be written before the end" in caplog.text


async def flushed(house: Recordings, take: Take, sound: bytes) -> None:
    """The take's next piece, on disk."""
    take.write(sound)
    await asyncio.sleep(0)
    await house.run(lambda: None)


async def test_a_file_that_somebody_moved_is_never_made_up_with_zeros(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A second process "recovers" the take that still grows: both halves are whole under names of their own."""
    house = Recordings(tmp_path)
    take = house.take("intent-1", "call", AT)
    await flushed(house, take, b"\x55" * FLUSH_BYTES)
    (first,) = Recordings(tmp_path).recover()
    await flushed(house, take, b"\x56" * FLUSH_BYTES)
    take.write(b"\x57" * 160)
    done = await take.close()
    assert (first.path, done.path) == ("2026/03/02/intent-1-call.ulaw", "2026/03/02/intent-1-call-2.ulaw")
    assert house.read(first.path) == b"\x55" * FLUSH_BYTES
    assert house.read(done.path) == b"\x56" * FLUSH_BYTES + b"\x57" * 160
    assert done.seconds == (FLUSH_BYTES + 160) / 8000
    assert "moved or cut by somebody else" in caplog.text
    caplog.clear()


async def test_a_file_that_was_moved_after_its_last_word_is_left_there(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    house = Recordings(tmp_path)
    take = house.take("intent-1", "call", AT)
    await flushed(house, take, b"\x55" * FLUSH_BYTES)
    Recordings(tmp_path).recover()
    done = await take.close()
    assert house.read(done.path) == b"\x55" * FLUSH_BYTES
    assert house.unsaved == 0
    caplog.clear()


async def test_what_a_crash_left_stops_no_start_when_the_disk_is_full(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The one that can't be finished is left as it is; the others are."""
    day = tmp_path / "2026/03/02"
    day.mkdir(parents=True)
    for name in ("a", "b"):
        (day / f"{name}.part").write_bytes(b"\x70" * 160)
    (day / "a.sha256-part").mkdir()  # its checksum can't be written, as on a full disk
    assert [found.path for found in Recordings(tmp_path).recover()] == ["2026/03/02/b.ulaw"]
    assert (day / "a.part").read_bytes() == b"\x70" * 160
    assert "the next start tries again" in caplog.text
    caplog.clear()
    (day / "a.sha256-part").rmdir()
    assert [found.path for found in Recordings(tmp_path).recover()] == ["2026/03/02/a.ulaw"]
    assert not list(tmp_path.rglob("*.part"))


def test_a_part_that_can_not_be_read_stops_no_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "a.part").mkdir()  # reading it fails for every user
    (tmp_path / "b.part").write_bytes(b"\x71" * 160)
    assert [found.path for found in Recordings(tmp_path).recover()] == ["b.ulaw"]
    caplog.clear()
