"""The Batch service of one account: authorises, routes, answers, and lets the core run.

It must not know how bytes reach a socket, nor the rules of pools, jobs and tasks.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from pathlib import Path

from runner.emulator.batch.applications import Applications
from runner.emulator.batch.core.limits import Limits, Pace, Quotas
from runner.emulator.batch.core.outlook import Outlook, find_outlook
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.core.state import Names, State
from runner.emulator.batch.core.store import Store
from runner.emulator.batch.disturbance import Disturbance
from runner.emulator.batch.isolation.engine import EngineContainers
from runner.emulator.batch.keeping import KINDS, remove_strangers, restore
from runner.emulator.batch.launching.place import Place
from runner.emulator.batch.modelling.given import Modelling
from runner.emulator.batch.modelling.passage import Passage, RealTime
from runner.emulator.batch.modelling.runtime import ModelledRuntime
from runner.emulator.batch.node.connections import Server, TransferPolicy
from runner.emulator.batch.node.directories import remove_tree
from runner.emulator.batch.node.environment import base_environment
from runner.emulator.batch.node.gauge import Gauge
from runner.emulator.batch.node.isolation import Isolation
from runner.emulator.batch.node.launch import Executor
from runner.emulator.batch.node.leftovers import kill_leftovers
from runner.emulator.batch.node.near import NearStorage
from runner.emulator.batch.node.plain import PlainProcesses
from runner.emulator.batch.node.processes import LocalExecutor
from runner.emulator.batch.operations import call as calls
from runner.emulator.batch.operations.authorization import authorize
from runner.emulator.batch.operations.bodies.task import task_shape
from runner.emulator.batch.operations.dialects.rewriting import read_request, write_answer
from runner.emulator.batch.operations.refusals import refuse
from runner.emulator.batch.operations.replies import Reply, to_response
from runner.emulator.batch.operations.routing import Match, Routes
from runner.emulator.batch.operations.selections import check_selection
from runner.emulator.batch.operations.table import OLDER_OPERATIONS, OPERATIONS
from runner.emulator.batch.operations.timeouts import check_timeout
from runner.emulator.batch.operations.versions import check_operation, read_version
from runner.emulator.batch.runtime import Runtime
from runner.emulator.faults.choose import Faults
from runner.emulator.guids import make_guid
from runner.emulator.server.accounts import Account
from runner.emulator.server.http import ContentTooLargeError, Request, Response
from runner.emulator.server.tls import Tls
from runner.emulator.storage.journal import Journal


class BatchService:
    """All calls belong to one asyncio loop; records live in memory, files below `directory`.

    `environ` is the emulator's own environment, of which tasks see the few variables that
    programs need; `isolation` says what a node is; `executor` runs tasks in place of all that;
    `auto_storage` gives the signed URL of a container of the account's auto-storage account, if it
    has one; `names` makes new names in place of chance; `faults` are those that are asked for; with
    `modelling`, tasks only take their time, which need not be real; `tls` is what the emulator is
    served with, so that nodes trust it; `applications` is the folder of application packages;
    `identity` signs a URL for who has a managed identity; `quotas` are limits of this account;
    `moves` says where servers are that URLs of earlier times name; `near` is storage of which nodes
    need not ask by HTTP.
    """

    def __init__(
        self,
        *,
        account: Account,
        endpoint: str,
        directory: Path,
        clock: Callable[[], datetime],
        run_admin: bool,
        environ: Mapping[str, str],
        executor: Executor | None = None,
        isolation: Isolation | None = None,
        auto_storage: Callable[[str], str] | None = None,
        limits: Limits | None = None,
        pace: Pace | None = None,
        names: Names | None = None,
        faults: Faults | None = None,
        modelling: Modelling | None = None,
        tls: Tls | None = None,
        applications: Path | None = None,
        identity: Callable[[str], str] | None = None,
        quotas: Quotas | None = None,
        moves: Mapping[Server, Server] | None = None,
        near: NearStorage | None = None,
        keep: bool = False,
    ) -> None:
        """With `keep`, records are on disk too, and those of an earlier start come back.

        Raises `StorageError` where that is asked for and the file cannot be used.
        """
        self._account = account
        self._endpoint = endpoint.rstrip("/")
        self._clock = clock
        faults = faults or Faults(seed=0)
        disturbance = Disturbance(faults, account=account.name)
        usual = Limits() if modelling is None else Limits(nodes_per_pool=_MODELLED_NODES)
        usual = limits or usual
        self._limits = usual if quotas is None else replace(usual, quotas=quotas)
        self._nodes = directory / "nodes"
        self._logins = directory / "logins"
        packages = Applications(applications)
        isolation = isolation or PlainProcesses()
        # Containers of tasks are run by the machine's engine, beside any node.
        containers = EngineContainers(environ, any_options=run_admin, logins=self._logins)
        run_admin = run_admin or isolation.runs_admin
        self._state = State(
            store=Store(), limits=self._limits, pace=pace or Pace(), names=names or _RANDOM_NAMES
        )
        self._journal = None
        if keep:
            # That a task has ended is not told, nor kept, before what it has put into storage is.
            first = None if near is None else near.write_out
            self._journal = Journal(directory / "state.db", KINDS, first=first)
        self._routes = Routes((*OPERATIONS, *OLDER_OPERATIONS))
        self._shared = calls.Account(
            state=self._state,
            task_shape=task_shape(self._limits),
            nodes=self._nodes,
            disturbance=disturbance,
            applications=packages,
        )
        self._passage: Passage = RealTime(clock) if modelling is None else modelling.passage
        self._runtime: Runtime | ModelledRuntime
        if modelling is not None:
            self._runtime = ModelledRuntime(
                state=self._state,
                modelling=modelling,
                disturbance=disturbance,
                account=account.name,
            )
        else:
            policy = TransferPolicy(tls=None if tls is None else tls.client, moves=moves or {})
            self._runtime = Runtime(
                state=self._state,
                executor=executor
                or LocalExecutor(
                    clock=clock,
                    run_admin=run_admin,
                    base_environment=base_environment(environ),
                    policy=policy,
                    isolation=isolation,
                    containers=containers,
                    near=near,
                ),
                isolation=isolation,
                containers=containers,
                place=Place(
                    account=account.name,
                    endpoint=self._endpoint,
                    nodes=self._nodes,
                    auto_storage=auto_storage,
                    trust=None if tls is None else tls.trust,
                    applications=packages,
                    identity=identity,
                ),
                disturbance=disturbance,
                clock=clock,
                run_admin=run_admin,
                gauge=Gauge(directory),
                policy=policy,
                journal=self._journal,
            )
        faults.listen(self._runtime.settle)

    async def start(self) -> None:
        """Ends what an earlier emulator left running here, and goes on from its records.

        Without records, files of nodes that are left are removed. Raises `StorageError`.
        """
        # One that was killed may have been logged in to a registry.
        remove_tree(self._logins)
        if self._journal is None:
            remove_tree(self._nodes)
            self._nodes.mkdir(parents=True)
            return
        await asyncio.to_thread(kill_leftovers, self._nodes)
        self._nodes.mkdir(parents=True, exist_ok=True)
        restore(self._state.store, self._journal)
        await asyncio.to_thread(remove_strangers, self._state.store, self._nodes)
        self._runtime.resume()
        await self._journal.settled()

    @property
    def shared(self) -> calls.Account:
        """What its operations work with, for who only looks at it."""
        return self._shared

    def foresee(self) -> Outlook:
        """What is still to come of the account's jobs."""
        return find_outlook(self._state)

    async def close(self) -> None:
        """Kills the tasks that run; files stay, for whoever wants to look at them."""
        await self._runtime.close()
        if self._journal is not None:
            self._journal.close()

    async def handle(self, request: Request) -> Response:
        """Answers one request; refusals become the service's error envelope."""
        now = self._clock()
        request_id = make_guid()
        address = request.address
        # Links lead where the request came, whichever of the account's addresses that was.
        endpoint = address.endpoint or self._endpoint
        try:
            reply = await self._answer(request, endpoint, address.resource, request_id, now)
        except RefusedError as refused:
            reply = refuse(refused, endpoint=endpoint, request_id=request_id, now=now)
        if self._journal is not None:
            # Also what is only read may have been changed a moment ago.
            await self._journal.settled()
        return to_response(reply, request=request, request_id=request_id, now=now)

    async def _answer(
        self, request: Request, endpoint: str, resource: str, request_id: str, now: datetime
    ) -> Reply:
        authorize(request, self._account, now)
        match = self._routes.find(request.method, resource)
        query = {name.lower(): value for name, value in reversed(request.query)}
        version = read_version(query)
        check_operation(version, match.operation.name)
        check_timeout(query)
        check_selection(match.operation.name, query)
        handler = match.operation.handler
        if handler is None:
            raise RefusedError(
                Reason.NOT_IMPLEMENTED,
                ("Operation", match.operation.name),
                ("Reason", f"The emulator does not have the operation {match.operation.name}"),
            )
        content = await self._content(request, match)
        call = calls.Call(
            account=self._shared,
            endpoint=endpoint,
            # Reading the content may have taken a while.
            now=self._passage.now(),
            request_id=request_id,
            path=match.variables,
            query=query,
            raw_query=request.raw_query,
            resource=resource,
            headers=request.headers,
            content=content,
            adapt=partial(read_request, version, match.operation.name),
        )
        try:
            if request.method in _READING:
                reply = handler(call)
            else:
                with self._passage.holding():
                    reply = handler(call)
        finally:
            self._runtime.settle()
        if reply.json is None:
            return reply
        answer = write_answer(version, reply.json)
        return reply if answer is reply.json else replace(reply, json=answer)

    async def _content(self, request: Request, match: Match) -> bytes:
        collection = match.operation.name == "create_task_collection"
        limits = self._limits
        limit = limits.collection_bytes if collection else limits.body_bytes
        try:
            return await request.read(limit_bytes=limit)
        except ContentTooLargeError:
            raise RefusedError(Reason.BODY_TOO_LARGE) from None


# What takes no process and no folder does not need the guard against too many.
_MODELLED_NODES = 100_000
_READING = ("GET", "HEAD")
_RANDOM_NAMES = Names(
    node=lambda: secrets.token_hex(32),
    guid=make_guid,
    random=secrets.SystemRandom().random,
)
