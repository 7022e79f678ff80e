"""What follows when a call was handed over to a human being, or could not be. Pure."""

from __future__ import annotations

from callflows.events import HandedOver
from callflows.move import Move

KEPT = "hand_over"  # the detail that says what became of it
ACCEPTED, NOBODY = "accepted", "nobody"


def came_back(move: Move, event: HandedOver) -> None:
    bridge = move.step.bridge
    if bridge is None:
        return
    _begin_anew(move)
    move.keep(move.state.person, {KEPT: ACCEPTED if event.accepted else NOBODY})
    move.follow(bridge.accepted if event.accepted else bridge.nobody)


def nobody(move: Move, event: object) -> None:
    """The audio comes anew, or nothing was heard of it: nobody was there."""
    came_back(move, HandedOver(accepted=False))


def _begin_anew(move: Move) -> None:
    """Time may be counted anew from here on: the 0 that led here isn't the first of two any more."""
    move.set(key="", key_ms=0)
