"""Prompts go out frame by frame, in order, each followed by its mark."""

from __future__ import annotations

import asyncio

from ivr.playout import MARK_PATIENCE_FRAMES, Playout

A, B = b"\x01" * 160, b"\x02" * 160


def frames(playout: Playout, count: int) -> list[tuple[bytes | None, list[str]]]:
    return [playout.next() for _ in range(count)]


def test_two_prompts_with_their_marks() -> None:
    playout = Playout()
    playout.say("one", [A, A[:80]])
    playout.say("two", [B])
    assert frames(playout, 4) == [(A, []), (A[:80] + b"\xff" * 80, ["one"]), (B, ["two"]), (None, [])]
    assert playout.playing  # the carrier has not said yet that they were played
    assert playout.came_back("one")
    assert playout.came_back("two")
    assert not playout.playing


def test_a_cleared_prompt_was_not_heard_even_if_its_mark_comes_back() -> None:
    playout = Playout()
    playout.say("one", [A])
    playout.next()
    playout.say("two", [B * 10])
    playout.next()
    assert playout.clear() == ["one", "two"]
    assert not playout.playing
    assert not playout.came_back("one")
    playout.say("one", [A])
    playout.next()
    assert playout.came_back("one")


def test_a_mark_that_never_comes_back_counts_as_played_after_two_seconds() -> None:
    playout = Playout()
    playout.say("one", [A])
    frames(playout, MARK_PATIENCE_FRAMES)
    assert playout.overdue() == []
    playout.next()
    assert playout.overdue() == ["one"]
    assert not playout.playing
    assert not playout.came_back("one")  # too late to be news


def test_unknown_marks_are_no_news() -> None:
    assert not Playout().came_back("one")


def test_an_empty_prompt_has_its_mark_all_the_same() -> None:
    playout = Playout()
    playout.say("one", [b""])
    assert playout.next() == (None, ["one"])


async def test_audio_that_is_still_being_made_is_waited_for_in_silence() -> None:
    playout, future = Playout(), asyncio.get_running_loop().create_future()
    playout.say("one", [A, future])
    assert playout.next() == (None, [])
    assert playout.pending == [future]
    future.set_result(B)
    assert frames(playout, 2) == [(A, []), (B, ["one"])]


async def test_audio_that_could_not_be_made_is_left_out() -> None:
    playout, future = Playout(), asyncio.get_running_loop().create_future()
    playout.say("one", [A, future])
    future.set_exception(OSError("no voice"))
    assert playout.next() == (A, ["one"])


async def test_a_hold_keeps_back_what_follows_and_survives_a_clear() -> None:
    playout, written = Playout(), asyncio.get_running_loop().create_future()
    playout.say("before", [A])
    playout.hold(written)
    playout.say("after", [B])
    assert frames(playout, 2) == [(A, ["before"]), (None, [])]
    assert playout.clear() == ["before", "after"]
    playout.say("help", [B])
    assert playout.next() == (None, [])
    written.set_result(b"")
    assert playout.next() == (B, ["help"])
