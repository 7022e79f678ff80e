"""What is printed after a round: expected and got, who needs a person first, what was heard by which engine."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from rich.console import Console
from rich.table import Table
from rich.text import Text

from checkins.cases import Row
from checkins.results import REASON_ZH, RESULT_ZH, STATUS_ZH, URGENCIES, Status
from demo.board import Utterance, result_words
from demo.scenario import Expected
from demo.show import result_style
from demo.verdict import Verdict


@dataclass(frozen=True)
class Effort:
    """What the round took. `engines`: sentences on engines that can't be used."""

    seconds: float
    skipped_minutes: float
    calls: int
    utterances: Sequence[Utterance]
    engines: Sequence[str] = ()


def print_summary(out: Console, verdicts: Sequence[Verdict], effort: Effort) -> None:
    out.print()
    out.print(_verdicts(verdicts))
    for verdict in verdicts:
        if not verdict.right:
            wrong = ";".join(verdict.differences)
            out.print(Text(f"✗ {verdict.elder.spoken_name} {wrong}", "red"), soft_wrap=True)
    rows = [verdict.row for verdict in verdicts if verdict.row]
    out.print()
    for sentence in (_counts(rows), *_first(rows), "", *_heard(effort), _time(effort)):
        out.print(Text(sentence), soft_wrap=True)
    out.print(_last_word(verdicts))


def _verdicts(verdicts: Sequence[Verdict]) -> Table:
    table = Table(title="预期与结果 expected / got", box=None, padding=(0, 1, 0, 0), header_style="dim")
    for heading in ("", "谁", "预期", "结果", "凭据", "电话"):
        table.add_column(heading, no_wrap=heading != "结果")
    for verdict in verdicts:
        row = verdict.row
        table.add_row(
            Text("✓", "green") if verdict.right else Text("✗", "bold red"),
            verdict.elder.spoken_name,
            _expectation(verdict.elder.expected),
            Text(result_words(row, verdict.ladder), result_style(row)) if row else Text("无 none", "dim"),
            _evidence(row),
            str(len(row.intents)) if row else "0",
        )
    return table


def _expectation(expected: Expected) -> str:
    if expected.status is None:
        return "无 none"
    if expected.result:
        return RESULT_ZH[expected.result]
    return REASON_ZH[expected.reason] if expected.reason else STATUS_ZH[expected.status]


def _evidence(row: Row | None) -> str:
    words = {"key": "按键", "speech": "说话"}
    return words.get(row.evidence or "", "") if row else ""


def _counts(rows: Sequence[Row]) -> str:
    counts = Counter(row.result_zh or row.reason_zh for row in rows)
    return "、".join(f"{word} {count}" for word, count in counts.most_common())


def _first(rows: Sequence[Row]) -> list[str]:
    """Who needs a person, most urgent first."""
    needy = [row for row in rows if row.status is Status.NEEDS_PERSON and row.urgency]
    needy.sort(key=lambda row: (URGENCIES[row.urgency] if row.urgency else 9, row.person_since or row.slot))
    groups: defaultdict[str, list[str]] = defaultdict(list)
    for row in needy:
        groups[row.urgency_zh].append(f"{row.spoken_name}({row.reason_zh})")
    return [f"需要人的 {len(needy)} 位,按先后:", *(f"  {word}: {'、'.join(who)}" for word, who in groups.items())]


def _heard(effort: Effort) -> list[str]:
    by_engine: defaultdict[str, list[Utterance]] = defaultdict(list)
    for utterance in effort.utterances:
        by_engine[utterance.engine or "none"].append(utterance)
    lines = [_engine(name, heard) for name, heard in sorted(by_engine.items())]
    return [*lines, *effort.engines] if lines else ["没有听到说话(只有按键)", *effort.engines]


def _engine(name: str, heard: Sequence[Utterance]) -> str:
    confidences = [utterance.confidence for utterance in heard]
    certain = sum(utterance.certain for utterance in heard)
    work = [utterance.work_s for utterance in heard if utterance.work_s is not None]
    spent = f",识别用时中位 {median(work):.2f} 秒" if work else ""
    spread = f"{min(confidences):.2f}–{max(confidences):.2f}"
    return f"{name}: 听了 {len(heard)} 句,听准 {certain} 句,置信度中位 {median(confidences):.2f} ({spread}){spent}"


def _time(effort: Effort) -> str:
    return f"{effort.calls} 个电话,实际用时 {effort.seconds:.0f} 秒,跳过等待 {effort.skipped_minutes:.0f} 分钟"


def _last_word(verdicts: Sequence[Verdict]) -> Text:
    right = sum(verdict.right for verdict in verdicts)
    good = right == len(verdicts)
    mark = "✓" if good else "✗"
    return Text(f"{mark} {right}/{len(verdicts)} 与预期一致 as expected", "bold green" if good else "bold red")
