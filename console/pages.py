"""Renders the templates; everything on a page is escaped."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from functools import partial
from http import HTTPStatus
from typing import Any, TypeVar
from urllib.parse import quote
from zoneinfo import ZoneInfo

from fastapi import Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from sqlalchemy.orm import Session

from checkins.cases import Row
from checkins.phones import national
from checkins.results import Status, Urgency
from checkins.tables import MODE_ZH, Mode
from console import access, flow_picture, view, words
from console.crowd import Crowd, Nobody
from console.deps import Deps
from console.event_words import sentence
from console.files import static_url
from console.flow_words import VARIABLE_ZH
from console.guard import PageError
from console.kept import Kept
from console.live import end_of_logs
from console.roles import ROLE_ZH
from console.roster_words import moment_zh
from console.today_view import Line
from console.tour import Box, box, step
from console.turns import line_said
from console.view import Shell
from console.visiting import visiting, visitor
from speech.marks import marks
from storage.database import to_millis

_Page = TypeVar("_Page")
_STATUS_CHIP = {Status.PLANNED: "wait", Status.CALLING: "live", Status.WAITING: "wait", Status.CLOSED: "well"}
_URGENCY_CHIP = {
    Urgency.EMERGENCY: "emergency",
    Urgency.UNREACHED: "urgent",
    Urgency.SOON: "person",
    Urgency.TODAY: "today",
}


class Pages:
    """What stands on a page depends on who looks at it (console/visiting.py)."""

    def __init__(self, deps: Deps) -> None:
        self.kept, self.crowd, self._nobody = Kept(), Crowd(), Nobody()
        self._deps = deps
        self._jinja = Environment(
            loader=PackageLoader("console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
        )
        self._jinja.filters["millis"] = millis
        self._jinja.globals.update(
            clock=words.clock,
            day_clock=day_clock,
            moment_zh=moment_zh,
            chip=chip,
            said=said,
            dictated=dictated,
            marked=marked,
            words=words,
            static=static_url,
            may=may,
            role_zh=ROLE_ZH,
            sentence=sentence,
            mode_zh=lambda mode: MODE_ZH[Mode(mode)],
            national=national,
            recording_of=view.recording_of,
            recording_url=recording_url,
            line_said=line_said,
            shape=flow_picture,
            variable_zh=VARIABLE_ZH,
        )

    async def look(self, what: Callable[[Session], _Page]) -> tuple[_Page, Shell]:
        """One look at the database: what the page shows, and what stands on every page."""
        now = self._deps.clock.now()

        def look(session: Session) -> tuple[_Page, Shell]:
            seen = end_of_logs(session)  # first: what is written meanwhile is told to the page
            return what(session), view.shell(session, now, seen)

        return await self._deps.db.browse(look)

    async def shown(self, template: str, shell: Shell, by: str, status: int = 200, **values: Any) -> Response:
        """Like `show`, made on the threads of pages: a long page holds up no call."""
        return await self._deps.db.browse(lambda _: self.show(template, shell, by, status, **values))

    async def shared(
        self, template: str, what: Callable[[Session], Mapping[str, Any]], *, here: str, **values: Any
    ) -> Response:
        """A page that is the same for all of one role at one stop of the tour: made once for all who ask at one end of
        the logs; then whoever asked is put in. `what` gives more values."""
        who = visitor()
        assert who is not None, "the door lets nobody unknown in"
        nobody, now = self._nobody.of(who.role, who.seen_at), self._deps.clock.now()
        key = (here, who.role, step())

        def make(session: Session) -> str:
            seen = end_of_logs(session)  # first: what is written meanwhile is told to the page

            def page() -> str:
                found = what(session)
                with visiting(nobody):
                    return self._page(
                        template, view.shell(session, now, seen), nobody.name, here=here, **found, **values
                    )

            return self.crowd.as_kept(key, seen, now, page)

        page = await self.crowd.one(key, lambda: self._deps.db.browse(make))
        return HTMLResponse(self._nobody.replaced(page, who))

    def show(
        self, template: str, shell: Shell, by: str, status: int = 200, *, here: str = "/", **values: Any
    ) -> Response:
        """`by`: who looks at it; `here`: its address, to come back to. Each form brings `token` along."""
        return HTMLResponse(self._page(template, shell, by, status, here=here, **values), status)

    def _page(self, template: str, shell: Shell, by: str, status: int = 200, *, here: str, **values: Any) -> str:
        now = self._deps.clock.now()
        return self._jinja.get_template(template).render(
            token=self.token,
            visitor=visitor(),
            tour=self._tour(here),
            shell=shell,
            by=by,
            fresh=status == HTTPStatus.OK,
            here=here,
            engines=self._deps.ears_status(),
            now=now.astimezone(ZoneInfo(view.HOME)).strftime("%Y-%m-%d %H:%M:%S"),
            ago=partial(ago, now),
            short=partial(short, now),
            **{"notes": self._deps.notes(), **values},
        )

    def _tour(self, here: str) -> Box | None:
        who = visitor()
        return box(who.role, here) if who else None

    def part(self, template: str, **values: Any) -> Response:
        """A part of a page, which is fetched alone."""
        short_now = partial(short, self._deps.clock.now())
        return HTMLResponse(self._jinja.get_template(template).render(short=short_now, **values))

    @property
    def token(self) -> str:
        """Of whoever looks; "" for nobody, which fits no form."""
        who = visitor()
        return who.form if who else ""

    def small(self, template: str, status: int = 200, **values: Any) -> Response:
        """A page that needs nothing of the house: logging in."""
        return HTMLResponse(self._jinja.get_template(template).render(**values), status)

    def error(self, error: PageError) -> Response:
        return HTMLResponse(self._jinja.get_template("error.html").render(error=error), error.status)


def may(method: str, path: str) -> bool:
    """Whether who looks at the page may do that: what they may not isn't offered (and would be refused)."""
    who = visitor()
    return who is not None and access.may(who.role, method, path)


