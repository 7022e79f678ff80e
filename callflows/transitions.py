"""The session's transition table: (phase, event) → what happens. Pure: `step` takes a state and gives the next.

Read the table at the end first. What an answer leads to stands in the flow; what an event is stands here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callflows import bridges, dictations, entries, machine
from callflows.events import (
    Alarm,
    CallContext,
    DictationEnded,
    Distress,
    HandedOver,
    Hangup,
    Heard,
    HungUp,
    Input,
    Key,
    MachineBeeped,
    NoInput,
    Output,
    SpeechFailed,
    Started,
    TimeLimit,
    Verdict,
)
from callflows.findings import EMERGENCY, Standing
from callflows.flow import AGAIN, END_CALL, Choice, Exit, Flow
from callflows.move import Move, one_syllable
from callflows.state import Phase, State

DOUBLE_ZERO_MS = 3000  # PRODUCT.md: a second 0 within 3 s of the first is an emergency
# The same key so soon is one press, not an answer to the next question: "收到。" lasts 0.9 s, so nobody has heard a
# word of that question before. A double report of one press (0 ms apart) is one press, too.
BOUNCE_MS = 1500
POSITIVE = frozenset({"well", "yes"})
DISTRESS = "distress"

Handler = Callable[[Move, Any], None]


def begin(people: int) -> State:
    return State(people=tuple(Standing() for _ in range(people)))


def step(flow: Flow, context: CallContext, state: State, event: Input) -> tuple[State, tuple[Output, ...]]:
    """The next state, and what the line should do. Events that change nothing give ()."""
    handler = _TABLE.get((state.phase, type(event)))
    if handler is None:
        return state, ()
    move = Move(flow, context, state)
    handler(move, event)
    return move.state, tuple(move.outputs)


# ── beginning and end ────────────────────────────────────────────────────────────────────────────


def _start(move: Move, event: Started) -> None:
    move.enter(move.flow.start)


def _again(move: Move, event: Started) -> None:
    """The audio comes anew in mid-call (a stream that was lost, another medium): the question is asked again."""
    if move.state.phase is Phase.ENDING:
        move.hang_up()
        return
    move.set(entry="")
    move.say(move.step.prompts[move.state.reprompts])
    move.wait()


def _gone(move: Move, event: HungUp) -> None:
    if move.state.phase is Phase.DICTATING:
        dictations.leave(move)
    move.set(phase=Phase.GONE, entry="")


def _time_limit(move: Move, event: TimeLimit) -> None:
    move.cut()
    dictations.leave(move)
    move.enter(move.flow.moments["emergency_limit" if move.state.emergency else "limit"])


def _deaf(move: Move, event: SpeechFailed) -> None:
    """From now on by keys. What is being said goes on; the hint follows it."""
    if not move.state.speech:
        return
    was_listening, back = move.speech and move.state.phase is Phase.LISTENING, move.state.back
    move.set(speech=False)
    if was_listening and move.state.emergency:
        move.rearm()
    elif was_listening:
        move.set(back=move.state.step)
        move.enter(move.flow.moments["keys_only"])
        move.set(back=back)


# ── emergency ────────────────────────────────────────────────────────────────────────────────────


def _distress(move: Move, event: Distress) -> None:
    move.sign("speech")
    detail = {"alarm": "distress", "by": "speech", "text": event.text}
    _emergency(move, "distress", event.text, {**detail, "engine": event.engine, "confidence": event.confidence})


def _late_distress(move: Move, event: Distress) -> None:
    """The line is down, but she cried for help before: people are rung all the same."""
    if move.state.emergency:
        return
    _distress(move, event)
    alarm = next(output for output in move.outputs if isinstance(output, Alarm))
    move.outputs = [alarm, Hangup()]
    move.set(phase=Phase.GONE)


def _emergency(move: Move, reason: str, text: str, detail: dict[str, Any]) -> None:
    if move.state.emergency:
        if move.state.phase is Phase.LISTENING:
            move.stay()
        return
    move.cut()
    nobody = move.about_nobody
    move.outputs.append(Alarm("" if nobody else move.person.id, reason, text))
    if move.state.phase is Phase.DICTATING:
        dictations.leave(move)
    move.set(emergency=True, answered=True, last=detail)
    if not nobody:
        move.record(EMERGENCY)
    move.acknowledging = False
    move.enter(move.flow.moments["emergency"])


# ── keys ─────────────────────────────────────────────────────────────────────────────────────────


def _key(move: Move, event: Key) -> None:
    """Any key is a sign of life. 0 twice comes before everything else."""
    before = move.state
    _note_key(move, event)
    if _second_zero(before, event):
        _emergency(move, "double_zero", "", {"alarm": "double_zero", "by": "key", "key": "0"})
    elif _bounced(before, event):
        move.rearm()
    else:
        move.cut()
        _answer_key(move, event.digit)


def _note_key(move: Move, event: Key) -> None:
    move.sign("key")
    node = move.step.node if move.state.step else ""
    last = {"by": "key", "key": event.digit, "node": node}
    move.set(answered=True, last=last, key=event.digit, key_ms=event.at_ms)


def _second_zero(before: State, event: Key) -> bool:
    return event.digit == "0" == before.key and 0 <= event.at_ms - before.key_ms <= DOUBLE_ZERO_MS


def _bounced(before: State, event: Key) -> bool:
    same = event.digit == before.key and event.digit != "0"
    return same and 0 <= event.at_ms - before.key_ms < BOUNCE_MS


def _answer_key(move: Move, digit: str) -> None:
    move.acknowledging = True
    choice = next((choice for choice in move.flow.offered(move.step) if choice.key == digit), None)
    if move.step.pick and entries.picked(move, digit):
        return
    if choice is not None:
        move.take(choice)
    elif digit == "#" and not move.step.any_key:
        move.stay()  # many press # after every answer
    elif move.step.any_key:
        move.follow(move.step.any_key)
    else:
        move.no_match()


def _key_in_dictation(move: Move, event: Key) -> None:
    """# ends a dictation by a DictationEnded of its own; of the other keys those of `anytime` count."""
    before = move.state
    if _second_zero(before, event):
        _note_key(move, event)
        _emergency(move, "double_zero", "", {"alarm": "double_zero", "by": "key", "key": "0"})
        return
    choice = next((choice for choice in move.flow.offered(move.step) if choice.key == event.digit), None)
    if choice is None or _bounced(before, event):
        return
    _note_key(move, event)
    move.cut()
    move.acknowledging = True
    dictations.leave(move)
    move.take(choice)


