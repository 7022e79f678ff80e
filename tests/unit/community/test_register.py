"""The register by spreadsheet: a plan first, all or nothing, made again nothing changes. Elders who correct theirs."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from checkins import cases, consents, items, people, register_log, workbook
from checkins.consents import Word
from checkins.homes import home_of
from checkins.items import Item, ItemKind
from checkins.people_csv import HEADINGS
from checkins.register_log import SELF, How, PersonEvent, What
from checkins.results import Reason
from checkins.roster.tables import RosterPair
from checkins.tables import Mode, Neighbourhood, NumberState, Person, State
from community import register_entry, register_export
from community.register_book import BookReport, entries_of, import_people, open_book, take
from community.register_people import Told
from tests.unit.checkins.world import DAY, World

HEAD = ["姓名", "称呼", "电话", "地址", "同意", "日期"]
WANG = ["王秀英", "王阿婆", "62345678", "三号楼502室", "拨打 录音 街道 老伙伴", ""]
BY = Told("陈老师", "社区云")
ROSTER = ["类别", "老人", "谁"]


def read(
    world: World,
    folder: Path,
    rows: list[list[str]],
    *,
    told: Told = BY,
    update: bool = False,
    dry: bool = False,
    roster: list[list[str]] | None = None,
    head: list[str] = HEAD,
) -> BookReport:
    path = folder / "people.xlsx"
    path.write_bytes(workbook.write({"人员": [head, *rows]} | ({"值班表": [ROSTER, *roster]} if roster else {})))
    book, now = open_book(path), world.clock.now()
    if book.people is None:
        return BookReport(book.errors)
    place = here(world)
    return take(world.db, place, book, entries_of(book, place, now), told, now, update=update, dry=dry)


def here(world: World) -> Neighbourhood:
    with world.db.read() as session:
        return session.get_one(Neighbourhood, world.place_id)


def counts(world: World) -> tuple[int, ...]:
    with world.db.read() as session:
        return tuple(
            session.scalar(select(func.count()).select_from(table)) or 0
            for table in (Person, PersonEvent, Item, RosterPair)
        )


def sources(world: World, person_id: str) -> dict[str, register_log.Source]:
    with world.db.read() as session:
        return register_log.sources(session, [person_id]).get(person_id, {})


def only(world: World, name: str = "王秀英") -> Person:
    with world.db.read() as session:
        return session.scalars(select(Person).where(Person.name == name)).one()


def open_kinds(world: World) -> list[str]:
    with world.db.read() as session:
        return [item.kind for item in items.open_items(session)]


def test_a_wrong_spreadsheet_gives_all_its_problems_and_changes_nothing(world: World, tmp_path: Path) -> None:
    world.elder("王秀英", number="+862162345678", address="三号楼502室")
    before = counts(world)
    rows = [
        ["王秀英", "王阿婆", "62345679", "三号楼502室", "", ""],  # the number is another, the home the same
        ["李建国", "李阿公", "1.38E+10", "", "", ""],
        ["赵", "", "12", "", "八卦", "2030-01-01"],
        ["王秀英", "王阿婆", "62345670", "3号楼 五〇二室", "", ""],
        ["周", "周阿婆", "62345671", "", "", "昨天"],
    ]
    report = read(world, tmp_path, rows, update=True, roster=[["结对", "王秀英", "没有这个人"]])
    assert report.errors == (
        "row 3, column phone: was rounded by the spreadsheet: make the column text and type it again",
        "row 4, column spoken_name: is empty",
        "row 4, column phone: has too few digits",
        "row 4, column consents: must be one of 拨打 calls, 录音 recording, 转写 transcription, "
        "老伙伴 buddy, 家人 family, 街道 street",
        "row 4, column date: is still to come",
        "row 5: the same person as in row 2: leave one of them out",
        "row 6, column date: write a date as 2026-03-02",
        "值班表: row 2, column elder: has not agreed that buddy hears of them: record the consent “buddy” first",
    )
    assert counts(world) == before


def test_a_first_list_says_that_its_roster_was_not_read(world: World, tmp_path: Path) -> None:
    path = tmp_path / "people.xlsx"
    path.write_bytes(workbook.write({"人员": [HEAD, WANG], "值班表": [ROSTER, ["结对", "王秀英", "没有这个人"]]}))
    report = import_people(world.db, here(world), path, world.clock.now())
    assert (report.errors, report.added) == ((), 1)
    assert any("值班表" in warning and "register import" in warning for warning in report.warnings)


def test_the_same_file_again_changes_nothing_and_says_so(world: World, tmp_path: Path) -> None:
    rows = [WANG, ["李建国", "李阿公", "无", "", "", "2026-03-01"]]
    assert read(world, tmp_path, rows).added == 2
    before = counts(world)
    report = read(world, tmp_path, rows, update=True)
    assert (report.added, report.known, report.changes, report.kept, counts(world)) == (0, 2, (), (), before)
    assert only(world, "李建国").number is None, "who has no telephone is visited"


def test_every_field_of_a_file_has_its_source_and_date(world: World, tmp_path: Path) -> None:
    read(world, tmp_path, [[*WANG[:5], "2026-02-01"]])
    known = sources(world, only(world).id)
    assert set(known) == {"name", "spoken_name", "phone", "address", "consents"}
    assert {(one.said_by, one.how, one.on, one.by) for one in known.values()} == {
        ("社区云", How.FILE, date(2026, 2, 1), "陈老师")
    }
    elder = only(world).id
    with world.db.write() as session:
        people.set_home(session, elder, notes="耳朵不好")
        people.note_change(session, elder, "notes", "王芳", world.clock.now())
    assert sources(world, elder)["notes"].by == "王芳"


def test_a_dry_run_says_old_and_new_and_only_update_changes_it(world: World, tmp_path: Path) -> None:
    read(world, tmp_path, [WANG])
    other = [["王秀英", "王奶奶", "62345679", "三号楼502室", "拨打", ""]]
    would = (
        "row 2, column spoken_name: 王秀英: 王阿婆 → 王奶奶",
        "row 2, column phone: 王秀英: 021 6234 5678 → 021 6234 5679",
        "row 2, column consents: 王秀英: 拨打 录音 老伙伴 街道 → 拨打",
    )
    before = counts(world)
    assert read(world, tmp_path, other, update=True, dry=True).changes == would
    assert read(world, tmp_path, other).differs == would
    assert (counts(world), only(world).spoken_name) == (before, "王阿婆")
    assert read(world, tmp_path, other, update=True).changes == would
    elder = only(world)
    assert (elder.spoken_name, elder.number, elder.consents) == ("王奶奶", "+862162345679", {"calls": True})
    assert sources(world, elder.id)["phone"].how == How.FILE


async def test_a_file_that_changes_an_elder_is_in_todays_log_and_is_obeyed(world: World, tmp_path: Path) -> None:
    elder = world.elder("王秀英", address="三号楼502室")
    await world.to("07:30")
    with world.db.write() as session:
        about = {"neighbourhood_id": world.place_id, "person_id": elder}
        items.open_item(session, ItemKind.NUMBER_BAD, world.clock.now(), **about)
        session.get_one(Person, elder).number_state = NumberState.BAD
    head = [*HEAD, "方式"]
    row = ["王秀英", "王阿婆", "62345670", "三号楼502室", "拨打", "2026-03-02", "语音"]
    assert len(read(world, tmp_path, [row], head=head, update=True).changes) == 3
    with world.db.read() as session:
        logged = cases.events(session, world.row(elder).checkin_id)
    assert [(event.what, event.who) for event in logged] == [("register:number", BY.by), ("register:mode", BY.by)]
    changed = only(world)
    assert (changed.number, changed.number_state, changed.mode) == ("+862162345670", NumberState.OK, Mode.VOICE)
    assert open_kinds(world) == []
    with world.db.read() as session:
        (given,) = register_log.events(session, elder, What.CONSENT)
    assert given.detail == {"purpose": "recording", "given": False, "on": "2026-03-02"}
    world.clock.advance_to(world.clock.now() + timedelta(days=1))
    await world.to("07:30", DAY + timedelta(days=1))
    read(world, tmp_path, [[*row[:4], "无", "2026-03-03", "语音"]], head=head, update=True)
    assert world.row(elder, DAY + timedelta(days=1)).reason == Reason.NO_CONSENT


def test_what_an_elder_said_stays_unless_the_row_is_newer(world: World, tmp_path: Path) -> None:
    read(world, tmp_path, [WANG])
    elder = only(world).id
    with world.db.write() as session:
        consents.change(session, elder, {"recording": False}, Word("陈老师", SELF, How.PHONE), world.clock.now())
    for day in ("", "2026-03-01", DAY.isoformat()):
        report = read(world, tmp_path, [[*WANG[:5], day]], update=True)
        assert report.changes == ()
        assert "stays, since 本人 said so on 2026-03-02" in report.kept[0]
    assert "recording" not in only(world).consents
    world.clock.advance_to(world.clock.now() + timedelta(days=2))
    assert len(read(world, tmp_path, [[*WANG[:5], "2026-03-03"]], update=True).changes) == 1
    assert only(world).consents["recording"]


def test_states_come_in_and_nobody_is_brought_back_by_an_old_list(world: World, tmp_path: Path) -> None:
    head = ["姓名", "称呼", "电话", "状态", "暂停到"]
    row = ["王秀英", "王阿婆", "62345678"]
    assert read(world, tmp_path, [[*row, "已故", ""]], head=head).errors == (
        "row 2, column state: who is gone is not added: leave the row out",
    )
    assert read(world, tmp_path, [[*row, "暂停", ""]], head=head).errors == (
        "row 2, column until: a pause, and only a pause, has a last day",
    )
    read(world, tmp_path, [[*row, "暂停", "2026-03-09"]], head=head)
    assert (only(world).state, only(world).state_until) == (State.PAUSED, date(2026, 3, 9))
    read(world, tmp_path, [[*row, "已故", ""]], head=head, update=True)
    assert (only(world).state, only(world).state_until) == (State.DIED, None)
    report = read(world, tmp_path, [["王秀英", "王奶奶", "62345678", "", "", ""]], update=True)
    assert (report.changes, only(world).spoken_name) == ((), "王阿婆")


def test_a_new_resident_at_a_known_address_is_looked_into(world: World, tmp_path: Path) -> None:
    read(world, tmp_path, [WANG, ["王大明", "王阿公", "62345678", "三号楼502室", "", ""]])
    assert open_kinds(world) == [], "a couple"
    new = ["李建国", "李阿公", "62345670", "3 号楼五〇二室", "拨打", ""]
    report = read(world, tmp_path, [new], dry=True)
    assert (len(report.tenants), open_kinds(world)) == (2, [])
    read(world, tmp_path, [new])
    assert open_kinds(world) == [ItemKind.TENANT, ItemKind.TENANT]
    read(world, tmp_path, [new])
    assert len(open_kinds(world)) == 2


def test_a_namesake_is_doubted_and_an_id_says_who_is_meant(world: World, tmp_path: Path) -> None:
    elder = world.elder("王秀英", number="+862162345678")
    (warning,) = read(world, tmp_path, [["王秀英", "王阿婆", "62345670", "", "", ""]], dry=True).warnings
    assert elder in warning
    head = ["登记号", "姓名", "称呼", "电话"]
    assert read(world, tmp_path, [[elder, "王秀瑛", "王阿婆", "62345670"]], head=head, update=True).added == 0
    assert only(world, "王秀瑛").number == "+862162345670"
    wrong = read(world, tmp_path, [["gone", "王", "王", "62345671"]], head=head).errors
    assert wrong == ("row 2, column id: nobody in this neighbourhood has this id",)


def test_people_and_roster_come_in_together_or_not_at_all(world: World, tmp_path: Path) -> None:
    head = ["姓名", "称呼", "电话", "角色", "同意"]
    rows = [["王秀英", "王阿婆", "62345678", "", "老伙伴"], ["李梅", "李阿姨", "13800000001", "老伙伴", ""]]
    wrong = read(world, tmp_path, rows, head=head, roster=[["结对", "王秀英", "李梅"], ["结对", "王秀英", "赵"]])
    assert wrong.errors == ("值班表: row 3, column person: there is nobody like this in the register",)
    assert counts(world) == (0, 0, 0, 0)
    assert read(world, tmp_path, rows, head=head, roster=[["结对", "王秀英", "李梅"]]).lists == 1
    assert counts(world)[3] == 1


def test_what_is_exported_comes_in_again_and_changes_nothing(world: World, tmp_path: Path) -> None:
    head = ["姓名", "称呼", "电话", "角色", "同意", "时间", "方式", "地址"]
    rows = [
        ["王秀英", "王阿婆", "62345678", "", "老伙伴 家人 街道", "08:30", "语音", "三号楼"],
        ["李梅", "李阿姨", "13800000001", "老伙伴", "", "", "", ""],
        ["王芳", "王芳", "+852 2123 4567", "家属", "", "", "", ""],
        ["赵", "赵阿婆", "无", "", "拨打", "", "上门", ""],
    ]
    roster = [["结对", "王秀英", "李梅"], ["家属", "王秀英", "王芳"]]
    read(world, tmp_path, rows, head=head, roster=roster)
    before = counts(world)
    with world.db.read() as session:
        place = session.get_one(Neighbourhood, world.place_id)
        sheets = register_export.register_book(session, place, world.clock.now())
        listed, left = register_export.upward(session, place, world.clock.now())
    path = tmp_path / "out.xlsx"
    path.write_bytes(workbook.write(sheets))
    book, now = open_book(path), world.clock.now()
    report = take(world.db, here(world), book, entries_of(book, here(world), now), BY, now, update=True)
    assert (report.errors, report.added, report.known, report.changes, report.lists) == ((), 0, 4, (), 0)
    assert counts(world) == before
    assert listed[1:] == [
        ["1", "曹杨居委会", "王秀英", "三号楼", "021 6234 5678", "李梅", "138 0000 0001", "王芳", "+852 2123 4567"]
    ]
    assert left == 1, "who has not agreed that the street hears of them is not handed upward"
    assert ["王秀英", "地址", "社区云", "表格里"] in [row[1:5] for row in sheets["来源"]]
    assert sheets["人员"][0] == [names[1] for names in HEADINGS.values()]


def exported(world: World, folder: Path) -> BookReport:
    """What is exported comes in again."""
    path, now = folder / "out.xlsx", world.clock.now()
    with world.db.read() as session:
        place = session.get_one(Neighbourhood, world.place_id)
        path.write_bytes(workbook.write(register_export.register_book(session, place, now)))
    book = open_book(path)
    return take(world.db, here(world), book, entries_of(book, here(world), now), BY, now, update=True)


def test_a_pause_that_is_over_comes_in_again_but_none_begins(world: World, tmp_path: Path) -> None:
    head = ["姓名", "称呼", "电话", "状态", "暂停到"]
    row = ["王秀英", "王阿婆", "62345678", "暂停"]
    passed = ("row 2, column until: has passed: leave it and the state empty, or write a later day",)
    assert read(world, tmp_path, [[*row, "2026-03-01"]], head=head).errors == passed
    read(world, tmp_path, [[*row, "2026-03-02"]], head=head)
    world.clock.advance_to(world.clock.now() + timedelta(days=1))
    report = exported(world, tmp_path)
    assert (report.errors, report.known, report.changes) == ((), 1, ())
    assert only(world).state == State.PAUSED, "until a person has asked"
    assert read(world, tmp_path, [[*row, "2026-03-01"]], head=head, update=True).errors == passed


def test_who_moved_and_came_back_and_namesakes_of_two_homes_come_in_again(world: World, tmp_path: Path) -> None:
    gone = world.elder("王秀英", number="+862162345678", address="三号楼502室", state=State.MOVED)
    back = world.elder("王秀英", number="+862162345678", address="三号楼502室")
    world.elder("李建国", number="+862162345671", address="12-301")
    world.elder("李建国", number="+862162345672", address="1-2301")
    report = exported(world, tmp_path)
    assert (report.errors, report.known, report.added, report.changes) == ((), 4, 0, ())
    assert read(world, tmp_path, [["王秀英", "王奶奶", *WANG[2:4], "", ""]], update=True).changes
    assert (world.person(back).spoken_name, world.person(gone).spoken_name == "王奶奶") == ("王奶奶", False)
    head = ["登记号", "姓名", "称呼", "电话"]
    twice = [[one, "王秀英", "王奶奶", "62345678"] for one in (back, back, "")]
    errors = read(world, tmp_path, twice, head=head).errors
    assert errors == tuple(f"row {row}: the same person as in row 2: leave one of them out" for row in (3, 4))


def test_two_runs_of_figures_in_an_address_stay_two() -> None:
    assert home_of("12-301") == home_of("１２－３０１") == home_of("12 — 301") != home_of("1-2301")
    assert home_of("三号楼五〇二室") == home_of("3 号楼 502 室") == home_of("3号楼-502室")
    assert (home_of("老房子"), home_of(None)) == ("", "")


def test_an_elder_says_what_is_wrong_and_staff_confirm_it_as_their_word(world: World) -> None:
    elder, now = world.elder(address="三号楼", key_holder="隔壁陈阿姨"), world.clock.now()
    assert register_entry.told(world.person(elder))["address"] == "您的住址,登记的是三号楼。"
    with world.db.write() as session:
        item = register_entry.say_wrong(session, elder, "address", "call-1", now, recording="a.ulaw")
        again = register_entry.say_wrong(session, elder, "address", "call-2", now, recording="b.ulaw")
        session.flush()
        assert item.id == again.id
        with pytest.raises(ValueError, match="longer than 100"):
            register_entry.confirm(session, item.id, "address", "楼" * 101, "陈老师", now)
        with pytest.raises(ValueError, match="what can be written"):
            register_entry.confirm(session, item.id, "state", "已故", "陈老师", now)
        register_entry.confirm(session, item.id, "address", "五号楼301室", "陈老师", now)
        with pytest.raises(LookupError, match="nobody waits"):
            register_entry.confirm(session, item.id, "address", "六号楼", "陈老师", now)
    said = sources(world, elder)["address"]
    assert (world.person(elder).address, said.said_by, said.how, said.by) == ("五号楼301室", SELF, How.PHONE, "陈老师")
    assert open_kinds(world) == []


@pytest.mark.parametrize(
    ("column", "text", "there"),
    [
        ("phone", "6234 5670", "+862162345670"),
        ("mode", "上门", Mode.VISIT),
        ("consents", "无", {}),
        ("slot", "09:00", 540),
    ],
)
def test_whatever_they_correct_is_obeyed(world: World, column: str, text: str, there: object) -> None:
    elder, now = world.elder(), world.clock.now()
    with world.db.write() as session:
        item = register_entry.say_wrong(session, elder, "other", "call-1", now)
        session.flush()
        register_entry.confirm(session, item.id, column, text, "陈老师", now)
    assert getattr(world.person(elder), "number" if column == "phone" else column) == there
    assert sources(world, elder)[column].said_by == SELF


def test_what_staff_let_stand_has_a_reason(world: World) -> None:
    elder, now = world.elder(), world.clock.now()
    with world.db.write() as session:
        item = register_entry.say_wrong(session, elder, "phone", "call-1", now)
        session.flush()
        with pytest.raises(ValueError, match="say why"):
            register_entry.refuse(session, item.id, "陈老师", " ", now)
        register_entry.refuse(session, item.id, "陈老师", "打过去是她接的", now)
    with world.db.read() as session:
        (event,) = register_log.events(session, elder, What.NOT_CHANGED)
    assert event.detail == {"field": "phone", "why": "打过去是她接的"}
    assert open_kinds(world) == []
