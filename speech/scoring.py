"""How probable is each phrase, given what the acoustic model heard? Full-sum transducer scoring. Pure numpy.

A transducer gives, for every frame and everything that may have been said before, the probability of each next token
or of none (blank). A phrase is a path of *slots* (speech.pronunciation): each slot accepts some tokens with weights.
All phrases of a menu form one trie of slots, so common beginnings are computed once. The sum over all alignments runs
level by level of the trie: within a level all nodes and all frames are one cumulative sum, because

    alpha[t, n] = blank[t-1, n] · alpha[t-1, n] + emit[t, n] · alpha[t, parent(n)]

is a linear recurrence in t. Two readings of the same recurrence:
- *whole*: the phrase and nothing else was said (starts before the first frame, ends after the last one). Its slots are
  APART from each other: else the model hears 不对 in 对 and 没事 in 是, a syllable more than there is time for.
- *inside*: the phrase was said somewhere. The model's probabilities add up to 1 over everything that may come before
  and after, so a loop over any tokens costs nothing: it is the garbage model, exact and free.

What was said before a node matters to the model, which looks back two tokens, of which the last one counts. Here the
context of a node is its slot's, on the average of the slot's likely tokens.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Logs = NDArray[np.float64]
Columns = NDArray[np.float32]
Indices = NDArray[np.int64]

# Frames of 40 ms between two slots of a whole answer, at the least. Rendered one-syllable answers in the check-in's own
# menus: 80 % right at 0, 91 % at 2, longer ones as before; at 3 fast ones are lost (98 % → 89 %). Calls for help are
# shouted fast and in a row of words: at 2, 16 % of them were missed instead of 3 %.
APART = 2
BEAM = 16.0  # nats; a wrong syllable costs 5 to 10
BLOCK = 32  # frames that are summed up in one range of floats, which is e^±700; a frame's blank is at most e^−20.7
FAINT = 1e-307
NEVER = -1e9  # log of what can't be; finite, so that differences stay numbers
START = -1  # stands for a slot: nothing was said yet


@dataclass(frozen=True)
class Level:
    """The nodes of one depth. `parent`: index within the level above; `arc`, `slot`: column of emission and blank."""

    parent: Indices
    arc: Indices
    slot: Indices


@dataclass(frozen=True)
class Trie:
    """Paths of slots with common beginnings. `arcs`: (slot before or START, slot) pairs; `ends`: path → (level, node),
    levels counted from 1; `finals`: for each level the paths that end there and their nodes."""

    levels: tuple[Level, ...]
    arcs: tuple[tuple[int, int], ...]
    ends: tuple[tuple[int, int], ...]
    finals: tuple[tuple[Indices, Indices], ...]

    @property
    def size(self) -> int:
        """Number of nodes."""
        return sum(len(level.parent) for level in self.levels)


def build_trie(paths: Sequence[Sequence[int]]) -> Trie:
    """`paths`: the slots of each pronunciation, by number."""
    arcs: dict[tuple[int, int], int] = {}
    rows: list[list[tuple[int, int, int]]] = []
    nodes: dict[tuple[int, ...], int] = {(): 0}
    ends = []
    for path in map(tuple, paths):
        for depth, slot in enumerate(path):
            key = path[: depth + 1]
            if key in nodes:
                continue
            if depth == len(rows):
                rows.append([])
            arc = arcs.setdefault((path[depth - 1] if depth else START, slot), len(arcs))
            nodes[key] = len(rows[depth])
            rows[depth].append((nodes[key[:-1]], arc, slot))
        ends.append((len(path), nodes[path]))
    levels = tuple(Level(*(np.array(column, np.int64) for column in zip(*row, strict=True))) for row in rows)
    finals = []
    for depth in range(1, len(levels) + 1):
        here = [(path, node) for path, (level, node) in enumerate(ends) if level == depth]
        finals.append((np.array([path for path, _ in here], np.int64), np.array([node for _, node in here], np.int64)))
    return Trie(levels, tuple(arcs), tuple(ends), tuple(finals))


@dataclass(frozen=True)
class Heard:
    """The model's opinion, frame by frame, in logs. `start`: (T,) blank with nothing said yet; `blank`: blank after
    each slot, `emit`: each arc; (T, columns), the ones that the trie's levels name."""

    start: Columns
    blank: Columns
    emit: Columns


