"""Virtual elders' scripts: loading, errors that name the place, what is done when."""

from __future__ import annotations

from typing import Any

import pytest

from ivr.virtual.acoustics import tone
from ivr.virtual.behaviour import AnsweringMachine, ElderDirectory, ScriptedElder
from ivr.virtual.elder import CallScript, ElderScript, ScriptError
from ivr.virtual.phone import SILENCE, Move, PhoneKind

NUMBER = "+862155500001"
CLIPS = {"wei": tone(300, 0.1), "well": tone(400, 0.2)}
LOUD = tone(500, 0.02)


def load(**more: Any) -> ElderScript:
    return ElderScript.from_mapping({"number": NUMBER, **more}, where="elders[3]", clip_exists=CLIPS.__contains__)


def elder(reactions: dict[str, Any]) -> ScriptedElder:
    return ScriptedElder(load(reactions=reactions).call(0), CLIPS.__getitem__)


def run(party: ScriptedElder, ticks: int, frame: bytes = SILENCE) -> dict[int, Move]:
    """The moves that are more than silence, by tick."""
    moves = {}
    for tick in range(ticks):
        party.hear(frame, ())
        move = party.move()
        if move != Move():
            moves[tick] = move
    return moves


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"phone": "asleep"}, r"elders\[3\]\.phone: 'asleep' is none of answers, machine"),
        ({"rings": -1}, r"elders\[3\]\.rings: must be a whole number"),
        ({"colour": "red"}, r"elders\[3\]: unknown colour"),
        ({"greeting": "hello"}, r'elders\[3\]\.greeting: no clip "hello"'),
        ({"amd": "robot"}, r"elders\[3\]\.amd: 'robot' is none of human"),
        ({"noise": {"snr": 3}}, r"elders\[3\]\.noise: unknown snr"),
        ({"noise": {"seed": 3}}, r"elders\[3\]\.noise\.snr_db: must be a number"),
        ({"echo": {"db": "loud"}}, r"elders\[3\]\.echo\.db: must be a number"),
        ({"reactions": []}, r"elders\[3\]\.reactions: must be a mapping"),
        ({"reactions": {"a.b": {"say": "x"}}}, r'elders\[3\]\.reactions\.a\.b\.say: no clip "x"'),
        ({"reactions": {"a.b": [{"press": "1"}, {"press": 1}]}}, r"a\.b\[1\]\.press: keys are a quoted text"),
        ({"reactions": {"a.b": {"press": "1", "say": "wei"}}}, r"a\.b: needs exactly one of say, press"),
        ({"reactions": {"a.b": {"after_s": 1}}}, r"a\.b: needs exactly one of"),
        ({"reactions": {"a.b": []}}, r"a\.b: must be a list with at least one"),
        ({"reactions": {"a.b": {"press": "1", "then": {"shout": "x"}}}}, r"a\.b\.then: unknown shout"),
        ({"calls": []}, r"elders\[3\]\.calls: must be a list with at least one"),
        ({"calls": [{}, {"phone": "odd"}]}, r"elders\[3\]\.calls\[1\]\.phone"),
        ({"calls": [{"number": "+86"}]}, r"elders\[3\]\.calls\[0\]: unknown number"),
    ],
)
def test_a_broken_script_names_the_place(more: dict[str, Any], message: str) -> None:
    with pytest.raises(ScriptError, match=message):
        load(**more)


@pytest.mark.parametrize("number", [None, 862155500001, "021 5550001"])
def test_a_number_must_be_quoted_and_international(number: object) -> None:
    with pytest.raises(ScriptError, match=r"elder\.number"):
        ElderScript.from_mapping({"number": number})


