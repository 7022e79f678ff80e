"""What staff must see to, but for the cases: a PIN that is locked, a buddy's worry, a contact that was missed.

An item is open until somebody is named who has done it. While one is open, the same again (kind, whom it is about, who
it comes from) is no second item.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, ForeignKey, Index, Integer, String, insert, select, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.types import JSON

from checkins.names import named
from checkins.tables import PERSONAL, Person
from storage.database import Base, UtcTime

_Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers rows by itself only for INTEGER


class ItemKind(StrEnum):
    PIN_LOCKED = "pin_locked"  # wrong too often: set a new one, or unlock
    NO_PIN = "no_pin"  # a buddy rang in to log and has none
    WORRIED = "worried"  # a buddy is worried about an elder
    CONTACT_MISSED = "contact_missed"  # no contact was logged for longer than a week
    RANG_IN = "rang_in"  # an elder rang in: a person rings back
    NUMBER_BAD = "number_bad"  # the carrier knows no such number of somebody who is to be rung
    NUMBER_DOUBTED = "number_doubted"  # "wrong number", said where somebody who is to be rung has it, too
    CRIED = "cried"  # a buddy, or whoever was rung, cried for help: ring them, 120
    DEVICE_CLOCK = "device_clock"  # a device signs with a clock that is wrong
    STRANGER_RANG = "stranger_rang"  # somebody whom no list knows rang in and wants a person
    AWAY = "away"  # by the elder's number alone: whether it was she
    RESPONDER_ASKS = "responder_asks"  # a buddy, or whoever was rung, pressed 0: a person rings back
    REFUSED = "refused"  # no more machine calls, said on the telephone: ask in person whether it was their wish
    PHONE_DEAD = "phone_dead"  # a test call in vain, or the elder does not hear well
    UNREADABLE = "unreadable"  # something of a complaint or a ticket can't be read: nobody sees what it waits for
    TENANT = "tenant"  # a new resident where the register has somebody else: who lives there?
    ENTRY_WRONG = "entry_wrong"  # an elder said by telephone what is wrong in their entry
    WEBHOOK_PAUSED = "webhook_paused"  # another program took no message for a day: nothing is sent there any more
    # Of a complaint, written by the community room; each names its number.
    COMPLAINT_NEW = "complaint_new"  # nobody has listened to what was said
    COMPLAINT_INTERRUPTED = "complaint_interrupted"  # dictated, never sent: listen, and ring back
    COMPLAINT_ANSWER = "complaint_answer"  # an answer is due
    COMPLAINT_TELL = "complaint_tell"  # there is an answer, and the line can't ring them: a person tells them
    COMPLAINT_TALK = "complaint_talk"  # they want to talk about the answer: a person rings back
    COMPLAINT_VISIT = "complaint_visit"  # no call reached them: somebody goes there
    COMPLAINT_ASK = "complaint_ask"  # they were on the line, and have not said whether it is solved: a person asks
    COMPLAINT_MEETING = "complaint_meeting"  # people have met: what came of it?
    COMPLAINT_APPOINTED = "complaint_appointed"  # a meeting was fixed or called off: somebody tells them
    COMPLAINT_ARRANGE = "complaint_arrange"  # no time for a meeting could be found by telephone, or they can't come
    COMPLAINT_CLOSED = "complaint_closed"  # "solved" in a call that came in: was it they?
    NOTICE_DOOR = "notice_door"  # a notice has not reached all by telephone: go from door to door
    # Of a ticket (key 5), likewise.
    TICKET_NEW = "ticket_new"  # nobody has taken it
    TICKET_RING_BACK = "ticket_ring_back"  # nothing, or not all of it, is recorded: ring back and ask
    TICKET_CHANGE = "ticket_change"  # they want something else than what was booked
    TICKET_TALK = "ticket_talk"  # they want to talk about what was booked
    TICKET_BOOK = "ticket_book"  # taken, and nothing is booked yet
    TICKET_TELL = "ticket_tell"  # the line can't tell them what was booked, or not in time: a person rings
    # Of a ballot.
    BALLOT_ASK = "ballot_ask"  # the line can't ask some of them: paper goes to their doors
    BALLOT_TELL = "ballot_tell"  # the line can't tell some of them the result
    BALLOT_PIN = "ballot_pin"  # an owner's letter is locked: a new one


ITEM_ZH: Mapping[str, str] = {
    ItemKind.PIN_LOCKED: "密码已锁",
    ItemKind.NO_PIN: "还没有密码",
    ItemKind.WORRIED: "老伙伴不放心",
    ItemKind.CONTACT_MISSED: "一周没有联系",
    ItemKind.RANG_IN: "老人打来电话，请回电",
    ItemKind.NUMBER_BAD: "电话打不通（没有这个号码），请核对",
    ItemKind.NUMBER_DOUBTED: "接电话的人说打错了，请核对号码",
    ItemKind.CRIED: "在电话里呼救，请马上打过去，必要时打120",
    ItemKind.DEVICE_CLOCK: "报警设备的时钟不准，请校准",
    ItemKind.STRANGER_RANG: "不认识的号码打来电话，请回电",
    ItemKind.AWAY: "老人在电话里说要出门，请核对",
    ItemKind.RESPONDER_ASKS: "老伙伴想找居委，请回电",
    ItemKind.REFUSED: "老人在电话里说不要自动电话，请当面问是不是本人的意思",
    ItemKind.PHONE_DEAD: "试打的电话没有试成，电话可能坏了，请去看看",
    ItemKind.UNREADABLE: "记录坏了，看不到，请找管机器的人，并当面问",
    ItemKind.TENANT: "这个地址登记了新的住户，请核对谁住在那里",
    ItemKind.ENTRY_WRONG: "老人在电话里说登记有错，请核对后确认",
    ItemKind.WEBHOOK_PAUSED: "对方系统一天没有收消息，已暂停发送，请联系对方",
    ItemKind.COMPLAINT_NEW: "有新的诉求，请听录音",
    ItemKind.COMPLAINT_INTERRUPTED: "诉求没有讲完，请听录音并回电",
    ItemKind.COMPLAINT_ANSWER: "诉求还没有答复",
    ItemKind.COMPLAINT_TELL: "诉求的答复要由人去告诉",
    ItemKind.COMPLAINT_TALK: "想谈诉求的答复，请回电",
    ItemKind.COMPLAINT_VISIT: "诉求的答复几次打不通，请上门",
    ItemKind.COMPLAINT_ASK: "接了回访电话，没有说清楚解决了没有，请去问",
    ItemKind.COMPLAINT_MEETING: "约好的见面，请写上结果",
    ItemKind.COMPLAINT_APPOINTED: "见面约好了或取消了，请告诉本人",
    ItemKind.COMPLAINT_ARRANGE: "见面的时间没有约好，请打电话约",
    ItemKind.COMPLAINT_CLOSED: "来电说诉求解决了，请核实是不是本人",
    ItemKind.NOTICE_DOOR: "公告有人没听到，请打印上门单（notices sheet）",
    ItemKind.TICKET_NEW: "一键通：老人要帮忙，请接手",
    ItemKind.TICKET_RING_BACK: "一键通：没有讲清楚要什么，请回电问",
    ItemKind.TICKET_CHANGE: "一键通：老人要改预约，请回电",
    ItemKind.TICKET_TALK: "一键通：老人想谈预约，请回电",
    ItemKind.TICKET_BOOK: "一键通：接手了，还没有办好",
    ItemKind.TICKET_TELL: "一键通：预约没能自动告诉老人，请自己打电话",
    ItemKind.BALLOT_ASK: "打钩：有人电话联系不上，请上门送纸",
    ItemKind.BALLOT_TELL: "打钩结果：有人电话联系不上，请由人去告诉",
    ItemKind.BALLOT_PIN: "业主打钩的密码已锁，请核对后重发信",
}
# Their clock has counted minutes of work already: overdue is an alarm at once.
AT_ONCE = frozenset(
    {
        ItemKind.TICKET_NEW,
        ItemKind.TICKET_RING_BACK,
        ItemKind.TICKET_CHANGE,
        ItemKind.TICKET_TALK,
        ItemKind.TICKET_TELL,
    }
)


class Item(Base):
    """`person_id`: whom it is about; `by_id`: the responder it comes from. `key` is the same for the same item."""

    __tablename__ = "item"
    __table_args__ = (
        Index(
            "uq_item_open",
            "neighbourhood_id",
            "key",
            unique=True,
            sqlite_where=text("done_at IS NULL"),
            postgresql_where=text("done_at IS NULL"),
        ),
        Index("ix_item_key", "neighbourhood_id", "key"),
    )

    id: Mapped[int] = mapped_column(_Id, primary_key=True)
    neighbourhood_id: Mapped[int] = mapped_column(ForeignKey("neighbourhood.id"))
    kind: Mapped[str] = mapped_column(String(32))
    key: Mapped[str] = mapped_column(String(120))
    person_id: Mapped[str | None] = mapped_column(ForeignKey("person.id"))
    by_id: Mapped[str | None] = mapped_column(String(36))
    opened_at: Mapped[datetime] = mapped_column(UtcTime)
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True), info=PERSONAL)
    done_by: Mapped[str | None] = mapped_column(String(100))
    done_at: Mapped[datetime | None] = mapped_column(UtcTime, index=True)


def open_item(
    session: Session,
    kind: str,
    now: datetime,
    *,
    neighbourhood_id: int,
    person_id: str | None = None,
    by_id: str | None = None,
    due_at: datetime | None = None,
    detail: Mapping[str, Any] | None = None,
    about: str = "",
) -> Item:
    """The open item of this kind, person, responder and matter (`about`); a new one when there is none. What is known
    of one that is open already grows: newer details count, and the earlier of two due moments."""
    key = key_of(kind, person_id, by_id, about)
    found = _open(session, neighbourhood_id, key)
    if found is None:
        item = Item(neighbourhood_id=neighbourhood_id, kind=kind, key=key, person_id=person_id, by_id=by_id)
        item.opened_at, item.due_at, item.detail = now, due_at, dict(detail) if detail else None
        try:
            with session.begin_nested():
                session.add(item)
            return item
        except IntegrityError:  # somebody else was faster
            found = _open(session, neighbourhood_id, key)
            assert found is not None
    if detail:
        found.detail = {**(found.detail or {}), **detail}
    found.due_at = min((moment for moment in (found.due_at, due_at) if moment), default=None)
    return found


def open_several(
    session: Session, kind: str, now: datetime, neighbourhood_id: int, pairs: Collection[tuple[str, str]]
) -> None:
    """An item for each person and responder that have none open, in one go: `open_item` of very many."""
    rows = {key_of(kind, person, by): (person, by) for person, by in pairs}
    here = select(Item.key).where(Item.neighbourhood_id == neighbourhood_id, Item.kind == kind, Item.done_at.is_(None))
    there = set(session.scalars(here)) if rows else set()
    same = {"neighbourhood_id": neighbourhood_id, "kind": kind, "opened_at": now}
    new = [
        {"key": key, "person_id": person, "by_id": by, **same} for key, (person, by) in rows.items() if key not in there
    ]
    if new:
        session.connection().execute(insert(Item), new)


def key_of(kind: str, person_id: str | None = None, by_id: str | None = None, about: str = "") -> str:
    """What two items have in common that are one."""
    return f"{kind}:{person_id or ''}:{by_id or ''}{f':{about}' if about else ''}"


def ring_back(session: Session, call_id: str, elder: Person, now: datetime) -> None:
    """An elder rang in, and no case of hers says so: a person rings her back."""
    place, detail = elder.neighbourhood_id, {"call": call_id}
    open_item(session, ItemKind.RANG_IN, now, neighbourhood_id=place, person_id=elder.id, due_at=now, detail=detail)


def open_items(session: Session, place_id: int | None = None) -> list[Item]:
    """What is still to be done, in one neighbourhood or in all: what is due first comes first, without a date last."""
    query = select(Item).where(Item.done_at.is_(None))
    if place_id is not None:
        query = query.where(Item.neighbourhood_id == place_id)
    return list(session.scalars(query.order_by(Item.due_at.is_(None), Item.due_at, Item.id)))


def done(session: Session, item_id: int, by: str, now: datetime) -> bool:
    """`by` has done it. False: there is no such item, or somebody has done it before. ValueError without a name."""
    name = named(by)
    item = session.get(Item, item_id, with_for_update=True)
    if item is None or item.done_at is not None:
        return False
    item.done_by, item.done_at = name[:100], now
    return True


def settle(session: Session, kind: str, person: Person, by: str, now: datetime) -> None:
    """`by` has done what was to be done of this kind about this person, if there is such an item."""
    found = _open(session, person.neighbourhood_id, key_of(kind, person.id))
    if found is not None:
        done(session, found.id, by, now)


def _open(session: Session, neighbourhood_id: int, key: str) -> Item | None:
    query = select(Item).where(Item.neighbourhood_id == neighbourhood_id, Item.key == key, Item.done_at.is_(None))
    return session.scalar(query)
