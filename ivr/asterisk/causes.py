"""Why a call on the trunk ended that nobody picked up: Q.850 causes as the words of a carrier. Pure.

Source: ITU-T Q.850; SIP answers are mapped to these by Asterisk (hangup cause mappings of chan_pjsip).
"""

from __future__ import annotations

from dataclasses import dataclass

_BAD_NUMBER = {1: "404", 22: "410", 28: "484"}  # unallocated; number changed; incomplete
_NOT_THERE = frozenset({16, 18, 19, 20, 21, 31})  # cleared, silent, no answer, absent, declined, unspecified
_TRUNK = frozenset({2, 3, 27, 34, 38, 41, 42, 43, 44, 47, 58, 63, 65, 66})  # no route, out of order, congestion …


@dataclass(frozen=True)
class Outcome:
    """`status`, `sip_code`: as a status callback says them. `trunk`: it failed before the number was tried."""

    status: str
    sip_code: str
    trunk: bool = False


BUSY = Outcome("busy", "486")
NO_ANSWER = Outcome("no-answer", "480")
CANCELLED = Outcome("canceled", "487")
TRUNK_FAILED = Outcome("failed", "503", trunk=True)


def outcome(cause: int, *, rang: bool) -> Outcome:
    """What became of a call by its cause; what is unknown says nothing about the elder: a line error. Once the
    telephone has rung the number was tried, whatever failed then."""
    if cause == 17:
        return BUSY
    if cause in _BAD_NUMBER and not rang:
        return Outcome("failed", _BAD_NUMBER[cause])
    if cause in _NOT_THERE or (rang and cause not in _TRUNK):
        return NO_ANSWER
    return Outcome("failed", "503", trunk=not rang)
