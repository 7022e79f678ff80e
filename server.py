"""问安: the command line. `python server.py --help`; settings come from WENAN_… and wenan.toml (docs/settings.md)."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

try:
    import typer
    import uvloop
    from rich.console import Console
    from sqlalchemy.exc import DBAPIError
except ModuleNotFoundError as missing:
    sys.exit(f"wenan: this Python has no {missing.name}. Run `make setup`, then: .venv/bin/python server.py …")

import case_app
import enrolment_app
import prompt_app
import settings as settings_module
import ticket_app
from settings import Settings, SettingsError
from storage.faults import Discreet

app = typer.Typer(
    help="问安 (Wen'an): a telephone line that asks after elders every day. Settings: docs/settings.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
models_app = typer.Typer(help="Recogniser weights: list, pull, verify.", no_args_is_help=True)
people_app = typer.Typer(
    help="The register: import people from a spreadsheet (CSV), list them, change one of them.", no_args_is_help=True
)
devices_app = typer.Typer(help="Alarm buttons and smoke detectors: add, list, test, remove.", no_args_is_help=True)
app.add_typer(models_app, name="models")
app.add_typer(people_app, name="people")
clock_app = typer.Typer(help="The machine's clock.", no_args_is_help=True)
app.add_typer(clock_app, name="clock")
alarms_app = typer.Typer(help="What is wrong with the line, and who knows of it.", no_args_is_help=True)
app.add_typer(alarms_app, name="alarms")
app.add_typer(devices_app, name="devices")
roster_app = typer.Typer(help="Who is rung when an elder needs a person (docs/roster.md).", no_args_is_help=True)
app.add_typer(roster_app, name="roster")
policy_app = typer.Typer(
    help="How elders are called and who is rung: show, set, check (docs/escalation.md).", no_args_is_help=True
)
app.add_typer(policy_app, name="policy")

out = Console()
err = Console(stderr=True)


# ── calling ───────────────────────────────────────────────────────────────────────────────────────


@app.command()
def serve() -> None:
    """The server: webhooks, media streams, console, and the daily round by itself. Ends on Ctrl-C or SIGTERM: calls
    that go on are brought to their end first (up to a minute; a second signal ends at once)."""

    async def work(settings: Settings) -> int:
        from database_in_use import shown
        from house import open_house

        async with open_house(settings) as house:
            out.print(f"问安 at {house.base_url}, carrier {settings.carrier}, database {shown(settings)}")
            for engine in house.ears.status():
                out.print(f"  {'✓' if engine.ready else '–'} {engine.name}: {engine.why}", highlight=False)
            stop = _until_signal()
            running = asyncio.create_task(house.run(stop))
            await asyncio.wait([running, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            await house.drain(rounds=True)
            await running
        return 0

    _run(work)


@app.command()
def demo(
    exit_: Annotated[
        bool, typer.Option("--exit", help="end after the summary: status 0 if all is as expected")
    ] = False,
    seed: Annotated[int, typer.Option(help="voices, order, noise and wording; the same seed repeats them")] = 1,
) -> None:
    """Today's round of an invented neighbourhood: 24 virtual elders answer real audio over the virtual carrier."""

    async def work(settings: Settings) -> int:
        from demo import clips, neighbourhood, round, scenario
        from demo.clock import JumpClock
        from house import open_house

        story = scenario.load(seed)
        clock = JumpClock(neighbourhood.morning(datetime.now(UTC)))
        telephones = story.directory(clips.load())
        own = _demo_settings(settings)
        async with open_house(own, clock=clock, directory=telephones, hurry=DEMO_HURRY, fresh=True) as house:
            stop = _until_signal()
            running = asyncio.create_task(house.run(stop, rounds=False))
            playing = asyncio.create_task(round.play(house, story, seed=seed, out=out, exit_after=exit_))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait([playing, stopped], return_when=asyncio.FIRST_COMPLETED)
            code = playing.result() if playing.done() else 130
            playing.cancel()
            if not exit_ and code != 130:
                await house.cycle.run(stop)  # reminders go on while somebody looks around
            stop.set()
            await running
        return code

    _run(work)


