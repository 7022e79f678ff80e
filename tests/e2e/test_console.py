"""The staff's pages as a browser asks for them: what they show, what they refuse, what they write down."""

from __future__ import annotations

import asyncio
import io
import re
import wave
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from checkins import cases
from checkins.phones import national
from checkins.ports import CallOutcome, Disposition
from checkins.results import Status
from checkins.tables import CallIntent, IntentState, State
from console import view, words
from console.call_log import Entry
from console.guard import host_name
from ivr.records import Call, CallEvent
from tests.e2e.office import HERE, NASTY, Office, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


# ── what is shown ─────────────────────────────────────────────────────────────────────────────────


async def test_the_page_of_today_says_first_whom_to_call(office: Office) -> None:
    world = office.world
    fallen, unwell, well, planned = (world.elder(name) for name in ("张桂兰", "王秀英", "李建国", "赵阿英"))
    await world.to("08:30")
    await office.not_well(unwell)
    await world.ends(well, "well", "speech", {"certain": True, "engine": "phrases", "confidence": 0.93})
    call = world.last_call(fallen)
    await world.cycle.settle(
        CallOutcome(call.id, world.clock.now(), final=False, alarm="distress", alarm_person=fallen)
    )
    world.clock.advance(minutes=1)
    page = (await office.client.get("/")).text
    waiting, everybody = page.split("正在进行 <small")
    assert waiting.index("张桂兰") < waiting.index("王秀英")
    assert "李建国" not in waiting
    for word in ("紧急", "说身体不好", "头晕", "whisper 0.82", "听录音", "磁盘快满了", "未安装（可选）", "vosk"):
        assert word in waiting
    for word in ("赵阿英", "身体好", "语音", "phrases 0.93", "021 1000 0003"):
        assert word in everybody
    assert world.row(planned).name in everybody
    assert "<title>(!1) (2)" in page


async def test_who_was_taken_over_moves_down_and_says_by_whom(office: Office) -> None:
    elder = office.world.elder("王秀英")
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    answer = await office.send(f"/case/{office.case(elder)}/take-over", by="李老师")
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    page = (await office.client.get("/")).text
    assert "现在没有人在等" in page
    assert "<b>李老师</b> 已接手，09:00 前要说看到了什么" in page
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    assert "<b>李老师</b> 在处理，09:00 前要说看到了什么" in page
    assert office.world.row(elder).owner == "李老师"


async def test_nobody_takes_a_case_over_from_another_unless_they_say_so(office: Office) -> None:
    elder = office.world.elder("王秀英")
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    path = f"/case/{office.case(elder)}/take-over"
    await office.send(path, by="李老师")
    assert (await office.send(path, by="李老师")).status_code == 303
    answer = await office.send(path, by="陈老师", finding="写了一半")
    assert (answer.status_code, "没有接手：李老师已经接手" in answer.text) == (422, True)
    assert "从李老师那里接过来" in answer.text
    assert 'value="写了一半"' in answer.text
    assert office.world.row(elder).owner == "李老师"
    assert (await office.send(path, by="陈老师", had="李老师")).status_code == 303
    answer = await office.send(path, by="王老师", had="李老师")
    assert (answer.status_code, "陈老师已经接手" in answer.text) == (422, True), "it isn't hers any more"
    assert office.world.row(elder).owner == "陈老师"
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    assert "陈老师接手（从李老师那里）" in page


@pytest.mark.parametrize("had", ["", "李老师"])
async def test_of_two_who_take_a_case_over_at_once_one_has_it(office: Office, had: str) -> None:
    elder = office.world.elder("王秀英")
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    path = f"/case/{office.case(elder)}/take-over"
    if had:
        await office.send(path, by=had)
    sent = []
    for name in ("陈老师", "王老师"):
        office.log_in(name)
        form = {"token": await office.token(), "had": had}
        sent.append(office.client.build_request("POST", path, data=form))
    answers = await asyncio.gather(*(office.client.send(one) for one in sent))
    assert sorted(answer.status_code for answer in answers) == [303, 422]
    refused = next(answer.text for answer in answers if answer.status_code == 422)
    assert f"{office.world.row(elder).owner}已经接手" in refused


