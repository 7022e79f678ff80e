"""Where messages may go is seen from the address that a name stands for when they are sent."""

from __future__ import annotations

import asyncio
import shutil
import socket
import ssl
import subprocess
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest

import messages.outgoing
from checkins import outgoing_staff
from messages.reach import Own, RefusedError, addresses, check
from tests.fakes.receiver import receiver
from tests.unit.checkins.world import World
from tests.unit.messages.test_outgoing import endpoint, happens, look, wanted

OURS = Own.of([8000], ["https://console.example:8443", "https://line.example", ""])


def answers(monkeypatch: pytest.MonkeyPatch, *known: str) -> None:
    """Every name stands for these."""

    async def found(_loop: object, _host: str, port: int, **_more: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in known]

    monkeypatch.setattr(asyncio.get_running_loop().__class__, "getaddrinfo", found)


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "169.254.0.1",
        "fe80::1",
        "100.100.100.200",
        "168.63.129.16",
        "192.0.0.192",
        "fd00:ec2::254",
        "0.0.0.0",
        "::",
        "224.0.0.1",
        "ff02::1",
        "255.255.255.255",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::1",
    ],
)
async def test_what_gives_away_keys_or_is_no_machine(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, "203.0.113.5", address)
    with pytest.raises(RefusedError):
        await addresses("https://street.example/hook", OURS)


@pytest.mark.parametrize("address", ["10.0.0.7", "192.168.1.9", "172.16.3.4", "fd12:3456::9", "203.0.113.5", "::1"])
async def test_a_street_offices_own_network_is_allowed(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    answers(monkeypatch, address)
    assert await addresses("https://street.example/hook", OURS) == [address]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:8000/",
        "http://localhost:8000/x",
        "https://localhost:8000/",
        "http://2130706433:8000/",
        "https://console.example:8443/login",
        "https://line.example/",
        "https://LINE.example./",
        "http://[::1]:8000/",
    ],
)
async def test_our_own_ports_and_pages(url: str) -> None:
    with pytest.raises((RefusedError, OSError)) as refused:
        await addresses(url, OURS)
    assert isinstance(refused.value, RefusedError)


def test_what_is_not_encrypted_stays_on_this_machine() -> None:
    check(ip_address("127.0.0.1"), 9000, plain=True, own=OURS)
    with pytest.raises(RefusedError, match="not encrypted"):
        check(ip_address("10.0.0.7"), 80, plain=True, own=OURS)


async def test_a_name_that_stands_for_another_address_by_then(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    wanted(world, "https://street.example/hook")
    happens(world)
    answers(monkeypatch, "169.254.169.254")
    await look(world)
    assert endpoint(world).failing == "refused: link-local or metadata"


async def test_our_own_port_gets_nothing(world: World) -> None:
    async with receiver() as there:
        wanted(world, there.url)
        happens(world)
        await look(world, Own.of([int(there.url.split(":")[2].split("/")[0])], []))
    assert there.taken == []
    assert endpoint(world).failing == "refused: our own port"


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
async def test_by_https_the_name_is_proven_though_the_address_is_dialled(
    world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key, certificate = tmp_path / "key.pem", tmp_path / "cert.pem"
    make = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=street.example"]
    make += ["-addext", "subjectAltName=DNS:street.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(make, check=True, capture_output=True, timeout=30)
    theirs = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    theirs.load_cert_chain(certificate, key)
    async with receiver(tls=theirs) as there:
        port = there.url.split(":")[2].split("/")[0]
        wanted(world, f"https://street.example:{port}/hook")
        happens(world)
        answers(monkeypatch, "127.0.0.1")
        await look(world)
        assert (there.taken, endpoint(world).failing) == ([], "ConnectError"), "nobody knows who signed it"
        ours = ssl.create_default_context(cafile=str(certificate))
        monkeypatch.setattr(messages.outgoing, "trusted", lambda: ours)
        world.clock.advance(10)
        await look(world)
    ((headers, _),) = there.taken
    assert headers["host"] == f"street.example:{port}"
    assert endpoint(world).failing is None


@pytest.mark.parametrize(
    "url",
    [
        "http://street.example/",
        "ftp://street.example/",
        "https://",
        "street.example",
        "https://u:p@street.example/",
        "https://street.example/#x",
        "https://street.example:0/",
        "https://街道.example/",
        "http://127.0.0.1.example/",
        "https://street.example/ x",
        "https://street.example:99999/",
        "https://[::1/",
        "https://s.example/" + "x" * 500,
    ],
)
def test_what_is_no_address(world: World, url: str) -> None:
    with pytest.raises(ValueError, match="https"), world.db.write() as session:
        outgoing_staff.add(session, url, ("case.*",), "陈老师", world.clock.now())
