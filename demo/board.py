"""What is going on on every elder's line, put together from what the carrier and the book of calls tell. No drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from checkins.cases import Row
from checkins.results import LINE, Status
from demo.house import Entry
from demo.ladder import NOBODY, Ladder
from demo.scenario import Elder, Helper, Scenario, clip_texts
from ivr.virtual.observation import Observation


class LineState(StrEnum):
    IDLE = ""
    DIALLING = "拨号"
    RINGING = "响铃"
    TALKING = "通话"


_STATES = {
    "dialled": LineState.DIALLING,
    "ringing": LineState.RINGING,
    "answered": LineState.TALKING,
    "ended": LineState.IDLE,
}
_ENDINGS = {"busy": "占线", "no-answer": "无人接听", "failed": "打不通", "canceled": "已取消", "completed": "挂断"}


@dataclass(frozen=True)
class Utterance:
    """What the line heard once. `seconds`: length; `work_s`: what recognising took, when the engine says so."""

    text: str
    meaning: str
    confidence: float
    engine: str
    certain: bool
    seconds: float
    work_s: float | None

    def __str__(self) -> str:
        sure = "" if self.certain else "?"
        return f"“{self.text}”{sure} {self.engine} {self.confidence:.2f}"


@dataclass
class Line:
    """One elder's line, as far as the round has come."""

    state: LineState = LineState.IDLE
    prompt: str = ""
    heard: list[Utterance] = field(default_factory=list)
    keys: str = ""


class Board:
    """Feed it observations, log entries and the day's cases; `news` are sentences for whoever reads along (taken out
    by `take_news`), `utterances` everything that was heard."""

    def __init__(self, scenario: Scenario) -> None:
        self.rows: dict[str, Row] = {}
        self.utterances: list[Utterance] = []
        self.ladders: Mapping[int, Ladder] = {}
        self._elders = scenario.elders
        people: list[Elder | Helper] = [*scenario.elders, *scenario.helpers]
        self._lines = {person.number: Line() for person in people}
        self._names = {helper.number: helper.spoken_name for helper in scenario.helpers}
        for elder in scenario.elders:
            shared = self._names.get(elder.number)
            self._names[elder.number] = f"{shared}、{elder.spoken_name}" if shared else elder.spoken_name
        self._texts = clip_texts()
        self._number_of: dict[str, str] = {}  # call id → number
        self._early: defaultdict[str, list[Entry]] = defaultdict(list)  # of calls whose number isn't known yet
        self._told: dict[str, str] = {}
        self._news: list[str] = []

    def line(self, number: str) -> Line:
        return self._lines[number]

    @property
    def busy(self) -> int:
        """Lines in use."""
        return sum(line.state is not LineState.IDLE for line in self._lines.values())

    def take_news(self) -> list[str]:
        news, self._news = self._news, []
        return news

    # ── what comes in ─────────────────────────────────────────────────────────────────────────────

    def observed(self, seen: Observation) -> None:
        """Something happened at the carrier."""
        line = self._lines.get(seen.number)
        if line is None:
            return
        if seen.kind in _STATES:
            line.state = _STATES[seen.kind]
        if seen.kind == "prompt":
            line.prompt = seen.detail
        if sentence := self._sentence(seen):
            self._tell(seen.number, sentence)

    def logged(self, call_id: str, entry: Entry) -> None:
        """A call's log has a new entry."""
        number = self._number_of.get(call_id)
        if number is None:
            self._early[call_id].append(entry)
        else:
            self._take(number, entry)

    def cases(
        self,
        rows: Sequence[Row],
        ladders: Mapping[int, Ladder] = MappingProxyType({}),
        rung: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        """The day's cases as they stand now, what was said about them, and which call rang which number (else: the
        elder's own)."""
        self.ladders = ladders
        for row in rows:
            self.rows[row.name] = row
            for call_id in row.intents:
                self._belongs(call_id, rung.get(call_id, row.number or ""))
            self._tell_result(row)

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def _belongs(self, call_id: str, number: str) -> None:
        if call_id in self._number_of:
            return
        self._number_of[call_id] = number
        for entry in self._early.pop(call_id, ()):
            self._take(number, entry)

    def _take(self, number: str, entry: Entry) -> None:
        line = self._lines.get(number)
        if line is None:
            return
        if entry.kind == "key":
            line.keys += str(entry.detail.get("digit", ""))
        elif entry.kind in ("heard", "dictation", "distress") and entry.detail.get("engine") not in (None, "none"):
            self._hear(number, line, entry)

    def _hear(self, number: str, line: Line, entry: Entry) -> None:
        heard = _utterance(entry.detail, entry.kind)
        line.heard.append(heard)
        if entry.kind != "distress":  # what was found in an utterance that is counted by itself
            self.utterances.append(heard)
        self._tell(number, f"听到 {heard} → {heard.meaning}")

    def _tell_result(self, row: Row) -> None:
        if row.status is Status.CALLING:
            return
        words = result_words(row, self.ladders.get(row.checkin_id, NOBODY))
        if words and self._told.get(row.name) != words:
            self._told[row.name] = words
            self._news.append(f"{row.spoken_name} ── {words}")

    def _tell(self, number: str, sentence: str) -> None:
        self._news.append(f"{self._names[number]} {sentence}")

    def _sentence(self, seen: Observation) -> str:
        match seen.kind:
            case "dialled":
                return "拨号"
            case "answered":
                return "接通"
            case "prompt":
                return f"听完 {seen.detail}"
            case "cleared":
                return f"打断了 {seen.detail or '提示音'}"
            case "said":
                return f"说“{self._texts.get(seen.detail.partition('/')[2], seen.detail)}”"
            case "pressed":
                return f"按 {seen.detail}"
            case "ended":
                return _ENDINGS.get(seen.detail, seen.detail)
            case "error":
                return f"线路出错: {seen.detail}"
        return ""


def result_words(row: Row, ladder: Ladder = NOBODY) -> str:
    """ "身体好", "需人工处理:多次无人接听 (无人接听)", "陆敏结案:…: 李阿姨去不了 → 邵师傅去看"; or ""."""
    if row.status is Status.CLOSED and row.closed_by not in (None, LINE):
        return f"{row.closed_by}结案:{row.reason_zh}" + (f": {ladder.said_zh}" if ladder.said else "")
    if row.status is Status.NEEDS_PERSON and ladder.said:
        return f"{row.reason_zh}: {ladder.said_zh}"
    if row.status is Status.NEEDS_PERSON:
        because = f"需人工处理:{row.reason_zh}"
        return because if row.result_zh in ("", row.reason_zh) else f"{because} ({row.result_zh})"
    if row.status is Status.WAITING:
        return f"{row.result_zh},再打"
    return row.result_zh


def _utterance(detail: Mapping[str, Any], kind: str) -> Utterance:
    work = detail.get("work_s")
    return Utterance(
        text=str(detail.get("phrase") or detail.get("text") or ""),
        meaning=str(detail.get("meaning") or {"dictation": "留言", "distress": "求救"}.get(kind, "没听懂")),
        confidence=float(detail.get("confidence") or 0.0),
        engine=str(detail.get("engine") or ""),
        certain=bool(detail.get("certain", kind != "heard")),
        seconds=float(detail.get("seconds") or 0.0),
        work_s=None if work is None else float(work),
    )
