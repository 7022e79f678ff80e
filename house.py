"""The whole line, put together: every room made, joined and kept running. `server.py` is the command line over it."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi import APIRouter, FastAPI
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_after_delay, wait_fixed

import alerting
import building
import carriers
import settings_shown
from building import Flows
from carriers import BROWSER, VIRTUAL_SID, Accounts, Phones, nobody
from checkins import ports
from checkins.alarm_bell import Bell
from checkins.contact_rounds import ContactRounds
from checkins.cycle import Cycle
from checkins.errands import REASONS
from checkins.mornings import Mornings
from checkins.phones import national
from checkins.roster.tables import RosterDuty
from checkins.tables import Neighbourhood, Person, Role
from checkins.watch import Watch
from community import notices
from community.ballot_rounds import BallotRounds
from community.notice_rounds import NoticeRounds
from community.rounds import ComplaintRounds
from community.tickets_policy import ReplyClock
from community.tickets_rounds import TicketRounds
from console import access, device_events, error_pages, sounds
from console import routes as console_routes
from console.deps import Deps
from console.door import Door
from console.import_desk import ImportDesk
from console.live import Live
from console.pages import Pages
from console.phone_desk import PhoneLine
from console.phone_trials import Trials
from console.prompt_shelf import Shelf
from console.sounds import Sounds
from database_in_use import migrate
from ivr.asterisk.switch import Switch
from ivr.asterisk.switch import routes as asterisk_routes
from ivr.calls import Calls
from ivr.media import MediaServer
from ivr.pump import Tools
from ivr.recordings import Recordings
from ivr.second_pass import SecondPass
from ivr.telephone import TwilioTelephone
from ivr.twilio.config import TwilioConfig
from ivr.twilio.documents import SENTENCES
from ivr.twilio.fetching import CarrierRecordings
from ivr.twilio.rest import TwilioRest
from ivr.virtual.carrier import Directory, VirtualCarrier
from ivr.virtual.handset import Exchange
from joints import Placer, second_texts
from keeping.deletion import Deletion
from serving import listen, serve
from settings import Settings, SettingsError
from speech.ears import Ears
from speech.prompts import Prompts
from storage.database import Database
from storage.lock import FolderTakenError, held
from storage.rounds import FAILING, Failing, repeat

log = logging.getLogger(__name__)

NAMES_EVERY_S = 60.0
AUDITOR_AFTER_S = 15.0
QUIET_CALLS = 2  # with more calls on a line no dictation is transcribed again
MUST_NOT_FAIL = ("checkins.cycle", "checkins.watch", "checkins.alarm_bell")
DRAIN_S = 60.0  # so long calls may go on when the server is asked to stop


NO_WAY_OUT = (
    "neither WENAN_ALARM_MAIL_TO nor WENAN_ALARM_WEBHOOK_URL is set: when the database can't be written (a full disk), "
    "nobody hears of an emergency but by the log"
)


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@dataclass
class House:
    """All rooms, joined. Made by `open_house`; `run` makes the rounds until told to stop."""

    settings: Settings
    clock: ports.Clock
    db: Database
    ears: Ears
    prompts: Prompts
    recordings: Recordings
    calls: Calls
    telephone: TwilioTelephone
    media: MediaServer
    second_pass: SecondPass
    cycle: Cycle
    watch: Watch
    bell: Bell
    web: FastAPI
    live: Live
    door: Door
    sounds: Sounds
    imports: ImportDesk
    base_url: str
    virtual: VirtualCarrier | None = None
    phone: PhoneLine | None = None  # what a browser phone hangs on
    switch: Switch | None = None  # Asterisk, where it carries the calls
    prepared: set[str] = field(default_factory=set)  # what is known to be rendered
    failing: Failing = field(default_factory=Failing)  # which rounds
    notes: Notes = field(default_factory=lambda: Notes())  # what the operator must know; the console shows them

    @property
    def carrier(self) -> VirtualCarrier:
        assert self.virtual is not None, "only a virtual carrier can be watched"
        return self.virtual

    def active_calls(self) -> int:
        """Lines in use, ringing ones included."""
        return max(self.telephone.active_calls(), self.media.live())

    async def run(self, stop: asyncio.Event, *, rounds: bool = True) -> None:
        """Everything that goes on by itself. `rounds` False: somebody else ticks the cycle (demo, tests)."""
        FAILING.set(self.failing)
        lines = self.settings.lines - self.settings.lines_reserved
        mornings = Mornings(self.db, self.clock, self.settings.data_dir / "sheets", lines, self.say_once)
        loops = [self.telephone.run(stop), self._watch(stop), mornings.run(stop), self._names(stop)]
        loops += [self.second_pass.run(stop), self.bell.run(stop), ContactRounds(self.db, self.clock).run(stop)]
        loops.append(ComplaintRounds(self.db, self.clock, second_texts).run(stop))
        within = ReplyClock(timedelta(minutes=self.settings.ticket_minutes))
        loops.append(TicketRounds(self.db, self.clock, within, second_texts).run(stop))
        loops.append(BallotRounds(self.db, self.clock).run(stop))
        loops.append(NoticeRounds(self.db, self.clock).run(stop))
        loops.append(building.outgoing(self.settings, self.db, self.clock, self.base_url).run(stop))
        loops.append(repeat(self.sounds.sweep, stop, sounds.EVERY_S, log, "old drafts can't be deleted (%s)"))
        if self.switch:
            loops.append(self.switch.run(stop))
        if rounds:
            deletion = Deletion(self.db, self.clock.now, self.settings.data_dir, self.say_once)
            loops += [self.cycle.run(stop), deletion.rounds(stop)]
        await asyncio.gather(*loops)

    async def prepare_names(self) -> None:
        """Renders what only this neighbourhood says (names, the committee, today's notice) before any call needs it."""
        now = self.clock.now()
        own = await self.db.view(lambda session: [*notices.texts(session, now), *_own_texts(session)])
        texts = [text for text in (*SENTENCES.values(), *own) if text not in self.prepared]
        missing = await self.prompts.prepare(texts)
        self.prepared.update(texts)
        self.say_once(f"{len(missing)} prompts could not be made: they will be left out" if missing else "")

    async def _watch(self, stop: asyncio.Event) -> None:
        """The auditor begins when the cycle has had time to plan: who is not planned yet is not late."""
        with suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), AUDITOR_AFTER_S)
        await self.watch.run(stop)

    async def _names(self, stop: asyncio.Event) -> None:
        """Names of people who were added or changed while the line runs."""
        failed = "names could not be prepared (%s); tried again in a minute"
        await repeat(self.prepare_names, stop, NAMES_EVERY_S, log, failed)

    async def _still_talking(self) -> bool:
        """Whether somebody is on a line, or a telephone rings: not an order that the carrier hasn't answered."""
        return self.media.live() > 0 or await self.calls.on_a_line() > 0

    def say_once(self, note: str) -> None:
        """For the operator: into the log and onto the console, once."""
        self.notes.say(note)

    async def drain(self, within_s: float = DRAIN_S, *, rounds: bool = False) -> None:
        """Lets the calls that go on come to their end. `rounds`: in an emergency people are rung meanwhile."""
        calm = AsyncRetrying(stop=stop_after_delay(within_s), wait=wait_fixed(0.2), retry=retry_if_result(bool))
        drained, self.cycle.urgent_only = asyncio.Event(), True
        emergencies = asyncio.create_task(self.cycle.run(drained)) if rounds else None
        try:
            with suppress(RetryError):
                await calm(self._still_talking)
        finally:
            drained.set()
            if emergencies:
                await emergencies