def _key_while_asking(move: Move, event: Key) -> None:
    """Nothing is asked of the person now; 0 twice counts all the same."""
    before = move.state
    move.set(key=event.digit, key_ms=event.at_ms)
    if _second_zero(before, event):
        _emergency(move, "double_zero", "", {"alarm": "double_zero", "by": "key", "key": "0"})


def _key_at_goodbye(move: Move, event: Key) -> None:
    """Only a 0 still counts while the goodbye is being played: a person, or the emergency."""
    before = move.state
    _note_key(move, event)
    if _second_zero(before, event):
        _emergency(move, "double_zero", "", {"alarm": "double_zero", "by": "key", "key": "0"})
        return
    choice = next((choice for choice in move.flow.anytime if choice.key == event.digit == "0"), None)
    if choice is None or move.state.emergency:
        return
    move.cut()
    move.set(back="")
    move.acknowledging = True
    move.follow(choice.exit)


# ── speech ───────────────────────────────────────────────────────────────────────────────────────


def _heard(move: Move, event: Heard) -> None:
    """Something was said. A sound without words is asked again, and leads where silence leads: no sign of life."""
    if event.meaning == DISTRESS:
        _distress(move, Distress(event.text, event.engine, event.confidence))
        return
    said = bool(event.text.strip() or event.meaning)
    if said:
        move.sign("speech")
        move.set(last=_utterance(move, event))
    choice = _spoken(move, event)
    move.cut()
    if choice is not None:
        move.set(answered=move.state.answered or event.certain)
        _answer_speech(move, choice, event)
    elif not said and not move.state.emergency:  # a moan in an emergency is a sign
        _no_input(move, NoInput())
    elif move.step.any_speech:
        move.follow(move.step.any_speech)
    else:
        move.no_match()


def _utterance(move: Move, event: Heard) -> dict[str, Any]:
    return {
        "by": "speech",
        "node": move.step.node,
        "text": event.text,
        "phrase": event.phrase,
        "confidence": event.confidence,
        "engine": event.engine,
        "certain": _certain(event),
    }


def _spoken(move: Move, event: Heard) -> Choice | None:
    if event.meaning is None:
        return None
    offered = (choice for choice in move.flow.offered(move.step) if choice.phrases)  # others have a key only
    return next((choice for choice in offered if choice.meaning == event.meaning), None)


def _certain(event: Heard) -> bool:
    return event.certain and not (event.meaning in POSITIVE and one_syllable(event.phrase))


def _answer_speech(move: Move, choice: Choice, event: Heard) -> None:
    if choice.unsure is None or _certain(event):
        move.take(choice)
    elif choice.unsure == AGAIN:
        move.no_match()
    else:
        move.follow(Exit(choice.unsure))


def _no_input(move: Move, event: NoInput) -> None:
    move.reprompt(move.step.no_input or Exit(END_CALL))


