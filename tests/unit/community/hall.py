"""A neighbourhood whose elders complain: what they do by telephone, what the committee does about it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from checkins import items
from checkins.items import Item
from checkins.ports import CallOutcome, Disposition, PersonOutcome, Told
from community import rows, staff
from community.counter import Counter
from community.intake import Intake
from community.tables import Complaint, ComplaintEvent, Dictation, Outcome
from tests.unit.checkins.world import DAY, World

CHEN, ZHANG = "陈老师", "张老师"
LEAK = "1234弄5号301室楼上漏水"
T = TypeVar("T")


class Hall:
    """Monday, 2 March 2026; the clock is the world's."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.counter = Counter(world.db, world.clock)
        self.intake = Intake(world.db, world.clock)
        world.clock.advance_to(world.at("09:00"))

    def at(self, clock_time: str, day: date = DAY) -> None:
        self.world.clock.advance_to(self.world.at(clock_time, day))

    def later(self, **time: float) -> None:
        self.world.clock.advance_to(self.world.clock.now() + timedelta(**time))

    # ── by telephone ──

    async def ask(self, call: str, query: str, elder: str = "", value: str = "") -> Told:
        return await self.counter.ask(call, query, elder, value)

    async def ends(self, call: str, elder: str = "", *, result: str = "rang_in", **detail: Any) -> None:
        """The call is over. `detail`: `complaint="…"` is a dictation of that text; the rest is kept as it is."""
        person = PersonOutcome(elder, result, "key", details(detail))
        now = self.world.clock.now()
        await self.intake.settle(CallOutcome(call, now, final=True, disposition=Disposition.ANSWERED, people=(person,)))

    async def complains(self, elder: str = "", call: str = "call-1", text: str = LEAK) -> int:
        """Dictated and sent; its number."""
        await self.ask(call, "complaint.open", elder)
        assert (await self.ask(call, "complaint.send", elder)).word in ("filed", "added")
        await self.ends(call, elder, complaint=text)
        return self.complaints()[-1].number

    async def says(self, call: str, outcome: str, elder: str) -> str:
        """Hears the answer in a call of their own, and says this."""
        told = await self.ask(call, "status.next", elder)
        assert told.word == "answered"
        return (await self.ask(call, f"reply.{outcome}", elder)).word

    # ── the committee ──

    def act(self, work: Callable[..., T], *args: Any, **more: Any) -> T:
        """One of staff's acts, now."""
        with self.world.db.write() as session:
            return work(session, *args, now=self.world.clock.now(), **more)

    def hears(self, number: int, by: str = CHEN) -> None:
        self.act(staff.hear, number, by)

    def answers(self, number: int, text: str = "明天来修。") -> None:
        self.act(staff.reply, number, CHEN, text=text)

    def unreached(self, number: int, times: int = 3) -> None:
        """Calls with the last answer reach nobody."""
        for _ in range(times):
            with self.world.db.write() as session:
                answer = rows.last_reply(session, rows.by_number(session, number))
                assert answer is not None
                answer.calls += 1
                if answer.calls >= 3:
                    staff.by_person(session, answer, self.world.clock.now(), reached=False)

    # ── what is known ──

    def look(self, work: Callable[[Session], T]) -> T:
        with self.world.db.read() as session:
            return work(session)

    def complaints(self) -> list[Complaint]:
        return self.look(lambda session: list(session.scalars(select(Complaint).order_by(Complaint.number))))

    def complaint(self, number: int) -> Complaint:
        return next(each for each in self.complaints() if each.number == number)

    def dictations(self) -> list[Dictation]:
        return self.look(lambda session: list(session.scalars(select(Dictation).order_by(Dictation.id))))

    def events(self, number: int) -> list[tuple[str, str]]:
        query = select(ComplaintEvent.what, ComplaintEvent.who).join(Complaint).where(Complaint.number == number)
        return self.look(
            lambda session: [(what, who) for what, who in session.execute(query.order_by(ComplaintEvent.id))]
        )

    def todo(self) -> list[str]:
        return [item.kind for item in self.items()]

    def items(self) -> list[Item]:
        return self.look(items.open_items)


def details(said: Mapping[str, Any]) -> dict[str, Any]:
    """As callflows.dictations keeps it: a text is a dictation; the others of a name (a list) stand under `more`; with
    the first one they are a tuple."""
    kept: dict[str, Any] = {}
    for name, value in said.items():
        if isinstance(value, (list, tuple)):
            kept |= _dictation(name, value[0]) if isinstance(value, tuple) else {}
            others = value[1:] if isinstance(value, tuple) else value
            kept["more"] = [_dictation(name, text, n) for n, text in enumerate(others, 2)]
        else:
            kept |= {name: value} if name == "phone" else _dictation(name, value)
    return kept


def _dictation(name: str, text: str, n: int = 1) -> dict[str, Any]:
    return {
        f"{name}_recording": f"2026/03/02/{name}{n}.ulaw",
        f"{name}_text": text,
        f"{name}_confidence": 0.8,
        f"{name}_engine": "vosk",
        f"{name}_seconds": 6.5,
    }


SOLVED, NOT_SOLVED, TALK = Outcome.SOLVED, Outcome.NOT_SOLVED, Outcome.TALK
