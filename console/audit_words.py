"""The log of acts in short sentences: Chinese, English second. Nothing that somebody dictated is in them. Pure.

What nobody gave a sentence is shown as it is; a test goes through what the rooms write.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from checkins.cases import Event
from checkins.office_log import EXPORTED, IMPORTED, PROMPT_PUBLISHED, PROMPT_WITHDRAWN
from console import event_words, roster_words
from console.event_words import Sentence
from console.flow_words import LANGUAGE_ZH
from console.roles import ROLE_ZH, Role

KIND_ZH: Mapping[str, str] = {
    "case": "个案",
    "listening": "听录音",
    "register": "登记",
    "roster": "值班表和呼叫办法",
    "complaint": "诉求",
    "ticket": "一键通",
    "ballot": "打钩",
    "notice": "公告",
    "item": "待办",
    "alarm": "报警",
    "account": "账号",
    "office": "导入、导出和录音词",
}
_PROMPT: Mapping[str, tuple[str, str]] = {
    PROMPT_PUBLISHED: ("发布录音词", "published a recorded prompt"),
    PROMPT_WITHDRAWN: ("退回录音词", "took a recorded prompt back"),
}
_DICTATED = ("alarm", "alarm_text", "text", "worry_text", "message_text")  # in the detail of a case's event
_ACCOUNT: Mapping[str, tuple[str, str]] = {
    "added": ("建账号", "made the account"),
    "role": ("改角色", "gave another role"),
    "locked": ("锁住账号", "locked the account"),
    "unlocked": ("解锁账号", "unlocked the account"),
    "reset": ("重发一次性密码", "gave a new one-time password"),
    "ended": ("让账号在各处退出", "logged the account out everywhere"),
    "password": ("换自己的密码", "chose a password"),
    "login": ("登录", "logged in"),
    "logout": ("退出", "logged out"),
    "refused": ("密码错，没有让进", "a wrong password"),
}
_ROSTER: Mapping[str, tuple[str, str]] = {
    "policy": ("改拨打办法", "changed how the line calls"),
    "escalation": ("改升级办法", "changed whom the line rings, and when"),
}
_COMPLAINT: Mapping[str, tuple[str, str]] = {
    "filed": ("打电话反映", "filed it by telephone"),
    "added": ("打电话补充", "added to it by telephone"),
    "adding": ("打电话要补充", "began to add to it"),
    "another": ("要说另一件事", "has another matter"),
    "still_wrong": ("说没有解决", "said what is left undone"),
    "wish": ("说要不要公开", "said whether it is public"),
    "told": ("在电话里听了进展", "heard how it stands"),
    "all_told": ("在电话里听完了", "heard all"),
    "solved": ("说解决了", "said it is solved"),
    "not_solved": ("说没有解决", "said it isn't solved"),
    "talk": ("要和人谈", "wants to talk"),
    "heard": ("听完了", "listened to all of it"),
    "listened": ("听了录音", "listened to a recording"),
    "calling": ("线路打电话告诉答复", "the line rings them with the answer"),
    "called": ("电话打完了", "that call is over"),
    "unspoken": ("答复放不出来", "the answer can't be played"),
    "visited": ("上门看过", "was there"),
    "assigned": ("交给人办", "gave it to somebody"),
    "sorted": ("分类", "sorted it"),
    "replied": ("写答复", "answered it"),
    "discussed": ("记下讨论", "wrote down a discussion"),
    "meeting": ("定见面", "fixed a meeting"),
    "met": ("记下见面结果", "wrote down what came of a meeting"),
    "called_off": ("取消见面", "called a meeting off"),
    "cannot_come": ("说来不了", "can't come"),
    "came_of_it": ("说了见面结果", "said what came of the meeting"),
    "too_soon": ("见面还没到，结果不算", "what came of a meeting was written while it was ahead, and doesn't count"),
    "meeting_offered": ("提出见面时间", "offered times to meet"),
    "time_chosen": ("选了见面时间", "chose a time"),
    "time_agreed": ("同意见面时间", "agreed to the time"),
    "time_refused": ("不同意见面时间", "refused the time"),
    "meeting_by_hand": ("见面要由人联系", "somebody rings about the meeting"),
    "moved": ("改见面时间", "moved a meeting"),
    "level_above": ("转上级", "marked it for the level above"),
    "published": ("写议事厅文字", "wrote it for the hall"),
    "noticed": ("发成公告", "made a notice of it"),
    "proposed": ("变成打钩", "made a ballot of it"),
    "interrupted": ("没有说完", "was cut off"),
    "closed": ("办结", "closed it"),
}
_TICKET: Mapping[str, tuple[str, str]] = {
    "calling": ("线路打电话告诉", "the line rings them with it"),
    "called": ("电话打完了", "that call is over"),
    "unspoken": ("放不出来", "it can't be played"),
    "chosen": ("在电话里选了", "chose it by telephone"),
    "sent": ("提出要求", "asked for it"),
    "listened": ("听了", "listened to it"),
    "taken": ("接下", "took it"),
    "booked": ("订好", "booked it"),
    "cannot": ("写明办不成", "said that it can't be had"),
    "told_by": ("告诉了本人", "told them"),
    "heard": ("说知道了", "knows of it"),
    "change": ("要改", "wants it otherwise"),
    "talk": ("要和人谈", "wants to talk"),
    "told": ("在电话里听了进展", "heard how it stands"),
    "all_told": ("在电话里听完了", "heard all"),
    "by_hand": ("要由人告诉", "somebody tells them"),
    "closed": ("办结", "closed it"),
}
_BALLOT: Mapping[str, tuple[str, str]] = {
    "made": ("办打钩", "made the ballot"),
    "withdrawn": ("收回打钩", "withdrew the ballot"),
    "sealed": ("到期计票", "counted"),
    "letter_made": ("出业主信", "made the letters"),
    "proxy": ("登记书面委托", "filed a written proxy"),
    "chose": ("登记或作出选择（选了什么不在日志里）", "a choice was made; which, is in no log"),
    "changed": ("登记或作出更改（选了什么不在日志里）", "a choice was changed; which, is in no log"),
    "refused": ("没有接受", "refused"),
    "told": ("把结果告诉了业主", "told an owner the result"),
    "proposed": ("提为选项", "made an option of it"),
}
_NOTICE: Mapping[str, tuple[str, str]] = {
    "made": ("发公告", "published the notice"),
    "made_again": ("又发一次公告", "published the notice again"),
    "withdrawn": ("收回公告", "took the notice back"),
    "told": ("当面告诉了", "told them"),
    "printed": ("打印", "printed it"),
}
LIST_ZH: Mapping[str, str] = {
    "register": "登记册",
    "street": "结对名册（上报）",
    "month": "街道月表（上报）",
    "audit": "日志",
}


def case(what: str, who: str, at: Any, detail: Mapping[str, Any] | None) -> Sentence:
    kept = {key: value for key, value in (detail or {}).items() if key not in _DICTATED}
    return event_words.sentence(Event(at, what, who, None, kept))


def account(what: str, login: str, detail: str | None) -> Sentence:
    zh, en = _ACCOUNT.get(what, (what, ""))
    role = f"（{ROLE_ZH[Role(detail)]}）" if detail in list(Role) else ""
    return Sentence(f"{zh} {login}{role}", f"{en}: {login}")


def roster(what: str, detail: Mapping[str, Any]) -> Sentence:
    zh, en = _ROSTER.get(what, (roster_words.CHANGE_ZH.get(what, what), "changed the roster"))
    if what not in _ROSTER and what in roster_words.CHANGE_ZH:
        zh = f"改值班表：{zh}"
    return Sentence(f"{zh} {detail['day']}" if detail.get("day") else zh, en)


def complaint(what: str, number: int) -> Sentence:
    return _numbered(_COMPLAINT, what, "诉求", "complaint", number)


def ticket(what: str, number: int) -> Sentence:
    return _numbered(_TICKET, what, "一键通", "ticket", number)


def ballot(what: str, number: int) -> Sentence:
    return _numbered(_BALLOT, what, "打钩", "ballot", number)


def notice(what: str, number: int) -> Sentence:
    return _numbered(_NOTICE, what, "公告", "notice", number)


def office(what: str, detail: Mapping[str, Any]) -> Sentence:
    if what == IMPORTED:
        counts = (("added", "新增 {} 人"), ("changed", "改 {} 处"), ("lists", "值班表 {} 张单子"))
        told = "，".join(text.format(detail[key]) for key, text in counts if detail.get(key))
        return Sentence(f"导入登记：{told or '没有变化'}", "read a file into the register")
    if what == EXPORTED:
        which = str(detail.get("list", ""))
        rows = f"，{detail['rows']} 行" if "rows" in detail else ""
        month = f" {detail['month']}" if detail.get("month") else ""
        return Sentence(f"导出{LIST_ZH.get(which, which)}{month}{rows}", f"gave out a list: {which}")
    if what in _PROMPT:
        zh, en = _PROMPT[what]
        language = LANGUAGE_ZH.get(str(detail.get("language")), "")
        return Sentence(f"{zh}：{detail.get('number', '')} {language}", en)
    return Sentence(what, "")


def deed(kind: str, what: str) -> Sentence:
    """Of a complaint or a ticket, on its own page."""
    zh, en = {"complaint": _COMPLAINT, "ticket": _TICKET}[kind].get(what, (what, ""))
    return Sentence(zh, en)


def _numbered(words: Mapping[str, tuple[str, str]], what: str, zh: str, en: str, number: int) -> Sentence:
    said_zh, said_en = words.get(what, (what, what))
    return Sentence(f"{zh} {number}：{said_zh}", f"{en} {number}: {said_en}")
