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


def _call(name: str, *arguments: object, about: str | os.PathLike[str] | None = None) -> None:
    if getattr(_libc, name)(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}", about)
