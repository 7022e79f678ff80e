"""A flow as boxes: what each step says, and every way out of it, in staff's words. Both the drawing and the list of it
are made of these. Pure.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callflows.flow import AGAIN, BACK, DONE, END_CALL, REPEAT, STAY, Choice, Exit, Flow, Prompt, Step
from console import words
from console.flow_words import MOMENT_ZH, TARGET_ZH, VARIABLE_ZH, VERDICT_ZH, outcome_zh

START = "any.time"  # the box of what may happen at any time; no step has this name (a test)
NO_STEPS = frozenset({AGAIN, BACK, DONE, END_CALL, REPEAT, STAY, ""})


@dataclass(frozen=True)
class Bit:
    """A stretch of a prompt: fixed words, or (`variable`) what a variable holds."""

    text: str
    variable: bool = False


@dataclass(frozen=True)
class Saying:
    """One prompt of a step. `when`: "" for the first, else after what it is said."""

    when: str
    bits: tuple[Bit, ...]


@dataclass(frozen=True)
class Way:
    """One way out. `cause`: by what, `leads`: to which step, or a word of NO_STEPS; `result`: what it then means;
    `unsure`: the ear wasn't certain."""

    cause: str
    leads: str
    result: str = ""
    unsure: bool = False

    @property
    def ends(self) -> bool:
        """Whether it leads to no step."""
        return self.leads in NO_STEPS

    @property
    def leads_zh(self) -> str:
        return TARGET_ZH.get(self.leads, self.leads)

    @property
    def result_zh(self) -> str:
        return outcome_zh(self.result) if self.result else ""


@dataclass(frozen=True)
class Box:
    """`ways`: of the step's own; `anytime`: the flow's answers that are understood here too."""

    step: str
    title: str
    sayings: tuple[Saying, ...]
    ways: tuple[Way, ...]
    anytime: tuple[Way, ...] = ()

    @property
    def start(self) -> bool:
        """Whether it is no step: what may happen at any time."""
        return self.step == START


def outline(flow: Flow) -> tuple[Box, ...]:
    """What can happen at any time, then the steps from the start on, each before those it leads to first."""
    boxes = {name: _box(flow, step) for name, step in flow.steps.items()}
    return (_always(flow), *(boxes[name] for name in _in_order(flow, boxes)))


def _always(flow: Flow) -> Box:
    moments = [Way(MOMENT_ZH.get(moment, moment), target) for moment, target in flow.moments.items()]
    answers = [Way(_asked(one), one.exit.go, one.exit.result or "") for one in flow.anytime]
    late = [Way(f"再会时{_asked(one)}", one.exit.go, one.exit.result or "") for one in flow.goodbye]
    said = Saying("按了键先说", bits(flow.acknowledge))
    return Box(START, "任何时候", (said,), (Way("开始", flow.start), *moments, *answers, *late))


def _box(flow: Flow, step: Step) -> Box:
    return Box(
        step.name,
        _title(step),
        tuple(sayings(step)),
        tuple(_ways(step)),
        tuple(_answer_ways(choice for choice in flow.offered(step) if choice not in step.choices)),
    )


def _title(step: Step) -> str:
    """What the step does beside saying something."""
    if step.dictation:
        return f"听人讲，最长 {step.dictation.max_s:.0f} 秒"
    if step.entry:
        least, most = step.entry.least, step.entry.most
        return f"按 {least} 位数" if least == most else f"按 {least}–{most} 位数"
    if step.pick:
        return "选一个人"
    if step.query:
        return "查一查"
    if step.bridge:
        return "接给人"
    return "问" if step.listens else "说"


def sayings(step: Step, *, every: bool = False) -> Iterator[Saying]:
    """`every`: where people are offered, the words for each key, else for the first."""
    order = ("", "没有回答，再问", "还没有，最后问")
    yield from (Saying(when, bits(prompt)) for when, prompt in zip(order, step.prompts, strict=False))
    if step.pick:
        yield from (Saying("每个人", bits(prompt)) for prompt in (step.pick.each if every else step.pick.each[:1]))
        yield Saying("还有别人时", bits(step.pick.more))


def bits(prompt: Prompt) -> tuple[Bit, ...]:
    pieces = prompt.texts.get("zh") or next(iter(prompt.texts.values()))
    return tuple(Bit(piece.text, piece.variable) for piece in pieces)


# ── ways out ──────────────────────────────────────────────────────────────────────────────────────


def _ways(step: Step) -> Iterator[Way]:
    if step.only_if and step.otherwise:
        yield _way(f"没有“{VARIABLE_ZH.get(step.only_if, step.only_if)}”", step.otherwise)
    yield from _answer_ways(step.choices)
    yield from _own(step)
    yield from _some(
        ("按别的键", step.any_key),
        ("说别的话", step.any_speech),
        ("没有出声", step.no_input),
        ("没听懂", step.no_match),
        ("挂机", step.hang_up),
        (f"来过 {step.at_most} 次以后", step.too_often),
    )


def _own(step: Step) -> Iterator[Way]:
    """Of what this kind of step does."""
    done = "讲完" if step.dictation else "按完" if step.entry else "说完"
    yield from _some((done, step.go))
    if step.pick:
        yield from _some(("选了人", step.pick.go), ("没有人可选", step.pick.none))
    if step.bridge:
        yield from _some(("有人接，谈完了", step.bridge.accepted), ("没有人接", step.bridge.nobody))
    if step.query:
        yield from (_way(VERDICT_ZH.get(word, word), go) for word, go in step.query.verdicts.items())
        yield _way("查不到", step.query.none)


def _some(*known: tuple[str, Exit | None]) -> Iterator[Way]:
    yield from (_way(cause, go) for cause, go in known if go is not None)


def _answer_ways(choices: Iterator[Choice] | Sequence[Choice]) -> Iterator[Way]:
    for one in choices:
        yield _way(_asked(one), one.exit)
        if one.unsure:
            yield Way(f"说“{words.meaning(one.meaning)}”，没把握", one.unsure, unsure=True)


def _way(cause: str, go: Exit) -> Way:
    return Way(cause, go.go, go.result or "")


def _asked(choice: Choice) -> str:
    """By key, by word, or by both."""
    meaning = words.meaning(choice.meaning)
    return f"按 {choice.key} {meaning}" if choice.key else f"说“{meaning}”"


def _in_order(flow: Flow, boxes: dict[str, Box]) -> list[str]:
    """As a call goes: depth first from the start, then what only moments lead to."""
    found: dict[str, None] = {}
    todo = [flow.start, *(way.leads for way in _always(flow).ways), *flow.steps]
    while todo:
        name = todo.pop(0)
        if name in boxes and name not in found:
            found[name] = None
            todo[:0] = [way.leads for way in boxes[name].ways]
    return list(found)
