"""Users of a node: whose the files of tasks are, and who may see them."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.copy_on_write import CopyOnWrite, UnavailableError
from runner.emulator.batch.node.containment import NodeFolder
from runner.emulator.batch.node.directories import make_node_directories, remove_tree
from runner.emulator.batch.node.launch import (
    Launch,
    NodeDirectories,
    Outcome,
    ResourceFile,
)
from runner.emulator.batch.node.processes import LocalExecutor
from runner.emulator.batch.node.users import POOL_USER, TaskUsers, User
from tests.unit.emulator.batch.node.blob_service import BlobService, utc_now


@dataclass(frozen=True)
class Machine:
    """A node with users, and what runs its tasks."""

    directories: NodeDirectories
    views: CopyOnWrite

    def launch(
        self, task: str, script: str, user: User | None = POOL_USER, *, elevated: bool = False
    ) -> Launch:
        directory = self.directories.workitems / "job" / "job-1" / task
        return Launch(
            command_line=f"/bin/sh -ec '{script}'",
            directory=directory,
            node=self.directories.root,
            environment={"AZ_BATCH_TASK_DIR": str(directory)},
            user=user,
            elevated=elevated,
        )

    def run(self, *launches: Launch) -> list[Outcome]:
        """Runs them side by side."""

        async def work(executor: LocalExecutor) -> list[Outcome]:
            return list(await asyncio.gather(*map(executor.run, launches)))

        return asyncio.run(self._executing(work))

    def say(self, launch: Launch) -> str:
        """Runs it; it must succeed."""
        (outcome,) = self.run(launch)
        error = (launch.directory / "stderr.txt").read_text()
        assert (outcome.exit_code, outcome.failure) == (0, None), error
        return (launch.directory / "stdout.txt").read_text().strip()

    async def _executing(
        self, work: Callable[[LocalExecutor], Awaitable[list[Outcome]]]
    ) -> list[Outcome]:
        executor = LocalExecutor(
            clock=utc_now,
            run_admin=True,
            base_environment={"PATH": os.environ["PATH"], "HOME": "/root"},
            isolation=self.views,
        )
        try:
            return await work(executor)
        finally:
            await executor.close()


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[Machine]:
    if os.geteuid() != 0:
        pytest.skip("copy-on-write nodes need root")
    data = tmp_path / "data"
    # As below the home of an administrator.
    data.mkdir(mode=0o700)
    views = CopyOnWrite(layers=data / "layers", hidden=data)
    try:
        views.check()
    except UnavailableError as error:
        pytest.skip(f"no copy-on-write nodes on this machine: {error}")
    directories = NodeDirectories(root=data / "nodes" / "one")
    previous = os.umask(0o077)
    try:
        make_node_directories(directories, has_users=True)
        yield Machine(directories, views)
    finally:
        os.umask(previous)
        views.close()
    remove_tree(data)


def test_tasks_of_the_pools_user_share(machine: Machine) -> None:
    first = machine.launch("first", "id -un; echo one > file; echo $HOME; echo $USER")
    file = first.directory / "wd" / "file"
    second = machine.launch("second", f"cat {file}; rm {file}")

    assert machine.say(first).split() == ["_azbatch", f"{first.directory}/wd", "_azbatch"]
    assert file.stat().st_uid == POOL_USER.number
    assert machine.say(second) == "one"


def test_a_task_with_a_user_of_its_own_keeps_its_files_to_itself(machine: Machine) -> None:
    one = machine.launch("one", "id -un; echo secret > file; chmod 666 file", None)
    machine_wide = f"ls {one.directory} && exit 7; cat {one.directory}/wd/file && exit 7; true"

    name = machine.say(one)

    assert name.startswith("_azbatchtask_")
    assert machine.say(machine.launch("two", machine_wide, None)) == ""
    assert machine.say(machine.launch("three", machine_wide)) == ""
    assert machine.say(machine.launch("four", f"cat {one.directory}/wd/file", elevated=True)) == (
        "secret"
    )
    assert (one.directory / "wd" / "file").read_text() == "secret\n"


def test_tasks_side_by_side_have_users_apart_and_a_retry_has_the_same(machine: Machine) -> None:
    launches = [machine.launch(str(i), "id -u; sleep 0.2", None) for i in range(8)]
    outcomes = machine.run(*launches)
    assert [outcome.exit_code for outcome in outcomes] == [0] * 8
    numbers = [(each.directory / "stdout.txt").read_text() for each in launches]
    assert len(set(numbers)) == 8

    machine.say(machine.launch("another", "true", None))
    again = machine.launch("3", "id -u", None)

    assert machine.say(again) + "\n" == numbers[3]


def test_users_are_lent_until_they_are_given_back(tmp_path: Path) -> None:
    users = TaskUsers()
    with (
        users.lend(NodeFolder(tmp_path, ("a",))) as (one, _),
        users.lend(NodeFolder(tmp_path, ("b",))) as (
            other,
            _,
        ),
    ):
        assert one.number != other.number
    seen = set()
    for _ in range(1000):
        with users.lend(NodeFolder(tmp_path, ("c",))) as (user, owner):
            assert user.number == owner.user
            seen.add(user.number)
    assert len(seen) == 384
    assert 60577 < min(seen) <= max(seen) < 61184


@pytest.mark.parametrize(("user", "elevated"), [(POOL_USER, False), (None, False), (None, True)])
def test_resource_files_are_the_users(
    machine: Machine, blobs: BlobService, user: User | None, elevated: bool
) -> None:
    blobs.containers["box"]["run.sh"] = b"#!/bin/sh\necho run\n"
    url = blobs.blob_url("box", "run.sh")
    launch = replace(
        machine.launch("task", "deep/down/run.sh; touch deep/down/x", user, elevated=elevated),
        resource_files=(
            ResourceFile(http_url=url, file_path="deep/down/run.sh"),
            ResourceFile(
                http_url=blobs.blob_url("box", "run.sh"), file_path="plain", file_mode="0644"
            ),
        ),
    )

    assert machine.say(launch) == "run"
    modes = [
        (launch.directory / "wd" / name).stat().st_mode for name in ("deep/down/run.sh", "plain")
    ]
    assert [mode & 0o777 for mode in modes] == [0o770, 0o644]


def test_what_the_start_task_fetches_as_admin_is_read_by_all(
    machine: Machine, blobs: BlobService
) -> None:
    blobs.containers["box"]["run.sh"] = b"#!/bin/sh\necho run\n"
    url = blobs.blob_url("box", "run.sh")
    start = replace(
        machine.launch("", "mkdir made; echo made > made/file", elevated=True),
        directory=machine.directories.startup,
        resource_files=(ResourceFile(http_url=url, file_path="run.sh"),),
    )
    machine.say(start)

    script = f"{start.directory}/wd/run.sh; cat {start.directory}/wd/made/file"
    for index, user in enumerate((POOL_USER, None)):
        assert machine.say(machine.launch(str(index), script, user)).split() == ["run", "made"]
    shared = f"touch {machine.directories.shared}/$(id -un)"
    machine.say(machine.launch("a", shared))
    machine.say(machine.launch("b", shared, None))


def test_a_task_cannot_have_the_machine_written_to_by_a_link(
    machine: Machine, blobs: BlobService, tmp_path: Path
) -> None:
    blobs.containers["box"]["file"] = b"content"
    outside = tmp_path / "outside"
    outside.mkdir(mode=0o700)
    first = machine.launch(
        "task",
        f"cd ..; rmdir wd; ln -s {outside} wd; rm stdout.txt; ln -s {outside}/stdout stdout.txt",
    )
    machine.run(first)
    assert (first.directory / "wd").is_symlink()

    again = replace(
        machine.launch("task", "cat file"),
        resource_files=(ResourceFile(http_url=blobs.blob_url("box", "file"), file_path="file"),),
    )

    assert machine.say(again) == "content"
    assert list(outside.iterdir()) == []
    assert outside.stat().st_uid == 0
    assert outside.stat().st_mode & 0o777 == 0o700
