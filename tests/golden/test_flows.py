"""A golden file per flow and case: the conversation as text. WENAN_UPDATE_GOLDEN=1 writes them anew: read the diff.

The session is re-read from JSON between any two turns.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from callflows import loader
from callflows.events import CallContext, Person
from callflows.session import Finding, Session
from callflows.text_runner import TextLine

HERE = Path(__file__).parent
UPDATE = os.environ.get("WENAN_UPDATE_GOLDEN") == "1"
WANG, LI = Person("wang", "王阿婆"), Person("li", "李阿公", "wuu")


@dataclass(frozen=True)
class Case:
    """`typed` are lines as callflows.text_runner reads them."""

    typed: Sequence[str]
    people: tuple[Person, ...] = (WANG,)
    notice: str = ""
    consent: bool = True


DAILY_CHECKIN = {
    "well_by_keys": Case(["1", "1", "2"]),
    "well_by_voice": Case(["是我", "蛮好的", "没有"]),
    "well_in_shanghainese": Case(["是个", "呒没啥", "呒没"], people=(LI,)),
    "well_with_notice_and_message": Case(["1", "1", "1", "路灯坏脱了"], notice="明天上午九点到十一点停水。"),
    "well_but_uncertain": Case(["?是我", "1", "?蛮好的", "是的", "2"]),
    "one_syllable": Case(["1", "好", "1", "2"]),
    "never_certain": Case(["1", "?蛮好的", "?是的", "?是的", "?是的"]),
    "not_understood": Case(["…", "…", "…"]),
    "unwell_by_key": Case(["1", "2", "头昏,人没力气"]),
    "unwell_by_voice": Case(["是我", "?有点勿适意", "昨日夜里睏勿着"]),
    "unwell_says_nothing": Case(["1", "2", "", "", ""]),
    "unwell_at_the_end": Case(["1", "1", "腰痛", "老早就痛了"]),
    "wants_a_person": Case(["1", "3", ""]),
    "zero_is_a_person": Case(["0", ""]),
    "repeats": Case(["*", "1", "再讲一遍", "等一歇", "喂", "1", "2"]),
    "silent": Case(["", "", "", ""]),
    "silent_then_a_key": Case(["", "", "", "5"]),
    "silent_then_a_sound": Case(["", "", "", "…"]),
    "silent_in_mid_call": Case(["1", "", "", "", ""]),
    "another_says_well": Case(["2", "1"]),
    "another_says_unwell": Case(["我是邻居", "不舒服"]),
    "another_fetches_her": Case(["2", "3", "喂", "1", "1", "2"]),
    "another_says_absent": Case(["我是她女儿", "出去了"]),
    "wrong_number": Case(["打错了"]),
    "refuses": Case(["1", "以后不要打了", "是的"]),
    "refuses_by_mistake": Case(["9", "2", "1", "1", "2"]),
    "refuses_and_hangs_up": Case(["9", "hangup"]),
    "emergency_words": Case(["1", "我摔倒了", "起不来", "", "hangup"]),
    "emergency_double_zero": Case(["00", "", "hangup"]),
    "emergency_in_a_dictation": Case(["1", "2", "头昏,救命", "在厨房", "1", "limit"]),
    "emergency_without_consent": Case(["00", "", "hangup"], consent=False),
    "machine": Case(["beep"], people=(WANG, LI)),
    "hangs_up_at_once": Case(["hangup"]),
    "speech_fails": Case(["1", "deaf", "蛮好的", "1", "2"]),
    "no_consent_unwell": Case(["1", "2"], consent=False),
    "no_consent_message": Case(["1", "1", "1"], consent=False),
    "no_consent_silent": Case(["", "", "", ""], consent=False),
    "two_elders": Case(["1", "1", "2", "1", "2", "脚痛"], people=(WANG, LI)),
    "second_elder_does_not_come": Case(["1", "1", "2", "", "", ""], people=(WANG, LI)),
    "limit": Case(["1", "limit"]),
}


@pytest.mark.parametrize("name", DAILY_CHECKIN)
def test_daily_checkin(name: str) -> None:
    compare(HERE / "daily_checkin" / f"{name}.txt", transcript("daily_checkin", DAILY_CHECKIN[name]))


def test_no_golden_file_without_a_case() -> None:
    assert {path.stem for path in (HERE / "daily_checkin").glob("*.txt")} == set(DAILY_CHECKIN)


def transcript(flow_name: str, case: Case) -> str:
    flow = loader.shipped(flow_name)
    variables = {"committee": "桃源居委会"} | ({"notice": case.notice} if case.notice else {})
    lines: list[str] = []
    line = TextLine(Session(flow, CallContext(case.people, variables, case.consent)), flow.distress, lines.append)
    line.start()
    for typed in case.typed:
        assert not line.session.over, f"the call was over before {typed!r}"
        line.session = Session.from_json(flow, json.loads(json.dumps(line.session.to_json())))
        lines.append(f"> {typed}".rstrip())
        line.type(typed)
    assert line.session.over, "the call goes on"
    return "\n".join([*lines, *map(finding_line, line.session.findings)]) + "\n"


def finding_line(finding: Finding) -> str:
    detail = json.dumps(dict(finding.detail), ensure_ascii=False, sort_keys=True)
    return f"= {finding.person}: {finding.result} ({finding.evidence}) {detail}"


def compare(file: Path, text: str) -> None:
    if UPDATE:
        file.write_text(text, encoding="utf-8")
    assert file.exists(), f"{file.name} is missing: run with WENAN_UPDATE_GOLDEN=1 and read what it says"
    assert text == file.read_text(encoding="utf-8")
