"""The calls of the Linux kernel that namespaces and mounts need and Python 3.10 does not have.

It must not know what they are put together to. Each raises `OSError` where the kernel refuses.
"""

from __future__ import annotations

import ctypes
import os

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2
CLONE_NEWNS = 0x00020000
CLONE_NEWIPC = 0x08000000
CLONE_NEWPID = 0x20000000
_PR_CAPBSET_READ = 23
_PR_CAPBSET_DROP = 24
_PR_SET_CHILD_SUBREAPER = 36
_LAST_CAPABILITY = 63
_SECCOMP = {"x86_64": 317, "aarch64": 277}
_SECCOMP_SET_MODE_FILTER = 1
_SECCOMP_FILTER_FLAG_SPEC_ALLOW = 1 << 2
_FILTER_WORD_BYTES = 8
_LANDLOCK_CREATE_RULESET = 444
_LANDLOCK_RESTRICT_SELF = 446
_LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET = 1

_libc = ctypes.CDLL(None, use_errno=True)


def mount(
    source: str, target: str | os.PathLike[str], kind: str = "", flags: int = 0, options: str = ""
) -> None:
    """mount(2)."""
    _call(
        "mount",
        os.fsencode(source),
        os.fsencode(target),
        kind.encode(),
        ctypes.c_ulong(flags),
        os.fsencode(options),
        about=target,
    )


def unmount(target: str | os.PathLike[str], flags: int = 0) -> None:
    """umount2(2)."""
    _call("umount2", os.fsencode(target), flags, about=target)


def unshare(flags: int) -> None:
    """unshare(2)."""
    _call("unshare", flags)


def pivot_root(new: str, old: str) -> None:
    """pivot_root(2)."""
    _call("pivot_root", os.fsencode(new), os.fsencode(old), about=new)


def keep_capabilities(kept: frozenset[int]) -> None:
    """Whatever this process executes from now on can have no other capabilities, root or not."""
    for number in range(_LAST_CAPABILITY + 1):
        # EINVAL past the last one that this kernel knows.
        if number in kept or _libc.prctl(_PR_CAPBSET_READ, number, 0, 0, 0) != 1:
            continue
        _call("prctl", _PR_CAPBSET_DROP, number, 0, 0, 0)


def adopt_orphans() -> None:
    """Makes this process the parent of descendants whose own parent has ended."""
    _call("prctl", _PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def filter_calls(program: bytes) -> None:
    """Has the kernel ask a program of `struct sock_filter` about each call from now on.

    What this process executes is asked about too. Needs CAP_SYS_ADMIN. seccomp(2).
    """
    words = ctypes.create_string_buffer(program, len(program))
    described = _Program(len(program) // _FILTER_WORD_BYTES, ctypes.addressof(words))
    _call(
        "syscall",
        ctypes.c_long(_SECCOMP[os.uname().machine]),
        ctypes.c_long(_SECCOMP_SET_MODE_FILTER),
        # The kernels that slow down filtered processes otherwise do not do so any more.
        ctypes.c_long(_SECCOMP_FILTER_FLAG_SPEC_ALLOW),
        ctypes.byref(described),
    )


def scope_abstract_sockets() -> None:
    """Whatever this process executes reaches no abstract sockets but those of its kind.

    Nothing happens where the kernel cannot do that: landlock(7), ABI 6. Needs CAP_SYS_ADMIN.
    """
    attributes = (ctypes.c_uint64 * 3)(0, 0, _LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET)
    rules: int = _libc.syscall(
        ctypes.c_long(_LANDLOCK_CREATE_RULESET),
        ctypes.byref(attributes),
        ctypes.c_size_t(ctypes.sizeof(attributes)),
        ctypes.c_long(0),
    )
    if rules == -1:
        return
    try:
        _call(
            "syscall",
            ctypes.c_long(_LANDLOCK_RESTRICT_SELF),
            ctypes.c_long(rules),
            ctypes.c_long(0),
        )
    finally:
        os.close(rules)


class _Program(ctypes.Structure):
    """`struct sock_fprog`."""

    _fields_ = (("length", ctypes.c_ushort), ("words", ctypes.c_void_p))


def _call(name: str, *arguments: object, about: str | os.PathLike[str] | None = None) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", about)
