"""What else staff must see to."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import ITEM_ZH, Item
from console.api import problems
from console.api.acts import Acts, Done, Key
from console.api.reads import Reads
from console.api.values import After, ByPerson, Id, Limit, Listed, PlaceId, page
from console.deps import Deps

GONE = problems.missing("没有这一条，或者已经有人处理了。", "there is no such item, or somebody has seen to it")


class OpenItem(BaseModel):
    id: int
    kind: str
    kind_zh: str
    neighbourhood: int
    elder: str | None = Field(description="whom it is about, by id")
    opened_at: datetime
    due_at: datetime | None


class ItemDone(BaseModel):
    id: int
    done_by: str
    done_at: datetime


def add(router: APIRouter, deps: Deps) -> None:
    reads, acts = Reads(deps), Acts(deps)

    @router.get("/items", tags=["items"], summary="What is still to be seen to")
    async def listed(neighbourhood: PlaceId = None, after: After = 0, limit: Limit = 50) -> Listed[OpenItem]:
        def look(session: Session, now: datetime) -> Listed[OpenItem]:
            query = select(Item).where(Item.done_at.is_(None), Item.id > after).order_by(Item.id).limit(limit + 1)
            query = query if neighbourhood is None else query.where(Item.neighbourhood_id == neighbourhood)
            return page(session.scalars(query).all(), limit, lambda row: row.id, _shown)

        return await reads.look(look)

    @router.post("/items/{item_id}/done", tags=["items"], response_model=ItemDone, summary="Somebody has done it")
    async def done(request: Request, item_id: Id, typed: ByPerson, key: Key = None) -> Response:
        def work(session: Session, by: str, now: datetime) -> Done:
            if not items.done(session, item_id, by, now):
                raise GONE
            return Done(ItemDone(id=item_id, done_by=by, done_at=now))

        return await acts.do(request, typed.person, work)


def _shown(row: Item) -> OpenItem:
    return OpenItem(
        id=row.id,
        kind=row.kind,
        kind_zh={str(kind): zh for kind, zh in ITEM_ZH.items()}.get(row.kind, row.kind),
        neighbourhood=row.neighbourhood_id,
        elder=row.person_id,
        opened_at=row.opened_at,
        due_at=row.due_at,
    )
