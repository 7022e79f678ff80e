"""议事厅: what is public, to look at and to print."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins.tables import Neighbourhood
from community import hall
from community.hall import Matter
from console.deps import Deps
from console.forms import name_of, row_number
from console.guard import PageError
from console.pages import Pages

NO_PLACE = PageError(404, "没有这个居委。", "there is no such neighbourhood")


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/hall")
    async def show(place: str = "") -> Response:
        wanted = row_number(place, NO_PLACE) if place else None
        (here, places, matters), shell = await pages.look(lambda session: _look(session, wanted))
        return await pages.shown(
            "hall.html",
            shell,
            name_of(),
            here=f"/hall?place={here.id}" if place else "/hall",
            place=here,
            places=places,
            matters=matters,
        )


def _look(session: Session, wanted: int | None) -> tuple[Neighbourhood, Sequence[Neighbourhood], Sequence[Matter]]:
    places = session.scalars(select(Neighbourhood).order_by(Neighbourhood.id)).all()
    here = next((each for each in places if wanted in (None, each.id)), None)
    if here is None:
        raise NO_PLACE
    return here, places, hall.matters(session, here.id)
