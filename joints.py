"""Where the rooms meet: care, community and telephone; each one's values are the other's, word for word (ADR 1)."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

from sqlalchemy.orm import Session

from callflows.flow import Flow
from checkins import ports
from checkins.handing_over import Switchboard
from checkins.reception import Reception
from checkins.ringing_in import Heard
from community import ballot_counter, notice_counter, register_counter
from community.ballot_counter import BallotCounter
from community.counter import Counter
from community.intake import CutOff, Spoken
from community.notice_counter import NoticeCounter
from community.register_counter import RegisterCounter
from community.tickets_counter import QUERIES
from console import prompt_desk
from console.prompt_desk import PromptDesk
from ivr import ports as telephone_ports
from ivr import transcripts
from ivr.telephone import TwilioTelephone
from ivr.unfinished import unfinished

log = logging.getLogger(__name__)


class Placer:
    """The care room's orders to the telephone room; values map one to one."""

    def __init__(self, telephone: TwilioTelephone) -> None:
        self._telephone = telephone

    async def place(self, request: ports.CallRequest) -> ports.Placed:
        return ports.Placed((await self._telephone.place(_order(request))).value)

    async def trace(self, intent_id: str, number: str, since: datetime) -> ports.Trace:
        return ports.Trace((await self._telephone.trace(intent_id, number, since)).value)


class Desk:
    """The telephone room's questions while somebody is on the line, put to the care room, those about complaints to
    the community room, those of staff who record prompts to their desk. Satisfies ivr.ports.Answers,
    ivr.ports.Reception and ivr.ports.Switchboard."""

    def __init__(
        self,
        reception: Reception,
        switchboard: Switchboard,
        counter: Counter,
        prompts: PromptDesk,
        ballots: BallotCounter,
        notices: NoticeCounter,
        register: RegisterCounter,
    ) -> None:
        self._reception, self._switchboard, self._counter = reception, switchboard, counter
        self._prompts, self._ballots, self._notices, self._register = prompts, ballots, notices, register

    async def rang_in(
        self, call_id: str, number: str, key: str | None = None
    ) -> telephone_ports.CallOrder | telephone_ports.Unserved:
        answer = await self._reception.rang_in(call_id, number, key)
        if isinstance(answer, Heard):
            return telephone_ports.Unserved(answer.value)
        return _order(await self._ballots.offered(answer))

    async def whom(self, call_id: str, person_id: str, nth: int, known: str) -> telephone_ports.CallOrder | None:
        request = await self._switchboard.whom(call_id, person_id, nth, known)
        return None if request is None else _order(request)

    async def ask(self, call_id: str, query: str, person_id: str, value: str) -> telephone_ports.Told:
        whom: ports.Answers = self._counter if query in QUERIES else self._reception
        if query in prompt_desk.QUERIES:
            whom = self._prompts
        if query in ballot_counter.QUERIES:
            whom = self._ballots
        if query in notice_counter.QUERIES:
            whom = self._notices
        if query in register_counter.QUERIES:
            whom = self._register
        told = await whom.ask(call_id, query, person_id, value)
        return telephone_ports.Told(told.word, told.values)


class Listener:
    """The telephone room's news to the care room, then to the community room (`also`, one after the other).
    `unwritten`: an alarm in a call could not be taken in."""

    def __init__(
        self,
        settle: Callable[[ports.CallOutcome], Awaitable[bool]],
        unwritten: Callable[[], Awaitable[None]],
        also: Sequence[Callable[[ports.CallOutcome], Awaitable[None]]] = (),
    ) -> None:
        self._settle, self._unwritten, self._also = settle, unwritten, also

    async def call_reported(self, report: telephone_ports.CallReport) -> None:
        log.info("call %s: %s", report.id, report.alarm or report.disposition)
        try:
            await self._settle(_outcome(report))
        except Exception:
            if report.alarm:
                await self._unwritten()
            raise
        for tell in self._also:
            await tell(_outcome(report))


def cut_off(flow_of: Callable[[str], Flow], folder: Path) -> CutOff:
    """Who was dictating when a call broke off, and a recording in which it is."""

    def find(session: Session, call_id: str) -> tuple[str, Spoken] | None:
        found = unfinished(session, call_id, flow_of, folder)
        return None if found is None else (found.person, Spoken(found.keep_as, found.recording))

    return find


def second_texts(session: Session, call_ids: Sequence[str]) -> dict[str, Spoken]:
    """What the best engine made of these calls' dictations afterwards, by recording."""
    found = transcripts.of_calls(session, call_ids)
    return {path: Spoken("", path, row.text or "", row.engine or "", row.confidence) for path, row in found.items()}


def _order(request: ports.CallRequest) -> telephone_ports.CallOrder:
    return telephone_ports.CallOrder(
        request.id,
        request.number,
        request.flow,
        tuple(
            telephone_ports.Callee(c.id, c.spoken_name, c.language, c.records, c.transcribes, c.variables)
            for c in request.callees
        ),
        dict(request.variables),
        request.ring_s,
        trunk=request.trunk,
        for_call=request.for_call,
        urgent=request.urgent,
    )


def _outcome(report: telephone_ports.CallReport) -> ports.CallOutcome:
    return ports.CallOutcome(
        report.id,
        report.at,
        report.final,
        ports.Disposition(report.disposition.value) if report.disposition else None,
        tuple(ports.PersonOutcome(p.id, p.result, p.evidence, p.detail) for p in report.people),
        report.alarm,
        report.alarm_person,
        report.reason,
    )