@app.command("round")
def round_() -> None:
    """Plans and calls everybody who is due today, then ends with a list of who needs a person."""

    async def work(settings: Settings) -> int:
        from commands import round_once
        from house import open_house

        async with open_house(settings) as house:
            return await round_once(house, _until_signal(), out)

    _run(work)


@app.command()
def call(elder: Annotated[str, typer.Argument(help="an elder's id, or the whole name")]) -> None:
    """Rings one elder once, now, with today's check-in, and says what came of it. Nobody else is planned or rung. The
    line rules hold (calling hours, 5 calls in 24 hours), and a try keeps its distance from the one before. When nobody
    answers, the next try is made by `serve` only. Status 0: closed by an answer; 3: a person is needed, or a further
    try; 1: no call was possible now."""

    async def work(settings: Settings) -> int:
        from commands import call_one, must_know
        from house import open_house

        await must_know(settings, elder)
        err.print("starting the line …", highlight=False)
        async with open_house(settings) as house:
            return await call_one(house, elder, _until_signal(), out)

    _run(work)


@app.command()
def flow(
    file: Annotated[Path, typer.Argument(help="a flow in YAML, or the name of a shipped one (daily_checkin)")],
    name: Annotated[str, typer.Option(help="how the line addresses the elder")] = "王阿婆",
    check: Annotated[bool, typer.Option("--check", help="only say whether the file is sound")] = False,
) -> None:
    """Plays a flow as text: digits are keys, other text is what the elder says, an empty line is silence."""
    from callflows import loader, text_runner
    from callflows.events import CallContext, Person

    try:
        loaded = loader.load(file) if file.suffix else loader.shipped(str(file))
    except loader.FlowError as error:
        raise _fail(str(error)) from None
    if check:
        out.print(f"{file}: sound ({loaded.name}, version {loaded.version})")
        return
    context = CallContext((Person("elder", name),), {"committee": "居委会"})
    try:
        findings = text_runner.run(loaded, context, lambda: input("> "), out.print)
    except (EOFError, KeyboardInterrupt):
        raise typer.Exit(130) from None
    for finding in findings:
        out.print(f"→ {finding.result} ({finding.evidence})")


@app.command()
def simulate(
    elders: Annotated[int, typer.Option(min=2, max=1_000_000, help="elders of the invented city")] = 1000,
    days: Annotated[int, typer.Option(min=1, max=366, help="days that begin; open cases go on after them")] = 7,
    seed: Annotated[int, typer.Option(help="the same seed gives the same city and the same days")] = 1,
    begin: Annotated[str, typer.Option(metavar="DATE", help="the first day")] = "2026-03-02",
    together: Annotated[int, typer.Option(min=2, max=4000, help="elders of one neighbourhood, at most")] = 1000,
    lines: Annotated[
        int | None, typer.Option(min=3, max=2000, help="of each neighbourhood's trunk; default: what the planner wants")
    ] = None,
    buddies_ignore: Annotated[float, typer.Option(min=0, max=1, help="share of buddies who never pick up")] = 0.1,
    silent: Annotated[float, typer.Option(min=0, max=1, help="share of elders who say nothing to a machine")] = 0.25,
    corrected: Annotated[
        float, typer.Option(min=0, max=1, help="share of these whose way of answering is known; 0: the line is new")
    ] = 0.98,
    outage: Annotated[
        list[str] | None,
        typer.Option(
            help='the trunk is dead: "09:00-10:00", or "2 09:00-10:00" on the second day only; may be repeated'
        ),
    ] = None,
    out_: Annotated[
        Path | None, typer.Option("--out", metavar="FOLDER", help="for report.html and plots (a table comes anyway)")
    ] = None,
    processes: Annotated[int, typer.Option(min=0, help="neighbourhoods at a time; 0: one a processor")] = 0,
) -> None:
    """A city in virtual time by the line's own rules (docs/simulation.md): how soon somebody is on the way, calls,
    lines, load. Status 1: an elder's case was never closed, or a rule was broken. Needs no settings, rings nobody."""
    from datetime import date

    from simulation.city import City
    from simulation.command import processors, read_outages, run
    from simulation.rates import Rates

    try:
        outages, first = read_outages(outage or ()), date.fromisoformat(begin)
    except ValueError as error:
        raise _fail(str(error)) from None
    rates = Rates(ignoring=buddies_ignore, silent=silent, corrected=corrected)
    city = City(elders, days, seed, first, together, lines, rates, outages)
    raise typer.Exit(run(city, out_, processes or processors(), out))


