"""The form of a new notice: what was typed, and what it would be. Personal."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.schedule import at_minute, local_date
from checkins.tables import Neighbourhood
from community import notice_preview, notices
from community.notice_draft import Draft, buildings_of
from community.notice_preview import Preview
from community.notice_tables import Notice, Topic
from community.tables import Complaint, Reply, Status, Wish
from community.wrong import Wrong
from console import moments
from console.forms import number_in
from console.guard import PageError
from console.notice_words import LANGUAGE_ZH

Typed = Mapping[str, str]

NO_PLACE = PageError(404, "没有这个居委。", "there is no such neighbourhood")
YES = "1"
CLOSES_AT = 17 * 60  # minute of the day on which a notice ends, unless somebody says otherwise
ANSWERS = 20  # of the 议事厅, the newest


@dataclass(frozen=True)
class Answer:
    """A public matter that has an answer, and is no notice yet."""

    number: int
    matter: str
    answer: str


@dataclass(frozen=True)
class Form:
    """`values`: what the fields hold. `buildings`: figures of those in which somebody lives. `print`: of what was
    looked at, so that nothing else is published."""

    place: int
    committee: str
    zone: str
    places: tuple[tuple[int, str], ...]
    buildings: tuple[str, ...]
    answers: tuple[Answer, ...]
    values: Typed = field(repr=False)
    preview: Preview | None = None
    print: str = ""


def form(session: Session, typed: Typed, by: str, now: datetime, *, preview: bool = False) -> Form:
    """Wrong or Unknown where it can't be published and is to be looked at."""
    place = place_of(session, typed)
    known = tuple((one.id, one.name) for one in session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)))
    values = typed if typed.get("until") else {**typed, "until": moments.typed(_tomorrow(place, now), place.timezone)}
    found = Form(
        place.id,
        place.committee,
        place.timezone,
        known,
        tuple(buildings_of(session, place.id)),
        tuple(answers(session, place.id)),
        values,
    )
    if not preview:
        return found
    would = notice_preview.preview(session, draft(session, place, typed, now), by, now)
    return replace(found, preview=would, print=print_of(typed, would))


class UnseenError(Wrong):
    """What is to be published isn't what was looked at."""


def publish(session: Session, typed: Typed, recording: str | None, by: str, now: datetime) -> Notice:
    """Wrong, Unknown; UnseenError when it isn't what was looked at any more."""
    place = place_of(session, typed)
    meant = draft(session, place, typed, now)
    if print_of(typed, notice_preview.preview(session, meant, by, now)) != typed.get("print"):
        raise UnseenError("请先看会传到谁，再发布", "look at whom it reaches, then publish")
    if number := _complaint(typed):
        return notices.answer(
            session, number, meant.text, by, now, until=meant.until, urgent=meant.urgent, recording=recording
        )
    return notices.send(session, replace(meant, recording=recording), by, now)


def draft(session: Session, place: Neighbourhood, typed: Typed, now: datetime) -> Draft:
    until, since = moments.moment(typed.get("until", ""), place.timezone), None
    if until is None:
        raise Wrong("请写清到哪天几点有效", "say until when it holds")
    if typed.get("since", "").strip():
        since = moments.moment(typed["since"], place.timezone)
        if since is None:
            raise Wrong("请写清从哪天几点开始，空着是现在", "say from when it holds")
    topic = typed.get("topic", "")
    if topic not in list(Topic):
        raise Wrong("请选是公告，还是供来电查问的", "choose a topic")
    language = typed.get("language") or None
    if language is not None and language not in LANGUAGE_ZH:
        raise Wrong("请选语言", "choose a language")
    text, urgent = typed.get("text", ""), typed.get("urgent") == YES
    found = Draft(place.id, text, until, since, Topic(topic), urgent, _buildings(typed), language)
    return _answer(session, place, found, typed) if _complaint(typed) else found


def _answer(session: Session, place: Neighbourhood, found: Draft, typed: Typed) -> Draft:
    complaint = notices.answerable(session, _complaint(typed), found.text)
    if complaint.neighbourhood_id != place.id:
        raise Wrong(f"{complaint.number}号是别的居委的", f"{complaint.number} is another committee's")
    if found.buildings or found.language or found.since or found.topic != Topic.NOTICE:
        raise Wrong(
            "议事厅的答复是给所有人的公告，从现在开始", "an answer of the hall is a notice for all, from now on"
        )
    return replace(found, complaint_id=complaint.id)


def answers(session: Session, place_id: int) -> list[Answer]:
    told = select(Notice.complaint_id).where(Notice.complaint_id.is_not(None))
    replied = select(Reply.complaint_id)
    query = select(Complaint).where(Complaint.neighbourhood_id == place_id, Complaint.wish == Wish.PUBLIC)
    query = query.where(Complaint.status.in_((Status.ANSWERED, Status.CLOSED)), Complaint.text.is_not(None))
    query = query.where(Complaint.id.in_(replied), Complaint.id.not_in(told))
    found = session.scalars(query.order_by(Complaint.id.desc()).limit(ANSWERS)).all()
    said = select(Reply.complaint_id, Reply.text).where(Reply.complaint_id.in_(each.id for each in found))
    last = {number: text for number, text in session.execute(said.order_by(Reply.round))}
    return [Answer(each.number, each.text, last[each.id] or "（录音答复）") for each in found if each.text]


def place_of(session: Session, typed: Typed) -> Neighbourhood:
    """The one that was chosen, or the first."""
    number = typed.get("place", "")
    query = select(Neighbourhood).order_by(Neighbourhood.id).limit(1)
    if number:
        query = query.where(Neighbourhood.id == (number_in(number) or -1))
    found = session.scalars(query).first()
    if found is None:
        raise NO_PLACE
    return found


def print_of(typed: Typed, would: Preview) -> str:
    """Of everything that decides what is published, and for whom."""
    new, again = would.notice, would.again
    since = typed.get("since", "").strip()
    said = (new.text, new.topic, new.urgent, sorted(new.buildings), new.language, since, new.valid_until.isoformat())
    stands = (again.number, again.urgent, again.valid_until.isoformat()) if again else ()
    whole = repr((typed.get("place"), said, typed.get("complaint"), typed.get("sound"), stands))
    return hashlib.sha256(whole.encode()).hexdigest()[:32]


def _buildings(typed: Typed) -> tuple[str, ...]:
    figures = [key.removeprefix("building-") for key, value in typed.items() if key.startswith("building-") and value]
    return tuple(f"{figure}号楼" for figure in figures)


def _complaint(typed: Typed) -> int:
    """0: it is no answer of the 议事厅."""
    text = typed.get("complaint", "").strip()
    number = number_in(text) if text else 0
    if number is None:
        raise Wrong("没有这个诉求编号", "there is no such matter")
    return number


def _tomorrow(place: Neighbourhood, now: datetime) -> datetime:
    return at_minute(place.timezone, local_date(place.timezone, now) + timedelta(days=1), CLOSES_AT)
