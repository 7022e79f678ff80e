"""The command line: complete help, and one clear sentence for every mistake."""

from __future__ import annotations

import re
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import typer.main
import typer.testing
from rich.cells import cell_len
from sqlalchemy import select, text
from sqlalchemy.exc import OperationalError
from typer.testing import CliRunner, Result

import house
import server
from callflows import loader
from checkins import alarms
from checkins.alarms import Kind
from checkins.tables import Person
from cli import people_commands as commands
from console.roles import Role as AccountRole
from database_in_use import shown
from settings import Settings
from storage.database import Database
from storage.lock import held


@pytest.fixture(autouse=True)
def _own_folder(log_as_before: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WENAN_MODELS", str(tmp_path / "none"))
    monkeypatch.setenv("WENAN_PORT", "0")


@pytest.fixture(scope="module", autouse=True)
def _one_command_line() -> Iterator[None]:
    """The tree of commands is made once: every run reads the annotations of all of them otherwise."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(typer.testing, "_get_command", cache(typer.main.get_command))
        yield


def run(*arguments: str, text: str = "") -> Result:
    return CliRunner().invoke(server.app, list(arguments), input=text, env={"COLUMNS": "200"})


@pytest.mark.parametrize(
    "command",
    [
        "serve",
        "demo",
        "round",
        "call",
        "flow",
        "models list",
        "models pull",
        "models verify",
        "people import",
        "people list",
        "register import",
        "register export",
        "register corrections",
        "register hear",
        "register confirm",
        "register refuse",
        "people set",
        "people show",
        "alarms list",
        "alarms ack",
        "alarms test",
        "clock accept",
        "people pin",
        "people consent",
        "people refusal",
        "people number",
        "people papers",
        "people test-call",
        "people one-key",
        "policy show",
        "policy set",
        "policy check",
    ],
)
def test_every_command_has_help(command: str) -> None:
    result = run(*command.split(), "--help")
    assert result.exit_code == 0
    assert len(re.sub(r"\W+", " ", result.output).split()) > 12, "too short to be help"


GROUPS = [name for name, group in typer.main.get_command(server.app).commands.items() if hasattr(group, "commands")]  # type: ignore[attr-defined]


@pytest.mark.parametrize("group", ["", *GROUPS, "people import", "accounts add"])
def test_no_help_is_cut_off_at_80_columns(group: str) -> None:
    result = CliRunner().invoke(server.app, [*group.split(), "--help"], env={"COLUMNS": "80"})
    lines = result.output.splitlines()
    assert [line for line in lines if cell_len(line) > 80 or line.rstrip("│ ").endswith("…")] == []


def test_the_help_says_what_must_be_known_to_type_it() -> None:
    columns = run("people", "import", "--help").output
    assert [word for word in ("姓名", "称呼", "电话", "同意", "拨打", "operations.md") if word not in columns] == []
    roles = run("accounts", "add", "--help").output
    assert [role for role in AccountRole if f"{role}:" not in roles] == []
    assert "who listens" in run("register", "hear", "--help").output


def test_a_broken_setting_ends_with_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENAN_PORT", "many")
    result = run("serve")
    assert result.exit_code == 2
    assert result.stderr.startswith("wenan: WENAN_PORT: ")
    assert len(result.stderr.strip().splitlines()) == 1


def test_a_port_that_is_taken_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        monkeypatch.setenv("WENAN_PORT", str(taken.getsockname()[1]))
        result = run("round")
    assert result.exit_code == 2
    assert "another program has it. Choose another port: WENAN_PORT" in result.stderr


def test_a_second_server_on_a_data_folder_is_said_so_and_the_register_can_still_be_read(tmp_path: Path) -> None:
    imported(tmp_path)
    with held(tmp_path / "data"):  # a running server does so before anything else
        refused = [run(*command.split()) for command in ("serve", "round", "call 王秀英")]
        beside = [run(*command.split()) for command in ("people list", "models list", "flow daily_checkin --check")]
    for result in refused:
        assert result.exit_code == 2
        assert "wenan: a server is running on this data folder already (data); stop it" in result.stderr
        assert "WENAN_DATA_DIR" in result.stderr
    assert [result.exit_code for result in beside] == [0, 0, 0]


def test_a_data_folder_that_can_not_be_made_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("no folder")
    result = run("round")
    assert (result.exit_code, result.stderr.strip()) == (2, "wenan: WENAN_DATA_DIR (data) can't be used: File exists")


@pytest.mark.parametrize("command", ["serve", "round", "people list", "alarms list", "roster gaps", "devices list"])
@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("", "restore the backup"),
        ("update alembic_version set version_num = 'ffffffffffff'", "from a newer version of the program"),
    ],
)
def test_a_database_that_can_not_be_used_is_said_so(tmp_path: Path, command: str, statement: str, says: str) -> None:
    imported(tmp_path)
    file = tmp_path / "data" / "wenan.db"
    if statement:
        with closing(sqlite3.connect(file)) as database, database:
            database.execute(statement)
    else:
        for ending in ("", "-wal", "-shm"):
            Path(f"{file}{ending}").unlink(missing_ok=True)
        file.write_bytes(b"no database, but of some length" * 200)
    result = run(*command.split())
    assert result.exit_code == 2
    assert says in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.output


def test_a_database_that_is_locked_beside_a_command_is_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def locked(*_: object) -> int:
        raise OperationalError("select name from person", {}, sqlite3.OperationalError("database is locked"))

    imported(tmp_path)
    monkeypatch.setattr(commands, "show_people", locked)
    result = run("people", "list")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].startswith("wenan: the database is locked by another process")
    assert "person" not in result.stderr


def test_a_shipped_flow_that_is_broken_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_name: str) -> None:
        raise loader.FlowError("daily_checkin.yaml:3: no such step")

    monkeypatch.setattr(loader, "shipped", broken)
    monkeypatch.setenv("WENAN_PORT", "0")
    result = run("round")
    assert result.exit_code == 2
    assert result.stderr.splitlines()[-1].endswith("nobody can be called: daily_checkin.yaml:3: no such step")


def test_who_an_id_in_the_log_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a narrow pipe, too; and when nothing can be written."""
    imported(tmp_path)
    narrow = CliRunner().invoke(server.app, ["people", "list"], env={"COLUMNS": "80"}).output
    found = re.search(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", row_of("王秀英"))
    assert found is not None
    elder = found[0]
    assert elder in narrow

    def full(*_: object) -> None:
        raise AssertionError("nothing can be written")

    monkeypatch.setattr("database_in_use.upgrade", full)
    shown = run("people", "show", elder)
    assert (shown.exit_code, shown.output.count("王秀英")) == (0, 1)
    assert "number: " in shown.output
    assert run("people", "show", "nobody").exit_code == 2


OLDER = "a5c0e81d7b46"  # a revision that others follow


def test_a_command_that_only_looks_leaves_an_older_database_as_it_is(tmp_path: Path) -> None:
    imported(tmp_path)
    with sqlite3.connect(Path("data/wenan.db")) as database:
        database.execute("UPDATE alembic_version SET version_num = ?", (OLDER,))
    result = run("people", "list")
    assert (result.exit_code, "of an older version" in result.stderr, "backup" in result.stderr) == (2, True, True)
    database = sqlite3.connect(Path("data/wenan.db"))
    assert database.execute("SELECT version_num FROM alembic_version").fetchall() == [(OLDER,)]
    database.execute("UPDATE alembic_version SET version_num = 'of tomorrow'")
    database.commit()
    database.close()
    assert "from a newer version" in run("people", "list").stderr


def test_a_broken_flow_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / "odd.yaml").write_text("flow: odd\nversion: 1\nstps: {}\n")
    result = run("flow", "odd.yaml")
    assert result.exit_code == 2
    assert re.match(r"wenan: odd\.yaml:\d+: ", result.stderr)


def test_the_shipped_flow_is_sound_and_plays_as_text() -> None:
    assert run("flow", "daily_checkin", "--check").exit_code == 0
    result = run("flow", "daily_checkin", text="1\n1\n2\n")
    assert result.exit_code == 0
    assert "王阿婆" in result.output
    assert "→ well (key)" in result.output


def test_people_come_in_by_csv_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "elders.csv").write_text("姓名,称呼,电话\n王秀英,王阿婆,12\n", "utf-8")
    result = run("people", "import", "elders.csv", "--committee", "曹杨居委会")
    assert result.exit_code == 2
    assert "row 2, column phone 电话: has too few digits" in result.output
    (tmp_path / "elders.csv").write_text("姓名,称呼,电话\n王秀英,王阿婆,62345678\n", "utf-8")
    assert run("people", "import", "elders.csv", "--committee", "曹杨居委会").exit_code == 0
    assert "王秀英" in run("people", "list").output


