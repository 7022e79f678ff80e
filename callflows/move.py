"""One move of the conversation: state and outputs being put together. Used by `transitions`; nothing here waits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from callflows import picks, told
from callflows.events import (
    Answer,
    CallContext,
    Dictate,
    Digits,
    HandOver,
    Hangup,
    Listen,
    Output,
    Part,
    Person,
    Query,
    Say,
    StopPlaying,
)
from callflows.findings import GOOD, KEY_ONLY
from callflows.flow import (
    BACK,
    DONE,
    END_CALL,
    LAST_PERSON,
    NAME,
    RECORDING,
    REPEAT,
    SPEECH,
    STAY,
    Choice,
    Exit,
    Flow,
    Prompt,
    Step,
)
from callflows.state import Phase, State
from callflows.wording import fill, plain

# After so many "again please" or "wait a moment" in one step they count as not understood.
MAX_REPEATS = 3
MAX_STAYS = 3
NEXT_DIGIT_S = 4.0  # so long the next digit may take; then what was pressed is all


class Move:
    """Reads flow and context, holds the state as it changes, collects outputs. Lives for one event."""

    def __init__(self, flow: Flow, context: CallContext, state: State) -> None:
        self.flow = flow
        self.context = context
        self.state = state
        self.outputs: list[Output] = []
        self.acknowledging = False  # a key was pressed: the next prompt begins with "收到"
        self.entered = ""  # the digits that were just pressed, or the recording just made, for the query right after
        self.entered_secretly = False
        self._lead = ""  # the step that was just said and that nobody waits after

    # ── what is so ───────────────────────────────────────────────────────────────────────────────

    @property
    def step(self) -> Step:
        return self.flow.steps[self.state.step]

    @property
    def person(self) -> Person:
        return self.context.people[self.state.person]

    @property
    def speech(self) -> bool:
        """Without consent to record there is no record of a spoken answer: keys only."""
        return self.state.speech and self.context.consent_recording

    @property
    def about_nobody(self) -> bool:
        """The call is about no person yet, or about the next one to be chosen."""
        choosing = not self.state.chosen or (bool(self.state.step) and self.step.pick is not None)
        return self.flow.picks and choosing

    def holds(self, condition: str) -> bool:
        built_in = {
            RECORDING: self.context.consent_recording,
            SPEECH: self.speech,
            LAST_PERSON: self.state.person + 1 >= len(self.context.people),
        }
        return built_in[condition] if condition in built_in else bool(self._given(condition, self.state.person))

    def _given(self, variable: str, at: int) -> str | None:
        """The value that this call was told, else was given: for this person of it, or for all."""
        own = self.flow.variables[variable].per_person
        given = self.context.people[at].variables.get(variable) if own else None
        return told.value_of(self.flow, self.state.told, variable, at) or given or self.context.variables.get(variable)

    # ── changes ──────────────────────────────────────────────────────────────────────────────────

    def set(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)

    def cut(self) -> None:
        self.outputs.append(StopPlaying())

    def record(self, result: str, *, everyone: bool = False) -> None:
        """What the call has come to for this person (or for all)."""
        last = self.state.last
        by_key = last.get("by") == "key"
        if not by_key and (result in KEY_ONLY or (result in GOOD and not last.get("certain"))):
            return  # the flow's checks make this impossible; a "well" is worth a second lock
        whom = range(len(self.state.people)) if everyone else (self.state.person,)
        words = self.flow.results
        people = list(self.state.people)
        for at in whom:
            people[at] = people[at].with_result(result, last, words)
        self.set(people=tuple(people))

    def forget(self) -> None:
        """What was known of this person was a mistake, they say."""
        people = list(self.state.people)
        people[self.state.person] = self.state.standing.taken_back()
        self.set(people=tuple(people))

    def sign(self, by: str) -> None:
        """The person gave a sign of life. Before anybody is chosen nobody knows which of them."""
        if not self.about_nobody:
            self._standing(self.state.person, sign=by)

    def keep(self, person: int, details: Mapping[str, Any]) -> None:
        """Adds to the person's record. Nothing kept is ever overwritten: a second recording comes under `more`."""
        standing = self.state.people[person]
        if any(key in standing.kept for key in details):
            details = {"more": [*standing.kept.get("more", []), dict(details)]}
        self._standing(person, kept={**standing.kept, **details})

    def _standing(self, person: int, **changes: Any) -> None:
        people = list(self.state.people)
        people[person] = replace(people[person], **changes)
        self.set(people=tuple(people))

    def tell(self, query: str, values: Mapping[str, str]) -> None:
        """The query was answered: from now on these variables hold these values."""
        self.set(told=told.told_anew(self.flow, self.state.told, query, self.state.person, values))

    def play_back(self, person: int, keep_as: str, recording: str) -> None:
        """What this person has dictated can be played to them from now on ("": it can't)."""
        self.set(told=told.dictated_anew(self.flow, self.state.told, keep_as, person, recording))

    # ── going on ─────────────────────────────────────────────────────────────────────────────────

    def take(self, choice: Choice) -> None:
        """An answer of the step or of `anytime` that counts."""
        if choice not in self.step.choices and choice.exit.go in self.flow.steps:
            self.set(back=self.state.step)
        if choice.forget:
            self.forget()
        self.follow(choice.exit)

    def follow(self, exit_: Exit) -> None:
        if exit_.result:
            self.record(exit_.result, everyone=exit_.everyone)
        special = {REPEAT: self.repeat, STAY: self.stay, BACK: self.resume, DONE: self.done, END_CALL: self.hang_up}
        if exit_.go in special:
            special[exit_.go]()
        else:
            self.enter(exit_.go)

    def enter(self, name: str) -> None:
        """Goes to a step: says it and waits, or goes on from it. Steps that don't apply are passed over."""
        step = self.flow.steps[name]
        visits = self.state.visits.get(name, 0)
        if step.at_most is not None and step.too_often is not None:
            if visits >= step.at_most:
                self.follow(step.too_often)
                return
            self.set(visits={**self.state.visits, name: visits + 1})
        self.set(step=name, reprompts=0, repeats=0, stays=0, entry="", page=0, turns=0)
        if not self._applies(step) or self._picks_itself(step) or self._records_against_their_will(step):
            return
        self.say(step.prompts[0])
        self._wait_or_go_on(step)

    def _applies(self, step: Step) -> bool:
        """False: the step was passed over, and the conversation has gone on elsewhere."""
        if step.only_if is None or step.otherwise is None or self.holds(step.only_if):
            return True
        self.follow(step.otherwise)
        return False

    def _records_against_their_will(self, step: Step) -> bool:
        """True: without consent to record nothing is dictated, whatever the flow asks for, as if nobody had spoken."""
        if step.dictation is None or self.context.consent_recording:
            return False
        self.follow(step.no_input or Exit(END_CALL))
        return True

    def _picks_itself(self, step: Step) -> bool:
        """True: there are not two to choose from, and the conversation has gone on."""
        left = picks.left(self.state) if step.pick else ()
        if step.pick is None or len(left) > 1:
            return False
        if left:
            self.pick(left[0])
        else:
            self.follow(step.pick.none)
        return True

    def pick(self, person: int) -> None:
        """From now on it is about this person."""
        if self.step.pick is not None:
            self.set(person=person, chosen=True, back="")
            self.follow(self.step.pick.go)

    def _wait_or_go_on(self, step: Step) -> None:
        if step.query is not None:
            about = self._given(step.query.about, self.state.person) if step.query.about else ""
            value, secret = (about or "", False) if step.query.about else (self.entered, self.entered_secretly)
            self.outputs.append(Query(step.query.name, self.person.id, value, secret))
            self.set(phase=Phase.ASKING)
        elif step.bridge is not None:
            self.set(phase=Phase.HANDING, handed=self.state.handed + 1)
            self.outputs.append(HandOver(self.person.id, self.state.handed, self.state.standing.result or ""))
        elif step.dictation or step.entry or step.listens:
            self.set(lead=self._lead)
            self.wait()
        elif step.go is not None:
            self._lead = step.name
            self.follow(step.go)

    def wait(self) -> None:
        wait = wait_of(self.flow, self.context, self.state)
        self.outputs.append(wait)
        waiting = Phase.ENTERING if self.step.entry else Phase.LISTENING
        self.set(phase=Phase.DICTATING if isinstance(wait, Dictate) else waiting)

    def reprompt(self, exit_: Exit) -> None:
        """Nothing (useful) was heard: the next, simpler prompt, or `exit_` after the last."""
        following = self.state.reprompts + 1
        if following < len(self.step.prompts):
            self.set(reprompts=following)
            self.say(self.step.prompts[following])
            self.wait()
        else:
            self.follow(exit_)

    def no_match(self) -> None:
        self.acknowledging = False
        if self.state.emergency:
            self.stay()
            return
        self.reprompt(self.step.no_match or Exit(END_CALL))

    def repeat(self) -> None:
        self.acknowledging = False
        if self.state.repeats >= MAX_REPEATS:
            self.no_match()
            return
        self.set(repeats=self.state.repeats + 1)
        if self.state.emergency:
            self._count_silence_anew()
        if self.state.lead and self.state.reprompts == 0:
            self.say(self.flow.steps[self.state.lead].prompts[0])
        self.say(self.step.prompts[min(self.state.reprompts, len(self.step.prompts) - 1)])
        self.wait()

    def stay(self) -> None:
        """Goes on listening; what is being said to the person isn't cut. In an emergency for as long as she likes."""
        if self.state.emergency:
            self._count_silence_anew()
        elif self.state.stays >= MAX_STAYS:
            self.no_match()
            return
        else:
            self.set(stays=self.state.stays + 1)
        self.rearm()

    def _count_silence_anew(self) -> None:
        """There was a sign: in an emergency only a long silence from now on ends the call."""
        if self.state.step in self.state.visits:
            self.set(visits={**self.state.visits, self.state.step: 1})

    def rearm(self) -> None:
        """The same wait once more, and not a word."""
        self.outputs = [output for output in self.outputs if not isinstance(output, StopPlaying)]
        self.wait()

    def resume(self) -> None:
        """Back to the step that an answer of `anytime` left, with its shorter prompt. From the goodbye nothing leads
        back."""
        name = self.state.back
        if not name:
            self.hang_up()
            return
        step = self.flow.steps[name]
        self.set(step=name, back="", reprompts=min(1, len(step.prompts) - 1), repeats=0, stays=0, entry="")
        if self._applies(step):
            self.say(step.prompts[self.state.reprompts])
            self._wait_or_go_on(step)

    def done(self) -> None:
        """This person's part is over: the next person, or goodbye. Once the goodbye is being played nobody else's turn
        comes: who is on the line may never have said who they are."""
        if self.holds(LAST_PERSON) or self.state.emergency or self.state.phase is Phase.ENDING:
            self.hang_up()
            return
        self.set(person=self.state.person + 1, visits={}, last={}, back="")
        self.enter(self.flow.moments["next_person"])

    def hang_up(self) -> None:
        self.set(phase=Phase.ENDING)
        self.outputs.append(Hangup())

    # ── saying ───────────────────────────────────────────────────────────────────────────────────

    def say(self, prompt: Prompt) -> None:
        """In the person's language; where the flow has no words in it, a recording by somebody who speaks it may still
        stand for the words that there are."""
        words = self.person.language if self.person.language in prompt.texts else self.flow.languages[0]
        parts = [*self._parts(prompt, words, self.state.person), *self._offers(prompt, words)]
        if self.acknowledging:
            parts = [*self._parts(self.flow.acknowledge, words, self.state.person), *parts]
            self.acknowledging = False
        self.outputs.append(Say(prompt.name, tuple(parts), self.person.language))

    def _offers(self, prompt: Prompt, language: str) -> list[Part]:
        """The persons to choose from, read out after the step's own words."""
        pick = self.step.pick
        if pick is None or prompt not in self.step.prompts:
            return []
        offered = zip(pick.each, picks.shown(self.state), strict=False)
        parts = [part for each, at in offered for part in self._parts(each, language, at)]
        return parts + (self._parts(pick.more, language, self.state.person) if picks.more(self.state) else [])

    def _parts(self, prompt: Prompt, language: str, at: int) -> list[Part]:
        return [self._value(piece.text, at) if piece.variable else Part(piece.text) for piece in prompt.texts[language]]

    def _value(self, variable: str, at: int) -> Part:
        if variable == NAME:
            return Part(self.context.people[at].spoken_name, personal=True)
        known = self.flow.variables[variable]
        if known.audio:
            return Part("", personal=True, recording=self._given(variable, at) or "")
        personal = known.personal or told.value_of(self.flow, self.state.told, variable, at) is not None
        return Part(self._given(variable, at) or known.default or "", personal=personal)


