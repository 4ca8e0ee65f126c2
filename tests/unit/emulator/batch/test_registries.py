"""Registries with passwords: pools and tasks log in to them, and nobody is shown a password."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from runner.emulator.batch.service import BatchService
from tests.unit.emulator.batch.test_service import ACCOUNT, ENDPOINT, POOL, Client, content, now

GOOD, BAD = "g00d-passw0rd", "b4d-passw0rd"
NO_IDENTITY = (
    "the registry r.io is to be opened by a managed identity, which the emulator does not have;"
    " give it a `username` and a `password`"
)
# Lets in who has the good password, has the images of whom it let in, and runs what follows them.
SCRIPT = r"""#!/bin/bash
if test "$1" = --runtime; then shift 2; fi
echo "$@" >> "$0.log"; env >> "$0.seen"; tr '\0' ' ' < /proc/$$/cmdline >> "$0.seen"
auth="${REGISTRY_AUTH_FILE:-$0.none}"
case "$1 $2" in
  "image inspect") test -e "$0.has";;
  "login "*)
    password="$(cat)"; echo "${password}" >> "$0.passwords"
    stat -c %a "$auth" "$(dirname "$auth")" >> "$0.modes"
    test "$password" = g00d-passw0rd || { echo "denied: $password is wrong" >&2; exit 1; }
    printf '\n%s\n' "${@: -1}" >> "$auth";;
  "pull "*)
    test "$3" = public || grep -qs "^${3%%/*}\$" "$auth" || { echo "log in" >&2; exit 1; }
    echo "$3" >> "$0.done";;
  "run "*)
    shift; until test "$1" = r.io/tool; do shift; done; shift; exec "$@";;
