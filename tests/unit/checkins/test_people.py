"""The register: numbers, states, and elders from a spreadsheet."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from checkins import cases, consents, items, people, refusals, register_log
from checkins.consents import Word
from checkins.items import ItemKind
from checkins.phones import NumberError, national, to_e164
from checkins.register_log import How, What
from checkins.results import Reason, Status
from checkins.tables import Mode, Neighbourhood, Person, State
from community.register_book import BookReport, import_people
from console import event_words
from tests.unit.checkins.world import DAY, World

HEAD = "姓名,称呼,电话,方式,时间,同意\n"


def read(world: World, path: Path) -> BookReport:
    with world.db.read() as session:
        place = session.get_one(Neighbourhood, world.place_id)
    return import_people(world.db, place, path, world.clock.now())


def csv_file(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "elders.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("62345678", "+862162345678"),
        ("021-6234 5678", "+862162345678"),
        ("(021)62345678", "+862162345678"),
        ("+86 21 6234 5678", "+862162345678"),
        ("13800000000", "+8613800000000"),
        ("02110000001", "+862110000001"),  # can't ring: welcome in tests
        ("\uff16\uff12\uff13\uff14\uff15\uff16\uff17\uff18", "+862162345678"),  # full-width digits
    ],
)
def test_numbers_as_people_write_them(text: str, number: str) -> None:
    assert to_e164(text) == number


@pytest.mark.parametrize("text", ["", "abc", "12", "021623456789012", "021-62345678 转 12", "+", "+999 12345678"])
def test_what_is_no_number_is_said_without_repeating_it(text: str) -> None:
    with pytest.raises(NumberError) as caught:
        to_e164(text)
    assert not text.strip() or text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("1-800-FLOWERS", "letters"),
        ("O2162345678", "letters"),
        ("6234567B8", "letters"),
        ("021-62345678 ext 12", "extension"),
        ("+19005551234", "premium"),
        ("0019005551234", "premium"),
    ],
)
def test_numbers_that_must_not_be_dialled(text: str, why: str) -> None:
    with pytest.raises(NumberError, match=why):
        to_e164(text)


@pytest.mark.parametrize(
    ("number", "shown"),
    [("+862162345678", "021 6234 5678"), ("+85221234567", "+852 2123 4567"), (None, ""), ("12", "12")],
)
def test_numbers_as_people_read_them(number: str | None, shown: str) -> None:
    assert national(number) == shown


@pytest.mark.parametrize(("encoding", "name"), [("utf-8-sig", "UTF-8"), ("utf-8", "UTF-8"), ("gbk", "GBK")])
def test_a_spreadsheet_as_excel_saves_it(world: World, tmp_path: Path, encoding: str, name: str) -> None:
    text = HEAD + "王秀英,王阿婆,62345678,按键,08\uff1a30,拨打\uff0c录音\n\n李建国,李阿公,021-62345679,语音,,拨打\n"
    report = read(world, csv_file(tmp_path, text, encoding))
    assert (report.added, report.known, report.errors, report.encoding) == (2, 0, (), name)
    with world.db.read() as session:
        first, second = session.scalars(select(Person).order_by(Person.number))
    assert (first.spoken_name, first.number, first.slot, first.mode) == ("王阿婆", "+862162345678", 510, Mode.KEYS)
    assert first.consents == {"calls": True, "recording": True}
    assert (second.slot, second.mode, second.consents) == (None, Mode.VOICE, {"calls": True})


def test_reading_the_same_file_again_adds_nobody(world: World, tmp_path: Path) -> None:
    path = csv_file(tmp_path, HEAD + "王秀英,王阿婆,62345678,,,\n")
    first = read(world, path)
    assert (first.added, first.spoken_names) == (1, ("王阿婆",))
    assert read(world, path).spoken_names == ()
    assert read(world, path) == BookReport(encoding="UTF-8", known=1)


def test_all_errors_are_told_by_row_and_column_and_nothing_is_imported(world: World, tmp_path: Path) -> None:
    rows = [
        "王秀英,王阿婆,62345678,,,拨打",
        "李建国,,123,飞鸽,25:00,拨打 八卦",
        "王秀英,王阿婆,021-62345678,,,",
        "赵,赵阿婆,62345670,,07:59,",
    ]
    report = read(world, csv_file(tmp_path, HEAD + "\n".join(rows)))
    assert report.added == 0
    assert report.errors == (
        "row 3, column spoken_name: is empty",
        "row 3, column phone: has too few digits",
        "row 3, column mode: must be one of 按键 keys, 语音 voice, 人工 human, 上门 visit",
        "row 3, column slot: write a time between 00:00 and 23:59",
        "row 3, column consents: must be one of 拨打 calls, 录音 recording, 转写 transcription, "
        "老伙伴 buddy, 家人 family, 街道 street",
        "row 4: the same person as in row 2: leave one of them out",
        "row 5, column slot: must lie between 08:00 and 21:00",
    )
    with world.db.read() as session:
        assert session.scalars(select(Person)).all() == []


def test_buddies_staff_and_family_come_in_too_and_homes_as_they_are_spoken(world: World, tmp_path: Path) -> None:
    head = "姓名,称呼,电话,角色,地址,钥匙,备注\n"
    rows = [
        "王秀英,王阿婆,62345678,,三号楼五零二室。,隔壁陈阿姨,耳朵不好",
        "李梅,李阿姨,13800000001,老伙伴,,,",
        "陈静,陈老师,13800000002,工作人员,,,",
        "王芳,王芳,13800000003,家属,,,",
    ]
    assert read(world, csv_file(tmp_path, head + "\n".join(rows))).added == 4
    with world.db.read() as session:
        people = session.scalars(select(Person).order_by(Person.number.desc())).all()
    assert [person.role for person in people] == ["elder", "family", "staff", "buddy"]
    elder = people[0]
    assert (elder.address, elder.key_holder, elder.notes) == ("三号楼五零二室", "隔壁陈阿姨", "耳朵不好")
    assert (people[1].address, people[1].key_holder, people[1].notes) == (None, None, None)
    row = "王秀英,王阿婆,62345678,,八号楼,,\n李梅,李阿姨,13800000001,老伙伴,,,\n"
    again = read(world, csv_file(tmp_path, head + row))
    assert (again.added, again.known, again.homes) == (0, 2, 0), "what somebody wrote down stays"
    long = csv_file(tmp_path, head + f"李建国,李阿公,62345679,,{'楼' * 101},,\n")
    assert read(world, long).errors == ("row 2, column address: is longer than 100 characters",)


@pytest.mark.parametrize(
    ("raw", "message"),
    [
        (b"PK\x03\x04rest", "is a broken workbook"),
        (b"\xd0\xcf\x11\xe0", "save it as .xlsx"),
        ("姓名".encode("utf-16")[:-1], "is neither UTF-8"),
        (b"\x00\x01", "is no text file"),
        (b"\xff\x80\xff", "neither UTF-8 nor GBK"),
        (b"", "the heading name (姓名) is missing"),
        ("姓名,宠物\n".encode(), "row 1, column 2: unknown heading '宠物'"),
        ("姓名,name\n".encode(), "row 1, column 2: double heading 'name'"),
        ('姓名,称呼,电话\n"a'.encode(), "is broken CSV"),
    ],
)
def test_a_file_that_is_none_gives_one_clear_sentence(world: World, tmp_path: Path, raw: bytes, message: str) -> None:
    path = tmp_path / "elders.csv"
    path.write_bytes(raw)
    errors = read(world, path).errors
    assert all(error.startswith("elders.csv: ") for error in errors)
    assert sum(message in error for error in errors) == 1


def test_a_missing_file(world: World, tmp_path: Path) -> None:
    assert read(world, tmp_path / "none.csv").errors == ("none.csv: No such file or directory",)


async def test_somebody_added_by_hand_is_called_today(world: World) -> None:
    await world.to("08:30")
    with world.db.write() as session:
        elder = people.add_person(session, world.place_id, "王秀英", "王阿婆", "6234 5678", consents={"calls": True}).id
        with pytest.raises(NumberError):
            people.add_person(session, world.place_id, "李建国", "李阿公", "12")
    assert (await world.to("08:31")).placed == 1
    assert world.last_call(elder).number == "+862162345678"


async def test_a_state_needs_a_name_and_a_pause_an_end(world: World) -> None:
    elder = world.elder()
    with world.db.write() as session:
        with pytest.raises(ValueError, match="say who"):
            people.set_state(session, elder, State.DIED, " ", world.clock.now())
        with pytest.raises(ValueError, match="last day"):
            people.set_state(session, elder, State.PAUSED, "女儿", world.clock.now())
        with pytest.raises(ValueError, match="last day"):
            people.set_state(session, elder, State.ACTIVE, "女儿", world.clock.now(), until=DAY)


async def test_a_pause_ends_with_a_human_who_asks_first(world: World) -> None:
    elder = world.elder()
    await world.to("07:30")
    with world.db.write() as session:
        people.set_state(session, elder, State.PAUSED, "女儿", world.clock.now(), until=DAY + timedelta(days=1))
    assert (world.row(elder).status, world.row(elder).closed_by) == (Status.CLOSED, "女儿")
    assert (await world.to("08:00", DAY + timedelta(days=1))).planned == 0
    after = DAY + timedelta(days=2)
    assert (await world.to("08:00", after)).planned == 1
    assert world.row(elder, after).reason is Reason.PAUSE_ENDED
    with world.db.write() as session:
        people.set_state(session, elder, State.ACTIVE, "李老师", world.clock.now())
    assert (await world.to("08:00", after + timedelta(days=1))).placed == 1


async def test_refusing_in_person_turns_the_call_into_a_human_contact(world: World) -> None:
    elder = world.elder()
    await world.to("07:30")
    with world.db.write() as session:
        people.set_state(session, elder, State.REFUSED, "本人", world.clock.now())
    assert (await world.to("08:30")).placed == 0
    assert world.row(elder).reason is Reason.REFUSED


async def test_a_corrected_number_is_called_again(world: World) -> None:
    elder = world.elder()
    await world.to("08:00")
    await world.ends(elder, "wrong_number")
    with world.db.write() as session:
        people.set_number(session, elder, "62345678")
        people.set_mode(session, elder, Mode.VOICE)
    assert (await world.to("08:00", DAY + timedelta(days=1))).placed == 1
    assert world.last_call(elder).number == "+862162345678"


async def test_consent_taken_back_holds_before_the_next_call_and_the_log_says_who(world: World) -> None:
    elder = world.elder()
    await world.to("07:30")
    with world.db.write() as session:
        word = Word("陈老师", "女儿", How.PHONE)
        consents.change(session, elder, {"calls": False, "recording": True}, word, world.clock.now())
        people.note_change(session, elder, "consents", "女儿", world.clock.now())
    assert (await world.to("10:30")).placed == 0
    assert world.row(elder).reason is Reason.NO_CONSENT
    with world.db.read() as session:
        stopped, changed, *_ = cases.events(session, world.row(elder).checkin_id)
    assert (stopped.what, stopped.who) == ("needs_person:no_consent", "陈老师")
    assert (changed.what, changed.who) == ("register:consents", "女儿")
    assert event_words.sentence(changed).zh == "更改登记：同意事项"


async def test_a_refusal_by_phone_is_asked_about_in_person_and_both_answers_stand(world: World) -> None:
    elder, other = world.elder(), world.elder()
    await world.to("08:30")
    for each in (elder, other):
        await world.ends(each, "refused")
        await world.ends(each, "refused")
    now = world.clock.now()
    with world.db.write() as session:
        assert [item.kind for item in items.open_items(session)] == [ItemKind.REFUSED] * 2
        refusals.asked(session, elder, "陈老师", now, meant=True, found="精神蛮好")
        refusals.asked(session, other, "陈老师", now, meant=False)
        assert items.open_items(session) == []
        with pytest.raises(ValueError, match="has not refused"):
            refusals.asked(session, other, "陈老师", now, meant=True)
    assert (world.row(elder).status, world.row(elder).closed_by) == (Status.CLOSED, "陈老师")
    assert world.row(other).reason is Reason.REFUSED, "a human contact is still due today"
    tomorrow = DAY + timedelta(days=1)
    await world.to("10:31", tomorrow)
    assert world.row(elder, tomorrow).reason is Reason.REFUSED
    assert [world.calls(each) for each in (elder, other)] == [1, 2]
    with world.db.read() as session:
        log = [(event.what, event.by) for event in register_log.events(session, elder)]
    assert log == [("state", "by phone"), ("refusal_meant", "陈老师")]


def test_consents_are_a_log_of_whose_word_it_was(world: World) -> None:
    elder, now = world.elder(consents={"calls": True, "street": True}), world.clock.now()
    with world.db.write() as session:
        daughter = Word("陈老师", "女儿王芳", How.PAPER, on=DAY)
        consents.change(session, elder, {"recording": True, "street": False}, daughter, now)
        for wrong in ({"gossip": True}, {}):
            with pytest.raises(ValueError, match="purposes are"):
                consents.change(session, elder, wrong, daughter, now)
        consents.replace(session, elder, ["calls", "recording"], Word("陈老师", None), now)  # nothing changes
    assert world.person(elder).consents == {"calls": True, "recording": True}
    with world.db.read() as session:
        given, taken = register_log.events(session, elder, What.CONSENT)
    assert given.detail == {"purpose": "recording", "given": True, "on": "2026-03-02"}
    assert (given.by, given.said_by, given.how) == ("陈老师", "女儿王芳", "paper")
    assert taken.detail is not None
    assert not taken.detail["given"]


def test_a_change_of_somebody_without_a_case_is_made_all_the_same(world: World) -> None:
    elder = world.elder()
    with world.db.write() as session:
        people.note_change(session, elder, "mode", "女儿", world.clock.now())
        people.set_mode(session, elder, Mode.VISIT)
    assert world.person(elder).mode == Mode.VISIT


def test_an_import_counts_elders_without_consent_and_names_those_of_other_places(world: World, tmp_path: Path) -> None:
    rows = "王秀英,王阿婆,62345678,,\n李建国,李阿公,62345679,,拨打\n赵,赵,62345670,家属,\n"
    path = csv_file(tmp_path, "姓名,称呼,电话,角色,同意\n" + rows)
    report = read(world, path)
    assert (report.added, report.no_consent, report.warnings) == (3, 1, ())
    with world.db.write() as session:
        place = Neighbourhood(name="甘泉", committee="甘泉居委会")
        session.add(place)
    again = import_people(world.db, place, path, world.clock.now())
    assert again.added == 3
    assert [warning.split(" is in")[0] for warning in again.warnings] == [
        "王秀英: 曹杨居委会",
        "李建国: 曹杨居委会",
        "赵: 曹杨居委会",
    ]


def test_a_broken_policy_or_zone_never_enters_the_register(world: World) -> None:
    with pytest.raises(ValueError, match="unknown entry 'rign_s'"):
        Person(neighbourhood_id=1, name="x", spoken_name="x", policy={"rign_s": 30})
    with pytest.raises(ValueError, match="never sleeps"):
        Neighbourhood(name="x", committee="x", policy={"unreached_every": 11})
    with pytest.raises(ValueError, match="no time zone"):
        Neighbourhood(name="x", committee="x", timezone="Asia/Atlantis")


def test_a_second_file_fills_in_where_people_live(world: World, tmp_path: Path) -> None:
    elder = world.elder("王秀英", number="+862162345678")
    head = "姓名,称呼,电话,地址,备注\n"
    report = read(world, csv_file(tmp_path, head + "王秀英,王阿婆,62345678,三号楼,\n"))
    assert (report.added, report.known, report.homes) == (0, 1, 1)
    assert (world.person(elder).address, world.person(elder).notes) == ("三号楼", None)
