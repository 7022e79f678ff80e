"""Tables from a CSV file as spreadsheets save it: UTF-8 or GBK, headings in English or Chinese, in any order."""

from __future__ import annotations

import csv
import io
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

MAX_BYTES = 20_000_000


@dataclass(frozen=True)
class Table:
    """`rows`: the spreadsheet's row number (headings are row 1) and cells by our column names; no empty rows."""

    rows: Sequence[tuple[int, Mapping[str, str]]]
    encoding: str


def read(path: Path, headings: Mapping[str, Sequence[str]], required: Collection[str]) -> Table:
    """`headings`: each column's names. ValueError, one sentence without the file's name, for a file that is no table,
    and for missing, unknown or double headings."""
    text, encoding = _decode(_read(path))
    try:
        rows = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        raise ValueError(f"is broken CSV: {error}") from None
    columns = _columns(rows[0] if rows else [], headings, required)
    table: list[tuple[int, Mapping[str, str]]] = []
    for number, cells in enumerate(rows[1:], start=2):
        if any(cell.strip() for cell in cells):
            padded = [cell.strip() for cell in cells] + [""] * len(columns)
            table.append((number, dict(zip(columns, padded, strict=False))))
    return Table(table, encoding)


def _read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ValueError("is larger than 20 MB")
        return path.read_bytes()
    except OSError as error:
        raise ValueError(error.strerror or "cannot be read") from None


def _decode(raw: bytes) -> tuple[str, str]:
    if raw.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
        raise ValueError("is a workbook, not CSV: in the spreadsheet choose “save as: CSV UTF-8”")
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise ValueError("is UTF-16 text: in the spreadsheet choose “save as: CSV UTF-8”")
    if b"\0" in raw:
        raise ValueError("is no text file")
    for encoding, name in (("utf-8-sig", "UTF-8"), ("gb18030", "GBK")):
        try:
            return raw.decode(encoding), name
        except UnicodeDecodeError:
            continue
    raise ValueError("is neither UTF-8 nor GBK text: in the spreadsheet choose “save as: CSV UTF-8”")


def _columns(cells: list[str], headings: Mapping[str, Sequence[str]], required: Collection[str]) -> list[str]:
    names = {heading: column for column, known in headings.items() for heading in known}
    columns: list[str] = []
    for place, heading in enumerate(cells, start=1):
        column = names.get(heading.strip().lower())
        if column is None or column in columns:
            raise ValueError(f"row 1, column {place}: {'double' if column else 'unknown'} heading {heading.strip()!r}")
        columns.append(column)
    for column in required:
        if column not in columns:
            raise ValueError(f"row 1: the heading {column} ({headings[column][1]}) is missing")
    return columns