esac
"""


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    path = tmp_path / "bin" / "podman"
    path.parent.mkdir()
    path.write_text(SCRIPT)
    path.chmod(0o755)
    return path


def registry(password: str, server: str = "r.io") -> dict[str, str]:
    return {"registryServer": server, "username": "me", "password": password}


def identity() -> dict[str, Any]:
    return {"registryServer": "r.io", "identityReference": {"resourceId": "/x"}}


def pool(*registries: dict[str, Any], images: tuple[str, ...] = ("r.io/tool",)) -> dict[str, Any]:
    containers = {
        "type": "dockerCompatible",
        "containerImageNames": list(images),
        "containerRegistries": list(registries),
    }
    machine = {**POOL["virtualMachineConfiguration"], "containerConfiguration": containers}  # type: ignore[dict-item]
    return {**POOL, "virtualMachineConfiguration": machine, "targetDedicatedNodes": 1}


def settings(*registries: dict[str, Any]) -> dict[str, Any]:
    given = {"imageName": "r.io/tool"}
    return {**given, "registry": registries[0]} if registries else given


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[Client]:
    service = BatchService(
        account=ACCOUNT,
        endpoint=ENDPOINT,
        directory=tmp_path / "data",
        clock=now,
        run_admin=False,
        environ={"PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin"},
        keep=True,
    )
    await service.start()
    try:
        yield Client(service)
    finally:
        await service.close()


def play(tmp_path: Path, *stories: Callable[[Client], Awaitable[None]]) -> None:
    """Each story after another start of the emulator, with the same data."""

    async def whole() -> None:
        (tmp_path / "data").mkdir()
        for story in stories:
            async with opened(tmp_path) as client:
                await story(client)

    asyncio.run(whole())


async def create(client: Client, path: str, body: dict[str, Any]) -> None:
    response = await client.ask("POST", path, body=body)
    assert response.status == 201, content(response)


async def node_when(client: Client, state: str) -> dict[str, Any]:
    def holds(body: Any) -> bool:
        return [node["state"] for node in body["value"]] == [state]

    shown = await client.until("/pools/p/nodes", holds)
    node: dict[str, Any] = shown["value"][0]
    return node


async def ended(client: Client, task: str = "t", job: str = "j") -> dict[str, Any]:
    shown = await client.until(
        f"/jobs/{job}/tasks/{task}", lambda body: body.get("state") == "completed"
    )
    outcome: dict[str, Any] = shown["executionInfo"]
    return outcome


def noted(engine: Path, what: str) -> list[str]:
    path = Path(f"{engine}.{what}")
    return path.read_text().splitlines() if path.exists() else []


async def until_noted(engine: Path, line: str, times: int = 1) -> None:
    """What a node waits for with its tasks goes on while it is idle."""
    deadline = asyncio.get_running_loop().time() + 10
    while noted(engine, "done").count(line) < times:
        assert asyncio.get_running_loop().time() < deadline
        await asyncio.sleep(0.002)


def logins(engine: Path) -> list[str]:
    return [line for line in noted(engine, "log") if line.startswith("login")]


def assert_is_secret(engine: Path, tmp_path: Path) -> None:
    """Neither in words nor in variables, and in no file but that of the records."""
    seen = Path(f"{engine}.seen").read_text()
    for password in (GOOD, BAD):
        assert password not in seen
        for path in (tmp_path / "data").rglob("*"):
            if path.is_file() and not path.name.startswith("state.db"):
                assert password.encode() not in path.read_bytes(), path
    assert (tmp_path / "data" / "state.db").stat().st_mode & 0o077 == 0
    assert list((tmp_path / "data" / "logins").glob("*")) == []


def test_a_pool_logs_in_before_it_pulls(tmp_path: Path, engine: Path) -> None:
    async def story(client: Client) -> None:
        await create(client, "/pools", pool(registry(GOOD), images=("public", "r.io/tool")))
        await until_noted(engine, "r.io/tool")
        shown = json.dumps(await client.get("/pools/p"))
        assert GOOD not in shown
        assert '"containerRegistries": [{"username": "me", "registryServer": "r.io"}]' in shown

    play(tmp_path, story)
    assert logins(engine) == ["login --username=me --password-stdin -- r.io"]
    assert noted(engine, "passwords") == [GOOD]
    assert noted(engine, "modes") == ["600", "700"]
    assert [line for line in noted(engine, "log") if "pull" in line] == [
        "pull --quiet public",
        "pull --quiet r.io/tool",
    ]
    assert_is_secret(engine, tmp_path)


@pytest.mark.parametrize(
    ("given", "details"),
    [
        (
            registry(BAD),
            "no login to the registry r.io: denied: *** is wrong",
        ),
        (
            identity(),
            NO_IDENTITY,
        ),
    ],
)
def test_a_node_that_is_not_let_in_is_unusable(
    tmp_path: Path, engine: Path, given: dict[str, Any], details: str
) -> None:
    async def story(client: Client) -> None:
        await create(client, "/pools", pool(given))
        (error,) = (await node_when(client, "unusable"))["errors"]
        assert error["code"] == "ContainerInvalidImage"
        assert error["errorDetails"] == [{"name": "Message", "value": details}]

    play(tmp_path, story)
    assert [line for line in noted(engine, "log") if "pull" in line] == []
    assert_is_secret(engine, tmp_path)


def test_a_pool_goes_on_after_a_restart(tmp_path: Path, engine: Path) -> None:
    async def before(client: Client) -> None:
        await create(client, "/pools", pool(registry(GOOD)))
        await until_noted(engine, "r.io/tool")

    async def after(client: Client) -> None:
        body = {"targetDedicatedNodes": 2}
        assert (await client.ask("POST", "/pools/p/resize", body=body)).status == 202
        await until_noted(engine, "r.io/tool", times=3)

    play(tmp_path, before, after)
    # The node that was there begins anew, and another beside it.
    assert noted(engine, "passwords") == [GOOD] * 3
    assert_is_secret(engine, tmp_path)


def test_tasks_log_in_for_themselves(tmp_path: Path, engine: Path) -> None:
    async def story(client: Client) -> None:
        await create(client, "/pools", pool(images=()))
        await node_when(client, "idle")
        await create(client, "/jobs", {"id": "j", "poolInfo": {"poolId": "p"}})
        task = {"id": "t", "commandLine": "true"}
        await create(client, "/jobs/j/tasks", {**task, "containerSettings": settings()})
        failed = await ended(client)
        assert failed["failureInfo"]["details"] == [{"name": "Message", "value": "log in"}]

        several = [
            {"id": name, "commandLine": "true", "containerSettings": settings(given)}
            for name, given in (
                ("good", registry(GOOD)),
                ("bad", registry(BAD)),
                ("identity", identity()),
            )
        ]
        added = await client.ask("POST", "/jobs/j/addtaskcollection", body={"value": several})
        assert [each["status"] for each in content(added)["value"]] == ["Success"] * 3
        assert (await ended(client, "good"))["exitCode"] == 0
        for name, message in (
            ("bad", "no login to the registry r.io: denied: *** is wrong"),
            (
                "identity",
                NO_IDENTITY,
            ),
        ):
            failure = (await ended(client, name))["failureInfo"]
            assert failure["code"] == "ContainerInvalidImage"
            assert failure["details"] == [{"name": "Message", "value": message}]
        shown = await client.get("/jobs/j/tasks/good")
        assert shown["containerSettings"] == {
            "imageName": "r.io/tool",
            "registry": {"username": "me", "registryServer": "r.io"},
        }

    play(tmp_path, story)
    assert sorted(noted(engine, "passwords")) == [BAD, GOOD]
    assert_is_secret(engine, tmp_path)


def test_jobs_and_schedules_hand_on_their_passwords(tmp_path: Path, engine: Path) -> None:
    auto = {key: value for key, value in pool(registry(GOOD)).items() if key != "id"}
    where = {"autoPoolSpecification": {"poolLifetimeOption": "job", "pool": auto}}
    command = {"commandLine": "true", "containerSettings": settings(registry(GOOD, "other.io"))}
    specification = {
        "poolInfo": where,
        "jobPreparationTask": command,
        "jobManagerTask": {"id": "m", **command, "killJobOnCompletion": False},
    }

    async def before(client: Client) -> None:
        body = {
            "id": "s",
            "schedule": {"doNotRunUntil": "2100-01-01T00:00:00Z"},
            "jobSpecification": specification,
        }
        await create(client, "/jobschedules", body)
        assert GOOD not in json.dumps(await client.get("/jobschedules/s"))

    async def after(client: Client) -> None:
        at_once = {"schedule": {"doNotRunUntil": "2020-01-01T00:00:00Z"}}
        assert (await client.ask("PATCH", "/jobschedules/s", body=at_once)).status == 200
        assert (await ended(client, "m", job="s:job-1"))["exitCode"] == 0
        assert GOOD not in json.dumps(await client.get("/jobs/s:job-1"))
        assert GOOD not in json.dumps(await client.get("/pools"))

    play(tmp_path, before, after)
    servers = [line.rpartition(" ")[2] for line in logins(engine)]
    # The node; then each of the two tasks: the pool's for the image, and its own.
    assert servers == ["r.io", "r.io", "other.io", "r.io", "other.io"]
    assert_is_secret(engine, tmp_path)


def test_a_pool_that_is_changed_keeps_its_passwords(tmp_path: Path, engine: Path) -> None:
    start = {"commandLine": "true", "containerSettings": settings(registry(GOOD, "other.io"))}

    async def story(client: Client) -> None:
        empty = {**pool(registry(GOOD)), "targetDedicatedNodes": 0}
        await create(client, "/pools", empty)
        changed = await client.ask("PATCH", "/pools/p", body={"startTask": start})
        assert changed.status == 200
        await client.until("/pools/p", lambda body: body["allocationState"] == "steady")
        resized = await client.ask("POST", "/pools/p/resize", body={"targetDedicatedNodes": 1})
        assert resized.status == 202
        await node_when(client, "idle")
        assert GOOD not in json.dumps(await client.get("/pools/p"))

    play(tmp_path, story)
    servers = [line.rpartition(" ")[2] for line in logins(engine)]
    assert servers == ["r.io", "r.io", "other.io"]
    assert_is_secret(engine, tmp_path)


def test_what_a_killed_emulator_was_logged_in_to_is_gone(tmp_path: Path, engine: Path) -> None:
    async def killed(client: Client) -> None:
        left = tmp_path / "data" / "logins" / "login-x"
        left.mkdir(parents=True)
        (left / "auth.json").write_text("{}")

    async def later(client: Client) -> None:
        assert not (tmp_path / "data" / "logins").exists()

    play(tmp_path, killed, later)
