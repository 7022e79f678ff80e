"""Workbooks (.xlsx) in and out: every cell as the text that people see, and what can't be taken, by row and column.

The library that reads is fast but trusts a file: it takes memory for all cells up to the farthest one, which ends the
process when there is none, and shows a formula's error as an empty cell. So all text is looked through first, and it is
given what was looked at: no other part, no other copy of one.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from pathlib import PurePosixPath
from typing import Any
from xml.etree import ElementTree

import python_calamine
import xlsxwriter

MAX_UNPACKED = 300_000_000  # bytes of all parts; a sheet of 50,000 people has some 40 million
MAX_ROWS = 99_999
MAX_CELLS = 1_000  # of a row
# A cell's name in a row or a column (from CA on, the 79th) that no register has; where a formula failed.
_FAR = re.compile(rb"""[\s"']r\s*=\s*["']([A-Z]*[0-9]{6,}|(?:[A-Z]{3,}|[C-Z][A-Z])[0-9]+)["']""", re.IGNORECASE)
_ROW = re.compile(rb"<(?:[\w.-]+:)?row[\s/>]")  # rows and cells without a name are counted on from the one before
_CELL = re.compile(rb"<(?:[\w.-]+:)?c[\s/>]")
_ERROR = re.compile(rb"""<(?:\w+:)?c\s(?=[^>]*\st\s*=\s*["']e["'])[^>]*>""")
_REF = re.compile(rb"""\sr\s*=\s*["']([A-Z]+)([0-9]+)["']""", re.IGNORECASE)
_RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
Place = tuple[int, int]  # row and column, from 1 as the spreadsheet shows them


class _RefusedError(ValueError):
    """A file that could be read, and won't be."""


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
        return _read(raw)
    except _RefusedError:
        raise
    except Exception as error:  # whatever a damaged file does to three libraries
        raise _broken(error) from None
    except BaseException as error:
        if type(error).__name__ != "PanicException":  # what the library that reads has not foreseen
            raise
        raise _broken(error) from None


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


def _read(raw: bytes) -> list[Sheet]:
    parts = _unpacked(raw)
    texts = _texts(parts)
    for path, text in parts.items():
        _near(text, next((name for name, target in texts.items() if target == path), path))
    book = python_calamine.load_workbook(io.BytesIO(_packed(parts)))
    errors = {name: _errors(parts.get(path, b"")) for name, path in texts.items()}
    shown = [each.name for each in book.sheets_metadata if str(each.visible).endswith(".Visible")]
    found = [_sheet(book.get_sheet_by_name(name), errors.get(name, {})) for name in shown]
    return [sheet for sheet in found if sheet.rows]


def _broken(error: BaseException) -> ValueError:
    return ValueError(f"is a broken workbook ({type(error).__name__}): save it again as .xlsx")


# ── what is in the file ───────────────────────────────────────────────────────────────────────────


def _unpacked(raw: bytes) -> dict[str, bytes]:
    """All parts. A part that is larger than it says ends in a checksum that is wrong."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        parts = archive.infolist()
        if sum(part.file_size for part in parts) > MAX_UNPACKED or len(parts) > 1000:
            raise _RefusedError("unpacks to more than 300 MB: that is no register")
        if any(part.flag_bits & 1 for part in parts):
            raise _RefusedError("has a password: take it off first")
        return {part.filename: archive.read(part) for part in parts}


def _packed(parts: Mapping[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, part in parts.items():
            archive.writestr(path, part)
    return out.getvalue()


def _texts(parts: Mapping[str, bytes]) -> dict[str, str]:
    """The paths of the sheets' own XML by their names."""
    links = ElementTree.fromstring(parts["xl/_rels/workbook.xml.rels"])  # noqa: S314 (expat refuses bombs of entities)
    targets = {link.get("Id"): link.get("Target", "") for link in links}
    found = {}
    for sheet in ElementTree.fromstring(parts["xl/workbook.xml"]).iter():  # noqa: S314
        target = targets.get(sheet.get(_RELATION))
        if sheet.tag.endswith("}sheet") and target is not None:
            path = target.lstrip("/") if target.startswith("/") else str(PurePosixPath("xl", target))
            found[sheet.get("name", "")] = path
    return found


def _near(text: bytes, name: str) -> None:
    """_RefusedError when a cell is too far off for a register."""
    far, rows = _FAR.search(text), [row.start() for row in _ROW.finditer(text)]
    if far is not None:
        where = far[1].decode().upper()
    elif len(rows) > MAX_ROWS:
        where = f"row {len(rows)}"
    else:
        ends = pairwise([*rows, len(text)])
        if not any(end - at > 4 * MAX_CELLS and _wide(text[at:end]) for at, end in ends):
            return
        where = f"cell {MAX_CELLS + 1} of a row"
    raise _RefusedError(f"sheet {name}: there is something in {where}, too far off; delete rows and columns there")


def _wide(row: bytes) -> bool:
    return len(_CELL.findall(row)) > MAX_CELLS


def _errors(text: bytes) -> dict[Place, str]:
    """Cells with a formula's error."""
    found = {}
    for cell in _ERROR.finditer(text):
        at = _REF.search(cell[0])
        if at is not None:
            found[int(at[2]), _number(at[1])] = "holds a formula that failed: write what should stand there"
    return found


def _number(letters: bytes) -> int:
    value = 0
    for letter in letters.upper():
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
