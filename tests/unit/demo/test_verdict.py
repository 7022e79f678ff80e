"""Expected against got: each way to differ is named, and a "well" needs a clear answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zipfile import ZipFile

import pytest

from checkins.cases import Row
from checkins.results import Reason, Result, Status, Urgency
from demo import clips, scenario
from demo.board import Board, LineState, result_words
from demo.scenario import Expected
from demo.verdict import differences, judge
from ivr.virtual.observation import Observation

NOW = datetime(2026, 3, 2, tzinfo=UTC)
ROW = Row(
    checkin_id=1, elder_id="1", name="张秀兰", spoken_name="张阿婆", number="+862110001009", language="zh",
    mode="voice", date=NOW.date(), zone="Asia/Shanghai", slot=NOW, status=Status.CLOSED, try_no=0, due_at=None,
    result=Result.WELL, evidence="speech", reason=None, urgency=None, person_since=None, owner=None, closed_by="line",
    closed_at=NOW, finding=None, answer={"certain": True}, intents=("call-1",),
)  # fmt: skip
WELL = Expected(Status.CLOSED, Result.WELL, evidence=frozenset({"key", "speech"}))


def test_as_expected_there_is_nothing_to_say() -> None:
    assert differences(WELL, ROW) == ()
    assert differences(Expected(None, calls=0), None) == ()


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"status": Status.NEEDS_PERSON}, "status: 应为 closed,实为 needs_person"),
        ({"result": Result.SILENT}, "result: 应为 well,实为 silent"),
        ({"reason": Reason.SILENT}, "reason: 应为 无,实为 silent"),
        ({"intents": ("call-1", "call-2")}, "calls: 应为 1,实为 2"),
        ({"evidence": "none"}, "evidence: 实为 none"),
        ({"answer": {"certain": False}}, "说好,但没有听准"),
        ({"answer": {}}, "说好,但没有听准"),
    ],
)
def test_one_difference_is_one_sentence(change: dict[str, Any], sentence: str) -> None:
    assert differences(WELL, replace(ROW, **change)) == (sentence,)


def test_a_recording_that_was_not_kept_is_a_difference() -> None:
    expected = replace(WELL, keeps=("message_recording",))
    assert differences(expected, ROW) == ("没有存下 message_recording",)
    kept = replace(ROW, answer={"certain": True, "message_recording": "2026/1.ulaw"})
    assert differences(expected, kept) == ()


def test_a_case_that_should_not_be_and_one_that_is_missing() -> None:
    assert differences(WELL, None) == ("没有记录,应为 closed",)
    assert differences(Expected(None, calls=0), ROW)[0] == "status: 应为 none,实为 closed"


def test_every_elder_gets_a_verdict() -> None:
    verdicts = judge(scenario.load(), {"张秀兰": ROW})
    assert len(verdicts) == 24
    assert [verdict.elder.name for verdict in verdicts if verdict.right] == ["张秀兰", "潘永昌"]


# ── the board ─────────────────────────────────────────────────────────────────────────────────────


def entry(kind: str, **detail: Any) -> Any:
    return SimpleNamespace(kind=kind, at_ms=0, detail=detail)


def test_entries_of_a_call_wait_until_its_number_is_known() -> None:
    board = Board(scenario.load())
    board.logged("call-1", entry("key", digit="1"))
    board.logged("call-1", entry("heard", text="身体好", meaning="well", confidence=0.81, engine="vosk", certain=True))
    assert board.line("+862110001009").keys == ""
    board.cases([ROW])
    line = board.line("+862110001009")
    assert (line.keys, str(line.heard[-1])) == ("1", "“身体好” vosk 0.81")
    assert board.take_news() == ["张阿婆 听到 “身体好” vosk 0.81 → well", "张阿婆 ── 身体好"]
    assert board.take_news() == []


def test_an_uncertain_or_not_understood_utterance_shows_as_such() -> None:
    board = Board(scenario.load())
    board.cases([ROW])
    board.logged("call-1", entry("heard", text="好像", meaning=None, confidence=0.3, engine="whisper", certain=False))
    assert "张阿婆 听到 “好像”? whisper 0.30 → 没听懂" in board.take_news()


def test_a_line_goes_from_dialling_to_idle_and_strangers_are_ignored() -> None:
    board = Board(scenario.load())
    states = []
    for kind in ("dialled", "ringing", "answered", "said", "ended"):
        board.observed(Observation("CA1", "+862110001009", kind, "zf_xiaoyi/well" if kind == "said" else "busy"))
        states.append(board.line("+862110001009").state)
    assert states == [LineState.DIALLING, LineState.RINGING, LineState.TALKING, LineState.TALKING, LineState.IDLE]
    assert board.take_news()[2:] == ["张阿婆 说“身体好。”", "张阿婆 占线"]
    board.observed(Observation("CA2", "+862199999999", "dialled"))
    assert (board.busy, board.take_news()) == (0, [])


def test_a_result_says_why_a_person_is_needed() -> None:
    need = replace(ROW, status=Status.NEEDS_PERSON, urgency=Urgency.UNREACHED, reason=Reason.UNREACHED)
    assert result_words(replace(need, result=Result.MACHINE)) == "需人工处理:多次无人接听 (答录机)"
    assert result_words(replace(ROW, status=Status.WAITING, result=Result.BUSY)) == "占线,再打"
    assert result_words(replace(ROW, status=Status.PLANNED, result=None)) == ""


# ── clips ─────────────────────────────────────────────────────────────────────────────────────────


def test_clips_of_several_packs_are_one_set(tmp_path: Path) -> None:
    for voice in ("zf_xiaoyi", "zm_yunxi"):
        with ZipFile(tmp_path / f"clips-{voice}.zip", "w") as pack:
            pack.writestr(f"{voice}/well.ulaw", voice.encode())
            pack.writestr("README.txt", "no clip")
    found = clips.load(tmp_path)
    assert sorted(found) == ["zf_xiaoyi/well", "zm_yunxi/well"]
    assert found("zm_yunxi/well") == b"zm_yunxi"
    with pytest.raises(KeyError):
        found("zm_yunxi/song")


def test_missing_or_broken_clips_say_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(clips.ClipsError, match="there is none; render them again"):
        clips.load(tmp_path)
    (tmp_path / "clips.zip").write_bytes(b"PK no zip")
    with pytest.raises(clips.ClipsError, match="cannot be read"):
        clips.load(tmp_path)
