"""One thing of a run: how it goes, and what is left of it.

It must not know what a run has, nor what of that is to go.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from runner.errors import ServiceError
from runner.frozen import dataclass
from runner.run.events import LeftBehind
from runner.run.services import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing of ours in a service: how it goes, and whether it is there."""

    kind: str
    name: str
    remove: Callable[[], str | None]
    """Returns once it is gone, or gives why it stays where it does so on purpose."""
    exists: Callable[[], bool]
    is_kept: bool = False
    """Nothing is done to it, whoever drives the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Removal:
    """What came of one thing: `left` where it stays; not `is_ours` where another client has it."""

    item: Item
    left: LeftBehind | None
    is_ours: bool = True

    @property
    def is_gone(self) -> bool:
        """Whether the thing is there no more."""
        return self.is_ours and self.left is None


def remove_if_ours(item: Item, *, is_ours: Callable[[], bool]) -> Removal:
    """Removes it; `is_ours` is asked before, unless it is kept anyway.

    It may raise `ServiceError`: then the thing stays.
    """
    try:
        if not item.is_kept and not is_ours():
            return Removal(item=item, left=None, is_ours=False)
    except ServiceError as error:
        why = f"it could not be told whether another client drives the run: {error.message}"
        left = LeftBehind(kind=item.kind, name=item.name, why=why, kept=False)
        return Removal(item=item, left=left)
    return Removal(item=item, left=remove(item))


def remove(item: Item) -> LeftBehind | None:
    """What is left of it, or None. What was deleted is gone then: it need not be looked for."""
    try:
        why = item.remove()
        if why is None or not item.exists():
            return None
    except ServiceError as error:
        return LeftBehind(kind=item.kind, name=item.name, why=error.message, kept=False)
    return LeftBehind(kind=item.kind, name=item.name, why=why, kept=True)


def once(ask: Callable[[], bool]) -> Callable[[], bool]:
    """The same answer, or error, for several things that go at the same moment; asked for once."""
    lock = threading.Lock()
    known: list[bool | ServiceError] = []

    def answer() -> bool:
        with lock:
            if not known:
                try:
                    known.append(ask())
                except ServiceError as error:
                    known.append(error)
        if isinstance(known[0], ServiceError):
            raise known[0]
        return known[0]

    return answer


def refuse(error: ServiceError) -> None:
    """For what could not even be found."""
    raise error


def stay(why: str) -> str:
    """For what is kept."""
    return why


def after(why: str | None, act: Callable[[str], None], name: str) -> str | None:
    """For what goes, or stays in another state."""
    act(name)
    return why


def has_pool(batch: Batch, name: str) -> bool:
    """Whether the service has the pool."""
    return batch.pool_status(name) is not None
