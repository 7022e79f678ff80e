"""`make eval` on folders that it has never seen, with an engine that hears tones."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.evaluation.__main__ import main
from bench.evaluation.conditions import CONDITIONS, LEAD_S, MAIN, arrive
from bench.evaluation.trial import listen
from speech.recogniser import Request
from tests.unit.bench.plug import ToneStream, make_folder, put, tone

ENGINE = "tests.unit.bench.plug:ToneEar"
KEYS = {"engine", "condition", "kind", "language", "metric", "value", "n"}
# Sorted: 不好 0, 好 1, 对的 2; tones are given by that place.
GOOD = [("a.wav", "zh", "answer", "unwell", "不好"), ("b.wav", "zh", "answer", "well", "好")]
YES = ("c.wav", "zh", "answer", "yes", "对的")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = [*GOOD, YES, ("d.wav", "zh", "answer", "oov", "下雨了"), ("e.wav", "zh", "sentence", "", "今天3号。")]
    made = make_folder(tmp_path / "unseen", rows)
    for name, place in (("a.wav", 0), ("b.wav", 1), ("c.wav", 0), ("d.wav", 20), ("e.wav", 20)):
        put(made, name, place)  # c is heard as 不好
    return made


def judged(tmp_path: Path, folder: Path, *more: str, engine: str = ENGINE) -> tuple[int, list[dict[str, object]]]:
    out = tmp_path / "out" / "rows.json"
    arguments = ["--set", str(folder), "--json", str(out), "--engines", engine, "--reports", str(tmp_path / "reports")]
    code = main([*arguments, "--no-offmenu", "--jobs", "1", *more])
    return code, json.loads(out.read_text("utf-8")) if out.exists() else []


def figures(rows: list[dict[str, object]], condition: str) -> dict[tuple[object, object], tuple[object, object]]:
    return {(row["kind"], row["metric"]): (row["value"], row["n"]) for row in rows if row["condition"] == condition}


def test_a_folder_is_judged_in_every_condition(tmp_path: Path, folder: Path) -> None:
    code, rows = judged(tmp_path, folder)
    assert code == 0
    assert all(set(row) == KEYS for row in rows)
    assert {row["condition"] for row in rows} >= {"16k", "ulaw", "alaw", "ulaw+noise5", "ulaw+loss5", "slow"}
    for condition in ("16k", "ulaw", "alaw", "ulaw+noise10", "slow"):
        found = figures(rows, condition)
        assert found["answer", "meaning_accuracy"] == (pytest.approx(2 / 3), 3)
        assert found["answer", "meaning_accuracy_1"] == (1.0, 1)
        assert found["answer", "false_accept"] == (0.0, 1)
        assert found["answer", "wrong_accepted"] == (pytest.approx(1 / 3), 3)
        assert found["sentence", "cer"] == (0.0, 4)
        assert found["sentence", "false_accept"] == (0.0, 1)


def test_the_report_has_its_plots_and_the_next_run_is_compared(tmp_path: Path, folder: Path) -> None:
    judged(tmp_path, folder, "--conditions", "ulaw")
    place = next((tmp_path / "reports").iterdir())
    assert {path.name for path in place.iterdir()} >= {"report.md", "rows.json", "conditions.png"}
    assert list(place.glob("reliability-*.png"))
    mistakes = (place / "mistakes.tsv").read_text("utf-8").splitlines()
    assert {tuple(line.split("\t")[4:8]) for line in mistakes[1:] if "\tanswers\t" in line} == {
        ("answers", "对的", "yes", "unwell")
    }
    place.rename(tmp_path / "reports" / "2020-01-01T000000")
    put(folder, "a.wav", 1)  # 不好 is heard as 好 now
    judged(tmp_path, folder, "--conditions", "ulaw")
    report = next(path for path in (tmp_path / "reports").iterdir() if not path.name.startswith("2020")) / "report.md"
    text = report.read_text("utf-8")
    assert "Compared with 2020-01-01T000000. Worse:" in text
    assert "meaning_accuracy: 33.3 %, was 66.7 %" in text


def test_odd_rows_are_named_or_taken_as_they_are(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rows = [
        *GOOD,
        ("gone.wav", "zh", "answer", "well", "好"),
        ("text.wav", "zh", "answer", "well", "好"),
        ("stereo.wav", "zh", "answer", "unwell", "不好"),
        ("empty.wav", "yue", "sentence", "", ""),
        ("menu.wav", "", "", "solved", "解决了"),
        ("", "zh", "answer", "well", "好"),
        ("short.wav", "zh"),
    ]
    made = make_folder(tmp_path / "odd", rows)
    for name, place in (("a.wav", 0), ("b.wav", 1), ("empty.wav", 20), ("short.wav", 20)):
        put(made, name, place)
    put(made, "stereo.wav", 0, rate=44100, channels=2)
    put(made, "menu.wav", 2, rate=8000)
    (made / "text.wav").write_text("no audio")
    code, found = judged(tmp_path, made, "--conditions", "ulaw", "--no-report")
    said = capsys.readouterr().out
    assert code == 0
    assert "manifest.tsv:4: gone.wav is not there" in said
    assert "text.wav: can't be read" in said
    assert "manifest.tsv:9: no file is named" in said
    answers = figures([row for row in found if row["language"] == "zh"], "ulaw")
    assert answers["answer", "meaning_accuracy"] == (1.0, 4)  # a, b, stereo, menu
    assert answers["answer", "meaning_accuracy:solved"] == (1.0, 1)


def test_an_engine_that_fails_is_counted_and_told(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, rows = judged(tmp_path, folder, "--conditions", "ulaw", "--no-report", engine="tests.unit.bench.plug:Broken")
    found = figures(rows, "ulaw")
    assert code == 0
    assert found["answer", "meaning_accuracy"] == (0.0, 3)
    assert found["sentence", "failed"] == (2.0, 2)
    assert "RuntimeError: no ears today" in capsys.readouterr().out


def test_limits_that_nobody_measured_are_missed(
    tmp_path: Path, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = judged(tmp_path, folder, "--conditions", "ulaw", "--limits", "--no-report")
    assert code == 1
    assert "phrase-scorer: in-menu answers accepted (accepted): not measured" in capsys.readouterr().out


def test_without_a_manifest_or_an_engine_nothing_is_judged(tmp_path: Path, folder: Path) -> None:
    assert main(["--set", str(tmp_path / "nowhere")]) == 2
    assert judged(tmp_path, folder, engine="nonsense")[0] == 2


@pytest.mark.slow
def test_two_processes_come_to_the_same_result(tmp_path: Path, folder: Path) -> None:
    _, alone = judged(tmp_path, folder, "--conditions", "ulaw", "--no-report")
    _, together = judged(tmp_path, folder, "--conditions", "ulaw", "--no-report", "--jobs", "2")
    machine = ("latency", "rtf", "memory")
    kept = [[row for row in rows if not str(row["metric"]).startswith(machine)] for rows in (alone, together)]
    assert kept[0] == kept[1]


def test_a_stream_that_asks_is_told_of_the_pause_behind_the_words() -> None:
    class Curious(ToneStream):
        paused_s: tuple[float, ...] = ()

        def pause(self) -> None:
            self.paused_s += (len(self._audio) / 16000,)

    pcm = arrive(tone(0), 16000, CONDITIONS[MAIN], "clip")
    stream = Curious(Request("answer", {"yes": ["对的"]}))
    listen(stream, pcm, pauses=True)
    assert stream.paused_s == (pytest.approx(LEAD_S + 0.5 + 0.3, abs=0.1),)
