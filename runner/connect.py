"""The composition root: from the name of a target to its open services; starts the local emulator.

It must not know what a run does with the services. The SDKs are imported only when one is opened.
"""

from __future__ import annotations

import logging
import random
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import field, replace
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Literal, cast

from typing_extensions import Self

from runner.errors import ServiceError, UsageError
from runner.frozen import dataclass
from runner.remote.credentials import batch_credential, find_identity
from runner.remote.endurance import Endurance, Patience
from runner.remote.local import LocalEmulator, PreparedEmulator
from runner.remote.local_state import JoinedEmulator, check_room, join_emulator, read_place
from runner.remote.settings import (
    BATCH_ACCOUNT,
    BATCH_ENDPOINT,
    BATCH_KEY,
    SURE_DELEGATION,
    Account,
    AzureSettings,
    read_azure_settings,
)
from runner.run.stop import Stop
from runner.run.transfers.under_way import UnderWay

if TYPE_CHECKING:  # so that the local services can be started before all else is imported
    from runner.run.services import Batch, Blobs

__all__ = [
    "BATCH_ENDPOINT",
    "SURE_DELEGATION",
    "Account",
    "AzureSettings",
    "LocalNodes",
    "PreparedEmulator",
    "Services",
    "Target",
    "TargetChoice",
    "choose_target",
    "find_nodes",
    "open_azure",
    "open_local",
    "open_running",
    "preparing_local",
    "read_azure_settings",
]

Target = Literal["azure", "local"]
TARGET_VARIABLE = "BATCH_RUN_TARGET"
PATIENCE = Patience().limit
"""How long services may be in trouble where nobody says it."""
_FIRST_PATIENCE = timedelta(seconds=30)
# How soon a wait ends that somebody wants to end.
_LOOK_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChoice:
    """Where a run goes, and `why`: words that follow "target: local, "."""

    target: Target
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalNodes:
    """What a node of the local target is, by the emulator's name for it and in words.

    `take_admin` is whether admins may do what they like on a node without harm to the machine.
    """

    isolation: str
    words: str
    take_admin: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """The open services of a target; close them, or use them as a context manager."""

    target: Target
    batch: Batch
    blobs: Blobs
    stack: ExitStack = field(default_factory=ExitStack, repr=False)
    """What ends with them."""
    ended: Callable[[], str | None] = lambda: None
    """Why they are gone for good, in words; None while they may answer."""
    leave: Callable[[], None] = lambda: None
    """To be called where they are to go on without us: those that can, do when they are closed."""
    endurance: Endurance = field(repr=False)
    """How they are waited for."""
    under_way: UnderWay = field(default_factory=UnderWay, repr=False)
    """How much is there of large files that go up or down."""

    def heed(self, stop: Stop, tell: Callable[[str], None]) -> None:
        """From here on a wish to stop ends what waits for them, and `tell` takes what it waits for.

        Once the wish is heeded, what is left to do is waited for a few seconds only.
        """
        self.endurance.stop = stop
        self.endurance.tell = tell

    def close(self) -> None:
        """Gives the connections back; ends the local emulator and waits until it is gone."""
        self.stack.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


def choose_target(explicit: str | None, environ: Mapping[str, str]) -> TargetChoice:
    """The target of `--target`, else of the environment; `UsageError` for an unknown one."""
    if explicit is not None:
        return TargetChoice(target=_target(explicit, "--target"), why="as `--target` says")
    named = environ.get(TARGET_VARIABLE)
    if named:
        return TargetChoice(
            target=_target(named, TARGET_VARIABLE), why=f"as {TARGET_VARIABLE} says"
        )
    if environ.get(BATCH_ENDPOINT):
        return TargetChoice(target="azure", why=f"since {BATCH_ENDPOINT} is set")
    return TargetChoice(target="local", why=f"since {BATCH_ENDPOINT} is not set")


