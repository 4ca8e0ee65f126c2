"""One thing of a run after the other: how it goes, and what is left of it.

It must not know what a run has, nor what of that is to go.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from runner.errors import ServiceError
from runner.run.events import LeftBehind
from runner.run.removal.taking import STILL_LISTED
from runner.run.services import Batch


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing of ours in a service: how it goes, and whether it is there."""

    kind: str
    name: str
    remove: Callable[[], str | None]
    """Gives why it stays where it does so on purpose."""
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


def remove_in_order(items: Iterable[Item], *, is_ours: Callable[[], bool]) -> list[Removal]:
    """Removes one after the other.

    `is_ours` is asked before each that is not kept, and may raise `ServiceError`: then it stays.
    """
    return [_remove_ours(item, is_ours) for item in items]


def _remove_ours(item: Item, is_ours: Callable[[], bool]) -> Removal:
    try:
        if not item.is_kept and not is_ours():
            return Removal(item=item, left=None, is_ours=False)
    except ServiceError as error:
        why = f"it could not be told whether another client drives the run: {error.message}"
        left = LeftBehind(kind=item.kind, name=item.name, why=why, kept=False)
        return Removal(item=item, left=left)
    return Removal(item=item, left=remove(item))


def remove(item: Item) -> LeftBehind | None:
    """What is left of it, or None."""
    try:
        why = item.remove()
        if not item.exists():
            return None
    except ServiceError as error:
        return LeftBehind(kind=item.kind, name=item.name, why=error.message, kept=False)
    return LeftBehind(
        kind=item.kind,
        name=item.name,
        why=why or STILL_LISTED,
        kept=why is not None,
    )


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
