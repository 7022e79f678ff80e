"""The logs of the house that say who did what, each read the same way: newest first, from a key on, narrowed by who,
about whom, and when. What the line does by itself stands in its cases, not here."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from checkins.alarms import KIND_ZH as ALARM_ZH
from checkins.alarms import Alarm
from checkins.items import ITEM_ZH, Item
from checkins.office_log import OfficeEvent
from checkins.register_log import PersonEvent
from checkins.results import LINE
from checkins.roster.tables import RosterChange
from checkins.tables import CallIntent, Checkin, CheckinEvent, IntentCheckin
from community.ballot_tables import Ballot, BallotEvent
from community.notice_tables import Notice, NoticeEvent
from community.tables import Complaint, ComplaintEvent
from community.tickets_tables import Ticket, TicketEvent
from console import audit_words, elder_words
from console.accounts_tables import Account, AccountEvent
from console.call_log import LISTENED
from console.event_words import Sentence
from console.tokens_tables import ApiToken
from ivr.records import CallEvent
from storage.database import from_millis, to_millis

_MACHINE = ("call:%", "ring:%", "ask:%", "hand_over:%", "postponed:%", "not_confirmed:%", "tell:%", "told:%")
_MACHINE_WORDS = ("reminded", "no_finding", LISTENED)  # who listened is told by the calls' own logs
_ABOUT = ("elder", "person")  # in the detail of a change of the roster


@dataclass(frozen=True, order=True)
class Key:
    """Where a page ends: the next one begins behind it."""

    millis: int
    source: str
    id: int


@dataclass(frozen=True)
class Narrowed:
    """What is asked for. `who`: by whom; `about`: ids of elders, None: whoever; `since` ≤ at < `until`."""

    kind: str = ""
    who: str = field(default="", repr=False)
    about: tuple[str, ...] | None = field(default=None, repr=False)
    since: datetime | None = None
    until: datetime | None = None


_Told = tuple[str, Sentence, Sequence[str | None], int | None]  # by whom, what, about whom, in which case


@dataclass(frozen=True)
class Act:
    """One line of a log. `about`: ids of whom it is about; `case`: a case's number."""

    key: Key
    at: datetime
    kind: str
    by: str = field(repr=False)
    said: Sentence = field(repr=False)
    about: tuple[str, ...] = ()
    case: int | None = None


@dataclass(frozen=True)
class Source:
    """`query` gives rows of which `act` makes an act, but for its key and kind; `about`: the condition that it is about
    one of these people, None where it never is about somebody."""

    name: str
    kind: str
    query: Select[*tuple[Any, ...]]
    at: Any
    id: Any
    by: Any
    act: Callable[[Any], _Told]
    about: Callable[[Collection[str]], ColumnElement[bool]] | None = None

    def look(self, session: Session, narrowed: Narrowed, before: Key | None, most: int) -> list[Act]:
        """So many at most, newest first."""
        if narrowed.kind not in ("", self.kind) or (narrowed.about is not None and self.about is None):
            return []
        query = self.query.where(*self._conditions(narrowed, before))
        query = query.order_by(self.at.desc(), self.id.desc()).limit(most)
        return [self._act(row) for row in session.execute(query.add_columns(self.at, self.id)).all()]

    def _conditions(self, narrowed: Narrowed, before: Key | None) -> list[ColumnElement[bool]]:
        found = [self.by == narrowed.who] if narrowed.who else []
        if narrowed.about is not None and self.about is not None:
            found.append(self.about(narrowed.about))
        if narrowed.since is not None:
            found.append(self.at >= narrowed.since)
        if narrowed.until is not None:
            found.append(self.at < narrowed.until)
        return found + ([] if before is None else [self._behind(before)])

    def _behind(self, key: Key) -> Any:
        """Of one moment the sources follow each other by name, the latest first."""
        moment = from_millis(key.millis)
        if self.name != key.source:
            return self.at <= moment if self.name < key.source else self.at < moment
        return or_(self.at < moment, and_(self.at == moment, self.id < key.id))

    def _act(self, row: Any) -> Act:
        *_, at, number = row
        by, said, about, case = self.act(row)
        key = Key(to_millis(at), self.name, number)
        return Act(key, at, self.kind, by, said, tuple(dict.fromkeys(filter(None, about))), case)


