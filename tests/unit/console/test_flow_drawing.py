"""Drawings of flows hold all that the flows say and every way out of each step."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from callflows import loader
from callflows.flow import Flow, Step
from callflows.loader import shipped, shipped_names
from console import flow_layout, flow_picture, flow_view
from console.flow_layout import LayoutError, Node
from console.flow_outline import NO_STEPS, START, Bit, Box, outline
from console.flow_picture import EDGE, FONT, ROW_FONT, WIDTH, Card, Drawn, measure
from console.flow_view import Drawings
from console.flow_words import FLOW_ZH, MOMENT_ZH, TARGET_ZH, VARIABLE_ZH, VERDICT_ZH
from speech.human import sentence_key

needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="no Graphviz here")
FLOWS = pytest.mark.parametrize("name", shipped_names())


def drawn(flow: Flow) -> dict[str, Card]:
    return {card.box.step: card for card in flow_picture.cards(outline(flow), flow_view.numbers())}


def exits(step: Step) -> Iterator[str]:
    """Where its own ways lead, as the flow has it."""
    for choice in step.choices:
        yield choice.exit.go
        yield from filter(None, [choice.unsure])
    own = [step.go, step.no_input, step.no_match, step.hang_up, step.any_key, step.any_speech]
    more = [step.otherwise, step.too_often]
    if step.pick:
        more += [step.pick.go, step.pick.none]
    if step.bridge:
        more += [step.bridge.accepted, step.bridge.nobody]
    if step.query:
        more += [*step.query.verdicts.values(), step.query.none]
    yield from (one.go for one in [*own, *more] if one is not None)


@FLOWS
def test_every_step_and_every_way_out_is_drawn(name: str) -> None:
    flow = shipped(name)
    cards = drawn(flow)
    assert set(cards) == {START, *flow.steps}
    for step in flow.steps.values():
        card = cards[step.name]
        assert Counter(way.leads for way in card.box.ways) == Counter(exits(step)), step.name
        pairs = zip(card.rows, card.box.ways, strict=True)
        assert all(row.step == way.leads or way.leads in NO_STEPS for row, way in pairs)
        shown = " ".join(row.cause for row in card.rows) + "".join(one.text for one in card.small)
        for choice in flow.offered(step):
            assert choice.key is None or f"按 {choice.key} " in shown, (step.name, choice.key)
    assert {row.step or row.target for row in cards[START].rows} >= set(flow.moments.values())


@FLOWS
def test_every_sentence_stands_at_its_place_and_leads_to_its_page(name: str) -> None:
    flow, cards = shipped(name), drawn(shipped(name))
    for step in flow.steps.values():
        said = [phrase for phrase in cards[step.name].phrases if not phrase.variable]
        for prompt in step.prompts:
            for piece in prompt.texts["zh"]:
                if not piece.variable and sentence_key(piece.text):
                    number = flow_view.numbers()[sentence_key(piece.text)]
                    text = ["".join(words.text for words in one.words) for one in said if one.number == number]
                    assert piece.text in text, (step.name, piece.text)


@FLOWS
def test_nothing_is_wider_than_its_card(name: str) -> None:
    for card in drawn(shipped(name)).values():
        for phrase in card.phrases:
            assert all(words.x + measure(words.text) * FONT < WIDTH for words in phrase.words)
        for row in card.rows:
            assert (measure(row.cause) + measure(row.target)) * ROW_FONT + 2 * EDGE < WIDTH, row


def test_whatever_a_flow_has_has_a_chinese_word() -> None:
    flows = [shipped(name) for name in shipped_names()]
    steps = [step for flow in flows for step in flow.steps.values()]
    conditions = {step.only_if for step in steps if step.only_if}
    verdicts = {word for step in steps if step.query for word in step.query.verdicts}
    said = {
        bit.text for flow in flows for box in outline(flow) for one in box.sayings for bit in one.bits if bit.variable
    }
    assert (conditions | said | {name for flow in flows for name in flow.variables}) - set(VARIABLE_ZH) == set()
    assert verdicts - set(VERDICT_ZH) == set()
    assert set(loader.MOMENTS) == set(MOMENT_ZH)
    assert set(TARGET_ZH) == NO_STEPS
    assert set(shipped_names()) <= set(FLOW_ZH)
    assert not any(START in flow.steps for flow in flows)


@needs_dot
@FLOWS
def test_no_two_cards_lie_upon_each_other_and_lines_begin_at_their_way(name: str) -> None:
    page = flow_view.page(name, Drawings())
    assert page is not None
    assert page.picture is not None
    cards = page.picture.cards
    for at, one in enumerate(cards):
        assert not any(_overlap(one, other) for other in cards[at + 1 :]), one.card.box.step
        assert 0 <= one.x <= page.picture.width - WIDTH
    beginnings = [tuple(map(float, line[1:].split("C")[0].split(","))) for line in page.picture.lines]
    ports = {(round(one.x + WIDTH), round(one.y + port)) for one in cards for port in one.card.ports}
    assert beginnings
    for x, y in beginnings:
        assert any(abs(x - px) < 8 and abs(y - py) < 8 for px, py in ports), (x, y)


def _overlap(one: Drawn, other: Drawn) -> bool:
    apart = one.x + WIDTH <= other.x or other.x + WIDTH <= one.x
    return not (apart or one.y + one.card.height <= other.y or other.y + other.card.height <= one.y)


def test_lines_are_wrapped_and_none_begins_with_punctuation() -> None:
    lines = flow_picture.wrapped([Bit("一二三四五,六七八九十。"), Bit("name", variable=True)], 5)
    text = ["".join(piece.text for piece in line) for line in lines]
    assert text == ["一二三四五,", "六七八九十。", "〔这个人的", "称呼〕"]


NODES = (Node(100, 80, (40.0,), ((0, 1, True),)), Node(100, 60, (), ()))


@needs_dot
def test_it_goes_from_left_to_right() -> None:
    placed = flow_layout.place(NODES)
    assert placed.corners[0][0] + 100 <= placed.corners[1][0]
    assert len(placed.lines) == 1


def test_no_word_of_a_flow_reaches_the_other_program() -> None:
    flow = shipped("daily_checkin")
    source = flow_layout.source(flow_picture.nodes(list(drawn(flow).values())))
    assert source.isascii()
    assert "greet" not in source


@pytest.mark.parametrize(
    ("script", "patience"),
    [("exec sleep 30", 0.3), ("exit 3", 5), ("echo nonsense", 5), ("echo '{}'", 5), ('echo \'{"bb": "0,0,1"}\'', 5)],
)
def test_a_program_that_hangs_or_fails_costs_the_drawing_only(
    script: str, patience: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "dot"
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setattr(flow_layout, "PROGRAM", str(program))
    with pytest.raises(LayoutError):
        flow_layout.place(NODES, patience)


def test_without_the_program_the_page_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(flow_layout, "PROGRAM", "no-such-program")
    page = flow_view.page("daily_checkin", Drawings())
    assert page is not None
    assert page.picture is None
    assert page.why is not None
    assert "apt-get install graphviz" in page.why.zh


def test_a_drawing_is_made_once_for_the_same_content() -> None:
    asked: list[object] = []

    def place(nodes: object) -> flow_layout.Placed:
        asked.append(nodes)
        return flow_layout.Placed(1, 1, (), ())

    drawings = Drawings(place)
    drawings.of(NODES)
    drawings.of(tuple(NODES))
    assert len(asked) == 1
    drawings.of((replace(NODES[0], height=81), NODES[1]))
    assert len(asked) == 2


def test_a_box_of_another_step_is_known_by_its_first_words() -> None:
    box = Box("a.say", "说", outline(shipped("daily_checkin"))[1].sayings, ())
    assert flow_picture.title(box) == "您好,这里是〔居委…"
