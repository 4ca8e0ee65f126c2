"""Takes from a process and all that it executes what neither capabilities nor mounts take.

That is the way to new rights, in user namespaces of its own, and to sockets of the machine that are
no files. It must not know what is executed.
"""

from __future__ import annotations

import errno
import os
import struct
from typing import NamedTuple

from runner.emulator.batch.isolation.kernel import filter_calls, scope_abstract_sockets

_CLONE_NEWUSER = 0x10000000
# Of linux/bpf_common.h: load a word, mask it, compare it, end with it.
_LOAD, _AND, _EQUAL, _HAS_BITS, _RETURN = 0x20, 0x54, 0x15, 0x45, 0x06
# Of linux/seccomp.h: where the words of a call are, and what is answered.
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_WITHOUT_X32 = 0xBFFFFFFF
_CLONE3 = 435


class _Architecture(NamedTuple):
    """The number of an architecture in linux/audit.h, and those of its calls."""

    number: int
    unshare: int
    clone: int


_X86 = (
    _Architecture(number=0xC000003E, unshare=272, clone=56),
    _Architecture(number=0x40000003, unshare=310, clone=120),
)
_ARM = (
    _Architecture(number=0xC00000B7, unshare=97, clone=220),
    _Architecture(number=0x40000028, unshare=337, clone=120),
)
_MACHINES = {"x86_64": _X86, "aarch64": _ARM}


def confine() -> None:
    """Confines this process, as far as the kernel can; raises `OSError` where it refuses.

    User namespaces cannot be made on the machines whose calls are known here: x86_64, aarch64.
    Abstract sockets of others are out of reach with Landlock of Linux 6.12.
    """
    architectures = _MACHINES.get(os.uname().machine)
    if architectures is not None:
        filter_calls(_program(architectures))
    scope_abstract_sockets()


def _program(architectures: tuple[_Architecture, ...]) -> bytes:
    """Refuses `clone` and `unshare` with `CLONE_NEWUSER`, and `clone3`, whose flags it cannot see.

    Programs do with `clone` where there is no `clone3`, as on older kernels.
    """
    code = [_word(_LOAD, _ARCHITECTURE)]
    for each in architectures:
        calls = [
            _word(_LOAD, _NUMBER),
            _word(_AND, _WITHOUT_X32),
            _word(_EQUAL, _CLONE3, no=1),
            _word(_RETURN, _FAIL | errno.ENOSYS),
            _word(_EQUAL, each.unshare, yes=2),
            _word(_EQUAL, each.clone, yes=1),
            _word(_RETURN, _ALLOW),
            _word(_LOAD, _FIRST_ARGUMENT),
            _word(_HAS_BITS, _CLONE_NEWUSER, no=1),
            _word(_RETURN, _FAIL | errno.EPERM),
            _word(_RETURN, _ALLOW),
        ]
        code += [_word(_EQUAL, each.number, no=len(calls)), *calls]
    return b"".join([*code, _word(_RETURN, _FAIL | errno.ENOSYS)])


def _word(code: int, value: int, *, yes: int = 0, no: int = 0) -> bytes:
    """One `struct sock_filter`; `yes` and `no` are how many words a comparison skips."""
    return struct.pack("=HBBI", code, yes, no, value)
