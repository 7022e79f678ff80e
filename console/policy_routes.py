"""The pages of the policies: how elders are called and who is rung, for a neighbourhood or for one elder. Saved by the
acts that the command line has; a page that is older than what it would change saves nothing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from fastapi import APIRouter, Request, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import policies, policy_drafts
from checkins.policy_drafts import CALLS, PARTS, Written
from checkins.roster.values import Roster
from checkins.tables import Neighbourhood
from console import policy_faults, policy_form, policy_view, preview_words
from console.deps import Deps
from console.escalation_words import WHO_FIELDS
from console.forms import done, fields, name_of, row_number
from console.guard import PageError
from console.pages import Pages, short
from console.policy_form import Typed
from console.policy_view import Desk, PolicyPage, Whose
from console.preview_view import Asked

NOBODY = PageError(404, "没有这个居委或老人。", "there is no such neighbourhood or elder")
_MOST_FIELDS = 100
_SAVE, _BACK = "save", "back"


class WrongError(Exception):
    """Nothing is saved. `fields`: what is wrong, by field."""

    def __init__(self, said: str, fields: Mapping[str, str] | None = None) -> None:
        super().__init__(said)
        self.fields = fields or {}


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    desk = _Pages(deps, pages)

    @router.get("/policies")
    async def all_places(request: Request) -> Response:
        found, shell = await pages.look(policy_view.places)
        return await pages.shown("policies.html", shell, name_of(request), here="/policies", places=found)

    @router.get("/policies/elder/{person_id}")
    async def of_elder(request: Request, person_id: str) -> Response:
        return await desk.show(None, person_id, request.query_params)

    @router.post("/policies/elder/{person_id}")
    async def change_elder(request: Request, person_id: str) -> Response:
        return await desk.act(None, person_id, await fields(request, _MOST_FIELDS))

    @router.post("/policies/elder/{person_id}/preview")
    async def preview_elder(request: Request, person_id: str) -> Response:
        return await desk.preview(None, person_id, await fields(request, _MOST_FIELDS))

    @router.get("/policies/{place}")
    async def of_place(request: Request, place: str) -> Response:
        return await desk.show(row_number(place, NOBODY), "", request.query_params)

    @router.post("/policies/{place}")
    async def change_place(request: Request, place: str) -> Response:
        return await desk.act(row_number(place, NOBODY), "", await fields(request, _MOST_FIELDS))

    @router.post("/policies/{place}/preview")
    async def preview_place(request: Request, place: str) -> Response:
        return await desk.preview(row_number(place, NOBODY), "", await fields(request, _MOST_FIELDS))


class _Pages:
    def __init__(self, deps: Deps, pages: Pages) -> None:
        self._deps, self._pages = deps, pages

    async def show(
        self,
        place: int | None,
        elder: str,
        asked: Mapping[str, str],
        *,
        typed: Typed | None = None,
        wrong: WrongError | None = None,
    ) -> Response:
        part, now = part_of(asked), self._deps.clock.now()

        def look(session: Session) -> PolicyPage:
            of = _whose(session, place, elder)
            return policy_view.look(session, of, part, Asked.of(asked), typed, self._desk(now))

        page, shell = await self._pages.look(look)
        values: dict[str, Any] = {
            "page": page,
            "parts": policy_view.PART_ZH,
            "form": policy_form,
            "who_fields": WHO_FIELDS,
            "happens": preview_words.HAPPENS_ZH,
            "answers": preview_words.ANSWERS_ZH,
            "wrong": str(wrong) if wrong else "",
            "faults": wrong.fields if wrong else {},
            "typed": typed is not None,
            "stamp": (typed or {}).get("stamp", page.stamp),
        }
        status, here = 422 if wrong else 200, f"{page.url}?part={part}"
        answer = await self._pages.shown("policy.html", shell, name_of(), status, here=here, **values)
        answer.headers["HX-Trigger-After-Settle"] = "reshaped"
        return answer

    async def preview(self, place: int | None, elder: str, typed: Typed) -> Response:
        part, now = part_of(typed), self._deps.clock.now()

        def look(session: Session) -> Any:
            of = _whose(session, place, elder)
            return policy_view.previewed(session, of, part, Asked.of(typed), typed, self._desk(now))

        found = await self._deps.db.browse(look)
        said = (
            {"preview": None, "no_preview": found} if isinstance(found, str) else {"preview": found, "no_preview": ""}
        )
        return self._pages.part("policy_preview.html", **said)

    async def act(self, place: int | None, elder: str, typed: Typed) -> Response:
        act, part, by, now = typed.get("do", ""), part_of(typed), name_of(), self._deps.clock.now()
        if act not in (_SAVE, _BACK):
            return await self.show(place, elder, typed, typed=policy_form.reshaped(typed, act))

        def change(session: Session) -> str:
            of = _locked(session, place, elder)
            (_take_back if act == _BACK else _save)(session, of, part, typed, by, now)
            return f"/policies/elder/{of.elder.id}" if of.elder else f"/policies/{of.place.id}"

        try:
            url = await self._deps.db.run(change)
        except WrongError as wrong:
            return await self.show(place, elder, typed, typed=typed, wrong=wrong)
        return done(f"{url}?part={part}")

    def _desk(self, now: datetime) -> Desk:
        def roster(session: Session, place_id: int) -> Roster:
            return self._pages.kept.roster(session, place_id, now)

        return Desk(roster, self._deps.trunk, now)


def part_of(asked: Mapping[str, str]) -> str:
    return asked["part"] if asked.get("part") in PARTS else "unreached"


def _whose(session: Session, place: int | None, elder: str) -> Whose:
    found = policy_view.whose(session, place, elder)
    if found is None:
        raise NOBODY
    return found


# ── saving ────────────────────────────────────────────────────────────────────────────────────────


def _locked(session: Session, place: int | None, elder: str) -> Whose:
    """Of two who save at once, the second one sees what the first has written."""
    of = _whose(session, place, elder)
    session.scalars(select(Neighbourhood.id).where(Neighbourhood.id == of.place.id).with_for_update()).one()
    session.refresh(of.place)
    if of.elder is not None:
        session.refresh(of.elder)
    return of


def _save(session: Session, of: Whose, part: str, typed: Typed, by: str, now: datetime) -> None:
    _fresh(session, of, typed, now)
    read = policy_form.read(part, typed)
    window = policy_form.read_window(typed) if part == CALLS and of.elder is None else None
    if wrong := {**read.wrong, **(window.wrong if window else {})}:
        raise WrongError("没有保存：有写错的地方，见下面标红的格子。Nothing was saved.", wrong)
    draft = policy_drafts.with_part(of.own, part, read.entries, of.below)
    moved = window is not None and (of.place.plan_from, of.place.plan_until) != tuple(window.entries.values())
    if draft == of.own and not moved:
        raise WrongError("没有改动。Nothing was changed.")
    try:
        if draft != of.own:
            _put(session, of, part, draft, by, now)
        if window is not None and moved:
            policies.put_window(session, of.place, window.entries["plan_from"], window.entries["plan_until"], by, now)
    except ValueError as error:
        raise _told(str(error), typed) from None


def _take_back(session: Session, of: Whose, part: str, typed: Typed, by: str, now: datetime) -> None:
    """What is written here for this part: from now on it follows the layer below."""
    _fresh(session, of, typed, now)
    try:
        _put(session, of, part, policy_drafts.without_part(of.own, part), by, now)
    except ValueError as error:
        raise _told(str(error), typed) from None


def _put(session: Session, of: Whose, part: str, draft: Written, by: str, now: datetime) -> None:
    section = "policy" if part == CALLS else "escalation"
    document = draft.policy if part == CALLS else draft.escalation
    policies.put(session, of.place, of.elder, {section: dict(document) or None}, by, now)


def _told(why: str, typed: Typed) -> WrongError:
    fault = policy_faults.fault(why, lambda name: name in typed or name in ("seen", "quiet", "office", "steps"))
    if not fault.field:
        return WrongError(f"没有保存：{fault.said}")
    return WrongError("没有保存：有一处不行，见下面标红的格子。Nothing was saved.", {fault.field: fault.said})


def _fresh(session: Session, of: Whose, typed: Typed, now: datetime) -> None:
    """WrongError when somebody has changed something since the page was made."""
    if typed.get("stamp") == of.stamp:
        return
    last = policy_view.changes(session, Whose(of.place))[:1]
    said = f"{last[0].by}在 {short(now, last[0].at, of.place.timezone)} 改过" if last else "刚才有人改过"
    raise WrongError(
        f"没有保存：{said}，这一页是旧的。请打开最新的，再改一次。Nothing was saved: this page is out of date."
    )
