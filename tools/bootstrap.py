#!/usr/bin/env python3
"""Sets everything up: virtual environment, locked dependencies, espeak-ng's library, recogniser weights.

Usage: python3 tools/bootstrap.py [--dev] [--no-models]
Standard library only; runs again where it stopped; prints time and MB of each step. Wheels only, so no compiler:
the one package without a wheel (srt, one file of Python, wanted by vosk) is built by setuptools in a second.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import ctypes.util
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
OLDEST, NEWEST = (3, 11), (3, 13)
PARTS = 6  # more than processors, so that they end at about the same time
STARTUP_MODELS = ("zipformer-wenetspeech-3.3M", "whisper-base", "vosk-model-small-cn-0.22")
SHARED = Path(os.environ.get("WENAN_SHARED", ROOT.parent / "shared"))  # of developers; a site has none


def main() -> int:
    options = _options()
    if not OLDEST <= sys.version_info[:2] <= NEWEST:
        return _fail(f"Python 3.11 to 3.13 is needed, this is {sys.version.split()[0]}: make PYTHON=python3.12 …")
    begin = time.monotonic()
    lock = ROOT / ("requirements-dev.lock" if options.dev else "requirements.lock")
    _step("virtual environment", VENV, _make_venv)
    _step(f"packages ({lock.name})", VENV, lambda: _install(lock, options.dev))
    _step("espeak-ng library", None, _espeak)
    _step("Graphviz, for the drawings of flows", None, _graphviz)
    if options.dev:
        _step("Chromium, for the tests of the pages", None, _chromium)
    if not options.no_models:
        _step("recogniser weights", _models_dir(), _models)
    print(f"set-up done in {time.monotonic() - begin:.0f} s", flush=True)
    return 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Sets up virtual environment, packages, espeak-ng and weights.")
    parser.add_argument("--dev", action="store_true", help="also what the tests need")
    parser.add_argument("--no-models", action="store_true", help="no recogniser weights (keys only)")
    return parser.parse_args()


def _step(name: str, folder: Path | None, work: Callable[[], str]) -> None:
    print(f"· {name} …", flush=True)
    begin, before = time.monotonic(), _megabytes(folder)
    try:
        said = work()
    except subprocess.CalledProcessError as error:
        raise SystemExit(_fail(f"{name}: {_tail(error)}")) from None
    grown = _megabytes(folder) - before
    print(f"  {said} ({time.monotonic() - begin:.0f} s{f', {grown:.0f} MB' if folder else ''})", flush=True)


def _make_venv() -> str:
    if PYTHON.exists() and _run([PYTHON, "-m", "pip", "--version"], check=False) == 0:
        return "there already"
    shutil.rmtree(VENV, ignore_errors=True)
    if _run([sys.executable, "-m", "venv", VENV], check=False) != 0:
        _apt(f"python{sys.version_info[0]}.{sys.version_info[1]}-venv", "python3-venv")
        shutil.rmtree(VENV, ignore_errors=True)
        _run([sys.executable, "-m", "venv", VENV])
    return f"Python {sys.version.split()[0]}"


def _install(lock: Path, dev: bool) -> str:
    """The stamp holds the lock file's hash: a changed lock installs again, a broken run starts over."""
    stamp = VENV / f".{lock.stem}-done"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return "there already"
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(os.cpu_count()) as processors:
        # Every package is in one part only, and the lock names all of them: no pip needs to know of the others.
        for done in [processors.submit(_pip, part, dev) for part in _parts(lock, Path(folder))]:
            done.result()
    _run([PYTHON, "-m", "pip", "check", "--disable-pip-version-check"])
    stamp.write_text(wanted)
    return "installed"


def _parts(lock: Path, folder: Path) -> list[Path]:
    """The lock file's entries dealt out to PARTS files: pip fetches and unpacks on one processor only."""
    entries = re.split(r"^(?=[^\s#])", lock.read_text(encoding="utf-8"), flags=re.MULTILINE)
    files = [folder / f"part-{number}.txt" for number in range(PARTS)]
    for number, file in enumerate(files):
        file.write_text("".join(entries[number::PARTS]), encoding="utf-8")
    return files


def _pip(part: Path, dev: bool) -> None:
    command: list[str | Path] = [PYTHON, "-m", "pip", "install", "--require-hashes", "--no-deps"]
    command += ["--only-binary", ":all:", "--no-binary", "srt"]
    command += ["--disable-pip-version-check", "--retries", "5", "--quiet", "-r", part]
    if dev:
        command.append("--no-compile")  # tests import a third of it, and keep that compiled
    _run(command)


