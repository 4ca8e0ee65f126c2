"""Drives the emulator through a recording: its clock, its nodes' names, how its tasks end.

It must not know what is compared.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from runner.emulator.batch.core.limits import Pace
from runner.emulator.batch.core.state import Names
from runner.emulator.batch.node.environment import base_environment
from runner.emulator.batch.node.launch import Launch, Outcome
from runner.emulator.batch.node.processes import LocalExecutor
from runner.emulator.batch.service import BatchService
from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.http import Request
from tests.conformance.recordings.comparison import Answer
from tests.conformance.recordings.reading import Exchange, Recording
from tests.unit.emulator.batch.signing import sign

_KEY = b"k" * 64
_TRANSIENT = timedelta(seconds=1)
_BETWEEN_CHANGES = timedelta(milliseconds=100)
_STEP = timedelta(milliseconds=50)
_MOST_STEPS = 200
_LONGEST_PROCESS = 20
# Tasks of Windows nodes, and those that upload to storage of the time, are not run.
_NOT_HERE = ("set /p", "echo test")


class Clock:
    """Stands still until it is moved."""

    def __init__(self, moment: datetime) -> None:
        self.moment = moment

    def __call__(self) -> datetime:
        return self.moment

    def move(self, length: timedelta) -> None:
        """Lets time pass."""
        self.moment += length


class Stage:
    """Runs tasks once the recording has seen them end."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._real = LocalExecutor(
            clock=clock, run_admin=False, base_environment=base_environment({"PATH": "/usr/bin"})
        )
        self._curtain = asyncio.Event()
        self._curtain.set()

    async def run(self, launch: Launch) -> Outcome:
        """The process itself where this machine can run it."""
        await self._curtain.wait()
        if any(text in launch.command_line for text in _NOT_HERE):
            now = self._clock()
            return Outcome(started=now, ended=now, exit_code=0, failure=None)
        return await self._real.run(launch)

    def hold(self) -> None:
        """Has tasks wait."""
        self._curtain.clear()

    def go_on(self) -> None:
        """Has tasks run to their ends."""
        self._curtain.set()

    async def close(self) -> None:
        """Nothing of ours is left."""
        await self._real.close()


class Emulator:
    """One account of the emulator that has the name and the address of the recorded one."""

    def __init__(self, recording: Recording, directory: Path) -> None:
        first = recording.exchanges[0]
        self.clock = Clock(first.date)
        self.stage = Stage(self.clock)
        self._account = Account(name=first.account, kind=Kind.BATCH, key=_KEY)
        self._host = urlsplit(first.endpoint).netloc
        self._nodes = _node_names(recording)
        self._applications = directory / "applications"
        self.service = BatchService(
            account=self._account,
            endpoint=first.endpoint,
            directory=directory,
            clock=self.clock,
            run_admin=False,
            environ={},
            executor=self.stage,
            applications=self._applications,
            names=Names(
                node=lambda: next(self._nodes, secrets.token_hex(32)),
                guid=lambda: str(uuid.uuid4()),
                random=lambda: 0.5,
            ),
            pace=Pace(
                allocating=_TRANSIENT,
                creating=_TRANSIENT,
                starting=_TRANSIENT,
                leaving=_TRANSIENT,
                stopping=_TRANSIENT,
                deleting=_TRANSIENT,
                job_changing=_TRANSIENT,
                scheduling=_TRANSIENT,
                noticing=_TRANSIENT,
            ),
        )

    def add_application(self, identifier: str, version: str) -> None:
        """Has the account an application, as its owner would upload it."""
        folder = self._applications / identifier
        folder.mkdir(parents=True)
        (folder / f"{version}.zip").write_bytes(b"")

    async def ask(
        self,
        method: str,
        path: str,
        *,
        query: str = "api-version=2022-10-01.16.0",
        body: Any = None,
    ) -> Answer:
        """The answer to a request of ours."""
        content = b"" if body is None else json.dumps(body).encode()
        return await self._send(method, path, query, {}, content)

    async def replay(self, exchange: Exchange, query: str) -> Answer:
        """The answer to a recorded request."""
        if exchange.method != "GET":
            self.clock.move(_BETWEEN_CHANGES)
        return await self._send(
            exchange.method, exchange.path, query, exchange.request_headers, exchange.request_body
        )

    async def _send(
        self, method: str, path: str, query: str, headers: Any, content: bytes
    ) -> Answer:
        async def pieces() -> AsyncIterator[bytes]:
            yield content

        request = Request(
            method=method,
            raw_path=path,
            raw_query=query,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={**headers, "host": self._host},
            scheme="https",
            client_address="127.0.0.1",
            body=pieces(),
        )
        response = await self.service.handle(sign(request, self._account, self.clock()))
        body = response.body
        if not isinstance(body, bytes):
            body = b"".join([piece async for piece in body])
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers},
            body=json.loads(body) if body.startswith(b"{") else None,
        )

    async def reach(self, exchange: Exchange, query: str) -> None:
        """Lets time pass until what is asked for has got as far as it had when it was recorded.

        Only states are looked at; whether the answer is right is for the comparison to say.
        """
        if exchange.method != "GET" or exchange.status != 200:
            return
        wanted = _progress(exchange.body)
        for _ in range(_MOST_STEPS):
            reached = await self._reached(exchange, query)
            if reached is None or reached == wanted:
                return
            if "completed" in wanted and "running" in reached:
                await self._finish(exchange, query, reached)
            else:
                self.clock.move(_STEP)

    async def _reached(self, exchange: Exchange, query: str) -> tuple[Any, ...] | None:
        answer = await self._send("GET", exchange.path, query, {}, b"")
        return _progress(answer.body) if answer.status == 200 else None

    async def _finish(self, exchange: Exchange, query: str, before: tuple[Any, ...]) -> None:
        """Has tasks go on until one has ended; their processes take their own time."""
        self.stage.go_on()
        deadline = asyncio.get_running_loop().time() + _LONGEST_PROCESS
        while await self._reached(exchange, query) == before:
            assert asyncio.get_running_loop().time() < deadline
            await asyncio.sleep(0.001)
        self.stage.hold()


def _progress(body: Any) -> tuple[Any, ...]:
    """The states in an answer."""
    entities = body.get("value", [body]) if isinstance(body, dict) else []
    return tuple(
        entity.get(name)
        for entity in entities
        if isinstance(entity, dict)
        for name in ("state", "allocationState")
        if name in entity
    )


def _node_names(recording: Recording) -> Iterator[str]:
    """The recorded nodes' names, in the order of their numbers."""
    numbers: defaultdict[str, dict[str, int]] = defaultdict(dict)
    for exchange in recording.exchanges:
        if exchange.path.endswith("/nodes") and exchange.body:
            for node in exchange.body["value"]:
                address = node["ipAddress"].rpartition(".")[2]
                numbers[exchange.path][node["id"]] = int(address)
    for nodes in numbers.values():
        for name in sorted(nodes, key=nodes.__getitem__):
            yield name.split("_")[1]
