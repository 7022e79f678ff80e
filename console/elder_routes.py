"""One elder's page, and the forms that change the register: by the acts that the command line has, and no others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from checkins import consents, people, refusals
from checkins.consents import HOW_ZH, Word
from checkins.names import says_something
from checkins.people_csv import CONSENTS, reader, value_of
from checkins.register_log import SELF, How
from checkins.register_words import FIELD_ZH, STATE_ZH
from checkins.schedule import local_date
from checkins.tables import MODE_ZH, Neighbourhood, Person, Role, State
from community import register_entry
from console import elder_plot, elder_view, elder_words
from console.deps import Deps
from console.forms import done, fields, name_of
from console.guard import PageError
from console.pages import Pages

Typed = Mapping[str, str]
_Change = Callable[[Session, Person, Typed, str, datetime], None]

NO_ELDER = PageError(404, "没有这位老人。", "there is no such elder")
NO_FORM = PageError(404, "没有这个表单。", "there is no such form")
_HOW = tuple((str(how), zh) for how, zh in HOW_ZH.items() if how != How.FILE)
_YES = "1"


class WrongError(ValueError):
    """What was typed can't be saved; the sentence says what to do."""


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/elder/{person_id}")
    async def elder(request: Request, person_id: str) -> Response:
        return await _show(deps, pages, person_id, by=name_of(request))

    @router.post("/elder/{person_id}/{what}")
    async def change(request: Request, person_id: str, what: str) -> Response:
        typed = await fields(request, 40)
        if what not in _CHANGES:
            raise NO_FORM
        by, now = name_of(), deps.clock.now()
        try:
            await deps.db.run(lambda session: _CHANGES[what](session, _elder(session, person_id), typed, by, now))
        except WrongError as error:
            wrong = f"没有保存：{error}"
            return await _show(deps, pages, person_id, by=by, wrong=wrong, typed={**_kept(typed), "form": what})
        return done(f"/elder/{person_id}")


async def _show(
    deps: Deps, pages: Pages, person_id: str, *, by: str, wrong: str = "", typed: Typed | None = None
) -> Response:
    now = deps.clock.now()
    page, shell = await pages.look(lambda session: elder_view.look(session, person_id, now, pages.kept))
    if page is None:
        raise NO_ELDER
    return await pages.shown(
        "elder.html",
        shell,
        by,
        422 if wrong else 200,
        here=f"/elder/{page.id}",
        page=page,
        wrong=wrong,
        typed=typed or {},
        kinds=elder_plot.KIND_ZH,
        elder_words=elder_words,
        modes=MODE_ZH,
        states=STATE_ZH,
        hows=_HOW,
    )


def _elder(session: Session, person_id: str) -> Person:
    person = session.get(Person, person_id)
    if person is None or person.role != Role.ELDER:
        raise NO_ELDER
    return person


# ── the changes ───────────────────────────────────────────────────────────────────────────────────


def _entry(session: Session, person: Person, typed: Typed, by: str, now: datetime) -> None:
    """What was typed and differs from what the register has: all of it, or nothing. Of what somebody else has changed
    since the form was made, nothing is written over."""
    word = _word(person, typed, by, now, session)
    changed = [
        column
        for column in elder_view.FIELDS
        if column in typed and not _as_given(typed, column) and _differs(session, person, column, typed[column], now)
    ]
    if crossed := [column for column in changed if _changed_since(session, person, column, typed, now)]:
        raise WrongError(
            "".join(_both_zh(person, column, typed) for column in crossed) + "要改就再保存一次。Changed meanwhile."
        )
    if not changed:
        raise WrongError("没有改动。Nothing was changed.")
    for column in changed:
        try:
            register_entry.write(session, person, column, typed[column], word, now)
        except ValueError:
            raise _wrong_text(column) from None


def _as_given(typed: Typed, column: str) -> bool:
    """Whether the field still holds what the form was given."""
    return column in typed and typed.get(f"was-{column}") == typed[column]


def _changed_since(session: Session, person: Person, column: str, typed: Typed, now: datetime) -> bool:
    was = typed.get(f"was-{column}")
    if was is None:
        return False
    try:
        return _differs(session, person, column, was, now)
    except WrongError:  # it can't have been shown so
        return True


