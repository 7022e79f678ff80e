"""Choosing among the persons of a call: who is offered behind which key. Pure.

Offered are those of whom nothing is known yet, in the call's order, at most four keys at a time. When they don't fit,
the last key leads to the next ones, and after the last ones to the first again.
"""

from __future__ import annotations

from callflows.events import Answer, CallContext
from callflows.state import State

KEYS = "1234"  # PRODUCT.md: at most 4 choices
MORE = KEYS[-1]  # leads on to the next ones, when there are any
_NOTHING = (None, "wants_person")  # to ask for a person is no news of her


def left(state: State) -> tuple[int, ...]:
    """Of whom nothing is known yet."""
    return tuple(at for at, standing in enumerate(state.people) if standing.result in _NOTHING)


def more(state: State) -> bool:
    """Whether they don't fit on the keys."""
    return len(left(state)) > len(KEYS)


def shown(state: State) -> tuple[int, ...]:
    """Who is offered now: the first one behind key 1."""
    people = left(state)
    if not more(state):
        return people
    size = len(KEYS) - 1
    pages = -(-len(people) // size)
    begin = state.page % pages * size
    return people[begin : begin + size]


def answers(context: CallContext, state: State) -> tuple[Answer, ...]:
    offered = [Answer(context.people[at].id, key) for key, at in zip(KEYS, shown(state), strict=False)]
    return (*offered, Answer("more", MORE)) if more(state) else tuple(offered)
