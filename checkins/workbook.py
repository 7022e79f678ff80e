"""Workbooks (.xlsx) in and out: every cell as the text that people see, and what can't be taken, by row and column.

The library that reads is fast but trusts a file: it takes memory for all cells up to the farthest one, and shows a
formula's error as an empty cell. So the sheets' own text is looked through first.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree

import python_calamine
import xlsxwriter

MAX_UNPACKED = 300_000_000  # bytes of all parts; a sheet of 50,000 people has some 40 million
MAX_ROWS = 99_999
# A cell's name in a row or a column (from CA on, the 79th) that no register has; where a formula failed.
_FAR = re.compile(rb"""\sr\s*=\s*["']([A-Z]*[0-9]{6,}|(?:[A-Z]{3,}|[C-Z][A-Z])[0-9]+)["']""")
_ERROR = re.compile(rb"""<(?:\w+:)?c\s(?=[^>]*\st\s*=\s*["']e["'])[^>]*>""")
_REF = re.compile(rb"""\sr\s*=\s*["']([A-Z]+)([0-9]+)["']""")
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
Place = tuple[int, int]  # row and column, from 1 as the spreadsheet shows them


@dataclass(frozen=True)
class Sheet:
    """`rows` from the spreadsheet's first row on. `faults`: cells that hold nothing that could be taken, and why."""

    name: str
    rows: Sequence[Sequence[str]]
    faults: Mapping[Place, str]


def read(raw: bytes) -> list[Sheet]:
    """The sheets that are shown and not empty. ValueError, one sentence, for a file that is no workbook, has a
    password, or is too large to be a register."""
    try:
        parts = _unpacked(raw)
        book = python_calamine.load_workbook(io.BytesIO(raw))
        errors = {name: _errors(text, name) for name, text in _texts(parts).items()}
        shown = [each.name for each in book.sheets_metadata if str(each.visible).endswith(".Visible")]
        found = [_sheet(book.get_sheet_by_name(name), errors.get(name, {})) for name in shown]
    except (zipfile.BadZipFile, python_calamine.CalamineError, ElementTree.ParseError, KeyError, EOFError) as error:
        raise ValueError(f"is a broken workbook ({type(error).__name__}): save it again as .xlsx") from None
    return [sheet for sheet in found if sheet.rows]


def write(sheets: Mapping[str, Sequence[Sequence[str]]]) -> bytes:
    """A workbook of texts only: nothing in it is a formula, a number or a date. The first row of a sheet is its
    heading."""
    out = io.BytesIO()
    with xlsxwriter.Workbook(out, {"in_memory": True}) as book:
        text, head = book.add_format({"num_format": "@"}), book.add_format({"num_format": "@", "bold": True})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            sheet.freeze_panes(1, 0)
            sheet.set_column(0, max(map(len, rows), default=1) - 1, 14, text)
            for at, cells in enumerate(rows):
                for column, cell in enumerate(cells):
                    sheet.write_string(at, column, cell, text if at else head)
    return out.getvalue()


# ── what is in the file ───────────────────────────────────────────────────────────────────────────


def _unpacked(raw: bytes) -> dict[str, bytes]:
    """The parts that are looked through. A part that is larger than it says ends in a checksum that is wrong."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > MAX_UNPACKED or len(parts) > 1000:
            raise ValueError("unpacks to more than 300 MB: that is no register")
        if any(part.flag_bits & 1 for part in parts):
            raise ValueError("has a password: take it off first")
        return {part.filename: archive.read(part) for part in parts if part.filename.startswith("xl/")}


def _texts(parts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The sheets' own XML by their names."""
    links = ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"])  # noqa: S314 (expat refuses bombs of entities)
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    found = {}
    for sheet in ElementTree.fromstring(parts["xl/workbook.xml"]).iter():  # noqa: S314
        target = targets.get(sheet.get(_RELATION))
        if sheet.tag.endswith("}sheet") and target is not None:
            path = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl", target))
            found[sheet.get("name", "")] = parts.get(path, b"")
    return found


def _errors(text: bytes, name: str) -> dict[Place, str]:
    """Cells with a formula's error. ValueError when a cell is too far off for a register."""
    far = _FAR.search(text)
    if far is not None:
        where = far[1].decode()
        raise ValueError(f"sheet {name}: there is something in {where}, too far off; delete rows and columns there")
    found = {}
    for cell in _ERROR.finditer(text):
        at = _REF.search(cell[0])
        if at is not None:
            found[int(at[2]), _number(at[1])] = "holds a formula that failed: write what should stand there"
    return found


def _number(letters: bytes) -> int:
    value = 0
    for letter in letters:
        value = value * 26 + letter - ord("A") + 1
    return value


def _sheet(sheet: python_calamine.CalamineSheet, errors: Mapping[Place, str]) -> Sheet:
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    while rows and not any(rows[-1]):
        rows.pop()
    return Sheet(sheet.name, rows, dict(errors) | dict(_merged(sheet.merged_cell_ranges or [])))


def _merged(ranges: Sequence[tuple[Place, Place]]) -> Iterator[tuple[Place, str]]:
    for (top, left), (bottom, right) in ranges:
        if bottom > top:
            yield (top + 1, left + 1), f"is merged with the cells down to row {bottom + 1}: each row needs its own"
        else:
            yield (top + 1, left + 1), f"is merged with {right - left} cells beside it: each column needs its own"


def _text(cell: Any) -> str:
    """As people see it: 13800000000.0 is a telephone number, a day has no time at midnight."""
    if isinstance(cell, bool):
        return "是" if cell else "否"
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 1e15:
        return str(int(cell))
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d}" if cell.time() == time() else f"{cell:%Y-%m-%d %H:%M}"
    if isinstance(cell, time):
        return f"{cell:%H:%M}"
    if isinstance(cell, timedelta):
        minutes = round(cell.total_seconds() / 60)
        return f"{minutes // 60:02d}:{minutes % 60:02d}"
    return cell.isoformat() if isinstance(cell, date) else str(cell)