# ── weights ───────────────────────────────────────────────────────────────────────────────────────

Names = Annotated[list[str] | None, typer.Argument(help="names as `models list` shows them; none: all")]


@models_app.command("list")
def models_list() -> None:
    """Which weights the line knows, what they are for, and which are here."""
    _models("list", [])


@models_app.command("pull")
def models_pull(
    names: Names = None,
    soft: Annotated[bool, typer.Option("--soft", help="end with 0 also when some can't be had")] = False,
) -> None:
    """Fetches weights (goes on where it stopped, several sources in turn, checked by sha256)."""
    _models("pull", names or [], soft=soft)


@models_app.command("verify")
def models_verify(names: Names = None) -> None:
    """Checks the sums of the weights that are here."""
    _models("verify", names or [])


def _models(command: str, names: list[str], *, soft: bool = False) -> None:
    from speech import models

    raise typer.Exit(models.run(command, names, _settings().models_dir, soft, out))


# ── people ────────────────────────────────────────────────────────────────────────────────────────


@people_app.command("import")
def people_import(
    file: Annotated[Path, typer.Argument(help="CSV: name 姓名, spoken_name 称呼, phone 电话, … (docs/operations.md)")],
    committee: Annotated[str, typer.Option(help="the committee's name as it is spoken; made when it is new")],
) -> None:
    """Adds people to the register: all rows or none; every error names row and column."""

    async def work(settings: Settings) -> int:
        from commands import import_csv

        return await import_csv(settings, file, committee, out)

    _run(work)


@people_app.command("list")
def people_list() -> None:
    """Who is in the register: ids for `call` and `people set`, committee, number, state, consents."""

    async def work(settings: Settings) -> int:
        from commands import show_people

        return await show_people(settings, out)

    _run(work)


@people_app.command("show")
def people_show(who: Annotated[str, typer.Argument(metavar="ID_OR_NAME", help="as the log or a list has it")]) -> None:
    """Who that is: name, number, address, who has a key. It only reads, so it works when nothing can be written."""

    async def work(settings: Settings) -> int:
        from commands import show_person

        return await show_person(settings, who, out)

    _run(work)


@people_app.command("set")
def people_set(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="the whole name, or the id (`people list`)")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so: the elder, a relative, staff; kept")],
    state: Annotated[
        str | None,
        typer.Option(
            help="active (rung again, e.g. after a refusal), paused (with --until), refused (no machine calls, a "
            "person asks), moved or died (every open case ends)"
        ),
    ] = None,
    until: Annotated[str | None, typer.Option(metavar="DATE", help="last day of a pause: 2026-03-31")] = None,
    number: Annotated[
        str | None, typer.Option(help="the corrected number, as people write it; lifts a suspension")
    ] = None,
    mode: Annotated[str | None, typer.Option(help="keys, voice, human (a person rings) or visit")] = None,
    consents: Annotated[
        str | None,
        typer.Option(
            help='all that is agreed to now: "calls recording transcription buddy family street"; "" for nothing'
        ),
    ] = None,
    address: Annotated[str | None, typer.Option(help='as it is spoken to who goes and looks; "" for nothing')] = None,
    key_holder: Annotated[str | None, typer.Option(help="who has the key, as it is spoken")] = None,
    notes: Annotated[str | None, typer.Option(help="what to know when nobody opens, as it is spoken")] = None,
) -> None:
    """Changes one person in the register, on somebody's word; it holds before the next call. All changes or none."""

    async def work(settings: Settings) -> int:
        from commands import Change, set_person

        change = Change(state, until, number, mode, consents, address, key_holder, notes)
        return await set_person(settings, who, by, change, out)

    _run(work)


