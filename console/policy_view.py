"""The policies of a neighbourhood or of one elder, ready to show: what holds, what differs from the layer below, who
changed what, and the preview of a part that somebody is writing. Personal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import policies, policy_drafts
from checkins.claims import Trunk
from checkins.escalation.policy import Escalation
from checkins.policy import Policy
from checkins.policy_drafts import CALLS, PARTS, Written
from checkins.rehearsal.foresee import Policies
from checkins.roster.tables import RosterChange
from checkins.tables import GONE, Neighbourhood, Person, Role
from console import policy_faults, policy_form, preview_view
from console.event_words import WHO_ZH
from console.policy_form import Typed
from console.preview_view import Asked, Preview, RosterOf

CHANGES = 12
PART_ZH: Mapping[str, tuple[str, str]] = {
    CALLS: ("打给老人", "calls to elders"),
    "unreached": ("没联系上", "unreached"),
    "emergency": ("求救", "emergency"),
    "device": ("报警器", "alarm button, smoke"),
    "soon": ("尽快", "soon"),
    "today": ("今日内", "today"),
    "hours": ("休息时间", "quiet hours"),
}
_SECTIONS = ("policy", "escalation", "window")
_Held = tuple[Policy, Escalation]


@dataclass(frozen=True)
class Whose:
    """A neighbourhood's policies, or those of an elder in it."""

    place: Neighbourhood
    elder: Person | None = None

    @property
    def own(self) -> Written:
        return policy_drafts.written(self.elder or self.place)

    @property
    def below(self) -> _Held:
        """What holds without what is written here."""
        if self.elder is None:
            return Policy(), Escalation()
        return policies.call_policy(self.place), policies.escalation_in(self.place)

    @property
    def holds(self) -> _Held:
        return policies.call_policy(self.place, self.elder), policies.escalation_in(self.place, self.elder)

    @property
    def stamp(self) -> str:
        return policy_drafts.stamp(self.place, self.elder)


@dataclass(frozen=True)
class Change:
    at: datetime
    by: str = field(repr=False)
    whom: str = field(repr=False)
    entries: tuple[tuple[str, str, str], ...]  # which, from, to


@dataclass(frozen=True)
class PolicyPage:
    """`form`: what stands in the fields; `usual`: what would without what is written here. `too_many`: steps for a
    form."""

    place_id: int
    place: str
    zone: str
    elder_id: str
    elder: str = field(repr=False)
    slot: str
    part: str
    form: Mapping[str, str]
    usual: Mapping[str, str]
    own_parts: frozenset[str]
    too_many: bool
    stamp: str
    broken: str
    days: tuple[tuple[str, str], ...]
    names: tuple[str, ...] = field(repr=False)
    preview: Preview | None = field(repr=False)
    no_preview: str
    changes: tuple[Change, ...]

    @property
    def url(self) -> str:
        return f"/policies/elder/{self.elder_id}" if self.elder_id else f"/policies/{self.place_id}"


@dataclass(frozen=True)
class Desk:
    """What previews are made of, beside the database."""

    roster: RosterOf
    trunk: Trunk
    now: datetime


def whose(session: Session, place: int | None, elder: str) -> Whose | None:
    if elder:
        person = session.get(Person, elder)
        if person is None or person.role != Role.ELDER:
            return None
        return Whose(session.get_one(Neighbourhood, person.neighbourhood_id), person)
    found = session.get(Neighbourhood, place) if place is not None else None
    return Whose(found) if found else None


def look(session: Session, of: Whose, part: str, asked: Asked, typed: Typed | None, desk: Desk) -> PolicyPage:
    """`typed`: what stands in the form instead of what holds."""
    entries = policy_drafts.entries_of(of.holds, part)
    form = dict(typed) if typed is not None else {**policy_form.filled(part, entries), **_window(of, part)}
    usual = policy_form.filled(part, policy_drafts.entries_of(of.below, part))
    own, place = of.own, of.place
    shown = previewed(session, of, part, asked, form, desk)
    return PolicyPage(
        place_id=place.id,
        place=place.name,
        zone=place.timezone,
        elder_id=of.elder.id if of.elder else "",
        elder=of.elder.name if of.elder else "",
        slot=_slot(of.elder),
        part=part,
        form=form,
        usual=usual,
        own_parts=frozenset(each for each in PARTS if own.part(each)),
        too_many=len(entries.get("steps", ())) > policy_form.MOST_STEPS,
        stamp=of.stamp,
        broken=_broken(session, of),
        days=tuple(preview_view.days(place, desk.now)),
        names=() if of.elder else tuple(preview_view.names(session, place.id)),
        preview=shown if isinstance(shown, Preview) else None,
        no_preview=shown if isinstance(shown, str) else "",
        changes=tuple(changes(session, of)),
    )


def _window(of: Whose, part: str) -> dict[str, str]:
    if part != CALLS or of.elder is not None:
        return {}
    return {each.name: policy_form.text_of(each, getattr(of.place, each.name)) for each in policy_form.WINDOW_FIELDS}


def _slot(elder: Person | None) -> str:
    return "" if elder is None or elder.slot is None else f"{elder.slot // 60:02}:{elder.slot % 60:02}"


def _broken(session: Session, of: Whose) -> str:
    """Why what is written here counts for nothing; "" when it counts."""
    found = policies.broken(session, of.place.id)
    return next((why for _, person, why in found if (person.id if person else "") == _id(of)), "")


def _id(of: Whose) -> str:
    return of.elder.id if of.elder else ""


