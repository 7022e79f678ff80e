"""A sentence is recorded in the console, checked, published, and said by the line from then on."""

from __future__ import annotations

import io
import re
import wave
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest

from console import sentences
from console.roles import Role
from console.sentences import number_of
from speech import g711
from speech.human import sentence_key
from speech.loudness import TARGET_DBOV, active_level
from speech.pack import Packs
from speech.prompts import Prompts
from speech.published import MAX_NAME, Published
from speech.resample import from_floats, resample_floats, to_floats
from tests.e2e.office import Office, open_office
from tests.fakes.accounts import WORKER

TEXT = "今天身体好吗?身体好,请按1;不舒服,请按2;想找人说话,请按3。"
NUMBER = number_of(TEXT)
AT = f"/prompts/{NUMBER}"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


def wav(gain: float = 0.5, repeat: int = 1, seconds: float = 60.0) -> bytes:
    """A voice that no pack has, as a browser records it: the sentence backwards, at 48 kHz."""
    known = Packs().get(TEXT, "zh")
    assert known
    samples = np.tile(to_floats(g711.ulaw_decode(known))[::-1], repeat)[: round(seconds * 8000)]
    wide = resample_floats(np.asarray(samples, np.float32), 8000, 48000)
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(48000)
        out.writeframes(from_floats(np.clip(wide * gain, -1, 1)))
    return buffer.getvalue()


async def records(office: Office, body: bytes) -> str:
    headers = {"content-type": "audio/wav", "x-csrf-token": await office.token()}
    answer = await office.client.post("/sounds", content=body, headers=headers)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["id"])


async def seen(office: Office, address: str) -> str:
    """What the form to publish says stood there."""
    page = (await office.client.get(address)).text
    form = re.search(r"/publish.*?</form>", page, re.S)
    assert form
    found = re.search(r'name="seen" value="([^"]*)"', form.group())
    assert found
    return found.group(1)


def says(tmp_path: Path, language: str) -> bytes | None:
    """What a call says that begins now."""
    return Prompts(cache=tmp_path / "prompts", human=tmp_path / "recorded-prompts").find(TEXT, language)


async def test_it_is_checked_heard_in_its_prompt_published_and_said_from_the_next_call_on(
    office: Office, tmp_path: Path
) -> None:
    running = Prompts(cache=tmp_path / "prompts", human=tmp_path / "recorded-prompts")
    before = running.find(TEXT, "wuu")
    sound = await records(office, wav())
    page = (await office.client.get(f"{AT}?language=wuu&sound={sound}")).text
    assert page.count('class="ok"') == 4
    assert "长短正好" in page
    assert running.find(TEXT, "wuu") == before, "nothing is published by checking"
    whole = await office.client.get(f"{AT}/whole/wuu/0?sound={sound}")
    assert whole.status_code == 200
    answer = await office.send(f"{AT}/wuu/publish", sound=sound, seen=await seen(office, f"{AT}?sound={sound}"))
    assert answer.status_code == 303
    published = running.find(TEXT, "wuu")
    assert published
    assert published != before
    assert running.find(TEXT, "zh") == before, "Mandarin stays"
    assert whole.content[44:] == g711.ulaw_decode(published), "as it was heard before it was published"
    assert abs(active_level(to_floats(g711.ulaw_decode(published))) - TARGET_DBOV) < 1.5
    now = (await office.client.get(answer.headers["location"])).text
    assert "已经发布" in now
    assert WORKER in now
    assert "下一句还没有录的" in now
    (entry,) = Published(tmp_path / "recorded-prompts").history()
    assert (entry.by, entry.language, entry.text) == (WORKER, "wuu", TEXT)
    assert office.recordings.read(entry.source), "heard by telephone as what is there now"
    assert (await office.client.get(f"/sounds/{sound}")).status_code == 404, "the draft is used up"


async def test_sent_twice_it_is_published_once(office: Office, tmp_path: Path) -> None:
    sound = await records(office, wav())
    for _ in range(2):
        assert (await office.send(f"{AT}/zh/publish", sound=sound, seen="")).status_code == 303
    assert len(Published(tmp_path / "recorded-prompts").history()) == 1


async def test_of_two_at_once_the_second_hears_the_first_before_it_is_replaced(office: Office, tmp_path: Path) -> None:
    mine = await records(office, wav())
    office.log_in("李老师")
    theirs = await records(office, wav(0.6))
    assert (await office.send(f"{AT}/zh/publish", sound=theirs, seen="")).status_code == 303
    first = says(tmp_path, "zh")
    office.log_in(WORKER)
    refused = await office.send(f"{AT}/zh/publish", sound=mine, seen="")
    assert refused.status_code == 409
    assert "没有保存" in refused.text
    assert f'value="{mine}"' in refused.text, "what was recorded is kept"
    assert "李老师" in refused.text
    assert says(tmp_path, "zh") == first
    again = await seen(office, f"{AT}?language=zh&sound={mine}")
    assert (await office.send(f"{AT}/zh/publish", sound=mine, seen=again)).status_code == 303
    assert says(tmp_path, "zh") != first
    back = await office.send(f"{AT}/zh/withdraw", seen=f"console-{mine}")
    assert back.status_code == 303
    assert says(tmp_path, "zh") == first, "back to the former one"


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (wav(0.03), "声音太轻"),
        (wav(30.0), "声音太响"),
        (wav(seconds=1.2), "太短，好像没有念完"),
        (wav(repeat=4), "太长，好像多了话"),
    ],
    ids=["quiet", "clipped", "short", "long"],
)
async def test_what_is_doubtful_is_said_and_needs_one_more_tick(
    office: Office, tmp_path: Path, body: bytes, said: str
) -> None:
    sound = await records(office, body)
    page = (await office.client.get(f"{AT}?language=wuu&sound={sound}")).text
    assert said in page
    assert "⚠" in page
    refused = await office.send(f"{AT}/wuu/publish", sound=sound, seen="")
    assert refused.status_code == 409
    assert Published(tmp_path / "recorded-prompts").history() == []
    assert (await office.send(f"{AT}/wuu/publish", sound=sound, seen="", sure="1")).status_code == 303


async def test_without_a_recording_of_their_own_nothing_is_published(office: Office, tmp_path: Path) -> None:
    sound = await records(office, wav())
    for wrong in ("", "x", "../../etc", "0" * 32):
        answer = await office.send(f"{AT}/zh/publish", sound=wrong, seen="")
        assert answer.status_code == 409
        assert "录一遍" in answer.text
    office.log_in("李老师")
    assert (await office.send(f"{AT}/zh/publish", sound=sound, seen="")).status_code == 409
    assert (await office.client.get(f"{AT}/whole/zh/0?sound={sound}")).status_code == 404
    office.log_in("值班", Role.DUTY)
    assert (await office.send(f"{AT}/zh/publish", sound=sound, seen="")).status_code == 403
    assert 'id="record"' not in (await office.client.get(AT)).text
    assert Published(tmp_path / "recorded-prompts").history() == []
    office.log_in(WORKER)
    assert (await office.send(f"{AT}/xx/publish", sound=sound, seen="")).status_code == 404
    assert (await office.send("/prompts/12345/zh/publish", sound=sound, seen="")).status_code == 404


def test_every_sentence_can_be_published() -> None:
    assert max(len(sentence_key(one.text).encode()) for one in sentences.shipped().all) < MAX_NAME
