"""办理: what staff see to of complaints, tickets and meetings, and each one's page: listened to, answered, arranged,
published, closed; and what a page that is stale, or whoever may not, doesn't do."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import event, select

from checkins.items import ItemKind
from community import tickets_staff
from community.tables import Dictation, Reply, Status
from community.tickets_tables import Booking, Ticket, TicketStatus
from console import live
from console.roles import Role
from console.wav import wav
from demo import clips
from ivr.records import CallEvent
from tests.e2e.matters import asks_for_a_taxi, complains
from tests.e2e.office import NASTY, Office, open_office
from tests.unit.community.hall import CHEN, SOLVED, ZHANG, Hall

ANSWER = "明天上午物业来修。"


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.log_in(CHEN)
        yield office


@pytest.fixture
def hall(office: Office) -> Hall:
    return Hall(office.world)


async def page(office: Office, path: str) -> str:
    answer = await office.client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.text


async def do(office: Office, path: str, what: str, seen: str = "", **form: str) -> tuple[int, str]:
    """As the page that is there now does it, or as one that has seen less."""
    if not seen:
        found = re.search(r'name="seen" value="(\d+)"', await page(office, path))
        assert found
        seen = found[1]
    answer = await office.send(f"{path}/{what}", seen=seen, **form)
    return answer.status_code, answer.text


async def listen(office: Office, number: int, kind: str = "complaints") -> None:
    found = re.search(rf'src="(/{kind}/{number}/said/\d+)"', await page(office, f"/{kind}/{number}"))
    assert found
    assert (await office.client.get(found[1])).status_code == 200


async def to_be_answered(office: Office, hall: Hall, **more: str) -> tuple[int, str]:
    number = await complains(office, hall, office.world.elder(), **more)
    await listen(office, number)
    return number, f"/complaints/{number}"


# ── the list ──────────────────────────────────────────────────────────────────────────────────────


async def test_what_is_overdue_comes_first_and_says_so_in_words(office: Office, hall: Hall) -> None:
    first, second = office.world.elder("王秀英"), office.world.elder("李建国")
    number = await complains(office, hall, first)
    hall.later(hours=1, minutes=45)
    ticket = await asks_for_a_taxi(office, second)
    shown = await page(office, "/board")
    assert shown.index(f">{ticket}<") < shown.index(f">{number}<")
    for word in ("还剩 10 分钟", "老人要帮忙，请接手", "叫车", "李建国", "有新的诉求，请听录音", "没有人"):
        assert word in shown
    assert "到期了，先办" not in shown
    hall.later(minutes=11)
    shown = await page(office, "/board")
    late, waiting = shown.split("等我们办")[0], shown
    assert "到期了，先办" in late
    assert "⚠ 已过期 1 分钟" in late
    assert waiting.index("到期了") < waiting.index(f">{ticket}<")


async def test_what_the_line_has_stands_below_and_the_rest_can_be_sifted(office: Office, hall: Hall) -> None:
    number, path = await to_be_answered(office, hall)
    ticket = await asks_for_a_taxi(office, office.world.elder("李建国"))
    assert (await do(office, path, "reply", text=ANSWER))[0] == 303
    shown = await page(office, "/board")
    assert shown.index("线路在办，或等本人") < shown.index(f">{number}<")
    for query, there in (
        ("kind=ticket", {ticket}),
        ("kind=complaint", {number}),
        ("owner=mine", {number}),
        ("owner=nobody", {ticket}),
        (f"owner={CHEN}", {number}),
        ("place=1", {number, ticket}),
        ("place=2", set()),
        ("place=x", set()),
    ):
        shown = await page(office, f"/board?{query}")
        assert {one for one in (number, ticket) if f">{one}<" in shown} == there, query


async def test_a_meeting_stands_there_until_its_outcome_is_written(office: Office, hall: Hall) -> None:
    _, path = await to_be_answered(office, hall)
    status, _ = await do(office, path, "fix", at="2026-03-03T14:00", where="居委会", with_whom="楼上邻居")
    assert status == 303
    assert "明天 14:00 见面" in await page(office, "/board?kind=meeting")
    hall.later(hours=30)
    assert "请写上结果" in await page(office, "/board?kind=meeting")
    meeting = re.search(r'name="meeting" value="([^"]+)"', await page(office, path))
    assert meeting
    assert (await do(office, path, "met", meeting=meeting[1], outcome="楼上换管子"))[0] == 303
    assert "见面，请写上结果" not in await page(office, "/board?kind=meeting")
    assert "楼上换管子" in await page(office, path)


async def test_many_are_shown_in_a_few_queries(office: Office, hall: Hall) -> None:
    elder, asked = office.world.elder(), list[str]()
    await complains(office, hall, elder)

    def count(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(office.world.db.engine, "before_cursor_execute", count)
    await page(office, "/board")
    few = len(asked)
    for n in range(2, 12):
        await complains(office, hall, elder, call=f"call-{n}")
    asked.clear()
    await page(office, "/board")
    assert len(asked) <= few + 1


# ── a complaint ───────────────────────────────────────────────────────────────────────────────────


async def test_whoever_has_listened_to_all_may_answer_and_it_is_written_down(office: Office, hall: Hall) -> None:
    elder = office.world.elder()
    number = await complains(office, hall, elder)
    path = f"/complaints/{number}"
    shown = await page(office, path)
    for word in ("还没有人听", "vosk 0.80", "楼上", "先听录音，再答复", "（猜的"):
        assert word in shown, word
    status, refused = await do(office, path, "reply", text=ANSWER)
    assert (status, ANSWER in refused) == (422, True)
    assert "先听，再答复" in refused
    await listen(office, number)
    row = hall.complaint(number)
    assert (row.status, row.heard_by, row.owner) == (Status.HEARD, CHEN, CHEN)
    assert hall.events(number)[-2:] == [("listened", CHEN), ("heard", CHEN)]
    kept = hall.look(lambda session: session.scalars(select(CallEvent).where(CallEvent.kind == "listened")).one())
    assert kept.detail["who"] == CHEN
    assert (await do(office, path, "reply", text=ANSWER))[0] == 303
    assert hall.complaint(number).status == Status.ANSWERED
    assert ANSWER in await page(office, path)


async def test_a_few_bytes_of_a_recording_are_no_listening(office: Office, hall: Hall) -> None:
    number = await complains(office, hall, office.world.elder())
    path = f"/complaints/{number}"
    said = f"{path}/said/{hall.dictations()[0].id}"
    for piece, status in (("bytes=0-1", 206), ("bytes=-2", 206), ("bytes=99999999-", 416)):
        assert (await office.client.get(said, headers={"range": piece})).status_code == status
    assert hall.events(number)[-1] == ("listened", CHEN), "opened"
    assert hall.complaint(number).heard_at is None
    assert (await do(office, path, "reply", text=ANSWER))[0] == 422
    await office.client.get(said, headers={"range": "bytes=2-"})  # with it all of it was given
    assert hall.events(number)[-1] == ("heard", CHEN)


async def test_nobody_answers_with_a_recording_of_somebody_else(office: Office, hall: Hall) -> None:
    number, path = await to_be_answered(office, hall)
    headers = {"content-type": "audio/wav", "x-csrf-token": await office.token()}
    voice = wav(clips.load()("zm_yunxi/tell_dizzy"))
    sound = (await office.client.post("/sounds", content=voice, headers=headers)).json()["id"]
    office.log_in(ZHANG)
    for which in (sound, "../" + sound, "x" * 32):
        status, shown = await do(office, path, "reply", text=ANSWER, sound=which)
        assert status == 422, which
        assert ANSWER in shown
    assert hall.look(lambda session: session.scalars(select(Reply)).all()) == []
    assert hall.complaint(number).status == Status.HEARD


async def test_what_cannot_be_listened_to_is_asked_by_telephone(office: Office, hall: Hall) -> None:
    number = await complains(office, hall, office.world.elder())
    with office.world.db.write() as session:
        session.scalars(select(Dictation)).one().recording = "2026/03/02/gone.ulaw"
    path = f"/complaints/{number}"
    said = re.search(rf'src="({path}/said/\d+)"', await page(office, path))
    assert said
    assert (await office.client.get(said[1])).status_code == 404
    assert hall.complaint(number).status == Status.SENT
    assert (await do(office, path, "heard", words=""))[0] == 422
    assert (await do(office, path, "heard", words="电梯停在三楼"))[0] == 303
    assert hall.complaint(number).status == Status.HEARD


async def test_an_answer_in_ones_own_voice_is_kept_with_the_recordings(office: Office, hall: Hall) -> None:
    _, path = await to_be_answered(office, hall)
    headers = {"content-type": "audio/wav", "x-csrf-token": await office.token()}
    voice = wav(clips.load()("zm_yunxi/tell_dizzy"))
    sound = (await office.client.post("/sounds", content=voice, headers=headers)).json()["id"]
    status, shown = await do(office, path, "reply", seen="0", sound=sound)
    assert status == 422
    assert f'value="{sound}"' in shown  # it is there to be sent again
    assert (await do(office, path, "reply", sound=sound))[0] == 303
    reply = hall.look(lambda session: session.scalars(select(Reply)).one())
    assert reply.recording is not None
    assert office.recordings.read(reply.recording)
    played = await office.client.get(f"{path}/reply/1")
    assert (played.status_code, played.headers["content-type"]) == (200, "audio/wav")
    status, shown = await do(office, path, "reply", sound=sound)
    assert status == 422
    assert "录音已经不在了" in shown


async def test_a_stale_page_changes_nothing_and_keeps_what_was_typed(office: Office, hall: Hall) -> None:
    number, path = await to_be_answered(office, hall)
    found = re.search(r'name="seen" value="(\d+)"', await page(office, path))
    assert found
    assert (await do(office, path, "reply", text=ANSWER))[0] == 303
    before = hall.events(number)
    office.log_in(ZHANG)
    for what, form in (
        ("reply", {"text": "我的答复"}),
        ("close", {"found": "不在家"}),
        ("sort", {"category": "漏水", "where": "3号"}),
        ("level-above", {}),
        ("take", {"had": CHEN}),
        ("said", {"outcome": "solved", "how": "in_person", "words": "好了"}),
    ):
        status, shown = await do(office, path, what, seen=found[1], **form)
        assert status == 422, what
        assert "这一页打开以后有变化（陈老师写答复）" in shown
    assert hall.events(number) == before
    status, shown = await do(office, path, "reply", seen=found[1], text="我的答复")
    assert "我的答复</textarea>" in shown


async def test_it_is_taken_from_whoever_the_page_shows_and_nobody_else(office: Office, hall: Hall) -> None:
    number, path = await to_be_answered(office, hall)
    office.log_in(ZHANG)
    status, shown = await do(office, path, "take", had="")
    assert (status, "陈老师已经接手" in shown) == (422, True)
    assert (await do(office, path, "take", had=CHEN))[0] == 303
    assert hall.complaint(number).owner == ZHANG
    assert (await do(office, path, "assign", to=CHEN))[0] == 303
    assert hall.complaint(number).owner == CHEN


async def test_what_they_say_in_person_closes_it(office: Office, hall: Hall) -> None:
    number, path = await to_be_answered(office, hall)
    await do(office, path, "reply", text=ANSWER)
    status, shown = await do(office, path, "said", outcome="solved", how="told", words="修好了")
    assert (status, "线路会自己打电话问" in shown) == (422, True)
    status, shown = await do(office, path, "close", found="家里没人")
    assert (status, "才能结案" in shown) == (422, True)
    assert (await do(office, path, "said", outcome="solved", how="in_person", words="修好了"))[0] == 303
    row = hall.complaint(number)
    assert (row.status, row.close_reason) == (Status.CLOSED, SOLVED)
    shown = await page(office, path)
    assert "已结案" in shown
    assert "/reply" not in shown.split("经过")[0].replace("reply-", "")


async def test_no_name_door_or_number_is_published(office: Office, hall: Hall) -> None:
    number, path = await to_be_answered(office, hall, wish="public")
    assert hall.complaint(number).wish == "public"
    whose = re.search(r"<b>([^<]+)</b></a>", await page(office, path))
    assert whose
    for text in (f"{whose[1]}家里漏水", f"{whose[1][0]}阿婆说漏水"):
        status, shown = await do(office, path, "publish", text=text)
        assert (status, "看得出是谁" in shown) == (422, True), text
    assert "还没有公开的事" in await page(office, "/hall")
    assert (await do(office, path, "publish", text="有居民反映楼道漏水"))[0] == 303
    await do(office, path, "level-above")
    shown = await page(office, "/hall")
    for word in ("有居民反映楼道漏水", "在办", "已上报街道", f"/complaints/{number}"):
        assert word in shown
    assert whose[1] not in shown.split("<main")[1]
    await do(office, path, "reply", text=ANSWER)
    assert ANSWER not in await page(office, "/hall"), "what one person was told is nobody else's"


async def test_times_are_offered_to_both_and_called_off(office: Office, hall: Hall) -> None:
    office.world.elder("李建国")
    number, path = await to_be_answered(office, hall)
    for times, word in (
        ({"time1": "2026-03-02T10:00"}, "两小时以后"),
        ({"time1": "2026-03-04T14:07"}, "整刻"),
        ({"time1": "2026-03-04T03:00"}, "早上7点到晚上9点"),
        ({"time1": "9999-12-31T23:59"}, "天以内"),
        ({"time1": "明天"}, "时间写得不对"),
        ({}, "一到4个时间"),
        ({"time1": "2026-03-04T14:00", "other": "没有这个人"}, "登记里没有"),
    ):
        status, shown = await do(office, path, "offer", where="居委会", with_whom="邻居", **times)
        assert (status, word in shown) == (422, True), word
    times = {"time1": "2026-03-04T14:00", "time2": "2026-03-05T10:00"}
    assert (await do(office, path, "offer", where="居委会", other="李建国", **times))[0] == 303
    shown = await page(office, path)
    assert "后天 14:00、03-05 10:00" in shown
    assert "李建国" in shown
    assert (await do(office, path, "call-off", why="楼上没空", meeting=""))[0] == 303
    assert "线路在问本人" not in await page(office, path)
    assert "meeting_offered" in [what for what, _ in hall.events(number)]


async def test_everything_typed_is_shown_as_text(office: Office, hall: Hall) -> None:
    _, path = await to_be_answered(office, hall)
    assert (await do(office, path, "discuss", who=NASTY, text=NASTY))[0] == 303
    assert (await do(office, path, "visit", found=NASTY))[0] == 303
    assert (await do(office, path, "fix", at="2026-03-03T14:00", where=NASTY, with_whom=NASTY))[0] == 303
    assert (await do(office, path, "reply", text=NASTY))[0] == 303
    for address in (path, "/board", "/board?owner=" + NASTY):
        assert NASTY not in await page(office, address)


async def test_who_may_not_is_offered_nothing_and_refused(office: Office, hall: Hall) -> None:
    _, path = await to_be_answered(office, hall)
    office.log_in("审计员", Role.AUDITOR)
    for address in ("/board", "/hall"):
        await page(office, address)
    shown = await page(office, path)
    assert 'class="deed"' not in shown
    assert "<audio" not in shown
    said = hall.dictations()[0].id
    assert (await office.client.get(f"{path}/said/{said}")).status_code == 403
    assert (await office.send(f"{path}/reply", text=ANSWER)).status_code == 403
    for address in ("/complaints/9", "/complaints/x", f"/complaints/{10**30}", "/tickets/9"):
        assert (await office.client.get(address)).status_code == 404
    office.log_in(CHEN)
    assert (await office.client.get(f"{path}/said/{said + 1}")).status_code == 404
    assert (await office.send(f"{path}/nothing")).status_code == 404
    assert (await office.send("/complaints/9/close")).status_code == 404


# ── a ticket ──────────────────────────────────────────────────────────────────────────────────────


def ticket_of(hall: Hall) -> Ticket:
    return hall.look(lambda session: session.scalars(select(Ticket)).one())


async def test_a_ticket_is_taken_booked_and_read_back(office: Office, hall: Hall) -> None:
    number = await asks_for_a_taxi(office, office.world.elder())
    path = f"/tickets/{number}"
    shown = await page(office, path)
    for word in ("叫车", "还剩 10 分钟", "老人要帮忙，请接手", "明天上午"):
        assert word in shown, word
    await listen(office, number, "tickets")
    assert (await do(office, path, "take", had=""))[0] == 303
    assert (ticket_of(hall).status, ticket_of(hall).owner) == (TicketStatus.TAKEN, CHEN)
    for form, word in (
        ({}, "请写上约好了什么"),
        ({"text": "长" * 301}, "最多"),
        ({"text": "好", "before": "2026-03-01T08:00"}, "已经过了"),
        ({"text": "好", "before": "x"}, "时间写得不对"),
    ):
        status, shown = await do(office, path, "book", **form)
        assert (status, word in shown) == (422, True), word
    assert (await do(office, path, "book", text="明早八点车来", before="2026-03-03T07:30"))[0] == 303
    booking = hall.look(lambda session: session.scalars(select(Booking)).one())
    assert (booking.text, booking.due_at is not None) == ("明早八点车来", True)
    assert "线路会打电话告诉本人" in await page(office, path)
    assert (await do(office, path, "told", words="告诉她了"))[0] == 303
    assert ticket_of(hall).status == TicketStatus.READ_BACK
    assert (await do(office, path, "close"))[0] == 303
    assert ticket_of(hall).status == TicketStatus.CLOSED
    assert (await do(office, path, "told", seen="999999", words="再说"))[0] == 422


async def test_a_ticket_that_cannot_be_had_is_told_by_a_person(office: Office, hall: Hall) -> None:
    number = await asks_for_a_taxi(office, office.world.elder())
    path = f"/tickets/{number}"
    assert (await do(office, path, "cannot", words=""))[0] == 422
    assert (await do(office, path, "cannot", words="今天没有车了"))[0] == 303
    assert ticket_of(hall).close_reason == tickets_staff.CANNOT
    assert ItemKind.TICKET_NEW not in hall.todo()


async def test_a_stale_page_of_a_ticket_changes_nothing(office: Office, hall: Hall) -> None:
    number = await asks_for_a_taxi(office, office.world.elder())
    path = f"/tickets/{number}"
    found = re.search(r'name="seen" value="(\d+)"', await page(office, path))
    assert found
    await do(office, path, "take", had="")
    office.log_in(ZHANG)
    for what, form in (("take", {"had": ""}), ("book", {"text": "好"}), ("cannot", {"words": "没有"})):
        status, shown = await do(office, path, what, seen=found[1], **form)
        assert (status, "这一页打开以后有变化（陈老师接下）" in shown) == (422, True), what
    assert ticket_of(hall).owner == CHEN


# ── beside it ─────────────────────────────────────────────────────────────────────────────────────


async def test_open_pages_hear_of_it(office: Office, hall: Hall) -> None:
    number = await complains(office, hall, office.world.elder())
    with office.world.db.read() as session:
        seen, _ = live.look(session, live.Seen())
    hall.later(minutes=1)
    await listen(office, number)
    with office.world.db.read() as session:
        _, topics = live.look(session, seen)
    assert {"complaints", f"complaint-{hall.complaint(number).id}", "items"} <= topics
