"""A call turn by turn, as somebody sees it who listens to it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from console.call_log import CallLog, Entry
from console.turns import played

NOW = datetime(2026, 3, 2, tzinfo=UTC)


def _entry(at_ms: int, kind: str, **detail: Any) -> Entry:
    return Entry(kind, NOW, at_ms, detail)


def test_a_question_that_was_cut_off_stands_before_its_answer() -> None:
    entries = (
        _entry(3000, "cleared", names=["greet.ask"]),
        _entry(3000, "key", node="greet", digit="1"),
        _entry(6000, "cleared", names=["unwell.ask"]),
        _entry(8000, "heard", text="头晕", begin_ms=5600),
        _entry(9000, "verbs", begun=False),
    )
    call = CallLog("c", "daily_checkin", "answered", "", None, NOW, NOW, NOW, entries, ("c-call.ulaw",))
    shown = played(call, "王阿婆", {})
    assert shown is not None
    assert [(turn.who, turn.at_ms, turn.detail) for turn in shown.turns if turn.who in ("line", "key")] == [
        ("line", 3000, "没播完"),
        ("key", 3000, ""),
        ("line", 5600, "没播完"),
    ]
    assert [turn.who for turn in shown.turns][-2:] == ["elder", "note"]
    assert (shown.turns[-1].kind, shown.turns[-1].text) == ("只能按键", "声音通道断了，说话听不到")
    assert "王阿婆" in shown.turns[0].text
