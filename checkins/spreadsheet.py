"""Tables as spreadsheets save them: workbooks (.xlsx), and CSV in UTF-8, UTF-16 or GBK. Headings in English or
Chinese, in any order; a title above them is no matter. What can't be taken is told by row and column, all at once."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from checkins import workbook
from checkins.names import FORMULA
from checkins.workbook import MAX_ROWS, Sheet

MAX_BYTES = 20_000_000
HEAD_WITHIN = 10  # rows: titles and remarks above the headings
LOST = ("\ufffd", "锟斤拷")  # what is left of a text that was saved in the wrong encoding
# Columns that lists have and the line must not: what it does not need it does not know (docs/privacy.md).
LEFT_OUT = ("序号", "性别", "年龄", "出生日期", "出生年月", "身份证", "身份证号", "身份证号码", "证件号码", "民族")
_WIDE = {0xFF01 + n: 0x21 + n for n in range(94) if chr(0x21 + n).isalnum()} | dict.fromkeys((0xA0, 0x3000), " ")
_WIDE_SIGN = re.compile("[\uff01-\uff5e]")
_UNSEEN = ("Cc", "Cf")
_DATE = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?|(\d{4})(\d{2})(\d{2})")


@dataclass(frozen=True)
class Fault:
    """Of one cell or row, e.g. `Fault(3, "phone", "is merged …")`; column "": of the whole row."""

    row: int
    column: str
    why: str

    def __str__(self) -> str:
        return f"row {self.row}{f', column {self.column}' if self.column else ''}: {self.why}"


@dataclass(frozen=True)
class Table:
    """`rows`: the spreadsheet's row number and cells by our column names; no empty rows. `faults`: what can't be taken.
    `left_out`: headings that the line does not keep."""

    rows: Sequence[tuple[int, Mapping[str, str]]]
    encoding: str
    faults: Sequence[Fault] = ()
    left_out: Sequence[str] = ()


class TableError(ValueError):
    """What is wrong with the file as a whole: `sentences`, without its name."""

    def __init__(self, *sentences: str) -> None:
        super().__init__("; ".join(sentences))
        self.sentences = sentences


def read(
    path: Path, headings: Mapping[str, Sequence[str]], required: Collection[str], sheet: Collection[str] = ()
) -> Table:
    """`headings`: each column's names; `sheet`: names under which a workbook has this table. TableError for a file that
    is no table, and for missing, unknown or double headings."""
    sheets, encoding = open_file(path)
    return table(choose(sheets, headings, required, sheet), encoding, headings, required)


def open_file(path: Path) -> tuple[list[Sheet], str]:
    """All sheets (of a CSV file: the one), and what the file was read as. TableError."""
    raw = _read(path)
    try:
        if raw.startswith(b"PK\x03\x04"):
            return workbook.read(raw), "xlsx"
        text, encoding = _decode(raw)
        return [Sheet("", _csv(text), {})], encoding
    except TableError:
        raise
    except ValueError as error:
        raise TableError(str(error)) from None


def choose(
    sheets: Sequence[Sheet], headings: Mapping[str, Sequence[str]], required: Collection[str], names: Collection[str]
) -> Sheet:
    """The one called so; else the only one; else the only one with these headings. TableError."""
    if len(sheets) == 1:
        return sheets[0]
    named = [sheet for sheet in sheets if _plainly(sheet.name) in names]
    known = _known(headings)
    alike = [each for each in sheets if set(required) <= {known.get(_plainly(cell)) for cell in _head(each, known)[1]}]
    found = named or alike
    if not sheets:
        raise TableError("is empty")
    if len(found) != 1:
        listed = "、".join(sheet.name for sheet in found or sheets)
        raise TableError(f"has several sheets ({listed}): keep one, or call it {' or '.join(names)}")
    return found[0]


def table(sheet: Sheet, encoding: str, headings: Mapping[str, Sequence[str]], required: Collection[str]) -> Table:
    head, cells = _head(sheet, _known(headings))
    columns, left_out = _columns(head, cells, headings, required)
    if len(sheet.rows) - head > MAX_ROWS:
        raise TableError(f"has more than {MAX_ROWS:,} rows")
    rows, faults = [], []
    doubtful = bool(sheet.faults) or None in columns
    for number, row in enumerate(sheet.rows[head:], start=head + 1):
        texts = [tidy(cell) for cell in row]
        if any(texts):
            if len(texts) > len(columns) or doubtful or any(sign in "".join(texts) for sign in LOST):
                faults += _faults(sheet, number, texts, columns)
            padded = texts + [""] * (len(columns) - len(texts))
            rows.append((number, {column: text for column, text in zip(columns, padded, strict=False) if column}))
    return Table(rows, encoding, faults, left_out)


def tidy(cell: str) -> str:
    """Without what can't be seen, full-width figures and letters as usual, and without the apostrophe by which
    spreadsheets mark a text."""
    plain = cell.strip()
    if not plain.isprintable() or _WIDE_SIGN.search(plain):
        plain = "".join(" " if sign in "\n\r\t" else sign for sign in plain.translate(_WIDE) if _seen(sign)).strip()
    return plain[1:].strip() if plain[:1] == "'" else plain


def plain(text: str) -> str:
    """For a CSV file: a spreadsheet must not take it for a formula, also behind a space or in full width (it reads both
    as usual). `tidy` takes the apostrophe off again."""
    shown = unicodedata.normalize("NFKC", "".join(sign for sign in text if _seen(sign))).lstrip()
    return f"'{text}" if shown.startswith(tuple(FORMULA)) or text[:1] in ("\t", "\r") else text


def to_csv(rows: Sequence[Sequence[str]]) -> str:
    """All that goes out as CSV is written here: no cell of it is a formula."""
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows([plain(cell) for cell in row] for row in rows)
    return out.getvalue()


def read_date(cell: str) -> date:
    """ "2026-03-02", "2026/3/2", "2026年3月2日", "20260302". ValueError."""
    found = _DATE.fullmatch(cell.strip().removesuffix(" 00:00"))
    if found is None:
        raise ValueError("write a date as 2026-03-02")
    try:
        return date(*(int(part) for part in found.groups() if part))
    except ValueError:
        raise ValueError("there is no such day") from None


# ── cells ─────────────────────────────────────────────────────────────────────────────────────────


def _seen(sign: str) -> bool:
    return sign in "\n\r\t" or unicodedata.category(sign) not in _UNSEEN


def _faults(sheet: Sheet, number: int, texts: Sequence[str], columns: Sequence[str | None]) -> list[Fault]:
    found = []
    for at, text in enumerate(texts):
        column = columns[at] if at < len(columns) else None
        if text and at >= len(columns):
            found.append(Fault(number, "", f"has more cells than there are headings (cell {at + 1}): a comma in one?"))
        elif text and column is None:
            found.append(Fault(number, "", f"cell {at + 1} stands under no heading"))
        if column and any(sign in text for sign in LOST):
            found.append(Fault(number, column, "has lost signs (\ufffd): the file was saved in the wrong encoding"))
    if sheet.faults:
        found += [
            Fault(number, column, sheet.faults[number, at])
            for at, column in enumerate(columns, start=1)
            if column and (number, at) in sheet.faults
        ]
    return found


def _plainly(heading: str) -> str:
    return re.sub(r"[\s*:\uff1a]+", "", unicodedata.normalize("NFKC", tidy(heading))).lower()


def _known(headings: Mapping[str, Sequence[str]]) -> dict[str, str]:
    return {_plainly(name): column for column, names in headings.items() for name in names}


def _head(sheet: Sheet, known: Mapping[str, str]) -> tuple[int, Sequence[str]]:
    """The row with most of the headings, and its cells; the first row when none has two."""
    best, most = 1, 1
    for number, cells in enumerate(sheet.rows[:HEAD_WITHIN], start=1):
        count = sum(_plainly(cell) in known for cell in cells)
        if count > most:
            best, most = number, count
    return best, sheet.rows[best - 1] if sheet.rows else ()


def _columns(
    head: int, cells: Sequence[str], headings: Mapping[str, Sequence[str]], required: Collection[str]
) -> tuple[list[str | None], list[str]]:
    """Our columns in the file's order; "" for one that is not read, None for one without a heading."""
    names, wrong = _known(headings), []
    columns: list[str | None] = []
    left_out: list[str] = []
    for place, cell in enumerate(cells, start=1):
        heading, column = _plainly(cell), names.get(_plainly(cell))
        if heading in LEFT_OUT:
            left_out.append(heading)
        elif column is None and heading:
            wrong.append(f"row {head}, column {place}: unknown heading {cell.strip()!r}")
        elif column is not None and column in columns:
            wrong.append(f"row {head}, column {place}: double heading {cell.strip()!r}")
        columns.append(column or ("" if heading else None))
    missing = [column for column in required if column not in columns]
    wrong += [f"row {head}: the heading {column} ({headings[column][1]}) is missing" for column in missing]
    if wrong:
        raise TableError(*wrong)
    return columns, left_out


