"""The JSON API as a street office's program asks for it: who gets in, what is done once, refused, told."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from checkins import items, register_log
from checkins.ports import CallOutcome
from checkins.results import Status
from checkins.tables import CheckinEvent, State
from community.ballot_tables import BallotEvent
from console import access, tokens
from console.roles import Role
from console.scopes import SCOPES, Scope
from console.tokens_tables import ApiAnswer, ApiToken
from tests.e2e.office import Office, open_office
from tests.fakes.tokens import PROGRAM, token_of
from tests.unit.community.hall import CHEN, Hall
from tests.unit.community.vote import Vote

API = "/api/v1"
Answer = httpx.Response
LI = "李主任"
AGREED = {"calls": True, "recording": True, "street": True}


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    async with open_office(tmp_path) as office:
        office.client.cookies.clear()
        yield office


class Program:
    """Another office's program, with a token of these scopes."""

    def __init__(self, office: Office, *scopes: str, name: str = PROGRAM) -> None:
        self.office, self.token = office, token_of(office.world.db, office.world.clock.now(), scopes or Scope, name)

    async def get(self, path: str, **more: Any) -> httpx.Response:
        return await self.ask("GET", path, **more)

    async def post(self, path: str, key: str = "", **body: Any) -> httpx.Response:
        headers = {"Idempotency-Key": key} if key else {}
        return await self.ask("POST", path, headers=headers, json={"person": LI, **body})

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> httpx.Response:
        told = {"Authorization": f"Bearer {self.token}", **(headers or {})}
        return await self.office.client.request(method, API + path, headers=told, **more)


