"""Reads what a flow says: texts with variables in braces, one for each language. Faults are raised where they stand."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

import yaml

from callflows.flow import KEY, NAME, Piece, Prompt, Variable
from callflows.source import Source

FIELDS = ("say", "again", "again2")
_VARIABLE = re.compile(r"\{([^{}]*)\}")


class PromptReader:
    """For one flow."""

    def __init__(self, source: Source, languages: tuple[str, ...], variables: Mapping[str, Variable]) -> None:
        self.source = source
        self.languages = languages
        self.variables = variables
        self._personal = {NAME, *(name for name, variable in variables.items() if variable.per_person)}

    def of_step(self, step: str, found: dict[str, yaml.Node]) -> tuple[Prompt, ...]:
        """The prompt and its reprompts, with their marks."""
        if "again2" in found and "again" not in found:
            self.source.fail(found["again2"], f'step {step} has "again2" without "again"')
        base = step.removesuffix(".ask")
        marks = {"say": step, "again": f"{base}.again", "again2": f"{base}.again2"}
        nobody = self._personal if "pick" in found else ()
        return tuple(self.one(marks[name], found[name], found, nobody) for name in FIELDS if name in found)

    def one(
        self, mark: str, node: yaml.Node, step: dict[str, yaml.Node], hidden: Collection[str] = (), key: str = ""
    ) -> Prompt:
        """A text (when the flow has one language), or language: text for each of them. `hidden`: variables that it
        can't say; `key`: what {key} stands for."""
        src = self.source
        if isinstance(node, yaml.ScalarNode):
            if len(self.languages) > 1:
                src.fail(node, f"the prompt {mark} needs a text for each of {', '.join(self.languages)}: {{zh: …, …}}")
            return Prompt(mark, {self.languages[0]: self._pieces(mark, node, step, hidden, key)})
        texts = src.mapping(node, f"the prompt {mark}", self.languages)
        for language in self.languages:
            if language not in texts:
                src.fail(node, f'the prompt {mark} is missing in the language "{language}", which the flow claims')
        pieces = {language: self._pieces(mark, one, step, hidden, key) for language, one in texts.items()}
        return Prompt(mark, pieces)

    def _pieces(
        self, mark: str, node: yaml.Node, step: dict[str, yaml.Node], hidden: Collection[str], key: str
    ) -> tuple[Piece, ...]:
        text = self.source.text(node, f"the prompt {mark}")
        if key:
            text = text.replace(f"{{{KEY}}}", key)
        pieces: list[Piece] = []
        for at, part in enumerate(_VARIABLE.split(text)):
            if at % 2:
                self._check_variable(mark, part, node, step, hidden)
                pieces.append(Piece(part, variable=True))
            elif "{" in part or "}" in part:
                self.source.fail(node, f"the prompt {mark} has a brace without its partner")
            elif part.strip():
                pieces.append(Piece(part.strip()))
        return tuple(pieces)

    def _check_variable(
        self, mark: str, name: str, node: yaml.Node, step: dict[str, yaml.Node], hidden: Collection[str]
    ) -> None:
        if name in hidden:
            self.source.fail(node, f'the prompt {mark} says {{{name}}} before anybody is chosen: say it in "each"')
        if name == NAME:
            return
        if name not in self.variables:
            known = ", ".join([NAME, *self.variables])
            self.source.fail(node, f"the prompt {mark} says {{{name}}}, an unknown variable (known: {known})")
        guard = step.get("only_if")
        guarded = isinstance(guard, yaml.ScalarNode) and guard.value == name
        if self.variables[name].default is None and not guarded:
            self.source.fail(node, f'the prompt {mark} says {{{name}}}, which may be missing: add "only_if: {name}"')
