"""Flagged calls as a browser asks for them: the queue, what is heard where, decisions by name."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import pytest

from checkins import cases
from checkins.case_rows import log_event
from checkins.ports import CallOutcome
from checkins.results import Reason, Status
from checkins.tables import Checkin, NumberState
from console import flagged_routes
from console.files import FOLDER
from ivr.records import CallEvent
from tests.e2e.office import NASTY, Office, open_office


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        yield office


async def _page(office: Office, path: str) -> str:
    answer = await office.client.get(path)
    assert answer.status_code == 200
    return answer.text


async def test_a_flagged_call_is_heard_decided_and_the_next_one_comes(office: Office) -> None:
    first, second, keys_only = (office.world.elder(name) for name in ("王秀英", "李建国", "赵阿英"))
    await office.world.to("08:30")
    await office.not_well(first)
    await office.not_well(second)
    await office.world.ends(keys_only, "not_well", "key")
    queue = await _page(office, "/flagged")
    assert queue.index("王秀英") < queue.index("李建国")
    assert "赵阿英" not in queue  # nothing of hers is recorded
    assert "还没有人听过" in queue
    case = office.case(first)
    page = await _page(office, f"/flagged/{case}")
    for word in (
        "头晕",
        "whisper 0.82",
        "不大好",
        "不好（没把握）",
        "data-peaks=",
        "您好,这里是…的自动语音电话。请问您是王阿婆",
    ):
        assert word in page
    assert page.count("<audio") == 1
    with office.world.db.read() as session:  # looking at it is no listening
        assert "listened" not in {event.what for event in cases.events(session, case)}
    path = re.search(r'src="(/recording/[^"]+)"', page)
    assert path
    shown = await office.shown(f"/flagged/{case}")
    answer = await office.send(f"/flagged/{case}/decide", by="李老师", decision="fine", note="", **shown)
    assert (answer.status_code, "您还没有听录音" in answer.text) == (422, True)
    await office.client.get(path.group(1))
    assert "听过" in await _page(office, f"/flagged/{case}")
    shown = await office.shown(f"/flagged/{case}")
    answer = await office.send(f"/flagged/{case}/decide", by="李老师", decision="fine", note="", **shown)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/flagged/{office.case(second)}")
    row = office.world.row(first)
    assert (row.status, row.closed_by) == (Status.CLOSED, "李老师")
    answer = await office.send(f"/flagged/{office.case(second)}/decide", by="李老师", decision="contact", note="")
    assert answer.headers["location"] == "/flagged"
    assert "没有要听的电话" in await _page(office, "/flagged")
    assert office.world.row(second).owner == "李老师"
    assert "决定：自己打电话联系" in await _page(office, f"/case/{office.case(second)}")


async def test_what_is_recorded_later_is_flagged_again(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    await office.not_well(elder)
    await office.send(f"/flagged/{office.case(elder)}/decide", by="李老师", decision="dispatch", note="")
    assert "没有要听的电话" in await _page(office, "/flagged")
    office.world.clock.advance(minutes=5)
    with office.world.db.write() as session:
        call = office.world.last_call(elder)
        more = {"recording": "x.ulaw"}
        session.add(CallEvent(call_id=call.id, at=office.world.clock.now(), kind="dictation", at_ms=1, detail=more))
    assert "王秀英" in await _page(office, "/flagged")


async def test_a_decision_that_takes_a_note_says_so_and_keeps_what_was_chosen(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    await office.not_well(elder)
    case = office.case(elder)
    for by, decision, note, says in (
        ("李老师", "", "", "请选一个决定"),
        ("李老师", "fine", "好" * 2001, "不超过 2000 个字"),
    ):
        answer = await office.send(f"/flagged/{case}/decide", by=by, decision=decision, note=note)
        assert (answer.status_code, says in answer.text) == (422, True)
    with office.world.db.write() as session:
        session.get_one(Checkin, case).reason = Reason.SILENT
    shown = await office.shown(f"/flagged/{case}")
    answer = await office.send(f"/flagged/{case}/decide", by="李老师", decision="fine", note="", **shown)
    assert "请写上怎么知道老人平安" in answer.text
    assert 'value="fine" data-key="1" required checked' in answer.text
    assert office.world.row(elder).status is Status.NEEDS_PERSON


@pytest.mark.parametrize(
    ("ranges", "heard"),
    [
        (["bytes=0-0"], False),
        (["bytes=0-0", "bytes=16043-16043"], False),
        (["bytes=8000-"], False),
        (["bytes=99999-"], False),
        (["bytes=0-1", "bytes=0-16043"], True),
        (["bytes=0-3999", "bytes=4000-7999", "bytes=8000-"], True),
        (["bytes=0-"], True),
        ([""], True),
    ],
)
async def test_who_was_given_a_few_bytes_has_not_listened(office: Office, ranges: list[str], heard: bool) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    path = await office.not_well(elder)
    case = office.case(elder)
    for each in ranges:
        await office.client.get(f"/recording/{case}/{path}", headers={"Range": each} if each else {})
    with office.world.db.read() as session:  # who opened it is written down all the same
        assert "listened" in {event.what for event in cases.events(session, case)}
    shown = await office.shown(f"/flagged/{case}")
    answer = await office.send(f"/flagged/{case}/decide", decision="fine", note="", **shown)
    assert answer.status_code == (303 if heard else 422)
    assert (office.world.row(elder).status is Status.CLOSED) == heard


async def _cries(office: Office, elder: str) -> None:
    """The end of the call, heard after the page was opened."""
    office.world.clock.advance(minutes=1)
    call = office.world.last_call(elder)
    await office.world.cycle.settle(CallOutcome(call.id, office.world.clock.now(), final=False, alarm="distress"))


@pytest.mark.parametrize(
    ("page", "act", "form"),
    [
        ("/flagged/{}", "/flagged/{}/decide", {"decision": "fine", "note": "打了电话，本人说没事"}),
        ("/flagged/{}", "/flagged/{}/decide", {"decision": "wrong_number", "note": "找错人了"}),
        ("/case/{}", "/case/{}/close", {"finding": "打了电话，本人说没事"}),
        ("/", "/case/{}/close", {"finding": "打了电话，本人说没事"}),
    ],
)
async def test_a_page_opened_before_a_cry_for_help_closes_nothing(
    office: Office, page: str, act: str, form: dict[str, str]
) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    path = await office.not_well(elder)
    case = office.case(elder)
    await office.client.get(f"/recording/{case}/{path}")
    stale = await office.shown(page.format(case))
    await _cries(office, elder)
    before = office.world.row(elder)
    for shown in (stale, {}):
        answer = await office.send(act.format(case), None, **form, **shown)
        assert (answer.status_code, "情况变了：您打开这一页以后有紧急求救" in answer.text) == (422, True)
        assert form.get("note", form.get("finding", "")) in answer.text
        assert office.world.row(elder) == before
    if "wrong_number" not in form.values():
        answer = await office.send(act.format(case), None, **form, **await office.shown(page.format(case)))
        assert (answer.status_code, office.world.row(elder).status) == (303, Status.CLOSED)


async def test_a_page_opened_before_another_recording_or_answer_closes_nothing(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    await office.not_well(elder)
    case = office.case(elder)
    path, form = f"/case/{case}", {"finding": "打了电话，本人说没事"}
    stale = await office.shown(path)
    office.world.clock.advance(minutes=1)
    call, more = office.world.last_call(elder), {"text": "", "recording": "later.ulaw"}
    with office.world.db.write() as session:
        session.add(CallEvent(call_id=call.id, at=office.world.clock.now(), kind="dictation", at_ms=1, detail=more))
    answer = await office.send(f"{path}/close", None, **form, **stale)
    assert (answer.status_code, "有新的录音" in answer.text) == (422, True)
    stale = await office.shown(path)
    with office.world.db.write() as session:
        log_event(session, session.get_one(Checkin, case), "own:not_well", "王秀英", office.world.clock.now())
    answer = await office.send(f"{path}/close", None, **form, **stale)
    assert (answer.status_code, "有新的消息" in answer.text) == (422, True)
    assert office.world.row(elder).status is Status.NEEDS_PERSON
    stale = await office.shown(path)
    with office.world.db.write() as session:  # what the line does by itself is no news
        log_event(session, session.get_one(Checkin, case), "ring:duty", "line", office.world.clock.now())
    assert (await office.send(f"{path}/close", None, **form, **stale)).status_code == 303


async def test_a_wrong_number_is_suspended(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    await office.not_well(elder)
    path = f"/flagged/{office.case(elder)}"
    await office.send(f"{path}/decide", by="李老师", decision="wrong_number", note="", **await office.shown(path))
    assert office.world.person(elder).number_state == NumberState.SUSPECT


async def test_a_second_person_sees_who_has_it_open(office: Office) -> None:
    elder = office.world.elder()
    await office.world.to("08:30")
    await office.not_well(elder)
    case = office.case(elder)
    office.log_in("LiLaoshi")
    await _page(office, f"/flagged/{case}")
    office.log_in("ChenLaoshi")
    assert "LiLaoshi 也打开着这一条" in await _page(office, f"/flagged/{case}")
    assert "LiLaoshi 也打开着这一条" in await _page(office, f"/flagged/{case}/who")
    office.log_in("Zhang")
    assert "ChenLaoshi、LiLaoshi 正在听" in await _page(office, "/flagged")
    office.world.clock.advance(minutes=1)
    assert "正在听" not in await _page(office, "/flagged")


async def test_what_was_said_is_shown_as_text_and_strangers_get_nothing(office: Office) -> None:
    elder = office.world.elder(NASTY, spoken_name=NASTY)
    await office.world.to("08:30")
    path = await office.not_well(elder)
    await office.second_pass(elder, path, f"摔倒了{NASTY}")
    case = office.case(elder)
    for address in ("/flagged", f"/flagged/{case}", f"/flagged/{case}/who"):
        page = await _page(office, address)
        assert "<script>alert" not in page
    assert '<mark class="distress"' in await _page(office, f"/flagged/{case}")
    policy = (await office.client.get(f"/flagged/{case}")).headers["content-security-policy"]
    assert f"style-src 'self' '{flagged_routes.WAVE_STYLE}'" in policy
    assert "unsafe" not in policy
    for address in ("/flagged/99", "/flagged/x", "/flagged/99/who"):
        assert (await office.client.get(address)).status_code == 404
    answer = await office.client.post(f"/flagged/{case}/decide", data={"decision": "fine", "by": "李", "token": "x"})
    assert answer.status_code == 403
    assert office.world.row(elder).status is Status.NEEDS_PERSON


def test_the_waveforms_own_style_is_the_one_that_the_page_allows() -> None:
    text = (FOLDER / "wavesurfer.min.js").read_text("utf-8")
    style = text[text.index("<style${") :].partition('"`:""}>')[2].partition("</style>")[0].replace("\\n", "\n")
    style = re.sub(r"\$\{this\.getHeight[^}]+\}", "72", style)
    assert "height: 72," in (FOLDER / "flagged.js").read_text("utf-8")
    assert "sha256-" + b64encode(sha256(style.encode()).digest()).decode() == flagged_routes.WAVE_STYLE
