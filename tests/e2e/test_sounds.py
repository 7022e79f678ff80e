"""What staff record in the browser: kept for them alone, heard as the elder will hear it, gone after a day; and whoever
tries to send something else, or to hear somebody else's."""

from __future__ import annotations

import io
import os
import time
import wave
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import httpx
import pytest

from console import access, sounds
from console.roles import Role
from console.sounds import GoneError, Sounds
from console.wav import wav
from demo import clips
from ivr.recordings import BYTES_PER_S, Recordings
from tests.e2e.office import Office, open_office

VOICE = wav(clips.load()("zm_yunxi/tell_dizzy"))
NOW = datetime(2026, 3, 2, 1, tzinfo=UTC)
MINE, OTHER = 1, 2


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


async def send(office: Office, body: bytes = VOICE, kind: str = "audio/wav", **more: str) -> httpx.Response:
    headers = {"content-type": kind, "x-csrf-token": await office.token(), **more}
    return await office.client.post("/sounds", content=body, headers=headers)


async def test_a_recording_is_played_back_as_it_will_sound(office: Office) -> None:
    told = (await send(office)).json()
    assert told["wrong"] == ""
    played = await office.client.get(f"/sounds/{told['id']}")
    assert (played.status_code, played.headers["content-type"]) == (200, "audio/wav")
    with wave.open(io.BytesIO(played.content)) as audio:
        assert audio.getframerate() == BYTES_PER_S
        assert abs(audio.getnframes() / BYTES_PER_S - told["seconds"]) < 0.1
    part = await office.client.get(f"/sounds/{told['id']}", headers={"range": "bytes=0-43"})
    assert (part.status_code, len(part.content)) == (206, 44)


async def test_only_whoever_made_it_hears_it(office: Office) -> None:
    sound = (await send(office)).json()["id"]
    office.log_in("李老师")
    assert (await office.client.get(f"/sounds/{sound}")).status_code == 404
    office.log_in("审计员", Role.AUDITOR)
    assert (await office.client.get(f"/sounds/{sound}")).status_code == 403
    assert (await send(office)).status_code == 403
    office.client.cookies.clear()
    assert (await office.client.get(f"/sounds/{sound}")).status_code == 401


async def test_what_cannot_be_used_says_why_and_is_kept_nowhere(office: Office) -> None:
    silence, long = wav(b"\xff" * BYTES_PER_S), wav(b"\xff" * BYTES_PER_S * 200)
    for body, word in ((silence, "没有听到人说话"), (long, "三分钟"), (b"ID3" * 99, "WAV"), (b"", "WAV")):
        answer = await send(office, body)
        assert (answer.status_code, answer.json()["id"]) == (422, "")
        assert word in answer.json()["wrong"]
    assert not list(office.folder.glob("sounds/*"))


async def test_what_is_no_recording_of_ours_is_refused(office: Office) -> None:
    most = access.SOUND.body
    assert (await send(office, b"x" * (most + 1))).status_code == 413
    assert (await send(office, kind="multipart/form-data; boundary=b")).status_code == 415
    assert (await send(office, kind="audio/mpeg")).status_code == 415
    assert (await send(office, **{"x-csrf-token": "x"})).status_code == 403
    assert (await send(office, origin="https://evil.example")).status_code == 403


async def test_one_account_sends_one_at_a_time(office: Office) -> None:
    async with office.deps.sounds.sending(1), office.deps.sounds.sending(2), office.deps.sounds.sending(3):
        with pytest.raises(sounds.PageError):
            async with office.deps.sounds.sending(1):
                pass
        async with office.deps.sounds.sending(4):
            assert (await send(office)).status_code == 429
    assert (await send(office)).status_code == 200


async def test_a_text_is_heard_as_the_line_says_it(office: Office) -> None:
    told = (await office.send("/sounds/said", text="明天修")).json()
    assert (told["seconds"], told["wrong"]) == (3.0, "")
    assert (await office.client.get(f"/sounds/{told['id']}")).status_code == 200
    for text, status, word in (("", 422, "请先写上"), ("长" * 301, 422, "300"), ("念不出", 503, "念不出来")):
        answer = await office.send("/sounds/said", text=text)
        assert (answer.status_code, answer.json()["id"]) == (status, "")
        assert word in answer.json()["wrong"]


# ── drafts ────────────────────────────────────────────────────────────────────────────────────────


async def silent(_text: str) -> bytes:
    return b"\xff"


@pytest.fixture
def drafts(tmp_path: Path) -> Sounds:
    return Sounds(tmp_path / "sounds", tmp_path / "recordings", silent)


def files(drafts: Sounds, *where: str) -> list[Path]:
    return [file for file in (drafts.folder, drafts.recordings)[bool(where)].rglob("*") if file.is_file()]


async def test_a_form_takes_it_into_the_recordings(drafts: Sounds) -> None:
    draft = await drafts.put(MINE, VOICE)
    audio = drafts.take(draft.id, MINE)
    async with drafts.stored(draft.id, MINE, "complaint-1007", "reply", NOW) as path:
        assert path is not None
        assert Recordings(drafts.recordings).read(path) == audio
    assert not files(drafts)


async def test_what_is_refused_leaves_the_draft_and_no_recording(drafts: Sounds) -> None:
    draft = await drafts.put(MINE, VOICE)
    with pytest.raises(ValueError, match="no"):
        async with drafts.stored(draft.id, MINE, "complaint-1007", "reply", NOW):
            raise ValueError("no")
    assert not files(drafts, "recordings")
    assert drafts.take(draft.id, MINE)


async def test_no_id_leads_to_what_is_not_theirs(drafts: Sounds) -> None:
    draft, said = await drafts.put(MINE, VOICE), await drafts.say(MINE, "你好")
    outside = drafts.folder / "x.ulaw"
    outside.write_bytes(b"secret")
    for sound in ("", "x", "../x", f"{draft.id}/../x", f"{draft.id}\n", draft.id.upper() + "é", "0" * 32, said.id):
        with pytest.raises(GoneError):
            drafts.take(sound, MINE)
    for sound in (draft.id, said.id):
        with pytest.raises(GoneError):
            drafts.play(sound, OTHER)
        drafts.drop(sound, OTHER)
        assert drafts.play(sound, MINE)
    drafts.drop("../x", MINE)
    assert outside.exists()


async def test_drafts_go_after_a_day_and_when_there_are_many(drafts: Sounds) -> None:
    old, young = await drafts.put(MINE, VOICE), await drafts.put(MINE, VOICE)
    (file,) = (one for one in files(drafts) if old.id in one.name)
    os.utime(file, (0, time.time() - sounds.KEPT_S - 1))
    await drafts.sweep()
    assert [young.id in one.name for one in files(drafts)] == [True]
    other = await drafts.say(OTHER, "一")
    for _ in range(sounds.MOST + 5):
        await drafts.say(MINE, "一")
    assert len(files(drafts)) == sounds.MOST + 1
    assert drafts.play(other.id, OTHER)


async def test_drafts_are_their_owners_on_the_disk_too_and_a_full_disk_is_told(drafts: Sounds) -> None:
    await drafts.put(MINE, VOICE)
    assert [oct(one.stat().st_mode)[-3:] for one in (drafts.folder, *files(drafts))] == ["700", "600"]
    nowhere = Sounds(Path("/dev/null/sounds"), drafts.recordings, silent)
    with pytest.raises(sounds.PageError) as full:
        await nowhere.put(MINE, VOICE)
    assert full.value.status == 507