class Notes(list[str]):
    """Sentences for whoever operates the line; each goes into the log and onto the console once."""

    def say(self, note: str) -> None:
        if note and note not in self:
            self.append(note)
            log.error(note)


@asynccontextmanager
async def open_house(
    settings: Settings,
    *,
    clock: ports.Clock | None = None,
    directory: Directory | None = None,
    hurry: float = 1.0,
    lockstep: bool = False,
    fresh: bool = False,
    ears: Ears | None = None,
    config: Callable[[str], TwilioConfig] | None = None,
) -> AsyncIterator[House]:
    """Serves webhooks, media and console on 127.0.0.1 while the context is open.

    `directory`, `hurry`: for the virtual carrier (telephones behind numbers, how much faster they ring). `ears`,
    `config` (of the carrier, given our address), `lockstep`: for tests. `fresh` begins an SQLite
    database anew. Raises SettingsError, one sentence, for what the operator must put right first.
    """
    async with AsyncExitStack() as stack:
        try:
            stack.enter_context(held(settings.data_dir))
        except FolderTakenError as error:
            raise SettingsError(str(error)) from None
        listener = stack.enter_context(listen(settings.port))
        base_url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        _prepare(settings, fresh)
        clock = clock or SystemClock()
        phones = Phones(Exchange(directory or nobody), own=settings.carrier == "virtual" and config is None)
        if phones.own or settings.browser_phone:
            token = secrets.token_hex(16)
            phones.carrier = VirtualCarrier(VIRTUAL_SID, token, phones.exchange, now=clock.now, hurry=hurry)
            await stack.enter_async_context(phones.carrier)
        switch = carriers.asterisk(settings)
        if switch is not None:
            config = await stack.enter_async_context(carriers.behind(switch, settings, clock.now))
        accounts = carriers.accounts(settings, base_url, phones, config)
        house = _build(settings, clock, base_url, accounts, phones, ears, lockstep, switch)
        stack.push_async_callback(_close, house)
        stack.push_async_callback(house.imports.close)
        await stack.enter_async_context(serve(house.web, listener, settings.lines))
        stack.callback(house.live.close)
        asking = asyncio.create_task(house.telephone.ask_after(await house.telephone.take_up()))
        stack.callback(asking.cancel)
        log.info("the line is up at %s", base_url)
        yield house


