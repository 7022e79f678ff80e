"""Changes of the roster. Each names who says so (`by`), is checked, and is kept with its moment in `roster_change`.

RosterError (or a value's ValueError) says what is wrong; nothing is changed then. Changes of one
neighbourhood wait for each other. They count from the next call on, in cases that are open too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, func, or_, select
from sqlalchemy.orm import Session

from checkins.names import is_name, named
from checkins.phones import to_e164
from checkins.roster.errors import RosterError
from checkins.roster.holidays import Calendar
from checkins.roster.loading import load_rotation
from checkins.roster.spans import Minutes
from checkins.roster.tables import (
    CalendarDay,
    RosterChange,
    RosterDuty,
    RosterFamily,
    RosterLeave,
    RosterOverride,
    RosterPair,
    RosterShift,
    RosterSubstitute,
    RosterTurn,
)
from checkins.roster.turns import without
from checkins.roster.values import VOLUNTEERS_HOURS, Leave, Override, Rotation, Shift
from checkins.tables import GONE, ROLE_ZH, Neighbourhood, Person, Role

_VISITORS = (Role.BUDDY, Role.STAFF)  # who may be sent to an elder's door
_WORDS = {Role.ELDER: "an elder", Role.BUDDY: "a buddy", Role.STAFF: "staff", Role.FAMILY: "family"}


def pair(session: Session, elder_id: str, buddy_id: str, by: str, now: datetime) -> None:
    """Makes somebody a buddy of an elder, after those there are. The elder must have agreed to share with buddies."""
    by = word(by)
    elder = _elder(session, elder_id)
    _person(session, buddy_id, elder.neighbourhood_id, _VISITORS)
    if not elder.consents.get("buddy"):
        raise RosterError(
            "this elder has not agreed that a buddy hears of them: record the consent “buddy” first",
            "这位老人没有同意告诉老伙伴：请先登记同意",
        )
    if _pair(session, elder_id, buddy_id) is not None:
        raise RosterError("these two are a pair already", "这两位已经结对")
    last = session.scalar(select(func.max(RosterPair.position)).where(RosterPair.elder_id == elder_id))
    place_id, position = elder.neighbourhood_id, 0 if last is None else last + 1
    session.add(RosterPair(neighbourhood_id=place_id, elder_id=elder_id, buddy_id=buddy_id, position=position))
    _note(session, place_id, "pair", by, now, elder=elder_id, buddy=buddy_id)


def unpair(session: Session, elder_id: str, buddy_id: str, by: str, now: datetime) -> None:
    """Ends a pair; its substitutes go with it."""
    by = word(by)
    row = _known_pair(session, elder_id, buddy_id)
    session.execute(delete(RosterSubstitute).where(RosterSubstitute.pair_id == row.id))
    session.delete(row)
    _note(session, row.neighbourhood_id, "unpair", by, now, elder=elder_id, buddy=buddy_id)


def set_substitutes(session: Session, neighbourhood_id: int, people: Sequence[str], by: str, now: datetime) -> None:
    """Who is rung for any elder when all else fails, in order, instead of whoever it was before."""
    by = word(by)
    _several(session, people, _place(session, neighbourhood_id).id, _VISITORS)
    session.execute(delete(RosterSubstitute).where(*_of_place(neighbourhood_id)))
    _add_substitutes(session, neighbourhood_id, None, people)
    _note(session, neighbourhood_id, "substitutes", by, now, people=[*people])


def set_pair_substitutes(
    session: Session, elder_id: str, buddy_id: str, people: Sequence[str], by: str, now: datetime
) -> None:
    """Who is rung for this elder when this buddy can't, in order, instead of whoever it was before."""
    by = word(by)
    row = _known_pair(session, elder_id, buddy_id)
    _several(session, people, row.neighbourhood_id, _VISITORS)
    if buddy_id in people:
        raise RosterError("nobody stands in for themselves", "不能自己替自己")
    session.execute(delete(RosterSubstitute).where(RosterSubstitute.pair_id == row.id))
    _add_substitutes(session, row.neighbourhood_id, row.id, people)
    _note(session, row.neighbourhood_id, "substitutes", by, now, elder=elder_id, buddy=buddy_id, people=[*people])


