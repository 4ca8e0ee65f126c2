"""The process that makes the nodes' first processes; it outlives the emulator by its cleaning up.

It is small and has one thread, so that a node costs a fork and not a start of Python. It must not
know what runs in the nodes.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

from runner.emulator.batch.isolation.cgroups import Cgroups
from runner.emulator.batch.isolation.confinement import confine
from runner.emulator.batch.isolation.first_process import FirstProcess
from runner.emulator.batch.isolation.kernel import (
    CLONE_NEWIPC,
    CLONE_NEWNS,
    CLONE_NEWPID,
    MS_NODEV,
    MS_NOSUID,
    MS_PRIVATE,
    MS_REC,
    adopt_orphans,
    keep_capabilities,
    mount,
    unmount,
    unshare,
)
from runner.emulator.batch.isolation.messages import ClosedError, receive_short, send_short
from runner.emulator.batch.isolation.view import View, enter_view
from runner.emulator.batch.node.directories import remove_tree

_NAMESPACES = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC
# Of linux/capability.h; those that the engines of containers leave to root, which are known to be
# enough to install packages: CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, SETGID, SETUID, SETPCAP,
# NET_BIND_SERVICE, NET_RAW, SYS_CHROOT, AUDIT_WRITE, SETFCAP. Not MKNOD as they do: node folders
# are the machine's own, and a device made there would be one of the machine.
_KEPT_CAPABILITIES = frozenset({0, 1, 3, 4, 5, 6, 7, 8, 10, 13, 18, 29, 31})


def main(descriptor: int, layers: str, limits: str) -> int:
    """Serves the emulator on a packet socket until it is closed; `layers` is for it alone.

    Nodes get groups that limit them unless `limits` is `none`.
    """
    control = socket.socket(fileno=descriptor)
    place = Path(layers)
    groups = Cgroups(owner=os.getpid())
    try:
        _set_up(place)
        unlimited = "none are wanted" if limits == "none" else _try_limits(groups)
        answer: dict[str, Any] = {"process": os.getpid(), "unlimited": unlimited}
    except OSError as error:
        answer = {"error": str(error)}
    with suppress(ClosedError, ConnectionError):
        send_short(control, answer)
        if "error" not in answer:
            _serve(control, groups)
    control.close()
    _wait_for_children()
    with suppress(OSError):
        # What cannot be removed is, empty, by the next one.
        groups.clear()
    _clear(place)
    return 0


def _serve(control: socket.socket, groups: Cgroups) -> None:
    """Until the other end of the socket is closed, which raises."""
    adopt_orphans()
    # The kernel then reaps its children.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    while True:
        request, descriptors = receive_short(control)
        work = _make_node if request["do"] == "make" else _remove
        _in_child(partial(work, request, descriptors[0], control, groups))
        for each in descriptors:
            os.close(each)


def _try_limits(groups: Cgroups) -> str:
    """Why nodes cannot have limits here, empty where they can."""
    try:
        groups.clear_left()
        groups.check()
    except OSError as error:
        return f"no control groups can be made: {error}"
    return ""


def _set_up(layers: Path) -> None:
    """Finds out whether views can be built here, by building one.

    Where the file system cannot hold the upper layer of an overlay, as another overlay cannot,
    memory does.
    """
    unshare(CLONE_NEWNS)
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    layers.mkdir(parents=True, mode=0o700)
    for left in layers.parent.iterdir():
        if left != layers:
            _in_child(partial(_remove_left, left))
    try:
        _try(layers / "trial")
    except OSError:
        mount("none", layers, "tmpfs", MS_NOSUID | MS_NODEV, "mode=700")
        _try(layers / "trial")


def _clear(layers: Path) -> None:
    with suppress(OSError):
        unmount(layers)
    remove_tree(layers)
    with suppress(OSError):
        # Unless another one is there.
        layers.parent.rmdir()


def _remove_left(layers: Path) -> None:
    """What a nursery that was killed left; one that is only about to end does the same."""
    with suppress(OSError):
        remove_tree(layers)


def _try(layers: Path) -> None:
    view = View(layers=layers, shared=(), hidden=(), reached=())
    read, write = os.pipe2(os.O_CLOEXEC)

    def build() -> None:
        try:
            unshare(_NAMESPACES)
            os.close(os.pidfd_open(os.getpid()))
            # The first process of a process namespace is a child; only it may mount its `/proc`.
            first = os.fork()
            if first:
                os.waitpid(first, 0)
            else:
                enter_view(view)
                confine()
        except OSError as error:
            os.write(write, f"{error.errno} {error}".encode())

    os.waitpid(_in_child(build), 0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        said = file.read().decode("utf-8", "replace")
    remove_tree(layers)
    if said:
        number, _, message = said.partition(" ")
        raise OSError(int(number), message)


def _make_node(
    request: dict[str, Any], descriptor: int, nursery: socket.socket, groups: Cgroups
) -> None:
    """Becomes the parent of a node's first process, tells of that, and ends."""
    nursery.close()
    control = socket.socket(fileno=descriptor)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGCHLD):
        signal.signal(number, signal.SIG_DFL)
    try:
        if request["limits"] is not None:
            groups.enter(request["name"], **request["limits"])
        unshare(_NAMESPACES)
        first = os.fork()
    except OSError as error:
        send_short(control, {"error": str(error)})
        return
    if first:
        send_short(control, {"process": first}, [os.pidfd_open(first)])
        return
    try:
        enter_view(
            View(
                layers=Path(request["layers"]),
                shared=tuple(map(Path, request["shared"])),
                hidden=tuple(map(Path, request["hidden"])),
                reached=tuple(map(Path, request["reached"])),
            )
        )
        os.umask(0o022)
        keep_capabilities(_KEPT_CAPABILITIES)
        confine()
    except OSError as error:
        send_short(control, {"error": str(error)})
        return
    send_short(control, {"ready": True})
    FirstProcess(control).run()


def _remove(
    request: dict[str, Any], descriptor: int, nursery: socket.socket, groups: Cgroups
) -> None:
    """Whoever waits at the other end of the descriptor learns of the end by its closing."""
    del descriptor
    nursery.close()
    remove_tree(Path(request["layers"]))
    groups.remove(request["name"])


def _in_child(work: Callable[[], None]) -> int:
    """Does it in a child, which then ends; the child's process id."""
    child = os.fork()
    if not child:
        _end_after(work)
    return child


def _end_after(work: Callable[[], None]) -> NoReturn:
    code = 1
    try:
        work()
        code = 0
    except BaseException as error:  # noqa: BLE001 - the child must not run on as its parent
        sys.stderr.write(f"emulator: a node's process failed: {error!r}\n")
    os._exit(code)


def _wait_for_children() -> None:
    with suppress(ChildProcessError):
        while True:
            os.wait()


def run_from_command_line() -> int:
    """`python -c … ROOT DESCRIPTOR LAYERS LIMITS`."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        # Ended by the emulator's end alone; a signal to both would leave its files.
        signal.signal(number, signal.SIG_IGN)
    return main(int(sys.argv[2]), sys.argv[3], sys.argv[4])
