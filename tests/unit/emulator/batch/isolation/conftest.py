"""Nodes that are views of this machine, where it can make them."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.copy_on_write import CopyOnWrite, Limits, UnavailableError
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import UNKNOWN_SIZE, Command, Size
from runner.emulator.batch.node.users import User

ENVIRONMENT = {"PATH": os.environ["PATH"], "LANG": "C"}


@dataclass(frozen=True)
class Nodes:
    """Nodes below a data directory, and what runs there: by the loop, or in threads."""

    data: Path
    views: CopyOnWrite
    reached: tuple[Path, ...]
    loop: asyncio.AbstractEventLoop | None = None
    interruption: Interruption = field(default_factory=Interruption)

    def root(self, name: str) -> Path:
        """The folder of a node, which is made."""
        root = self.data / "nodes" / name
        root.mkdir(parents=True, exist_ok=True)
        return root

    def run(
        self,
        *words: str,
        node: str = "one",
        environment: Mapping[str, str] = ENVIRONMENT,
        mark: str | None = None,
        user: User | None = None,
        size: Size = UNKNOWN_SIZE,
        interruption: Interruption | None = None,
    ) -> int:
        """Runs a command in the folder of a node, where `out` gets its output."""
        root = self.root(node)
        with (root / "out").open("wb") as out:
            command = Command(
                node=root,
                words=words,
                working_directory=root,
                environment=environment,
                stdout=out.fileno(),
                stderr=out.fileno(),
                mark=mark,
                user=user,
                size=size,
            )
            return self._run(command, interruption or self.interruption)

    def _run(self, command: Command, interruption: Interruption) -> int:
        async def begin() -> int:
            begun = self.views.begin(command, interruption)
            if begun is None:
                return await asyncio.to_thread(self.views.run, command, interruption)
            return await begun

        if self.loop is None:
            return self.views.run(command, interruption)
        return asyncio.run_coroutine_threadsafe(begin(), self.loop).result()

    def say(self, script: str, node: str = "one", user: User | None = None) -> str:
        """What a script prints, in one line; it must succeed."""
        code = self.run("/bin/sh", "-ec", script, node=node, user=user)
        said = (self.root(node) / "out").read_text().strip()
        assert code == 0, said
        return said


@contextmanager
def a_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One that runs in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.run_until_complete(loop.shutdown_default_executor())
        loop.close()


@pytest.fixture(params=["in threads", "on a loop"])
def nodes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Nodes]:
    """Nodes, which are gone with all that they changed when the test ends."""
    if os.geteuid() != 0:
        pytest.skip("copy-on-write nodes need root")
    data = tmp_path / "data"
    data.mkdir()
    reached = (tmp_path / "closed" / "bin",)
    views = CopyOnWrite(layers=data / "layers", hidden=data, reached=reached, limits=Limits.VM_SIZE)
    try:
        views.check()
    except UnavailableError as error:
        pytest.skip(f"no copy-on-write nodes on this machine: {error}")
    try:
        with nullcontext() if request.param == "in threads" else a_loop() as loop:
            yield Nodes(data, views, reached, loop)
    finally:
        views.close()
