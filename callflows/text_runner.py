"""Plays any flow as text in a terminal: what the line says is printed, what the elder does is typed.

1            keys (several are pressed one after the other)
蛮好          speech, clearly heard; ?蛮好 is the same heard uncertainly; … is something unintelligible
(empty)      silence
hangup       the elder hangs up; beep: an answering machine; deaf: recognition fails; limit: the call's hard limit
right        the verdict, where the flow asks whoever runs the call; with values: filed number=一零零七
accepted     where the call is handed over: somebody has talked to the elder; anything else: nobody was there
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

from callflows.bridges import ACCEPTED
from callflows.events import (
    Alarm,
    CallContext,
    Dictate,
    DictationEnded,
    Distress,
    HandedOver,
    HandOver,
    Hangup,
    Heard,
    HungUp,
    Input,
    Key,
    Listen,
    MachineBeeped,
    NoInput,
    Output,
    Part,
    Query,
    Say,
    SpeechFailed,
    Started,
    StopPlaying,
    TimeLimit,
    Verdict,
)
from callflows.flow import Flow
from callflows.session import Finding, Session
from callflows.wording import plain

ENGINE = "text"
LINE_MS = 5_000  # a typed line is so much later than the one before
KEY_MS = 1_000  # and the keys of one line so far apart
_KEYS = re.compile(r"[0-9*#]+")
_COMMANDS: dict[str, Callable[[], Input]] = {
    "hangup": HungUp,
    "beep": MachineBeeped,
    "limit": TimeLimit,
    "deaf": lambda: SpeechFailed("said so"),
}
UNCLEAR = "…"

HELP = (
    "Digits, * and # are keys; words are speech, ?words speech heard unsurely, … something unintelligible; "
    "an empty line is silence; hangup, beep, deaf, limit; Ctrl-D ends."
)

# What was said and the open wait → what it means, and by which phrase.
Matcher = Callable[[str, Listen], tuple[str, str] | None]


def run(
    flow: Flow,
    context: CallContext,
    read: Callable[[], str],
    write: Callable[[str], None],
    match: Matcher | None = None,
) -> tuple[Finding, ...]:
    """Plays the whole conversation; what the call came to. Where `read` raises EOFError: what is known so far."""
    line = TextLine(Session(flow, context), flow.distress, write, match)
    write(HELP)
    line.start()
    while not line.session.over:
        try:
            typed = read()
        except EOFError:
            break
        line.type(typed)
    return line.session.findings


def exact(said: str, wait: Listen) -> tuple[str, str] | None:
    """A whole phrase and nothing else, punctuation apart."""
    wanted = plain(said)
    for answer in wait.answers:
        for phrase in answer.phrases:
            if plain(phrase) == wanted:
                return answer.meaning, phrase
    return None


class TextLine:
    """One conversation in text. `type` takes one line at a time, so that a test may look in between."""

    def __init__(
        self, session: Session, distress: Iterable[str], write: Callable[[str], None], match: Matcher | None = None
    ) -> None:
        self.session = session
        self._distress = tuple(map(plain, distress))
        self._write = write
        self._match = match or exact
        self._at_ms = 0
        self._dictations = 0

    def start(self) -> None:
        self._feed(Started())

    def type(self, text: str) -> None:
        """What the elder does now."""
        self._at_ms += LINE_MS
        for event in self._events(text.strip()):
            self._feed(event)

    def _events(self, text: str) -> list[Input]:
        if text in _COMMANDS:
            return [_COMMANDS[text]()]
        if self.session.asking:
            return [_verdict(text)]
        if self.session.handing and not _KEYS.fullmatch(text) and not self._is_distress(text):
            return [HandedOver(text == ACCEPTED)]
        wait = self.session.wait
        if _KEYS.fullmatch(text) and not (text == "#" and isinstance(wait, Dictate)):
            return [Key(digit, self._at_ms + at * KEY_MS) for at, digit in enumerate(text)]
        if self._is_distress(text):
            return [Distress(text, ENGINE, 1.0), *self._rest(text, wait)]
        if isinstance(wait, Dictate):
            return [self._dictated(text, wait)]
        return [self._heard(text, wait)] if text else [NoInput()]

    def _is_distress(self, text: str) -> bool:
        return any(phrase in plain(text) for phrase in self._distress)

    def _rest(self, text: str, wait: Listen | Dictate | None) -> list[Input]:
        """A dictation with a cry for help in it is kept all the same."""
        return [self._dictated(text, wait)] if isinstance(wait, Dictate) else []

    def _dictated(self, text: str, wait: Dictate) -> DictationEnded:
        said = "" if text == "#" else text
        self._dictations += 1
        seconds = len(said) / 4
        recording = f"dictation{self._dictations}" if said else ""
        by = "key" if text == "#" else "silence"
        return DictationEnded(seconds, seconds, said, 1.0, ENGINE, recording, by, wait.node)

    def _heard(self, text: str, wait: Listen | None) -> Heard:
        said = text.lstrip("?？")
        if wait is None or not wait.speech or said == UNCLEAR:
            return Heard(said, None, 0.0, ENGINE)
        found = self._match(said, wait)
        certain = said == text
        meaning, phrase = found or (None, None)
        return Heard(said, meaning, 1.0 if certain else 0.4, ENGINE, certain and found is not None, phrase)

    def _feed(self, event: Input) -> None:
        for output in self.session.feed(event):
            shown = _shown(output)
            if shown:
                self._write(shown)


def _verdict(text: str) -> Verdict:
    """The word, then NAME=VALUE for each variable that it tells."""
    word, *told = text.split() or [""]
    return Verdict(word, dict(one.split("=", 1) for one in told if "=" in one))


def _shown(output: Output) -> str:
    match output:
        case Say():
            return f"{output.name}: {''.join(map(_spoken, output.parts))}"
        case StopPlaying():
            return ""
        case Listen():
            return f"  ({output.node} {output.timeout_s:g} s: {_choices(output)})"
        case Dictate():
            return f"  ({output.node}: dictation, at most {output.max_s:g} s)"
        case Alarm():
            return f"  ALARM {output.reason} for {output.person}"
        case Query():
            return f"  (asks: {output.name}{f' {output.value}' if output.value.isdigit() else ''}?)"
        case HandOver():
            return "  (hands over)"
        case Hangup():
            return "  (hangs up)"


def _spoken(part: Part) -> str:
    return f"〔录音 {part.recording}〕" if part.recording else part.text


def _choices(listen: Listen) -> str:
    """Keys with their meanings; in brackets what can only be said."""
    keys = [f"{answer.key} {answer.meaning}" for answer in listen.answers if answer.key]
    words = [answer.meaning for answer in listen.answers if not answer.key] if listen.speech else []
    if listen.digits:
        keys.insert(0, f"{listen.digits.least} to {listen.digits.most} digits")
    return ", ".join(keys + [f"<{word}>" for word in words]) or "any sign"