CALLS = "姓名,称呼,电话,同意\n王秀英,王阿婆,62345678,拨打 录音\n李建国,李阿公,021-62345679,\n"


def imported(folder: Path, text: str = CALLS, committee: str = "曹杨居委会") -> Result:
    (folder / "elders.csv").write_text(text, "utf-8")
    return run("people", "import", "elders.csv", "--committee", committee)


def row_of(name: str) -> str:
    return next(line for line in run("people", "list").output.splitlines() if name in line)


def test_a_first_list_with_mistakes_leaves_no_database_behind(tmp_path: Path) -> None:
    refused = imported(tmp_path, CALLS.replace("王秀英", ""))
    assert refused.exit_code == 2
    assert "nothing was imported" in refused.output
    assert not (tmp_path / "data" / "wenan.db").exists()
    assert imported(tmp_path).stderr.count("database ") == 1


def test_a_narrow_screen_has_three_lines_for_a_person(tmp_path: Path) -> None:
    imported(tmp_path)
    narrow = CliRunner().invoke(server.app, ["people", "list"], env={"COLUMNS": "80"}).stdout.splitlines()
    assert len(narrow) % 3 == 0
    assert any(line.startswith("王秀英  ") and line.endswith("曹杨居委会") for line in narrow)


def test_an_import_says_what_it_made_and_whom_it_will_not_ring(tmp_path: Path) -> None:
    first = imported(tmp_path)
    assert "new neighbourhood 曹杨居委会 made" in first.output
    assert "2 added, 0 known before" in first.output
    assert "1 of those added have no consent to calls" in first.output
    again = imported(tmp_path)
    assert "0 added, 2 known before" in again.output
    assert "made (" not in again.output
    assert "no consent" not in again.output


