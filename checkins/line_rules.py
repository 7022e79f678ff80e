"""The domestic carriers' limits for one elder's number, over all routine purposes. Pure.

At most 5 calls in 24 h and 3 in 5 min (PRODUCT.md, "Line rules"). An emergency is exempt: it may always ring.
The third rule, no routine call outside 08:00-21:00, is a matter of the day and lives in the ladder.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from enum import StrEnum

LIMITS = ((5, timedelta(hours=24)), (3, timedelta(minutes=5)))
LOOK_BACK = max(period for _, period in LIMITS)


class Purpose(StrEnum):
    """Why a number is called; all routine purposes share the limits."""

    CHECKIN = "checkin"
    REPLY = "reply"  # the committee's answer to what they had complained of
    BOOKING = "booking"  # what was booked for them
    NOTICE = "notice"  # an urgent word of the committee's
    BALLOT = "ballot"  # something to choose, or what came of it
    TEST = "test"  # whether the telephone works
    EMERGENCY = "emergency"


EXEMPT = frozenset({Purpose.EMERGENCY})


def allowed_at(purpose: Purpose, dialled: Sequence[datetime], now: datetime, *, leave: int = 0) -> datetime:
    """The first moment from `now` on when one more call keeps all limits, given when the number was dialled before.
    `leave`: so many of a day's calls are kept for others."""
    if purpose in EXEMPT:
        return now
    ordered = sorted(dialled)
    # The `most`-th last call must have left the sliding window; exactly `period` later is allowed.
    limits = [(most - leave if period == LOOK_BACK else most, period) for most, period in LIMITS]
    return max([now, *(ordered[-most] + period for most, period in limits if len(ordered) >= most)])


def leaves_room(dialled: Sequence[datetime], now: datetime, ahead: Sequence[datetime]) -> bool:
    """Whether one more call now leaves room for calls at all of these moments, by the limit of a day."""
    most, period = LIMITS[0]
    before = [*dialled, now]
    return all(
        sum(call > moment - period for call in before) + others < most for others, moment in enumerate(sorted(ahead))
    )
