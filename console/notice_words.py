"""What staff read of a notice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from community import notices
from community.notice_tables import Topic

TOPIC_ZH: Mapping[str, tuple[str, str]] = {
    Topic.NOTICE: ("公告", "notice"),
    Topic.HOURS: ("开门时间", "opening hours"),
    Topic.SERVICES: ("服务", "services"),
    Topic.NEWS: ("街道消息", "street news"),
}
DONE_ZH: Mapping[str, str] = {
    notices.MADE: "发布",
    notices.AGAIN: "又发布了一次",
    notices.WITHDRAWN: "撤回",
    notices.TOLD: "告诉了",
    notices.PRINTED: "打印上门单",
}
LANGUAGE_ZH: Mapping[str, str] = {"zh": "讲普通话的", "wuu": "讲上海话的"}


def whom_zh(buildings: Sequence[str], language: str | None) -> str:
    """For whom it is: 3号楼、5号楼 讲上海话的."""
    where = "、".join(buildings) or "全部"
    return f"{where} {LANGUAGE_ZH.get(language, language)}" if language else where
