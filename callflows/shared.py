"""Steps that many flows have, in one place (shared.yaml): what a flow leads to and doesn't hold comes from there, as
phrases come from the lexicon. A flow that wants other words holds the step itself."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import yaml

from callflows.source import Source, compose

FILE = Path(__file__).with_name("shared.yaml")


def lacking(source: Source, top: dict[str, yaml.Node], own: dict[str, yaml.Node]) -> dict[str, yaml.Node]:
    """The shared steps that the flow's parts and its `own` steps lead to, and those that these lead to."""
    shared = source.mapping(_shared(), "the shared steps")
    found: dict[str, yaml.Node] = {}
    todo = [text for node in top.values() for text in _texts(node)]
    while todo:
        name = todo.pop()
        if name in shared and name not in own and name not in found:
            found[name] = shared[name]
            todo += _texts(shared[name])
    return {name: found[name] for name in shared if name in found}


@cache
def _shared() -> yaml.Node:
    node = compose(FILE.read_text("utf-8"), FILE.name)
    assert node is not None, "shipped with the program"
    return node


def _texts(node: yaml.Node) -> Iterator[str]:
    """Every text that stands in it as a value."""
    if isinstance(node, yaml.ScalarNode):
        yield node.value
    elif isinstance(node, yaml.SequenceNode):
        for one in node.value:
            yield from _texts(one)
    elif isinstance(node, yaml.MappingNode):
        for _, value in node.value:
            yield from _texts(value)
