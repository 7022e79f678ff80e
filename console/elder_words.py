"""An elder's page in Chinese: what was changed in the register, and how the line calls them. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from checkins.consents import HOW_ZH, PURPOSE_ZH
from checkins.escalation.policy import Plan, Step
from checkins.policy import Policy
from checkins.register_log import PersonEvent, What
from checkins.register_words import FIELD_ZH, STATE_ZH
from checkins.results import LINE
from checkins.tables import MODE_ZH, Mode, State
from console.event_words import WHO_ZH

HINT_ZH = {
    "name": "不能空着",
    "spoken_name": "不能空着，比如：王阿婆",
    "phone": "请写号码，比如 021-1000 0001",
    "slot": "请写 08:00 到 21:00 之间的时间，比如 08:30；空着由系统安排",
    "address": "最多 100 个字，电话里要念得出来",
    "key_holder": "最多 100 个字，电话里要念得出来",
    "notes": "最多 200 个字，电话里要念得出来",
}
LANGUAGE_ZH = {"zh": "普通话", "wuu": "上海话"}
_WHAT_ZH: Mapping[str, str] = {
    What.NUMBER: "更改电话",
    What.NUMBER_DOUBTED: "说是打错了，号码停用",
    What.NOT_CHANGED: "核对过，不改",
    What.REFUSAL_MEANT: "当面问过：不要自动电话是本人的意思",
    What.REFUSAL_NOT_MEANT: "当面问过：又要自动电话了",
    What.HOME_KEYED: "在电话里按对了住址",
    What.HOME_NOT_KEYED: "在电话里按错了住址",
    What.ONE_KEY: "教过一键通（按5）",
    What.TEST_WANTED: "要试打一个电话",
    What.TEST_CALL: "试打电话",
    What.TEST_HEARD: "试打电话：听得清楚",
    What.TEST_VAIN: "试打电话：没有试成",
    What.TEST_NOTHING: "试打电话：没有打通线路",
}


def change_zh(event: PersonEvent) -> str:
    """What was changed or noted: "更改地址、钥匙"."""
    detail = event.detail or {}
    match event.what:
        case What.FIELDS:
            return "更改" + "、".join(FIELD_ZH.get(one, one) for one in detail.get("fields", ()))
        case What.MODE:
            return f"应答方式改为{_mode(detail)}"
        case What.STATE:
            until = f"到 {detail['until']}" if detail.get("until") else ""
            return f"状态改为{_state(detail)}{until}"
        case What.CONSENT:
            purpose = PURPOSE_ZH.get(detail.get("purpose", ""), "")
            return f"{'同意' if detail.get('given') else '不再同意'}{purpose}"
        case What.SAID_WRONG:
            return f"老人在电话里说{FIELD_ZH.get(detail.get('field', ''), '登记')}不对"
    return _WHAT_ZH.get(event.what, event.what)


def entry_zh(column: str, text: str) -> str:
    """What a field of the form holds, as it is read there."""
    if column == "mode" and text in list(Mode):
        return MODE_ZH[Mode(text)]
    return LANGUAGE_ZH.get(text, text) if column == "language" else text


def _mode(detail: Mapping[str, Any]) -> str:
    return MODE_ZH[Mode(detail["mode"])] if detail.get("mode") in list(Mode) else ""


def _state(detail: Mapping[str, Any]) -> str:
    return STATE_ZH[State(detail["state"])] if detail.get("state") in list(State) else ""


def word_zh(event: PersonEvent) -> str:
    """On whose word, and how it was said: "女儿张芳，书面"."""
    return "，".join(filter(None, (event.said_by, HOW_ZH.get(event.how or ""))))


def by_zh(event: PersonEvent) -> str:
    return "系统" if event.by == LINE else "电话里" if event.by == "by phone" else event.by


# ── how the line calls them ───────────────────────────────────────────────────────────────────────


def calls_zh(policy: Policy) -> str:
    """ "打 3 次：到点，再过 15、45 分钟；没有人接就找人"."""
    later = "、".join(str(minutes) for minutes in policy.try_after[1:])
    again = f"，没人接再过 {later} 分钟" if later else ""
    return f"到点打一次{again}；都没人接就找人"


def rungs_zh(plan: Plan) -> list[str]:
    """The rungs of a ladder, one sentence each."""
    return list(_rungs(plan))


def _rungs(plan: Plan) -> Iterator[str]:
    for step in plan.steps:
        yield _rung(step)


def _rung(step: Step) -> str:
    who = "、".join(WHO_ZH[one] for one in step.who)
    calls = f"，每人 {step.calls} 次，隔 {step.spacing} 分钟" if step.calls > 1 else ""
    rounds = f"，{step.rounds} 轮，隔 {step.every} 分钟" if step.rounds > 1 else ""
    latest = f"，最晚第 {step.latest} 分钟开始" if step.latest is not None else ""
    return f"{who}{calls}{rounds}{latest}"
