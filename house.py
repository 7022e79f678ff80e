"""The whole line, put together: every room made, joined and kept running. `server.py` is the command line over it."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

from fastapi import FastAPI
from sqlalchemy import select
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session
from tenacity import AsyncRetrying, RetryError, retry_if_result, stop_after_delay, wait_fixed

import alerting
from callflows import loader
from callflows.flow import Flow
from checkins import ports
from checkins.alarm_bell import UNWRITTEN, Bell
from checkins.alarm_calls import SECOND
from checkins.alarms import Kind
from checkins.contact_rounds import ContactRounds
from checkins.cycle import Cycle
from checkins.enrolment.trial_calls import TrialCalls
from checkins.errands import REASONS
from checkins.handing_over import Switchboard
from checkins.mornings import Mornings
from checkins.reception import Reception
from checkins.roster.tables import RosterDuty
from checkins.tables import Neighbourhood, Person, Role
from checkins.watch import Watch
from community import notices
from community.ballot_calls import BallotCalls
from community.ballot_counter import BallotCounter
from community.ballot_rounds import BallotRounds
from community.intake import Intake, Intakes
from community.meeting_calls import MeetingCalls
from community.notice_calls import NoticeCalls
from community.notice_counter import NoticeCounter
from community.notice_offers import NoticeOffers
from community.notice_rounds import NoticeRounds
from community.policy import Deadlines
from community.register_counter import RegisterCounter
from community.register_intake import RegisterIntake
from community.reply_calls import ReplyCalls
from community.rounds import ComplaintRounds
from community.tickets_calls import BookingCalls
from community.tickets_counter import TicketCounter
from community.tickets_intake import TicketIntake
from community.tickets_policy import ReplyClock
from community.tickets_rounds import TicketRounds
from console import access, device_events, error_pages, sentences
from console import routes as console_routes
from console.deps import Deps
from console.door import Door
from console.live import Live
from console.pages import Pages
from console.phone_desk import PhoneLine
from console.phone_trials import Trials
from console.prompt_desk import PromptDesk
from database_in_use import migrate
from ivr import routes as telephone_routes
from ivr.calls import Calls
from ivr.media import MediaServer
from ivr.pump import Tools
from ivr.recordings import Recordings
from ivr.second_pass import SecondPass
from ivr.telephone import TwilioTelephone
from ivr.twilio.config import PREFIX, TwilioConfig
from ivr.twilio.documents import SENTENCES
from ivr.twilio.fetching import CarrierRecordings
from ivr.twilio.rest import TwilioRest
from ivr.twilio.verbs import Verbs
from ivr.virtual.carrier import Directory, VirtualCarrier
from ivr.virtual.handset import Exchange
from ivr.virtual.phone import Phone, PhoneKind
from joints import Desk, Listener, Placer, cut_off, second_texts
from serving import listen, serve
from settings import Settings, SettingsError
from speech.ears import Ears, load_ears
from speech.prompts import Prompts
from speech.published import Published
from speech.synthesis import EspeakChild
from storage.database import Database
from storage.lock import FolderTakenError, held
from storage.rounds import FAILING, Failing, repeat

log = logging.getLogger(__name__)

VIRTUAL_SID = "AC" + "0" * 32
VIRTUAL_NUMBER = "+862110000000"  # rings nowhere
BROWSER = "browser"  # the trunk of browser phones beside a real carrier
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
    base_url: str
    virtual: VirtualCarrier | None = None
    phone: PhoneLine | None = None  # what a browser phone hangs on
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
        if rounds:
            loops.append(self.cycle.run(stop))
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


class Flows:
    """The shipped flows, each read once."""

    def __init__(self) -> None:
        self._flows: dict[str, Flow] = {}

    def __call__(self, name: str) -> Flow:
        if name not in self._flows:
            self._flows[name] = loader.shipped(name)
        return self._flows[name]


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
        phones = _Phones(Exchange(directory or _nobody), own=settings.carrier == "virtual" and config is None)
        if phones.own or settings.browser_phone:
            token = secrets.token_hex(16)
            phones.carrier = VirtualCarrier(VIRTUAL_SID, token, phones.exchange, now=clock.now, hurry=hurry)
            await stack.enter_async_context(phones.carrier)
        found = config(base_url) if config else _twilio_config(settings, base_url, phones.virtual)
        house = _build(settings, clock, base_url, found, phones, ears, lockstep)
        stack.push_async_callback(_close, house)
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


@dataclass
class _Phones:
    """Telephones behind virtual numbers. `own`: their carrier has all calls; else it has browser phones' alone."""

    exchange: Exchange
    own: bool
    carrier: VirtualCarrier | None = None

    @property
    def virtual(self) -> VirtualCarrier | None:
        return self.carrier if self.own else None


