"""Digits being pressed one after the other, and the choice of a person: keys that aren't the answers of a flow. Pure.

In an entry 0 is a digit like any other, so two of them are no emergency; a cry for help is, there too.
"""

from __future__ import annotations

from callflows import picks
from callflows.events import Key, NoInput, Verdict
from callflows.flow import END_CALL, Exit
from callflows.move import Move

# Two reports of one press. Nobody presses a key twice so fast, and a number may well have a digit twice.
BOUNCE_MS = 100
MAX_TURNS = 9  # of pages; then whoever turns them is taken for someone who doesn't find what they want


# ── digits ───────────────────────────────────────────────────────────────────────────────────────


def key(move: Move, event: Key) -> None:
    """`#` ends the entry, the last possible digit too. What isn't a digit is an answer of `anytime`, or nothing. Where
    one digit is all, so is each key that the step offers by `anytime`: a 0 leads to a person, a second 0 is a cry."""
    choice = next((choice for choice in move.flow.offered(move.step) if choice.key == event.digit), None)
    if event.digit == "#":
        move.cut()
        _end(move, by_key=True)
    elif event.digit.isdigit() and (choice is None or move.step.entry is None or move.step.entry.most > 1):
        _digit(move, event)
    elif choice is not None:
        move.cut()
        move.sign("key")
        last = {"by": "key", "key": event.digit, "node": move.step.node}
        move.set(entry="", answered=True, last=last, key=event.digit, key_ms=event.at_ms)
        move.take(choice)


def _digit(move: Move, event: Key) -> None:
    """Which key it was stands in the entry and nowhere else."""
    before = move.state
    if before.entry.endswith(event.digit) and 0 <= event.at_ms - before.key_ms < BOUNCE_MS:
        return
    move.sign("key")
    last = {"by": "key", "node": move.step.node}
    move.set(answered=True, last=last, key="", key_ms=event.at_ms, entry=before.entry + event.digit)
    move.cut()
    if move.step.entry and len(move.state.entry) >= move.step.entry.most:
        _end(move, by_key=True)
    else:
        move.wait()


def no_input(move: Move, event: NoInput) -> None:
    """Many forget the `#`: what was pressed counts if it is long enough."""
    if move.state.entry:
        _end(move, by_key=False)
    else:
        move.reprompt(move.step.no_input or Exit(END_CALL))


def _end(move: Move, *, by_key: bool) -> None:
    entry, digits = move.step.entry, move.state.entry
    move.set(entry="")
    if entry is None or len(digits) < entry.least:
        move.no_match()
        return
    if not entry.secret:
        move.keep(move.state.person, {entry.keep_as: digits})
    move.entered, move.entered_secretly, move.acknowledging = digits, entry.secret, by_key
    move.follow(move.step.go or Exit(END_CALL))


# ── questions to whoever runs the call ───────────────────────────────────────────────────────────


def verdict(move: Move, event: Verdict) -> None:
    query = move.step.query
    if query is not None:
        move.tell(query.name, event.values)
        move.follow(query.verdicts.get(event.word, query.none))


def no_verdict(move: Move, event: object) -> None:
    verdict(move, Verdict(""))


# ── persons ──────────────────────────────────────────────────────────────────────────────────────


def picked(move: Move, digit: str) -> bool:
    """Whether the key chose somebody, or the next ones to choose from."""
    if picks.more(move.state) and digit == picks.MORE:
        _turn(move)
        return True
    people = dict(zip(picks.KEYS, picks.shown(move.state), strict=False))
    if digit in people:
        move.pick(people[digit])
    return digit in people


def _turn(move: Move) -> None:
    if move.state.turns >= MAX_TURNS:
        move.no_match()
        return
    move.set(page=move.state.page + 1, turns=move.state.turns + 1, reprompts=min(1, len(move.step.prompts) - 1))
    move.say(move.step.prompts[-1])
    move.wait()
