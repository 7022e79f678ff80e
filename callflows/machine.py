"""An answering machine took the call, says the carrier: what that changes. Pure."""

from __future__ import annotations

from callflows import dictations
from callflows.events import MachineBeeped
from callflows.findings import PRESENT, Standing
from callflows.move import Move

MACHINE = "machine"


def beeped(move: Move, event: MachineBeeped) -> None:
    """A hint: it never ends a call that got an answer, nor one with a sign (however unsure) that is worth more."""
    if move.state.answered or move.state.emergency or _worth_more(move):
        return
    word = MACHINE if MACHINE in move.flow.results else move.flow.results[0]
    everybody = tuple(Standing(result=word, kept=standing.kept) for standing in move.state.people)
    move.set(people=everybody, last={})
    move.cut()
    dictations.leave(move)
    move.enter(move.flow.moments["machine"])


def _worth_more(move: Move) -> bool:
    """A machine's greeting may have been taken for silence or for "she isn't in", but hardly for more."""
    known = [standing.result for standing in move.state.people]
    if move.state.step and move.step.hang_up:
        known.append(move.step.hang_up.result)
    words = move.flow.results
    little = words[: words.index(PRESENT)] if PRESENT in words else words[:1]
    return any(result is not None and result not in little for result in known)