def set_shifts(session: Session, person_id: str, shifts: Sequence[Shift], by: str, now: datetime) -> None:
    """The weekly times of a buddy, instead of those before; none: whenever volunteers may be rung. ValueError when one
    lies outside of volunteers' hours, where it would never count."""
    by = word(by)
    person = _anyone(session, person_id)
    _check_role(person, _VISITORS)
    begins, ends = VOLUNTEERS_HOURS[0]
    if any(shift.begins < begins or shift.ends > ends for shift in shifts):
        raise RosterError(
            "volunteers are rung from 08:00 to 21:00 only: a shift must lie within",
            "志愿者只在8点到21点之间接电话，时段要在这之内",
        )
    session.execute(delete(RosterShift).where(RosterShift.person_id == person_id))
    for shift in shifts:
        times = {"weekday": shift.weekday, "begins": shift.begins, "ends": shift.ends}
        session.add(RosterShift(neighbourhood_id=person.neighbourhood_id, person_id=person_id, **times))
    detail = [[shift.weekday, shift.begins, shift.ends] for shift in shifts]
    _note(session, person.neighbourhood_id, "shifts", by, now, person=person_id, shifts=detail)


def put_on_leave(session: Session, person_id: str, begins: datetime, ends: datetime, by: str, now: datetime) -> int:
    """Nobody rings this person in [begins, ends). Returns the leave's id."""
    by = word(by)
    _rises(begins, ends)
    Leave(begins, ends)
    person = _anyone(session, person_id)
    if person.role == Role.ELDER:
        raise RosterError("this is an elder: pause their calls in the register instead", "这是老人：请在登记里暂停拨打")
    _not_over(ends, now)
    row = RosterLeave(neighbourhood_id=person.neighbourhood_id, person_id=person_id, begins=begins, ends=ends)
    return _add_span(session, row, "leave", by, now, person=person_id)


def end_leave(session: Session, leave_id: int, by: str, now: datetime) -> None:
    """Somebody is back before time, or never went."""
    by = word(by)
    row = session.get(RosterLeave, leave_id)
    if row is None:
        raise RosterError("there is no such leave any more", "没有这条请假了")
    _end_span(session, row, "leave", by, now)


def override(
    session: Session,
    person_id: str,
    begins: datetime,
    ends: datetime,
    by: str,
    now: datetime,
    *,
    instead_of: str | None = None,
    elder_id: str | None = None,
) -> int:
    """In [begins, ends) this person stands in for another, or is rung first for an elder. For staff only staff can
    stand in, since duty is round the clock. Returns the override's id."""
    by = word(by)
    _rises(begins, ends)
    if instead_of == person_id:
        raise RosterError("nobody stands in for themselves", "不能自己替自己")
    if instead_of is None and elder_id is None:
        raise RosterError("say instead of whom, or for which elder", "请写明替谁，或者为哪位老人")
    Override(person_id, begins, ends, instead_of, elder_id)
    person = _anyone(session, person_id)
    _check_role(person, _VISITORS)
    _not_over(ends, now)
    if instead_of is not None:
        other = _person(session, instead_of, person.neighbourhood_id, _VISITORS)
        if other.role == Role.STAFF and person.role != Role.STAFF:
            raise RosterError(
                "only staff can stand in for staff: duty goes on through the night",
                "值班要过夜，只有工作人员能替工作人员",
            )
    if elder_id is not None and _elder(session, elder_id).neighbourhood_id != person.neighbourhood_id:
        raise RosterError("this elder belongs to another neighbourhood", "这位老人属于别的居委")
    names = {"person_id": person_id, "instead_of": instead_of, "elder_id": elder_id}
    row = RosterOverride(neighbourhood_id=person.neighbourhood_id, begins=begins, ends=ends, **names)
    return _add_span(session, row, "override", by, now, **names)