def _heard_at_goodbye(move: Move, event: Heard) -> None:
    """ "我头晕" into the goodbye: it counts, and she hears that it was noted. What is no news changes nothing."""
    if event.meaning == DISTRESS:
        _distress(move, Distress(event.text, event.engine, event.confidence))
        return
    choice = next((choice for choice in move.flow.goodbye if choice.meaning == event.meaning), None)
    if choice is None or move.state.emergency:
        return
    known = move.state.standing.result
    move.sign("speech")
    move.set(answered=True, last=_utterance(move, event))
    move.record(_of_another(known, choice.exit.result or ""))
    if move.state.standing.result != known and move.state.phase is Phase.ENDING:
        move.cut()
        move.enter(choice.exit.go)


def _of_another(known: str | None, result: str) -> str:
    """Who told how she is isn't speaking of himself now."""
    return "other_says_unwell" if known in ("other_says_well", "absent") and result == "not_well" else result


def _late_speech(move: Move, event: Heard) -> None:
    """Recognised after the line went down: what was said still counts, nothing is said any more."""
    if not move.state.step:
        return
    if move.step.listens:
        _heard(move, event)
    else:
        _heard_at_goodbye(move, event)
    alarms = [output for output in move.outputs if isinstance(output, Alarm)]
    move.outputs = [*alarms, Hangup()] if alarms else []
    move.set(phase=Phase.GONE)


# ── the table ────────────────────────────────────────────────────────────────────────────────────

_TABLE: dict[tuple[Phase, type[Any]], Handler] = {
    (Phase.NEW, Started): _start,
    (Phase.NEW, Distress): _distress,
    (Phase.NEW, SpeechFailed): _deaf,
    (Phase.NEW, MachineBeeped): machine.beeped,
    (Phase.NEW, TimeLimit): _time_limit,
    (Phase.NEW, HungUp): _gone,
    (Phase.LISTENING, Started): _again,
    (Phase.LISTENING, Key): _key,
    (Phase.LISTENING, Heard): _heard,
    (Phase.LISTENING, NoInput): _no_input,
    (Phase.LISTENING, Distress): _distress,
    (Phase.LISTENING, SpeechFailed): _deaf,
    (Phase.LISTENING, DictationEnded): dictations.late,
    (Phase.LISTENING, MachineBeeped): machine.beeped,
    (Phase.LISTENING, TimeLimit): _time_limit,
    (Phase.LISTENING, HungUp): _gone,
    (Phase.DICTATING, Started): _again,
    (Phase.DICTATING, Key): _key_in_dictation,
    (Phase.DICTATING, NoInput): _no_input,
    (Phase.DICTATING, Distress): _distress,
    (Phase.DICTATING, SpeechFailed): _deaf,
    (Phase.DICTATING, DictationEnded): dictations.ended,
    (Phase.DICTATING, MachineBeeped): machine.beeped,
    (Phase.DICTATING, TimeLimit): _time_limit,
    (Phase.DICTATING, HungUp): _gone,
    (Phase.ENTERING, Started): _again,
    (Phase.ENTERING, Key): entries.key,
    (Phase.ENTERING, NoInput): entries.no_input,
    (Phase.ENTERING, Distress): _distress,
    (Phase.ENTERING, SpeechFailed): _deaf,
    (Phase.ENTERING, DictationEnded): dictations.late,
    (Phase.ENTERING, MachineBeeped): machine.beeped,
    (Phase.ENTERING, TimeLimit): _time_limit,
    (Phase.ENTERING, HungUp): _gone,
    (Phase.ASKING, Started): entries.no_verdict,
    (Phase.ASKING, Verdict): entries.verdict,
    (Phase.ASKING, Key): _key_while_asking,
    (Phase.ASKING, NoInput): entries.no_verdict,
    (Phase.ASKING, Distress): _distress,
    (Phase.ASKING, SpeechFailed): _deaf,
    (Phase.ASKING, DictationEnded): dictations.late,
    (Phase.ASKING, MachineBeeped): machine.beeped,
    (Phase.ASKING, TimeLimit): _time_limit,
    (Phase.ASKING, HungUp): _gone,
    # What is to be done at the limit of a call is not done here: whoever hands it over sees to its end.
    (Phase.HANDING, Started): bridges.nobody,
    (Phase.HANDING, HandedOver): bridges.came_back,
    (Phase.HANDING, Key): _key_while_asking,
    (Phase.HANDING, NoInput): bridges.nobody,
    (Phase.HANDING, Distress): _distress,
    (Phase.HANDING, SpeechFailed): _deaf,
    (Phase.HANDING, DictationEnded): dictations.late,
    (Phase.HANDING, HungUp): _gone,
    (Phase.ENDING, Started): _again,
    (Phase.ENDING, Key): _key_at_goodbye,
    (Phase.ENDING, Heard): _heard_at_goodbye,
    (Phase.ENDING, Distress): _distress,
    (Phase.ENDING, DictationEnded): dictations.late,
    (Phase.ENDING, MachineBeeped): machine.beeped,
    (Phase.ENDING, HungUp): _gone,
    (Phase.GONE, Heard): _late_speech,
    (Phase.GONE, Distress): _late_distress,
    (Phase.GONE, DictationEnded): dictations.late,
}
