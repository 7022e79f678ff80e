"""The package's rule tables: tab-separated files that a linguist edits, read once."""

from __future__ import annotations

import csv
from importlib.resources import files


def rows(name: str) -> list[dict[str, str]]:
    """The lines of `name`.tsv by its header; lines that begin with # are remarks. An absent field is ""."""
    text = (files(__package__) / f"{name}.tsv").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = csv.DictReader(lines, delimiter="\t", quoting=csv.QUOTE_NONE, restval="")
    return [{key: value.strip() for key, value in row.items()} for row in found]
