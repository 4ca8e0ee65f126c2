"""Which isolation the nodes of an emulator get: the one asked for, or the best that works here.

It must not know how any of them works.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from enum import Enum
from pathlib import Path

from runner.emulator.batch.node.containers import ContainerError
from runner.emulator.batch.node.isolation import Isolation
from runner.emulator.batch.node.plain import PlainProcesses
from runner.emulator.storage.record import record

LIMITS = ("auto", "memory", "vm-size", "none")
CHOICES = ("auto", "copy-on-write", "container", "none")
_LIMITED = ("memory", "vm-size")
_STATUS = Path("/proc/self/status")
_SYS_ADMIN = 1 << 21


class IsolationError(Exception):
    """What was asked for does not work on this machine; the message says why."""


class Kind(Enum):
    """What a node is."""

    COPY_ON_WRITE = "copy-on-write"
    CONTAINER = "container"
    NONE = "none"


@record(frozen=True, slots=True, kw_only=True)
class Choice:
    """An open isolation, what it is, and `why` nothing better was chosen, if that is so."""

    kind: Kind
    isolation: Isolation
    why: str = ""

    def describe(self) -> str:
        """The choice in words, for people."""
        why = f" ({self.why})" if self.why else ""
        return f"{_WORDS[self.kind]}{why}"


_WORDS = {
    Kind.COPY_ON_WRITE: "nodes are copy-on-write views of this machine, which stays as it is",
    Kind.CONTAINER: "nodes are containers of the system that their pool asks for",
    Kind.NONE: "nodes are folders, and tasks are processes of this machine",
}


@contextmanager
def choosing(
    asked: str,
    *,
    layers: Path,
    hidden: Path,
    environ: Mapping[str, str],
    limits: str = "auto",
) -> Iterator[Callable[[], Choice]]:
    """Begins to find out, and gives what waits for the answer; closes it in the end.

    `asked` is one of `CHOICES`; `layers` is where copy-on-write nodes keep what they change, and
    `hidden` what they must not see of; `environ` finds the engine of
    containers, and the programs that all users of a node may run; `limits` is one
    of `LIMITS`. The answer raises `IsolationError` for a choice that does not work here.
    """
    obstacle = _obstacle()
    if limits in _LIMITED:
        asked = _for_limits(asked)
    if asked == "none":
        yield _plain
    elif asked == "container":
        # Imported here, as what makes views is below: an emulator has one kind of nodes.
        from runner.emulator.batch.isolation.container_nodes import ContainerNodes
        from runner.emulator.batch.isolation.engine import EngineContainers

        nodes = ContainerNodes(engine := EngineContainers(environ))

        def choose_containers() -> Choice:
            try:
                engine.check()
            except ContainerError:
                raise IsolationError("neither podman nor docker works here") from None
            return Choice(kind=Kind.CONTAINER, isolation=nodes)

        with closing(nodes):
            yield choose_containers
    elif obstacle is not None:
        yield lambda: _without_views(asked, obstacle)
    else:
        from runner.emulator.batch.isolation.copy_on_write import (
            CopyOnWrite,
            Limits,
            UnavailableError,
        )

        reached = filter(Path.is_absolute, map(Path, os.get_exec_path(environ)))
        kept = Limits.MEMORY if limits == "auto" else Limits(limits)
        views = CopyOnWrite(layers=layers, hidden=hidden, reached=reached, limits=kept)

        def choose() -> Choice:
            try:
                views.check()
            except UnavailableError as error:
                return _without_views(asked, str(error))
            if limits in _LIMITED and views.unlimited:
                raise IsolationError(f"nodes cannot have limits here: {views.unlimited}")
            return Choice(kind=Kind.COPY_ON_WRITE, isolation=views)

        with closing(views):
            yield choose


def _for_limits(asked: str) -> str:
    """Limits that were asked for want nodes that have some, whatever else would do."""
    if asked in {"container", "none"}:
        raise IsolationError("only copy-on-write nodes have limits")
    return "copy-on-write"


def find_kind(asked: str, environ: Mapping[str, str], *, limits: str = "none") -> Choice:
    """As `choosing`, for those who only want to know; what it gives is closed already."""
    import tempfile

    with tempfile.TemporaryDirectory(prefix="batch-run-") as directory:
        place = Path(directory)
        with choosing(
            asked, layers=place / "layers", hidden=place, environ=environ, limits=limits
        ) as choose:
            return choose()


def _plain() -> Choice:
    return Choice(kind=Kind.NONE, isolation=PlainProcesses())


def _without_views(asked: str, why: str) -> Choice:
    if asked == "copy-on-write":
        raise IsolationError(f"nodes cannot be copy-on-write views of this machine: {why}")
    return Choice(kind=Kind.NONE, isolation=PlainProcesses(), why=f"not copy-on-write: {why}")


def _obstacle() -> str | None:
    """What surely stands in the way of copy-on-write nodes; None where it has to be tried."""
    if sys.platform != "linux":
        return "it needs Linux"
    if os.geteuid() != 0:
        return "it needs root"
    for line in _STATUS.read_text("ascii").splitlines():
        name, _, value = line.partition(":")
        if name == "CapEff" and not int(value, 16) & _SYS_ADMIN:
            return "it needs the capability CAP_SYS_ADMIN"
    return None
