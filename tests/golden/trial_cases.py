"""Conversations of the test call: what is typed (callflows.text_runner), and what else differs."""

from __future__ import annotations

from typing import Any

ON_DUTY = {"duty": "yes", "promise": "今天上午十一点前"}
CALLS: dict[str, dict[str, Any]] = {
    "heard_by_key": {"typed": ["1"]},
    "heard_by_voice": {"typed": ["?好的", "*", "好的"]},
    "hears_badly": {"typed": ["2"]},
    "says_that_it_cannot_be_heard": {"typed": ["听不清楚", "2"]},
    "says_nothing": {"typed": ["", "", ""]},
    "wrong_number": {"typed": ["3"]},
    "machine": {"typed": ["beep"]},
    "zero_is_a_person": {"typed": ["0", "accepted"], "variables": ON_DUTY},
    "is_not_well": {"typed": ["身体不舒服"]},
    "refuses": {"typed": ["9", "1"]},
    "cries_for_help": {"typed": ["救命", "起不来", "", "hangup"]},
}
