"""`make eval`, or `python -m bench.evaluation [--set FOLDER] [--json OUT] …`: judges engines (docs/evaluation.md)."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bench.evaluation import compare, engines, folder, limits, metrics, mistakes, plan, report
from bench.evaluation.conditions import CONDITIONS
from bench.evaluation.crew import MAX_JOBS, Crew, crew
from bench.evaluation.offmenu import Utterance, generate
from bench.evaluation.texts import HALVES
from bench.evaluation.trial import Machine, Outcome

ROOT = folder.ROOT
WIDTH = 150  # where the output is no terminal
out = Console() if sys.stdout.isatty() else Console(width=WIDTH)


def main(arguments: Sequence[str] | None = None) -> int:
    """0; 1 when `--limits` are missed; 2 when nothing can be judged."""
    options = _options(arguments)
    place = options.set or folder.default_folder()
    if place is None or not (place / "manifest.tsv").is_file():
        where = place or "here (WENAN_SHARED names the folder that holds speech-set/, --set any other)"
        out.print(f"no manifest.tsv in {where}", highlight=False, soft_wrap=True)
        return 2
    known = folder.load(place, options.every)
    notes = list(known.problems)
    wanted = plan.make(known, options.conditions, _generated(options, notes))
    outcomes, machines = _judged(options, wanted, notes)
    if not any(not machine.why for machine in machines):
        _say(notes)
        return 2
    return _report(options, place.name, outcomes, machines, notes)


def _generated(options: argparse.Namespace, notes: list[str]) -> list[Utterance]:
    if not options.offmenu:
        return []
    try:
        with out.status("making off-menu speech"):
            return list(generate(options.half, options.every))
    except FileNotFoundError as error:
        notes.append(str(error))
        return []


def _judged(options: argparse.Namespace, wanted: plan.Plan, notes: list[str]) -> tuple[list[Outcome], list[Machine]]:
    outcomes: list[Outcome] = []
    machines = []
    for name in options.engines:
        with crew(name, options.models, wanted.menus, options.jobs) as workers:
            machines.append(workers.machine)
            if workers.machine.why:
                notes.append(f"{name}: {workers.machine.why}")
            else:
                outcomes += _work(workers, wanted, notes)
    return outcomes, machines


def _work(workers: Crew, wanted: plan.Plan, notes: list[str]) -> list[Outcome]:
    outcomes: list[Outcome] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as progress:
        bar = progress.add_task(workers.machine.engine, total=len(wanted.tasks))
        for found, problem in workers.run(wanted.tasks):
            outcomes += found
            notes += [problem] if problem and problem not in notes else []
            progress.advance(bar)
    return outcomes


def _report(
    options: argparse.Namespace, name: str, outcomes: list[Outcome], machines: list[Machine], notes: list[str]
) -> int:
    rows = metrics.rows(outcomes, machines)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(
            json.dumps([row.as_json() for row in rows], ensure_ascii=False, indent=1) + "\n", "utf-8"
        )
    missed = tuple(limits.missed(rows)) if options.limits else None
    label = f"{name} (every {options.every}th)" if options.every > 1 else name
    before, last = compare.last_run(options.reports, label)
    changes = compare.changes(rows, last)
    errors = [f"{one.engine}: {one.kind} {one.text}: {one.error}" for one in outcomes if one.error]
    now = datetime.now(UTC).astimezone()
    run = report.Run(f"Recognisers on {label}, {now:%Y-%m-%d %H:%M}", before, (*notes, *errors), missed)
    report.show(out, changes, run)
    if options.report:
        place = options.reports / f"{now:%Y-%m-%dT%H%M%S}"
        place.mkdir(parents=True, exist_ok=True)
        from bench.evaluation import plots

        report.write(place / "report.md", changes, run, plots.draw(outcomes, rows, place))
        mistakes.write(place / "mistakes.tsv", outcomes)
        compare.save(place / compare.ROWS, label, rows)
        out.print(f"report: {place / 'report.md'}", highlight=False, soft_wrap=True)
    return 1 if missed else 0


def _say(notes: Sequence[str]) -> None:
    for note in notes:
        out.print(note, highlight=False, soft_wrap=True)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.evaluation", description=__doc__)
    parser.add_argument("--set", type=Path, help="a folder with manifest.tsv (default: the shared speech-set)")
    parser.add_argument("--json", type=Path, help="writes the rows to this file")
    known = engines.installed()
    parser.add_argument("--engines", nargs="*", default=known, help=f"{', '.join(known)}, or module:callable")
    parser.add_argument("--conditions", nargs="*", default=list(CONDITIONS), choices=list(CONDITIONS), metavar="NAME")
    parser.add_argument("--every", type=int, default=1, help="only every nth recording and utterance (a quick look)")
    parser.add_argument("--jobs", type=int, default=MAX_JOBS, choices=(1, 2), help="processes (1: cleaner times)")
    parser.add_argument("--limits", action="store_true", help="exit with 1 when a number is missed that must be shown")
    parser.add_argument("--no-offmenu", dest="offmenu", action="store_false", help="without the generated speech")
    parser.add_argument("--half", choices=HALVES, default="evaluation", help="of the off-menu speech")
    parser.add_argument("--models", type=Path, default=Path(os.environ.get("WENAN_MODELS") or ROOT / "data" / "models"))
    parser.add_argument("--reports", type=Path, default=ROOT / "data" / "eval", help="where reports are kept")
    parser.add_argument("--no-report", dest="report", action="store_false", help="only the table")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
