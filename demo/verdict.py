"""Does what came of the round equal what the scenario expects? Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from checkins.cases import Row
from checkins.results import LINE, Result
from demo.ladder import NOBODY, Ladder
from demo.scenario import NO_CASE, Elder, Expected, Scenario

_GOOD = (Result.WELL, Result.OTHER_SAYS_WELL)


@dataclass(frozen=True)
class Verdict:
    """`differences` as sentences; none: as expected."""

    elder: Elder
    row: Row | None
    differences: tuple[str, ...]
    ladder: Ladder = NOBODY

    @property
    def right(self) -> bool:
        return not self.differences


def judge(
    scenario: Scenario, rows: Mapping[str, Row], ladders: Mapping[int, Ladder] = MappingProxyType({})
) -> tuple[Verdict, ...]:
    """One verdict per elder, in the scenario's order. `rows` by name, `ladders` by case."""
    verdicts = []
    for elder in scenario.elders:
        row = rows.get(elder.name)
        ladder = ladders.get(row.checkin_id, NOBODY) if row else NOBODY
        verdicts.append(Verdict(elder, row, differences(elder.expected, row, ladder), ladder))
    return tuple(verdicts)


def differences(expected: Expected, row: Row | None, ladder: Ladder = NOBODY) -> tuple[str, ...]:
    if row is None:
        return () if expected.status is None else (f"没有记录,应为 {expected.status}",)
    pairs = (
        ("status", expected.status or NO_CASE, row.status),
        ("result", expected.result, row.result),
        ("reason", expected.reason, row.reason),
        ("calls", expected.calls, len(row.intents) - ladder.calls),
        ("by", expected.by, row.closed_by if row.closed_by != LINE else None),
        ("ladder", expected.ladder, ladder.said),
    )
    wrong = [f"{name}: 应为 {_word(due)},实为 {_word(got)}" for name, due, got in pairs if due != got]
    return (*wrong, *_unproved(expected, row))


def _unproved(expected: Expected, row: Row) -> tuple[str, ...]:
    """What the result rests on: no "well" without a clear answer, and what was dictated must be kept."""
    evidence = row.evidence or "none"
    wrong = [f"evidence: 实为 {evidence}"] if evidence not in expected.evidence else []
    if row.result in _GOOD and evidence == "speech" and row.answer.get("certain") is not True:
        wrong.append("说好,但没有听准")
    return (*wrong, *(f"没有存下 {name}" for name in expected.keeps if not row.answer.get(name)))


def _word(value: object) -> str:
    if isinstance(value, tuple):
        return "、".join(value) or "无"
    return "无" if value is None else str(value)
