"""What is wrong with a spreadsheet, as whoever made it reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from rich.console import Console

Headings = Mapping[str, Sequence[str]]


def told(errors: Sequence[str], headings: Headings, undone: str, out: Console) -> int:
    """Prints them and that nothing was done; status 2."""
    for error in errors:
        out.print(in_both(error, headings), style="red", highlight=False, markup=False)
    out.print(f"{len(errors)} error{'s' * (len(errors) > 1)}: nothing was {undone}", style="red")
    return 2


def in_both(error: str, headings: Headings) -> str:
    """ "row 2, column phone 电话: …": found in a sheet with English headings, and in one with Chinese ones."""

    def both(found: re.Match[str]) -> str:
        chinese = [name for name in headings.get(found[1], ()) if not name.isascii()]
        return f"column {found[1]} {chinese[0]}" if chinese else found[0]

    return re.sub(r"column ([a-z_]+)\b", both, error)