def finds_engine(environ: Mapping[str, str]) -> bool:
    """Whether a podman or docker works here, for the container tasks of the local target."""
    from runner.emulator.batch.isolation.engine import EngineContainers
    from runner.emulator.batch.node.containers import ContainerError

    try:
        EngineContainers(environ).check()
    except ContainerError:
        return False
    return True


def find_nodes(asked: str, environ: Mapping[str, str], *, limits: str = "auto") -> LocalNodes:
    """What the nodes of the local target are where the option `--isolation` says `asked`.

    They must be able to have the `limits` that `--limits` names.

    Takes about 0.1 s. Raises `UsageError` for what does not work on this machine.
    """
    from runner.emulator.batch.isolation.choice import IsolationError, find_kind

    try:
        choice = find_kind(asked, environ, limits=limits)
    except IsolationError as error:
        plain = limits in {"auto", "none"}
        option = f"`--isolation {asked}`" if plain else f"`--limits {limits}`"
        raise UsageError(
            f"{option}: {error}",
            hint="without the option the best that works here is taken",
        ) from error
    return LocalNodes(
        isolation=choice.kind.value,
        words=choice.describe(),
        take_admin=choice.isolation.runs_admin,
    )


def open_azure(
    settings: AzureSettings, *, secrets: Iterable[str] = (), patience: timedelta = PATIENCE
) -> Services:
    """The services of two accounts, each asked one thing first.

    The values of `secrets` are in no message of theirs; later they may be in trouble for as long
    as our `patience`. Raises `ServiceUnreachableError` within seconds where one is out of reach,
    and `ServiceRefusedError` where it does not trust us.
    """
    return _open("azure", settings, ExitStack(), secrets, _endurance(patience), probe=True)


def open_local(
    *,
    state: Path,
    allow_admin: bool,
    isolation: str = "auto",
    limits: str = "auto",
    outlives: bool = False,
    environ: Mapping[str, str],
    secrets: Iterable[str] = (),
    patience: timedelta = PATIENCE,
    prepared: PreparedEmulator | None = None,
) -> Services:
    """The services of an emulator started for us alone, which keeps its state in a directory.

    It ends with this process, however that ends; or, where it `outlives` us, once its jobs have.
    One that was `prepared` is taken, and is gone where it was not needed.
    One of those that an earlier process left, and that still works on the state, is joined: so
    call it only in the process that drives the run. Raises `UsageError` where there is no local
    target, and `ServiceError` where the emulator does not start.
    """
    if sys.platform == "win32":
        raise UsageError(
            "the local target needs Linux or macOS",
            hint="run on Azure (`--target azure`), or within the Windows Subsystem for Linux",
        )
    state = state.absolute()
    with ExitStack() as stack:
        if prepared is not None:
            stack.callback(prepared.discard)
        joined = join_emulator(state)
        if joined is not None:
            stack.callback(joined.stop)
            return _open_emulator(
                joined, state, joined.settings, stack.pop_all(), secrets, patience
            )
        emulator = (prepared or PreparedEmulator(environ)).begin(
            state,
            allow_admin=allow_admin,
            isolation=isolation,
            limits=limits,
            outlives=outlives,
        )
        stack.callback(emulator.stop)
        # While the emulator imports what it needs, so do we.
        _import_clients()
        settings = emulator.wait_until_ready()
        return _open_emulator(emulator, state, settings, stack.pop_all(), secrets, patience)


@contextmanager
def preparing_local(
    environ: Mapping[str, str], *, wanted: bool
) -> Iterator[PreparedEmulator | None]:
    """A process that loads the emulator meanwhile, for `open_local`; it is gone behind the block
    where that was not called. None where it is not `wanted`, or there is no local target.

    Both take about as long: to load it, and to read a spec and plan its tasks.
    """
    prepared = None if sys.platform == "win32" or not wanted else PreparedEmulator(environ)
    try:
        yield prepared
    finally:
        if prepared is not None:
            prepared.discard()