def test_an_import_needs_a_committee_and_warns_of_a_second_one(tmp_path: Path) -> None:
    for committee in ("", "  "):
        result = imported(tmp_path, committee=committee)
        assert result.exit_code == 2
        assert "--committee is empty" in result.output
    imported(tmp_path)
    other = imported(tmp_path, committee="曹扬居委会")  # a slip of the pen
    assert "new neighbourhood 曹扬居委会 made" in other.output
    assert "warning: 王秀英: 曹杨居委会 is in the register with the same number" in other.output


def test_a_broken_file_makes_no_neighbourhood(tmp_path: Path) -> None:
    assert imported(tmp_path, "姓名,称呼,电话\n王秀英,王阿婆,12\n").exit_code == 2
    assert "new neighbourhood" in imported(tmp_path).output


def test_the_list_shows_what_somebody_needs_to_help(tmp_path: Path) -> None:
    imported(tmp_path)
    row = row_of("王秀英")
    for word in ("曹杨居委会", "021 6234 5678", "elder", "active", "keys", "calls recording"):
        assert word in row


def test_a_refusal_is_taken_back_and_a_number_corrected(tmp_path: Path) -> None:
    imported(tmp_path)
    assert run("people", "set", "王秀英", "--by", "本人", "--state", "refused").exit_code == 0
    assert "refused" in row_of("王秀英")
    changes = ("--state", "active", "--number", "6234 5670", "--mode", "voice", "--consents", "calls", "--slot", "9:15")
    result = run("people", "set", "王秀英", "--by", "李老师", *changes)
    assert result.exit_code == 0
    row = row_of("王秀英")
    assert row in result.output
    assert "rung at: 09:15" in run("people", "show", "王秀英").output
    for word in ("active", "021 6234 5670", "voice", "calls"):
        assert word in row
    assert "recording" not in row
    assert run("people", "set", "王秀英", "--by", "女儿", "--state", "paused", "--until", "2999-01-01").exit_code == 0
    assert "paused until 2999-01-01" in row_of("王秀英")


