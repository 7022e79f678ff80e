"""Reads YAML with places: every complaint names file and line. Values only; what they mean is the loader's business."""

from __future__ import annotations

from collections.abc import Collection
from typing import NoReturn

import yaml

from callflows.flow import Place


class FlowError(ValueError):
    """A flow is wrong. The message is one sentence with its place, "FILE:LINE: what is wrong and what to do"."""


def compose(text: str, file: str) -> yaml.Node | None:
    """The nodes of one file, which know that they stand in it. Raises yaml.YAMLError."""
    loader = yaml.SafeLoader(text)
    loader.name = file
    try:
        node: yaml.Node | None = loader.get_single_node()
        return node
    finally:
        loader.dispose()


class Source:
    """One flow being read: its file, and what it takes from others."""

    def __init__(self, file: str, text: str) -> None:
        self.file = file
        self._text = text
        self._named_at: dict[int, Place] = {}

    def root(self) -> yaml.Node:
        try:
            node = compose(self._text, self.file)
        except yaml.MarkedYAMLError as error:
            mark = error.problem_mark or error.context_mark
            self.fail(
                self._at((mark.line + 1) if mark else 1), f"not readable as YAML: {error.problem or error.context}"
            )
        except (yaml.YAMLError, RecursionError) as error:
            self.fail(self._at(1), f"not readable as YAML: {str(error).splitlines()[0]}")
        if node is None:
            self.fail(self._at(1), "the file is empty")
        return node

    def fail(self, where: yaml.Node | Place, sentence: str) -> NoReturn:
        """Ends the load. What spans several lines is placed where its name stands."""
        place = where if isinstance(where, Place) else self.named_at(where)
        raise FlowError(f"{place.file or self.file}:{place.line}: {sentence}")

    def _at(self, line: int) -> Place:
        return Place(self.file, line)

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
            self._named_at[id(value)] = place_of(key)
        for name in required:
            if name not in found:
                self.fail(node, f'{what} lacks "{name}"')
        return found

    def named_at(self, node: yaml.Node) -> Place:
        """Where the name of `node` stands; a text's own place."""
        own = place_of(node)
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


def place_of(node: yaml.Node) -> Place:
    return Place(node.start_mark.name, node.start_mark.line + 1)
