"""Log lines of calls in Chinese, for staff. Words that nobody translated are shown as they are."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from checkins.results import LINE, Result
from checkins.tables import ROLE_ZH as ROLE_ZH
from console.call_log import Entry
from console.meaning_words import MEANING_ZH

EVIDENCE_ZH = {"key": "按键", "speech": "语音", "none": ""}
FOUND_LATER = "通话后重听录音发现"
DISPOSITION_ZH = {
    "answered": "已接通",
    "no_answer": "无人接听",
    "busy": "占线",
    "machine": "答录机",
    "line_error": "线路故障",
    "bad_number": "号码无效",
    "interrupted": "通话中断",
    "cancelled": "已取消",
    "unknown": "结果不明",
}
MARK_ZH = {"distress": "求救", "place": "地点", "category": "事由"}
SPOKEN = frozenset({"heard", "dictation", "distress"})  # log lines with words of the elder
_STATUS_ZH = {
    "queued": "排队",
    "initiated": "拨出",
    "ringing": "振铃",
    "in-progress": "接通",
    "answered": "接通",
    "completed": "结束",
    "busy": "占线",
    "no-answer": "无人接听",
    "failed": "未接通",
    "canceled": "取消",
}
_ALARM_ZH = {"double_zero": "连按两次 0", "distress": "喊救命", "second_pass": FOUND_LATER}
_WORDS = re.compile(r"[\u3400-\u9fff]|[a-zA-Z]{3}")  # "m h d" are the beginnings of syllables
_TROUBLE_ZH = {
    "stream": "声音通道断了，改为只按键",
    "document": "线路不接受我们的应答，改为只按键",
    "recognition": "这句话没能听写，请听录音",
    "transcription": "留言没能写成文字，请听录音",
    "call": "通话中途断了",
}
# What the flow asked of the program: an answer shows in what is said next. That a dictation is stored: it comes itself.
_UNSEEN = frozenset({"query", "verdict", "stored"})
_ENDED_BY_ZH = {"silence": "停顿", "key": "按键", "limit": "到时", "hangup": "挂机"}


class Closed(Protocol):
    @property
    def closed_by(self) -> str | None: ...

    @property
    def result(self) -> Result | None: ...


def clock(moment: datetime | None, zone: str) -> str:
    """ "08:20" in the place's zone; "" for none."""
    return moment.astimezone(ZoneInfo(zone)).strftime("%H:%M") if moment else ""


def ear(detail: Mapping[str, Any]) -> str:
    """Engine and confidence of what was heard: "whisper 0.82"."""
    engine, confidence = detail.get("engine"), detail.get("confidence")
    if not engine or engine == "none":
        return ""
    measured = isinstance(confidence, int | float) and confidence > 0  # a spotted word has none
    return f"{engine} {confidence:.2f}" if measured else str(engine)


def second_ear(engine: str, confidence: float) -> str:
    """ "whisper 0.82" of a transcript made after the call."""
    return ear({"engine": engine, "confidence": confidence})


def answered_by_zh(answered_by: str | None) -> str:
    """What the carrier's answering-machine detection took it for: a hint, no finding."""
    if answered_by == "human":
        return "真人接听"
    return "答录机" if (answered_by or "").startswith("machine") else "不确定"


def is_shown(entry: Entry) -> bool:
    """Whether a line of a call's log tells staff anything."""
    return entry.kind not in _UNSEEN


def closer_zh(row: Closed) -> str:
    """Who closed a case, as the subject of 办结: a name, or what the line heard."""
    if row.closed_by != LINE:
        return row.closed_by or ""
    return "老人自己的回答" if row.result == Result.WELL else "电话里的回答"


def entry_zh(entry: Entry) -> tuple[str, str]:
    """One line of a call's log: what kind, and the rest of the sentence."""
    if entry.kind == "machine":
        return answered_by_zh(entry.detail.get("answered_by")), ""
    if entry.kind == "status":
        status, sip = str(entry.detail.get("status", "")), entry.detail.get("sip")
        return _STATUS_ZH.get(status, status), f"线路代码 {sip}" if sip else ""
    kind, tell = _ENTRIES.get(entry.kind, (entry.kind, _plain))
    return kind, tell(entry.detail)


