"""A conversation as a story: what the line says, what the elder does. The session is re-read from JSON every time."""

from __future__ import annotations

import json
from collections.abc import Mapping

from callflows import loader
from callflows.events import (
    Alarm,
    CallContext,
    Dictate,
    DictationEnded,
    Distress,
    HandOver,
    Hangup,
    Heard,
    Input,
    Key,
    Listen,
    NoInput,
    Output,
    Person,
    Query,
    Say,
    Started,
    StopPlaying,
)
from callflows.flow import Flow
from callflows.session import Finding, Session

WANG = Person("wang", "王阿婆")
LI = Person("li", "李阿公")


def daily() -> Flow:
    return loader.shipped("daily_checkin")


class Conversation:
    """`said` are the marks of the last turn. Every deed's outputs end with exactly one wait or hang-up."""

    def __init__(
        self,
        *people: Person,
        consent: bool = True,
        notice: str = "",
        start: bool = True,
        flow: Flow | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        given = {"committee": "桃源居委会", **(variables or {})} | ({"notice": notice} if notice else {})
        self.flow = flow or daily()
        self.session = Session(self.flow, CallContext(people or (WANG,), given, consent))
        self.outputs: tuple[Output, ...] = ()
        self._at_ms = 0
        if start:
            self.feed(Started())

    # ── the elder ────────────────────────────────────────────────────────────────────────────────

    def presses(self, digit: str, *, after_ms: int = 5000) -> Conversation:
        self._at_ms += after_ms
        return self.feed(Key(digit, self._at_ms))

    def speaks(self, text: str, *, certain: bool = True) -> Conversation:
        """Understood as the open wait's phrases say; no phrase: not understood."""
        meaning, phrase = self._meaning(text)
        return self.feed(Heard(text, meaning, 0.8, "vosk", certain and meaning is not None, phrase))

    def mumbles(self, text: str) -> Conversation:
        """Understood, but not for certain."""
        return self.speaks(text, certain=False)

    def is_silent(self, times: int = 1) -> Conversation:
        for _ in range(times):
            self.feed(NoInput())
        return self

    def dictates(self, text: str, *, by: str = "silence", recording: str = "rec-1") -> Conversation:
        wait = self.session.wait
        assert isinstance(wait, Dictate)
        return self.feed(DictationEnded(6.0, 4.0, text, 0.7, "vosk", recording, by, wait.node))

    def cries(self, text: str) -> Conversation:
        return self.feed(Distress(text, "vosk", 0.9))

    def feed(self, event: Input) -> Conversation:
        self.outputs = self.session.feed(event)
        waits = [output for output in self.outputs if isinstance(output, Listen | Dictate | Query | HandOver | Hangup)]
        assert not self.outputs or (len(waits) == 1 and waits[0] is self.outputs[-1])
        self.session = Session.from_json(self.flow, json.loads(json.dumps(self.session.to_json())))
        return self

    def _meaning(self, text: str) -> tuple[str | None, str | None]:
        wait = self.session.wait
        assert isinstance(wait, Listen)
        answers = (answer for answer in wait.answers if text in answer.phrases)
        answer = next(answers, None)
        return (answer.meaning, text) if answer else (None, None)

    # ── the line ─────────────────────────────────────────────────────────────────────────────────

    @property
    def said(self) -> list[str]:
        return [output.name for output in self.outputs if isinstance(output, Say)]

    @property
    def words(self) -> str:
        says = [output for output in self.outputs if isinstance(output, Say)]
        return "".join(part.text for say in says for part in say.parts)

    @property
    def cut(self) -> bool:
        return any(isinstance(output, StopPlaying) for output in self.outputs)

    @property
    def alarms(self) -> list[Alarm]:
        return [output for output in self.outputs if isinstance(output, Alarm)]

    @property
    def hung_up(self) -> bool:
        return isinstance(self.outputs[-1], Hangup)

    @property
    def finding(self) -> Finding:
        return self.session.findings[0]

    @property
    def results(self) -> list[str]:
        return [finding.result for finding in self.session.findings]
