"""问安: the command line. `python server.py --help`; settings come from WENAN_… and wenan.toml (docs/settings.md)."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

try:
    import typer

    from cli import (
        account_app,
        alarm_app,
        ballot_app,
        case_app,
        device_app,
        enrolment_app,
        export_app,
        hook_app,
        keep_app,
        models_app,
        notice_app,
        people_app,
        policy_app,
        prompt_app,
        register_app,
        roster_app,
        ticket_app,
        token_app,
    )
    from cli.running import err, fail, out, run, until_signal
except ModuleNotFoundError as missing:
    sys.exit(f"wenan: this Python has no {missing.name}. Run `make setup`, then: .venv/bin/python server.py …")

from settings import Settings

app = typer.Typer(
    help="问安 (Wen'an): a telephone line that asks after elders every day. Settings: docs/settings.md.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for name, group in (
    ("people", people_app.app),
    ("register", register_app.app),
    ("roster", roster_app.app),
    ("policy", policy_app.app),
    ("cases", case_app.app),
    ("tickets", ticket_app.app),
    ("notices", notice_app.app),
    ("ballots", ballot_app.app),
    ("devices", device_app.app),
    ("alarms", alarm_app.app),
    ("clock", alarm_app.clock),
    ("prompts", prompt_app.app),
    ("keep", keep_app.app),
    ("accounts", account_app.app),
    ("tokens", token_app.app),
    ("hooks", hook_app.app),
    ("models", models_app.app),
):
    app.add_typer(group, name=name)
people_app.app.add_typer(enrolment_app.app)
app.command()(export_app.export)


# ── calling ───────────────────────────────────────────────────────────────────────────────────────


@app.command()
def serve() -> None:
    """The server: webhooks, media streams, console, and the daily round by itself. Ends on Ctrl-C or SIGTERM: calls
    that go on are brought to their end first (up to a minute; a second signal ends at once)."""

    async def work(settings: Settings) -> int:
        from database_in_use import shown
        from house import open_house
        from serving import settle

        async with open_house(settings) as house:
            settle()
            out.print(f"问安 at {house.base_url}, carrier {settings.carrier}, database {shown(settings)}")
            if password := await house.door.first_password():
                out.print(f"the console's first account: login admin, one-time password {password}", highlight=False)
                out.print("good for 7 days, until it is changed at the first login; it is not shown again")
            for engine in house.ears.status():
                out.print(f"  {'✓' if engine.ready else '–'} {engine.name}: {engine.why}", highlight=False)
            stop = until_signal()
            running = asyncio.create_task(house.run(stop))
            await asyncio.wait([running, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
            stop.set()
            await house.drain(rounds=True)
            await running
        return 0

    run(work)


@app.command()
def demo(
    exit_: Annotated[
        bool, typer.Option("--exit", help="end after the summary: status 0 if all is as expected")
    ] = False,
    seed: Annotated[int, typer.Option(help="voices, order, noise and wording; the same seed repeats them")] = 1,
) -> None:
    """Today's round of an invented neighbourhood: 24 virtual elders answer real audio over the virtual carrier."""

    async def work(settings: Settings) -> int:
        from demo import account, clips, neighbourhood, round, scenario
        from demo.clock import JumpClock
        from house import open_house
        from serving import settle

        story = scenario.load(seed)
        clock = JumpClock(neighbourhood.morning(datetime.now(UTC)))
        telephones = story.directory(clips.load())
        own = _demo_settings(settings)
        async with open_house(own, clock=clock, directory=telephones, hurry=DEMO_HURRY, fresh=True) as house:
            settle()
            stop = until_signal()
            running = asyncio.create_task(house.run(stop, rounds=False))
            login = await account.made(house.door)
            playing = asyncio.create_task(round.play(house, story, seed=seed, out=out, exit_after=exit_, login=login))
            stopped = asyncio.create_task(stop.wait())
            await asyncio.wait([playing, stopped], return_when=asyncio.FIRST_COMPLETED)
            code = playing.result() if playing.done() else 130
            playing.cancel()
            if not exit_ and code != 130:
                await house.cycle.run(stop)  # reminders go on while somebody looks around
            stop.set()
            await running
        return code

    run(work)


@app.command("round")
def round_() -> None:
    """Plans and calls everybody who is due today, then ends with a list of who needs a person."""

    async def work(settings: Settings) -> int:
        from cli.calling import round_once
        from house import open_house

        async with open_house(settings) as house:
            return await round_once(house, until_signal(), out)

    run(work)


@app.command()
def call(elder: Annotated[str, typer.Argument(help="an elder's id, or the whole name")]) -> None:
    """Rings one elder once, now, with today's check-in, and says what came of it. Nobody else is planned or rung. The
    line rules hold (calling hours, 5 calls in 24 hours), and a try keeps its distance from the one before. When nobody
    answers, the next try is made by `serve` only. Status 0: closed by an answer; 3: a person is needed, or a further
    try; 1: no call was possible now."""

    async def work(settings: Settings) -> int:
        from cli.calling import call_one, must_know
        from house import open_house

        await must_know(settings, elder)
        err.print("starting the line …", highlight=False)
        async with open_house(settings) as house:
            return await call_one(house, elder, until_signal(), out)

    run(work)


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
        raise fail(str(error)) from None
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
        raise fail(str(error)) from None
    rates = Rates(ignoring=buddies_ignore, silent=silent, corrected=corrected)
    city = City(elders, days, seed, first, together, lines, rates, outages)
    raise typer.Exit(run(city, out_, processes or processors(), out))


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


def main() -> None:
    app()


if __name__ == "__main__":
    main()
