"""`hooks …` as typed, and what docs/api.md says about verifying a message."""

from __future__ import annotations

import re
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

import server
from checkins import outgoing, standard_webhooks

PAGE = (Path(__file__).parents[2] / "docs" / "api.md").read_text("utf-8")


def typed(*arguments: str, status: int = 0) -> str:
    result = CliRunner().invoke(server.app, ["hooks", *arguments], env={"COLUMNS": "200"})
    assert result.exit_code == status, result.output
    return result.output


def test_set_paused_and_removed(log_as_before: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    people = Path("people.csv")
    people.write_text("name,number,spoken_name\n王秀英,+862110000001,王阿婆\n", "utf-8")
    CliRunner().invoke(server.app, ["people", "import", str(people), "--committee", "曹杨居委会"])
    where = ["https://street.example/wenan", "--events", "case.*,emergency.raised"]
    made = typed("new", *where, "--committee", "曹杨居委会", "--by", "陈老师")
    assert re.search(r"whsec_[A-Za-z0-9+/=]{44}\n", made)
    shown = typed("list")
    assert "https://street.example/wenan" in shown
    assert "case.* emergency.raised" in shown
    assert "whsec" not in shown
    for act in ("test", "pause"):
        typed(act, "1", "--by", "陈老师")
    assert "paused by 陈老师" in typed("list")
    typed("resume", "1", "--by", "陈老师")
    typed("remove", "1", "--by", "陈老师")
    assert "nobody is told" in typed("list")
    assert "there is no such address" in typed("pause", "1", "--by", "陈老师", status=2)
    assert "only https" in typed("new", "http://street.example/", "--events", "case.*", "--by", "陈", status=2)
    assert "one or more of" in typed("new", "https://street.example/", "--events", "everything", "--by", "陈", status=2)


def test_the_docs_example_verifies_what_is_sent_and_nothing_else() -> None:
    (script,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    names: dict[str, Any] = {}
    exec(script, names)  # the page's own
    verified, secret, body = names["verified"], standard_webhooks.new_secret(), b'{"type": "case.opened"}'
    headers = standard_webhooks.signed(secret, "msg_1", datetime.now(UTC), body)
    assert verified(secret, headers, body)
    assert not verified(secret, headers, body + b" ")
    assert not verified(standard_webhooks.new_secret(), headers, body)
    old = standard_webhooks.signed(secret, "msg_1", datetime.fromtimestamp(time.time() - 600, UTC), body)
    assert not verified(secret, old, body)


def test_the_docs_name_each_event_and_no_other() -> None:
    rows = re.findall(r"^\| `(\w+)\.(\w+)`((?:, `\.\w+`)*) \|", PAGE, re.MULTILINE)
    named = {f"{sort}.{each}" for sort, first, more in rows for each in (first, *re.findall(r"\.(\w+)", more))}
    assert named == set(outgoing.KINDS)
