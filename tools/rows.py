"""docs/rows.md: what has a telephone form, and the story that shows it. The rows are docs/product.md's; a story names
its row by `@pytest.mark.row(…)`. `python tools/rows.py` writes the page, `--check` only says whether it is stale."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PRODUCT, STORIES, PAGE = ROOT / "docs" / "product.md", ROOT / "tests" / "e2e", ROOT / "docs" / "rows.md"
_SECTION = "## What must have a telephone form"
_HEAD = """# What has a telephone form, and where it is shown

Made by `make rows` from the stories in `tests/e2e` and the table of
[product.md](product.md#what-must-have-a-telephone-form): don't edit it. The table has {count} rows; where a plan speaks
of 15, no fifteenth is known. Each story goes through the fake carrier with audio, in virtual time.

| row | what works | story | what it shows |
|---|---|---|---|
"""


@dataclass(frozen=True)
class Story:
    """A test that is marked with a row. `file`: from the project's folder."""

    row: str
    file: str
    name: str
    doc: str


def rows(product: str) -> dict[str, str]:
    """Row → what works, from the table; what stands in brackets behind a name is not of the name."""
    section = product.partition(_SECTION)[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")][1:]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {re.sub(r" \(.*\)$", "", name): works for name, works in cells}


def test_name(row: str) -> str:
    """What the row's story is called: _ for signs."""
    return "test_" + re.sub(r"\W+", "_", row).strip("_")


def stories(folder: Path) -> Iterator[Story]:
    """By file and line. Only reads: nothing is imported."""
    for path in sorted(folder.glob("test_*.py")):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                file = path.relative_to(folder.parents[1]).as_posix()
                doc = " ".join((ast.get_docstring(node) or "").split())
                yield from (Story(row, file, node.name, doc) for row in _marks(node))


def _marks(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[str]:
    for call in node.decorator_list:
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.row":
            yield ast.literal_eval(call.args[0])


def problems(known: Mapping[str, str], found: list[Story]) -> list[str]:
    """Each one sentence; none: every row has one story that is called like it and says what it shows."""
    said = [f"{row}: no story" for row in known if row not in {each.row for each in found}]
    said += [f"{each.row}: {each.name} is no row's" for each in found if each.row not in known]
    said += [
        f"{each.row}: {each.name} must be {test_name(each.row)}" for each in found if each.name != test_name(each.row)
    ]
    said += [f"{each.row}: {each.name} doesn't say what it shows" for each in found if not each.doc]
    return said + [f"{row}: two stories" for row in known if [each.row for each in found].count(row) > 1]


def page(known: Mapping[str, str], found: list[Story]) -> str:
    of = {each.row: each for each in found}
    lines = [_line(row, works, of.get(row)) for row, works in known.items()]
    return _HEAD.format(count=len(known)) + "".join(lines)


def _line(row: str, works: str, story: Story | None) -> str:
    where = f"[{story.name}](../{story.file})" if story else ""
    return f"| {row} | {works} | {where} | {story.doc if story else ''} |\n"


def main() -> int:
    known, found = rows(PRODUCT.read_text("utf-8")), list(stories(STORIES))
    text, wrong = page(known, found), problems(known, found)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    stale = not PAGE.exists() or PAGE.read_text("utf-8") != text
    if "--check" not in sys.argv:
        PAGE.write_text(text, "utf-8")
    elif stale:
        print("docs/rows.md is stale: make rows", file=sys.stderr)
    return int(bool(wrong) or (stale and "--check" in sys.argv))


if __name__ == "__main__":
    sys.exit(main())