@people_app.command("pin")
def people_pin(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="the whole name, or the id (`people list`)")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so: staff; kept")],
    make: Annotated[bool, typer.Option("--make", help="make one by chance and show it, once")] = False,
    unlock: Annotated[bool, typer.Option("--unlock", help="only unlock: the PIN there is counts again")] = False,
) -> None:
    """Sets the PIN with which a buddy logs contacts by telephone (4 to 6 digits; asked for, not shown); it unlocks."""
    if make and unlock:
        raise _fail("--make and --unlock exclude each other")
    asks = not (make or unlock)
    pin = typer.prompt("PIN", hide_input=True, confirmation_prompt=True) if asks else None

    async def work(settings: Settings) -> int:
        from commands import set_pin

        return await set_pin(settings, who, by, pin, out, unlock=unlock)

    _run(work)


# ── devices ───────────────────────────────────────────────────────────────────────────────────────

_Device = Annotated[str, typer.Argument(metavar="ID", help="as `devices list` shows it")]
_By = Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")]


@devices_app.command("add")
def devices_add(
    elder: Annotated[str, typer.Argument(help="an elder's id, or the whole name")],
    kind: Annotated[str, typer.Option(help="alarm_button or smoke")],
    by: _By,
    test: Annotated[bool, typer.Option("--test", help="what it sends rings nobody, until `devices live`")] = False,
) -> None:
    """A new device in an elder's home; prints its address and its secret, once."""

    async def work(settings: Settings) -> int:
        from device_commands import add

        return await add(settings, elder, kind, by, out, testing=test)

    _run(work)


@devices_app.command("list")
def devices_list() -> None:
    """All devices: whose, of what kind, when they last raised an alarm and when they were last tested."""

    async def work(settings: Settings) -> int:
        from device_commands import show

        return await show(settings, out)

    _run(work)


@devices_app.command("test")
def devices_test(device: _Device, by: _By) -> None:
    """Into test mode: what it sends is kept, and rings nobody."""

    async def work(settings: Settings) -> int:
        from device_commands import set_testing

        return await set_testing(settings, device, by, out, testing=True)

    _run(work)


@devices_app.command("live")
def devices_live(device: _Device, by: _By) -> None:
    """Out of test mode: what it sends rings people."""

    async def work(settings: Settings) -> int:
        from device_commands import set_testing

        return await set_testing(settings, device, by, out, testing=False)

    _run(work)


@devices_app.command("remove")
def devices_remove(device: _Device, by: _By) -> None:
    """Nothing it sends counts any more; what it sent before stays."""

    async def work(settings: Settings) -> int:
        from device_commands import remove

        return await remove(settings, device, by, out)

    _run(work)


# ── alarms ────────────────────────────────────────────────────────────────────────────────────────


@alarms_app.command("list")
def alarms_list() -> None:
    """Alarms that are open, or that nobody has acknowledged yet. Status 3: one of them waits for a name."""

    async def work(settings: Settings) -> int:
        from alarm_commands import show_alarms

        return await show_alarms(settings, out)

    _run(work)


@alarms_app.command("test")
def alarms_test() -> None:
    """Raises an alarm that is an exercise: a running `serve` tells it by every way that is set up, calls included."""

    async def work(settings: Settings) -> int:
        from alarm_commands import raise_test

        return await raise_test(settings, out)

    _run(work)