def _prepare(settings: Settings, fresh: bool) -> None:
    """The database's newest revision."""
    url = make_url(settings.database_url)
    if fresh and url.get_backend_name() == "sqlite" and url.database:
        for ending in ("", "-wal", "-shm"):
            Path(url.database + ending).unlink(missing_ok=True)
    migrate(settings)


def _build(
    settings: Settings,
    clock: ports.Clock,
    base_url: str,
    accounts: Accounts,
    phones: Phones,
    ears: Ears | None,
    lockstep: bool,
    switch: Switch | None,
) -> House:
    flows, owner, promised = Flows(), f"{socket.gethostname()}:{os.getpid()}", building.promises(settings)
    db = Database(settings.database_url)
    voice = building.voice(settings, flows, ears)
    calls, rest = Calls(db, clock.now, flow=flows), TwilioRest(accounts.main)
    fetching = CarrierRecordings(calls, rest, voice.recordings)
    telephone = TwilioTelephone(calls, accounts.main, rest, chores=[fetching.fetch_open], trunks=accounts.trunks())
    placer = Placer(telephone)
    desk = building.desk(settings, db, clock, voice.recordings, promised, owner)
    trials = Trials(desk, flows)
    second = accounts.second is not None
    cycle = building.day_cycle(settings, db, clock, placer, promised, owner, second=second)
    bell = Bell(db, clock, alerting.messengers(settings), placer, alerting.caller(settings, owner))
    calls.outbox.listener = trials.heard_by(
        building.listener(db, clock, flows, voice.recordings, promised, cycle, bell)
    )
    notes = _first_notes(settings)
    tools = Tools(voice.ears, voice.prompts, voice.recordings, calls, notes.say, trials)
    media = MediaServer(calls, flows, tools, clock, lockstep=lockstep)
    house = House(
        settings,
        clock,
        db,
        voice.ears,
        voice.prompts,
        voice.recordings,
        calls,
        telephone,
        media,
        SecondPass(db, clock, voice.ears, voice.recordings, lambda: media.live() <= QUIET_CALLS, calls.outbox.tell),
        cycle,
        _watch(settings, db, clock, bell),
        bell,
        FastAPI(title="问安", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False),
        Live(db),
        Door(db, SystemClock(), settings.console_url),
        Sounds(settings.data_dir / "sounds", voice.recordings.folder, voice.prompts.get),
        ImportDesk(db.engine.url.render_as_string(hide_password=False), clock, settings.data_dir / "imports"),
        base_url,
        phones.virtual,
        _phone_line(phones, accounts, trials, telephone, cycle, calls),
        switch,
        notes=notes,
    )
    _open_pages(house, building.webhooks(accounts, calls, fetching, flows, media, desk, trials, voice.prompts))
    return house