async def test_an_empty_house_and_alarms_of_line_and_clock(office: Office) -> None:
    world = office.world
    page = (await office.client.get("/")).text
    assert "今天还没有安排" in page
    for i in range(3):
        elder = world.elder(f"{'甲乙丙'[i]}老人", slot=480)
    await world.to("08:00")
    with world.db.write() as session:
        session.execute(
            update(CallIntent).values(
                state=IntentState.SETTLED, disposition=Disposition.LINE_ERROR, settled_at=world.clock.now()
            )
        )
    assert "线路故障" in (await office.client.get("/")).text
    assert (await office.client.get("/healthz")).json()["line_down"] is True
    world.clock._now -= timedelta(minutes=5)
    assert "时钟比记录慢" in (await office.client.get("/")).text
    health = await office.client.get("/healthz")
    assert (health.status_code, health.json()["clock_behind"]) == (503, True)
    assert elder


async def test_late_elders_stand_above_everything(office: Office) -> None:
    planned = office.world.elder("王秀英", slot=8 * 60)
    await office.world.cycle.plan()
    office.world.elder("赵阿英")
    office.world.clock.advance_to(office.world.at("08:30"))
    page = (await office.client.get("/")).text
    banner = page[: page.index("要有人处理")]
    assert "请马上联系" in banner
    assert f'<a href="/case/{office.case(planned)}">王秀英</a>' in banner
    assert "赵阿英" in banner
    assert (await office.client.get("/healthz")).json()["late"] == 2


async def test_a_case_shows_its_story_its_calls_and_recordings(office: Office) -> None:
    elder = office.world.elder("王秀英")
    await office.world.to("08:00")
    path = await office.not_well(elder)
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    for word in (
        "第 1 次拨打",
        "身体不好：语音",
        "请问您是王阿婆本人吗",
        "按键",
        "「不大好」 → 不好（没把握）",
        "vosk 0.50",
        "停顿结束",
    ):
        assert word in page
    assert f'src="/recording/{office.case(elder)}/{path}"' in page
    shown = await office.shown(f"/case/{office.case(elder)}")
    await office.send(f"/case/{office.case(elder)}/close", by="李老师", finding="陪去医院了", back="case", **shown)
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    assert "由 <b>李老师</b> 办结：陪去医院了" in page
    assert f"/case/{office.case(elder)}/close" not in page


async def test_distress_places_and_matters_are_marked(office: Office) -> None:
    elder = office.world.elder("王秀英")
    await office.world.to("08:00")
    said = {"text": f"我在卫生间摔倒了，路灯坏了{NASTY}", "engine": "whisper", "confidence": 0.82}
    await office.world.ends(elder, "not_well", "speech", said)
    for path in ("/", f"/case/{office.case(elder)}"):
        page = (await office.client.get(path)).text
        assert (
            '我在<mark class="place" title="地点">卫生间</mark><mark class="distress" title="求救">摔倒了</mark>'
            in page
        )
        assert '<mark class="category" title="事由">路灯</mark>' in page
        assert "whisper 0.82" in page
        assert "&lt;script&gt;" in page
        assert "<script>alert" not in page


async def test_the_second_transcript_is_shown_and_the_first_is_folded(office: Office) -> None:
    elder = office.world.elder("王秀英")
    await office.world.to("08:00")
    path = await office.not_well(elder)
    await office.second_pass(elder, path, f"头晕，楼上漏水{NASTY}")
    for where in ("/", f"/case/{office.case(elder)}"):
        page = (await office.client.get(where)).text
        assert "漏水</mark>&lt;script&gt;" in page
        assert "sherpa 0.91" in page
        folded = page.partition("<details><summary>第一遍")[2].partition("</details>")[0]
        assert "头晕" in re.sub("<[^>]+>", "", folded)
        assert "whisper 0.82" in folded
        assert "<script>alert" not in page


async def test_an_empty_second_transcript_hides_nothing(office: Office) -> None:
    elder = office.world.elder("王秀英")
    await office.world.to("08:00")
    path = await office.not_well(elder)
    await office.second_pass(elder, path, "")
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    assert "whisper 0.82" in page
    assert "第一遍" not in page


async def test_the_sheet_prints_with_its_own_style_and_nothing_else(office: Office) -> None:
    office.world.elder("王秀英", slot=8 * 60)
    office.world.elder("孙已故", state=State.DIED)
    answer = await office.client.get("/sheet")
    assert "王秀英" in answer.text
    assert "021 1000 0001" in answer.text
    assert "孙已故" not in answer.text
    assert '<a href="/">← 回到今天' in answer.text
    assert "prefers-color-scheme: dark" in answer.text
    assert "the morning sheet" in answer.text
    assert "style-src 'sha256-" in answer.headers["content-security-policy"]
    assert (await office.client.get("/sheet", params={"place": "99"})).status_code == 404
    assert (await office.client.get("/sheet", params={"place": "x"})).status_code == 404