@clock_app.command("accept")
def clock_accept(
    by: Annotated[str, typer.Option(metavar="WHO", help="your name: you have compared it with another clock")],
) -> None:
    """Says that the clock is right now and was fast before: calls begin again, and what was written ahead of time
    counts as written now. Never for a clock that is slow: set that one."""

    async def work(settings: Settings) -> int:
        from alarm_commands import accept_clock

        return await accept_clock(settings, by, out)

    _run(work)


@alarms_app.command("ack")
def alarms_ack(
    number: Annotated[int, typer.Argument(metavar="ID", help="as `alarms list` shows it")],
    by: Annotated[str, typer.Option(metavar="WHO", help="your name: you know of it, and it is told no more")],
) -> None:
    """Says that somebody knows of an alarm. It stays on the console until its cause is gone."""

    async def work(settings: Settings) -> int:
        from alarm_commands import acknowledge_alarm

        return await acknowledge_alarm(settings, number, by, out)

    _run(work)


# ── roster ────────────────────────────────────────────────────────────────────────────────────────

Committee = Annotated[str, typer.Option(help="the committee's name; not needed where there is one only")]


@roster_app.command("import")
def roster_import(
    file: Annotated[Path, typer.Argument(help="CSV: kind 类别, elder 老人, person 谁 … (docs/roster.md)")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept with every change")],
    committee: Committee = "",
) -> None:
    """Pairs, substitutes, family, duty and shifts from a spreadsheet: all rows or none; every error names row and
    column. A list that the file names stands instead of the one before; what it doesn't name stays."""

    async def work(settings: Settings) -> int:
        import roster_commands as commands

        return await commands.said(commands.import_sheet(settings, file, committee, by, out), out)

    _run(work)


@roster_app.command("export")
def roster_export(
    file: Annotated[Path | None, typer.Argument(help="where to write it; without it, it is printed")] = None,
    committee: Committee = "",
) -> None:
    """The roster as the table that `roster import` reads, e.g. to change it in a spreadsheet."""

    async def work(settings: Settings) -> int:
        import roster_commands as commands

        return await commands.said(commands.export_sheet(settings, committee, file, out), out)

    _run(work)


@roster_app.command("show")
def roster_show(committee: Committee = "") -> None:
    """Who is on duty today and in the next 14 days, and how many elders have a buddy."""

    async def work(settings: Settings) -> int:
        import roster_commands as commands

        return await commands.said(commands.show(settings, committee, out), out)

    _run(work)


@roster_app.command("gaps")
def roster_gaps(
    committee: Committee = "", days: Annotated[int, typer.Option(min=1, max=92, help="how far ahead")] = 14
) -> None:
    """What the roster lacks in the next days: nobody on duty, elders without a buddy, numbers that don't work, people
    who are gone. Status 3: there are gaps."""

    async def work(settings: Settings) -> int:
        import roster_commands as commands

        return await commands.said(commands.show_gaps(settings, committee, days, out), out)

    _run(work)


@roster_app.command("leave")
def roster_leave(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="a buddy, staff or family")],
    begins: Annotated[str, typer.Option("--from", metavar="TIME", help='"2026-03-02 09:00"; a date: from 00:00')],
    ends: Annotated[str, typer.Option("--until", metavar="TIME", help="a date: until the end of that day")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")],
) -> None:
    """Somebody is away: rung by nobody, for nothing. The next on the list follows by itself."""

    async def work(settings: Settings) -> int:
        import roster_commands as commands

        return await commands.said(commands.leave(settings, who, begins, ends, by, out), out)

    _run(work)


