"""The parts of the house, each made of rooms': voice, counters, the day's cycle, webhooks. house.py joins them."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from fastapi import APIRouter

from callflows import loader
from callflows.flow import Flow
from carriers import Accounts
from checkins import ports
from checkins.alarm_bell import UNWRITTEN, Bell
from checkins.alarms import Kind
from checkins.cycle import Cycle
from checkins.enrolment.trial_calls import TrialCalls
from checkins.handing_over import Switchboard
from checkins.reception import Reception
from community.ballot_calls import BallotCalls
from community.ballot_counter import BallotCounter
from community.intake import Intake, Intakes
from community.meeting_calls import MeetingCalls
from community.notice_calls import NoticeCalls
from community.notice_counter import NoticeCounter
from community.notice_offers import NoticeOffers
from community.policy import Deadlines
from community.register_counter import RegisterCounter
from community.register_intake import RegisterIntake
from community.reply_calls import ReplyCalls
from community.tickets_calls import BookingCalls
from community.tickets_counter import TicketCounter
from community.tickets_intake import TicketIntake
from community.tickets_policy import ReplyClock
from console import sentences
from console.phone_trials import Trials
from console.prompt_desk import PromptDesk
from ivr import routes as telephone_routes
from ivr.calls import Calls
from ivr.media import MediaServer
from ivr.recordings import Recordings
from ivr.twilio.fetching import CarrierRecordings
from ivr.twilio.verbs import Verbs
from joints import Desk, Listener, Placer, cut_off
from messages.outgoing import OutgoingRounds
from messages.reach import Own
from settings import Settings, SettingsError
from speech.ears import Ears, load_ears
from speech.prompts import Prompts
from speech.published import Published
from speech.synthesis import EspeakChild
from storage.database import Database

log = logging.getLogger(__name__)


class Flows:
    """The shipped flows, each read once."""

    def __init__(self) -> None:
        self._flows: dict[str, Flow] = {}

    def __call__(self, name: str) -> Flow:
        if name not in self._flows:
            self._flows[name] = loader.shipped(name)
        return self._flows[name]


@dataclass(frozen=True)
class Voice:
    """What hears, speaks, and keeps what was said."""

    ears: Ears
    prompts: Prompts
    recordings: Recordings


def voice(settings: Settings, flows: Flows, ears: Ears | None) -> Voice:
    """`ears`: those of a test. What a crash left half done is put right first."""
    known = _prepared(ears or _ears(settings), flows)
    _finish_publishing(settings)
    data = settings.data_dir
    prompts = Prompts(cache=data / "prompts", human=settings.recorded_prompts, synthesiser=EspeakChild())
    return Voice(known, prompts, _recordings(data / "recordings"))


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


def _finish_publishing(settings: Settings) -> None:
    """What somebody began to publish when the machine died."""
    try:
        done = Published(settings.recorded_prompts).settle()
    except OSError as error:
        log.error("recorded prompts can't be looked through (%s): they are played as they lie there", error.strerror)
        return
    if done:
        log.warning("%d recorded prompts were half published: they are whole now", done)


@dataclass(frozen=True)
class Promises:
    """By when complaints are heard and answered, and tickets taken."""

    complaints: Deadlines
    tickets: ReplyClock


def promises(settings: Settings) -> Promises:
    deadlines = Deadlines(timedelta(hours=settings.complaint_heard_hours), settings.complaint_answer_days)
    return Promises(deadlines, ReplyClock(timedelta(minutes=settings.ticket_minutes)))


def desk(
    settings: Settings, db: Database, clock: ports.Clock, recordings: Recordings, promised: Promises, owner: str
) -> Desk:
    """Everybody whom a call can ask something."""
    return Desk(
        Reception(db, clock),
        Switchboard(db, clock, lines=settings.lines, owner=owner),
        TicketCounter(db, clock, promised.complaints, promised.tickets),
        PromptDesk(db, clock, recordings, settings.recorded_prompts, cache(sentences.shipped)),
        BallotCounter(db, clock),
        NoticeCounter(db, clock),
        RegisterCounter(db, clock),
    )


def day_cycle(
    settings: Settings,
    db: Database,
    clock: ports.Clock,
    placer: Placer,
    promised: Promises,
    owner: str,
    *,
    second: bool,
) -> Cycle:
    """The round of the day, and all that is rung beside it. `second`: there is a second trunk."""
    return Cycle(
        db,
        NoticeOffers(placer, db, clock),
        clock,
        owner=owner,
        lines=settings.lines,
        reserved=settings.lines_reserved,
        starts_per_s=settings.calls_per_second,
        burst=settings.calls_burst,
        second=second,
        errands=[
            BookingCalls(promised.tickets),
            NoticeCalls(),
            ReplyCalls(promised.complaints),
            MeetingCalls(),
            BallotCalls(),
            TrialCalls(settings.test_call_days),
        ],
    )


def listener(
    db: Database, clock: ports.Clock, flows: Flows, recordings: Recordings, promised: Promises, cycle: Cycle, bell: Bell
) -> Listener:
    """Who hears what came of a call; what can't be written is cried out."""
    complaints, tickets = Intake(db, clock, promised.complaints), TicketIntake(db, clock, promised.tickets)
    said = Intakes(db, cut_off(flows, recordings.folder), complaints, tickets, RegisterIntake(db, clock))
    return Listener(cycle.settle, lambda: bell.cry(Kind.EMERGENCY_UNWRITTEN, UNWRITTEN), also=[said.settle])


def webhooks(
    accounts: Accounts,
    calls: Calls,
    fetching: CarrierRecordings,
    flows: Flows,
    media: MediaServer,
    desk: Desk,
    trials: Trials,
    prompts: Prompts,
) -> list[APIRouter]:
    """Of each account. What a real carrier brings is never taken for a trial."""
    front = desk if accounts.browser else trials
    verbs = Verbs(calls, accounts.main, fetching, flows, front, front, prompts)
    found = [telephone_routes.routes(calls, accounts.main, media, verbs, prompts, front)]
    if accounts.second:
        by_keys = Verbs(calls, accounts.second, fetching, flows, desk, voice=prompts)
        found.append(telephone_routes.routes(calls, accounts.second, media, by_keys, prompts))
    if accounts.browser:
        tried = Verbs(calls, accounts.browser, fetching, flows, trials, trials, prompts)
        found.append(telephone_routes.routes(calls, accounts.browser, media, tried, prompts, trials))
    return found


def outgoing(settings: Settings, db: Database, clock: ports.Clock, base_url: str) -> OutgoingRounds:
    """Messages to other programs, none of them to ourselves: our own port, the database's, our pages."""
    listening = (urlsplit(base_url).port, db.engine.url.port)
    own = Own.of([port for port in listening if port], [settings.console_url, settings.public_url])
    return OutgoingRounds(db, clock, own)
