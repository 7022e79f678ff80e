"""The round on a real database and cycle, with a telephone that does what the test says: nobody is called here."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.console import Console

from checkins.cycle import Cycle
from checkins.ports import CallOutcome, CallRequest, Disposition, PersonOutcome, Placed, Trace
from checkins.results import Reason, Result, Status
from checkins.roster.gaps import shown_ahead
from checkins.roster.loading import load
from checkins.schedule import at_minute
from checkins.tables import Person
from demo import scenario
from demo.clock import JumpClock
from demo.neighbourhood import MORNING, ZONE, create, morning
from demo.round import play, understood
from demo.scenario import Expected, Roster, Scenario
from ivr.virtual.observation import Observation
from storage.database import Base, Database
from tests.fakes.clock import WarpClock

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
CALL_S = 0.03  # a call of the telephone below
Answer = tuple[Disposition, str, str]


class WatchedClock(JumpClock):
    """Notes what was going on whenever it jumped."""

    def __init__(self, start: datetime, busy: Callable[[], bool]) -> None:
        super().__init__(start)
        self.leaps: list[timedelta] = []
        self._busy = busy

    def jump_to(self, when: datetime) -> timedelta:
        assert not self._busy(), "jumped while a line or a recogniser was busy"
        self.leaps.append(super().jump_to(when))
        return self.leaps[-1]


@dataclass
class Phones:
    """Every call lasts CALL_S and comes to what `answer` says of the n-th call to the number."""

    answer: Callable[[str, int], Answer]
    house: SmallHouse = field(init=False)
    times: dict[str, int] = field(default_factory=dict)
    requests: list[CallRequest] = field(default_factory=list)
    talking: int = 0
    most: int = 0
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    async def place(self, request: CallRequest) -> Placed:
        self.requests.append(request)
        self.talking += 1
        self.most = max(self.most, self.talking)
        task = asyncio.create_task(self._call(request))
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)
        return Placed.PLACED

    async def trace(self, intent_id: str, number: str, since: datetime) -> Trace:
        return Trace.ALIVE

    async def _call(self, request: CallRequest) -> None:
        nth = self.times.get(request.number, 0)
        self.times[request.number] = nth + 1
        await self._say(request.number, "dialled", "answered")
        await asyncio.sleep(CALL_S)
        self.house.hear(request.id, SimpleNamespace(kind="heard", at_ms=0, detail=HEARD))
        disposition, result, evidence = self.answer(request.number, nth)
        people = tuple(PersonOutcome(one.id, result, evidence, {"certain": True}) for one in request.callees)
        talked = people if disposition is Disposition.ANSWERED else ()
        now = self.house.clock.now()
        await self.house.cycle.settle(CallOutcome(request.id, now, True, disposition, talked))
        await self._say(request.number, "ended")
        self.talking -= 1

    async def _say(self, number: str, *kinds: Any) -> None:
        for kind in kinds:
            self.house.see(Observation("CA", number, kind, "completed" if kind == "ended" else ""))


HEARD = {"text": "身体好", "meaning": "well", "confidence": 0.8, "engine": "vosk", "certain": True, "seconds": 1.0}


class SmallHouse:
    """Satisfies demo.house.House."""

    base_url = "http://127.0.0.1:1"

    def __init__(self, db: Database, phones: Phones) -> None:
        self.db, self._phones = db, phones
        phones.house = self
        self.recognising = False
        self.clock = WatchedClock(morning(NOON), lambda: bool(phones.talking or self.recognising))
        self.cycle = Cycle(db, phones, self.clock, lines=8, reserved=2, starts_per_s=100)
        self.carrier = SimpleNamespace(observers=[])
        self.calls = SimpleNamespace(observers=[])
        self.prepared: list[str] = []

    @property
    def ears(self) -> Any:
        return SimpleNamespace(idle=not self.recognising, status=lambda: ())

    @property
    def prompts(self) -> Any:
        return self

    async def prepare(self, texts: Iterable[str], language: str = "zh") -> tuple[str, ...]:
        self.prepared += texts
        return ()

    def active_calls(self) -> int:
        return self._phones.talking

    def see(self, seen: Observation) -> None:
        for observe in self.carrier.observers:
            observe(seen)

    def hear(self, call_id: str, entry: Any) -> None:
        for observe in self.calls.observers:
            observe(call_id, entry)


@contextmanager
def small_house(folder: Path, answer: Callable[[str, int], Answer]) -> Iterator[tuple[SmallHouse, Phones]]:
    db = Database(f"sqlite:///{folder / 'demo.db'}")
    Base.metadata.create_all(db.engine)
    phones = Phones(answer)
    try:
        yield SmallHouse(db, phones), phones
    finally:
        db.close()


def few(names: Sequence[str], expected: Expected) -> Scenario:
    """The demo's scenario with only these elders, and nobody to look after them."""
    whole = scenario.load()
    elders = (replace(elder, expected=expected, buddies=(), family=()) for elder in whole.elders)
    few = tuple(elder for elder in elders if elder.name in names)
    return replace(whole, elders=few, helpers=(), roster=Roster())