async def test_health(office: Office) -> None:
    answer = await office.client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {
        "ok": True,
        "database": "ok",
        "clock_behind": False,
        "line_down": False,
        "late": 0,
        "alarms": 0,
        "engines": {"whisper": True, "vosk": False},
    }


async def test_a_round_that_must_not_fail_is_not_well(office: Office) -> None:
    failing = office.deps.failing()
    assert isinstance(failing, list)
    failing.append("checkins.cycle: OperationalError SQLITE_FULL at claims.py:101")
    answer = await office.client.get("/healthz")
    assert (answer.status_code, answer.json()) == (503, {"ok": False, "database": "ok", "failing": failing})


async def test_health_without_a_database(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def gone(_look: Callable[[Any], Any]) -> None:
        raise OSError("no database")

    monkeypatch.setattr(office.world.db, "view", gone)
    answer = await office.client.get("/healthz")
    assert (answer.status_code, answer.json()["ok"]) == (503, False)
    assert answer.json()["database"].startswith("OSError at ")


@pytest.mark.parametrize(("name", "kind"), [("console.css", "text/css"), ("console.js", "text/javascript")])
async def test_style_and_script_come_from_here(office: Office, name: str, kind: str) -> None:
    answer = await office.client.get(f"/static/{name}")
    assert answer.headers["content-type"].startswith(kind)
    page = (await office.client.get("/")).text
    assert f"/static/{name}" in page
    assert not re.search(r'(src|href)="(https?:)?//', page)
    assert not re.search(r"<script[^>]*>\s*[^<\s]", page)
    assert " style=" not in page


# ── forms ─────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("form", "says"),
    [
        ({"finding": "  "}, "没有结果不能办结"),
        ({"finding": "好" * 2001}, "不超过 2000 个字"),
    ],
)
async def test_nothing_is_closed_without_finding_and_nothing_typed_is_lost(
    office: Office, form: dict[str, str], says: str
) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    before = office.world.row(elder)
    answer = await office.send(f"/case/{office.case(elder)}/close", **form)
    assert answer.status_code == 422
    assert says in answer.text
    assert all(f'value="{value}"' in answer.text for value in form.values() if value.strip())
    assert office.world.row(elder) == before