def test_later_calls_differ_from_the_first() -> None:
    script = load(
        reactions={"a.b": {"press": "1"}, "a.c": {"press": "2"}},
        calls=[{"phone": "busy"}, {"rings": 4, "reactions": {"a.b": {"press": "3"}}}],
    )
    assert script.call(0).phone is PhoneKind.BUSY
    later = script.call(7)
    assert (later.phone, later.rings) == (PhoneKind.ANSWERS, 4)
    assert [later.reactions[name][0].press for name in ("a.b", "a.c")] == ["3", "2"]


def test_exact_name_then_pattern_then_default() -> None:
    call = load(
        reactions={"default": {"press": "9"}, "a.*": {"press": "2"}, "a.b": {"press": "1"}, "answered": {"say": "wei"}}
    ).call(0)

    def key(prompt: str) -> str:
        found = call.reaction(prompt, 0)
        return found.press if found else ""

    assert [key(name) for name in ("a.b", "a.c", "z")] == ["1", "2", "9"]
    assert CallScript().reaction("a.b", 0) is None
    assert load(reactions={"default": {"press": "9"}}).call(0).reaction("answered", 0) is None


def test_a_key_comes_after_thinking() -> None:
    party = elder({"a.b": {"press": "12", "after_s": 1.0}})
    assert run(party, 100) == {}
    party.hear(SILENCE, ("a.b",))
    assert {tick: move.keys for tick, move in run(party, 200).items()} == {50: "1", 61: "2"}


def test_speech_goes_out_frame_by_frame_and_is_named_once() -> None:
    party = elder({"a.b": {"say": "well", "after_s": 0}})
    party.hear(SILENCE, ("a.b",))
    moves = run(party, 50)
    assert list(moves) == list(range(10))
    assert b"".join(move.audio for move in moves.values()) == CLIPS["well"]
    assert [move.label for move in moves.values()] == ["well"] + [""] * 9


def test_the_nth_time_something_else_is_done() -> None:
    party = elder({"a.b": [{"silence": True}, {"press": "1", "after_s": 0}]})
    for expected in ([], ["1"], ["1"]):
        party.hear(SILENCE, ("a.b",))
        assert [move.keys for move in run(party, 20).values()] == expected


def test_barge_in_waits_for_the_next_prompts_sound() -> None:
    party = elder({"a.b": {"press": "1", "into_next_s": 0.5}})
    party.hear(SILENCE, ("a.b",))
    assert run(party, 100) == {}  # nothing is played yet
    assert list(run(party, 40, LOUD)) == [24]  # with the 25th frame of sound


def test_one_thing_then_another() -> None:
    party = elder({"answered": {"say": "wei", "after_s": 0, "then": {"hang_up": True, "after_s": 0.2}}})
    moves = run(party, 50)
    assert [tick for tick, move in moves.items() if move.hang_up] == [15]  # 5 frames of speech, 10 of waiting


def test_a_new_prompt_replaces_what_was_not_begun() -> None:
    party = elder({"a.b": {"press": "1", "after_s": 1.0}, "a.c": {"press": "2", "after_s": 0.2}})
    party.hear(SILENCE, ("a.b",))
    run(party, 10)
    party.hear(SILENCE, ("a.c",))
    assert [move.keys for move in run(party, 100).values()] == ["2"]


def test_a_machine_plays_its_greeting_beeps_and_hangs_up_in_the_end() -> None:
    machine = AnsweringMachine(CLIPS["well"])
    moves = [machine.move() for _ in range(2000)]
    beeped = next(i for i, move in enumerate(moves) if move.beeped)
    assert beeped == 25 + 10 + 10 + 30
    assert not any(move.hang_up for move in moves[: beeped + 1500])
    assert moves[-1].hang_up


def test_the_directory_counts_calls_and_knows_no_strangers() -> None:
    directory = ElderDirectory((load(calls=[{"phone": "busy"}, {}]),), CLIPS.__getitem__)
    assert [directory(NUMBER).kind for _ in range(3)] == [PhoneKind.BUSY, PhoneKind.ANSWERS, PhoneKind.ANSWERS]
    assert directory("+862155509999").kind is PhoneKind.UNASSIGNED