def _watch(settings: Settings, db: Database, clock: ports.Clock, bell: Bell) -> Watch:
    sees, beat = alerting.machine(settings.data_dir), alerting.beat(settings)
    return Watch(db, clock, settings.data_dir / "heartbeat", house=sees, beat=beat, cry=bell.cry)


def _phone_line(
    phones: Phones, accounts: Accounts, trials: Trials, telephone: TwilioTelephone, cycle: Cycle, calls: Calls
) -> PhoneLine | None:
    if not phones.carrier:
        return None
    own, trunk = accounts.browser or accounts.main, BROWSER if accounts.browser else ""
    line = (own.url("voice"), own.from_number, trials, telephone, cycle, calls, trunk)
    return PhoneLine(phones.carrier, phones.exchange, *line, counts=phones.own)


def _open_pages(house: House, webhooks: list[APIRouter]) -> None:
    """Every route is one that the console's table of accounts knows, or nothing starts."""
    deps = _deps(house)
    routers = [
        *webhooks,
        asterisk_routes(house.switch),
        device_events.routes(house.db, house.clock, house.cycle.wake),
        console_routes.routes(deps),
    ]
    error_pages.add(house.web, Pages(deps).error)
    access.check(route for router in routers for route in router.routes)
    for router in routers:
        house.web.include_router(router)


def _first_notes(settings: Settings) -> Notes:
    notes = Notes()
    if settings.carrier != "virtual" and not alerting.messengers(settings):
        notes.append(NO_WAY_OUT)
        log.warning(NO_WAY_OUT)
    return notes


def _deps(house: House) -> Deps:
    """What the console shows and may do."""
    promised = building.promises(house.settings)
    return Deps(
        db=house.db,
        clock=house.clock,
        ears_status=house.ears.status,
        recordings_read=house.recordings.read,
        late=lambda: house.watch.late,
        live=house.live,
        door=house.door,
        notes=lambda: house.notes,
        sounds=house.sounds,
        imports=house.imports,
        shelf=Shelf(house.settings.recorded_prompts, house.prompts),
        deadlines=promised.complaints,
        reply_clock=promised.tickets,
        phone=house.phone,
        looked=lambda: house.watch.last_run,
        folders=[house.settings.data_dir],
        failing=lambda: house.failing.of(*MUST_NOT_FAIL),
        line=national(house.settings.number),
        trunk=house.cycle.trunk,
        setup=settings_shown.shown(house.settings),
    )


async def _close(house: House) -> None:
    """In the order in which work flows: nothing is written to what is closed already."""
    await house.media.close()
    await house.telephone.close()
    if house.switch:
        await house.switch.close()
    house.ears.close()
    await house.prompts.close()
    await house.recordings.close()
    house.db.close()


def _own_texts(session: Session) -> list[str]:
    """Committees, notices, names of elders, of whoever is rung for them, why they are; then homes, of which there are
    as many as elders: what every call needs comes first."""
    places = session.scalars(select(Neighbourhood)).all()
    names = session.scalars(select(Person.spoken_name).order_by(Person.role != Role.ELDER, Person.spoken_name)).all()
    homes = session.execute(select(Person.address, Person.key_holder, Person.notes).where(Person.role == Role.ELDER))
    streets = session.scalars(select(RosterDuty.street_name).where(RosterDuty.street_number.is_not(None)))
    texts = [*(place.committee for place in places), *(place.notice for place in places), *REASONS, *streets, *names]
    return [text for text in dict.fromkeys([*texts, *(text for home in homes for text in home)]) if text]