async def test_closing_twice_says_so_and_keeps_the_first(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    case = office.case(elder)
    shown = await office.shown(f"/case/{case}")
    answer = await office.send(f"/case/{case}/close", by="李老师", finding="在家，都好", **shown)
    assert answer.status_code == 303
    for path in (f"/case/{case}/close", f"/case/{case}/take-over"):
        answer = await office.send(path, by="陈老师", finding="不在")
        assert (answer.status_code, "已经办结" in answer.text) == (422, True)
    row = office.world.row(elder)
    assert (row.status, row.closed_by, row.finding) == (Status.CLOSED, "李老师", "在家，都好")


@pytest.mark.parametrize("number", ["99", "0", "-1", "x", "1" * 30, "１"])
async def test_an_unknown_case_is_a_friendly_404(office: Office, number: str) -> None:
    for answer in (
        await office.client.get(f"/case/{number}"),
        await office.client.get(f"/recording/{number}/x.ulaw"),
    ):
        assert answer.status_code == 404
        assert "没有" in answer.text


async def test_acting_on_an_unknown_case(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    assert (await office.send("/case/99/close", by="李老师", finding="好")).status_code == 404
    assert (await office.send("/case/99/take-over", by="李老师")).status_code == 404


async def test_what_people_write_is_shown_as_text(office: Office) -> None:
    world = office.world
    elder, other = world.elder(NASTY, spoken_name=NASTY), world.elder("李建国")
    await world.to("08:00")
    await world.ends(
        elder, "not_well", detail={"text": NASTY, "engine": NASTY, "confidence": 0.5, "recording": '"><i>'}
    )
    await world.ends(other, "silent", "none")
    await office.send(f"/case/{office.case(elder)}/take-over", by=NASTY)
    wrong = await office.send(f"/case/{office.case(elder)}/close", by=NASTY, finding=" ")
    pages = [wrong.text]
    shown = await office.shown(f"/case/{office.case(elder)}")
    await office.send(f"/case/{office.case(elder)}/close", by=NASTY, finding=NASTY, **shown)
    for path in ("/", f"/case/{office.case(elder)}", "/sheet"):
        pages += [(await office.client.get(path)).text]
    for page in pages:
        assert "<script>alert" not in page
        assert '"><i>' not in page
        assert "&lt;script&gt;" in page


# ── who may ask ───────────────────────────────────────────────────────────────────────────────────

FOREIGN = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://127.0.0.1:9999"},
]


@pytest.mark.parametrize("headers", FOREIGN)
async def test_a_form_from_elsewhere_changes_nothing(office: Office, headers: dict[str, str]) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    before = office.world.row(elder)
    answer = await office.send(f"/case/{office.case(elder)}/close", headers, by="李老师", finding="都好")
    assert (answer.status_code, "没有保存" in answer.text) == (403, True)
    assert office.world.row(elder) == before
    own = {"sec-fetch-site": "same-origin", "origin": HERE}
    path = f"/case/{before.checkin_id}"
    form = {"finding": "都好", **await office.shown(path)}
    assert (await office.send(f"{path}/close", own, by="李老师", **form)).status_code == 303


@pytest.mark.parametrize("token", ["", "wrong", "王"])
async def test_a_form_without_our_token_changes_nothing(office: Office, token: str) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    await office.world.ends(elder, "silent", "none")
    before = office.world.row(elder)
    for path in ("close", "take-over"):
        answer = await office.client.post(
            f"/case/{before.checkin_id}/{path}", data={"by": "李老师", "finding": "都好", "token": token}
        )
        assert (answer.status_code, "页面已过期" in answer.text) == (403, True)
    assert office.world.row(elder) == before


async def test_a_malformed_form_is_refused_as_a_page(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    answer = await office.client.post(f"/case/{office.case(elder)}/close", files={"by": ("a.bin", b"\0")})
    assert (answer.status_code, "没有保存" in answer.text) == (422, True)


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_where_nothing_is_a_browser_gets_a_page_and_the_way_back(office: Office, method: str) -> None:
    answer = await office.client.request(method, "/rooster", headers={"accept": "text/html,*/*;q=0.8"})
    assert (answer.status_code, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "没有这一页" in answer.text
    assert "there is no such page" in answer.text
    assert '<a href="/">回到今天' in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize("path", ["/twilio/nothing", "/devices/1/x", "/healthz/x"])
async def test_machines_get_what_machines_read(office: Office, path: str) -> None:
    answer = await office.client.get(path, headers={"accept": "text/html"})
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not Found"})


async def test_who_asks_for_no_page_gets_none(office: Office) -> None:
    assert (await office.client.get("/rooster")).json() == {"detail": "Not Found"}


async def test_what_is_asked_for_in_a_wrong_way_is_a_page(office: Office) -> None:
    answer = await office.client.delete("/items", headers={"accept": "text/html"})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
    assert "不能这样打开" in answer.text


PATHS = ["/", "/case/1", "/sheet", "/healthz", "/static/console.css", "/recording/1/x"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"host": "evil.example"},
        {"host": "127.0.0.1.evil.example"},
        {"host": "192.168.1.5:8000"},
        {"host": ""},
        {"host": "127.0.0.1", "x-forwarded-for": "1.2.3.4"},
        {"host": "127.0.0.1", "forwarded": "for=1.2.3.4"},
        {"host": "127.0.0.1", "via": "1.1 proxy"},
    ],
)
async def test_nobody_else_gets_a_page(office: Office, path: str, headers: dict[str, str]) -> None:
    assert (await office.client.get(path, headers=headers)).status_code == 403


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:8000", "127.0.0.1"),
        ("LOCALHOST", "localhost"),
        ("[::1]:80", "::1"),
        ("[", ""),
        ("a@localhost", "localhost"),
    ],
)
def test_names_of_this_machine(host: str, name: str) -> None:
    assert host_name(host) == name


@pytest.mark.parametrize("path", [*PATHS, "/static/none.js"])
async def test_every_answer_forbids_storing_and_strangers(office: Office, path: str) -> None:
    headers = (await office.client.get(path)).headers
    assert headers["cache-control"] in ("no-store", "no-cache")
    assert headers["x-content-type-options"] == "nosniff"
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


# ── recordings ────────────────────────────────────────────────────────────────────────────────────


