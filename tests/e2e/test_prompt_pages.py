"""The line's sentences in the console, over HTTP."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from callflows import loader
from console import sentences
from console.roles import Role
from console.sentences import Sentence, Sentences, number_of
from speech.g711 import ulaw_decode
from speech.pack import Packs
from speech.published import Published
from tests.e2e.office import Office, open_office
from tests.fakes.accounts import WORKER

HELLO, NUMBER = "您好,这里是", number_of("您好,这里是")
VOICE, OTHER = b"\x10\x90" * 4000, b"\x22\xa2" * 4000


def publish(folder: Path, language: str, text: str, take: str = "one", audio: bytes = VOICE, by: str = "陈") -> None:
    shelf = Published(folder / "recorded-prompts")
    shelf.publish(language, text, audio, take, by, "2026-03-02T09:00:00+00:00")


def numbers(page: str) -> list[int]:
    return [int(one) for one in re.findall(r'<td class="number">(\d{5})</td>', page)]


async def all_numbers(office: Office, address: str) -> list[int]:
    found: list[int] = []
    following: str | None = address
    while following:
        page = (await office.client.get(following)).text
        found += numbers(page)
        more = re.search(r'href="([^"]+)" rel="next"', page)
        following = more.group(1).replace("&amp;", "&") if more else None
    return found


async def test_every_sentence_is_listed_once_those_missing_in_shanghainese_first(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        publish(tmp_path, "wuu", HELLO)
        found = await all_numbers(office, "/prompts")
        assert len(found) == len(set(found))
        assert set(found) >= {one.number for one in sentences.shipped().all}
        assert found[-1] == NUMBER, "recorded already"
        first = (await office.client.get("/prompts")).text
        assert "还没有人录" in first


async def test_they_are_narrowed_by_flow_words_language_and_whether_a_person_speaks(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        publish(tmp_path, "zh", HELLO)
        of_reply = await all_numbers(office, "/prompts?flow=reply")
        assert set(of_reply) >= {one.number for one in sentences.shipped().of("reply")}
        assert len(of_reply) < 120
        assert await all_numbers(office, "/prompts?language=zh&state=recorded") == [NUMBER]
        assert NUMBER not in await all_numbers(office, "/prompts?language=zh&state=missing")
        assert NUMBER in await all_numbers(office, "/prompts?language=wuu&state=missing")
        assert await all_numbers(office, f"/prompts?q={NUMBER}") == [NUMBER]
        words = await all_numbers(office, "/prompts?q=身体好 请按2")
        assert words
        assert all("身体好" in sentences.shipped().get(one).text for one in words)  # type: ignore[union-attr]
        none = (await office.client.get("/prompts?q=<b>没有的话")).text
        assert "没有这样的句子" in none
        assert "<b>没有" not in none
        for odd in ("flow=nothing", "language=xx", "state=xx", "page=99999999", "page=-1", "page=x"):
            assert (await office.client.get(f"/prompts?{odd}")).status_code == 200


async def test_a_sentence_s_page_says_where_it_is_said_and_lets_it_be_heard(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        publish(tmp_path, "wuu", HELLO)
        page = (await office.client.get(f"/prompts/{NUMBER}")).text
        assert 'href="/flows/daily_checkin#step-greet.ask"' in page
        assert "居委会的名字" in page
        assert "例如" in page
        rendered = Packs().get(HELLO, "zh")
        assert rendered
        for voice, wanted in (("zh/now", rendered), ("zh/pack", rendered), ("wuu/now", VOICE), ("wuu/one", VOICE)):
            answer = await office.client.get(f"/prompts/{NUMBER}/sound/{voice}")
            assert answer.headers["content-type"] == "audio/wav"
            assert answer.content[44:] == ulaw_decode(wanted), voice
        part = await office.client.get(f"/prompts/{NUMBER}/sound/zh/now", headers={"Range": "bytes=0-99"})
        assert (part.status_code, len(part.content)) == (206, 100)
        whole = await office.client.get(f"/prompts/{NUMBER}/whole/wuu/0")
        assert ulaw_decode(VOICE) in whole.content
        assert len(whole.content) > 2 * 8000 * 5
        for nothing in ("sound/zh/two", "sound/xx/now", "whole/zh/999", "whole/zh/x", "sound/zh/..%2f..%2fx"):
            assert (await office.client.get(f"/prompts/{NUMBER}/{nothing}")).status_code == 404
        assert (await office.client.get("/prompts/12345")).status_code == 404


async def test_a_take_of_another_sentence_is_not_heard_by_its_name(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        publish(tmp_path, "zh", "收到。", take="other")
        assert (await office.client.get(f"/prompts/{NUMBER}/sound/zh/other")).status_code == 404


async def test_who_only_reads_hears_nothing(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        office.log_in("审计", Role.AUDITOR)
        assert "<audio" not in (await office.client.get(f"/prompts/{NUMBER}")).text
        assert (await office.client.get(f"/prompts/{NUMBER}/sound/zh/now")).status_code == 403
        assert (await office.client.get(f"/prompts/{NUMBER}/whole/zh/0")).status_code == 403


@pytest.fixture
def a_thousand(monkeypatch: pytest.MonkeyPatch) -> None:
    flows = loader.shipped_names()
    many = Sentences(Sentence(10_000 + n, f"这是第{n}句,请按1。", (flows[n % len(flows)],)) for n in range(1000))
    monkeypatch.setattr(sentences, "shipped", lambda: many)


@pytest.mark.usefixtures("a_thousand")
async def test_a_thousand_sentences_are_listed_at_once(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        folder = tmp_path / "recorded-prompts" / "wuu"
        folder.mkdir(parents=True)
        for n in range(300):
            (folder / f"这是第{n}句请按1.ulaw").write_bytes(VOICE)
        await office.client.get("/prompts")
        took = []
        for page in range(1, 6):
            begin = time.perf_counter()
            assert len(numbers((await office.client.get(f"/prompts?page={page}")).text)) == 50
            took.append(time.perf_counter() - begin)
        assert min(took) < 0.2


async def test_a_recording_is_taken_back_once_and_who_did_it_is_kept(tmp_path: Path) -> None:
    async with open_office(tmp_path) as office:
        publish(tmp_path, "zh", HELLO)
        publish(tmp_path, "zh", HELLO, take="two", audio=OTHER)
        page = (await office.client.get(f"/prompts/{NUMBER}")).text
        assert 'name="seen" value="two"' in page
        stale = await office.send(f"/prompts/{NUMBER}/zh/withdraw", seen="one")
        assert stale.status_code == 409
        assert "没有保存" in stale.text
        back = await office.send(f"/prompts/{NUMBER}/zh/withdraw", seen="two")
        assert back.status_code == 303
        assert "退回" in (await office.client.get(back.headers["location"])).text
        answer = await office.client.get(f"/prompts/{NUMBER}/sound/zh/now")
        assert answer.content[44:] == ulaw_decode(VOICE)
        again = await office.send(f"/prompts/{NUMBER}/zh/withdraw", seen="two")
        assert again.status_code == 409, "sent twice, it takes back one"
        last = Published(tmp_path / "recorded-prompts").history()[-1]
        assert (last.act, last.take, last.by) == ("withdraw", "two", WORKER)
        office.log_in("审计", Role.AUDITOR)
        assert f"退回录音词：{NUMBER} 普通话" in (await office.client.get("/audit")).text
        office.log_in("值班", Role.DUTY)
        assert (await office.send(f"/prompts/{NUMBER}/zh/withdraw", seen="one")).status_code == 403
