"""One press of a key is one answer, however the line reports it."""

from __future__ import annotations

import pytest

from callflows.events import CallContext, Key, Person, Started
from callflows.loader import shipped
from callflows.session import Session


@pytest.mark.parametrize("later_ms", [0, 20, 740, 1480])
def test_the_same_key_so_soon_does_not_answer_a_question_that_nobody_heard(later_ms: int) -> None:
    session = Session(shipped("daily_checkin"), CallContext((Person("e", "王阿婆"),)))
    session.feed(Started())
    session.feed(Key("1", 3000))
    session.feed(Key("1", 3000 + later_ms))
    assert session.findings[0].result == "present_unconfirmed"


def test_after_the_question_has_begun_the_same_key_is_an_answer() -> None:
    session = Session(shipped("daily_checkin"), CallContext((Person("e", "王阿婆"),)))
    session.feed(Started())
    session.feed(Key("1", 3000))
    session.feed(Key("1", 5000))
    assert session.findings[0].result == "well"
