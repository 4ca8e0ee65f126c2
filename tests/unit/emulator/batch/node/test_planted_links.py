"""Links that tasks plant in their node lead the emulator nowhere, nor do those that come and go."""

from __future__ import annotations

import asyncio
import os
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from runner.emulator.batch.core.ids import NodeId
from runner.emulator.batch.launching.place import Place
from runner.emulator.batch.launching.trust import put_trust
from runner.emulator.batch.node.containment import (
    NodeFolder,
    OutsideError,
    directory_below,
    folder_of,
)
from runner.emulator.batch.node.directories import (
    append_file,
    make_node_directories,
    put_file,
    remove_folder,
)
from runner.emulator.batch.node.files import delete_file, find_file, list_files, open_file
from runner.emulator.batch.node.launch import (
    Launch,
    NodeDirectories,
    Outcome,
    OutputFile,
    Package,
    ResourceFile,
    UploadCondition,
)
from runner.emulator.batch.node.owners import Owner
from runner.emulator.batch.node.packages import unpack_packages
from runner.emulator.batch.node.places import Parents, TaskFolder, open_task_folder
from runner.emulator.batch.node.plain import PlainProcesses
from runner.emulator.batch.node.processes import LocalExecutor
from runner.emulator.batch.node.users import TaskUsers
from runner.emulator.batch.removals import Removal, Removals
from runner.emulator.batch.unrun import NOT_RUN, skip
from runner.emulator.server.trust import Trust
from tests.unit.emulator.batch.node.blob_service import BlobService, utc_now

TASK = "workitems/job/job-1/task"
ABOVE = ("workitems", "workitems/job", "workitems/job/job-1", TASK)
SECRET = "of the machine"
RACE_SECONDS = 0.4


