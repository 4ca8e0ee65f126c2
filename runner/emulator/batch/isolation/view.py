"""Builds a node's view of the machine in the mount namespace of the calling process.

It must not know which process that is, nor what is run in the view.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from runner.emulator.batch.isolation.binds import bind, bind_device, restrict
from runner.emulator.batch.isolation.kernel import (
    MNT_DETACH,
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    mount,
    pivot_root,
    unmount,
)
from runner.emulator.batch.isolation.mounts import (
    Mount,
    is_below,
    read_mounts,
    visible_mounts,
)
from runner.emulator.batch.node.directories import remove_tree

_OWN = ("/proc", "/sys", "/dev", "/run", "/var/run")
"""Where the view has something of its own in place of what the machine has."""
_KERNEL_KINDS = frozenset(
    {
        *("autofs", "binfmt_misc", "bpf", "cgroup", "cgroup2", "configfs", "debugfs", "devpts"),
        *("devtmpfs", "efivarfs", "fusectl", "hugetlbfs", "mqueue", "nsfs", "proc", "pstore"),
        *("rpc_pipefs", "securityfs", "selinuxfs", "sysfs", "tracefs"),
    }
)
_DEVICES = ("null", "zero", "full", "random", "urandom", "tty")
_OPTIONAL_DEVICES = ("fuse", "kvm", "kfd", "dri")
_GRAPHICS = "nvidia"
_LINKS = {
    "fd": "/proc/self/fd",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
    "stderr": "/proc/self/fd/2",
    "ptmx": "pts/ptmx",
}
_READ_ONLY = MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC
# As engines of containers do, and what tells of the machine's memory page by page.
_READ_ONLY_PROC = ("sys", "sysrq-trigger", "irq", "bus", "fs", "driver", "mtrr")
_MASKED_PROC = (
    *("acpi", "asound", "kcore", "keys", "latency_stats", "sched_debug", "scsi", "timer_list"),
    *("timer_stats", "kpagecgroup", "kpagecount", "kpageflags"),
)
_MASKED_SYS = ("firmware", "devices/virtual/powercap", "fs/selinux", "kernel/security")
_RESOLVER = "/etc/resolv.conf"
_OPEN = stat.S_IROTH | stat.S_IXOTH


class View(NamedTuple):
    """Where a view's own files are, and what in it is the machine's.

    `layers` is a directory of the node's alone on a file system that can hold the upper layer of
    an overlay; `shared` directories are in the view what they are outside; of the rest of the
    `hidden` directories nothing is seen. Directories in `reached` are open to every user of the
    view, as far as that can be: programs are there.
    """

    layers: Path
    shared: tuple[Path, ...]
    hidden: tuple[Path, ...]
    reached: tuple[Path, ...]


def enter_view(view: View) -> None:
    """Builds the view and makes it the root of this process; raises `OSError`.

    This process must have a mount namespace and a process namespace of its own, and be the first
    of the latter. What earlier calls with the same `layers` changed is there again.
    """
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    found = visible_mounts(read_mounts())
    root = view.layers / "root"
    root.mkdir(parents=True, exist_ok=True)
    _cover("/", root, view.layers / "0")
    for index, each in enumerate(found, start=1):
        if _is_ours(each):
            _show(each, root, view.layers / str(index))
    _make_proc(root)
    _make_sys(root, found)
    _make_devices(root)
    _make_run(root)
    shared = [(path, os.open(path, os.O_PATH | os.O_CLOEXEC)) for path in view.shared]
    for path in view.hidden:
        place = _inside(root, path)
        place.mkdir(parents=True, exist_ok=True)
        mount("none", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755,size=1m")
    for path, descriptor in shared:
        place = _inside(root, path)
        place.mkdir(parents=True, exist_ok=True)
        # What is mounted below it is not a part of the node.
        mount(f"/proc/self/fd/{descriptor}", place, flags=MS_BIND)
        os.close(descriptor)
        restrict(place, MS_NOSUID | MS_NODEV)
        _open_the_way(root, path)
    for path in view.reached:
        # It may be in a file system that is read-only here.
        with suppress(OSError):
            _open(root, path)
    _change_root(root)


def _is_ours(each: Mount) -> bool:
    if each.point == "/" or each.kind in _KERNEL_KINDS:
        return False
    return not _is_own(each.point)


def _is_own(path: str | Path) -> bool:
    return any(is_below(str(path), place) for place in _OWN)


def _inside(root: Path, path: Path) -> Path:
    return root / str(path).lstrip("/")


def _cover(lower: str, target: Path, layers: Path) -> None:
    """Lays a private layer over a directory: what is written goes there."""
    upper, work = layers / "upper", layers / "work"
    upper.mkdir(parents=True, exist_ok=True)
    work.mkdir(exist_ok=True)
    with suppress(FileNotFoundError):
        # Left by the last start of the node; the layer is whole, since the machine did not crash.
        remove_tree(work / "work" / "incompat")
    status = Path(lower).stat()
    os.chown(upper, status.st_uid, status.st_gid)
    upper.chmod(stat.S_IMODE(status.st_mode))
    paths = {"lowerdir": lower, "upperdir": str(upper), "workdir": str(work)}
    options = ",".join(f"{name}={_escape(path)}" for name, path in paths.items())
    try:
        # Nobody needs the layer after a crash, and package managers sync after every file.
        mount("overlay", target, "overlay", MS_NODEV, f"{options},volatile")
    except OSError:
        mount("overlay", target, "overlay", MS_NODEV, options)


def _escape(path: str) -> str:
    return path.replace("\\", "\\\\").replace(",", "\\,").replace(":", "\\:")


def _show(each: Mount, root: Path, layers: Path) -> None:
    """Another file system of the machine: covered too, or where that cannot be, read-only."""
    place = _inside(root, Path(each.point))
    try:
        if not os.path.lexists(place) or place.is_symlink():
            return
        if Path(each.point).is_dir() and not each.is_read_only:
            with suppress(OSError):
                _cover(each.point, place, layers)
                return
    except OSError:
        # One that even root may not look into, such as another user's FUSE: not in the view.
        return
    bind(each.point, place, MS_RDONLY | MS_NODEV)


def _make_proc(root: Path) -> None:
    place = root / "proc"
    place.mkdir(exist_ok=True)
    mount("proc", place, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    for name in _READ_ONLY_PROC:
        if (place / name).exists() and not bind(place / name, place / name, _READ_ONLY):
            raise PermissionError(errno.EPERM, "cannot be made read-only", f"/proc/{name}")
    for name in _MASKED_PROC:
        _mask(place / name)


def _mask(place: Path) -> None:
    """Puts nothing in the place of a file or a directory, where there is one."""
    if place.is_dir():
        mount("none", place, "tmpfs", _READ_ONLY, "size=4k")
    elif place.exists():
        bind_device("/dev/null", place)


def _make_sys(root: Path, found: tuple[Mount, ...]) -> None:
    """The machine's, read-only with all that is mounted in it."""
    place = root / "sys"
    place.mkdir(exist_ok=True)
    for each in found:
        below = _inside(root, Path(each.point))
        if is_below(each.point, "/sys") and below.exists():
            bind(each.point, below, _READ_ONLY)
    for name in _MASKED_SYS:
        _mask(place / name)