def _espeak() -> str:
    if _has_espeak():
        return "there already"
    if _apt("libespeak-ng1") and _has_espeak():
        return "installed by apt"
    return "taken from the package espeakng-loader"


def _has_espeak() -> bool:
    for name in ("libespeak-ng.so.1", ctypes.util.find_library("espeak-ng")):
        try:
            ctypes.CDLL(name or "")
        except OSError:
            continue
        return bool(name)
    return False


def _graphviz() -> str:
    """A program of its own; without it the pages show flows as lists, and say so."""
    if shutil.which("dot"):
        return "there already"
    if _apt("graphviz") and shutil.which("dot"):
        return "installed by apt"
    return "not here: flows are shown as lists (as root: apt-get install graphviz)"


def _chromium() -> str:
    """Where it can't be had the tests that need it are skipped, and say so."""
    if any(map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))):
        return "there already"
    if _apt("chromium") and shutil.which("chromium"):
        return "installed by apt"
    return "not here: the pages are not tested in a browser (as root: apt-get install chromium)"


def _models() -> str:
    """A weight that can't be had here is no failure: the line then runs by the others, or by keys, and says so."""
    _copy_shared(SHARED / "models", _models_dir())
    _run([PYTHON, ROOT / "server.py", "models", "pull", "--soft", *STARTUP_MODELS], check=False, capture=False)
    return _weights_here(_said([PYTHON, ROOT / "server.py", "models", "verify", *STARTUP_MODELS]))


def _copy_shared(shared: Path, models: Path) -> None:
    """Takes weights that lie in the developers' shared folder; `models pull` then finds and checks them."""
    for name in STARTUP_MODELS:
        if (shared / name).is_dir() and not (models / name).exists():
            with contextlib.suppress(OSError):  # a folder to read only, a full disk: the pull says what is wrong
                _copy_whole(shared / name, models / name)


def _copy_whole(source: Path, target: Path) -> None:
    """Beside its place and then there at once; whatever rights the source has, the copy can be replaced."""
    beside = target.with_name(f".{target.name}-copy")
    shutil.rmtree(beside, ignore_errors=True)
    for file in sorted(one for one in source.iterdir() if one.is_file()):
        beside.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, beside / file.name)
    beside.rename(target)


def _weights_here(verified: str) -> str:
    """`verified`: what `models verify` said, a line for each ("✓ NAME: …"; "–" is missing, "✗" is damaged)."""
    good = [name for name in STARTUP_MODELS if f"✓ {name}:" in verified]
    lacking = ", ".join(name for name in STARTUP_MODELS if name not in good)
    if not lacking:
        return "all there, sums are right"
    how = "recognition goes on with the rest" if good else "the line works by keys and recordings"
    return f"not here: {lacking}; {how}. Once they can be had: .venv/bin/python server.py models pull"


def _models_dir() -> Path:
    data = Path(os.environ.get("WENAN_DATA_DIR", "data"))
    return Path(os.environ.get("WENAN_MODELS", data / "models"))


def _apt(*packages: str) -> bool:
    """Installs the first of these packages that exists, when root and on a system with apt."""
    if os.geteuid() != 0 or not shutil.which("apt-get"):
        return False
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    subprocess.run(["apt-get", "update", "-qq"], env=environment, capture_output=True, check=False)
    install = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
    return any(
        subprocess.run([*install, package], env=environment, capture_output=True, check=False).returncode == 0
        for package in packages
    )


def _run(command: list[str | Path], *, check: bool = True, capture: bool = True) -> int:
    return subprocess.run(
        [str(part) for part in command], check=check, capture_output=capture, text=True, cwd=ROOT
    ).returncode


def _said(command: list[str | Path]) -> str:
    words = [str(part) for part in command]
    utf8 = {**os.environ, "PYTHONIOENCODING": "utf-8"}
    return subprocess.run(words, check=False, capture_output=True, encoding="utf-8", cwd=ROOT, env=utf8).stdout


def _megabytes(folder: Path | None) -> float:
    if folder is None or not folder.exists():
        return 0.0
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file()) / 1e6


def _tail(error: subprocess.CalledProcessError) -> str:
    lines = ((error.stderr or "") + (error.stdout or "")).strip().splitlines()
    return "\n    ".join([f"{error.cmd[0]} ended with {error.returncode}", *lines[-12:]])


def _fail(sentence: str) -> int:
    print(f"set-up stopped: {sentence}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
