"""Where a message to another program may go, by the address that its name stands for at the moment of sending: a name
may stand for another one by then. Private networks are allowed, since a street office's own systems stand there; so is
this machine. Refused are what gives away a machine's own keys (link-local addresses, clouds' metadata), what is no
machine at all, and our own ports and pages."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

Address = IPv4Address | IPv6Address
PORTS = {"https": 443, "http": 80}
# Those of Alibaba, Azure, Oracle and Amazon that aren't link-local.
METADATA = frozenset(ip_address(each) for each in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254"))
_NAT64 = IPv6Network("64:ff9b::/96")


class RefusedError(Exception):
    """Nothing is sent there. Says why; holds no address."""


@dataclass(frozen=True)
class Own:
    """What is ours: ports of this machine, and pages elsewhere as (host, port)."""

    ports: frozenset[int] = frozenset()
    pages: frozenset[tuple[str, int]] = frozenset()

    @classmethod
    def of(cls, ports: Iterable[int], urls: Iterable[str]) -> Own:
        parts = [urlsplit(url) for url in urls if url]
        return cls(frozenset(ports), frozenset((each.hostname or "", port_of(each)) for each in parts))


async def addresses(url: str, own: Own) -> list[str]:
    """Of the machine behind `url`, in the order in which to try them. RefusedError when one of them must not be sent
    to; OSError when there is none."""
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), port_of(parts)
    if (host, port) in own.pages:
        raise RefusedError("our own pages")
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    known = list(dict.fromkeys(str(entry[4][0]) for entry in found))
    for each in known:
        for address in _behind(ip_address(each)):
            check(address, port, plain=parts.scheme != "https", own=own)
    return known


def check(address: Address, port: int, *, plain: bool, own: Own) -> None:
    """RefusedError unless a message may go there. `plain`: without TLS."""
    if address.is_link_local or address in METADATA:
        raise RefusedError("link-local or metadata")
    if address.is_unspecified or address.is_multicast or (address.is_reserved and not address.is_loopback):
        raise RefusedError("no machine's address")
    if address.is_loopback and port in own.ports:
        raise RefusedError("our own port")
    if plain and not address.is_loopback:
        raise RefusedError("not encrypted")


def port_of(parts: SplitResult) -> int:
    return parts.port or PORTS.get(parts.scheme, 0)


def _behind(address: Address) -> Iterator[Address]:
    """The address; for one of IPv6 that stands for one of IPv4, that one."""
    if isinstance(address, IPv4Address):
        yield address
        return
    inner = address.ipv4_mapped or address.sixtofour
    if inner is None and address in _NAT64:
        inner = IPv4Address(int(address) & 0xFFFFFFFF)
    yield inner or address
