"""The words of the care room: what a call came to, why a person is needed, how soon, and their Chinese names."""

from __future__ import annotations

from enum import StrEnum

LINE = "line"  # who closed a case when the elder's own clear answer did


class Result(StrEnum):
    """What one call came to for one elder: the flow's words, then the telephone's words."""

    WELL = "well"
    NOT_WELL = "not_well"
    WANTS_PERSON = "wants_person"
    OTHER_SAYS_WELL = "other_says_well"
    OTHER_SAYS_UNWELL = "other_says_unwell"
    WRONG_NUMBER = "wrong_number"
    REFUSED = "refused"
    PRESENT_UNCONFIRMED = "present_unconfirmed"
    SILENT = "silent"
    HUNG_UP = "hung_up"
    ABSENT = "absent"
    EMERGENCY = "emergency"
    MACHINE = "machine"
    NO_ANSWER = "no_answer"
    BUSY = "busy"
    LINE_ERROR = "line_error"
    BAD_NUMBER = "bad_number"
    INTERRUPTED = "interrupted"
    CANCELLED = "cancelled"
    UNKNOWN = "unknown"


class Status(StrEnum):
    """Where a case stands."""

    PLANNED = "planned"  # the first call is ahead
    CALLING = "calling"
    WAITING = "waiting"  # the next try is ahead
    NEEDS_PERSON = "needs_person"
    CLOSED = "closed"


class Urgency(StrEnum):
    """How soon a person must act; `SOON` and `TODAY` are both the same day."""

    EMERGENCY = "emergency"
    UNREACHED = "unreached"
    SOON = "soon"
    TODAY = "today"


class Reason(StrEnum):
    """Why a person is needed."""

    EMERGENCY = "emergency"
    ALARM_BUTTON = "alarm_button"
    SMOKE = "smoke"
    UNREACHED = "unreached"
    OFF_HOOK = "off_hook"  # busy on every try: a handset off the hook, most likely
    UNKNOWN = "unknown"  # nobody knows what became of a call: never dialled again
    NOT_WELL = "not_well"
    WANTS_PERSON = "wants_person"
    OTHER_SAYS_UNWELL = "other_says_unwell"
    SILENT = "silent"
    PRESENT_UNCONFIRMED = "present_unconfirmed"
    OTHER_TWICE = "other_twice"  # reported by another twice running: a person hears the elder
    ABSENT = "absent"
    WRONG_NUMBER = "wrong_number"
    BAD_NUMBER = "bad_number"
    REFUSED = "refused"
    LINE = "line"
    LINE_RULES = "line_rules"
    WINDOW = "window"  # what can't be called today goes to a person today
    UNSERVED = "unserved"
    HUMAN_CONTACT = "human_contact"  # a person's visit or call is this elder's way
    NO_CONSENT = "no_consent"  # nobody noted that the elder agreed to machine calls
    PAUSE_ENDED = "pause_ended"
    BUDDY_MISSED = "buddy_missed"  # a buddy tried, and reached nobody
    BUDDY_WORRIED = "buddy_worried"


SLEEPLESS = frozenset({Urgency.EMERGENCY, Urgency.UNREACHED})  # at any hour, and never far ahead (PRODUCT.md)
BY_DEVICE = frozenset({Reason.ALARM_BUTTON, Reason.SMOKE})
URGENCIES = {urgency: rank for rank, urgency in enumerate(Urgency)}

STATUS_ZH = {
    Status.PLANNED: "待拨打",
    Status.CALLING: "通话中",
    Status.WAITING: "待重拨",
    Status.NEEDS_PERSON: "需人工处理",
    Status.CLOSED: "已办结",
}

URGENCY_ZH = {
    Urgency.EMERGENCY: "紧急",
    Urgency.UNREACHED: "未联系上",
    Urgency.SOON: "尽快",
    Urgency.TODAY: "今日内",
}

REASON_ZH = {
    Reason.EMERGENCY: "求救",
    Reason.ALARM_BUTTON: "按了报警按钮",
    Reason.SMOKE: "烟雾报警",
    Reason.UNREACHED: "多次无人接听",
    Reason.OFF_HOOK: "一直占线，可能话筒没挂好",
    Reason.UNKNOWN: "通话结果不明",
    Reason.NOT_WELL: "说身体不好",
    Reason.WANTS_PERSON: "想找人说话",
    Reason.OTHER_SAYS_UNWELL: "旁人说老人不好",
    Reason.SILENT: "接了电话，没有声音",
    Reason.PRESENT_UNCONFIRMED: "有人应，没听清",
    Reason.OTHER_TWICE: "连续两天由旁人代答",
    Reason.ABSENT: "老人不在或没来接",
    Reason.WRONG_NUMBER: "打错了，号码待核对",
    Reason.BAD_NUMBER: "号码无效",
    Reason.REFUSED: "不要自动电话",
    Reason.LINE: "线路故障",
    Reason.LINE_RULES: "拨打次数已到上限",
    Reason.WINDOW: "已过拨打时间",
    Reason.UNSERVED: "到点还没轮到",
    Reason.HUMAN_CONTACT: "约定由人联系",
    Reason.NO_CONSENT: "没有同意自动电话",
    Reason.PAUSE_ENDED: "暂停期满，先由人问一声",
    Reason.BUDDY_MISSED: "老伙伴没联系到",
    Reason.BUDDY_WORRIED: "老伙伴不放心",
}

RESULT_ZH = {
    Result.WELL: "身体好",
    Result.NOT_WELL: "身体不好",
    Result.WANTS_PERSON: "想找人说话",
    Result.OTHER_SAYS_WELL: "旁人说好",
    Result.OTHER_SAYS_UNWELL: "旁人说不好",
    Result.WRONG_NUMBER: "打错了",
    Result.REFUSED: "不要自动电话",
    Result.PRESENT_UNCONFIRMED: "有人应，没听清",
    Result.SILENT: "没有声音",
    Result.HUNG_UP: "接了就挂",
    Result.ABSENT: "不在或没来接",
    Result.EMERGENCY: "求救",
    Result.MACHINE: "答录机",
    Result.NO_ANSWER: "无人接听",
    Result.BUSY: "占线",
    Result.LINE_ERROR: "线路故障",
    Result.BAD_NUMBER: "号码无效",
    Result.INTERRUPTED: "通话中断",
    Result.CANCELLED: "已取消",
    Result.UNKNOWN: "结果不明",
}
