"""What the evaluation counts, on cases small enough to count by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.evaluation.bounds import mean_at_most, share_at_most
from bench.evaluation.compare import changes
from bench.evaluation.letters import edits, error_rate, letters
from bench.evaluation.limits import LIMITS, missed
from bench.evaluation.metrics import Row, rows
from bench.evaluation.plots import reliability
from bench.evaluation.trial import Machine, Outcome


@pytest.mark.parametrize(
    ("events", "trials", "bound"),
    [
        # 1 − 0.05^(1/n) where nothing happened (the rule of three); the others from tables of the beta distribution
        (0, 10, 0.2589),
        (0, 300, 0.009936),
        (0, 1000, 0.002991),
        (1, 10, 0.3942),
        (5, 10, 0.7776),
        (10, 1000, 0.016893),
        (10, 10, 1.0),
        (0, 0, 1.0),
    ],
)
def test_bounds_of_shares_are_clopper_and_pearsons(events: int, trials: int, bound: float) -> None:
    assert share_at_most(events, trials) == pytest.approx(bound, abs=6e-5)


@pytest.mark.parametrize(("events", "bound"), [(0, 2.9957), (1, 4.7439), (2, 6.2958), (10, 16.9622)])
def test_bounds_of_rates_are_garwoods(events: int, bound: float) -> None:
    assert mean_at_most(events) == pytest.approx(bound, abs=1e-3)


@given(st.integers(1, 400).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
@settings(deadline=None)  # the first bound imports and tabulates; how long that takes is the machine's matter
def test_a_bound_lies_above_what_was_counted(counted: tuple[int, int]) -> None:
    events, trials = counted
    assert events / trials <= share_at_most(events, trials) <= 1


@pytest.mark.parametrize(
    ("said", "heard", "distance"),
    [("", "", 0), ("好", "", 1), ("", "很好", 2), ("今天很好", "今天好", 1), ("ab", "ba", 2)],
)
def test_edits(said: str, heard: str, distance: int) -> None:
    assert edits(said, heard) == distance


@given(st.text("abc", max_size=8), st.text("abc", max_size=8))
def test_edits_are_a_distance(one: str, other: str) -> None:
    assert edits(one, other) == edits(other, one)
    assert (edits(one, other) == 0) == (one == other)
    assert abs(len(one) - len(other)) <= edits(one, other) <= max(len(one), len(other))


def test_letters_forgive_script_punctuation_and_digits_only() -> None:
    assert letters("還 可以，3個！") == "还可以三个"
    assert letters("125元") == "一百二十五元"
    assert letters("蛮好的呀") != letters("满好的")


def test_the_error_rate_counts_over_all_characters() -> None:
    rate, count = error_rate([("今天很好", "今天好"), ("有事", "有事情啊")])
    assert (rate, count) == (pytest.approx(3 / 6), 6)


BASE = Outcome("e", "answer", "zh", "蛮好", "ulaw", "answers", "well", seconds=2.0, work_s=0.1, latency_s=0.05)


def heard(text: str, expected: str | None, meaning: str | None, **more: object) -> Outcome:
    return replace(BASE, text=text, expected=expected, meaning=meaning, choice=meaning, **more)  # type: ignore[arg-type]


def value(found: list[Row], metric: str, kind: str = "answer") -> tuple[float, float]:
    row = next(row for row in found if row.metric == metric and row.kind == kind)
    return row.value, row.n


def test_answers_are_counted_by_length_and_by_what_the_line_makes_of_them() -> None:
    outcomes = [
        heard("蛮好", "well", "well", certain=True, phrase="蛮好"),
        heard("好", "well", "well"),
        heard("不好", "unwell", "well", certain=True),
        replace(heard("不要", "no", None), choice="no"),  # right, but not sure enough
        heard("下雨了", None, "no"),
    ]
    found = rows(outcomes, [Machine("e", load_mb=5.0)])
    assert value(found, "meaning_accuracy") == (0.75, 4)
    assert value(found, "meaning_accuracy_2plus") == (pytest.approx(2 / 3), 3)
    assert value(found, "meaning_accuracy_1") == (1.0, 1)
    assert value(found, "accepted") == (0.75, 4)
    assert value(found, "understood") == (0.5, 4)
    assert value(found, "wrong_accepted") == (0.25, 4)
    assert value(found, "phrase_accuracy") == (0.25, 4)
    assert value(found, "false_well") == (1.0, 3)
    assert value(found, "false_accept") == (1.0, 1)
    assert value(found, "rtf") == (pytest.approx(0.05), 5)
    assert value(found, "memory_mb", "all") == (5.0, 1)


def test_times_of_audio_that_was_decoded_before_do_not_count() -> None:
    slow, again = heard("好", "well", "well", latency_s=0.4), heard("好", "well", "well", latency_s=0.0, fresh=False)
    assert value(rows([slow, again], []), "latency_ms_p50") == (pytest.approx(400), 1)


def test_off_menu_utterances_of_one_trial_count_once() -> None:
    base = replace(BASE, kind="off-menu/echo", expected=None, text="", group="echo 1")
    outcomes = [
        replace(base, meaning="yes"),
        replace(base, meaning="well", certain=True),
        replace(base, group="echo 2"),
        replace(base, kind="off-menu/echo raw", group="", meaning="well"),
        replace(base, kind="off-menu/voices", group=""),
    ]
    found = rows(outcomes, [])
    assert value(found, "false_accept", "off-menu/echo") == (0.5, 2)
    assert value(found, "false_well", "off-menu/echo") == (0.5, 2)
    assert value(found, "false_accept", "off-menu") == (0.5, 2)  # what the guard let through is counted apart
    assert value(found, "false_accept_upper95", "off-menu")[0] > 0.5


def test_cries_missed_and_false_alarms_by_the_hour() -> None:
    spot = replace(BASE, kind="distress", menu="spot", expected="distress")
    running = replace(BASE, kind="running speech", menu="spot", expected=None, seconds=900.0)
    outcomes = [replace(spot, meaning="distress"), spot, replace(running, meaning="distress"), running]
    found = rows(outcomes, [])
    assert value(found, "distress_miss", "distress") == (0.5, 2)
    assert value(found, "false_alarms_per_hour", "running speech") == (2.0, 0.5)


def test_a_change_is_better_or_worse_by_what_the_metric_means() -> None:
    def row(metric: str, value: float) -> Row:
        return Row("e", "ulaw", "answer", "zh", metric, value, 10)

    now = [
        row("meaning_accuracy", 0.9),
        row("cer", 0.3),
        row("rtf", 0.11),
        row("latency_ms_p95", 90),
        row("accepted", 1),
    ]
    then = [row("meaning_accuracy", 0.8), row("cer", 0.2), row("rtf", 0.10), row("latency_ms_p95", 50)]
    assert [change.turn for change in changes(now, then)] == ["better", "worse", "same", "worse", "new"]


def good_rows() -> list[Row]:
    return [Row("phrase-scorer", "ulaw", limit.kind, "zh", limit.metric, limit.value, 1200) for limit in LIMITS]


def test_limits_are_held_exactly_at_their_value() -> None:
    assert missed(good_rows()) == []


@pytest.mark.parametrize("place", range(len(LIMITS)))
def test_every_limit_can_be_missed(place: int) -> None:
    found = good_rows()
    worse = 0.001 if LIMITS[place].most else -0.001
    found[place] = replace(found[place], value=found[place].value + worse)
    assert len(missed(found)) == 1
    assert len(missed(found[:place] + found[place + 1 :])) == 1


def test_too_little_off_menu_speech_misses_its_limits() -> None:
    few = [replace(row, n=999.0) for row in good_rows()]
    assert len(missed(few)) == sum(limit.kind == "off-menu" for limit in LIMITS)


def test_reliability_puts_confidence_beside_the_share_right() -> None:
    outcomes = [heard("好", "well", "well", confidence=0.95)] * 3 + [heard("好", "well", "no", confidence=0.95)]
    outcomes += [heard("下雨", None, "no", confidence=0.15), heard("下雨", None, None, confidence=0.15)]
    assert reliability(outcomes) == [(pytest.approx(0.15), 0.0, 1), (pytest.approx(0.95), 0.75, 4)]