def _both_zh(person: Person, column: str, typed: Typed) -> str:
    now = elder_words.entry_zh(column, elder_view.entry(person)[column])
    return f"{FIELD_ZH[column]}刚才被改成「{now}」，您写的是「{elder_words.entry_zh(column, typed[column])}」。"


def _kept(typed: Typed) -> Typed:
    """What is shown again: what was typed. The rest of the form is what the register has now."""
    return {key: value for key, value in typed.items() if key not in elder_view.FIELDS or not _as_given(typed, key)}


def _differs(session: Session, person: Person, column: str, text: str, now: datetime) -> bool:
    """However it is written: 021-1000 0001 is the number that is there."""
    place = session.get_one(Neighbourhood, person.neighbourhood_id)
    try:
        said = reader(column, place.area_code, local_date(place.timezone, now))(text.strip())
    except ValueError:
        raise _wrong_text(column) from None
    return said != value_of(person, column)


def _wrong_text(column: str) -> WrongError:
    hint = elder_words.HINT_ZH.get(column, "")
    return WrongError(f"{FIELD_ZH[column]}写得不对{'：' + hint if hint else ''}。")


def _consents(session: Session, person: Person, typed: Typed, by: str, now: datetime) -> None:
    agreed = [purpose for purpose in CONSENTS if _agreed(person, typed, purpose)]
    if set(agreed) == {purpose for purpose in CONSENTS if person.consents.get(purpose)}:
        raise WrongError("没有改动。Nothing was changed.")
    consents.replace(session, person.id, agreed, _word(person, typed, by, now, session), now)
    people.note_change(session, person.id, "consents", by, now)


def _agreed(person: Person, typed: Typed, purpose: str) -> bool:
    """As it is ticked; what nobody ticked anew stays as the register has it now."""
    ticked = typed.get(f"agrees-{purpose}") == _YES
    was = typed.get(f"was-agrees-{purpose}")
    return bool(person.consents.get(purpose)) if was is not None and ticked == (was == _YES) else ticked


def _state(session: Session, person: Person, typed: Typed, by: str, now: datetime) -> None:
    if typed.get("state") not in list(State):
        raise WrongError("请选状态。Choose a state.")
    state, until = State(typed["state"]), _until(session, person, typed, now)
    word = _word(person, typed, by, now, session)
    people.set_state(session, person.id, state, by, now, until=until, said_by=word.said_by, how=word.how)
    people.note_change(session, person.id, "state", by, now)


def _until(session: Session, person: Person, typed: Typed, now: datetime) -> date | None:
    if typed["state"] != State.PAUSED:
        return None
    until = _day(typed.get("until", ""))
    if until is None or until < _today(session, person, now):
        raise WrongError("暂停要写最后一天，不能早于今天。A pause has a last day.")
    return until


def _refusal(session: Session, person: Person, typed: Typed, by: str, now: datetime) -> None:
    if typed.get("meant") not in ("1", "0"):
        raise WrongError("请选：是不是本人的意思。Was it their own wish?")
    try:
        refusals.asked(session, person.id, by, now, meant=typed["meant"] == _YES, found=typed.get("found", ""))
    except ValueError:
        raise WrongError("这位老人没有说过不要自动电话。This elder has not refused calls.") from None


_CHANGES: Mapping[str, _Change] = {"entry": _entry, "consents": _consents, "state": _state, "refusal": _refusal}


def _word(person: Person, typed: Typed, by: str, now: datetime, session: Session) -> Word:
    """On whose word: the elder's own, or that of whoever is named."""
    said, how = typed.get("said_by", "").strip(), typed.get("how", "")
    on = _day(typed.get("on", "")) if typed.get("on", "").strip() else None
    if typed.get("on", "").strip() and (on is None or on > _today(session, person, now)):
        raise WrongError("日期不对：请写不晚于今天的日期。The day is wrong.")
    if said and not says_something(said):
        raise WrongError("请写是谁说的，空着表示本人。Say whose word it is.")
    return Word(by.strip(), said[:100] or SELF, How(how) if how in list(How) else None, on)


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        return None


def _today(session: Session, person: Person, now: datetime) -> date:
    return local_date(session.get_one(Neighbourhood, person.neighbourhood_id).timezone, now)