def test_what_was_agreed_to_is_shown_with_whose_word_it_was(tmp_path: Path) -> None:
    imported(tmp_path)
    on_paper = ("--how", "paper", "--on", "2026-03-01", "--guardian", "女儿王芳")
    given = run("people", "consent", "王秀英", "--by", "陈老师", *on_paper, "--give", "街道", "--withdraw", "录音")
    assert given.exit_code == 0
    assert run("people", "number", "王秀英", "6234 5670", "--by", "陈老师").exit_code == 0
    shown = run("people", "show", "王秀英").output
    for line in (
        "自动电话：打",
        "状态：正常",
        "同意自动电话（elders.csv，表格里；people import登记，",
        "不同意录音（女儿王芳，书面，2026年3月1日；陈老师登记，",
        "同意让街道知道（女儿王芳，书面，2026年3月1日；陈老师登记，",
        "不同意让家人知道（没有说过）",
        "号码：号码没有问题（陈老师登记，",
    ):
        assert line in shown
    assert run("people", "set", "王秀英", "--by", "陈老师", "--state", "refused").exit_code == 0
    assert "状态：不要自动电话，由人联系（陈老师登记，" in run("people", "show", "王秀英").output
    asked = run("people", "refusal", "王秀英", "--meant", "--by", "李老师")
    assert "已当面问过，是本人的意思（本人，当面；李老师登记，" in asked.output
    again = run("people", "refusal", "王秀英", "--call-again", "--by", "李老师")
    assert "自动电话：打\n状态：正常（李老师登记，" in again.output


