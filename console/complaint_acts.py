"""What staff do with a complaint on its page, as the forms send it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.tables import Person, Role
from community import meetings, rows, staff
from community.policy import Deadlines
from community.tables import Complaint, Outcome
from community.wrong import Wrong
from console.typed import Deed

TIMES = ("time1", "time2", "time3", "time4")
_SAID = {"solved": Outcome.SOLVED, "not_solved": Outcome.NOT_SOLVED, "talk": Outcome.TALK}
_NEIGHBOUR = "邻居"


def take(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    """It is `by`'s, if whose it was on the page has it still."""
    deed.is_taken_from(rows.by_number(session, deed.number).owner)
    staff.assign(session, deed.number, deed.by, deed.by, deed.now)


def assign(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    if not deed.text("to", 100):
        raise Wrong("请选交给谁", "say who sees to it")
    staff.assign(session, deed.number, deed.text("to", 100), deed.by, deed.now)


def heard(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    if not deed.text("words"):
        raise Wrong("请写上打电话问到了什么", "write down what they said when you rang them")
    staff.hear(session, deed.number, deed.by, deed.now, deed.text("words"))


def sort(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    staff.sort(session, deed.number, deed.text("category"), deed.text("where", 100), deed.by, deed.now)


def reply(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    text = deed.text("text") if not deed.recording else ""
    staff.reply(session, deed.number, deed.by, deed.now, text or None, deed.recording)


def said(session: Session, deed: Deed, deadlines: Deadlines) -> None:
    outcome = _SAID.get(deed.text("outcome"))
    if outcome is None:
        raise Wrong("请选解决了没有", "say whether it is solved")
    in_person = deed.text("how") == "in_person"
    staff.said(session, deed.number, outcome, deed.text("words"), deed.by, deed.now, deadlines, in_person=in_person)


def discuss(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    if not deed.text("who", 100):
        raise Wrong("请写上是谁说的", "say whose words these are")
    staff.discuss(session, deed.number, deed.text("who", 100), deed.text("text"), deed.by, deed.now)


def offer(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    row, other = rows.by_number(session, deed.number), deed.text("other", 100)
    zone = rows.calendar(session, row).zone
    times = [at for name in TIMES if (at := deed.moment(name, zone)) is not None]
    other_id = _other(session, row, other) if other else None
    with_whom = deed.text("with_whom", 200) or (_NEIGHBOUR if other else "")
    meetings.offer(session, deed.number, times, deed.text("where", 100), with_whom, deed.by, deed.now, other_id)


def fix(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    at = deed.moment("at", rows.calendar(session, rows.by_number(session, deed.number)).zone)
    if at is None:
        raise Wrong("请写上时间", "say when")
    with_whom = deed.text("with_whom", 200)
    staff.meet(session, deed.number, at, deed.text("where", 100), with_whom, deed.by, deed.now)


def met(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    staff.met(session, deed.number, deed.text("outcome"), deed.by, deed.now, _which(deed))


def call_off(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    staff.call_off(session, deed.number, deed.text("why"), deed.by, deed.now, _which(deed))


def above(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    staff.level_above(session, deed.number, deed.by, deed.now)


def publish(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    staff.publish(session, deed.number, deed.text("text"), deed.by, deed.now)


def visit(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    staff.visited(session, deed.number, deed.text("found"), deed.by, deed.now)


def close(session: Session, deed: Deed, _deadlines: Deadlines) -> None:
    staff.close(session, deed.number, deed.by, deed.now, found=deed.text("found"))


def _which(deed: Deed) -> datetime | None:
    """The meeting that the form is about; None: the times that are offered."""
    text = deed.text("meeting", 40)
    try:
        return datetime.fromisoformat(text) if text else None
    except ValueError:
        raise Wrong("没有约着的见面", "no meeting is open") from None


def _other(session: Session, row: Complaint, text: str) -> str:
    """The elder of the same neighbourhood who is called so, or has this number."""
    query = select(Person).where(Person.neighbourhood_id == row.neighbourhood_id, Person.role == Role.ELDER)
    digits = "".join(filter(str.isdecimal, text))
    which = Person.number.endswith(digits) if len(digits) >= 7 else Person.name == text
    found = session.scalars(query.where(which).limit(2)).all()
    if not found:
        raise Wrong(f"登记里没有{text}：请空着，自己去告诉", "the other party is not in the register")
    if len(found) > 1:
        raise Wrong(f"有几位叫{text}：请写电话号码", "several are called so: write the number")
    return found[0].id


Act = Callable[[Session, Deed, Deadlines], None]
ACTS: Mapping[str, Act] = {
    "take": take,
    "assign": assign,
    "heard": heard,
    "sort": sort,
    "reply": reply,
    "said": said,
    "discuss": discuss,
    "offer": offer,
    "fix": fix,
    "met": met,
    "call-off": call_off,
    "level-above": above,
    "publish": publish,
    "visit": visit,
    "close": close,
}
