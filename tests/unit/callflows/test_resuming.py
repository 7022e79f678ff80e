"""A session as JSON: what it refuses to take up again, and what it carries."""

from __future__ import annotations

import json
from typing import Any

import pytest

from callflows.events import CallContext, DictationEnded
from callflows.session import Session, SessionError
from tests.unit.callflows.conversation import Conversation, daily


def saved() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(json.dumps(Conversation().presses("1").session.to_json()))
    return data


def test_it_goes_on_where_it_was() -> None:
    session = Session.from_json(daily(), saved())
    assert session.wait is not None
    assert session.wait.node == "health"
    assert session.to_json() == saved()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"flow": "poem"}, "of flow poem version 7, not daily_checkin version 7"),
        ({"version": 0}, "version 0"),
        ({"state": {}}, "can't be read"),
        ({"state": None}, "can't be read"),
        ({"context": {"people": [], "variables": {}, "consent_recording": True}}, "at least one person"),
    ],
)
def test_what_is_no_session_is_refused(change: dict[str, Any], why: str) -> None:
    with pytest.raises(SessionError, match=why):
        Session.from_json(daily(), saved() | change)


@pytest.mark.parametrize("change", [{"step": "gone.ask"}, {"person": 7}, {"phase": "dancing"}, {"colour": "red"}])
def test_a_state_that_does_not_fit_is_refused(change: dict[str, Any]) -> None:
    data = saved()
    data["state"] |= change
    with pytest.raises(SessionError):
        Session.from_json(daily(), data)


def test_a_session_needs_somebody_to_ask_after() -> None:
    with pytest.raises(SessionError, match="at least one person"):
        Session(daily(), CallContext(()))


def test_no_recording_is_overwritten() -> None:
    call = Conversation().presses("1").presses("2").presses("0")
    for at in range(3):
        call.feed(DictationEnded(3, 2, f"piece {at}", 0.5, "vosk", f"rec-{at}", "key", "unwell"))
    text = json.dumps(dict(call.finding.detail))
    assert all(f"rec-{at}" in text for at in range(3))