@dataclass(frozen=True)
class World:
    """A node, and a folder of the machine that tasks want the emulator to touch."""

    root: Path
    outside: Path
    before: dict[str, tuple[int, int, str]]

    @property
    def task(self) -> NodeFolder:
        return NodeFolder(self.root, tuple(TASK.split("/")))

    def plant(self, place: str, target: Path | None = None) -> None:
        """Puts a link where the emulator expects something of its own."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if path.is_dir() and not path.is_symlink():
            path.rename(path.with_name(f"{path.name}.aside"))
        path.unlink(missing_ok=True)
        path.symlink_to(target or self.outside)

    def launch(self, command: str, **more: object) -> Launch:
        return Launch(
            command_line=f"/bin/sh -ec '{command}'",
            directory=self.task.path,
            node=self.root,
            environment={"OUTSIDE": str(self.outside)},
            **more,  # type: ignore[arg-type]
        )

    def assert_untouched(self) -> None:
        assert describe(self.outside) == self.before


def describe(folder: Path) -> dict[str, tuple[int, int, str]]:
    """All that is there, with modes, owners and contents."""
    found = {}
    for path in (folder, *sorted(folder.rglob("*"))):
        status = path.lstat()
        content = path.read_text() if path.is_file() else ""
        found[str(path.relative_to(folder))] = (status.st_mode, status.st_uid, content)
    return found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    root, outside = tmp_path / "nodes" / "one", tmp_path / "outside"
    root.mkdir(parents=True)
    # Whatever is asked for below a link is there.
    for folder in ("job/job-1/task/wd", "job-1/task/wd", "task/wd", "wd", "tool/1.0", "startup"):
        (outside / folder).mkdir(parents=True)
        for name in ("stdout.txt", "stderr.txt", "fileuploadout.txt", "secret", "ca.pem"):
            (outside / folder / name).write_text(SECRET)
    for path in (outside, *outside.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    for name in ("stdout.txt", "secret", "ca.pem"):
        (outside / name).write_text(SECRET)
    found = World(root, outside, describe(outside))
    yield found
    found.assert_untouched()


@contextmanager
def task_folder(
    launch: Launch, owner: Owner, parents: Parents | None = None
) -> Iterator[TaskFolder]:
    """The folder of a task that is run, open."""
    used = parents or Parents()
    try:
        folder = open_task_folder(launch, used, owner)
        try:
            yield folder
        finally:
            folder.close()
    finally:
        if parents is None:
            used.close()


def run(launch: Launch) -> Outcome:
    async def work() -> Outcome:
        executor = LocalExecutor(
            clock=utc_now,
            run_admin=True,
            base_environment={"PATH": os.environ["PATH"]},
            isolation=PlainProcesses(),
        )
        try:
            return await executor.run(launch)
        finally:
            await executor.close()

    return asyncio.run(work())


@pytest.mark.parametrize(
    "place", [*ABOVE, f"{TASK}/wd", f"{TASK}/stdout.txt", f"{TASK}/stderr.txt", f"{TASK}/wd/file"]
)
def test_a_task_gets_a_folder_of_its_own_in_the_place_of_a_link(
    world: World, blobs: BlobService, place: str
) -> None:
    blobs.containers["box"]["file"] = b"content"
    target = world.outside / "secret" if Path(place).suffix or place.endswith("file") else None
    world.plant(place, target)
    file = ResourceFile(http_url=blobs.blob_url("box", "file"), file_path="file", file_mode="4755")

    outcome = run(world.launch("cat file; cat file >&2", resource_files=(file,)))

    assert (outcome.exit_code, outcome.failure) == (0, None)
    assert (world.task.path / "stdout.txt").read_text() == "content"
    assert (world.task.path / "stderr.txt").read_text() == "content"
    for path in (world.task.path / "wd", *world.task.path.parents[:4]):
        assert not path.is_symlink()


def test_a_folder_for_resource_files_that_is_a_link_fails_the_task(
    world: World, blobs: BlobService
) -> None:
    blobs.containers["box"]["file"] = b"content"
    world.plant(f"{TASK}/wd/folder")
    url = blobs.blob_url("box", "file")

    outcome = run(
        world.launch(
            "true", resource_files=(ResourceFile(http_url=url, file_path="folder/wd/file"),)
        )
    )

    assert outcome.failure is not None
    assert outcome.failure.code == "ResourceFileCreateFailed"


@pytest.mark.parametrize("place", [*ABOVE, f"{TASK}/wd"])
def test_outputs_of_a_folder_that_became_a_link_are_not_sent(
    world: World, blobs: BlobService, place: str
) -> None:
    path = world.root / place
    below = "/".join(Path(TASK).parts[len(Path(place).parts) :])
    names = ("*", "secret", "../*", "../fileuploadout.txt", "**/*")
    outputs = tuple(
        OutputFile(
            file_pattern=name,
            container_url=blobs.container_url("box"),
            path=None,
            condition=UploadCondition.TASK_COMPLETION,
        )
        for name in names
    )
    aside = f"mv {path} {path}.aside; ln -s $OUTSIDE/{below} {path}" if below else ""
    command = aside or f"mv {path} {path}.aside; ln -s $OUTSIDE {path}"

    outcome = run(world.launch(f"cd /; {command}", output_files=outputs))

    assert outcome.exit_code == 0
    assert SECRET.encode() not in blobs.containers["box"].values()
    if place.endswith("/wd"):
        assert outcome.failure is None
    else:
        assert outcome.failure is not None
        assert outcome.failure.code == "FileUploadMiscError"
        assert ("Message", "Not a directory") in outcome.failure.details


@pytest.mark.parametrize("place", ABOVE)
def test_the_file_service_does_not_look_behind_a_link(world: World, place: str) -> None:
    world.plant(place)
    for name in ("secret", "stdout.txt", "wd/secret", "wd"):
        assert find_file(world.task, name) is None
        assert open_file(world.task, name) is None
        assert not delete_file(world.task, name, recursive=True)
    assert list_files(world.task, recursive=True) == ()


def test_links_within_a_tasks_folder_are_its_own_business(world: World) -> None:
    working = world.task.path / "wd"
    working.mkdir(parents=True)
    (working / "result").write_text("mine")
    (working / "relative").symlink_to("result")
    (working / "absolute").symlink_to(working / "result")
    (world.task.path / "folder").symlink_to(working)
    for name in ("wd/relative", "wd/absolute", "folder/result", "folder/absolute"):
        opened = open_file(world.task, name)
        assert opened is not None
        with opened[1] as content:
            assert content.read() == b"mine"
    assert "folder" in [file.name for file in list_files(world.task, recursive=False)]


@pytest.mark.parametrize("place", ABOVE)
@pytest.mark.parametrize("folder", [TASK, "workitems/job"])
def test_removal_takes_the_link_and_not_what_it_leads_to(
    world: World, place: str, folder: str
) -> None:
    (world.task.path / "wd").mkdir(parents=True)
    world.plant(place)
    removals = Removals(world.root.parent, None)
    assert removals.carry_out(Removal(node=NodeId("one"), folder=folder))
    world.assert_untouched()
    if not folder.startswith(f"{place}/"):
        assert not os.path.lexists(world.root / folder)
    assert removals.carry_out(Removal(node=NodeId("one"), folder=""))
    assert not world.root.exists()


NODES = ("shared", "startup", "fsmounts", "workitems", "applications", "volatile")


@pytest.mark.parametrize("place", [*NODES, "volatile/startup"])
def test_a_restarted_node_opens_no_folder_of_the_machine_to_its_users(
    world: World, place: str
) -> None:
    directories = NodeDirectories(root=world.root)
    make_node_directories(directories, has_users=True)
    world.plant(place)
    make_node_directories(directories, has_users=True)
    for name in NODES:
        if name != place:
            mode = (world.root / name).stat().st_mode & 0o777
            assert mode == (0o777 if name in {"shared", "fsmounts"} else 0o755)


@pytest.mark.parametrize("place", [*ABOVE, f"{TASK}/wd"])
def test_what_becomes_a_users_is_never_behind_a_link(world: World, place: str) -> None:
    world.plant(place)
    me = Owner(user=os.geteuid(), group=os.getegid(), folder_mode=0o750)
    with task_folder(world.launch("true"), me):
        assert (world.task.path / "wd").stat().st_mode & 0o777 == 0o750
    world.plant(place)
    with TaskUsers().lend(world.task) as (user, _):
        assert user.number > 0


@pytest.mark.parametrize("place", [*ABOVE, f"{TASK}/wd", f"{TASK}/stdout.txt"])
def test_a_task_that_is_not_run_leaves_its_note_in_its_own_folder(world: World, place: str) -> None:
    world.plant(place)
    skip(world.launch("true"), utc_now())
    assert (world.task.path / "stderr.txt").read_text() == NOT_RUN
    assert not (world.task.path / "stdout.txt").is_symlink()


@pytest.mark.parametrize("place", ["applications", "applications/tool", "applications/tool/1.0"])
def test_packages_are_unpacked_into_the_node(world: World, place: str, tmp_path: Path) -> None:
    archive = tmp_path / "1.0.zip"
    with zipfile.ZipFile(archive, "w") as opened:
        opened.writestr("secret", "of the package")
    world.plant(place)
    folder = NodeFolder(world.root, ("applications", "tool", "1.0"))
    unpack_packages([Package(name="tool:1.0", archive=archive, directory=folder)])
    assert (folder.path / "secret").read_text() == "of the package"
    assert [entry.name for entry in world.root.parent.iterdir()] == ["one"]


@pytest.mark.parametrize(
    "place", ["volatile", "volatile/certificates", "volatile/certificates/ca.pem"]
)
def test_certificates_are_put_into_the_node(world: World, place: str, tmp_path: Path) -> None:
    trust = Trust(authority=tmp_path / "a.pem", bundle=tmp_path / "b.pem")
    trust.authority.write_text("authority")
    trust.bundle.write_text("bundle")
    world.plant(place, world.outside / "ca.pem" if place.endswith("pem") else None)
    account = Place(account="a", endpoint="", nodes=world.root.parent, trust=trust)
    put_trust(account, NodeDirectories(root=world.root))
    path = world.root / "volatile" / "certificates" / "ca.pem"
    assert path.read_text() == "authority"
    assert path.stat().st_mode & 0o777 == 0o644


def test_what_is_no_file_is_not_appended_to(world: World) -> None:
    world.task.path.mkdir(parents=True)
    with directory_below(world.task) as directory:
        for plant in (os.mkfifo, lambda path: path.symlink_to(world.outside / "secret")):
            path = world.task.path / "stdout.txt"
            plant(path)
            descriptor = append_file("stdout.txt", directory)
            os.write(descriptor, b"output")
            os.close(descriptor)
            assert path.read_text() == "output"
            path.unlink()


@pytest.mark.parametrize("part", ["", ".", "..", "a/b", "a\0b"])
def test_a_folder_of_a_node_has_names_alone(world: World, part: str) -> None:
    with pytest.raises(OutsideError):
        NodeFolder(world.root, (part,))
    with pytest.raises(OutsideError):
        world.task.below(part)


@contextmanager
def swapping(world: World, place: str) -> Iterator[Callable[[], bool]]:
    """Swaps a folder of the node for a link and back, as fast as it can; says whether to go on."""
    path, aside = world.root / place, world.root / "aside"
    ended = threading.Event()

    def swap() -> None:
        number = 0
        while not ended.is_set():
            number += 1
            link = world.root / f"link-{number}"
            with suppress(OSError):
                path.mkdir(parents=True, exist_ok=True)
            link.symlink_to(world.outside)
            with suppress(OSError):
                path.rename(aside)
            with suppress(OSError):
                link.rename(path)
            with suppress(OSError):
                path.unlink()
            with suppress(OSError):
                aside.rename(path)
            link.unlink(missing_ok=True)

    swapper = threading.Thread(target=swap)
    timer = threading.Timer(RACE_SECONDS, ended.set)
    swapper.start()
    timer.start()
    try:
        yield lambda: not ended.is_set()
    finally:
        timer.cancel()
        ended.set()
        swapper.join()


@pytest.mark.parametrize("keeps_open", [True, False])
@pytest.mark.parametrize("place", ["workitems/job/job-1", TASK, f"{TASK}/wd"])
def test_writing_is_not_led_out_by_a_swap(world: World, place: str, keeps_open: bool) -> None:
    me = Owner(user=os.geteuid(), group=os.getegid(), folder_mode=0o755)
    written = 0
    parents = Parents() if keeps_open else None
    with swapping(world, place) as going_on:
        while going_on() or not written:
            with suppress(OSError), task_folder(world.launch("true"), me, parents) as folder:
                put_file("secret", folder.directory, b"changed", 0o644)
                put_file("secret", folder.working, b"changed", 0o644)
                written += 1
    if parents is not None:
        parents.close()
    assert written


@pytest.mark.parametrize("place", ["workitems/job/job-1", TASK, f"{TASK}/wd"])
def test_reading_is_not_led_out_by_a_swap(world: World, place: str) -> None:
    (world.task.path / "wd").mkdir(parents=True)
    for folder in ("", "wd"):
        (world.task.path / folder / "secret").write_text("mine")
    size = len("mine")
    read = 0
    with swapping(world, place) as going_on:
        while going_on() or not read:
            for name in ("secret", "wd/secret"):
                opened = open_file(world.task, name)
                if opened is not None:
                    with opened[1] as content:
                        assert content.read() == b"mine"
                    read += 1
                found = find_file(world.task, name)
                assert found is None or found.size_bytes == size
            for file in list_files(world.task, recursive=True):
                assert file.is_directory or file.size_bytes == size
    assert read


@pytest.mark.parametrize("place", ["workitems/job/job-1", TASK, f"{TASK}/wd", f"{TASK}/wd/deep"])
def test_removing_is_not_led_out_by_a_swap(world: World, place: str) -> None:
    removed = 0
    with swapping(world, place) as going_on:
        while going_on():
            deeper = world.task.below("wd", "deep", "deeper")
            with suppress(OSError), directory_below(deeper, create=True) as directory:
                os.fchmod(directory, 0)
            with suppress(OSError):
                remove_folder(world.task)
                removed += 1
            with suppress(OSError):
                delete_file(world.task, "wd", recursive=True)
    assert removed


def test_a_path_elsewhere_is_no_folder_of_the_node(world: World) -> None:
    assert folder_of(world.root, world.task.path) == world.task
    with pytest.raises(ValueError, match="is not in the subpath"):
        folder_of(world.root, world.outside)
