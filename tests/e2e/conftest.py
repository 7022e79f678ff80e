from __future__ import annotations

import pytest

from ivr import asking, routes
from tests.fakes.fixtures import *  # noqa: F403


@pytest.fixture
def hurried() -> None:
    """For stories of the limits within which a carrier and a flow are answered: they stand as they are."""


@pytest.fixture(autouse=True)
def unhurried(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """In all others they are wide: how fast this machine is just now must not decide what a story tells."""
    if "hurried" not in request.fixturenames:
        monkeypatch.setattr(routes, "ANSWER_S", 30.0)
        monkeypatch.setattr(asking, "ANSWER_WITHIN_S", 30.0)
