"""What is kept of a dictation, and with whom: the recording is the record, the transcript stands beside it."""

from __future__ import annotations

from callflows.events import DictationEnded
from callflows.flow import END_CALL, Exit
from callflows.move import Move
from callflows.state import Phase

UNWELL = "unwell"  # the dictation that belongs to the result itself
# Less than this and no words: nobody dictated anything.
MIN_VOICED_S = 0.4


def said_something(event: DictationEnded) -> bool:
    return bool(event.text.strip()) or event.voiced_seconds >= MIN_VOICED_S


def ended(move: Move, event: DictationEnded) -> None:
    step = move.step
    if event.node and event.node != step.node:
        late(move, event)
        return
    store(move, move.state.person, step.dictation.keep_as if step.dictation else "", event)
    said = said_something(event)
    if said:
        move.sign("speech")
        move.set(answered=True)
    if event.ended_by == "hangup":
        move.set(phase=Phase.GONE)
    elif said:
        if event.ended_by == "key":
            move.cut()
            move.acknowledging = True
        move.entered = event.recording if event.playable else ""
        move.follow(step.go or Exit(END_CALL))
    else:
        move.reprompt(step.no_input or Exit(END_CALL))


def leave(move: Move) -> None:
    """Broken off: its recording comes later and is kept with the person who spoke."""
    if move.state.phase is Phase.DICTATING and move.step.dictation:
        move.set(left_dictation=move.step.dictation.keep_as, left_person=move.state.person)


def late(move: Move, event: DictationEnded) -> None:
    if event.recording or event.text:
        store(move, move.state.left_person, move.state.left_dictation or "late", event)
        move.set(left_dictation="")


def store(move: Move, person: int, keep_as: str, event: DictationEnded) -> None:
    """The recording is the record; the transcript stands beside it with its engine and confidence."""
    if not event.recording and not event.text:
        return
    if said_something(event):
        move.play_back(person, keep_as, event.recording if event.playable else "")
    transcript = {"text": event.text, "confidence": event.confidence, "engine": event.engine}
    if keep_as == UNWELL:
        named = {f"recording_{name}": value for name, value in {**transcript, "seconds": event.seconds}.items()}
        # Where a key decided, the transcript is what she said; where speech decided, that stays.
        move.keep(person, {"recording": event.recording, **named, **transcript})
    else:
        named = {f"{keep_as}_{name}": value for name, value in {**transcript, "seconds": event.seconds}.items()}
        move.keep(person, {f"{keep_as}_recording": event.recording, **named})