# ── the preview ───────────────────────────────────────────────────────────────────────────────────


def previewed(session: Session, of: Whose, part: str, asked: Asked, form: Typed, desk: Desk) -> Preview | str:
    """By what stands in the form; a sentence when there can't be one."""
    elder = of.elder or preview_view.chosen(session, of.place.id, asked.elder)
    if isinstance(elder, str):
        return elder
    draft = drafted(of, part, form)
    if isinstance(draft, str):
        return draft
    try:
        held = _would_hold(of, elder, draft)
    except ValueError as error:
        return f"{policy_faults.fault(str(error), lambda _name: False).said}"
    asks = preview_view.question(of.place, asked, desk.now)
    place = _with_window(session, of.place, part, form)
    return preview_view.preview(session, place, elder, asks, held, desk.roster(session, place.id), desk.trunk)


def drafted(of: Whose, part: str, form: Typed) -> Written | str:
    """What would be written down; a sentence when something in the form can't be read."""
    read = policy_form.read(part, form)
    if read.wrong:
        return "有写错的地方，改好了再预演。Something typed can't be read yet."
    return policy_drafts.with_part(of.own, part, read.entries, of.below)


def _would_hold(of: Whose, elder: Person, draft: Written) -> Policies:
    if of.elder is not None:
        usual, _ = of.below
        below = policy_drafts.written(of.place)
        return Policies(usual, *policy_drafts.hold(below, draft))
    usual, _ = policy_drafts.hold(draft)
    return Policies(usual, *policy_drafts.hold(draft, policy_drafts.written(elder)))


def _with_window(session: Session, place: Neighbourhood, part: str, form: Typed) -> Neighbourhood:
    """The neighbourhood as it would be; the row itself is left alone."""
    if part != CALLS or "plan_from" not in form:
        return place
    read = policy_form.read_window(form)
    if not read.wrong and read.entries["plan_from"] < read.entries["plan_until"]:
        session.expunge(place)
        place.plan_from, place.plan_until = read.entries["plan_from"], read.entries["plan_until"]
    return place


# ── who changed what ──────────────────────────────────────────────────────────────────────────────


def changes(session: Session, of: Whose) -> list[Change]:
    """The latest, newest first; a neighbourhood's with those of its elders."""
    query = select(RosterChange).where(RosterChange.neighbourhood_id == of.place.id, RosterChange.what.in_(_SECTIONS))
    rows = session.scalars(query.order_by(RosterChange.id.desc()).limit(10 * CHANGES)).all()
    wanted = [row for row in rows if of.elder is None or row.detail.get("elder") == of.elder.id][:CHANGES]
    known = _names(session, [str(row.detail["elder"]) for row in wanted if row.detail.get("elder")])
    return [
        Change(row.at, row.who, known.get(str(row.detail.get("elder")), ""), tuple(_entries(row.detail)))
        for row in wanted
    ]


def _names(session: Session, ids: Sequence[str]) -> dict[str, str]:
    found = session.execute(select(Person.id, Person.name).where(Person.id.in_(ids)))
    return {person: name for person, name in found}


def _entries(detail: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    changed: Mapping[str, Sequence[Any]] = detail.get("changed") or {}
    return [(entry_zh(name), *(_value(name, each) for each in both[:2])) for name, both in changed.items()]  # type: ignore[misc]


def entry_zh(name: str) -> str:
    """ "unreached.finding_within" → "没联系上 · 答应以后，几分钟内要有结果"."""
    part, _, entry = name.rpartition(".")
    fields = {each.name: each.zh for each in (*policy_form.fields_of(part or CALLS), *policy_form.WINDOW_FIELDS)}
    fields |= {"steps": "级别", "loop": "打完以后", "quiet": "晚上不打", "office": "上班时间才打", "seen": "要见到本人"}
    said = fields.get(entry, entry)
    return f"{PART_ZH[part][0]} · {said}" if part in PART_ZH else said


def _value(name: str, value: Any) -> str:
    if value is None:
        return "—"
    if name.rpartition(".")[2] == "steps":
        return f"{len(value)} 级"
    if isinstance(value, list):
        later = value[1:] if name == "try_after" else value
        return "、".join(WHO_ZH.get(each, str(each)) for each in later) or "无"
    clock = name.rpartition(".")[2].endswith(("_from", "_until", "unserved_at")) and isinstance(value, int)
    return f"{value // 60:02}:{value % 60:02}" if clock else str(value)


# ── the list ──────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class PlaceLine:
    id: int
    name: str
    own_parts: tuple[str, ...]
    elders: tuple[tuple[str, str, tuple[str, ...]], ...] = field(repr=False)  # id, name, which parts differ


def places(session: Session) -> list[PlaceLine]:
    """All neighbourhoods, with the elders who have policies of their own."""
    elders: dict[int, list[tuple[str, str, tuple[str, ...]]]] = {}
    query = select(Person).where(Person.role == Role.ELDER, Person.state.not_in(GONE))
    query = query.where(Person.policy.is_not(None) | Person.escalation.is_not(None)).order_by(Person.name)
    for person in session.scalars(query):
        if parts := _parts(person):
            elders.setdefault(person.neighbourhood_id, []).append((person.id, person.name, parts))
    found = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id))
    return [PlaceLine(each.id, each.name, _parts(each), tuple(elders.get(each.id, ()))) for each in found]


def _parts(of: Neighbourhood | Person) -> tuple[str, ...]:
    own = policy_drafts.written(of)
    return tuple(PART_ZH[part][0] for part in PARTS if own.part(part))
