"""What is wrong with the line right now, asked of the database alone, and put into sentences.

`note` writes it down as alarms: raised while it holds, over when it no longer does. Sentences name nobody: how many,
since when, what to do.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from checkins import alarms, policies
from checkins.alarms import UNWATCHED, Alarm, Kind
from checkins.auditor import Late
from checkins.cycle import CLOCK_TOLERANCE, is_clock_behind, newest_row
from checkins.device_tables import DeviceEvent
from checkins.items import AT_ONCE, ITEM_ZH, Item, ItemKind
from checkins.pace import is_line_down, last_through
from checkins.results import Status, Urgency
from checkins.roster import loading
from checkins.roster.gaps import Gap, GapKind, gaps
from checkins.roster.holidays import add_working_hours, is_working_time
from checkins.schedule import local_date
from checkins.tables import Checkin, CheckinEvent, Neighbourhood

DISK_LOW = 500 * 1024 * 1024  # bytes: a day of recordings of a few hundred elders, and room for the database
REMINDED = timedelta(minutes=70)  # a case without anybody to ring reminds at least so often
QUEUE = timedelta(minutes=30)  # after the line was down: so long who waited may still wait their turn
TAKEN_IN = timedelta(seconds=20)  # a device's message is a case within a second or two
ITEM_WAITS = timedelta(hours=1)  # at work, from when it was due
GAPS_AHEAD = timedelta(hours=48)
EVENING_FROM_HOUR = 18
_MOST = 5  # gaps named in a sentence


@dataclass(frozen=True)
class Sign:
    kind: Kind
    text: str
    subject: str = ""


@dataclass(frozen=True)
class House:
    """What the care room can't see itself. `free`: bytes left where recordings and the database lie, None: unknown;
    `silent_calls`: calls of the last hour that ended at the carrier without a word to us, when there was no other."""

    free: int | None = None
    silent_calls: int = 0


def note(session: Session, late: Sequence[Late], house: House, now: datetime) -> None:
    """Raises an alarm for every sign, ends those whose sign is gone."""
    found = {(sign.kind, sign.subject): sign for sign in signs(session, late, house, now)}
    for sign in found.values():
        alarms.raise_alarm(session, sign.kind, sign.text, now, sign.subject)
    for alarm in session.scalars(select(Alarm).where(Alarm.over_at.is_(None))).all():
        if alarm.kind not in UNWATCHED and (Kind(alarm.kind), alarm.subject) not in found:
            alarms.over(session, alarm.kind, now, alarm.subject)


def signs(session: Session, late: Sequence[Late], house: House, now: datetime) -> Iterator[Sign]:
    yield from _line(session, now)
    yield from _clock(session, now)
    yield from _late(_not_held_up(session, late, now))
    yield from _nobody(session, now)
    yield from _policies(session)
    yield from _events(session, now)
    yield from _items(session, now)
    yield from _at_once(session, now)
    if house.silent_calls:
        yield Sign(
            Kind.WEBHOOKS_SILENT,
            f"有{house.silent_calls}个电话打完了，线路公司一次也没有通知到我们：老人接起来没有声音。请检查公网地址、反向代理和证书。",
        )
    if house.free is not None and house.free < DISK_LOW:
        yield Sign(Kind.DISK, f"磁盘只剩{house.free // 1024 // 1024}MB：录音和记录快存不下了。请腾出空间，不要重启。")


# ── each sign ─────────────────────────────────────────────────────────────────────────────────────


def _line(session: Session, now: datetime) -> Iterator[Sign]:
    """Down, or down when an alarm was raised and nothing has got through since: that nobody was called is no cure."""
    raised = session.scalar(select(Alarm.raised_at).where(Alarm.kind == Kind.LINE_DOWN, Alarm.over_at.is_(None)))
    if is_line_down(session, now) or (raised and not _after(last_through(session), raised)):
        also = _waiting(session)
        yield Sign(Kind.LINE_DOWN, f"电话线路断了，打不出去。请用打印的名单，用别的电话联系老人，并报修。{also}")


def _after(moment: datetime | None, begin: datetime) -> bool:
    return moment is not None and moment > begin


def _clock(session: Session, now: datetime) -> Iterator[Sign]:
    newest = newest_row(session)
    if newest <= now + CLOCK_TOLERANCE:
        return
    zone = ZoneInfo(session.scalar(select(Neighbourhood.timezone).order_by(Neighbourhood.id).limit(1)) or "UTC")
    shown, wrong = (f"{moment.astimezone(zone):%Y-%m-%d %H:%M}" for moment in (now, newest))
    yield Sign(
        Kind.CLOCK_BEHIND,
        f"机器的时钟是{shown}，最新的记录却是{wrong}，所以电话停打。钟走慢了就校准；钟是对的，说明它以前走快过，"
        f"请按运行手册Alarms一节处理。{_waiting(session)}",
    )


def _late(late: Sequence[Late]) -> Iterator[Sign]:
    for place, count in sorted(Counter(item.neighbourhood_id for item in late).items()):
        yield Sign(Kind.LATE, f"有{count}位老人没有下一步安排，可能被漏掉了。请打开首页，逐个打电话。", str(place))


def _not_held_up(session: Session, late: Sequence[Late], now: datetime) -> list[Late]:
    """Without those who wait for the line or the clock only, or in the queue after that: that has an alarm of its own,
    and one is enough."""
    stops = (
        Alarm.kind.in_((Kind.LINE_DOWN, Kind.CLOCK_BEHIND)),
        or_(Alarm.over_at.is_(None), Alarm.over_at > now - QUEUE),
    )
    stopped = session.scalar(select(Alarm.id).where(*stops).limit(1)) is not None
    if not late or not (stopped or is_line_down(session, now) or is_clock_behind(session, now)):
        return list(late)
    dialling = select(Checkin.id).where(Checkin.status.in_((Status.PLANNED, Status.WAITING)))
    waiting = set(session.scalars(dialling.where(Checkin.due_at.is_not(None))))
    return [item for item in late if item.checkin_id not in waiting]


def _nobody(session: Session, now: datetime) -> Iterator[Sign]:
    """Cases that nobody has, and whose last event of the search was a reminder instead of a ring."""
    ring = select(func.max(CheckinEvent.id)).where(CheckinEvent.what.like("ring:%")).correlate(Checkin)
    ring = ring.where(CheckinEvent.checkin_id == Checkin.id)
    reminded = exists().where(
        CheckinEvent.checkin_id == Checkin.id,
        CheckinEvent.what == "reminded",
        CheckinEvent.at > now - REMINDED,
        CheckinEvent.id > func.coalesce(ring.scalar_subquery(), 0),
    )
    query = select(Checkin.neighbourhood_id, func.count()).group_by(Checkin.neighbourhood_id)
    query = query.where(Checkin.status == Status.NEEDS_PERSON, Checkin.owner.is_(None), reminded)
    for place, count in session.execute(query.order_by(Checkin.neighbourhood_id)):
        yield Sign(
            Kind.NOBODY_TO_RING, f"有{count}件事要找人，值班表上没有人可以打。请看首页，并补上值班表。", str(place)
        )


def _policies(session: Session) -> Iterator[Sign]:
    """Who wrote it is not watching the log."""
    faults = Counter(place.id for place, _person, _why in policies.broken(session))
    for place, count in sorted(faults.items()):
        text = f"小区{place}有{count}处规则写错了，先按默认的办。请让技术员运行policy check，看是哪一处。"
        yield Sign(Kind.POLICY, text, str(place))


def _events(session: Session, now: datetime) -> Iterator[Sign]:
    query = select(func.count()).where(DeviceEvent.applied_at.is_(None), DeviceEvent.received_at < now - TAKEN_IN)
    count = session.scalar(query)
    if count:
        text = f"报警设备发来{count}条消息，没能立案，没有人去看。请马上看设备是哪家的，打电话，并看日志。"
        yield Sign(Kind.DEVICE_EVENT, text)


def _waiting(session: Session) -> str:
    """An emergency for which the line can ring nobody, or not surely: people must."""
    urgent = _open_emergencies(session)
    return f"另有{urgent}起紧急求助没有人接手，请马上看首页。" if urgent else ""


def _items(session: Session, now: datetime) -> Iterator[Sign]:
    """By kind of item, of each neighbourhood. One that is new is told at work only; a cry has an alarm of its own."""
    due = func.coalesce(Item.due_at, Item.opened_at)
    query = select(Item.neighbourhood_id, Item.kind, func.min(due, type_=Item.opened_at.type), func.count())
    query = query.where(Item.done_at.is_(None), due <= now - ITEM_WAITS, Item.kind.not_in((ItemKind.CRIED, *AT_ONCE)))
    for place_id, kind, oldest, count in session.execute(query.group_by(Item.neighbourhood_id, Item.kind)).all():
        calendar = loading.calendar_of(session, place_id)
        subject = f"{place_id}:{kind}"
        told = select(Alarm.id).where(
            Alarm.kind == Kind.ITEM_OVERDUE, Alarm.subject == subject, Alarm.over_at.is_(None)
        )
        if add_working_hours(calendar, oldest, ITEM_WAITS) <= now and (
            is_working_time(calendar, now) or session.scalar(told) is not None
        ):
            text = f"待办里有{count}件没有人办，已经过了一个多小时：{ITEM_ZH[kind]}。请打开待办，办好了写上名字。"
            yield Sign(Kind.ITEM_OVERDUE, text, subject)


def _at_once(session: Session, now: datetime) -> Iterator[Sign]:
    """Each by itself, as soon as it is overdue; at work only, since staff have evenings."""
    query = select(Item).where(Item.done_at.is_(None), Item.kind.in_(AT_ONCE), Item.due_at <= now).order_by(Item.id)
    for item in session.scalars(query).all():
        if is_working_time(loading.calendar_of(session, item.neighbourhood_id), now):
            text = f"{ITEM_ZH[item.kind]}。已经过了说好的时间，请打开待办，马上办。"
            yield Sign(Kind.TICKET_OVERDUE, text, f"{item.neighbourhood_id}:{item.id}")


def _open_emergencies(session: Session) -> int:
    query = select(func.count()).where(Checkin.status == Status.NEEDS_PERSON, Checkin.owner.is_(None))
    return session.scalar(query.where(Checkin.urgency == Urgency.EMERGENCY)) or 0


# ── the evening ───────────────────────────────────────────────────────────────────────────────────


def evening(session: Session, now: datetime) -> None:
    """What the roster lacks in the next 48 h: once on each evening, for each neighbourhood."""
    for place in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all():
        today = local_date(place.timezone, now)
        _end_older(session, place.id, today, now)
        subject = f"{place.id}:{today}"
        told = session.scalar(select(Alarm.id).where(Alarm.kind == Kind.ROSTER_GAP, Alarm.subject == subject).limit(1))
        if told is None and now.astimezone(ZoneInfo(place.timezone)).hour >= EVENING_FROM_HOUR:
            roster = loading.load(session, place.id, now)
            found = gaps(roster, now, now + GAPS_AHEAD)
            if found:
                alarms.raise_alarm(session, Kind.ROSTER_GAP, _gaps_zh(found, place.timezone), now, subject)


def _end_older(session: Session, place_id: int, today: date, now: datetime) -> None:
    query = select(Alarm).where(Alarm.kind == Kind.ROSTER_GAP, Alarm.over_at.is_(None))
    for alarm in session.scalars(query.where(Alarm.subject.like(f"{place_id}:%"))).all():
        if alarm.subject < f"{place_id}:{today}":
            alarms.over(session, alarm.kind, now, alarm.subject)


def _gaps_zh(found: Iterable[Gap], zone: str) -> str:
    """Without names: those are on the roster's page."""
    sentences = list(dict.fromkeys(filter(None, (_gap_zh(gap, ZoneInfo(zone)) for gap in found))))
    more = f"等{len(sentences)}处" if len(sentences) > _MOST else ""
    return f"今后48小时值班表有空缺：{'；'.join(sentences[:_MOST])}{more}。"


def _gap_zh(gap: Gap, zone: ZoneInfo) -> str:
    begin = gap.begins.astimezone(zone)
    since = f"{begin.month}月{begin.day}日{begin:%H:%M}起"
    match gap.kind:
        case GapKind.NO_DUTY:
            return f"{since}没有人值班"
        case GapKind.NO_BUDDY:
            return f"{since}有{len(gap.who)}位老人没有老伙伴可找"
        case GapKind.NO_NUMBER:
            return "值班表上有人没有能打通的电话"
        case GapKind.ROTATION_ENDS:
            return f"{since}值班轮换没有排下去"
        case GapKind.YEAR_UNKNOWN:
            return f"{begin.year}年的放假安排还没有"
        case GapKind.GONE:
            return "值班表上有人已经搬走或者不再接电话"
