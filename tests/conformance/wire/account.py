"""An account of the emulator without sockets: its clock is moved by hand, its tasks end at once.

It must not know what is asked of it.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from runner.emulator.batch.core.limits import Limits, Pace, Quotas
from runner.emulator.batch.node.launch import Launch, Outcome
from runner.emulator.batch.service import BatchService
from runner.emulator.faults.choose import Faults
from runner.emulator.server.accounts import Account as Credentials
from runner.emulator.server.accounts import Kind
from runner.emulator.server.http import Request
from tests.unit.emulator.batch.signing import sign

REFERENCE = Path(__file__).resolve().parents[4] / "shared" / "azure-batch"
"""Microsoft's own material, which is beside the project and no part of it."""

HOST = "acct.region.batch.localhost"
NEWEST = "2025-06-01"
QUOTA = 20
"""How many pools the account may have, and how many jobs."""
MACHINE = {
    "imageReference": {"publisher": "debian", "offer": "debian-12", "sku": "12"},
    "nodeAgentSKUId": "batch.node.debian 12",
}
_CREDENTIALS = Credentials(name="acct", kind=Kind.BATCH, key=b"k" * 64)
_SECOND = timedelta(seconds=1)
_LONG = timedelta(seconds=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Names of headers are in lower case; `body` is the JSON, None where there is none."""

    status: int
    headers: Mapping[str, str]
    body: Any

    @property
    def code(self) -> str | None:
        """The error's code."""
        return None if self.body is None else self.body.get("code")

    @property
    def text(self) -> str:
        """The error's message without the lines that the service adds."""
        value: str = self.body["message"]["value"]
        return value.partition("\n")[0]

    @property
    def values(self) -> dict[str, str]:
        """The error's values."""
        return {entry["key"]: entry["value"] for entry in self.body.get("values", ())}


@dataclass(slots=True)
class _AtOnce:
    """Ends every run at once; a command line is the exit code, or `wait`."""

    clock: Callable[[], datetime]

    async def run(self, launch: Launch) -> Outcome:
        if launch.command_line == "wait":
            await asyncio.Event().wait()
        launch.directory.mkdir(parents=True, exist_ok=True)
        now = self.clock()
        code = int(launch.command_line)
        return Outcome(started=now, ended=now, exit_code=code, failure=None)

    async def close(self) -> None:
        pass


@dataclass(slots=True)
class Account:
    """What a client asks, signed as clients sign."""

    service: BatchService
    directory: Path
    faults: Faults
    moment: list[datetime] = field(default_factory=list)

    async def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        query: str = f"api-version={NEWEST}",
        headers: Mapping[str, str] | None = None,
        signed: bool = True,
    ) -> Answer:
        """One request; a body that is not bytes is sent as JSON."""
        content = (
            b"" if body is None else body if isinstance(body, bytes) else json.dumps(body).encode()
        )

        async def pieces() -> AsyncIterator[bytes]:
            yield content

        request = Request(
            method=method,
            raw_path=path,
            raw_query=query,
            query=tuple(parse_qsl(query, keep_blank_values=True)),
            headers={"host": HOST, "content-length": str(len(content)), **(headers or {})},
            scheme="http",
            client_address="127.0.0.1",
            body=pieces(),
        )
        if signed:
            request = sign(request, _CREDENTIALS, self.moment[0])
        response = await self.service.handle(request)
        sent = response.body
        if not isinstance(sent, bytes):
            sent = b"".join([piece async for piece in sent])
        return Answer(
            status=response.status,
            headers={name.lower(): value for name, value in response.headers},
            body=json.loads(sent) if sent.startswith(b"{") else None,
        )

    async def get(self, path: str, **parameters: str) -> Answer:
        """A `GET` with parameters beside the version."""
        more = "".join(f"&{quote(name)}={quote(text)}" for name, text in parameters.items())
        return await self.ask("GET", path, query=f"api-version={NEWEST}{more}")

    async def make(self, path: str, body: Any, *, status: int = 201, **options: Any) -> Answer:
        """A request that is known to be right."""
        answer = await self.ask("POST", path, body, **options)
        assert answer.status == status, answer.body
        return answer

    async def wait(self, length: timedelta = _LONG) -> None:
        """Lets time pass, in steps, and what runs come to its end."""
        end = self.moment[0] + length
        while self.moment[0] < end:
            self.moment[0] = min(end, self.moment[0] + max(_SECOND, length / 20))
            await self.get("/pools")
            for _ in range(20):
                await asyncio.sleep(0)

    async def pool(self, identifier: str = "p", **properties: Any) -> None:
        """A pool, which is being resized."""
        body = {
            "id": identifier,
            "vmSize": "x",
            "virtualMachineConfiguration": MACHINE,
            **properties,
        }
        await self.make("/pools", body)

    async def node(self, pool: str = "p") -> str:
        """The path of the node of a new pool with one node, which is idle."""
        await self.pool(pool, targetDedicatedNodes=1)
        await self.wait()
        listed = await self.get(f"/pools/{pool}/nodes")
        return f"/pools/{pool}/nodes/{listed.body['value'][0]['id']}"

    async def job(self, identifier: str = "j", **properties: Any) -> None:
        """A job."""
        await self.make("/jobs", {"id": identifier, "poolInfo": {"poolId": "p"}, **properties})

    async def task(self, identifier: str = "t", command: str = "0", **properties: Any) -> None:
        """A task of the job `j`."""
        body = {"id": identifier, "commandLine": command, **properties}
        await self.make("/jobs/j/tasks", body)


@asynccontextmanager
async def opened(directory: Path) -> AsyncIterator[Account]:
    """An account that has nothing yet."""
    moment = [datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)]
    faults = Faults(seed=0)
    transient = dict.fromkeys(
        ("allocating", "creating", "starting", "leaving", "stopping", "deleting", "job_changing"),
        _SECOND,
    )
    service = BatchService(
        account=_CREDENTIALS,
        endpoint=f"http://{HOST}",
        directory=directory,
        clock=lambda: moment[0],
        run_admin=False,
        environ={},
        executor=_AtOnce(lambda: moment[0]),
        limits=Limits(quotas=Quotas(pools=QUOTA, active_jobs=QUOTA)),
        pace=Pace(**transient),
        faults=faults,
    )
    await service.start()
    try:
        yield Account(service, directory, faults, moment)
    finally:
        await service.close()


def play(directory: Path, story: Callable[[Account], Awaitable[Any]]) -> Any:
    """Runs a story on an account; what it comes to."""

    async def whole() -> Any:
        async with opened(directory) as account:
            return await story(account)

    return asyncio.run(whole())
