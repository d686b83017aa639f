"""The one address that functions send datagrams to, as to X-Ray's daemon, and who sent each.

A datagram says nothing of its sender but a port. The kernel says which socket has that port, and
the socket must be open in a process of exactly one environment: what does not hold is dropped.
A sender that is gone by then cannot be told; its datagram is a stray, which only what it says may
prove to be somebody's.
https://docs.aws.amazon.com/xray/latest/devguide/xray-api-sendingdata.html#xray-api-daemon
"""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from cumulet.core.clock import Clock
from cumulet.core.trace import log_line
from cumulet.sandbox.environment import Environment
from cumulet.sandbox.links.peers import has_open
from cumulet.sandbox.states import State

LOOPBACK = "127.0.0.1"
PER_SECOND_MAX = 2_000
"""Datagrams of all functions together that are looked at in a second; more are dropped."""
BYTES_PER_SECOND_MAX = 16 << 20
KNOWN_MAX = 1_024
"""Senders that are remembered, so that their files are not looked through each time."""

_Sender = tuple[str, int]


class Datagrams(asyncio.DatagramProtocol):
    """Listens on loopback and hands each datagram to its environment's place."""

    def __init__(self, clock: Clock, live: Callable[[], Iterable[Environment]]) -> None:
        self._clock = clock
        self._live = live
        self._transport: asyncio.DatagramTransport | None = None
        self._known: dict[_Sender, tuple[int, Environment]] = {}
        self.on_stray: Callable[[bytes], None] | None = None
        self._second = self._count = self._bytes = self._dropped = 0
        self.address = ""

    async def open(self) -> None:
        """Listen, on a port that the system picks. Raises OSError."""
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_datagram_endpoint(
            lambda: self, local_addr=(LOOPBACK, 0), family=socket.AF_INET
        )
        host, port = self._transport.get_extra_info("sockname")
        self.address = f"{host}:{port}"

    def close(self) -> None:
        """Listen no more."""
        if self._transport is not None:
            self._transport.close()
        self._known.clear()

    def datagram_received(self, data: bytes, addr: _Sender) -> None:
        """Give it to its environment, or drop it."""
        if not self._has_room(len(data)):
            return
        inodes = inodes_at(*addr)
        if not inodes and self.on_stray is not None:
            self.on_stray(data)
            return
        environment = self._sender_of(addr, inodes)
        if environment is None or environment.place is None:
            self._dropped += 1
            return
        environment.place.datagram(data)

    def error_received(self, exc: Exception) -> None:
        """Nothing is ever sent from here, so that nothing can have failed."""

    def _has_room(self, size: int) -> bool:
        second = int(self._clock.monotonic())
        if second != self._second:
            if self._dropped:
                log_line(logging.WARNING, "datagrams of functions were dropped", n=self._dropped)
            self._second, self._count, self._bytes, self._dropped = second, 0, 0, 0
        self._count += 1
        self._bytes += size
        if self._count <= PER_SECOND_MAX and self._bytes <= BYTES_PER_SECOND_MAX:
            return True
        self._dropped += 1
        return False

    def _sender_of(self, addr: _Sender, inodes: set[int]) -> Environment | None:
        """The environment that the sender's socket is open in; None when that is not certain."""
        if len(inodes) != 1:
            return None
        (inode,) = inodes
        known = self._known.get(addr)
        if known is not None and known[0] == inode and known[1].state is not State.DEAD:
            return known[1]
        owners = [one for one in self._live() if _has_open(one, inode)]
        if len(owners) != 1:
            return None
        if len(self._known) >= KNOWN_MAX:
            self._known.clear()
        self._known[addr] = (inode, owners[0])
        return owners[0]


def _has_open(environment: Environment, inode: int) -> bool:
    if environment.layers.get("network") == "":
        # It has a network of its own, from which nothing comes here.
        return False
    try:
        return has_open(environment.pid(), inode)
    except OSError:
        return False


def inodes_at(host: str, port: int) -> set[int]:
    """The inodes of the sockets that a datagram from this address can have come from."""
    found: set[int] = set()
    for table, any_host, mapped in (
        ("udp", "0" * 8, _hex(host)),
        ("udp6", "0" * 32, f"{'0' * 16}FFFF0000{_hex(host)}"),
    ):
        try:
            lines = Path(f"/proc/self/net/{table}").read_text().splitlines()[1:]
        except OSError:
            continue
        ends = {f"{any_host}:{port:04X}", f"{mapped}:{port:04X}"}
        for line in lines:
            fields = line.split(None, 10)
            if fields[1] in ends:
                found.add(int(fields[9]))
    return found


def _hex(host: str) -> str:
    """An address as the kernel's tables have it: in the machine's own order of bytes."""
    return f"{int.from_bytes(socket.inet_aton(host), sys.byteorder):08X}"
