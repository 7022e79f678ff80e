"""The walk through the pages: who walks sees what they may open, and every stop is a page of the house."""

from __future__ import annotations

from pathlib import Path

import pytest

from console import access, tour
from console.roles import Role

TEMPLATES = Path(tour.__file__).parent / "templates"


def test_every_stop_is_a_page_and_every_place_on_it_is_there() -> None:
    written = "".join(file.read_text("utf-8") for file in TEMPLATES.glob("*.html"))
    for stop in tour.stops(Role.WORKER):
        for point in stop.points:
            assert not point.at or f'"{point.at}"' in written, point.at


@pytest.mark.parametrize("role", Role)
def test_each_role_walks_through_what_it_may_open(role: Role) -> None:
    ahead = tour.stops(role)
    assert ahead[0].address == "/"
    assert all(access.may(role, "GET", stop.address) for stop in ahead)
    for number, stop in enumerate(ahead, 1):
        with tour.walking(str(number)):
            box = tour.box(role, f"{stop.address}?place=1")
            assert box is not None
            assert (box.stop, box.here, box.last) == (stop, True, number == len(ahead))


@pytest.mark.parametrize("cookie", [None, "", "0", "99", "-1", "²", "1000", "<b>"])
def test_a_cookie_that_names_no_stop_is_no_walk(cookie: str | None) -> None:
    with tour.walking(cookie):
        assert tour.box(Role.WORKER, "/") is None
