"""In which prompts of which flows a sentence is said, with the steps. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from callflows.flow import Flow
from console.flow_outline import START, Bit, bits, sayings
from console.flow_words import flow_zh
from console.sentences import Sentence
from speech.human import sentence_key


@dataclass(frozen=True)
class Spot:
    """A step that says it. `when`: after what, "" at first."""

    flow: str
    step: str
    when: str

    @property
    def flow_zh(self) -> str:
        return flow_zh(self.flow)

    @property
    def start(self) -> bool:
        """Said at any step."""
        return self.step == START


@dataclass(frozen=True)
class Bitten:
    """A stretch of the whole prompt; `here`: it is the sentence that is asked for."""

    bit: Bit
    here: bool


@dataclass(frozen=True)
class Whole:
    """A prompt as it is said from its beginning to its end, and where."""

    pieces: tuple[Bitten, ...]
    spots: tuple[Spot, ...]

    @property
    def variables(self) -> list[str]:
        return list(dict.fromkeys(one.bit.text for one in self.pieces if one.bit.variable))


def wholes(sentence: Sentence, flows: Sequence[Flow], variable: str = "") -> tuple[Whole, ...]:
    """Each prompt once, with all its places. `variable`: in whose place it is said, whatever the flows say."""
    found: dict[tuple[Bitten, ...], list[Spot]] = {}
    key = sentence_key(sentence.text)
    for flow in flows:
        if flow.name in sentence.flows:
            values = {name: (one.default or "", *one.usual) for name, one in flow.variables.items()}
            filled = {name for name, said in values.items() if key in map(sentence_key, said)} | {variable}
            for spot, said in _said(flow):
                pieces = tuple(Bitten(bit, _is(bit, key, filled)) for bit in said)
                if any(one.here for one in pieces):
                    found.setdefault(pieces, []).append(spot)
    return tuple(Whole(pieces, tuple(dict.fromkeys(spots))) for pieces, spots in found.items())


def _said(flow: Flow) -> Iterator[tuple[Spot, tuple[Bit, ...]]]:
    yield Spot(flow.name, START, "按了键先说"), bits(flow.acknowledge)
    for step in flow.steps.values():
        for saying in sayings(step, every=True):
            yield Spot(flow.name, step.name, saying.when), saying.bits


def _is(bit: Bit, key: str, filled: set[str]) -> bool:
    return bit.text in filled if bit.variable else sentence_key(bit.text) == key
