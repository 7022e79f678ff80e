"""A flow's boxes as shapes with places: what stands in each, line by line, and where lines run. Pure; the places come
from console/flow_layout.py. All lengths in pixels.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from console.flow_layout import Node, Placed
from console.flow_outline import Bit, Box, Way
from console.flow_words import VARIABLE_ZH
from speech.human import sentence_key

WIDTH, EDGE = 430.0, 14.0
TITLE, LINE, WHEN, ROW, SMALL = 34.0, 28.0, 24.0, 30.0, 24.0
FONT, ROW_FONT, SMALL_FONT = 19.0, 16.0, 14.0
NARROW = 0.55  # of a Latin letter, in widths of a Chinese one
MARGIN = 16.0
HUB = 4  # with more lines than that leading to one step, none is drawn: its name at each way says as much
NEVER_FIRST = frozenset(",.;:?!)，。；：？！）、”」』》…")


@dataclass(frozen=True)
class Words:
    """In one line: `x`, `y` of the baseline's beginning."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Phrase:
    """A stretch of a prompt, in one line or more. `number`: of the sentence, None for none; `variable`: it stands for
    what is said in its place."""

    number: int | None
    variable: bool
    words: tuple[Words, ...]


@dataclass(frozen=True)
class Row:
    """A way out: by what, and where it leads; `step`: "" where that is none. `y`: of its top."""

    y: float
    cause: str
    target: str
    step: str


@dataclass(frozen=True)
class Card:
    """A box before it has a place. `notes`: after what a reprompt comes; `small`: what is understood at any time;
    `ports`: at which heights lines leave it."""

    box: Box
    height: float
    notes: tuple[Words, ...]
    phrases: tuple[Phrase, ...]
    rows: tuple[Row, ...]
    small: tuple[Words, ...]

    @property
    def ports(self) -> tuple[float, ...]:
        return tuple(row.y + ROW / 2 for row in self.rows)


@dataclass(frozen=True)
class Drawn:
    """A card at its place."""

    card: Card
    x: float
    y: float


@dataclass(frozen=True)
class Picture:
    width: float
    height: float
    cards: tuple[Drawn, ...]
    lines: tuple[str, ...]
    """Paths, as SVG writes them; each ends where its arrow head lies."""


def cards(boxes: Sequence[Box], numbers: Mapping[str, int]) -> tuple[Card, ...]:
    """`numbers`: of sentences, by their sentence_key."""
    titles = {box.step: title(box) for box in boxes}
    return tuple(_card(box, numbers, titles) for box in boxes)


def title(box: Box) -> str:
    """The first words that a step says: by them staff know it."""
    words = "".join(f"〔{_called(bit)}〕" if bit.variable else bit.text for bit in box.sayings[0].bits)
    return words if measure(words) <= 10 else clipped(words, 9) + "…"


def nodes(found: Sequence[Card]) -> tuple[Node, ...]:
    """What is to be placed: of each card size, and the ways from which a line goes to another."""
    index = {card.box.step: at for at, card in enumerate(found)}
    into: dict[str, int] = {}
    for card in found:
        for target in {way.leads for way in card.box.ways if way.leads in index}:
            into[target] = into.get(target, 0) + 1
    seen: set[str] = set()
    made = []
    for card in found:
        lines = []
        for at, way in enumerate(card.box.ways):
            if way.leads in index:
                hub = into[way.leads] > HUB or card.box.start
                if not hub or way.leads not in seen:
                    lines.append((at, index[way.leads], not hub))
                seen.add(way.leads)
        made.append(Node(WIDTH, card.height, card.ports, tuple(lines)))
    return tuple(made)


def picture(found: Sequence[Card], placed: Placed) -> Picture:
    """What may happen at any time lies in a column of its own, beside where the call begins."""
    drawn = [Drawn(card, MARGIN + x, MARGIN + y) for card, (x, y) in zip(found, placed.corners, strict=True)]
    first = next(one for one in drawn if one.card.box.step == found[0].box.ways[0].leads)
    drawn[0] = replace(drawn[0], y=first.y)
    height = max(one.y + one.card.height for one in drawn) + MARGIN
    lines = (_begins(drawn[0], first), *(_path(points) for points in placed.lines))
    return Picture(placed.width + 2 * MARGIN, max(height, placed.height + 2 * MARGIN), tuple(drawn), lines)


