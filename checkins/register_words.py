"""What holds for somebody of the register, in Chinese, each with who said so and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from checkins import register_log
from checkins.away import BY as BY_PHONE
from checkins.consents import HOW_ZH, PURPOSE_ZH
from checkins.people import stops_calls
from checkins.register_log import PersonEvent, What
from checkins.results import LINE, REASON_ZH
from checkins.tables import MODE_ZH, Mode, NumberState, Person, Role, State

STATE_ZH = {
    State.ACTIVE: "正常",
    State.PAUSED: "暂停",
    State.REFUSED: "不要自动电话，由人联系",
    State.MOVED: "搬走了",
    State.DIED: "已故",
}
FIELD_ZH = {
    "name": "姓名",
    "spoken_name": "称呼",
    "phone": "电话",
    "number": "电话",
    "state": "状态",
    "language": "语言",
    "mode": "应答方式",
    "slot": "时间",
    "consents": "同意事项",
    "address": "地址",
    "key_holder": "钥匙",
    "notes": "备注",
    "other": "别的",
}
NUMBER_ZH = {
    NumberState.OK: "号码没有问题",
    NumberState.SUSPECT: "接电话的人说打错了，号码要核对",
    NumberState.BAD: "没有这个号码，要核对",
}
_TRIED_ZH: Mapping[str, str] = {
    What.TEST_HEARD: "听得清楚",
    What.TEST_VAIN: "没有试成",
    What.TEST_NOTHING: "没有打通线路，还不知道",
}
_UNKNOWN = "没有写明是谁说的"


def lines(session: Session, person: Person, zone: str) -> list[str]:
    """Of an elder; nothing of anybody else."""
    if person.role != Role.ELDER:
        return []
    log = register_log.events(session, person.id)
    barred = stops_calls(person)
    found = [f"自动电话：{'打' if barred is None else f'不打（{REASON_ZH[barred]}）'}", _state(person, log, zone)]
    number = [event for event in log if event.what in (What.NUMBER, What.NUMBER_DOUBTED)]
    found.append(f"号码：{NUMBER_ZH[NumberState(person.number_state)]}{_who(number, zone)}")
    mode = [event for event in log if event.what == What.MODE]
    found.append(f"应答方式：{MODE_ZH[Mode(person.mode)]}{_who(mode, zone)}")
    found += [_tried(log, zone), _one_key(log, zone)]
    return found + [_consent(person, purpose, log, zone) for purpose in PURPOSE_ZH]


def _state(person: Person, log: Sequence[PersonEvent], zone: str) -> str:
    until = f"到{_day(person.state_until)}" if person.state_until and person.state == State.PAUSED else ""
    said = [event for event in log if event.what == What.STATE]
    asked = [event for event in log if event.what in (What.REFUSAL_MEANT, What.REFUSAL_NOT_MEANT)]
    text = f"状态：{STATE_ZH[State(person.state)]}{until}{_who(said, zone)}"
    if person.state == State.REFUSED:
        meant = asked and said and asked[-1].id > said[-1].id
        text += f"，已当面问过，是本人的意思{_who(asked, zone)}" if meant else "，还没有当面问过"
    return text


def _tried(log: Sequence[PersonEvent], zone: str) -> str:
    ends = [event for event in log if event.what in _TRIED_ZH]
    if not ends:
        return "试打电话：还没有试过"
    text = f"试打电话：{_TRIED_ZH[ends[-1].what]}（{_local(ends[-1].at, zone)}）"
    heard = [event for event in ends if event.what == What.TEST_HEARD]
    return text + (f"，上一次听清楚是{_local(heard[-1].at, zone)}" if heard and heard[-1] is not ends[-1] else "")


def _one_key(log: Sequence[PersonEvent], zone: str) -> str:
    shown = [event for event in log if event.what == What.ONE_KEY]
    return f"一键通（按5）：{'教过' if shown else '还没有教过'}{_who(shown, zone)}"


def _consent(person: Person, purpose: str, log: Sequence[PersonEvent], zone: str) -> str:
    agreed = bool(person.consents.get(purpose))
    told = [event for event in log if _given(event, purpose) is not None]
    backed = bool(told) and _given(told[-1], purpose) == agreed
    word = "同意" if agreed else "不同意"
    if backed:
        return f"{word}{PURPOSE_ZH[purpose]}{_who(told, zone)}"
    return f"{word}{PURPOSE_ZH[purpose]}" + (f"（{_UNKNOWN}）" if agreed else "（没有说过）")


def _given(event: PersonEvent, purpose: str) -> bool | None:
    """What it says of this purpose; of one that a spreadsheet doesn't name it says nothing (None)."""
    detail = event.detail or {}
    if event.what == What.CONSENT and detail.get("purpose") == purpose:
        return bool(detail.get("given"))
    return True if event.what == What.FIELDS and purpose in detail.get("consents", ()) else None


def _who(told: Sequence[PersonEvent], zone: str) -> str:
    """ "（女儿王芳，书面，2026年3月1日；陈老师登记，2026年3月2日）" of the newest."""
    if not told:
        return ""
    event = told[-1]
    on = (event.detail or {}).get("on")
    said = [event.said_by or "", HOW_ZH.get(event.how or "", ""), _day(date.fromisoformat(on)) if on else ""]
    noted = _local(event.at, zone)
    by = {LINE: "系统记下", BY_PHONE: "电话里记下"}.get(event.by, f"{event.by}登记")
    whole = "，".join(part for part in said if part)
    return f"（{whole + '；' if whole else ''}{by}，{noted}）"


def _local(moment: datetime, zone: str) -> str:
    return _day(moment.astimezone(ZoneInfo(zone)).date())


def _day(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"
