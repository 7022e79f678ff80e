"""Values of the pages end up in error messages and logs: what they hold of people isn't shown there."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Iterator
from dataclasses import Field, fields, is_dataclass
from typing import Any

import console

PERSONAL = frozenset(
    [
        "name",
        "spoken_name",
        "names",
        "number",
        "login",
        "hashed",
        "ticket",
        "cookie",
        "text",
        "first",
        "words",
        "note",
        "notes",
        "address",
        "key_holder",
        "whom",
        "owner",
        "closed_by",
        "heard_by",
        "holder",
        "substitutes",
        "deputy",
        "asked",
        "detail",
        "rungs",
    ]
)
OF_NOBODY = {
    "console.audit_sources.Source.name": "of a log",
    "console.deps.Deps.notes": "a function",
    "console.flow_outline.Bit.text": "what the line says to all",
    "console.flow_picture.Card.notes": "a flow's",
    "console.flow_picture.Phrase.number": "of a sentence",
    "console.flow_picture.Phrase.words": "what the line says to all",
    "console.flow_picture.Piece.text": "what the line says to all",
    "console.flow_picture.Words.text": "what the line says to all",
    "console.flow_view.FlowLine.name": "of a flow",
    "console.live.Log.number": "a column",
    "console.phone_desk.PhoneLine.number": "the line's own",
    "console.policy_form.Field.name": "of a field",
    "console.policy_view.PlaceLine.name": "of a neighbourhood",
    "console.settings_view.ShownSetting.name": "of a setting",
    "console.sentences.Sentence.number": "of a sentence",
    "console.tour.Stop.address": "of a page",
    "console.sentences.Sentence.text": "what the line says to all",
}


def shown() -> Iterator[tuple[str, Field[Any]]]:
    """Every field of the console's values that `repr` shows."""
    for found in pkgutil.iter_modules(console.__path__):
        module = importlib.import_module(f"console.{found.name}")
        for name, value in inspect.getmembers(module, inspect.isclass):
            if is_dataclass(value) and value.__module__ == module.__name__:
                yield from ((f"{module.__name__}.{name}.{one.name}", one) for one in fields(value) if one.repr)


def test_what_is_somebody_s_is_not_shown_by_repr() -> None:
    personal = {path for path, one in shown() if one.name in PERSONAL and one.type not in ("int", "bool")}
    assert personal == {path for path in OF_NOBODY if path in personal}
