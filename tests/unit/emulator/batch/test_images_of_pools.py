"""Images that a pool names: pulled before anything runs, or the node is of no use."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.unit.emulator.batch.test_service import POOL, Client, RecordingExecutor, opened

# Can pull what is called `there`, as soon as it may, and notes it.
ENGINE = r"""#!/bin/bash
if test "$1" = --runtime; then shift 2; fi
case "$1 $2" in
  "info "*) exit 0;;
  "image inspect") test -e "$0.$3";;
  "pull --quiet")
    test "$3" = there || { echo "no such image" >&2; exit 1; }
    until test -e "$0.go"; do sleep 0.01; done
    echo "$3" >> "$0.log"; touch "$0.$3";;
esac
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "podman"
    path.parent.mkdir()
    path.write_text(ENGINE)
    path.chmod(0o755)
    return path


def pool(*images: str) -> dict[str, Any]:
    containers = {"type": "dockerCompatible", "containerImageNames": list(images)}
    machine = {**POOL["virtualMachineConfiguration"], "containerConfiguration": containers}  # type: ignore[dict-item]
    start_task = {"commandLine": "x", "containerSettings": {"imageName": images[0]}}
    return {
        **POOL,
        "virtualMachineConfiguration": machine,
        "startTask": start_task,
        "targetDedicatedNodes": 2,
    }


def play(
    directory: Path,
    engine: Path,
    story: Callable[[Client], Awaitable[None]],
    executor: RecordingExecutor,
) -> None:
    environ = {"PATH": f"{engine.parent}:/usr/bin:/bin"}

    async def whole() -> None:
        async with opened(directory, executor, environ=environ) as client:
            await story(client)

    asyncio.run(whole())


def let_pull(engine: Path) -> None:
    Path(f"{engine}.go").touch()


def pulled(engine: Path) -> list[str]:
    log = Path(f"{engine}.log")
    return log.read_text().splitlines() if log.exists() else []


def states(body: dict[str, Any]) -> list[str]:
    return [node["state"] for node in body["value"]]


def test_the_start_task_waits_for_the_images(tmp_path: Path, engine: Path) -> None:
    executor = RecordingExecutor()

    async def story(client: Client) -> None:
        await client.ask("POST", "/pools", body=pool("there"))
        await client.until(
            "/pools/p/nodes", lambda body: states(body) == ["waitingforstarttask"] * 2
        )
        assert executor.launches == []
        let_pull(engine)
        await client.until("/pools/p/nodes", lambda body: states(body) == ["idle"] * 2)
        assert len(executor.launches) == 2
        # Both nodes are this machine, which has it then.
        assert pulled(engine) == ["there"]

    play(tmp_path, engine, story, executor)


def test_a_node_without_its_images_is_unusable(tmp_path: Path, engine: Path) -> None:
    executor = RecordingExecutor()

    async def story(client: Client) -> None:
        await client.ask("POST", "/pools", body=pool("missing"))
        nodes = await client.until("/pools/p/nodes", lambda body: states(body) == ["unusable"] * 2)
        for node in nodes["value"]:
            (error,) = node["errors"]
            assert error["code"] == "ContainerInvalidImage"
            assert error["errorDetails"] == [
                {"name": "Image", "value": "missing"},
                {"name": "Message", "value": "no such image"},
            ]

        assert (await client.ask("DELETE", "/pools/p")).status == 202

    play(tmp_path, engine, story, executor)
    assert executor.launches == []


def test_a_pool_is_not_held_up_by_what_it_pulls_when_all_ends(tmp_path: Path, engine: Path) -> None:
    executor = RecordingExecutor()

    async def story(client: Client) -> None:
        await client.ask("POST", "/pools", body=pool("there"))
        await client.until(
            "/pools/p/nodes", lambda body: states(body) == ["waitingforstarttask"] * 2
        )

    play(tmp_path, engine, story, executor)
    assert pulled(engine) == []
