"""Today's round of the demo: real calls in real time, and a clock that skips the waits between them.

The clock jumps only to what the cycle itself names as its next moment, and only when no line is in use, no call is
out, and no recogniser works: a jump must never shorten anything that somebody on a line would notice.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from checkins import cases
from checkins.cases import Row
from checkins.pace import LIVE
from checkins.results import Reason, Result, Status
from checkins.schedule import at_minute, local_date
from checkins.tables import CallIntent
from demo.board import Board
from demo.clock import JumpClock
from demo.house import House
from demo.ladder import NOBODY, Ladder, ladders, numbers
from demo.neighbourhood import ZONE, create
from demo.scenario import Scenario
from demo.show import Show
from demo.summary import Effort, print_summary
from demo.verdict import judge

TICK_S = 0.2
LIMIT_S = 15 * 60.0  # a round that takes longer hangs
FINDING = "打过电话，谈过了，没有急事"
UNTIL = 13 * 60  # minute of the day: by then everything must have come to an end
_AHEAD = (Status.PLANNED, Status.CALLING, Status.WAITING)


@dataclass(frozen=True)
class Sight:
    """The round at one moment. `out`: calls placed and not settled. `ladders` by case; `rung`: call → number."""

    rows: tuple[Row, ...]
    out: int
    ladders: Mapping[int, Ladder] = field(default_factory=dict)
    rung: Mapping[str, str] = field(default_factory=dict)

    @property
    def calling(self) -> bool:
        return self.out > 0 or any(row.status is Status.CALLING for row in self.rows)

    @property
    def asked(self) -> bool:
        """Every elder was rung, as often as it takes."""
        return bool(self.rows) and not self.calling and all(row.status not in _AHEAD for row in self.rows)

    @property
    def closed(self) -> bool:
        return self.asked and all(row.status is Status.CLOSED for row in self.rows)


async def play(
    house: House,
    scenario: Scenario,
    *,
    seed: int,
    out: Console,
    exit_after: bool,
    login: str = "",
    tick_s: float = TICK_S,
    limit_s: float = LIMIT_S,
) -> int:
    """Plays the round and prints it; the rows are written first when the database is fresh. 0: every elder ended as
    the scenario expects; 1: somebody didn't, or the round took longer than `limit_s`. Nobody else may tick the cycle
    meanwhile."""
    out.print(f"{scenario.committee} · 种子 seed {seed}", style="dim")
    if login and not exit_after:
        out.print(f"{house.base_url}\n{login}", highlight=False)
    round_ = Round(house, scenario, out)
    await round_.prepare()
    finished = await round_.run(tick_s, limit_s)
    verdicts = judge(scenario, round_.board.rows, round_.board.ladders)
    print_summary(out, verdicts, round_.effort())
    if not finished:
        out.print(f"✗ 超过 {limit_s:.0f} 秒仍未结束 the round did not end", style="bold red")
    if not exit_after:
        out.print(f"服务仍在运行 still up: {house.base_url} (Ctrl-C)")
        out.print(login, highlight=False)
        out.print(f"自己打一个电话 now talk to the line yourself, in the browser: {house.base_url}/phone")
    heard = understood(house, round_.board.rows.values())
    if not heard:
        out.print("✗ 没有一位老人的话被听准 nobody was understood by voice", style="bold red")
    return 0 if finished and heard and all(verdict.right for verdict in verdicts) else 1


def understood(house: House, rows: Iterable[Row]) -> bool:
    """Elders fall back to keys when they are not understood, so right results alone do not show that the line hears: at
    least one well by voice and a cry for help do. Without any engine there is nothing to show."""
    if not any(engine.ready for engine in house.ears.status()):
        return True
    found = list(rows)
    by_voice = any(row.result is Result.WELL and row.evidence == "speech" for row in found)
    return by_voice and any(row.reason is Reason.EMERGENCY for row in found)


class Round:
    """One round from the first slot to the last result."""

    def __init__(self, house: House, scenario: Scenario, out: Console) -> None:
        self.board = Board(scenario)
        if not isinstance(house.clock, JumpClock):
            raise TypeError("the demo's round needs a house whose clock can jump (demo.clock.JumpClock)")
        self._house, self._scenario, self._out, self._clock = house, scenario, out, house.clock
        self._day = local_date(ZONE, self._clock.now())
        self._place_id = 0
        self._skipped = timedelta()
        self._seconds = 0.0

    async def prepare(self) -> None:
        """Writes the neighbourhood and has its names and notice rendered, so that no call waits for a voice."""
        self._place_id = await self._house.db.run(lambda session: create(session, self._scenario, self._day))
        missing = await self._house.prompts.prepare(self._scenario.spoken_texts())
        if missing:
            self._out.print(f"{len(missing)} 句提示音没有合成 prompts without a voice", style="yellow")
        for engine in self._house.ears.status():
            if not engine.ready:
                self._out.print(f"{engine.name}: {engine.why}", style="dim")

    async def run(self, tick_s: float, limit_s: float) -> bool:
        """False when the limit was reached first."""
        began = time.monotonic()
        carrier, calls = self._house.carrier.observers, self._house.calls.observers
        carrier.append(self.board.observed)
        calls.append(self.board.logged)
        try:
            with Show(self._scenario, self.board, self._out, self._clock.now) as show:
                return await self._loop(show, tick_s, began + limit_s)
        finally:
            carrier.remove(self.board.observed)
            calls.remove(self.board.logged)
            self._seconds = time.monotonic() - began

    def effort(self) -> Effort:
        calls = {call_id for row in self.board.rows.values() for call_id in row.intents}
        return Effort(
            seconds=self._seconds,
            skipped_minutes=self._skipped / timedelta(minutes=1),
            calls=len(calls),
            utterances=self.board.utterances,
            engines=[f"{one.name}: {one.why}" for one in self._house.ears.status() if not one.ready],
        )

    async def _loop(self, show: Show, tick_s: float, until: float) -> bool:
        while time.monotonic() < until:
            await self._house.cycle.tick()
            await self._house.cycle.reconcile()
            sight = await self._house.db.view(self._look)
            if desk := self._for_desk(sight):
                await self._house.db.run(partial(self._desk, rows=desk))
            self.board.cases(sight.rows, sight.ladders, sight.rung)
            show.update()
            if self._done(sight) and self._house.active_calls() == 0:
                return True
            if not sight.calling:
                await self._jump()
            await asyncio.sleep(tick_s)
        return False

    def _for_desk(self, sight: Sight) -> list[Row]:
        """The cases that are for who sits at the console, and whose ladder has come as far as it should."""
        who = self._scenario.roster.desk
        theirs = {one.name: one.expected.ladder for one in self._scenario.elders if one.expected.by == who}
        return [
            row
            for row in sight.rows
            if row.status is Status.NEEDS_PERSON
            and row.owner in (None, who)
            and theirs.get(row.name) == sight.ladders.get(row.checkin_id, NOBODY).said
        ]

    def _desk(self, session: Session, rows: Iterable[Row]) -> None:
        """Takes them, looks after them, and closes them by name."""
        now, who = self._clock.now(), self._scenario.roster.desk
        for row in rows:
            if row.owner:
                cases.close_case(session, row.checkin_id, who, FINDING, now)
            else:
                cases.take_over(session, row.checkin_id, who, now)

    def _done(self, sight: Sight) -> bool:
        """When every case is closed; without anybody on duty, when everybody was asked."""
        late = self._clock.now() >= at_minute(ZONE, self._day, UNTIL)
        return sight.closed or (sight.asked and (late or not self._scenario.roster.duty))

    async def _jump(self) -> None:
        """To the cycle's next moment, if nothing at all is going on. Only this task places calls, so none begins
        between the look and the jump."""
        due = await self._house.cycle.next_due(search=bool(self._scenario.roster.duty))
        if due is not None and self._house.active_calls() == 0 and self._house.ears.idle:
            self._skipped += self._clock.jump_to(due)

    def _look(self, session: Session) -> Sight:
        out = session.scalar(select(func.count()).where(CallIntent.state.in_(LIVE))) or 0
        rows = tuple(cases.today(session, self._place_id, self._day))
        rung = numbers(session, [call_id for row in rows for call_id in row.intents])
        return Sight(rows, out, ladders(session, self._place_id), rung)