def _trouble(detail: Mapping[str, Any]) -> str:
    return _TROUBLE_ZH.get(str(detail.get("what", "")), "线路出错")


def keys_only_zh(detail: Mapping[str, Any]) -> str:
    """Why a call goes on by plain verbs, in which nothing is heard but keys."""
    return "声音通道没有接通，说话听不到" if detail.get("begun", True) else "声音通道断了，说话听不到"


def _plain(detail: Mapping[str, Any]) -> str:
    return " ".join(str(value) for value in detail.values() if value not in ("", None))


def as_heard(detail: Mapping[str, Any]) -> str:
    """What was heard, in words: an ear that hears sounds only, no words, is read by the sentence that they fit."""
    text = str(detail.get("text") or "")
    return text if _WORDS.search(text) else str(detail.get("phrase") or "")


def _heard(detail: Mapping[str, Any]) -> str:
    numbers = " · ".join(filter(None, (ear(detail), _margin(detail), _place(detail))))
    return f"「{as_heard(detail)}」 → {understood(detail)}" + (f"  {numbers}" if numbers else "")


def understood(detail: Mapping[str, Any]) -> str:
    """What was made of it, and whether that counts: "不好（没把握）"."""
    known = detail.get("meaning")
    taken = meaning(known) if known else "没听懂"
    sure = "" if detail.get("certain") or not known else "（没把握）"
    return taken + sure + ("" if detail.get("counts", True) else "，不作回答")


def meaning(word: object) -> str:
    return MEANING_ZH.get(str(word), str(word))


def _margin(detail: Mapping[str, Any]) -> str:
    margin = detail.get("margin")
    return f"领先 {margin:.1f}" if isinstance(margin, float | int) else ""


def _place(detail: Mapping[str, Any]) -> str:
    begin = detail.get("begin_ms")
    return f"录音 {begin / 1000:.1f} 秒处" if isinstance(begin, float | int) else ""


def dictation_length(detail: Mapping[str, Any]) -> str:
    """ "12 秒，停顿结束"."""
    ended = _ENDED_BY_ZH.get(str(detail.get("by", "")), "")
    return f"{detail.get('seconds', 0):.0f} 秒{'，' + ended + '结束' if ended else ''}"


def _dictation(detail: Mapping[str, Any]) -> str:
    return f"{dictation_length(detail)}「{detail.get('text', '')}」"


def _seconds(detail: Mapping[str, Any]) -> str:
    return f"{float(detail.get('seconds', 0)):.0f} 秒"


def _distress(detail: Mapping[str, Any]) -> str:
    later = f"{FOUND_LATER} " if detail.get("found") == "second_pass" else ""
    return f"{later}「{detail.get('text', '')}」"


_ENTRIES = {
    "stream": ("接通", lambda detail: ""),
    "prompt": ("播放", lambda detail: str(detail.get("name", ""))),
    "cleared": ("打断", lambda detail: "老人已回答，停播"),
    "key": ("按键", lambda detail: str(detail.get("digit", ""))),
    "heard": ("听到", _heard),
    "no_input": ("无应答", lambda detail: ""),
    "distress": ("求救", _distress),
    "alarm": ("报警", lambda detail: _ALARM_ZH.get(str(detail.get("reason")), "")),
    "dictation": ("留言", _dictation),
    "recording": ("录音", _seconds),
    "hung_up": ("对方挂机", lambda detail: ""),
    "hand_over": ("转接", lambda detail: "要接给人"),
    "ring_out": ("转接", lambda detail: f"打第 {detail.get('n', '')} 个人"),
    "handed_over": ("转接", lambda detail: "谈过了" if detail.get("accepted") else "没有人接"),
    "limit": ("到时", lambda detail: "通话到 10 分钟上限"),
    "error": ("故障", _trouble),
    "verbs": ("只能按键", keys_only_zh),
    "listened": ("听录音", lambda detail: str(detail.get("who", ""))),
}
