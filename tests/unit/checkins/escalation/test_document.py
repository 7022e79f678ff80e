"""The page shows what the code does."""

from __future__ import annotations

import json
import re

from checkins.escalation.policy import Escalation
from tests.unit.checkins.escalation.document import PAGE, page


def test_tables_and_evening_of_the_page_are_what_the_code_does() -> None:
    """After a change: `python -m tests.unit.checkins.escalation.document`, and read what it wrote."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_the_policies_that_the_page_shows_can_be_loaded() -> None:
    text = PAGE.read_text(encoding="utf-8")
    shown = re.findall(r"```json\n(.*?)```", text, flags=re.DOTALL) + re.findall(r"`(\{.*\})`", text)
    assert len(shown) == 2
    for policy in shown:
        assert Escalation.from_json(json.loads(policy)) != Escalation()