def open_running(state: Path, *, patience: timedelta) -> Services | None:
    """The services of an emulator that another process drives, or that goes on by itself, to look.

    None where none answers there.
    """
    place = read_place(state.absolute())
    if place is None:
        return None
    try:
        return _open("local", place.settings, ExitStack(), (), _endurance(patience), probe=True)
    except ServiceError:
        return None


def _open_emulator(
    emulator: LocalEmulator | JoinedEmulator,
    state: Path,
    settings: AzureSettings,
    stack: ExitStack,
    secrets: Iterable[str],
    patience: timedelta,
) -> Services:
    endurance = _endurance(patience)
    endurance.ended = lambda: emulator.ended() is not None
    endurance.check_room = partial(check_room, state)
    services = _open("local", settings, stack, secrets, endurance, probe=False)
    return replace(services, ended=emulator.ended, leave=emulator.leave)


def _open(
    target: Target,
    settings: AzureSettings,
    stack: ExitStack,
    secrets: Iterable[str],
    endurance: Endurance,
    *,
    probe: bool,
) -> Services:
    """Opens the clients; closes what `stack` holds where that fails."""
    _import_clients()
    from runner.remote.batch import RemoteBatch
    from runner.remote.blobs import RemoteBlobs

    # Without a handler of its own, Python prints the SDKs' warnings on stderr.
    logging.getLogger("azure").addHandler(logging.NullHandler())
    with stack:
        identity = find_identity(stack)
        batch = RemoteBatch(
            endpoint=settings.batch.endpoint,
            credential=batch_credential(settings.batch, identity),
            key_hint=_key_hint(settings.batch, target),
            endurance=endurance,
            secrets=secrets,
        )
        stack.callback(batch.close)
        under_way = UnderWay()
        blobs = RemoteBlobs(
            endpoint=settings.storage.endpoint,
            account=settings.storage.name,
            credential=settings.storage.key or identity(),
            key_hint=_key_hint(settings.storage, target),
            endurance=endurance,
            under_way=under_way,
        )
        stack.callback(blobs.close)
        if probe:
            # Nobody is told yet what is waited for, and nothing is lost.
            patience = endurance.patience
            endurance.patience = replace(patience, limit=min(patience.limit, _FIRST_PATIENCE))
            batch.probe()
            blobs.probe()
            endurance.patience = patience
        return Services(
            target=target,
            batch=batch,
            blobs=blobs,
            stack=stack.pop_all(),
            endurance=endurance,
            under_way=under_way,
        )


def _import_clients() -> None:
    """Once; all that is imported here takes a third of a second."""
    import runner.remote.batch
    import runner.remote.blobs  # noqa: F401


def _endurance(patience: timedelta) -> Endurance:
    """Waits that end with the wish to stop, or with the services, though not at once."""
    bell = threading.Event()

    def pause(seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0 and not endurance.is_over:
            bell.wait(min(left, _LOOK_SECONDS))

    endurance = Endurance(
        patience=Patience(limit=patience),
        clock=_now,
        monotonic=time.monotonic,
        pause=pause,
        jitter=random.random,
    )
    return endurance


def _target(name: str, where: str) -> Target:
    if name in ("azure", "local"):
        return cast("Target", name)
    raise UsageError(
        f"unknown target `{name}` in {where}", hint="the targets are `azure` and `local`"
    )


def _key_hint(account: Account, target: Target) -> str | None:
    """What to check where a service does not trust us; a local key is ours, not the user's."""
    if target == "local":
        return None
    if account.key is None:
        return f"set {account.key_variable}, or sign in as someone who may do this (`az login`)"
    if account.key_variable == BATCH_KEY:
        return f"check {BATCH_KEY} and {BATCH_ACCOUNT}, and the clock of this machine"
    return f"check {account.key_variable}, and the clock of this machine"


def _now() -> datetime:
    return datetime.now(timezone.utc)  # noqa: TID251 the edge where the clock is read