def told(answer: httpx.Response, status: int) -> dict[str, Any]:
    """A problem as RFC 9457 has it, in both languages."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    problem: dict[str, Any] = answer.json()
    assert problem["status"] == status
    assert problem["detail"]
    assert re.search("[一-鿿]", problem["detail_zh"])
    return problem


# ── who gets in ───────────────────────────────────────────────────────────────────────────────────


def addresses() -> list[tuple[str, str, Scope]]:
    routes = ((*route.split(" ", 1), scope) for route, scope in SCOPES.items())
    return [(method, re.sub(r"\{[^}]+\}", "1", path).removeprefix(API), scope) for method, path, scope in routes]


async def test_every_address_takes_its_scope_and_no_other(office: Office) -> None:
    for scope in Scope:
        right = Program(office, scope, name=f"有{scope}")
        wrong = Program(office, *(other for other in Scope if other != scope), name=f"没有{scope}")
        for method, path, wanted in addresses():
            if wanted is scope:
                assert (await right.ask(method, path, json={})).status_code not in (401, 403), path
                assert scope in told(await wrong.ask(method, path, json={}), 403)["detail"]


async def test_nobody_gets_in_without_a_token_and_cookies_are_none(office: Office) -> None:
    office.log_in("主任", Role.SUPERVISOR)
    for headers in ({}, {"Authorization": "Bearer wenan_wrong"}, {"Authorization": "Basic dTpw"}):
        for method, path, _ in addresses():
            answer = await office.client.request(method, API + path, headers=headers, json={})
            told(answer, 401)
            assert answer.headers["www-authenticate"].startswith("Bearer")
            assert not any(name.startswith("access-control") for name in answer.headers)


async def test_a_token_that_is_revoked_or_expired_opens_nothing(office: Office) -> None:
    program, clock, db = Program(office, Scope.CASES_READ), office.world.clock, office.world.db
    assert (await program.get("/cases")).status_code == 200
    with db.read() as session:
        row = tokens.by_name(session, PROGRAM)
        assert str(row.used_on) == "2026-03-02"
        assert program.token not in (row.hashed, row.name)
    clock.advance(days=365)
    told(await program.get("/cases"), 401)
    other = Program(office, Scope.CASES_READ, name="另一个")
    assert (await other.get("/cases")).status_code == 200
    with db.write() as session:
        tokens.revoke(session, tokens.by_name(session, "另一个").id, "主任", clock.now())
    told(await other.get("/cases"), 401)


async def test_a_token_has_a_pace(office: Office) -> None:
    program, pace = Program(office, Scope.CASES_READ), office.deps.pace
    pace.burst, pace.a_second = 3, 0.001
    assert [(await program.get("/cases")).status_code for _ in range(4)] == [200, 200, 200, 429]
    late = await program.get("/cases")
    told(late, 429)
    assert int(late.headers["retry-after"]) > 900
    assert (await Program(office, Scope.CASES_READ, name="另一个").get("/cases")).status_code == 200


async def test_what_is_no_json_or_too_long_is_refused_before_it_is_read(office: Office) -> None:
    program = Program(office)
    told(await program.ask("POST", "/items/1/done", content=b"a=1", headers={"Content-Type": "text/plain"}), 415)
    json = {"Content-Type": "application/json"}
    told(await program.ask("POST", "/items/1/done", content=b" " * 70_000, headers=json), 413)
    told(await program.ask("POST", "/items/1/done", content=b"\xff{", headers=json), 400)
    for body in (b"{", b'{"person": "\\ud800"}', b'{"person": "a\\u0000b"}', b'{"person": "x", "more": 1}', b"[]"):
        told(await program.ask("POST", "/items/1/done", content=body, headers=json), 422)
    told(await program.ask("DELETE", "/items"), 405)
    told(await program.get("/nothing"), 404)


async def test_from_elsewhere_it_answers_only_at_the_consoles_own_address(office: Office) -> None:
    program = Program(office)
    told(await program.get("/cases", headers={"Host": "evil.example"}), 403)
    told(await program.get("/cases", headers={"X-Forwarded-For": "10.0.0.1"}), 403)
    office.deps.door.url = "https://console.example.org"
    through = {"Host": "console.example.org", "X-Forwarded-For": "10.0.0.1"}
    assert (await program.get("/cases", headers=through)).status_code == 200


def test_the_table_has_a_scope_for_every_route_of_the_api() -> None:
    routes = [route for route in access.ROUTES if f" {API}/" in route]
    assert {route for route in routes if not access.ROUTES[route].scope} == {f"GET {API}/openapi.json"}


# ── cases ─────────────────────────────────────────────────────────────────────────────────────────


async def test_a_case_is_taken_over_and_closed_by_a_name_that_the_log_has(office: Office) -> None:
    world, program = office.world, Program(office)
    elder = world.elder("王秀英", consents=AGREED)
    await world.to("08:30")
    await office.not_well(elder)
    found = (await program.get("/cases")).json()
    (one,) = found["items"]
    assert (one["elder"], one["status"], one["reason"], one["owner"]) == (elder, "needs_person", "not_well", None)
    assert "王秀英" not in str(found)
    case = f"/cases/{one['id']}"
    assert (await program.post(f"{case}/take-over")).json()["owner"] == f"{LI}（{PROGRAM}）"
    read = (await program.get(case)).json()
    closed = await program.post(
        f"{case}/close", finding="去看过了，吃了药", seen=read["seen"], recorded_at=read["recorded_at"]
    )
    assert closed.status_code == 200
    assert world.row(elder).status is Status.CLOSED
    assert world.row(elder).closed_by == f"{LI}（{PROGRAM}）"
    told(await program.post(f"{case}/close", finding="再来一次", seen=closed.json()["seen"]), 409)


async def test_nobody_closes_what_they_have_not_seen_nor_takes_what_somebody_has(office: Office) -> None:
    world, program = office.world, Program(office)
    elder = world.elder("王秀英", consents=AGREED)
    await world.to("08:30")
    await office.not_well(elder)
    number = office.case(elder)
    read = (await program.get(f"/cases/{number}")).json()
    call = world.last_call(elder)
    await world.cycle.settle(CallOutcome(call.id, world.clock.now(), final=False, alarm="distress", alarm_person=elder))
    problem = told(await program.post(f"/cases/{number}/close", finding="没事", seen=read["seen"]), 409)
    assert "紧急求救" in problem["detail_zh"]
    assert world.row(elder).status is Status.NEEDS_PERSON
    (emergency,) = (await program.get("/emergencies")).json()
    assert (emergency["case"], emergency["owner"]) == (number, None)
    office.log_in()
    await office.send(f"/case/{number}/take-over")
    told(await program.post(f"/cases/{number}/take-over"), 409)
    assert (await program.post(f"/cases/{number}/take-over", had="周老师")).status_code == 200
    told(await program.post(f"/cases/{number}/close", finding="。。。", seen=10**6), 422)
    told(await program.post("/cases/77/take-over"), 404)


async def test_how_an_elder_is_stays_with_the_committee_without_consent(office: Office) -> None:
    world, program = office.world, Program(office)
    elder = world.elder("王秀英")
    await world.to("08:30")
    await office.not_well(elder)
    (one,) = (await program.get("/cases")).json()["items"]
    assert (one["status"], one["urgency"], one["reason"], one["result"]) == ("needs_person", "soon", None, None)
    assert (await program.get("/elders", params={"q": "王秀英"})).json()["items"] == []
    shown = (await program.get(f"/elders/{elder}")).json()
    assert (shown["shared"], shown["name"], shown["number"], shown["state"]) == (False, None, None, "active")
    told(await program.get(f"/cases/{one['id']}/recordings"), 403)


async def test_a_recording_is_heard_by_a_name_that_is_written_down_first(office: Office) -> None:
    world, program = office.world, Program(office)
    elder = world.elder("王秀英", consents=AGREED)
    await world.to("08:30")
    await office.not_well(elder)
    case = f"/cases/{office.case(elder)}/recordings"
    assert [each["number"] for each in (await program.get(case)).json()] == [1]
    told(await program.get(f"{case}/1"), 422)
    told(await program.get(f"{case}/2", headers={"X-Person": "Li"}), 404)
    heard = await program.get(f"{case}/1", headers={"X-Person": "%E6%9D%8E%E4%B8%BB%E4%BB%BB"})
    assert heard.headers["content-type"] == "audio/wav"
    assert heard.content[:4] == b"RIFF"
    with world.db.read() as session:
        who = session.scalars(select(CheckinEvent.who).where(CheckinEvent.what == "listened")).all()
    assert who == [f"{LI}（{PROGRAM}）"]


async def test_lists_come_in_pages_that_neither_skip_nor_repeat(office: Office) -> None:
    world, program = office.world, Program(office)
    made = {world.elder(f"王{nth}", consents=AGREED) for nth in range(5)}
    found, after = [], ""
    while after is not None:
        page = (await program.get("/elders", params={"limit": 2, "after": after})).json()
        found += [each["id"] for each in page["items"]]
        after = page["next"]
        if len(found) == 2:
            made.add(world.elder("后来", id="ffffffff-0000", consents=AGREED))
    assert len(found) == len(set(found))
    assert set(found) == made
    assert (await program.get("/elders", params={"q": "王3"})).json()["items"][0]["name"] == "王3"


async def test_a_number_is_no_day_and_no_moment(office: Office) -> None:
    """It would be taken for seconds since 1970: of a slip of the pen, an empty list or a notice for years."""
    world, program = office.world, Program(office)
    elder, until = world.elder("王秀英", consents=AGREED), "2026-03-05T00:00:00+08:00"
    await world.to("08:30")
    assert len((await program.get("/cases", params={"day": "2026-03-02"})).json()["items"]) == 1
    for day in ("0", "1772409600", "2026-3-2", "2026-03-02T00:00:00", "-1", "", "٢026-03-02"):
        assert told(await program.get("/cases", params={"day": day}), 422)["field"] == "query.day"
    seen = (await program.get(f"/elders/{elder}")).json()["seen"]
    paused = await program.post(f"/elders/{elder}/state", state="paused", until=1772409600, how="phone", seen=seen)
    assert told(paused, 422)["field"] == "body.until"
    for moment in (1772668800, "1772668800", "2026-03-05", "2026-03-05T00:00:00"):
        sent = await program.post("/notices", neighbourhood=world.place_id, text="明天停水", until=moment)
        assert told(sent, 422)["field"] == "body.until"
    assert (
        await program.post("/notices", neighbourhood=world.place_id, text="明天停水", until=until)
    ).status_code == 200


# ── once ──────────────────────────────────────────────────────────────────────────────────────────


async def test_the_same_key_does_nothing_twice_and_another_body_is_refused(office: Office) -> None:
    world, program = office.world, Program(office)
    body = {"neighbourhood": 1, "text": "明天停水", "until": "2026-03-05T00:00:00+08:00"}
    first = await program.post("/notices", "k-1", **body)
    again = await program.post("/notices", "k-1", **body)
    assert (first.status_code, again.status_code, first.json()) == (200, 200, again.json())
    assert again.headers["idempotent-replayed"] == "true"
    other = told(await program.post("/notices", "k-1", **{**body, "text": "后天停水"}), 422)
    assert "幂等键" in other["detail_zh"]
    assert (await Program(office, name="另一个").post("/notices", "k-1", **body)).headers.get(
        "idempotent-replayed"
    ) is None
    assert len((await program.get("/notices")).json()["items"]) == 1
    world.clock.advance(days=1, minutes=1)
    assert "idempotent-replayed" not in (await program.post("/notices", "k-1", **body)).headers


async def test_what_was_refused_is_tried_anew_with_the_same_key(office: Office) -> None:
    world, program = office.world, Program(office)
    elder = world.elder()
    told(await program.post("/items/1/done", "k-2"), 404)
    with world.db.write() as session:
        person = session.get_one(type(world.person(elder)), elder)
        items.ring_back(session, "call-1", person, world.clock.now())
    done = await program.post("/items/1/done", "k-2")
    assert (done.status_code, done.json()["done_by"]) == (200, f"{LI}（{PROGRAM}）")
    assert (await program.post("/items/1/done", "k-2")).json() == done.json()
    told(await program.post("/items/1/done", "k-3"), 404)


async def test_a_kept_answer_tells_nobody_who_reads_the_database_what_was_asked(office: Office) -> None:
    program = Program(office)
    await program.post("/notices", "k-1", neighbourhood=1, text="明天停水", until="2026-03-05T00:00:00Z")
    with office.world.db.read() as session:
        (kept,) = session.scalars(select(ApiAnswer))
        assert session.scalars(select(ApiToken.hashed)).all() != [kept.asked]
        assert len(kept.asked) == 64


# ── elders, complaints, notices, ballots, roster ──────────────────────────────────────────────────


async def test_an_elders_state_is_changed_on_somebodys_word_unless_it_changed_meanwhile(office: Office) -> None:
    world, program = office.world, Program(office)
    elder = world.elder("王秀英", consents=AGREED)
    read = (await program.get(f"/elders/{elder}")).json()
    pause = {"state": "paused", "until": "2026-03-09", "said_by": "女儿", "how": "phone", "seen": read["seen"]}
    told(await program.post(f"/elders/{elder}/state", state="paused", seen=read["seen"]), 422)
    paused = (await program.post(f"/elders/{elder}/state", **pause)).json()
    assert (paused["state"], paused["state_until"]) == ("paused", "2026-03-09")
    assert world.person(elder).state == State.PAUSED
    told(await program.post(f"/elders/{elder}/state", state="active", seen=read["seen"]), 409)
    with world.db.read() as session:
        last = session.scalars(select(register_log.PersonEvent).order_by(register_log.PersonEvent.id.desc())).first()
        assert last is not None
        assert (last.by, last.said_by) == (f"{LI}（{PROGRAM}）", "女儿")
    told(await program.get("/elders/nobody"), 404)


async def test_a_complaint_is_answered_discussed_and_published_without_saying_whose(office: Office) -> None:
    world, program = office.world, Program(office)
    hall, elder = Hall(world), world.elder("王秀英")
    number = await hall.complains(elder)
    complaint = f"/complaints/{number}"
    read = (await program.get(complaint)).json()
    assert (read["elder"], read["name"], read["place"]) == (elder, None, None)
    assert "王秀英" not in str(read)
    told(await program.post(f"{complaint}/reply", text="明天来修。", seen=read["seen"]), 422)  # nobody has listened
    hall.hears(number)
    told(await program.post(f"{complaint}/reply", text="明天来修。", seen=read["seen"]), 409)
    read = (await program.get(complaint)).json()
    answered = await program.post(f"{complaint}/reply", text="明天来修。", seen=read["seen"])
    assert answered.json()["replies"][0]["text"] == "明天来修。"
    discussed = await program.post(f"{complaint}/discuss", who="物业", text="管子老了")
    assert discussed.json()["events"][-1]["what"] == "discussed"
    assert (await program.post(f"{complaint}/assign", to=CHEN)).json()["owner"] == CHEN
    assert (await program.post(f"{complaint}/level-above")).json()["level_above"] is True
    marked = (await program.get("/complaints", params={"level_above": True})).json()["items"]
    assert [each["number"] for each in marked] == [number]
    told(await program.post(f"{complaint}/publish", text="楼上漏水", seen=10**6), 409)
    told(await program.get("/complaints/9999"), 404)


async def test_a_notice_is_published_once_and_withdrawn_and_says_whom_it_did_not_reach(office: Office) -> None:
    world, program = office.world, Program(office)
    elder = world.elder("王秀英", address="3号楼502室")
    body = {"neighbourhood": world.place_id, "text": "明天停水", "until": "2026-03-05T00:00:00+08:00"}
    assert told(await program.post("/notices", **body, buildings=["9号楼"]), 422)["field"] == "body.buildings"
    posted = (await program.post("/notices", **body, buildings=["3号楼"])).json()
    assert posted["by"] == f"{LI}（{PROGRAM}）"
    (unheard,) = (await program.get(f"/notices/{posted['number']}/unheard")).json()
    assert unheard == {"elder": elder, "heard": False, "line": True, "given_up": False}
    assert (await program.post(f"/notices/{posted['number']}/withdraw")).json()["withdrawn_by"]
    assert (await program.get("/notices")).json()["items"] == []
    told(await program.post("/notices", **{**body, "until": "2020-01-01T00:00:00Z"}), 422)
    told(await program.post("/notices", **{**body, "neighbourhood": 9}), 404)
    told(await program.post("/notices", **{**body, "until": "0001-01-01T00:00:00+23:00"}), 422)


async def test_a_paper_counts_once_and_nothing_says_who_chose_what(office: Office) -> None:
    world, program = office.world, Program(office)
    hall, elder, other = Hall(world), world.elder("王秀英"), world.elder("李建国")
    vote = Vote(hall)
    papers = f"/ballots/{vote.number}/papers"
    whole = (await program.get(f"/ballots/{vote.number}")).json()
    assert [topic["counts"] for topic in whole["topics"]] == [None, None]
    choices = [{"topic": 1, "option": 2}]
    assert (await program.post(papers, "p-1", whose=elder, choices=choices)).json() == {
        "number": vote.number,
        "counts": True,
    }
    refused = told(await program.post(papers, "p-2", whose="没有这个人", choices=choices), 409)
    assert "不在名册上" in refused["detail_zh"]
    told(await program.post(papers, "p-2", whose="没有这个人", choices=choices), 409)
    with world.db.read() as session:
        what = session.scalars(select(BallotEvent.what)).all()
    assert what.count("refused") == 1  # the same key, once
    told(await program.post(papers, whose=other, choices=[*choices, *choices]), 422)
    for path in ("/ballots", f"/ballots/{vote.number}"):
        assert not {elder, other, "王秀英", "holder"} & set(re.findall(r"[\w-]+", (await program.get(path)).text))


async def test_leave_and_standing_in(office: Office) -> None:
    world, program = office.world, Program(office)
    here = f"/neighbourhoods/{world.place_id}"
    chen, zhang = (world.elder(name, role="staff") for name in ("陈老师", "张老师"))
    assert {each["id"] for each in (await program.get(f"{here}/people")).json()} == {chen, zhang}
    span = {"begins": "2026-03-03T08:00:00+08:00", "ends": "2026-03-05T08:00:00+08:00"}
    away = (await program.post(f"{here}/leave", who=chen, **span)).json()
    stands = (await program.post(f"{here}/overrides", who=zhang, instead_of=chen, **span)).json()
    found = (await program.get(f"{here}/leave")).json()
    assert [each["id"] for each in found["leave"]] == [away["id"]]
    assert found["overrides"][0]["instead_of"] == chen
    told(await program.post(f"{here}/leave", who=chen, begins=span["ends"], ends=span["begins"]), 422)
    told(await program.post(f"/neighbourhoods/9/leave/{away['id']}/end"), 404)
    assert (await program.post(f"{here}/leave/{away['id']}/end")).json()["leave"] == []
    assert (await program.post(f"{here}/overrides/{stands['id']}/end")).json()["overrides"] == []
    assert (await program.get(f"{here}/duty")).json() == {"first": None, "deputy": None}
    assert (await program.get(f"{here}/gaps")).json()[0]["kind"] == "no_duty"


async def test_how_the_line_stands(office: Office) -> None:
    status = (await Program(office).get("/status")).json()
    assert (status["ok"], status["late"], status["emergencies"]) == (True, 0, 0)


# ── the document, and the pages ───────────────────────────────────────────────────────────────────


async def test_the_document_names_every_route_its_scope_and_its_problems(office: Office) -> None:
    document = (await office.client.get(f"{API}/openapi.json")).json()
    assert document["openapi"].startswith("3.1")
    made = {
        f"{method.upper()} {path}": operation
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    }
    assert {route: operation["x-scope"] for route, operation in made.items()} == SCOPES
    for operation in made.values():
        assert {"401", "403", "422", "429", "503"} <= set(operation["responses"])
        assert operation["security"] == [{"token": []}]
    assert "HTTPValidationError" not in str(document)


async def test_the_page_of_the_api_shows_every_operation(office: Office) -> None:
    office.log_in()
    page = (await office.client.get("/api")).text
    assert page.count("<summary><b>") == len(SCOPES)
    assert "cases:act" in page


async def test_a_supervisor_makes_a_token_that_is_shown_once_and_revokes_it(office: Office) -> None:
    office.log_in("主任", Role.SUPERVISOR)
    more = {"scope-cases:read": "1", "scope-cases:act": "1"}
    sent = await office.send("/tokens", name="街道热线", days="30", **more)
    assert (sent.status_code, sent.headers["location"]) == (303, "/tokens")
    page = (await office.client.get("/tokens")).text
    (token,) = re.findall(r"wenan_[\w-]{43}", page)
    assert token not in (await office.client.get("/tokens")).text
    told_cases = await office.client.get(f"{API}/cases", headers={"Authorization": f"Bearer {token}"})
    assert told_cases.status_code == 200
    wrong = await office.send("/tokens", name="街道热线", days="30", **more)
    assert wrong.status_code == 422
    assert "没有保存" in wrong.text
    assert 'value="街道热线"' in wrong.text
    with office.world.db.read() as session:
        assert session.scalar(select(func.count()).select_from(ApiToken)) == 1
        row = tokens.by_name(session, "街道热线")
        assert row.expires_at - row.made_at == timedelta(days=30)
    await office.send(f"/tokens/{row.id}/revoke")
    told(await office.client.get(f"{API}/cases", headers={"Authorization": f"Bearer {token}"}), 401)
    assert "已停用" in (await office.client.get("/tokens")).text