def _make_devices(root: Path) -> None:
    """The devices without which programs do not run, and those that compute; no disks."""
    place = root / "dev"
    place.mkdir(exist_ok=True)
    mount("none", place, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=755,size=1m")
    for device in sorted(Path("/dev").iterdir()):
        name = device.name
        if name in _DEVICES or name in _OPTIONAL_DEVICES or name.startswith(_GRAPHICS):
            _show_devices(device, place / name)
    for name, target in _LINKS.items():
        (place / name).symlink_to(target)
    for name, kind, options in (
        ("shm", "tmpfs", "mode=1777"),
        ("pts", "devpts", "newinstance,ptmxmode=0666,mode=620"),
        ("mqueue", "mqueue", ""),
    ):
        (place / name).mkdir()
        mount("none", place / name, kind, MS_NOSUID | MS_NODEV | MS_NOEXEC, options)


def _show_devices(device: Path, place: Path) -> None:
    """A device, or those of a directory, which itself is the view's own."""
    if device.is_symlink():
        place.symlink_to(device.readlink())
    elif device.is_dir():
        place.mkdir()
        for each in sorted(device.iterdir()):
            _show_devices(each, place / each.name)
    elif device.is_char_device():
        place.touch()
        bind_device(device, place)


def _make_run(root: Path) -> None:
    """An empty `/run`: nothing in the view may talk to the services of the machine.

    Names are looked up as the machine does, whose list of servers may be kept there.
    """
    place = root / "run"
    if not place.is_dir() or place.is_symlink():
        return
    mount("none", place, "tmpfs", MS_NOSUID | MS_NODEV, "mode=755")
    (place / "lock").mkdir()
    (place / "lock").chmod(0o1777)
    resolver = Path(os.path.realpath(_RESOLVER))
    if is_below(str(resolver), "/run") and resolver.is_file():
        copy = _inside(root, resolver)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(resolver.read_bytes())


def _open_the_way(root: Path, path: Path) -> None:
    """Lets every user of the view reach a shared directory, wherever it is on the machine."""
    for parent in path.parents:
        place = _inside(root, parent)
        mode = stat.S_IMODE(place.stat().st_mode)
        if not mode & stat.S_IXOTH:
            place.chmod(mode | stat.S_IXOTH)


def _open(root: Path, path: Path) -> None:
    real = Path(os.path.realpath(path))
    if _is_own(real) or not real.is_dir():
        return
    place = _inside(root, real)
    mode = stat.S_IMODE(place.stat().st_mode)
    if mode & _OPEN != _OPEN:
        place.chmod(mode | _OPEN)
    _open_the_way(root, real)


def _change_root(root: Path) -> None:
    os.chdir(root)
    # The old root comes to lie on the new one, and is taken off it.
    pivot_root(".", ".")
    unmount(".", MNT_DETACH)
    os.chdir("/")