def end_override(session: Session, override_id: int, by: str, now: datetime) -> None:
    """Takes an override back, from now on."""
    by = word(by)
    row = session.get(RosterOverride, override_id)
    if row is None:
        raise RosterError("there is no such override any more", "没有这条顶班了")
    _end_span(session, row, "override", by, now)


def set_rotation(session: Session, neighbourhood_id: int, rotation: Rotation | None, by: str, now: datetime) -> None:
    """How duty goes round, instead of how it did; None: there is none (gaps will say so)."""
    by = word(by)
    people = () if rotation is None else rotation.people
    row = _duty(session, neighbourhood_id)
    _several(session, dict.fromkeys(people), neighbourhood_id, (Role.STAFF,))
    _put_turns(session, neighbourhood_id, people)
    row.rotation = None if rotation is None else _rotation_json(rotation)
    _note(session, neighbourhood_id, "rotation", by, now, people=[*people], rotation=row.rotation)


def set_deputy(session: Session, neighbourhood_id: int, person_id: str | None, by: str, now: datetime) -> None:
    """Who is rung beside the one on duty when that one does not accept; None: the next in the rotation."""
    by = word(by)
    row = _duty(session, neighbourhood_id)
    if person_id is not None:
        _person(session, person_id, neighbourhood_id, (Role.STAFF,))
    row.deputy_id = person_id
    _note(session, neighbourhood_id, "deputy", by, now, person=person_id)


def set_working_hours(session: Session, neighbourhood_id: int, hours: Minutes, by: str, now: datetime) -> None:
    """Clock times (minutes) of a working day, e.g. ((510, 690), (810, 1020)) with a break at noon."""
    by = word(by)
    Calendar(hours=hours)
    row = _duty(session, neighbourhood_id)
    row.hours = [[begins, ends] for begins, ends in hours]
    _note(session, neighbourhood_id, "working_hours", by, now, hours=row.hours)


def set_family(session: Session, elder_id: str, people: Sequence[str], by: str, now: datetime) -> None:
    """An elder's family in the order in which they are rung, instead of whoever it was before. The elder must have
    agreed to share with family."""
    by = word(by)
    elder = _elder(session, elder_id)
    if people and not elder.consents.get("family"):
        raise RosterError(
            "this elder has not agreed that family hears of them: record the consent “family” first",
            "这位老人没有同意告诉家属：请先登记同意",
        )
    _several(session, people, elder.neighbourhood_id, (Role.FAMILY,))
    session.execute(delete(RosterFamily).where(RosterFamily.elder_id == elder_id))
    for position, person_id in enumerate(people):
        places = {"neighbourhood_id": elder.neighbourhood_id, "elder_id": elder_id, "position": position}
        session.add(RosterFamily(person_id=person_id, **places))
    _note(session, elder.neighbourhood_id, "family", by, now, elder=elder_id, people=[*people])


def set_street(session: Session, neighbourhood_id: int, name: str, number: str | None, by: str, now: datetime) -> None:
    """The street office's 24-hour number, in any way of writing it; None: there is none. NumberError when it is no
    number."""
    by = word(by)
    row = _duty(session, neighbourhood_id)
    if number is not None and not 0 < len(name.strip()) <= 100:
        raise RosterError(
            "say who answers at this number, in at most 100 characters: e.g. 曹杨新村街道",
            "请写明这个号码是谁接，不超过100个字，例如：曹杨新村街道",
        )
    area_code = session.get_one(Neighbourhood, neighbourhood_id).area_code
    row.street_number = None if number is None else to_e164(number, area_code)
    row.street_name = None if number is None else name.strip()
    _note(session, neighbourhood_id, "street", by, now, given=number is not None)


def set_working_day(session: Session, day: date, working: bool | None, by: str, now: datetime) -> None:
    """Says for all neighbourhoods whether `day` is a working day; None: what the notice and the weekday say."""
    by = word(by)
    session.execute(delete(CalendarDay).where(CalendarDay.day == day))
    if working is not None:
        session.add(CalendarDay(day=day, working=working))
    _note(session, None, "working_day", by, now, day=day.isoformat(), working=working)


