"""The live table of a round; where nobody looks (a pipe, a log), one line per event instead."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Self
from zoneinfo import ZoneInfo

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from checkins.cases import Row
from checkins.results import Status, Urgency
from checkins.tables import ROLE_ZH, State
from demo.board import Board, Line, LineState, result_words
from demo.ladder import NOBODY
from demo.neighbourhood import ZONE
from demo.scenario import Elder, Helper, Scenario

WIDE = 100  # columns of a terminal that has room for what is being asked
FRAME_ROWS = 3  # title, headings, and the line the cursor stands in
_STATE_ZH = {State.PAUSED: "暂停中,不打", State.REFUSED: "不要自动电话"}
_STATE_STYLE = {LineState.TALKING: "bold cyan", LineState.RINGING: "cyan", LineState.DIALLING: "dim cyan"}


class Show:
    """Use as a context manager; call `update` whenever something may have changed."""

    def __init__(self, scenario: Scenario, board: Board, out: Console, now: Callable[[], datetime]) -> None:
        self._scenario, self._board, self._out, self._now = scenario, board, out, now
        self._live = Live(console=out, auto_refresh=False, vertical_overflow="crop") if out.is_terminal else None

    def __enter__(self) -> Self:
        if self._live:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.update(self.table(), refresh=True)
            self._live.stop()

    def update(self) -> None:
        news = self._board.take_news()
        if self._live:
            self._live.update(self.table(), refresh=True)
            return
        for sentence in news:
            self._out.print(Text(f"{clock_time(self._now())} {sentence}"), soft_wrap=True)

    def table(self) -> Table:
        wide = self._out.width >= WIDE
        title = f"{self._scenario.committee} · {clock_time(self._now())} · 占用 {self._board.busy} 线"
        table = Table(title=title, expand=True, padding=(0, 1, 0, 0), box=None, header_style="dim")
        table.add_column("时间", no_wrap=True, width=5)
        table.add_column("谁", no_wrap=True, width=6)
        table.add_column("线路", no_wrap=True, width=4)
        if wide:
            table.add_column("提示", no_wrap=True, width=16)
        table.add_column("听到", no_wrap=True, ratio=3, overflow="ellipsis")
        table.add_column("键", no_wrap=True, width=4)
        table.add_column("结果", no_wrap=True, ratio=3, overflow="ellipsis")
        for person in self._visible():
            table.add_row(*self._cells(person, wide))
        return table

    def _visible(self) -> Sequence[Elder | Helper]:
        """Everybody, and of those who are rung for others who is on the telephone; on a terminal that is too low for
        all, those whose line is in use first."""
        room = self._out.height - FRAME_ROWS
        helpers = [one for one in self._scenario.helpers if self._board.line(one.number).state is not LineState.IDLE]
        people: list[Elder | Helper] = [*helpers, *self._scenario.elders]
        if not self._live or len(people) <= room:
            return people
        idle_last = sorted(people, key=lambda one: self._board.line(one.number).state is LineState.IDLE)
        return idle_last[: max(1, room)]

    def _cells(self, person: Elder | Helper, wide: bool) -> list[Text]:
        line, row = self._board.line(person.number), self._board.rows.get(person.name)
        return [
            Text(clock_time(row.slot, seconds=False) if row else "--:--", "dim"),
            Text(person.spoken_name, "magenta" if isinstance(person, Helper) else ""),
            Text(line.state, _STATE_STYLE.get(line.state, "")),
            *([Text(line.prompt, "dim")] if wide else []),
            _heard(line),
            Text(line.keys[-4:]),
            self._came_to(person, row),
        ]

    def _came_to(self, person: Elder | Helper, row: Row | None) -> Text:
        if row:
            return Text(result_words(row, self._board.ladders.get(row.checkin_id, NOBODY)), result_style(row))
        words = ROLE_ZH[person.role] if isinstance(person, Helper) else _STATE_ZH.get(person.state, "")
        return Text(words, "dim")


def clock_time(moment: datetime, *, seconds: bool = True) -> str:
    """The neighbourhood's time of day."""
    return moment.astimezone(ZoneInfo(ZONE)).strftime("%H:%M:%S" if seconds else "%H:%M")


def result_style(row: Row | None) -> str:
    if row is None or row.status not in (Status.NEEDS_PERSON, Status.CLOSED):
        return ""
    if row.status is Status.CLOSED:
        return "green"
    return "bold red" if row.urgency is Urgency.EMERGENCY else "yellow"


def _heard(line: Line) -> Text:
    if not line.heard:
        return Text("")
    last = line.heard[-1]
    return Text(str(last), "" if last.certain else "dim")
