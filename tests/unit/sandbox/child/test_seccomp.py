"""The filter of system calls, run by a small interpreter of its instructions."""

import errno
import struct

import pytest

from cumulet.sandbox.child import seccomp

ALLOW, KILL = 0x7FFF0000, 0x80000000
EPERM, ENOSYS = 0x00050000 | errno.EPERM, 0x00050000 | errno.ENOSYS
ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}


def run(program, number, architecture, argument=0):
    memory = struct.pack("<iIQQ", number, architecture, 0, argument)
    code = list(struct.iter_unpack("<HBBI", program))
    accumulator, at = 0, 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == 0x06:
            return value
        if operation == 0x20:
            accumulator = struct.unpack_from("<I", memory, value)[0]
            continue
        holds = {
            0x15: accumulator == value,
            0x35: accumulator >= value,
            0x45: bool(accumulator & value),
        }[operation]
        at += if_true if holds else if_false


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_it_refuses_what_it_lists_and_nothing_else(machine):
    program = seccomp.program(machine)
    architecture = ARCHITECTURES[machine]
    numbers = {**seccomp._NUMBERS[machine], **seccomp._SAME_EVERYWHERE}
    clone, socket = numbers.pop("clone"), numbers.pop("socket")
    refused = set(numbers.values())
    for number in range(600):
        expected = EPERM if number in refused else ENOSYS if number == 435 else ALLOW
        assert run(program, number, architecture) == expected, number
    assert run(program, clone, architecture, 0x11) == ALLOW
    assert run(program, clone, architecture, 0x10000000) == EPERM
    assert run(program, clone, architecture, 0x00020000 | 0x11) == EPERM
    for family in (1, 2, 10, 16):
        assert run(program, socket, architecture, family) == ALLOW
    for family in (15, 17, 38, 40):
        assert run(program, socket, architecture, family) == EPERM


@pytest.mark.parametrize("machine", ["x86_64", "aarch64"])
def test_a_foreign_calling_convention_ends_the_process(machine):
    program = seccomp.program(machine)
    assert run(program, 0, 0x40000003) == KILL
    assert run(program, 0x40000000 | 1, ARCHITECTURES[machine]) == KILL