def take_off(session: Session, person_id: str, by: str, now: datetime) -> None:
    """Takes somebody out of everything that is ahead, e.g. who moved, died, or helps no longer: pairs (an elder's own,
    too), substitutes, shifts, family, leave, overrides, deputy and rotation. Whose turn of duty it is now stays so."""
    by = word(by)
    person = session.get(Person, person_id)
    if person is None:
        raise RosterError("there is nobody like this in the register (any more)", "登记里没有这个人（了）")
    place = _place(session, person.neighbourhood_id)
    pairs = select(RosterPair.id).where(or_(RosterPair.elder_id == person_id, RosterPair.buddy_id == person_id))
    gone = RosterSubstitute.pair_id.in_(pairs) | (RosterSubstitute.person_id == person_id)
    session.execute(delete(RosterSubstitute).where(gone))
    session.execute(delete(RosterPair).where(RosterPair.id.in_(pairs.scalar_subquery())))
    session.execute(delete(RosterShift).where(RosterShift.person_id == person_id))
    session.execute(
        delete(RosterFamily).where(or_(RosterFamily.elder_id == person_id, RosterFamily.person_id == person_id))
    )
    _cut_spans(session, person_id, now)
    _leave_duty(session, place, person_id, now)
    _note(session, place.id, "taken_off", by, now, person=person_id)


def _cut_spans(session: Session, person_id: str, now: datetime) -> None:
    """Leave and overrides that name them end now; what was stays as it was."""
    concerned = or_(
        RosterOverride.person_id == person_id,
        RosterOverride.instead_of == person_id,
        RosterOverride.elder_id == person_id,
    )
    rows: list[RosterLeave | RosterOverride] = [
        *session.scalars(select(RosterLeave).where(RosterLeave.person_id == person_id, RosterLeave.ends > now)),
        *session.scalars(select(RosterOverride).where(concerned, RosterOverride.ends > now)),
    ]
    for row in rows:
        _cut(session, row, now)


def _leave_duty(session: Session, place: Neighbourhood, person_id: str, now: datetime) -> None:
    row = session.get(RosterDuty, place.id)
    if row is None:
        return
    if row.deputy_id == person_id:
        row.deputy_id = None
    rotation = load_rotation(session, row)
    if rotation is None or person_id not in rotation.people:
        return
    rest = without(rotation, person_id, place.timezone, now)
    row.rotation = None if rest is None else _rotation_json(rest)
    _put_turns(session, place.id, () if rest is None else rest.people)


def word(by: str) -> str:
    """The name of whoever says so."""
    if not is_name(by) or len(by.strip()) > 100:
        raise RosterError(
            "say who, in at most 100 characters: the roster is changed on somebody's word",
            "请写上您的姓名，不超过100个字：改值班表要有名有姓",
        )
    return named(by)


def _place(session: Session, neighbourhood_id: int) -> Neighbourhood:
    """The neighbourhood, held against other changes of its roster until this one is written."""
    place = session.get(Neighbourhood, neighbourhood_id, with_for_update={"key_share": True})
    if place is None:
        raise RosterError("there is no such neighbourhood", "没有这个居委")
    return place


def _anyone(session: Session, person_id: str) -> Person:
    person = session.get(Person, person_id)
    if person is None or person.state in GONE:
        raise RosterError("there is nobody like this in the register (any more)", "登记里没有这个人（了）")
    _place(session, person.neighbourhood_id)
    return person


def _elder(session: Session, elder_id: str) -> Person:
    elder = _anyone(session, elder_id)
    _check_role(elder, (Role.ELDER,))
    return elder


def _person(session: Session, person_id: str, neighbourhood_id: int, roles: Collection[Role]) -> Person:
    person = _anyone(session, person_id)
    if person.neighbourhood_id != neighbourhood_id:
        raise RosterError("this person belongs to another neighbourhood", "这个人属于别的居委")
    _check_role(person, roles)
    return person