async def test_a_recording_plays_and_each_listening_is_written_down(office: Office) -> None:
    world = office.world
    elder = world.elder()
    await world.to("08:00")
    path = await office.not_well(elder)
    case = office.case(elder)
    for _ in range(2):  # a browser asks twice for one listening
        answer = await office.client.get(f"/recording/{case}/{path}")
    assert answer.headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(answer.content)) as audio:
        assert (audio.getframerate(), audio.getnchannels(), audio.getnframes()) == (8000, 1, 8000)
    await office.send(f"/case/{case}/take-over", by="李老师")
    await office.client.get(f"/recording/{case}/{path}")
    world.clock.advance(minutes=2)
    await office.client.get(f"/recording/{case}/{path}")
    with world.db.read() as session:
        told = [(event.what, event.who) for event in cases.events(session, case) if event.what == "listened"]
        log = session.scalars(select(CallEvent).where(CallEvent.kind == "listened")).all()
    assert told == [("listened", "周老师"), ("listened", "李老师"), ("listened", "李老师")]
    assert [event.detail["path"] for event in log] == [path] * 3
    assert "听了录音" in (await office.client.get(f"/case/{case}")).text


async def test_only_recordings_of_this_case_are_served(office: Office) -> None:
    world = office.world
    elder, other = world.elder(), world.elder("李建国")
    await world.to("08:30")
    path = await office.not_well(elder)
    (office.folder / "recordings" / "secret.ulaw").write_bytes(b"\xff")
    for asked in (
        f"{office.case(other)}/{path}",
        f"{office.case(elder)}/secret.ulaw",
        f"{office.case(elder)}/../wenan.db",
        f"{office.case(elder)}/%2e%2e/wenan.db",
        f"{office.case(elder)}/..%2fwenan.db",
        f"{office.case(elder)}//etc/passwd",
    ):
        assert (await office.client.get(f"/recording/{asked}")).status_code == 404
    with world.db.read() as session:
        assert session.scalars(select(CallEvent).where(CallEvent.kind == "listened")).all() == []


async def test_a_damaged_recording_is_said_to_be_damaged(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:00")
    path = await office.not_well(elder)
    (office.folder / "recordings" / path).write_bytes(b"\x00" * 10)
    answer = await office.client.get(f"/recording/{office.case(elder)}/{path}")
    assert (answer.status_code, "已损坏" in answer.text) == (404, True)


@pytest.mark.parametrize(
    ("kind", "detail", "shown"),
    [
        ("machine", {"answered_by": "human"}, ("真人接听", "")),
        ("machine", {"answered_by": "machine_start"}, ("答录机", "")),
        ("machine", {"answered_by": "machine_end_beep"}, ("答录机", "")),
        ("machine", {"answered_by": "unknown"}, ("不确定", "")),
        ("machine", {}, ("不确定", "")),
        ("status", {"status": "initiated", "sip": None}, ("拨出", "")),
        ("status", {"status": "ringing"}, ("振铃", "")),
        ("status", {"status": "in-progress"}, ("接通", "")),
        ("status", {"status": "completed"}, ("结束", "")),
        ("status", {"status": "busy", "sip": 486}, ("占线", "线路代码 486")),
        ("status", {"status": "no-answer"}, ("无人接听", "")),
        ("status", {"status": "something-new"}, ("something-new", "")),
    ],
)
def test_what_the_carrier_said_is_shown_in_chinese(kind: str, detail: dict[str, Any], shown: tuple[str, str]) -> None:
    assert words.entry_zh(Entry(kind, datetime.now(UTC), 0, detail)) == shown


@pytest.mark.parametrize(("answered_by", "shown"), [("human", "真人接听"), ("machine_end_beep", "答录机")])
async def test_the_case_page_says_who_picked_up(office: Office, answered_by: str, shown: str) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    await office.not_well(elder)
    with office.world.db.write() as session:
        session.execute(update(Call).values(answered_by=answered_by))
    page = (await office.client.get(f"/case/{office.case(elder)}")).text
    assert f"，{shown}</small>" in page
    assert answered_by not in page


async def test_a_database_that_only_reads_is_not_well(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(_work: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(office.world.db, "run", full)
    answers = [await office.client.get("/healthz") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [503, 503]
    assert "OSError" in answers[0].json()["database"]


async def test_a_note_that_names_an_elder_by_id_says_who_that_is(office: Office) -> None:
    elder = office.world.elder("许阿大")
    with office.world.db.read() as session:
        told = view.named(session, [f"EMERGENCY in call i1, person {elder}: act now", "nobody"])
    assert told[0].endswith(f"act now（许阿大，电话{national(office.world.person(elder).number)}）")
    assert told[1] == "nobody"
