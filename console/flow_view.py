"""The pages of flows: all of them, and one as a drawing and as a list."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from callflows import loader
from callflows.flow import Flow
from console import flow_layout, flow_picture, sentences
from console.flow_layout import LayoutError, Node, Placed
from console.flow_outline import Box, outline
from console.flow_picture import Picture
from console.flow_words import flow_zh
from speech.human import sentence_key

KEPT = 64  # places of so many drawings

shipped = cache(sentences.shipped)


@dataclass(frozen=True)
class FlowLine:
    """One flow in the list of all."""

    name: str
    zh: str
    steps: int
    sentences: int


@dataclass(frozen=True)
class FlowPage:
    """`picture` None: it couldn't be drawn, and `why` says so. `titles`: by what staff know each step."""

    flow: Flow
    zh: str
    boxes: Sequence[Box]
    titles: dict[str, str]
    picture: Picture | None
    why: LayoutError | None

    def place(self, step: str) -> str:
        """Where a link to this step leads in the list; where there is a drawing its steps are in there."""
        return f"{'list' if self.picture else 'step'}-{step}"

    def number(self, text: str) -> int | None:
        return numbers().get(sentence_key(text))


def flows() -> list[FlowLine]:
    """As elders hear them most: the check-in first."""
    found = [loader.shipped(name) for name in sentences.by_rank(loader.shipped_names())]
    return [FlowLine(one.name, flow_zh(one.name), len(one.steps), len(shipped().of(one.name))) for one in found]


def page(name: str, drawings: Drawings) -> FlowPage | None:
    """None: there is no such flow. Waits for `dot` the first time."""
    if name not in loader.shipped_names():
        return None
    flow = loader.shipped(name)
    boxes = outline(flow)
    cards = flow_picture.cards(boxes, numbers())
    titles = {box.step: flow_picture.title(box) for box in boxes}
    try:
        picture = flow_picture.picture(cards, drawings.of(flow_picture.nodes(cards)))
    except LayoutError as why:
        return FlowPage(flow, flow_zh(name), boxes, titles, None, why)
    return FlowPage(flow, flow_zh(name), boxes, titles, picture, None)


@cache
def numbers() -> dict[str, int]:
    """By sentence_key."""
    return {sentence_key(one.text): one.number for one in shipped().all}


class Drawings:
    """Where things lie in drawings, kept by what is drawn; one is made at a time. Asked from threads."""

    def __init__(self, place: Callable[[Sequence[Node]], Placed] = flow_layout.place) -> None:
        self._place = place
        self._kept: OrderedDict[tuple[Node, ...], Placed] = OrderedDict()
        self._one = threading.Lock()

    def of(self, nodes: tuple[Node, ...]) -> Placed:
        """LayoutError; what could not be drawn is tried again the next time."""
        with self._one:
            if nodes not in self._kept:
                self._kept[nodes] = self._place(nodes)
                if len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(nodes)
            return self._kept[nodes]