def screen(width: int = 100, terminal: bool = False) -> Console:
    return Console(file=io.StringIO(), width=width, force_terminal=terminal)


def shown(out: Console) -> str:
    assert isinstance(out.file, io.StringIO)
    return out.file.getvalue()


LADDER = ("李阿姨 accepted", "李阿姨 fine_seen")
WELL: Answer = (Disposition.ANSWERED, "well", "key")
AS_WELL = Expected(Status.CLOSED, Result.WELL, evidence=frozenset({"key"}))


async def test_a_morning_without_surprises_is_0(tmp_path: Path) -> None:
    morning_ = few(["张秀兰", "郑海泉", "何彩凤"], AS_WELL)
    out = screen()
    with small_house(tmp_path, lambda number, nth: WELL) as (house, phones):
        assert await play(house, morning_, seed=1, out=out, exit_after=True, tick_s=0.01, limit_s=20) == 0
    assert sum(phones.times.values()) == 2, "two elders behind one number are one call"
    assert "3/3 与预期一致" in shown(out)
    assert "vosk: 听了 2 句,听准 2 句,置信度中位 0.80" in shown(out)
    assert "张阿婆 听到 “身体好” vosk 0.80 → well" in shown(out)
    assert house.carrier.observers == house.calls.observers == [], "it leaves nothing behind"


async def test_one_difference_makes_it_1_and_is_named(tmp_path: Path) -> None:
    out = screen()

    def answer(number: str, nth: int) -> Answer:
        return (Disposition.ANSWERED, "not_well", "key") if number.endswith("1009") else WELL

    with small_house(tmp_path, answer) as (house, _):
        morning_ = few(["张秀兰", "陈月娥"], AS_WELL)
        assert await play(house, morning_, seed=1, out=out, exit_after=True, tick_s=0.01, limit_s=20) == 1
    assert "✗ 张阿婆 status: 应为 closed,实为 needs_person;result: 应为 well,实为 not_well" in shown(out)
    assert "1/2 与预期一致" in shown(out)


async def test_three_tries_take_45_minutes_of_the_clock_and_no_time(tmp_path: Path) -> None:
    """The WatchedClock fails the test if it jumps while somebody talks or something is being recognised."""
    unreached = Expected(Status.NEEDS_PERSON, Result.NO_ANSWER, Reason.UNREACHED, calls=3)
    with small_house(tmp_path, lambda number, nth: (Disposition.NO_ANSWER, "", "none")) as (house, _):
        morning_ = few(["张秀兰", "陈月娥", "高阿七"], unreached)
        assert await play(house, morning_, seed=1, out=screen(), exit_after=True, tick_s=0.005, limit_s=20) == 0
        assert timedelta(minutes=45) < sum(house.clock.leaps, timedelta()) < timedelta(minutes=75)


async def test_who_is_not_reached_is_seen_by_somebody_who_says_so(tmp_path: Path) -> None:
    """Three tries, the buddy, what they found, the elder's own answer: closed by the buddy's name."""
    seen = Expected(Status.CLOSED, Result.WELL, Reason.UNREACHED, calls=4, by="李美芳", ladder=LADDER)
    whole = scenario.load()
    elders = tuple(replace(elder, expected=seen) for elder in whole.elders if elder.name == "高阿七")
    said = {0: "accepted", 1: "fine_seen"}

    def answer(number: str, nth: int) -> Answer:
        if number.endswith("8001"):
            return Disposition.ANSWERED, said[nth], "key"
        return WELL if nth == 3 else (Disposition.NO_ANSWER, "", "none")

    out = screen()
    with small_house(tmp_path, answer) as (house, _):
        morning_ = replace(whole, elders=elders)
        assert await play(house, morning_, seed=1, out=out, exit_after=True, tick_s=0.005, limit_s=20) == 0
    assert "高阿公 ── 李美芳结案:多次无人接听: 李阿姨去看 → 李阿姨已见到，平安" in shown(out)


