"""Any flow played in a terminal."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from callflows import text_runner
from callflows.events import CallContext
from callflows.session import Finding
from tests.unit.callflows.conversation import LI, WANG, daily


def play(lines: Iterable[str], *, people: int = 1) -> tuple[tuple[Finding, ...], list[str]]:
    printed: list[str] = []
    typed = iter(lines)
    context = CallContext((WANG, LI)[:people], {"committee": "桃源居委会"})
    return text_runner.run(daily(), context, lambda: next(typed), printed.append), printed


def test_keys_speech_and_silence() -> None:
    findings, printed = play(["是我", "", "蛮好的。", "有", "路灯坏了"])
    assert findings[0].result == "well"
    assert findings[0].detail["message_text"] == "路灯坏了"
    assert printed[0] == text_runner.HELP
    assert printed[1].startswith("greet.ask: 您好,这里是桃源居委会的自动语音电话。")
    assert any(line.startswith("health.again:") for line in printed)
    assert printed[-1] == "  (hangs up)"


def test_an_uncertain_answer_and_an_unintelligible_one() -> None:
    findings, printed = play(["1", "?蛮好", "…", "1", "2"])
    assert [line.split(":")[0] for line in printed if ": " in line and not line.startswith(" ")][2:4] == [
        "health.confirm",
        "health.confirm.again",
    ]
    assert findings[0].evidence == "key"


def test_a_cry_for_help_inside_a_dictation() -> None:
    findings, printed = play(["1", "2", "头昏,我摔倒了", "", "hangup"])
    assert findings[0].result == "emergency"
    assert any("ALARM distress" in line for line in printed)


def test_two_zeros_typed_together_are_an_emergency() -> None:
    findings, _ = play(["00", "#", "hangup"])
    assert findings[0].result == "emergency"


@pytest.mark.parametrize(
    ("lines", "result"),
    [
        (["hangup"], "hung_up"),
        (["beep"], "machine"),
        (["deaf", "1", "1", "2"], "well"),
        (["1", "limit"], "present_unconfirmed"),
        (["", "", "", ""], "silent"),
        (["1", "以后不要打了", "是的"], "refused"),
    ],
)
def test_what_else_can_happen(lines: list[str], result: str) -> None:
    assert play(lines)[0][0].result == result


def test_a_matcher_from_outside_is_asked() -> None:
    typed = iter(["yes", "hangup"])
    context = CallContext((WANG,), {})
    text_runner.run(daily(), context, lambda: next(typed), lambda line: None, lambda said, wait: ("yes", "是我"))
    findings = text_runner.run(
        daily(), context, iter(["sure", "hangup"]).__next__, lambda line: None, lambda said, wait: ("yes", "是我")
    )
    assert findings[0].result == "present_unconfirmed"


def test_at_the_end_of_the_input_what_is_known_so_far_is_told() -> None:
    typed = iter(["1", "头晕"])

    def until_the_end() -> str:
        line = next(typed, None)
        if line is None:
            raise EOFError
        return line

    findings = text_runner.run(daily(), CallContext((WANG,), {}), until_the_end, lambda line: None)
    assert findings[0].result == "not_well"


def test_one_line_of_help_names_every_command() -> None:
    assert "\n" not in text_runner.HELP
    assert all(word in text_runner.HELP for word in ("hangup", "beep", "deaf", "limit", "?", "…", "empty"))