def test_key_5_was_shown_and_who_may_not_be_rung_is_not_tried(tmp_path: Path) -> None:
    imported(tmp_path)
    shown = run("people", "one-key", "王秀英", "--by", "陈老师")
    assert "一键通（按5）：教过（陈老师登记，" in shown.output
    assert "试打电话：还没有试过" in shown.output
    run("people", "set", "王秀英", "--by", "陈老师", "--state", "refused")
    refused = run("people", "test-call", "王秀英", "--by", "陈老师")
    assert (refused.exit_code, "the line may not ring them (refused)" in refused.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("consent", "王秀英", "--how", "paper"), "say what is agreed to"),
        (("consent", "王秀英", "--how", "dream", "--give", "calls"), "--how must be one of paper, phone, in_person"),
        (("consent", "王秀英", "--how", "paper", "--give", "calls", "--on", "2999-01-01"), "still to come"),
        (("consent", "王秀英", "--how", "paper", "--give", "calls", "--withdraw", "calls"), "given and taken back"),
        (("consent", "王秀英", "--how", "paper", "--give", "gossip"), "must be one of"),
        (("consent", "谁", "--how", "paper", "--give", "calls"), "no person with this id or name"),
        (("refusal", "王秀英", "--meant"), "has not refused"),
        (("papers", "--to", "out", "--all", "--font", "none.ttf", "--line", "021 1234"), "none.ttf can't be printed"),
        (("number", "王秀英", "12"), "--number: has too few digits"),
    ],
)
def test_what_can_not_be_written_down_is_one_sentence(tmp_path: Path, arguments: tuple[str, ...], message: str) -> None:
    imported(tmp_path)
    by = () if arguments[0] == "papers" else ("--by", "陈老师")
    result = run("people", *arguments, *by)
    assert result.exit_code == 2
    assert message in result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nobody", "--by", "x", "--mode", "keys"), "no person with this id or name"),
        (("王秀英", "--by", " ", "--mode", "keys"), "--by: say who says so"),
        (("王秀英", "--by", "line", "--state", "died"), "the line itself is none"),
        (("王秀英", "--by", "x"), "nothing to change"),
        (("王秀英", "--by", "x", "--state", "gone"), "--state must be one of active, paused, refused, moved, died"),
        (("王秀英", "--by", "x", "--state", "paused"), "a pause needs its last day"),
        (("王秀英", "--by", "x", "--state", "paused", "--until", "2020-01-01"), "can't have passed"),
        (("王秀英", "--by", "x", "--until", "2999-01-01", "--mode", "keys"), "--until goes with"),
        (("王秀英", "--by", "x", "--mode", "visit", "--number", "12"), "--number: has too few digits"),
        (("王秀英", "--by", "x", "--slot", "9"), "--slot: write a time as 08:30"),
        (("王秀英", "--by", "x", "--slot", "23:00"), "--slot: must lie between 08:00 and 21:00"),
        (("王秀英", "--by", "x", "--mode", "pigeon"), "--mode must be one of"),
        (("王秀英", "--by", "x", "--number", "62340000", "--consents", "gossip"), "--consents: must be one of"),
    ],
)
def test_a_change_that_can_not_be_is_one_sentence_and_changes_nothing(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    imported(tmp_path)
    before = row_of("王秀英")
    result = run("people", "set", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert row_of("王秀英") == before


def test_where_an_elder_lives_is_noted_and_taken_back(tmp_path: Path) -> None:
    imported(tmp_path)
    home = ("--address", "三号楼五零二室", "--key-holder", "隔壁陈阿姨", "--notes", "耳朵不好")
    assert run("people", "set", "王秀英", "--by", "女儿", *home).exit_code == 0
    assert run("people", "set", "王秀英", "--by", "女儿", "--key-holder", "").exit_code == 0
    db = Database(f"sqlite:///{tmp_path}/data/wenan.db")
    with db.read() as session:
        texts = house._own_texts(session)
        elder = session.scalars(select(Person).where(Person.name == "王秀英")).one()
    db.close()
    assert (elder.address, elder.key_holder, elder.notes) == ("三号楼五零二室", None, "耳朵不好")
    assert {"三号楼五零二室", "耳朵不好", "王阿婆", "曹杨居委会"} <= set(texts), "rendered before a call needs it"
    long = run("people", "set", "王秀英", "--by", "女儿", "--address", "楼" * 101)
    assert (long.exit_code, "--address: is longer than 100 characters" in long.output) == (2, True)


def test_a_pin_is_set_hidden_or_made_and_shown_once(tmp_path: Path) -> None:
    """Neither the one typed nor its hash is shown; what anybody would try is refused."""
    file = tmp_path / "people.csv"
    file.write_text("姓名,称呼,电话,角色\n李芳,李阿姨,021-55510001,buddy\n", "utf-8")
    assert run("people", "import", str(file), "--committee", "桃源居委会").exit_code == 0
    refused = run("people", "pin", "李芳", "--by", "陈老师", text="1234\n1234\n")
    assert (refused.exit_code, "anybody would try" in refused.output) == (2, True)
    typed = run("people", "pin", "李芳", "--by", "陈老师", text="864297\n864297\n")
    assert (typed.exit_code, "864297" in typed.output) == (0, False)
    assert run("people", "pin", "李芳", "--by", "陈老师", "--unlock").stdout.strip() == "the PIN is unlocked"
    made = run("people", "pin", "李芳", "--by", "陈老师", "--make").stdout
    assert re.fullmatch(r"the PIN is set to \d{6}; it is not shown again", made.strip())
    assert run("people", "pin", "李芳", "--by", " ", "--make").exit_code == 2
    assert run("people", "pin", "谁", "--by", "陈老师", "--make").exit_code == 2


STAFF = (
    CALLS.splitlines()[0].replace("电话,", "电话,角色,")
    + """
王秀英,王阿婆,62345678,,拨打 老伙伴
李梅,李阿姨,13800000001,老伙伴,
陈静,陈老师,13800000002,工作人员,
"""
)
WEEK = "类别,老人,谁,从\n结对,王秀英,李梅,\n值班,,陈静,2026-03-02 08:30\n"


def test_the_roster_goes_in_and_out_and_says_what_it_lacks(tmp_path: Path) -> None:
    assert imported(tmp_path, STAFF).exit_code == 0
    assert run("roster", "gaps").exit_code == 3
    (tmp_path / "roster.csv").write_text(WEEK.replace("李梅", "李美"), "utf-8")
    wrong = run("roster", "import", "roster.csv", "--by", "书记")
    assert (wrong.exit_code, "row 2, column person 谁: there is nobody like this" in wrong.output) == (2, True)
    (tmp_path / "roster.csv").write_text(WEEK, "utf-8")
    assert run("roster", "import", "roster.csv", "--by", "书记", "--committee", "曹杨居委会").exit_code == 0
    assert "陈静" in run("roster", "show").output
    holidays_known()
    assert run("roster", "gaps").exit_code == 0
    assert run("roster", "export", "out.csv").exit_code == 0
    again = run("roster", "import", "out.csv", "--by", "书记")
    assert (again.exit_code, "0 lists changed" in again.output) == (0, True)
    away = run("roster", "leave", "李梅", "--from", "2999-01-01", "--until", "2999-01-02", "--by", "本人")
    assert (away.exit_code, "李梅 is not rung" in away.output) == (0, True)
    assert run("roster", "remove", "李梅", "--by", "书记").exit_code == 0
    assert "王阿婆没有老伙伴" in run("roster", "gaps").output


def test_the_two_examples_of_the_workers_page_go_in_one_after_the_other(tmp_path: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "roster.md").read_text("utf-8")
    people, roster = (part.partition("```")[0] for part in page.split("```csv\n")[1:3])
    assert "8 added" in imported(tmp_path, people).output
    (tmp_path / "roster.csv").write_text(roster, "utf-8")
    assert run("roster", "import", "roster.csv", "--by", "书记").exit_code == 0
    holidays_known()
    assert "no gap" in run("roster", "gaps").output


def holidays_known() -> None:
    """Of this year and the next: whatever today is."""
    year = datetime.now(UTC).year
    rows = [f"{day},放假\n" for day in (f"{year}-10-01", f"{year + 1}-10-01", f"{year + 2}-10-01")]
    Path("holidays.csv").write_text("从,类别\n" + "".join(rows), "utf-8")
    assert run("roster", "holidays", "holidays.csv", "--by", "书记").exit_code == 0


@pytest.mark.parametrize(
    "command", [["people", "import", "x.csv", "--committee", "甲"], ["roster", "import", "x.csv", "--by", "书记"]]
)
def test_a_package_that_is_missing_is_said_with_what_to_do(command: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def without(name: str) -> None:
        raise ModuleNotFoundError(f"No module named 'python_calamine' ({name})", name="python_calamine")

    monkeypatch.setattr("cli.running.import_module", without)
    result = run(*command)
    assert result.exit_code == 2
    assert "this Python has no python_calamine: run `make setup`, then .venv/bin/python server.py" in result.stderr


def test_the_notice_goes_in_by_a_name_and_the_year_is_shown(tmp_path: Path) -> None:
    imported(tmp_path)
    unknown = run("roster", "holidays", "--year", "2039")
    assert (unknown.exit_code, "2039: not known yet" in unknown.output) == (3, True)
    assert "Fri 2039-10-07  perhaps" in unknown.output
    (tmp_path / "notice.csv").write_text("节日,从,到,类别\n国庆节,2039-10-01,2039-10-07,放假\n", "utf-8")
    assert "--by: say who says so" in run("roster", "holidays", "notice.csv").output
    done = run("roster", "holidays", "notice.csv", "--by", "书记", "--year", "2039")
    assert (done.exit_code, "7 days changed" in done.output) == (0, True)
    assert "Fri 2039-10-07  off     as the table has it" in done.output
    (tmp_path / "notice.csv").write_text("从,类别\n2039-10-01,上班\n", "utf-8")
    wrong = run("roster", "holidays", "notice.csv", "--by", "书记")
    assert (wrong.exit_code, "row 2, column kind 类别: 2039-10-01 is a holiday by law" in wrong.output) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("show", "--committee", "别处"), "--committee: name one of: 曹杨居委会"),
        (
            ("leave", "王秀英", "--from", "2999-01-01", "--until", "2999-01-02", "--by", "x"),
            "no buddy, staff or family",
        ),
        (("leave", "李梅", "--from", "soon", "--until", "2999-01-02", "--by", "x"), "--from: write"),
        (("leave", "李梅", "--from", "2999-01-02", "--until", "2999-01-01", "--by", "x"), "must begin before it ends"),
        (("remove", "李梅", "--by", " "), "--by: say who says so"),
        (("import", "none.csv", "--by", "x"), "No such file"),
    ],
)
def test_a_roster_command_that_can_not_be_is_one_sentence(
    tmp_path: Path, arguments: tuple[str, ...], message: str
) -> None:
    imported(tmp_path, STAFF)
    result = run("roster", *arguments)
    assert (result.exit_code, message in result.output) == (2, True)


