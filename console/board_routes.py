"""办理: complaints, tickets and meetings by deadline."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import urlencode

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from community import board
from community.board import Entry, Kind
from console.deadlines import deadline_zh, moment_zh
from console.deps import Deps
from console.forms import name_of, number_in
from console.pages import Pages

KIND_ZH = {
    Kind.COMPLAINT: ("诉求", "complaints"),
    Kind.TICKET: ("一键通", "tickets"),
    Kind.MEETING: ("见面", "meetings"),
}
MINE, NOBODY = "mine", "nobody"
MOST = 200  # of a list at once


@dataclass(frozen=True)
class Asked:
    """What is looked for; "" is everything. `owner`: MINE, NOBODY, or a name."""

    kind: str = ""
    owner: str = field(default="", repr=False)
    place: str = ""

    def fits(self, entry: Entry, me: str) -> bool:
        wanted = {MINE: me, NOBODY: ""}.get(self.owner, self.owner)
        return (
            self.kind in ("", entry.kind)
            and (not self.owner or entry.owner == wanted)
            and (not self.place or entry.place_id == number_in(self.place))
        )

    @property
    def address(self) -> str:
        asked = {name: value for name, value in vars(self).items() if value}
        return f"/board?{urlencode(asked)}" if asked else "/board"


@dataclass(frozen=True)
class Listed:
    """`more`: how many are not shown."""

    late: Sequence[Entry]
    waiting: Sequence[Entry]
    line: Sequence[Entry]
    more: int
    owners: Sequence[str] = field(repr=False)
    places: Sequence[tuple[int, str]] = ()


def add(router: APIRouter, deps: Deps, pages: Pages) -> None:
    @router.get("/board")
    async def show(kind: str = "", owner: str = "", place: str = "") -> Response:
        asked, now, me = Asked(kind[:20], owner[:100], place[:20]), deps.clock.now(), name_of()
        page, shell = await pages.look(lambda session: listed(session, asked, me, now))
        return await pages.shown(
            "board.html",
            shell,
            me,
            here=asked.address,
            page=page,
            asked=asked,
            kinds=KIND_ZH,
            now_at=now,
            deadline=deadline_zh,
            moment=moment_zh,
        )


def listed(session: Session, asked: Asked, me: str, now: datetime) -> Listed:
    every = board.entries(session)
    fits = [each for each in every if asked.fits(each, me)]
    shown = fits[:MOST]
    return Listed(
        late=[each for each in shown if each.is_late(now)],
        waiting=[each for each in shown if each.due is not None and not each.is_late(now)],
        line=[each for each in shown if each.due is None],
        more=len(fits) - len(shown),
        owners=sorted({each.owner for each in every if each.owner}),
        places=sorted({(each.place_id, each.place) for each in every}),
    )
