"""The full sum against the sum over every alignment, written out one by one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from speech.scoring import APART, BLOCK, NEVER, START, Heard, Trie, build_trie, inside, whole

Paths = list[list[int]]
SLOTS = 3
PATHS = st.lists(st.lists(st.integers(0, SLOTS - 1), min_size=1, max_size=3), min_size=1, max_size=4, unique_by=tuple)
LOOSE = 1e9
FAR = -500.0  # six frames or slots of at most 6 nats each lie above


def heard(trie: Trie, frames: int, seed: int, hardest: float = 6.0) -> Heard:
    """Any opinion on so many frames: log chances from 0 down to −`hardest`."""
    draw = np.random.default_rng(seed)

    def logs(columns: int) -> NDArray[np.float32]:
        return draw.uniform(-hardest, 0, (frames, columns)).astype(np.float32)

    return Heard(logs(1)[:, 0], logs(SLOTS), logs(len(trie.arcs)))


def all_that_was_said(trie: Trie, told: Heard, path: Sequence[int]) -> float:
    """Each slot in a frame of its own, one after the other, blanks everywhere else: blank[t] moves on from frame t, a
    slot said in frame t stands before the blank of that frame."""
    frames = len(told.start)
    return _sum(
        _aligned(trie, told, path, at) + float(told.start[: at[0]].sum())
        for at in _alignments(frames, len(path), APART)
    )


def said_somewhere(trie: Trie, told: Heard, path: Sequence[int]) -> tuple[float, int]:
    """The same with anything before the first and after the last slot; and the likeliest last frame."""
    frames, last = len(told.start), len(path) - 1
    by_end = [NEVER] * frames
    for at in _alignments(frames, len(path), 0):
        logs = sum(_blanks(told, path[k], at[k], at[k + 1]) for k in range(last)) + _said(trie, told, path, at)
        by_end[at[-1]] = float(np.logaddexp(by_end[at[-1]], logs))
    return _sum(iter(by_end)), int(np.argmax(by_end))


def _alignments(frames: int, slots: int, apart: int) -> list[tuple[int, ...]]:
    """Two slots are so many frames from each other, or more."""
    last = frames - (slots - 1) * (apart - 1)
    return [tuple(one + k * (apart - 1) for k, one in enumerate(chosen)) for chosen in combinations(range(last), slots)]


def _aligned(trie: Trie, told: Heard, path: Sequence[int], at: Sequence[int]) -> float:
    ends = [*at[1:], len(told.start)]
    return _said(trie, told, path, at) + sum(
        _blanks(told, slot, here, end) for slot, here, end in zip(path, at, ends, strict=True)
    )


def _said(trie: Trie, told: Heard, path: Sequence[int], at: Sequence[int]) -> float:
    before = [START, *path[:-1]]
    return sum(
        float(told.emit[frame, trie.arcs.index(arc)])
        for frame, arc in zip(at, zip(before, path, strict=True), strict=True)
    )


def _blanks(told: Heard, slot: int, begin: int, end: int) -> float:
    return float(told.blank[begin:end, slot].sum())


def _sum(logs: Iterable[float]) -> float:
    return float(np.logaddexp.reduce([NEVER, *logs]))


def possible(logs: NDArray[np.float64]) -> list[float]:
    """NEVER where there is no time for it: the sums there are hundreds of nats behind."""
    return [float(log) if log > FAR else NEVER for log in logs]


@given(PATHS, st.integers(1, 5), st.integers(0, 1000))
def test_the_whole_is_the_sum_over_all_alignments(paths: Paths, frames: int, seed: int) -> None:
    trie = build_trie(paths)
    told = heard(trie, frames, seed)
    wanted = [all_that_was_said(trie, told, path) for path in paths]
    assert possible(whole(trie, told, beam=LOOSE)) == pytest.approx(wanted, abs=1e-4)


@given(PATHS, st.integers(1, 5), st.integers(0, 1000))
def test_inside_is_the_sum_over_all_places(paths: Paths, frames: int, seed: int) -> None:
    trie = build_trie(paths)
    told = heard(trie, frames, seed)
    wanted = [said_somewhere(trie, told, path) for path in paths]
    logs, ends = inside(trie, told)
    assert logs == pytest.approx([log for log, _ in wanted], abs=1e-4)
    assert ends.tolist() == [end for _, end in wanted]


@given(PATHS, st.integers(1, 40), st.integers(0, 1000))
def test_pruning_keeps_the_best(paths: Paths, frames: int, seed: int) -> None:
    """A beginning that is no path's end can't be worth more than its path: the best path of the widest beam survives
    a beam as wide as what one slot can cost."""
    trie = build_trie(paths)
    told = heard(trie, frames, seed)
    everything, pruned = whole(trie, told, beam=LOOSE), whole(trie, told, beam=40)
    best = int(everything.argmax())
    assert pruned[best] == pytest.approx(everything[best])
    assert all(one in (NEVER, pytest.approx(other)) for one, other in zip(pruned, everything, strict=True))


def test_a_beginning_far_behind_is_given_up() -> None:
    trie = build_trie([[0, 1], [2, 1]])
    told = Heard(np.zeros(3), np.full((3, SLOTS), -0.1), np.full((3, len(trie.arcs)), -1.0))
    told.emit[:, trie.arcs.index((START, 2))] = -30
    scores = whole(trie, told)
    assert scores[0] > -10
    assert scores[1] == NEVER
    logs, _ = inside(trie, told, least=-4)
    assert logs[0] > -10
    assert logs[1] == NEVER


@given(st.integers(1 + 2 * APART, 4 * BLOCK), st.integers(0, 1000))
def test_long_speech_is_summed_up_in_blocks_without_loss(frames: int, seed: int) -> None:
    """The same recurrence, frame by frame in logs; blanks as improbable as they can be."""
    trie = build_trie([[0, 1, 2]])
    told = heard(trie, frames, seed, hardest=20)
    nothing, states = 0.0, []  # what was there after each frame so far, with all blanks since then
    for at in range(frames):
        before = states[-APART] if at >= APART else np.full(3, NEVER)
        emitted = [float(told.emit[at, trie.arcs.index(arc)]) for arc in trie.arcs]
        alpha = np.array([nothing, *before[:2]]) + emitted
        states.append(np.logaddexp(states[-1], alpha) if states else alpha)
        nothing += float(told.start[at])
        states = [one + told.blank[at] for one in states]
    done = states[-1][2]
    assert whole(trie, told, beam=LOOSE) == pytest.approx([done], abs=1e-3)


def test_without_audio_nothing_was_said() -> None:
    trie = build_trie([[0], [1, 2]])
    nothing = heard(trie, 0, 1)
    assert whole(trie, nothing).tolist() == [NEVER, NEVER]
    logs, ends = inside(trie, nothing)
    assert logs.tolist() == [NEVER, NEVER]
    assert ends.tolist() == [0, 0]


def test_common_beginnings_are_computed_once() -> None:
    trie = build_trie([[0, 1], [0, 1, 2], [0, 2], [0]])
    assert trie.size == 4
    assert trie.ends == ((2, 0), (3, 0), (2, 1), (1, 0))
    assert trie.arcs == ((START, 0), (0, 1), (1, 2), (0, 2))
