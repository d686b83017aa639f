"""Whether a loopback connection comes from a process of a given environment.

The kernel is asked for the other end's socket (`sock_diag`), and that socket must be open in one
of the environment's processes: then neither a neighbour nor a stranger can play its runtime.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from pathlib import Path

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST = 1
_NLMSG_ERROR = 2
_HEADER = struct.Struct("=IHHII")
_QUERY = struct.Struct("=BBBBI2s2s16s16sIII")
_INODE_AT = 16 + 68
_PROCESSES_MAX = 4_096


def _inode_of_peer(accepted: socket.socket) -> int:
    """Inode of the socket at the other end of a loopback TCP connection; 0 when unknown."""
    (our_address, our_port), (peer_address, peer_port) = (
        accepted.getsockname(),
        accepted.getpeername(),
    )
    query = _QUERY.pack(
        socket.AF_INET,
        socket.IPPROTO_TCP,
        0,
        0,
        0xFFFFFFFF,
        peer_port.to_bytes(2, "big"),
        our_port.to_bytes(2, "big"),
        socket.inet_aton(peer_address).ljust(16, b"\0"),
        socket.inet_aton(our_address).ljust(16, b"\0"),
        0,
        0xFFFFFFFF,
        0xFFFFFFFF,
    )
    header = _HEADER.pack(_HEADER.size + len(query), _SOCK_DIAG_BY_FAMILY, _REQUEST, 1, 0)
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as kernel:
        kernel.send(header + query)
        answer = kernel.recv(65_536)
    if len(answer) < _INODE_AT + 4 or _HEADER.unpack_from(answer)[1] == _NLMSG_ERROR:
        return 0
    return int(struct.unpack_from("=I", answer, _INODE_AT)[0])


def processes_below(pid: int) -> list[int]:
    """A process and all its descendants, nearest first."""
    found = [pid]
    for known in found:
        with contextlib.suppress(OSError):
            for task in Path(f"/proc/{known}/task").iterdir():
                found += map(int, (task / "children").read_text().split())
        if len(found) > _PROCESSES_MAX:
            break
    return found


def belongs_to(accepted: socket.socket, pid: int) -> bool:
    """Whether the other end is open in the process `pid` or one of its descendants."""
    try:
        inode = _inode_of_peer(accepted)
    except OSError:
        return False
    return has_open(pid, inode)


def has_open(pid: int, inode: int) -> bool:
    """Whether the socket is open in the process `pid` or one of its descendants."""
    wanted = f"socket:[{inode}]"
    for process in processes_below(pid):
        folder = f"/proc/{process}/fd"
        with contextlib.suppress(OSError):
            # Plain calls: a process may have a thousand files, and paths cost more than the looks.
            for name in os.listdir(folder):  # noqa: PTH208  As said above.
                with contextlib.suppress(OSError):
                    if os.readlink(f"{folder}/{name}") == wanted:  # noqa: PTH115  As said above.
                        return True
    return False


def pid_of(pidfd: int) -> int:
    """The process a pidfd stands for, as we number it; raises OSError when it is gone."""
    for line in Path(f"/proc/self/fdinfo/{pidfd}").read_text().splitlines():
        name, _, value = line.partition(":")
        if name == "Pid":
            return int(value)
    raise ProcessLookupError(pidfd)
