"""From outcomes to rows {engine, condition, kind, language, metric, value, n}. Pure; docs/evaluation.md says what each
metric means. `n` is the number of trials (for CER: of characters; per hour: of hours) that the value rests on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np

from bench.evaluation.bounds import mean_at_most, share_at_most
from bench.evaluation.letters import error_rate
from bench.evaluation.offmenu import COUNTED_APART, PREFIX
from bench.evaluation.plan import MESSAGE, OFF_MENU, OFF_STEP, RUNNING
from bench.evaluation.trial import Machine, Outcome
from speech.phrases import DISTRESS

WELL = "well"
ALL = "all"


@dataclass(frozen=True)
class Row:
    engine: str
    condition: str
    kind: str
    language: str
    metric: str
    value: float
    n: float

    @property
    def key(self) -> tuple[str, ...]:
        return (self.engine, self.condition, self.kind, self.language, self.metric)

    def as_json(self) -> dict[str, str | float]:
        return asdict(self)


Figure = tuple[str, float, float]  # metric, value, n
Outcomes = Sequence[Outcome]


def rows(outcomes: Outcomes, machines: Sequence[Machine]) -> list[Row]:
    found = [row for key, group in _groups(outcomes).items() for row in _rows(key, group)]
    return [*found, *_whole_off_menu(outcomes), *(row for machine in machines for row in _machine(machine))]


def _groups(outcomes: Outcomes) -> dict[tuple[str, str, str, str], list[Outcome]]:
    groups: dict[tuple[str, str, str, str], list[Outcome]] = {}
    for one in outcomes:
        groups.setdefault((one.engine, one.condition, one.kind, one.language), []).append(one)
    return groups


def _rows(key: tuple[str, str, str, str], group: Outcomes) -> Iterator[Row]:
    kind = key[2]
    if kind == MESSAGE:
        makers: list[Callable[[Outcomes], Iterator[Figure]]] = [_spotted]
    elif kind == RUNNING:
        makers = [_alarms]
    elif kind.startswith(PREFIX):
        makers = [_off_menu]
    else:
        makers = [_menu, _own_menu, _chosen, _open_text, _said_distress]
    for maker in (*makers, _cost):
        yield from (Row(*key, *figure) for figure in maker(group))


def share(name: str, group: Outcomes, what: Callable[[Outcome], bool]) -> Iterator[Figure]:
    """Nothing when there are no trials."""
    if group:
        yield name, sum(map(what, group)) / len(group), len(group)


def bounded(name: str, events: int, trials: int) -> Iterator[Figure]:
    """A share of bad events with its exact one-sided 95 % upper bound."""
    if trials:
        yield name, events / trials, trials
        yield f"{name}_upper95", share_at_most(events, trials), trials


# ── answers, all open at once ─────────────────────────────────────────────────────────────────────


def _menu(group: Outcomes) -> Iterator[Figure]:
    asked = [one for one in group if one.menu == "answers"]
    inside = [one for one in asked if one.expected]
    yield from share("meaning_accuracy", inside, lambda one: one.right)
    yield from share("meaning_accuracy_2plus", [one for one in inside if one.syllables > 1], lambda one: one.right)
    yield from share("meaning_accuracy_1", [one for one in inside if one.syllables == 1], lambda one: one.right)
    yield from share("phrase_accuracy", inside, lambda one: one.phrase == one.text)
    yield from share("accepted", inside, lambda one: one.accepted)
    yield from share("certain", inside, lambda one: one.certain)
    yield from share("understood", inside, lambda one: one.understood)
    yield from share("wrong_accepted", inside, lambda one: one.accepted and not one.understood)
    for meaning in sorted({one.expected or "" for one in inside}):
        these = [one for one in inside if one.expected == meaning]
        yield from share(f"meaning_accuracy:{meaning}", these, lambda one: one.right)
    with_chatter = [one for one in group if one.menu == "answers+chatter"]
    yield from share("meaning_accuracy_with_chatter", with_chatter, lambda one: one.right)
    yield from _false([one for one in asked if not one.expected])
    others = [one for one in asked if one.expected != WELL]
    yield from counted("false_well", others, lambda one: one.meaning == WELL and one.certain)
    yield from counted("false_well_any", others, lambda one: one.meaning == WELL)


def counted(name: str, group: Outcomes, what: Callable[[Outcome], bool]) -> Iterator[Figure]:
    if group:
        yield name, float(sum(map(what, group))), len(group)


def _false(off: Outcomes, suffix: str = "") -> Iterator[Figure]:
    yield from bounded(f"false_accept{suffix}", sum(one.accepted for one in off), len(off))


def _own_menu(group: Outcomes) -> Iterator[Figure]:
    own = [one for one in group if one.menu.startswith("own:")]
    inside = [one for one in own if one.expected]
    yield from share("own_menu_accuracy", inside, lambda one: one.right)
    yield from share("own_menu_understood", inside, lambda one: one.understood)
    yield from share("own_menu_wrong", inside, lambda one: one.accepted and not one.understood)
    yield from _false([one for one in own if not one.expected], "_own_menu")
    others = [one for one in own if one.expected != WELL]
    yield from counted("false_well_own_menu", others, lambda one: one.meaning == WELL and one.certain)


def _chosen(group: Outcomes) -> Iterator[Figure]:
    for menu in ("words", "sentences"):
        asked = [one for one in group if one.menu == menu]
        yield from share("choice_accuracy", asked, lambda one: one.right)
        yield from share("choice_accepted", asked, lambda one: one.accepted)


def _open_text(group: Outcomes) -> Iterator[Figure]:
    dictated = [one for one in group if one.menu == "dictation"]
    if dictated:
        yield "cer", *error_rate((one.text, one.heard) for one in dictated)
        yield from share("empty", dictated, lambda one: not one.heard)


# ── distress ──────────────────────────────────────────────────────────────────────────────────────


def _said_distress(group: Outcomes) -> Iterator[Figure]:
    """Answers that are a cry, heard by the spotter."""
    asked = [one for one in group if one.menu == "spot"]
    yield from bounded("distress_miss", sum(one.meaning != DISTRESS for one in asked), len(asked))


def _spotted(group: Outcomes) -> Iterator[Figure]:
    yield from bounded("distress_miss", sum(one.meaning != DISTRESS for one in group), len(group))


def _alarms(group: Outcomes) -> Iterator[Figure]:
    hours = sum(one.seconds for one in group) / 3600
    events = sum(one.meaning == DISTRESS for one in group)
    if hours:
        yield "false_alarms_per_hour", events / hours, hours
        yield "false_alarms_per_hour_upper95", mean_at_most(events) / hours, hours


# ── off-menu ──────────────────────────────────────────────────────────────────────────────────────


def trials(group: Outcomes) -> list[list[Outcome]]:
    """Utterances that count once, together."""
    found: dict[str, list[Outcome]] = {}
    for number, one in enumerate(group):
        found.setdefault(one.group or str(number), []).append(one)
    return list(found.values())


def _off_menu(group: Outcomes) -> Iterator[Figure]:
    for menu, suffix in (("answers", ""), (OFF_STEP, "_own_menu")):
        tried = trials([one for one in group if one.menu == menu])
        for name, what in (
            ("false_accept", lambda one: one.accepted),
            ("false_answer", lambda one: one.accepted and one.meaning != DISTRESS),
            ("false_certain", lambda one: one.certain and one.accepted),
            ("false_well", lambda one: one.meaning == WELL and one.certain),
            ("false_well_any", lambda one: one.meaning == WELL),
        ):
            yield from bounded(name + suffix, sum(any(map(what, trial)) for trial in tried), len(tried))


def _whole_off_menu(outcomes: Outcomes) -> Iterator[Row]:
    """All sources together, but for those that are counted apart."""
    apart = {PREFIX + name for name in COUNTED_APART}
    these = [one for one in outcomes if one.kind.startswith(PREFIX) and one.kind not in apart]
    for engine in dict.fromkeys(one.engine for one in these):
        group = [one for one in these if one.engine == engine]
        for figure in _off_menu(group):
            yield Row(engine, group[0].condition, OFF_MENU, group[0].language, *figure)


# ── cost ──────────────────────────────────────────────────────────────────────────────────────────


def _cost(group: Outcomes) -> Iterator[Figure]:
    """Medians and 95th percentiles over all results; the real-time factor is all work by all audio."""
    heard = [one for one in group if one.seconds and one.fresh and not one.error]
    if heard:
        latencies = [1000 * one.latency_s for one in heard]
        yield "latency_ms_p50", float(np.percentile(latencies, 50)), len(heard)
        yield "latency_ms_p95", float(np.percentile(latencies, 95)), len(heard)
        yield "rtf", sum(one.work_s for one in heard) / sum(one.seconds for one in heard), len(heard)
    if any(one.error for one in group):
        yield "failed", float(sum(bool(one.error) for one in group)), len(group)


def _machine(machine: Machine) -> Iterator[Row]:
    if not machine.why:
        yield Row(machine.engine, ALL, ALL, ALL, "memory_mb", machine.load_mb, 1)
        yield Row(machine.engine, ALL, ALL, ALL, "memory_per_stream_mb", machine.stream_mb, 1)
