"""Every act that the rooms write by a name has a sentence in the log of acts."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from checkins.roster import edits
from console import accounts, audit_words

COMMUNITY = Path(__file__).parents[3] / "community"
_TABLES = {
    "complaint": audit_words._COMPLAINT,
    "ticket": audit_words._TICKET,
    "ballot": audit_words._BALLOT,
    "notice": audit_words._NOTICE,
    "known": audit_words._NOTICE,
}
_OF_BALLOTS = {"left[0]": "ballot", "last": "complaint", "found[1]": "complaint"}


def noted() -> Iterator[tuple[str, str, str]]:
    """Of what, which word, in which file: all calls of `note` with a word that can be read there."""
    for path in sorted(COMMUNITY.glob("*.py")):
        module = importlib.import_module(f"community.{path.stem}")
        for call in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                not isinstance(call, ast.Call)
                or ast.unparse(call.func) not in ("note", "rows.note")
                or len(call.args) < 4
            ):
                continue
            _, about, what, who, *_ = (ast.unparse(arg) for arg in call.args)
            table = _OF_BALLOTS.get(about, about)
            if who == "LINE" or table not in _TABLES:
                continue
            if re.fullmatch(r"[A-Z_.a-z]*[A-Z_]{3,}( \+ '\w+')?|'\w+'", what):
                yield table, str(eval(what, vars(module))), path.name


def test_acts_on_complaints_tickets_and_ballots_have_words() -> None:
    found = list(noted())
    assert len(found) > 25
    assert [each for each in found if each[1] not in _TABLES[each[0]]] == []


@pytest.mark.parametrize(("module", "words"), [(accounts, audit_words._ACCOUNT), (edits, None)])
def test_acts_on_accounts_and_rosters_have_words(module: object, words: dict[str, tuple[str, str]] | None) -> None:
    source = Path(str(vars(module)["__file__"])).read_text("utf-8")
    found = re.findall(r'note\(session, [^"\n]*"(\w+)"', source)
    assert len(found) > 5
    for what in found:
        zh = audit_words.account(what, "li", None).zh if words else audit_words.roster(what, {}).zh
        assert not re.search(what, zh), what
