"""Where the boxes of a drawing lie and how lines run between them: Graphviz's `dot`, a program of its own (EPL 2.0),
which is given sizes and numbers and no words. All lengths in pixels, y downwards.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

PROGRAM = "dot"
PATIENCE_S = 20.0  # the largest flow takes some 2 s
HEAD = 'rankdir=LR; nodesep=0.35; ranksep=1.1; splines=true; node [shape=plain]; edge [headport="w", arrowhead=none];'


class LayoutError(Exception):
    """There is no drawing. `zh`: a sentence for staff."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.zh = zh


MISSING = LayoutError(
    "这台机器上没有 Graphviz，画不了图。请管理员运行 apt-get install graphviz。下面是同样的内容。",
    "Graphviz isn't on this machine: apt-get install graphviz. The list below says the same.",
)
FAILED = LayoutError("图没有画成。下面是同样的内容。", "the drawing failed; the list below says the same")


@dataclass(frozen=True)
class Node:
    """`ports`: the heights from its top at which lines may leave. `lines`: (port, node to which it leads, whether it is
    drawn; one that isn't only brings the two together)."""

    width: float
    height: float
    ports: tuple[float, ...]
    lines: tuple[tuple[int, int, bool], ...]


@dataclass(frozen=True)
class Placed:
    """`corners`: the upper left one of each node, in order. `lines`: of each that is drawn, a Bézier curve's points."""

    width: float
    height: float
    corners: tuple[tuple[float, float], ...]
    lines: tuple[tuple[tuple[float, float], ...], ...]


def place(nodes: Sequence[Node], patience_s: float = PATIENCE_S) -> Placed:
    """LayoutError when there is no `dot`, it takes too long, or its answer makes no sense."""
    program = shutil.which(PROGRAM)
    if program is None:
        raise MISSING
    try:
        done = subprocess.run(
            [program, "-Tjson0"],
            input=source(nodes),
            capture_output=True,
            check=True,
            encoding="utf-8",
            timeout=patience_s,
        )
        return _read(json.loads(done.stdout), nodes)
    except (OSError, subprocess.SubprocessError, ValueError, KeyError, IndexError):
        raise FAILED from None


def source(nodes: Sequence[Node]) -> str:
    """The graph as dot reads it. Pure."""
    lines = [line for at, node in enumerate(nodes) for line in _lines(at, node)]
    head = (
        'rankdir=LR; nodesep=0.35; ranksep=1.1; splines=true; node [shape=plain]; edge [headport="w", arrowhead=none];'
    )
    return "\n".join(["digraph flow {", head, *(_node(at, node) for at, node in enumerate(nodes)), *lines, "}"])


def _node(at: int, node: Node) -> str:
    """A table of empty cells: the top, then one for each way out, then the rest."""
    edges = [0.0, *_borders(node), node.height]
    spans = [below - above for above, below in pairwise(edges)]
    cells = "".join(_cell(node.width, span, index - 1) for index, span in enumerate(spans) if span >= 1)
    return f'n{at} [label=<<TABLE BORDER="0" CELLBORDER="0" CELLSPACING="0" CELLPADDING="0">{cells}</TABLE>>];'


def _borders(node: Node) -> list[float]:
    """Where cells meet: half-way between ports."""
    if not node.ports:
        return []
    half = (node.ports[1] - node.ports[0]) / 2 if len(node.ports) > 1 else 10.0
    return [node.ports[0] - half, *(port + half for port in node.ports)]


def _cell(width: float, height: float, port: int) -> str:
    size = f'FIXEDSIZE="TRUE" WIDTH="{width:.0f}" HEIGHT="{height:.0f}"'
    return f'<TR><TD PORT="p{max(port, -1) + 1}" {size}></TD></TR>'


def _lines(at: int, node: Node) -> Iterator[str]:
    for port, other, drawn in node.lines:
        yield f"n{at}:p{port + 1}:e -> n{other}" + (";" if drawn else " [style=invis];")


def _read(found: dict[str, Any], nodes: Sequence[Node]) -> Placed:
    _, _, width, height = map(float, found["bb"].split(","))
    middles = {one["name"]: _point(one["pos"]) for one in found["objects"]}
    corners = []
    for at, node in enumerate(nodes):
        x, y = middles[f"n{at}"]
        corners.append((x - node.width / 2, height - y - node.height / 2))
    curves = [edge["pos"] for edge in found.get("edges", ()) if edge.get("style") != "invis"]
    lines = tuple(tuple((x, height - y) for x, y in map(_point, curve.split())) for curve in curves)
    return Placed(width, height, tuple(corners), lines)


def _point(text: str) -> tuple[float, float]:
    x, y = text.split(",")
    return float(x), float(y)
