"""Tables as people save them: workbooks and CSV; what can't be taken is told by row and column."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime, time
from pathlib import Path
from random import Random
from typing import Any

import pytest
import xlsxwriter

from checkins import spreadsheet, workbook
from checkins.spreadsheet import Fault, Table, TableError

HEADINGS = {"name": ("name", "姓名"), "phone": ("phone", "电话"), "slot": ("slot", "时间"), "day": ("day", "日期")}
HEAD = ("姓名", "电话", "时间", "日期")


def read(folder: Path, raw: bytes, sheet: tuple[str, ...] = ("人员",)) -> Table:
    path = folder / "list"
    path.write_bytes(raw)
    return spreadsheet.read(path, HEADINGS, ("name", "phone"), sheet)


def book(fill: Any) -> bytes:
    out = io.BytesIO()
    with xlsxwriter.Workbook(out) as it:
        fill(it)
    return out.getvalue()


def test_a_workbook_is_read_as_people_see_it(tmp_path: Path) -> None:
    def fill(it: xlsxwriter.Workbook) -> None:
        hidden = it.add_worksheet("旧")
        hidden.write_row(0, 0, HEAD)
        sheet = it.add_worksheet("独居老人")
        sheet.activate()
        sheet.set_first_sheet()
        hidden.hide()
        it.add_worksheet("空")
        sheet.merge_range(0, 0, 0, 3, "2026年独居老人花名册")
        sheet.write_row(1, 0, ("姓 名", "*电话", "时间", "日期", "身份证号"))
        sheet.write(2, 0, "王秀英")
        sheet.write_number(2, 1, 13800000000)
        sheet.write_datetime(2, 2, time(8, 30), it.add_format({"num_format": "hh:mm"}))
        sheet.write_datetime(2, 3, datetime(2026, 3, 2), it.add_format({"num_format": "yyyy-mm-dd"}))  # noqa: DTZ001
        sheet.write_formula(3, 0, '="李"&"建国"', None, "李建国")
        sheet.write_string(3, 1, "'０２１\u200b-62345678\u3000")

    found = read(tmp_path, book(fill))
    assert list(found.rows) == [
        (3, {"name": "王秀英", "phone": "13800000000", "slot": "08:30", "day": "2026-03-02"}),
        (4, {"name": "李建国", "phone": "021-62345678", "slot": "", "day": ""}),
    ]
    assert (found.faults, found.left_out, found.encoding) == ([], ["身份证号"], "xlsx")


def test_cells_that_hold_nothing_are_told_by_row_and_column(tmp_path: Path) -> None:
    def fill(it: xlsxwriter.Workbook) -> None:
        sheet = it.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.merge_range(1, 1, 3, 1, "62345678")
        sheet.write_column(1, 0, ("王秀英", "李建国", "赵\ufffd"))
        sheet.write_formula(2, 2, "=VLOOKUP(A1,B:C,2)", None, "#N/A")
        sheet.write(2, 5, "?")

    assert sorted(read(tmp_path, book(fill)).faults, key=lambda fault: fault.row) == [
        Fault(2, "phone", "is merged with the cells down to row 4: each row needs its own"),
        Fault(3, "", "cell 6 stands under no heading"),
        Fault(3, "slot", "holds a formula that failed: write what should stand there"),
        Fault(4, "name", "has lost signs (\ufffd): the file was saved in the wrong encoding"),
    ]


def test_of_several_sheets_the_one_that_is_meant_is_read(tmp_path: Path) -> None:
    def fill(*names: str) -> bytes:
        def sheets(it: xlsxwriter.Workbook) -> None:
            for name in names:
                sheet = it.add_worksheet(name)
                sheet.write_row(0, 0, ("备忘",) if name == "说明" else HEAD)
                sheet.write_row(1, 0, (name, "62345678"))

        return book(sheets)

    assert read(tmp_path, fill("一月", "人员")).rows[0][1]["name"] == "人员"
    assert read(tmp_path, fill("说明", "一月")).rows[0][1]["name"] == "一月"
    with pytest.raises(TableError, match="several sheets"):
        read(tmp_path, fill("一月", "二月"))


@pytest.mark.parametrize(("row", "column"), [(1_048_575, 0), (3, 16_383)])
def test_a_cell_far_off_is_refused_before_memory_is_taken_for_all_before_it(
    tmp_path: Path, row: int, column: int
) -> None:
    def fill(it: xlsxwriter.Workbook) -> None:
        sheet = it.add_worksheet()
        sheet.write_row(0, 0, HEAD)
        sheet.write(row, column, "x")

    with pytest.raises(TableError, match="too far off"):
        read(tmp_path, book(fill))


def edited(change: Any) -> bytes:
    """A good workbook with the text of its sheet changed."""
    good, out = workbook.write({"人员": [HEAD, ("王秀英", "62345678", "", "")]}), io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(good)) as old, zipfile.ZipFile(out, "w") as new:
        for path in old.namelist():
            text = old.read(path)
            new.writestr(path, change(text) if path == "xl/worksheets/sheet1.xml" else text)
    return out.getvalue()


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'r="B2"', b'r="xfd1048576"'),
        (b'r="B2"', b"r = 'Xfd2'"),
        (b'<c r="B2" s="1"', b'<c s="1"r="XFD2"'),
        (b"<sheetData>", b"<sheetData>" + b"<row/>" * 100_000),
        (b'<c r="B2"', b"<c/>" * 1_001 + b'<c r="B2"'),
    ],
)
def test_a_cell_far_off_is_refused_however_it_is_named(tmp_path: Path, old: bytes, new: bytes) -> None:
    raw = edited(lambda text: text.replace(old, new))
    assert raw != edited(lambda text: text)
    with pytest.raises(TableError, match="too far off"):
        read(tmp_path, raw)


def test_a_damaged_workbook_is_one_sentence(tmp_path: Path) -> None:
    good, at = workbook.write({"人员": [HEAD, *[("王秀英", "62345678", "", "")] * 20]}), Random(5)
    said = set()
    for _ in range(250):
        raw = bytearray(good)
        for _ in range(at.randint(1, 3)):
            raw[at.randrange(4, len(raw))] = at.randrange(256)
        try:
            read(tmp_path, bytes(raw))
        except TableError as error:
            said.add(str(error))
    assert "is a broken workbook (error): save it again as .xlsx" in said, "zlib's"


def test_a_workbook_packed_in_a_way_of_its_own_is_one_sentence(tmp_path: Path) -> None:
    raw = bytearray(workbook.write({"人员": [HEAD]}))
    for signature, method_at in ((b"PK\x03\x04", 8), (b"PK\x01\x02", 10)):
        at = raw.find(signature)
        while at >= 0:
            raw[at + method_at] = 98  # PPMd, which zipfile doesn't unpack
            at = raw.find(signature, at + 1)
    with pytest.raises(TableError, match=re.escape("is a broken workbook (NotImplementedError): save it again")):
        read(tmp_path, bytes(raw))


def test_what_unpacks_to_more_than_it_may_is_refused_whatever_it_says_of_itself(tmp_path: Path) -> None:
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", bytes(2_000_000))
    lies = bomb.getvalue().replace((2_000_000).to_bytes(4, "little"), (100).to_bytes(4, "little"))
    with pytest.raises(TableError, match="broken workbook"):
        read(tmp_path, lies)
    big = bomb.getvalue().replace((2_000_000).to_bytes(4, "little"), (2_000_000_000).to_bytes(4, "little"))
    with pytest.raises(TableError, match="more than 300 MB"):
        read(tmp_path, big)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "utf-16"])
@pytest.mark.parametrize("sign", [",", ";", "\t"])
def test_csv_as_spreadsheets_save_it(tmp_path: Path, encoding: str, sign: str) -> None:
    text = sign.join(HEAD) + f"{sign}\r\n王秀英{sign}62345678{sign * 3}\r\n"
    found = read(tmp_path, text.encode(encoding))
    assert [(row["name"], row["phone"]) for _, row in found.rows] == [("王秀英", "62345678")]
    assert not found.faults


def test_a_comma_too_many_and_a_column_without_heading_are_told(tmp_path: Path) -> None:
    text = "姓名,电话,\n王秀英,62345678,三号楼\n李建国,62345679,,五号楼\n"
    assert [str(fault) for fault in read(tmp_path, text.encode()).faults] == [
        "row 2: cell 3 stands under no heading",
        "row 3: has more cells than there are headings (cell 4): a comma in one?",
    ]


def test_what_goes_out_is_no_formula_and_comes_in_as_it_was(tmp_path: Path) -> None:
    names = ["=1+1", "+852 2123 4567", "-2", "@x", "王秀英"]
    rows = [HEAD, *((name, "62345678", "", "") for name in names)]
    text = spreadsheet.to_csv(rows)
    assert all(line[0] == "'" or line[0] == "王" for line in text.splitlines()[1:])
    for raw in (text.encode(), workbook.write({"人员": rows})):
        assert [row["name"] for _, row in read(tmp_path, raw).rows] == names


@pytest.mark.parametrize("text", ["=1+1", "＝1+1", " =1+1", "\u3000＠x", "\t1", "\n=1", "\u200b+1", "－2", "\ufeff=1"])
def test_no_formula_goes_out_however_it_is_written(text: str) -> None:
    assert spreadsheet.plain(text) == f"'{text}"
    assert spreadsheet.to_csv([[text, "1=1"]]).strip('"').startswith("'")


@pytest.mark.parametrize(
    "text", ["2026-03-02", "2026/3/2", "2026年3月2日", "2026.03.02", "20260302", "2026-03-02 00:00"]
)
def test_dates_as_people_write_them(text: str) -> None:
    assert spreadsheet.read_date(text).isoformat() == "2026-03-02"


@pytest.mark.parametrize("text", ["", "3月2日", "2026-02-30", "2026-03", "02/03/2026"])
def test_what_is_no_date_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"write a date|no such day"):
        spreadsheet.read_date(text)