@roster_app.command("remove")
def roster_remove(
    who: Annotated[str, typer.Argument(metavar="NAME_OR_ID", help="a buddy, staff or family")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")],
) -> None:
    """Takes somebody who moved, died or helps no longer out of pairs, rotation, shifts and whatever else is ahead."""

    async def work(settings: Settings) -> int:
        import roster_commands as commands

        return await commands.said(commands.take_off(settings, who, by, out), out)

    _run(work)


# ── policies ──────────────────────────────────────────────────────────────────────────────────────

Elder = Annotated[str, typer.Option(metavar="NAME_OR_ID", help="for this elder only; else for the neighbourhood")]


@policy_app.command("show")
def policy_show(
    committee: Committee = "",
    elder: Elder = "",
    own: Annotated[bool, typer.Option("--own", help="only what is written here, as `policy set` reads it")] = False,
) -> None:
    """What holds, as YAML: the default, over it what differs for the neighbourhood, over that for the elder."""

    async def work(settings: Settings) -> int:
        import policy_commands as commands
        from roster_commands import said

        return await said(commands.show(settings, committee, elder, out, own=own), out)

    _run(work)


@policy_app.command("set")
def policy_set(
    file: Annotated[Path, typer.Argument(help="YAML or JSON: policy, escalation or both; null takes it back")],
    by: Annotated[str, typer.Option(metavar="WHO", help="who says so; kept")],
    committee: Committee = "",
    elder: Elder = "",
) -> None:
    """Writes what differs, instead of what was written there before; shows what holds then. All of it or nothing."""

    async def work(settings: Settings) -> int:
        import policy_commands as commands
        from roster_commands import said

        return await said(commands.put(settings, file, committee, elder, by, out), out)

    _run(work)


@policy_app.command("check")
def policy_check() -> None:
    """Whether all that is written down can be read, and counts. Status 3: something doesn't; says whose, and why."""

    async def work(settings: Settings) -> int:
        import policy_commands as commands

        return await commands.check(settings, out)

    _run(work)


# ── running ───────────────────────────────────────────────────────────────────────────────────────

DEMO_HURRY = 9.0  # 45 s of ringing take 5


def _demo_settings(settings: Settings) -> Settings:
    """The demo has a folder of its own, and a fresh database every time; weights and prompts are the house's."""
    folder = settings.data_dir / "demo"
    changes = {
        "database_url": f"sqlite:///{folder}/demo.db",
        "data_dir": folder,
        "models": settings.models_dir,
        "carrier": "virtual",
        "lines": 14,
        "lines_reserved": 2,
        "calls_per_second": 4.0,
    }
    return settings.model_copy(update=changes)


def _settings() -> Settings:
    try:
        loaded = settings_module.load()
    except SettingsError as error:
        raise _fail(str(error)) from None
    for warning in settings_module.unknown_variables():
        err.print(f"warning: {warning}", style="yellow", highlight=False)
    return loaded


def _run(work: Callable[[Settings], Awaitable[int]]) -> None:
    """Settings, log, event loop; the exit status is what `work` returns."""
    loaded = _settings()
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(Discreet("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=loaded.log_level.upper(), handlers=[handler])
    for talkative in ("httpx", "uvicorn", "alembic", "websockets"):  # request lines would hold numbers
        logging.getLogger(talkative).setLevel(logging.WARNING)

    async def main() -> int:
        return await work(loaded)

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            code = runner.run(main())
    except SettingsError as error:
        raise _fail(str(error)) from None
    except DBAPIError as error:
        from database_in_use import sentence

        raise _fail(sentence(error)) from None
    except KeyboardInterrupt:
        code = 130
    raise typer.Exit(code)


def _until_signal() -> asyncio.Event:
    """Set by Ctrl-C or SIGTERM; the second one ends the process at once: the next start deals with what is open."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()

    def tell() -> None:
        if stop.is_set():
            os._exit(130)
        stop.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, tell)
    return stop


def _fail(sentence: str) -> typer.Exit:
    err.print(f"wenan: {sentence}", style="red", highlight=False, markup=False, soft_wrap=True)
    return typer.Exit(2)


app.add_typer(case_app.make(_run, out), name="cases")
app.add_typer(prompt_app.make(_run, out), name="prompts")
app.add_typer(ticket_app.make(_run, out), name="tickets")
enrolment_app.add(people_app, _run, out)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