# ── files ─────────────────────────────────────────────────────────────────────────────────────────


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TableError("is larger than 20 MB")
        return path.read_bytes()
    except OSError as error:
        raise TableError(error.strerror or "cannot be read") from None


def _csv(text: str) -> list[list[str]]:
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        return list(reader)
    except csv.Error as error:
        raise TableError(f"is broken CSV in line {reader.line_num}: {error}") from None


def _delimiter(text: str) -> str:
    """Spreadsheets write commas, semicolons (by the country) or tabs ("Unicode text")."""
    head = "\n".join(text.splitlines()[:HEAD_WITHIN])
    return max(",;\t", key=head.count)


def _decode(raw: bytes) -> tuple[str, str]:
    if raw.startswith(b"\xd0\xcf\x11\xe0"):
        raise TableError("is an old workbook (.xls), or one with a password: save it as .xlsx without one")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings: tuple[tuple[str, str], ...] = (("utf-16", "UTF-16"),)
    elif b"\0" in raw:
        raise TableError("is no text file")
    else:
        encodings = (("utf-8-sig", "UTF-8"), ("gb18030", "GBK"))
    for encoding, name in encodings:
        try:
            return raw.decode(encoding), name
        except UnicodeDecodeError:
            continue
    raise TableError("is neither UTF-8 nor GBK text: in the spreadsheet choose “save as: CSV UTF-8”, or .xlsx")
