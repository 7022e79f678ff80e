"""Reads the lexicon's tables with places: every problem is collected as "FILE:LINE: what is wrong; what to do"."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field


class LexiconError(ValueError):
    """The tables are wrong. The message holds every problem, one a line, in the order of files and lines."""


@dataclass(frozen=True)
class Row:
    """One line: column → cell."""

    line: int
    cells: Mapping[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


@dataclass
class Problems:
    """What was found so far. `raise_any` ends the load when there is anything."""

    found: list[tuple[str, int, str]] = field(default_factory=list)

    def add(self, file: str, line: int, sentence: str) -> None:
        self.found.append((file, line, sentence))

    def raise_any(self) -> None:
        if self.found:
            raise LexiconError("\n".join(f"{file}:{line}: {sentence}" for file, line, sentence in sorted(self.found)))


def rows(file: str, text: str, columns: Sequence[str], problems: Problems) -> Iterator[Row]:
    """The rows of a table whose first line names `columns`; a row that can't be read is a problem and left out."""
    lines = text.removeprefix("\ufeff").splitlines()
    if not lines or lines[0].split("\t") != list(columns):
        problems.add(file, 1, f"the first line must name the columns, with tabs between: {', '.join(columns)}")
        return
    for number, line in enumerate(lines[1:], 2):
        cells = line.split("\t")
        fault = _fault(line, cells, columns)
        if fault:
            problems.add(file, number, fault)
        else:
            yield Row(number, dict(zip(columns, cells, strict=True)))


def _fault(line: str, cells: Sequence[str], columns: Sequence[str]) -> str:
    """What is wrong with the shape of a line; empty when nothing is."""
    if not line.strip():
        return "an empty line; take it out"
    if len(cells) != len(columns):
        return f"{len(cells)} columns instead of {len(columns)}; put one tab between columns, also between empty ones"
    for column, cell in zip(columns, cells, strict=True):
        if cell != cell.strip() or "  " in cell:
            return f'the {column} "{cell}" has spaces too many; take them out'
        if not unicodedata.is_normalized("NFC", cell):
            return f'the {column} "{cell}" is not in Unicode form NFC; type it anew'
    return ""
