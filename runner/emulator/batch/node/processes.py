"""The executor that runs tasks on this machine, from an asyncio program.

It must not know why a task runs, is retried or ended: that is the core's.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from runner.emulator.batch.node.connections import Connections, TransferPolicy
from runner.emulator.batch.node.containers import Containers, NoContainers
from runner.emulator.batch.node.crew import Crew, Work
from runner.emulator.batch.node.execution import Execution, Surroundings
from runner.emulator.batch.node.interruption import InterruptedRunError
from runner.emulator.batch.node.isolation import Isolation
from runner.emulator.batch.node.launch import Launch, Outcome
from runner.emulator.batch.node.near import (
    NO_PROVISIONS,
    Nearby,
    NearStorage,
    Provisions,
    provide,
)
from runner.emulator.batch.node.places import Parents
from runner.emulator.batch.node.plain import PlainProcesses
from runner.emulator.batch.node.users import TaskUsers

_MAX_RUNNING = 4096
_MAX_TRANSFERS = 32

T = TypeVar("T")


class LocalExecutor:
    """Implements `Executor`: steps of a run that take no time are done on the loop.

    A hand-over to a thread and back takes longer than most steps, and all threads share one lock.
    Steps that may wait, for servers, large files or engines of containers, have a thread each, made
    on demand; the caller bounds how many tasks run at once.

    `isolation` says what a node is, and is the caller's to close; by default nothing but a folder.
    `containers` runs container tasks; by default there is no engine for them. `near` is storage
    that files come from and go to without HTTP; by default all is asked for by HTTP.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], datetime],
        run_admin: bool,
        base_environment: Mapping[str, str],
        policy: TransferPolicy | None = None,
        isolation: Isolation | None = None,
        containers: Containers | None = None,
        near: NearStorage | None = None,
    ) -> None:
        self._run_admin = run_admin
        self._crew = Crew("task", _MAX_RUNNING)
        self._transfers = ThreadPoolExecutor(_MAX_TRANSFERS, thread_name_prefix="transfer")
        self._connections = Connections(policy or TransferPolicy())
        self._parents = Parents()
        self._near = near
        self._loop: asyncio.AbstractEventLoop | None = None
        self._loop_thread: int | None = None
        self._surroundings = Surroundings(
            clock=clock,
            base_environment=dict(base_environment),
            connections=self._connections,
            transfers=self._transfers,
            isolation=isolation or PlainProcesses(),
            containers=containers or NoContainers(),
            task_users=TaskUsers(),
            parents=self._parents,
            near=None if near is None else Nearby(near, self._on_loop),
        )
        self._running: dict[Execution, Work[Any]] = {}
        self._closed = False

    async def run(self, launch: Launch) -> Outcome:
        """Runs to the end; `max_wall_clock_time` counts from here, and spares uploads.

        Cancelling kills the process group, waits for it and re-raises; so does `close`, which ends
        a run with `asyncio.CancelledError` too. A server that does not answer to a connection
        attempt may hold that up for the policy's connect time-out. Raises `RuntimeError` after
        `close`, `ValueError` for an elevated launch where admin is not allowed.
        """
        if self._closed:
            raise RuntimeError("the executor is closed")
        if launch.elevated and not self._run_admin:
            raise ValueError("an elevated launch needs an executor that may run as admin")
        provisions = await self._provide(launch)
        execution = Execution(launch, self._surroundings, provisions)
        try:
            if self._closed:
                raise asyncio.CancelledError
            return await self._carry_out(launch, execution)
        finally:
            execution.close()
            provisions.release()

    async def _provide(self, launch: Launch) -> Provisions:
        files = (*launch.common_files, *launch.resource_files)
        if self._near is None or not files:
            return NO_PROVISIONS
        provisions = Provisions()
        try:
            await provide(self._near, files, provisions)
        except BaseException:
            provisions.release()
            raise
        return provisions

    async def _carry_out(self, launch: Launch, execution: Execution) -> Outcome:
        loop = asyncio.get_running_loop()
        self._loop, self._loop_thread = loop, threading.get_ident()
        expiry = None
        if launch.max_wall_clock_time is not None:
            seconds = launch.max_wall_clock_time.total_seconds()
            expiry = loop.call_later(seconds, execution.expire)
        try:
            if execution.prepares_at_once:
                execution.prepare()
            else:
                await self._in_thread(execution, execution.prepare)
            if execution.has_process:
                with execution.ending():
                    begun = execution.begin()
                    if begun is not None:
                        execution.exited(await self._awaited(execution, begun))
                    else:
                        execution.exited(await self._in_thread(execution, execution.run))
            if execution.ends_at_once:
                outcome = execution.end()
            else:
                outcome = await self._in_thread(execution, execution.end)
            return await self._send(execution, outcome)
        except InterruptedRunError:
            raise asyncio.CancelledError from None
        finally:
            if expiry is not None:
                expiry.cancel()

    async def _send(self, execution: Execution, outcome: Outcome) -> Outcome:
        """Puts what goes to storage that is near, and has the rest sent otherwise."""
        uploads = execution.uploads
        if uploads is None or not uploads.pending or uploads.commit():
            return outcome
        if self._closed:
            # There is no thread any more that would send what is left.
            raise asyncio.CancelledError
        return await self._in_thread(execution, partial(execution.send_left, outcome))

    async def _in_thread(self, execution: Execution, step: Callable[[], T]) -> T:
        return await self._awaited(execution, self._crew.begin(step, execution.cancel))

    async def _awaited(self, execution: Execution, work: Work[T]) -> T:
        """Has `close` wait for it as well."""
        self._running[execution] = work
        try:
            return await work
        finally:
            del self._running[execution]

    def _on_loop(self, work: Callable[[], T]) -> T:
        """Has something done on the loop, for a step of a run, which waits for it."""
        if threading.get_ident() == self._loop_thread:
            return work()
        assert self._loop is not None
        future: Future[T] = Future()

        def do() -> None:
            try:
                future.set_result(work())
            except BaseException as error:  # noqa: BLE001 - it is the thread's
                future.set_exception(error)

        self._loop.call_soon_threadsafe(do)
        return future.result()

    async def close(self) -> None:
        """Kills whatever still runs and waits for it; harmless when repeated."""
        self._closed = True
        running = dict(self._running)
        for execution in running:
            execution.cancel()
        for future in running.values():
            await _settle(future)
        await asyncio.to_thread(self._shut_down)

    def _shut_down(self) -> None:
        self._crew.close()
        self._transfers.shutdown()
        self._connections.close()
        self._parents.close()


async def _settle(future: asyncio.Future[Any]) -> None:
    """Waits for the end of a cancelled run, however often the waiting itself is cancelled."""
    while not future.done():
        with suppress(asyncio.CancelledError, Exception):
            await asyncio.shield(future)
    if not future.cancelled():
        future.exception()