async def test_a_busy_recogniser_holds_the_clock(tmp_path: Path) -> None:
    with small_house(tmp_path, lambda number, nth: WELL) as (house, phones):
        house.recognising = True
        out, morning_ = screen(), few(["张秀兰"], AS_WELL)
        assert await play(house, morning_, seed=1, out=out, exit_after=True, tick_s=0.005, limit_s=0.3) == 1
        assert (house.clock.leaps, phones.times) == ([], {})
    assert "仍未结束" in shown(out)


async def test_lines_stay_within_the_trunk(tmp_path: Path) -> None:
    with small_house(tmp_path, lambda number, nth: WELL) as (house, phones):
        everybody = scenario.load()
        await play(house, everybody, seed=1, out=screen(), exit_after=True, tick_s=0.005, limit_s=20)
        assert phones.most == 6
    shared = next(request for request in phones.requests if len(request.callees) == 2)
    asked = [callee.spoken_name for callee in shared.callees]
    assert asked == ["郑阿公", "何阿婆"], "the scenario's answers come in this order"
    callable_ = {elder.number for elder in everybody.elders if elder.state == "active"}
    helpers = {helper.number for helper in everybody.helpers}
    assert set(phones.times) - helpers == callable_, "the paused and the refused are not called"
    assert "王阿婆" not in house.prepared
    assert set(everybody.spoken_texts()) == set(house.prepared)


async def test_a_terminal_gets_a_live_table_also_a_narrow_one(tmp_path: Path) -> None:
    out = screen(width=60, terminal=True)
    with small_house(tmp_path, lambda number, nth: WELL) as (house, _):
        await play(house, few(["张秀兰"], AS_WELL), seed=1, out=out, exit_after=False, tick_s=0.01, limit_s=20)
    assert "槐荫里居委会" in shown(out)
    assert "身体好" in shown(out)
    assert house.base_url in shown(out)


def test_the_demo_never_mixes_with_real_people(tmp_path: Path) -> None:
    with small_house(tmp_path, lambda number, nth: WELL) as (house, _):
        day, morning_ = NOON.date(), scenario.load()
        with house.db.write() as session:
            place_id = create(session, morning_, day)
            assert create(session, morning_, day) == place_id
            other = replace(morning_, name="别处")
            with pytest.raises(ValueError, match="the demo needs a fresh one"):
                create(session, other, day)


async def test_a_clock_that_cannot_jump_is_refused(tmp_path: Path) -> None:
    with small_house(tmp_path, lambda number, nth: WELL) as (house, _):
        house.clock = WarpClock()  # type: ignore[assignment]
        with pytest.raises(TypeError, match="whose clock can jump"):
            await play(house, scenario.load(), seed=1, out=screen(), exit_after=True)


def test_the_demos_roster_is_whole_but_for_one_gap_whatever_the_day(tmp_path: Path) -> None:
    story = scenario.load()
    for day in (date(2026, 3, 2), date(2026, 12, 1), date(2031, 12, 24)):
        folder = tmp_path / f"{day}"
        folder.mkdir()
        with small_house(folder, lambda number, nth: WELL) as (house, _), house.db.write() as session:
            now = at_minute(ZONE, day, MORNING)
            place = create(session, story, day)
            (gap,) = shown_ahead(load(session, place, now), now, timedelta(days=14))
            assert [session.get_one(Person, person).name for person in gap.who] == ["黄阿毛"]


def test_right_results_by_keys_alone_do_not_show_that_the_line_hears() -> None:
    def row(result: Result, evidence: str, reason: Reason | None = None) -> Any:
        return SimpleNamespace(result=result, evidence=evidence, reason=reason)

    def house(ready: bool) -> Any:
        return SimpleNamespace(ears=SimpleNamespace(status=lambda: [SimpleNamespace(ready=ready)]))

    by_keys = [row(Result.WELL, "key"), row(Result.WELL, "key", Reason.EMERGENCY)]
    assert not understood(house(True), by_keys)
    assert understood(house(True), [*by_keys, row(Result.WELL, "speech")])
    assert understood(house(False), by_keys)