def test_an_unknown_elder_can_not_be_called_and_nothing_is_started(tmp_path: Path) -> None:
    imported(tmp_path)
    result = run("call", "nobody")
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.endswith("wenan: no elder with this id or name (`people list` shows all)\n")
    assert "starting" not in result.stderr


def test_an_elder_needs_no_pin(tmp_path: Path) -> None:
    imported(tmp_path)
    result = run("people", "pin", "王秀英", "--by", "书记", "--make")
    assert (result.exit_code, "elders need no PIN" in result.output) == (2, True)


def test_an_alarm_is_acknowledged_by_a_name(tmp_path: Path) -> None:
    imported(tmp_path)
    assert "no alarms" in run("alarms", "list").output
    db = Database(f"sqlite:///{tmp_path}/data/wenan.db")
    with db.write() as session:
        alarms.raise_alarm(session, Kind.LINE_DOWN, "电话线路断了。", datetime.now(UTC))
    db.close()
    listed = run("alarms", "list")
    assert (listed.exit_code, "电话线路断了。" in listed.output) == (3, True)
    assert run("alarms", "ack", "1", "--by", " ").exit_code == 2
    assert run("alarms", "ack", "7", "--by", "陈老师").exit_code == 1
    assert "陈老师 knows of it" in run("alarms", "ack", "1", "--by", "陈老师").output
    assert run("alarms", "list").exit_code == 0


