"""Whose datagrams are whose."""

from __future__ import annotations

import os
import socket

from cumulet.sandbox.links.datagrams import inodes_at
from cumulet.sandbox.links.peers import has_open


def inode_of(one: socket.socket) -> int:
    return os.fstat(one.fileno()).st_ino


def test_a_sender_is_found_by_its_port() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("127.0.0.1", 0))
        host, port = sender.getsockname()
        assert inodes_at(host, port) == {inode_of(sender)}
        assert has_open(os.getpid(), inode_of(sender))
        assert inodes_at("127.0.0.2", port) == set()
    assert inodes_at(host, port) == set()


def test_a_sender_without_an_address_of_its_own_is_found_too() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        sender.bind(("0.0.0.0", 0))
        assert inodes_at("127.0.0.1", sender.getsockname()[1]) == {inode_of(sender)}


def test_two_that_could_have_sent_it_are_both_told() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for each in (one, other):
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        other.bind(("0.0.0.0", one.getsockname()[1]))
        found = inodes_at(*one.getsockname())
        assert found == {inode_of(one), inode_of(other)}
