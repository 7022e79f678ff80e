"""What staff read of a ballot: who may choose, and why something does not count."""

from __future__ import annotations

from collections.abc import Mapping

from community.ballot import Channel, Refusal, Unit

REFUSAL_ZH: Mapping[str, str] = {
    Refusal.NOT_YET: "还没有开始",
    Refusal.CLOSED: "已经结束",
    Refusal.NOT_ON_ROLL: "不在名册上",
    Refusal.GONE: "已经去世或搬走",
    Refusal.NO_PROXY: "不是业主,也没有书面委托",
    Refusal.OTHER_PERSON: "这一户已经有别人选过",
    Refusal.OTHER_CHANNEL: "已经用别的方式选过",
    Refusal.NOT_PROVEN: "没有信上的密码",
    Refusal.PIN_WRONG: "密码不对",
    Refusal.PIN_LOCKED: "密码已锁",
    Refusal.NO_SUCH_OPTION: "没有这一项",
}
UNIT_ZH: Mapping[str, str] = {Unit.PERSON: "一人一次", Unit.HOUSEHOLD: "一户一次", Unit.OWNER: "一套业主一次"}
CHANNEL_ZH: Mapping[str, str] = {Channel.PHONE: "电话", Channel.PAPER: "纸上", Channel.VISIT: "上门"}
CHANGEABLE = (Refusal.OTHER_PERSON, Refusal.OTHER_CHANNEL)  # by staff who have asked them
