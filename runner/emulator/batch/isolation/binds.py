"""Shows a place of the machine in another place with fewer rights, or not at all.

It must not know of views, nor what is shown.
"""

from __future__ import annotations

import os

from runner.emulator.batch.isolation.kernel import (
    MNT_DETACH,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_RDONLY,
    MS_REMOUNT,
    mount,
    unmount,
)

_RIGHTS = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
"""The bits of statvfs(3) for these are the ones of mount(2)."""


def bind(source: str | os.PathLike[str], place: str | os.PathLike[str], restrictions: int) -> bool:
    """Whether `source` is seen in `place` now, which then has the restrictions, flags of mount(2).

    Else `place` is what it was. Raises `OSError` where even that could not be had.
    """
    try:
        mount(os.fspath(source), place, flags=MS_BIND)
    except OSError:
        return False
    try:
        restrict(place, restrictions)
    except OSError:
        unmount(place, MNT_DETACH)
        return False
    return True


def bind_device(source: str | os.PathLike[str], place: str | os.PathLike[str]) -> None:
    """Shows a device, which can be written to, but neither its mode nor its owner be changed.

    Raises `OSError`; `place` is what it was then.
    """
    if not bind(source, place, MS_RDONLY | MS_NOSUID | MS_NOEXEC):
        raise PermissionError(1, "the device cannot be shown", os.fspath(source))


def restrict(place: str | os.PathLike[str], restrictions: int) -> None:
    """Adds restrictions to those that what is mounted in `place` has; raises `OSError`.

    The kernel takes none away where the machine is a container itself, and would otherwise.
    """
    has = os.statvfs(place).f_flag & _RIGHTS
    mount("none", place, flags=MS_BIND | MS_REMOUNT | has | restrictions)