def millis(moment: datetime | None) -> int:
    """As a form carries it; 0: never."""
    return to_millis(moment) if moment else 0


def chip(row: Row | Line) -> tuple[str, str]:
    """Colour and words of a case's state."""
    if row.status is Status.NEEDS_PERSON and row.urgency:
        return _URGENCY_CHIP[row.urgency], row.urgency_zh
    return _STATUS_CHIP.get(row.status, "wait"), row.status_zh


def said(row: Row) -> str:
    """What the elder said, as heard: an aid beside the recording."""
    return words.as_heard(row.answer) or str(row.answer.get("message_text") or "")


def dictated(row: Row) -> str:
    """The first transcript of the recording that `recording_of` names. What she said may be another utterance."""
    return str(row.answer.get("recording_text" if row.answer.get("recording") else "message_text") or "")


def marked(text: str) -> Markup:
    """The text, escaped, with distress, places and matters marked."""
    shown, at = Markup(), 0
    for mark in marks(text):
        word = Markup('<mark class="{}" title="{}">{}</mark>').format(mark.kind, words.MARK_ZH[mark.kind], mark.word)
        shown += Markup.escape(text[at : mark.start]) + word
        at = mark.end
    return shown + Markup.escape(text[at:])


def recording_url(case_id: int, path: str) -> str:
    return f"/recording/{case_id}/{quote(path)}"


def day_clock(moment: datetime, zone: str) -> str:
    return moment.astimezone(ZoneInfo(zone)).strftime("%m-%d %H:%M:%S")


def short(now: datetime, moment: datetime | None, zone: str) -> str:
    """ "08:20", with the date when it isn't today."""
    if moment is None:
        return ""
    local, here = moment.astimezone(ZoneInfo(zone)), now.astimezone(ZoneInfo(zone))
    return local.strftime("%H:%M" if local.date() == here.date() else "%m-%d %H:%M")


def ago(now: datetime, moment: datetime | None) -> str:
    """How long somebody has waited, in words of a hurried reader."""
    if moment is None:
        return ""
    waited = now - moment
    if waited < timedelta(minutes=1):
        return "刚才"
    if waited < timedelta(hours=1):
        return f"{waited.seconds // 60} 分钟"
    if waited < timedelta(days=1):
        return f"{waited.seconds // 3600} 小时 {waited.seconds % 3600 // 60} 分"
    return f"{waited.days} 天"