# ── each log ──────────────────────────────────────────────────────────────────────────────────────


def _case(row: Any) -> _Told:
    event, elder = row[0], row[1]
    return event.who, audit_words.case(event.what, event.who, event.at, event.detail), (elder,), event.checkin_id


def _listening(row: Any) -> _Told:
    event, elder, case = row[0], row[1], row[2]
    who = str((event.detail or {}).get("who", ""))
    return who, Sentence("听了录音", "listened to a recording"), (elder,), case


def _register(row: Any) -> _Told:
    event = row[0]
    word = elder_words.word_zh(event)
    zh = elder_words.change_zh(event) + (f"（{word}）" if word else "")
    return elder_words.by_zh(event), Sentence(zh, "changed or noted in the register"), (event.person_id,), None


def _roster(row: Any) -> _Told:
    detail = row[0].detail or {}
    about = [detail.get(key) for key in _ABOUT]
    return row[0].who, audit_words.roster(row[0].what, detail), [one for one in about if isinstance(one, str)], None


def _account(row: Any) -> _Told:
    event, login = row[0], row[1]
    by = "不知道是谁" if event.by == "?" else event.by
    return by, audit_words.account(event.what, login, event.detail), (), None


def _token_made(row: Any) -> _Told:
    return row[0].made_by, Sentence(f"给程序发密钥：{row[0].name}", "made a token for a program"), (), None


def _token_revoked(row: Any) -> _Told:
    return row[0].revoked_by, Sentence(f"收回程序的密钥：{row[0].name}", "revoked a program's token"), (), None


def _complaint(row: Any) -> _Told:
    return row[0].who, audit_words.complaint(row[0].what, row[1]), (row[2],), None


def _ticket(row: Any) -> _Told:
    return row[0].who, audit_words.ticket(row[0].what, row[1]), (row[2],), None


def _ballot(row: Any) -> _Told:
    return row[0].who, audit_words.ballot(row[0].what, row[1]), (), None


def _office(row: Any) -> _Told:
    return row[0].by, audit_words.office(row[0].what, row[0].detail or {}), (), None


def _item(row: Any) -> _Told:
    item = row[0]
    kind = dict(ITEM_ZH).get(item.kind, item.kind)
    return item.done_by, Sentence(f"办好待办：{kind}", "did what was to do"), (item.person_id,), None


def _alarm(row: Any) -> _Told:
    kind = dict(ALARM_ZH).get(row[0].kind, row[0].kind)
    return row[0].acknowledged_by, Sentence(f"确认报警：{kind}", "acknowledged an alarm"), (), None


def _notice(row: Any) -> _Told:
    event, notice, person = row[0], row[1], (row[0].detail or {}).get("person")
    about = (person,) if isinstance(person, str) else ()
    return event.who, audit_words.notice(event.what, notice.number), about, None


_LISTENER = CallEvent.detail["who"].as_string()
_HEARD_CASE = aliased(Checkin)