def _build(
    settings: Settings,
    clock: ports.Clock,
    base_url: str,
    config: TwilioConfig,
    phones: _Phones,
    ears: Ears | None,
    lockstep: bool,
) -> House:
    data, flows = settings.data_dir, Flows()
    db = Database(settings.database_url)
    ears = _prepared(ears or _ears(settings), flows)
    _finish_publishing(settings)
    prompts = Prompts(cache=data / "prompts", human=settings.recorded_prompts, synthesiser=EspeakChild())
    recordings = _recordings(data / "recordings")
    calls = Calls(db, clock.now, flow=flows)
    rest = TwilioRest(config)
    fetching = CarrierRecordings(calls, rest, recordings)
    second = alerting.second_trunk(settings, config)
    aside = None if phones.own or not phones.carrier else _aside(settings, base_url, phones.carrier)
    trunks = {SECOND: TwilioRest(second)} if second else {}
    trunks |= {BROWSER: TwilioRest(aside)} if aside else {}
    telephone = TwilioTelephone(calls, config, rest, chores=[fetching.fetch_open], trunks=trunks)
    placer, owner = Placer(telephone), f"{socket.gethostname()}:{os.getpid()}"
    deadlines = Deadlines(timedelta(hours=settings.complaint_heard_hours), settings.complaint_answer_days)
    within = ReplyClock(timedelta(minutes=settings.ticket_minutes))
    switchboard = Switchboard(db, clock, lines=settings.lines, owner=owner)
    recorder = PromptDesk(db, clock, recordings, settings.recorded_prompts, cache(sentences.shipped))
    desk = Desk(
        Reception(db, clock),
        switchboard,
        TicketCounter(db, clock, deadlines, within),
        recorder,
        BallotCounter(db, clock),
        NoticeCounter(db, clock),
        RegisterCounter(db, clock),
    )
    trials = Trials(desk, flows)
    front = desk if aside else trials  # what a real carrier brings is never taken for a trial
    verbs = Verbs(calls, config, fetching, flows, front, front, prompts)
    cycle = Cycle(
        db,
        NoticeOffers(placer, db, clock),
        clock,
        owner=owner,
        lines=settings.lines,
        reserved=settings.lines_reserved,
        starts_per_s=settings.calls_per_second,
        burst=settings.calls_burst,
        second=second is not None,
        errands=[
            BookingCalls(within),
            NoticeCalls(),
            ReplyCalls(deadlines),
            MeetingCalls(),
            BallotCalls(),
            TrialCalls(settings.test_call_days),
        ],
    )
    bell = Bell(db, clock, alerting.messengers(settings), placer, alerting.caller(settings, owner))
    intakes = (Intake(db, clock, deadlines), TicketIntake(db, clock, within), RegisterIntake(db, clock))
    said = Intakes(db, cut_off(flows, recordings.folder), *intakes)
    listener = Listener(
        cycle.settle,
        lambda: bell.cry(Kind.EMERGENCY_UNWRITTEN, UNWRITTEN),
        also=[said.settle],
    )
    calls.outbox.listener = trials.heard_by(listener)
    notes = _first_notes(settings)
    tools = Tools(ears, prompts, recordings, calls, notes.say, trials)
    media = MediaServer(calls, flows, tools, clock, lockstep=lockstep)
    second_pass = SecondPass(db, clock, ears, recordings, lambda: media.live() <= QUIET_CALLS, calls.outbox.tell)
    sees, beat = alerting.machine(data), alerting.beat(settings)
    watch = Watch(db, clock, data / "heartbeat", house=sees, beat=beat, cry=bell.cry)
    web = FastAPI(title="问安", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    routers = [telephone_routes.routes(calls, config, media, verbs, prompts, front)]
    if second:
        by_keys = Verbs(calls, second, fetching, flows, desk, voice=prompts)
        routers.append(telephone_routes.routes(calls, second, media, by_keys, prompts))
    if aside:
        tried = Verbs(calls, aside, fetching, flows, trials, trials, prompts)
        routers.append(telephone_routes.routes(calls, aside, media, tried, prompts, trials))
    house = House(
        settings,
        clock,
        db,
        ears,
        prompts,
        recordings,
        calls,
        telephone,
        media,
        second_pass,
        cycle,
        watch,
        bell,
        web,
        Live(db),
        Door(db, SystemClock(), settings.console_url),
        base_url,
        phones.virtual,
        notes=notes,
    )
    if phones.carrier:
        own, trunk = aside or config, BROWSER if aside else ""
        line = (own.url("voice"), own.from_number, trials, telephone, cycle, calls, trunk)
        house.phone = PhoneLine(phones.carrier, phones.exchange, *line, counts=phones.own)
    deps = _deps(house)
    routers += [device_events.routes(db, clock, cycle.wake), console_routes.routes(deps)]
    error_pages.add(web, Pages(deps).error)
    access.check(route for router in routers for route in router.routes)
    for router in routers:
        web.include_router(router)
    return house


def _ears(settings: Settings) -> Ears:
    workers, threads = settings.recogniser_workers, settings.whisper_threads
    return load_ears(settings.models_dir, workers=workers, whisper_threads=threads)


def _prepared(ears: Ears, flows: Flows) -> Ears:
    """They know every word that an answer can be."""
    try:
        ears.prepare([wait for name in loader.shipped_names() for wait in flows(name).waits()])
    except loader.FlowError as error:
        raise SettingsError(f"a flow of the line is broken, so that nobody can be called: {error}") from None
    return ears


def _recordings(folder: Path) -> Recordings:
    recordings = Recordings(folder)
    for found in recordings.recover():
        log.warning("a recording that a crash cut off is kept: %s (%.1f s)", found.path, found.seconds)
    return recordings


def _first_notes(settings: Settings) -> Notes:
    notes = Notes()
    if settings.carrier != "virtual" and not alerting.messengers(settings):
        notes.append(NO_WAY_OUT)
        log.warning(NO_WAY_OUT)
    return notes


def _finish_publishing(settings: Settings) -> None:
    """What somebody began to publish when the machine died."""
    try:
        done = Published(settings.recorded_prompts).settle()
    except OSError as error:
        log.error("recorded prompts can't be looked through (%s): they are played as they lie there", error.strerror)
        return
    if done:
        log.warning("%d recorded prompts were half published: they are whole now", done)


def _deps(house: House) -> Deps:
    """What the console shows and may do."""
    return Deps(
        db=house.db,
        clock=house.clock,
        ears_status=house.ears.status,
        recordings_read=house.recordings.read,
        late=lambda: house.watch.late,
        live=house.live,
        door=house.door,
        notes=lambda: house.notes,
        phone=house.phone,
        looked=lambda: house.watch.last_run,
        folders=[house.settings.data_dir],
        failing=lambda: house.failing.of(*MUST_NOT_FAIL),
    )


async def _close(house: House) -> None:
    """In the order in which work flows: nothing is written to what is closed already."""
    await house.media.close()
    await house.telephone.close()
    house.ears.close()
    await house.prompts.close()
    await house.recordings.close()
    house.db.close()


def _twilio_config(settings: Settings, base_url: str, virtual: VirtualCarrier | None) -> TwilioConfig:
    if virtual is not None:
        return TwilioConfig(
            virtual.account_sid,
            (virtual.auth_token,),
            VIRTUAL_NUMBER,
            base_url,
            api_base=virtual.base_url,
            media=settings.media,
        )
    return TwilioConfig(
        settings.twilio_account_sid,
        settings.auth_tokens,
        settings.twilio_from,
        settings.public_url,
        api_base=settings.twilio_api_base,
        media=settings.media,
    )


def _aside(settings: Settings, base_url: str, carrier: VirtualCarrier) -> TwilioConfig:
    """The account of browser phones beside a real carrier; its webhooks have a place of their own."""
    return replace(_twilio_config(settings, base_url, carrier), prefix=f"{PREFIX}/{BROWSER}")


def _nobody(_number: str) -> Phone:
    """Behind the virtual carrier's numbers nobody lives, unless the demo or a test says who."""
    return Phone(PhoneKind.NO_ANSWER)


def _own_texts(session: Session) -> list[str]:
    """Committees, notices, names of elders, of whoever is rung for them, why they are; then homes, of which there are
    as many as elders: what every call needs comes first."""
    places = session.scalars(select(Neighbourhood)).all()
    names = session.scalars(select(Person.spoken_name).order_by(Person.role != Role.ELDER, Person.spoken_name)).all()
    homes = session.execute(select(Person.address, Person.key_holder, Person.notes).where(Person.role == Role.ELDER))
    streets = session.scalars(select(RosterDuty.street_name).where(RosterDuty.street_number.is_not(None)))
    texts = [*(place.committee for place in places), *(place.notice for place in places), *REASONS, *streets, *names]
    return [text for text in dict.fromkeys([*texts, *(text for home in homes for text in home)]) if text]