def _check_role(person: Person, roles: Collection[Role]) -> None:
    if person.role not in roles:
        wanted = " or ".join(_WORDS[role] for role in roles)
        is_zh, wanted_zh = ROLE_ZH[Role(person.role)], "或".join(ROLE_ZH[role] for role in roles)
        raise RosterError(
            f"the register has this person as {_WORDS[Role(person.role)]}; {wanted} is needed here",
            f"登记里这个人是{is_zh}，这里要{wanted_zh}",
        )


def _several(session: Session, people: Collection[str], neighbourhood_id: int, roles: Collection[Role]) -> None:
    if len(set(people)) < len(people):
        raise RosterError("somebody is named twice", "有人写了两遍")
    for person_id in people:
        _person(session, person_id, neighbourhood_id, roles)


def _pair(session: Session, elder_id: str, buddy_id: str) -> RosterPair | None:
    return session.scalar(select(RosterPair).where(RosterPair.elder_id == elder_id, RosterPair.buddy_id == buddy_id))


def _known_pair(session: Session, elder_id: str, buddy_id: str) -> RosterPair:
    row = _pair(session, elder_id, buddy_id)
    if row is None:
        raise RosterError("these two are no pair", "这两位没有结对")
    _place(session, row.neighbourhood_id)
    return row


def _of_place(neighbourhood_id: int) -> tuple[ColumnElement[bool], ...]:
    return RosterSubstitute.neighbourhood_id == neighbourhood_id, RosterSubstitute.pair_id.is_(None)


def _add_substitutes(session: Session, place_id: int, pair_id: int | None, people: Sequence[str]) -> None:
    for position, person_id in enumerate(people):
        places = {"neighbourhood_id": place_id, "pair_id": pair_id, "position": position}
        session.add(RosterSubstitute(person_id=person_id, **places))


def _duty(session: Session, neighbourhood_id: int) -> RosterDuty:
    place = _place(session, neighbourhood_id)
    row = session.get(RosterDuty, place.id)
    if row is None:
        row = RosterDuty(neighbourhood_id=place.id)
        session.add(row)
    return row


def _put_turns(session: Session, neighbourhood_id: int, people: Sequence[str]) -> None:
    session.execute(delete(RosterTurn).where(RosterTurn.neighbourhood_id == neighbourhood_id))
    for position, person_id in enumerate(people):
        session.add(RosterTurn(neighbourhood_id=neighbourhood_id, position=position, person_id=person_id))


def _rotation_json(rotation: Rotation) -> dict[str, Any]:
    until = None if rotation.until is None else rotation.until.isoformat()
    anchor = rotation.anchor.isoformat()
    return {
        "anchor": anchor,
        "weekday": rotation.weekday,
        "minute": rotation.minute,
        "days": rotation.days,
        "until": until,
    }


def _rises(begins: datetime, ends: datetime) -> None:
    if begins >= ends:
        raise RosterError("it must begin before it ends", "开始要早于结束")


def _not_over(ends: datetime, now: datetime) -> None:
    if ends <= now:
        raise RosterError("this time is over already", "这段时间已经过去了")


def _add_span(
    session: Session, row: RosterLeave | RosterOverride, what: str, by: str, now: datetime, **detail: Any
) -> int:
    session.add(row)
    session.flush()
    times = {"begins": _text(row.begins), "ends": _text(row.ends)}
    _note(session, row.neighbourhood_id, what, by, now, id=row.id, **times, **detail)
    return row.id


def _end_span(session: Session, row: RosterLeave | RosterOverride, what: str, by: str, now: datetime) -> None:
    """Ends it now; what has not begun goes altogether."""
    _place(session, row.neighbourhood_id)
    _not_over(row.ends, now)
    _cut(session, row, now)
    _note(session, row.neighbourhood_id, f"{what}_ended", by, now, id=row.id)


def _cut(session: Session, row: RosterLeave | RosterOverride, now: datetime) -> None:
    if row.begins >= now:
        session.delete(row)
    else:
        row.ends = now


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat()


def _note(session: Session, place_id: int | None, what: str, by: str, now: datetime, **detail: Any) -> None:
    session.add(RosterChange(neighbourhood_id=place_id, at=now, what=what, who=by, detail=detail))
    session.flush()