@pytest.mark.parametrize(
    "command",
    [
        "people list",
        "people set 王秀英 --by 书记 --mode keys",
        "people pin 李梅 --by 书记 --make",
        "alarms list",
        "alarms test",
        "alarms ack 1 --by 书记",
        "clock accept --by 书记",
        "devices list",
        "devices add 王秀英 --kind smoke --by 书记",
        "roster gaps",
        "roster show",
        "roster export",
        "policy show",
        "policy check",
    ],
)
def test_a_database_that_is_not_there_is_not_made_but_said(tmp_path: Path, command: str) -> None:
    refused = run(*command.split())
    assert refused.exit_code == 2
    assert refused.stderr.startswith(f"wenan: there is no database sqlite:///{tmp_path}/data/wenan.db. ")
    assert "export WENAN_SETTINGS=" in refused.stderr
    assert not (tmp_path / "data").exists()


def test_every_command_says_which_database_it_works_on(tmp_path: Path) -> None:
    assert imported(tmp_path).stderr == f"database sqlite:///{tmp_path}/data/wenan.db (new)\n"
    for command in ("people list", "alarms list", "devices list", "roster gaps"):
        said = run(*command.split())
        assert said.stderr == f"database sqlite:///{tmp_path}/data/wenan.db\n"
        assert "sqlite" not in said.stdout


def test_a_database_is_named_without_its_password() -> None:
    said = shown(Settings(database_url="postgresql+psycopg://wenan:hidden@db/wenan"))
    assert said == "postgresql+psycopg://wenan:***@db/wenan"