SOURCES: tuple[Source, ...] = (
    Source(
        "case",
        "case",
        select(CheckinEvent, Checkin.elder_id)
        .join(Checkin, Checkin.id == CheckinEvent.checkin_id)
        .where(CheckinEvent.who != LINE, CheckinEvent.what.not_in(_MACHINE_WORDS))
        .where(*(CheckinEvent.what.not_like(each) for each in _MACHINE)),
        CheckinEvent.at,
        CheckinEvent.id,
        CheckinEvent.who,
        _case,
        lambda ids: Checkin.elder_id.in_(ids),
    ),
    Source(
        "listening",
        "listening",
        select(CallEvent, _HEARD_CASE.elder_id, _HEARD_CASE.id)
        .outerjoin(CallIntent, CallIntent.id == CallEvent.call_id)
        .outerjoin(
            IntentCheckin, and_(IntentCheckin.intent_id == CallIntent.id, IntentCheckin.position == 0)
        )  # a call about several: the first
        .outerjoin(_HEARD_CASE, _HEARD_CASE.id == IntentCheckin.checkin_id)
        .where(literal_column(f"call_event.kind = '{LISTENED}'")),  # as ix_call_event_listened has it
        CallEvent.at,
        CallEvent.id,
        _LISTENER,
        _listening,
        lambda ids: _HEARD_CASE.elder_id.in_(ids),
    ),
    Source(
        "register",
        "register",
        select(PersonEvent).where(PersonEvent.by != LINE),
        PersonEvent.at,
        PersonEvent.id,
        PersonEvent.by,
        _register,
        lambda ids: PersonEvent.person_id.in_(ids),
    ),
    Source(
        "roster",
        "roster",
        select(RosterChange),
        RosterChange.at,
        RosterChange.id,
        RosterChange.who,
        _roster,
        lambda ids: or_(*(RosterChange.detail[key].as_string().in_(ids) for key in _ABOUT)),
    ),
    Source(
        "account",
        "account",
        select(AccountEvent, Account.login).join(Account, Account.id == AccountEvent.account_id),
        AccountEvent.at,
        AccountEvent.id,
        AccountEvent.by,
        _account,
    ),
    Source("token_made", "account", select(ApiToken), ApiToken.made_at, ApiToken.id, ApiToken.made_by, _token_made),
    Source(
        "token_revoked",
        "account",
        select(ApiToken).where(ApiToken.revoked_at.is_not(None), ApiToken.revoked_by.is_not(None)),
        ApiToken.revoked_at,
        ApiToken.id,
        ApiToken.revoked_by,
        _token_revoked,
    ),
    Source(
        "complaint",
        "complaint",
        select(ComplaintEvent, Complaint.number, Complaint.person_id)
        .join(Complaint, Complaint.id == ComplaintEvent.complaint_id)
        .where(ComplaintEvent.who != LINE),
        ComplaintEvent.at,
        ComplaintEvent.id,
        ComplaintEvent.who,
        _complaint,
        lambda ids: Complaint.person_id.in_(ids),
    ),
    Source(
        "ticket",
        "ticket",
        select(TicketEvent, Ticket.number, Ticket.person_id)
        .join(Ticket, Ticket.id == TicketEvent.ticket_id)
        .where(TicketEvent.who != LINE),
        TicketEvent.at,
        TicketEvent.id,
        TicketEvent.who,
        _ticket,
        lambda ids: Ticket.person_id.in_(ids),
    ),
    Source(
        "ballot",
        "ballot",
        select(BallotEvent, Ballot.number)
        .join(Ballot, Ballot.id == BallotEvent.ballot_id)
        .where(BallotEvent.who != LINE),
        BallotEvent.at,
        BallotEvent.id,
        BallotEvent.who,
        _ballot,
    ),
    Source("office", "office", select(OfficeEvent), OfficeEvent.at, OfficeEvent.id, OfficeEvent.by, _office),
    Source(
        "item",
        "item",
        select(Item).where(Item.done_at.is_not(None), Item.done_by.is_not(None), Item.done_by != LINE),
        Item.done_at,
        Item.id,
        Item.done_by,
        _item,
        lambda ids: Item.person_id.in_(ids),
    ),
    Source(
        "alarm",
        "alarm",
        select(Alarm).where(Alarm.acknowledged_at.is_not(None), Alarm.acknowledged_by.is_not(None)),
        Alarm.acknowledged_at,
        Alarm.id,
        Alarm.acknowledged_by,
        _alarm,
    ),
    Source(
        "notice",
        "notice",
        select(NoticeEvent, Notice).join(Notice, Notice.id == NoticeEvent.notice_id),
        NoticeEvent.at,
        NoticeEvent.id,
        NoticeEvent.who,
        _notice,
        lambda ids: NoticeEvent.detail["person"].as_string().in_(ids),
    ),
)
