"""A real Asterisk for tests, with the configuration of deploy/asterisk: its ports and passwords are the test's own."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

HERE = Path(__file__).resolve().parents[2]
DEPLOYED = HERE / "deploy" / "asterisk"
RIGS = HERE.parent / "shared" / "telephony" / "asterisk-lab"
ROOM = Path(os.environ.get("WENAN_ASTERISK_LAB", "/opt/wenan-asterisk-lab"))  # 650 MB, made once
MAKE_S = float(os.environ.get("WENAN_ASTERISK_MAKE_S", "60"))  # `make line-test` gives it more
DOES_NOT_START, NOT_TO_BE_HAD = 1, 3


class NoAsteriskError(Exception):
    """Asterisk can't be had on this machine; says why."""


@dataclass(frozen=True)
class Asterisk:
    """One that runs. `http`: port of its ARI; `sip`: of its SIP."""

    http: int
    sip: int
    etc: Path
    ari_password: str = "secret-of-ari"
    media_password: str = "secret-of-media"

    def cli(self, command: str) -> str:
        return subprocess.run([_rig(), "cli", str(ROOM), command], capture_output=True, text=True, check=False).stdout

    def rings_in(self, caller: str, does: str) -> None:
        """From `caller`; `does`: an extension of wenan-test-caller (deploy/asterisk/extensions-test.conf)."""
        order = {
            "endpoint": "Local/s@wenan-in",
            "callerId": caller,
            "context": "wenan-test-caller",
            "extension": does,
            "priority": "1",
        }
        auth = ("wenan", self.ari_password)
        answer = httpx.post(f"http://127.0.0.1:{self.http}/ari/channels", params=order, auth=auth)
        answer.raise_for_status()

    def channels(self) -> list[str]:
        """Where each is in the dialplan: "context,extension"."""
        lines = self.cli("core show channels concise").splitlines()
        return [",".join(line.split("!")[1:3]) for line in lines if line.count("!") > 3]

    def kill(self) -> None:
        """As kill -9 does; the rig has written down its process."""
        os.kill(int(Path(f"{ROOM}.pid").read_text()), signal.SIGKILL)

    def again(self) -> None:
        """After a kill, with the same configuration."""
        _up(self.etc)


@contextmanager
def asterisk(port: int, folder: Path, more: Mapping[str, str] | None = None) -> Iterator[Asterisk]:
    """Opens its audio to our `port`. `more`: further files of its configuration. NoAsteriskError."""
    if not (RIGS / "asterisk-lab").exists() or os.geteuid() != 0:
        raise NoAsteriskError("no rig for Asterisk beside the project, or not root")
    made = Asterisk(_free_port(), _free_port(), folder / "etc")
    etc = _configuration(made, port, more or {})
    shutil.rmtree(ROOM / "opt" / "lab" / "etc", ignore_errors=True)
    with _made_in_time():
        done = _up(etc)
    if done.returncode == NOT_TO_BE_HAD:
        raise NoAsteriskError("Debian's suite with Asterisk can't be had from here")
    if done.returncode == DOES_NOT_START:
        raise AssertionError(f"Asterisk does not start with our configuration: {done.stderr}")
    if done.returncode:
        raise NoAsteriskError(f"its rig failed with {done.returncode}: {done.stderr.strip()[-200:]}")
    try:
        yield made
    finally:
        subprocess.run([_rig(), "down", str(ROOM)], capture_output=True, check=False)


def _up(etc: Path) -> subprocess.CompletedProcess[str]:
    up = [_rig(), "up", str(ROOM), str(etc)]
    with subprocess.Popen(
        up, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as rig:
        try:
            _, errors = rig.communicate(timeout=MAKE_S)
        except subprocess.TimeoutExpired:
            os.killpg(rig.pid, signal.SIGKILL)
            raise
    return subprocess.CompletedProcess(up, rig.returncode, "", errors)


@contextmanager
def _made_in_time() -> Iterator[None]:
    """What is made by half is taken away: the next time it is begun anew."""
    if (ROOM / "usr" / "sbin" / "asterisk").exists():
        yield
        return
    try:
        yield
    except subprocess.TimeoutExpired:
        for inside in ("proc", "sys", "dev"):
            subprocess.run(["umount", "-l", str(ROOM / inside)], capture_output=True, check=False)
        subprocess.run(["rm", "-rf", "--one-file-system", str(ROOM)], check=False)
        raise NoAsteriskError(f"{ROOM} was not made within {MAKE_S:g} s; make line-test takes its time") from None


def _rig() -> str:
    return str(RIGS / "asterisk-lab")


def _configuration(made: Asterisk, port: int, more: Mapping[str, str]) -> Path:
    etc = made.etc
    etc.mkdir(parents=True)
    for file in DEPLOYED.glob("*.conf"):
        shutil.copy(file, etc)
    shutil.copy(RIGS / "etc" / "asterisk.conf", etc)
    changes = {
        "http.conf": ("bindport=8088", f"bindport={made.http}"),
        "ari.conf": ("CHANGE-ME-ARI", made.ari_password),
        "websocket_client.conf": ("CHANGE-ME-MEDIA", made.media_password),
        "pjsip.conf": ("0.0.0.0:5060", f"127.0.0.1:{made.sip}"),
    }
    for name, (there, instead) in changes.items():
        _change(etc / name, there, instead)
    _change(etc / "websocket_client.conf", "127.0.0.1:8000", f"127.0.0.1:{port}")
    for name, text in more.items():
        (etc / name).write_text(text)
    return etc


def _change(file: Path, there: str, instead: str) -> None:
    text = file.read_text()
    assert re.search(re.escape(there), text), f"{file.name} has no {there}"
    file.write_text(text.replace(there, instead))


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])
