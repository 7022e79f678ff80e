"""Reads YAML with places: every complaint names file and line. Values only; what they mean is the loader's business."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

import yaml


class FlowError(ValueError):
    """A flow is wrong. The message is one sentence with its place, "FILE:LINE: what is wrong and what to do"."""


class Source:
    """One YAML file being read."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._named_at: dict[int, int] = {}

    def root(self) -> yaml.Node:
        try:
            node = yaml.compose(self._text, Loader=yaml.SafeLoader)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fail((mark.line + 1) if mark else 1, f"not readable as YAML: {error.problem or error.context}")
        except (yaml.YAMLError, RecursionError) as error:
            self.fail(1, f"not readable as YAML: {str(error).splitlines()[0]}")
        if node is None:
            self.fail(1, "the file is empty")
        return node

    def fail(self, where: yaml.Node | int, sentence: str) -> NoReturn:
        """Ends the load. What spans several lines is placed where its name stands."""
        line = where if isinstance(where, int) else self.named_at(where)
        raise FlowError(f"{self.file}:{line}: {sentence}")

    def mapping(
        self, node: yaml.Node, what: str, allowed: Collection[str] | None = None, required: Collection[str] = ()
    ) -> dict[str, yaml.Node]:
        """Key → node. Refuses keys that come twice, unknown keys (unless `allowed` is None) and missing ones."""
        if not isinstance(node, yaml.MappingNode):
            self.fail(node, f'{what} must be lines of "name: value"')
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = self.text(key, f"a name in {what}")
            if name in found:
                self.fail(key, f'"{name}" stands twice in {what}')
            if allowed is not None and name not in allowed:
                self.fail(key, f'unknown "{name}" in {what} (known: {", ".join(sorted(allowed))})')
            found[name] = value
            self._named_at[id(value)] = line_of(key)
        for name in required:
            if name not in found:
                self.fail(node, f'{what} lacks "{name}"')
        return found

    def named_at(self, node: yaml.Node) -> int:
        """The line where the name of `node` stands; a text's own line."""
        own = line_of(node)
        return own if isinstance(node, yaml.ScalarNode) else self._named_at.get(id(node), own)

    def items(self, node: yaml.Node, what: str) -> list[yaml.Node]:
        if not isinstance(node, yaml.SequenceNode):
            self.fail(node, f'{what} must be a list: [a, b] or lines that begin with "-"')
        return list(node.value)

    def text(self, node: yaml.Node, what: str) -> str:
        if not isinstance(node, yaml.ScalarNode) or not node.value.strip():
            self.fail(node, f"{what} must be a text")
        return str(node.value).strip()

    def number(self, node: yaml.Node, what: str, low: float, high: float) -> float:
        try:
            value = float(self.text(node, what))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            self.fail(node, f"{what} must be a number from {low:g} to {high:g}")
        return value

    def whole(self, node: yaml.Node, what: str, low: int, high: int) -> int:
        value = self.number(node, what, low, high)
        if value != int(value):
            self.fail(node, f"{what} must be a whole number")
        return int(value)

    def flag(self, node: yaml.Node, what: str) -> bool:
        value = self.text(node, what)
        if value not in ("true", "false"):
            self.fail(node, f"{what} must be true or false")
        return value == "true"

    def one_of(self, node: yaml.Node, what: str, known: Collection[str]) -> str:
        value = self.text(node, what)
        if value not in known:
            self.fail(node, f'{what} "{value}" is none of {", ".join(known)}')
        return value


def line_of(where: yaml.Node | int) -> int:
    return where if isinstance(where, int) else where.start_mark.line + 1