def policy_file(folder: Path, text: str) -> str:
    (folder / "policy.yaml").write_text(text, "utf-8")
    return str(folder / "policy.yaml")


def test_a_policy_is_written_for_a_place_and_over_it_for_an_elder(tmp_path: Path) -> None:
    imported(tmp_path)
    file = policy_file(
        tmp_path, "policy: {try_after: [0, 10, 40]}\nescalation: {unreached: {quiet: [buddy, family]}}\n"
    )
    written = run("policy", "set", file, "--by", "书记")
    assert (written.exit_code, "try_after: [0, 10, 40]" in written.output) == (0, True)
    file = policy_file(tmp_path, '{"policy": {"ring_s": 60}}')
    assert run("policy", "set", file, "--elder", "王秀英", "--by", "书记").exit_code == 0
    hers, all_others = run("policy", "show", "--elder", "王秀英").stdout, run("policy", "show").stdout
    assert ("try_after: [0, 10, 40]" in hers, "ring_s: 60" in hers) == (True, True)
    assert ("try_after: [0, 10, 40]" in all_others, "ring_s: 45" in all_others) == (True, True)
    assert run("policy", "show", "--own", "--elder", "王秀英").stdout == "policy: {ring_s: 60}\n"
    file = policy_file(tmp_path, "policy: null\n")
    assert run("policy", "set", file, "--elder", "王秀英", "--by", "书记").exit_code == 0
    assert "ring_s: 45" in run("policy", "show", "--elder", "王秀英").stdout
    assert run("policy", "check").exit_code == 0


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("policy: {try_afters: [0]}", "policy: unknown entry 'try_afters'"),
        ("policy: {finding_within: 10}", "policy: finding_within belongs into the escalation policy"),
        ("escalation: {unreached: {finding_within: 90}}", "unreached.finding_within: a finding is due within 30"),
        ("escalations: {}", "unknown section 'escalations': write policy and escalation"),
        ("policy: [1]", "policy: must be an object of entries"),
        ("policy: {ring_s: [", "is no YAML or JSON"),
        ("", "must hold policy or escalation"),
        ("policy: {calls_until: 1100}", "王秀英: policy: unserved_at must lie within"),
    ],
)
def test_a_policy_that_breaks_a_promise_is_not_written(tmp_path: Path, document: str, message: str) -> None:
    imported(tmp_path)
    late = policy_file(tmp_path, "policy: {unserved_at: 1200}")
    assert run("policy", "set", late, "--elder", "王秀英", "--by", "书记").exit_code == 0
    before = run("policy", "show").stdout
    refused = run("policy", "set", policy_file(tmp_path, document), "--by", "书记")
    assert (refused.exit_code, message in " ".join(refused.output.split())) == (2, True)
    assert run("policy", "show").stdout == before


def test_a_policy_needs_a_name_and_a_place_that_is_there(tmp_path: Path) -> None:
    imported(tmp_path)
    file = policy_file(tmp_path, "policy: {ring_s: 60}")
    assert run("policy", "set", file, "--by", " ").exit_code == 2
    assert "no elder with this id" in run("policy", "set", file, "--by", "书记", "--elder", "谁").output
    assert "name one of: 曹杨居委会" in run("policy", "show", "--committee", "别处").output
    assert "ring_s: 45" in run("policy", "show").stdout


def test_the_check_says_whose_policy_counts_for_nothing(tmp_path: Path) -> None:
    imported(tmp_path)
    db = Database(f"sqlite:///{tmp_path}/data/wenan.db")
    with db.write() as session:
        session.execute(text("update neighbourhood set policy = '{\"finding_within\": 10}'"))
        session.execute(text("update person set escalation = '{\"unreached\": 3}' where name = '王秀英'"))
    db.close()
    checked = run("policy", "check")
    assert checked.exit_code == 3
    assert "曹杨居委会: policy: finding_within changes nothing; it belongs into the escalation policy" in checked.stdout
    assert re.search(r"曹杨居委会, 王秀英 \(\S+\): escalation: unreached", checked.stdout)