def whole(trie: Trie, heard: Heard, beam: float = BEAM) -> Logs:
    """Log probability of each path being all that was said. NEVER where there are no frames, or where a beginning falls
    behind the best one of its length by more than `beam`; hundreds of nats behind where there is no time for it."""
    found = np.full(len(trie.ends), NEVER)
    if len(heard.start):
        until = _until(heard)
        said_nothing = np.zeros((1, len(heard.start)))
        np.cumsum(heard.start[:-1], out=said_nothing[0, 1:])
        for paths, _, alpha, slot in _levels(trie, heard, until, said_nothing, _relative(beam), APART):
            found[paths] = alpha[:, -1] + heard.blank[-1, slot]
    return found


def inside(trie: Trie, heard: Heard, least: float = NEVER) -> tuple[Logs, Indices]:
    """Log probability of each path being said somewhere, and the frame in which it most probably ends. NEVER where
    there are no frames, or where a beginning is less probable than `least` (a log) a slot."""
    found, at = np.full(len(trie.ends), NEVER), np.zeros(len(trie.ends), np.int64)
    if len(heard.start):
        anything = np.zeros((1, len(heard.start)))
        for paths, arriving, _, _ in _levels(trie, heard, _until(heard), anything, _absolute(least)):
            found[paths] = np.logaddexp.reduce(arriving, axis=1)
            at[paths] = arriving.argmax(axis=1)
    return found, at


def _until(heard: Heard) -> Logs:
    """Blanks before frame t, summed up: (columns, T)."""
    summed = np.zeros(heard.blank.T.shape)
    np.cumsum(heard.blank[:-1].T, axis=1, out=summed[:, 1:])
    return summed


def _summed_up(logs: Logs) -> Logs:
    """`logaddexp.accumulate` along the rows of (n, T), in place and several times as fast: sums are made of
    exponentials, relative to the highest of a block."""
    so_far = None
    for begin in range(0, logs.shape[1], BLOCK):
        block = logs[:, begin : begin + BLOCK]
        top = block.max(axis=1, keepdims=True)
        top = top if so_far is None else np.maximum(top, so_far)
        block -= top
        np.exp(block, out=block)
        if so_far is not None:
            block[:, :1] += np.exp(so_far - top)
        np.cumsum(block, axis=1, out=block)
        np.maximum(block, FAINT, out=block)
        np.log(block, out=block)
        block += top
        so_far = block[:, -1:]
    return logs


Pruning = Callable[[Logs, int], NDArray[np.bool_]]  # best log probability of each node, depth → who goes on


def _relative(beam: float) -> Pruning:
    return lambda best, _: np.asarray(best >= best.max() - beam)


def _absolute(least: float) -> Pruning:
    return lambda best, depth: np.asarray(best >= least * depth if least > NEVER else best > NEVER)


def _levels(
    trie: Trie, heard: Heard, until: Logs, alpha: Logs, pruning: Pruning, apart: int = 0
) -> Iterator[tuple[Indices, Logs, Logs, Indices]]:
    """Level by level, what its final nodes hold: (paths, arriving (n, T), alpha (n, T), slots)."""
    emit = np.ascontiguousarray(heard.emit.T)
    kept = np.zeros(1, np.int64)  # the nodes of the level above that go on; alpha has a row for each
    for depth, (level, (paths, nodes)) in enumerate(zip(trie.levels, trie.finals, strict=True), 1):
        if not len(kept):
            return
        place = _places(kept, level.parent)
        alive = np.flatnonzero(place >= 0)
        if not len(alive):
            return
        slot = level.slot[alive]
        arriving = alpha[place[alive]]
        arriving += emit[level.arc[alive]]
        before = until[slot]
        alpha = _summed_up(arriving - before)
        alpha += before
        column = _places(alive, nodes)
        ends = column[column >= 0]
        yield paths[column >= 0], arriving[ends], alpha[ends], slot[ends]
        going = pruning(alpha.max(axis=1), depth)
        kept, alpha = alive[going], alpha[going]
        if apart:
            alpha = _later(alpha, before[going], apart)


def _later(alpha: Logs, until: Logs, frames: int) -> Logs:
    """What was there so many frames ago, and blanks since then."""
    later = np.full(alpha.shape, NEVER)
    later[:, frames:] = alpha[:, :-frames] + until[:, frames:] - until[:, :-frames]
    return later


def _places(known: Indices, wanted: Indices) -> Indices:
    """Where each of `wanted` stands in `known` (sorted, not empty); −1 where it doesn't."""
    found = np.minimum(np.searchsorted(known, wanted), len(known) - 1)
    return np.where(known[found] == wanted, found, -1)
