"""A notice that is to be published: what it would say, and whether it may. Nothing is written here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from checkins.names import named, says_something
from checkins.tables import GONE, Person, Role
from community.notice_tables import Notice, Topic
from community.notice_targets import building
from community.spoken import bounded
from community.wrong import Unknown, Wrong


@dataclass(frozen=True)
class Draft:
    """`since` None: from now on. `buildings`, `language`: for whom (none: everybody). `anyway`: also for a building in
    which nobody lives by the register."""

    place_id: int
    text: str
    until: datetime
    since: datetime | None = None
    topic: Topic = Topic.NOTICE
    urgent: bool = False
    buildings: tuple[str, ...] = ()
    language: str | None = None
    recording: str | None = None
    complaint_id: int | None = None
    anyway: bool = False


def checked(session: Session, draft: Draft, by: str, now: datetime) -> Notice:
    """As it would stand; Wrong or Unknown says why not."""
    by, since = named(by)[:100], draft.since or now
    _sensible(draft.text, since, draft.until, now)
    _inhabited(session, draft.place_id, draft.buildings, anyway=draft.anyway)
    if draft.urgent and draft.topic is not Topic.NOTICE:
        raise Wrong(
            "开门时间、服务、街道消息是给来电问的人听的：只有公告可以紧急",
            "the board is for who asks: only a notice can be urgent",
        )
    notice = Notice(neighbourhood_id=draft.place_id, text=draft.text.strip(), recording=draft.recording, at=now, by=by)
    notice.topic, notice.urgent, notice.complaint_id = draft.topic, draft.urgent, draft.complaint_id
    notice.buildings, notice.language = list(draft.buildings), draft.language
    notice.valid_from, notice.valid_until, notice.urgent_by = since, draft.until, by if draft.urgent else None
    return notice


def _inhabited(session: Session, place_id: int, buildings: Sequence[str], *, anyway: bool) -> None:
    """A slip of the hand would be a notice for nobody."""
    if unknown := [each for each in buildings if not building(each)]:
        raise Wrong(
            f"楼请写成“3号楼”或“1234弄5号”，不是“{unknown[0]}”",
            f"--building: write it as 3号楼 or 1234弄5号, not {unknown[0]}",
        )
    known = buildings_of(session, place_id) if buildings and not anyway else []
    if empty := [each for each in buildings if not anyway and building(each) not in known]:
        there = "、".join(f"{figure}号楼" for figure in known) or "none"
        raise Unknown(
            f"登记里没有人住{empty[0]}",
            f"by the register nobody lives in {empty[0]}; its buildings: {there} (--anyway publishes it all the same)",
        )


def buildings_of(session: Session, place_id: int) -> list[str]:
    """Figures of the buildings in which somebody lives, in order."""
    query = select(Person.address).where(*elders(place_id), Person.address.is_not(None))
    figures = {building(address or "") for address in session.scalars(query.distinct())} - {""}
    return sorted(figures, key=lambda figure: (len(figure), figure))


def _sensible(text: str, since: datetime, until: datetime, now: datetime) -> None:
    if not says_something(text):
        raise Wrong(
            "请写公告的内容：有录音也要写，打印要用",
            "write what the notice says: it is needed for paper, too, when it was recorded",
        )
    bounded(text)
    if until <= max(since, now):
        raise Wrong("截止要晚于开始，也要晚于现在", "--until: a notice must hold for a while")


def elders(place_id: int) -> tuple[ColumnElement[bool], ...]:
    """Those for whom a notice can be."""
    return Person.neighbourhood_id == place_id, Person.role == Role.ELDER, Person.state.not_in(GONE)