def wait_of(flow: Flow, context: CallContext, state: State) -> Listen | Dictate:
    """The wait of the state's step."""
    step = flow.steps[state.step]
    if step.dictation:
        return Dictate(step.node, max_s=step.dictation.max_s, no_speech_s=step.seconds)
    if step.entry:
        digits = Digits(step.entry.least, step.entry.most, step.entry.secret)
        timeout_s = NEXT_DIGIT_S if state.entry else step.seconds
        return Listen(step.node, _answers(flow, step, ""), timeout_s, speech=False, digits=digits)
    chosen = picks.answers(context, state) if step.pick else ()
    return Listen(
        node=step.node,
        answers=chosen + _answers(flow, step, context.people[state.person].spoken_name),
        timeout_s=step.seconds,
        speech=state.speech and context.consent_recording,
    )


def _answers(flow: Flow, step: Step, name: str) -> tuple[Answer, ...]:
    """Own answers, then those of `anytime`; where both know a meaning, the own phrases count. `name`: who is asked
    after, for phrases like "我是{name}"."""
    own = {choice.meaning for choice in step.choices if choice.phrases}
    answers = [Answer(choice.meaning, choice.key, fill(choice.phrases, name)) for choice in step.choices]
    for choice in flow.offered(step)[len(step.choices) :]:
        if choice.meaning not in own:
            answers.append(Answer(choice.meaning, choice.key, fill(choice.phrases, name)))
        elif choice.key:
            answers.append(Answer(choice.meaning, choice.key))
    return tuple(answers)


def last_words(flow: Flow, context: CallContext, state: State) -> tuple[Answer, ...]:
    """What may be said into the goodbye; nothing without consent to record."""
    name = context.people[state.person].spoken_name
    spoken = flow.goodbye if state.speech and context.consent_recording else ()
    return tuple(Answer(choice.meaning, None, fill(choice.phrases, name)) for choice in spoken)


def one_syllable(phrase: str | None) -> bool:
    """One syllable is what a telephone distorts most (不 is swallowed, 好 is left): never certain."""
    return phrase is not None and len(plain(phrase)) < 2
