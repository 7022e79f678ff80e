"""What the house's door does for the process as a whole."""

from __future__ import annotations

import gc

from serving import settle


def test_what_is_there_when_the_line_is_up_is_not_looked_through_again() -> None:
    settle()
    try:
        assert gc.get_freeze_count() > 10_000
        assert len(gc.get_objects()) < gc.get_freeze_count()
    finally:
        gc.unfreeze()
