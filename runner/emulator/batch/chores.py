"""What is done to the folders of nodes: made, filled with images, cleared, one after the other.

It must not know what runs on nodes, nor the rules by which they come and go.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from functools import partial
from pathlib import Path

from runner.emulator.batch.core.actions import PrepareNode
from runner.emulator.batch.core.ids import NodeId
from runner.emulator.batch.core.state import State
from runner.emulator.batch.launching.place import Place, container_images, mount_paths
from runner.emulator.batch.launching.registries import pool_registries
from runner.emulator.batch.launching.trust import put_trust
from runner.emulator.batch.node.containers import ContainerError, ContainerFailure, Containers
from runner.emulator.batch.node.containment import (
    OutsideError,
    directory_below,
    folder_of,
    parts_below,
)
from runner.emulator.batch.node.directories import make_node_directories
from runner.emulator.batch.node.interruption import InterruptedRunError, Interruption
from runner.emulator.batch.node.isolation import Isolation
from runner.emulator.batch.node.launch import NodeDirectories
from runner.emulator.batch.node.registries import Registry
from runner.emulator.batch.removals import Removal, Removals

logger = logging.getLogger(__name__)

GiveUp = Callable[[PrepareNode, str, str], None]
"""Told of a node that cannot have an image, of the image ("" for a registry) and of the reason."""


class NodeChores:
    """Each node has a queue of its own; the work is done in threads."""

    def __init__(
        self,
        *,
        state: State,
        place: Place,
        isolation: Isolation,
        containers: Containers,
        removals: Removals,
        stop: Interruption,
        give_up: GiveUp,
    ) -> None:
        """`give_up` is called on the loop; `stop` ends what takes long."""
        self._state = state
        self._place = place
        self._isolation = isolation
        self._containers = containers
        self._removals = removals
        self._stop = stop
        self._give_up = give_up
        self._latest: dict[NodeId, asyncio.Task[None]] = {}

    def pending(self) -> tuple[asyncio.Task[None], ...]:
        """What is not done yet: the last chore of each node."""
        return tuple(self._latest.values())

    def begin(self, action: PrepareNode) -> None:
        """Makes what a node needs before anything runs there."""
        if action.node in self._latest:
            # What an earlier machine of that name had is being removed.
            self._follow(action.node, partial(self._prepare, action))
        elif self._isolation.is_running(self._root(action.node)):
            self._follow(action.node, partial(self._restart, action))
        else:
            self._prepare(action)
        pool = self._state.store.pool(action.pool)
        images, registries = container_images(pool), pool_registries(pool)
        if images or registries:
            # Whatever the node is to run waits for that, its start task as well.
            loop = asyncio.get_running_loop()
            fetch = partial(self._fetch_images, action, images, registries, loop)
            self._follow(action.node, fetch)

    def _fetch_images(
        self,
        action: PrepareNode,
        images: tuple[str, ...],
        registries: tuple[Registry, ...],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        """Pulls what tasks of the node will want; a node that cannot have it is of no use.

        Where nothing runs containers there is nothing to pull, and tasks say so.
        """
        image = ""
        try:
            with self._containers.log_in(registries, self._stop) as access:
                for image in images:
                    self._containers.pull(image, self._stop, access)
        except ContainerError as error:
            if error.failure is ContainerFailure.IMAGE:
                loop.call_soon_threadsafe(self._give_up, action, image, str(error))
        except InterruptedRunError:
            return

    def _prepare(self, action: PrepareNode) -> None:
        """Makes the folders of a node, and an empty one in place of each file system to mount."""
        directories = NodeDirectories(root=self._root(action.node))
        make_node_directories(directories, has_users=self._isolation.has_users)
        put_trust(self._place, directories)
        pool = self._state.store.pool(action.pool)
        mounts = folder_of(directories.root, directories.mounts)
        for path in mount_paths(pool):
            try:
                with directory_below(mounts, parts_below(path), create=True):
                    pass
            except (OSError, OutsideError) as error:
                logger.warning("%s could not be made: %s", directories.mounts / path, error)

    def _restart(self, action: PrepareNode) -> None:
        """What the start task had left running is gone after a restart."""
        self._isolation.end_node(self._root(action.node))
        self._prepare(action)

    def _root(self, node: NodeId) -> Path:
        return self._place.nodes / node

    def remove(self, removal: Removal) -> None:
        """Removes in the background; one after the other on a node, since folders are nested."""
        loop = asyncio.get_running_loop()

        def work() -> None:
            gone = False
            try:
                if not removal.folder:
                    self._isolation.remove_node(self._root(removal.node))
                gone = self._removals.carry_out(removal)
            finally:
                # Comes before the end of this work, on which the next run in that folder waits.
                done = partial(self._removals.note_done, removal, gone=gone)
                loop.call_soon_threadsafe(done)

        self._follow(removal.node, work)

    def _follow(self, node: NodeId, work: Callable[[], None]) -> None:
        """Has something done to the files of a node once all that was asked for before is."""
        chore = asyncio.create_task(self._do_after(self._latest.get(node), work))
        self._latest[node] = chore
        chore.add_done_callback(partial(self._forget, node))

    def _forget(self, node: NodeId, chore: asyncio.Task[None]) -> None:
        if self._latest.get(node) is chore:
            del self._latest[node]

    async def _do_after(self, earlier: asyncio.Task[None] | None, work: Callable[[], None]) -> None:
        if earlier is not None:
            await earlier
        try:
            await asyncio.to_thread(work)
        except OSError as error:
            logger.warning("files of a node: %s", error)

    async def wait(self, node: NodeId, folder: str) -> None:
        """A task may follow one with its id, whose folder must be gone first, if it can be."""
        chore = self._latest.get(node)
        if chore is not None:
            await asyncio.shield(chore)
        self._removals.give_up(node, folder)