def _begins(always: Drawn, first: Drawn) -> str:
    x, y, to = always.x + WIDTH, always.y + always.card.ports[0], first.y + first.card.height / 2
    return f"M{x:.0f},{y:.0f}C{x + 40:.0f},{y:.0f} {first.x - 40:.0f},{to:.0f} {first.x:.0f},{to:.0f}"


def _path(points: Sequence[tuple[float, float]]) -> str:
    """A Bézier curve: its beginning, then three points for each piece."""
    moved = [f"{x + MARGIN:.0f},{y + MARGIN:.0f}" for x, y in points]
    return f"M{moved[0]}C{' '.join(moved[1:])}"


# ── one card ──────────────────────────────────────────────────────────────────────────────────────


def _card(box: Box, numbers: Mapping[str, int], titles: Mapping[str, str]) -> Card:
    y, notes, phrases = TITLE, [], []
    for saying in box.sayings:
        if saying.when:
            notes.append(Words(EDGE, y + WHEN - 6, saying.when))
            y += WHEN
        lines = wrapped(saying.bits, _fits(FONT))
        phrases += _phrases(lines, y, numbers)
        y += LINE * len(lines)
    y += 8
    rows = tuple(_row(way, y + ROW * at, titles) for at, way in enumerate(box.ways))
    y += ROW * len(rows)
    small = tuple(_small(box, y))
    return Card(box, y + SMALL * len(small) + 8, tuple(notes), tuple(phrases), rows, small)


def _phrases(lines: Sequence[Sequence[Piece]], y: float, numbers: Mapping[str, int]) -> list[Phrase]:
    """A stretch that goes on in the next line stays one."""
    found: list[Phrase] = []
    last = None
    for at, line in enumerate(lines):
        x = EDGE
        for piece in line:
            words = Words(x, y + LINE * (at + 1) - 8, piece.text)
            if piece.bit is last:
                found[-1] = replace(found[-1], words=(*found[-1].words, words))
            else:
                number = None if piece.bit.variable else numbers.get(sentence_key(piece.bit.text))
                found.append(Phrase(number, piece.bit.variable, (words,)))
            last = piece.bit
            x += measure(piece.text) * FONT
    return found


def _row(way: Way, y: float, titles: Mapping[str, str]) -> Row:
    result = f"（{way.result_zh}）" if way.result else ""
    target = titles.get(way.leads, way.leads_zh)
    room = _fits(ROW_FONT) - measure(target) - 2.5
    cause = way.cause + result if measure(way.cause + result) <= room else way.cause
    cause = cause if measure(cause) <= room else clipped(cause, room - 1) + "…"
    return Row(y, cause, target, "" if way.ends else way.leads)


def _small(box: Box, y: float) -> Iterator[Words]:
    causes = dict.fromkeys(way.cause for way in box.anytime if not way.unsure)
    if causes:
        for at, line in enumerate(wrapped([Bit("随时：" + "；".join(causes))], _fits(SMALL_FONT))):
            yield Words(EDGE, y + SMALL * (at + 0.7), line[0].text)


def _fits(font: float) -> float:
    """Chinese letters in a line; the comma behind the last one hangs over."""
    return (WIDTH - 2 * EDGE) / font - 0.5


# ── words ─────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Piece:
    """A stretch of a line, and what it is of."""

    text: str
    bit: Bit


def wrapped(bits: Sequence[Bit], room: float) -> list[list[Piece]]:
    """Lines of at most `room` widths of a Chinese letter; punctuation begins none. Pure."""
    lines: list[list[Piece]] = [[]]
    left = room
    for bit in bits:
        text = f"〔{_called(bit)}〕" if bit.variable else bit.text
        taken = ""
        for letter in text:
            width = measure(letter)
            if width > left and letter not in NEVER_FIRST:
                if taken:
                    lines[-1].append(Piece(taken, bit))
                lines.append([])
                taken, left = "", room
            taken += letter
            left -= width
        if taken:
            lines[-1].append(Piece(taken, bit))
    return [line for line in lines if line]


def measure(text: str) -> float:
    """In widths of a Chinese letter."""
    return sum(1.0 if unicodedata.east_asian_width(letter) in "WFA" else NARROW for letter in text)


def clipped(text: str, room: float) -> str:
    taken = ""
    for letter in text:
        room -= measure(letter)
        if room < 0:
            break
        taken += letter
    return taken


def _called(bit: Bit) -> str:
    return VARIABLE_ZH.get(bit.text, bit.text)
