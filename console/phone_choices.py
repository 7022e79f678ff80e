"""Whom the line offers to choose from, as it reads them out after a question: "王阿婆,请按1。"."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from callflows import picks
from callflows.flow import NAME, Flow, Prompt, Step
from callflows.state import context_from_dict, from_dict
from console.call_log import Entry


def choosing(flow: Flow, prompt: str) -> Step | None:
    """The step that asks to choose with this prompt."""
    asked = (step for step in flow.steps.values() if step.pick is not None)
    return next((step for step in asked if any(one.name == prompt for one in step.prompts)), None)


def page(step: Step, before: Sequence[Entry]) -> int:
    """How often the next ones were asked for when the prompt came of which `before` tells; the key that cut it off is
    no such asking. Pure."""
    turned = 0
    for key in reversed([entry.detail for entry in before if entry.kind == "key"]):
        digit = key.get("digit")
        if key.get("node") != step.node or (digit in tuple(picks.KEYS) and digit != picks.MORE):
            break
        turned += digit == picks.MORE
    return turned


def choices(flow: Flow, prompt: str, session: Mapping[str, Any] | None, before: Sequence[Entry]) -> str:
    """ "" for a prompt that offers nobody. `session`: as it is saved; `before`: the call's log up to the prompt."""
    step = choosing(flow, prompt)
    if step is None or step.pick is None or not session:
        return ""
    people = context_from_dict(session["context"]).people
    state = replace(from_dict(session["state"]), page=page(step, before))
    offered = zip(step.pick.each, picks.shown(state), strict=False)
    said = [spoken(flow, each, {NAME: people[at].spoken_name, **people[at].variables}) for each, at in offered]
    return "".join(said) + (spoken(flow, step.pick.more, {}) if picks.more(state) else "")


def spoken(flow: Flow, prompt: Prompt, values: Mapping[str, str]) -> str:
    """The words of a prompt; what nobody knows is its default, or its name in brackets. Pure."""
    pieces = prompt.texts.get("zh") or next(iter(prompt.texts.values()))
    defaults = {key: variable.default or f"〔{key}〕" for key, variable in flow.variables.items()}
    known = {NAME: "", **defaults, **values, **dict.fromkeys(flow.recorded, "〔录音〕")}
    return "".join(known.get(piece.text, "") if piece.variable else piece.text for piece in pieces)
