"""Every event that the care room writes has a sentence in the console."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from checkins.cases import Event
from checkins.deciding import Decision
from checkins.escalation.policy import Who
from checkins.escalation.values import Finding, Reply
from checkins.results import Reason, Result
from checkins.tables import State
from console.event_words import known, sentence

ROOMS = [Path(__file__).parents[3] / room for room in ("checkins", "console")]
NOW = datetime(2026, 3, 2, tzinfo=UTC)
NAMES = {"li": "李梅"}

# What stands where the code puts a variable after the colon.
WRITTEN = [
    *(f"ring:{who}" for who in Who),
    *(f"ask:{who}" for who in Who),
    *(f"reply:{reply}" for reply in Reply),
    *(f"found:{finding}" for finding in Finding),
    *(f"needs_person:{reason}" for reason in Reason),
    *(f"not_confirmed:{reason}" for reason in Reason),
    *(f"closed:{state}" for state in (State.MOVED, State.DIED, State.PAUSED)),
    *(f"register:{field}" for field in ("state", "number", "mode", "consents", "address", "key_holder", "notes")),
    *(str(result) for result in Result),
    *("ring:confirm", "ring:elder", "ring:taken", "call:2", "postponed:line_rules", "closed", "taken_over"),
    *("told:heard", "told:unheard", "told:needless", "tell:taken", "no_finding", "responder_alarm", "reminded"),
    *("contact:visited_fine", "contact:phoned_fine", "contact:could_not_reach", "contact:worried", "listened"),
    *("elder:silent", "elder:present", "elder:says_fine", "elder:needs_help", "elder:emergency", "elder:hung_up"),
    *(f"own:{word}" for word in ("well", "not_well", "wants_person", "refused", "present_unconfirmed", "away")),
    *(f"hand_over:{who}" for who in (Who.DUTY, Who.DEPUTY)),
    *(f"not_handed_over:{reply}" for reply in Reply if reply is not Reply.ACCEPTED),
    *("rang_in", "says_fine", "handed_over", "promised"),
    *(f"decided:{decision}" for decision in Decision),
    *("device:alarm_button", "device:smoke", "device:cancel", "device_test:alarm_button", "device_test:smoke"),
]


def event(what: str, **detail: object) -> Event:
    return Event(NOW, what, "line", None, {"responder": "li", **detail})


@pytest.mark.parametrize("what", WRITTEN)
def test_an_event_is_a_chinese_sentence_with_the_name(what: str) -> None:
    said = sentence(event(what), NAMES)
    assert known(what)
    assert not re.search(r"[a-z{}]", said.zh), "a word that nobody translated"
    assert "{" not in said.en
    if (
        what.partition(":")[0] in ("reply", "found", "ask", "told", "tell", "contact", "hand_over", "rang_in")
        or what == "no_finding"
    ):
        assert "李梅" in said.zh


def words_in_code() -> Iterator[tuple[str, str]]:
    """What is given to log_event and the like, as far as it is written down: "ring:{}", where it stands."""
    for path in sorted(path for room in ROOMS for path in room.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and _name(node.func) in ("log_event", "_log", "_event", "log_said"):
                for argument in [*node.args, *(keyword.value for keyword in node.keywords)]:
                    yield from ((word, f"{path.name}:{node.lineno}") for word in _texts(argument))


def _name(function: ast.expr) -> str:
    return function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")


def _texts(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))


def test_no_event_of_the_code_is_without_its_sentence() -> None:
    """Whoever writes a new event gives it a sentence in console/event_words.py, and its variants a line above."""
    found = [(word, where) for word, where in words_in_code() if re.fullmatch(r"[a-z_]+(:[a-z_{}]+)?|\{\}:.*", word)]
    assert len(found) > 15
    written = {word.partition(":")[0] for word in WRITTEN} | set(WRITTEN) | {"line"}
    unknown = [
        f"{word} ({where})"
        for word, where in found
        if word.partition(":")[0] not in written and word not in written and not word.startswith("{}")
    ]
    assert unknown == []
    whole = [word for word, _ in found if ":" in word and "{" not in word]
    assert [word for word in whole if not known(word)] == []


def test_what_nobody_gave_a_sentence_is_shown_as_it_is() -> None:
    assert not known("danced:{wildly}")
    assert sentence(event("danced:{wildly}")).zh == "danced:{wildly}"


def test_a_closing_says_by_whom_and_what_was_found() -> None:
    closing = Event(NOW, "closed", "陈老师", None, {"finding": "在家，都好"})
    assert sentence(closing).zh == "陈老师办结：在家，都好"
    assert sentence(event("well", evidence="key")).zh == "身体好：按键"
