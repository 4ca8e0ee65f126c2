"""Container tasks: by a script that stands for an engine, and by podman where it is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tarfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.container_nodes import ContainerNodes
from runner.emulator.batch.isolation.engine import EngineContainers
from runner.emulator.batch.node.containers import (
    Bind,
    Container,
    ContainerError,
    ContainerFailure,
)
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command

LIMIT_SECONDS = 60.0
# Notes what it is asked, has the image `here`, can pull `there`, and runs what follows the image.
FAKE = r"""#!/bin/bash
if test "$1" = --runtime; then shift 2; fi
printf '%s|' "$@" >> "$0.log"; echo >> "$0.log"
case "$1 $2" in
  "info "*) exit "$(cat "$0.info")";;
  "image inspect") test "$3" = here -o -e "$0.pulled";;
  "pull --quiet") test "$3" = there && touch "$0.pulled" && exit; echo "no such image" >&2; exit 1;;
  "rm --force") kill -9 -- "-$(cat "$0.pid")";;
  "run "*)
    shift; while test "$1" != here -a "$1" != there; do
      case "$1" in
        --env-file) set -a; cp "$2" "$0.env";;
        --bad) echo "unknown flag: --bad" >&2; exit 125;;
      esac
      shift
    done
    shift; setsid "$@" & echo $! > "$0.pid"; wait $!;;
esac
"""


@dataclass(frozen=True)
class Task:
    """A task's folder, and what runs its containers."""

    folder: Path
    containers: EngineContainers
    interruption: Interruption = field(default_factory=Interruption)

    def run(
        self,
        *words: str,
        image: str = "here",
        options: str = "",
        environ: Mapping[str, str] = {},
        bind: str = ".",
    ) -> int:
        working = self.folder / "wd"
        working.mkdir(parents=True, exist_ok=True)
        with (
            (self.folder / "stdout.txt").open("ab") as out,
            (self.folder / "stderr.txt").open("ab") as err,
        ):
            command = Command(
                node=self.folder,
                words=words,
                working_directory=working,
                environment=environ,
                stdout=out.fileno(),
                stderr=err.fileno(),
            )
            binds = (Bind(folder=self.folder / bind),)
            container = Container(image=image, options=options, binds=binds)
            return self.containers.run(command, container, self.interruption)

    def said(self) -> str:
        return (self.folder / "stdout.txt").read_text()


@pytest.fixture
def engine(tmp_path: Path) -> Path:
    """A script called podman, alone on the path but for the shell's needs."""
    path = tmp_path / "bin" / "podman"
    path.parent.mkdir()
    path.write_text(FAKE)
    path.chmod(0o755)
    (path.parent / "podman.info").write_text("0")
    return path


@pytest.fixture
def task(tmp_path: Path, engine: Path) -> Task:
    environ = {"PATH": f"{engine.parent}:/usr/bin:/bin", "AZURE_BATCH_ACCESS_KEY": "secret"}
    return Task(tmp_path / "node", EngineContainers(environ))


def asked(engine: Path) -> list[list[str]]:
    return [line.split("|")[:-1] for line in Path(f"{engine}.log").read_text().splitlines()]


def refused(task: Task, *words: str, **options: str) -> tuple[ContainerFailure, str]:
    with pytest.raises(ContainerError) as caught:
        task.run(*words, **options)  # type: ignore[arg-type]
    return caught.value.failure, str(caught.value)


def test_a_container_gets_the_node_and_the_variables(task: Task, engine: Path) -> None:
    environ = {"AZ_BATCH_TASK_ID": "one", "TOKEN": "a b'c", "LINES": "x\ny"}

    assert task.run("sh", "-c", "echo out; echo err >&2; exit 3", environ=environ) == 3

    assert task.said() == "out\n"
    assert (task.folder / "stderr.txt").read_text() == "err\n"
    assert Path(f"{engine}.env").read_text() == "AZ_BATCH_TASK_ID=one\nTOKEN=a b'c\n"
    run = asked(engine)[-1]
    words = run[run.index("--env-file") :]
    assert words[2:-7] == [
        *("--network", "host", "--env", "LINES"),
        *("--volume", f"{task.folder}:{task.folder}", "--workdir", f"{task.folder}/wd"),
    ]
    assert words[-7:-5] == ["--rm", "--name"]
    assert words[-4:] == ["here", "sh", "-c", "echo out; echo err >&2; exit 3"]
    assert not Path(words[1]).exists()


def test_options_are_split_and_may_name_a_network(task: Task, engine: Path) -> None:
    assert task.run("true", options="--network=none --label 'a b'") == 0

    run = asked(engine)[-1]
    assert "host" not in run
    assert run[run.index("--workdir") + 2 : -3] == [
        "--network=none",
        "--label=a b",
        "--rm",
        "--name",
    ]
    assert refused(task, "true", options="--label 'a") == (
        ContainerFailure.SETTINGS,
        "the container run options cannot be split: No closing quotation",
    )


def test_options_that_lead_out_of_the_node_are_for_admins(task: Task, engine: Path) -> None:
    message = (
        "the container run option `--volume=/:/host` may let a container leave its node; it is"
        " taken where the emulator was started with `--allow-admin`"
    )
    assert refused(task, "true", image="there", options="-v /:/host --privileged") == (
        ContainerFailure.SETTINGS,
        message,
    )
    assert (task.folder / "stderr.txt").read_text() == f"{message}\n"
    assert [words[0] for words in asked(engine)] == ["info"]

    containers = EngineContainers({"PATH": f"{engine.parent}:/usr/bin:/bin"}, any_options=True)
    free = Task(task.folder, containers)
    assert free.run("true", options="-v /:/host --privileged") == 0
    run = asked(engine)[-1]
    assert run[run.index("--workdir") + 2 : -3] == [
        "-v",
        "/:/host",
        "--privileged",
        "--rm",
        "--name",
    ]
    assert refused(free, "true", options="--bad") == (
        ContainerFailure.SETTINGS,
        "unknown flag: --bad",
    )


def test_a_folder_that_became_a_link_is_not_shown(task: Task, engine: Path) -> None:
    task.folder.mkdir()
    (task.folder / "shared").symlink_to("/")

    assert refused(task, "true", bind="shared") == (
        ContainerFailure.SETTINGS,
        f"the folder {task.folder}/shared is a link that leads out of the node",
    )
    assert [words[0] for words in asked(engine)] == ["info"]


def test_an_image_is_pulled_once(task: Task, engine: Path) -> None:
    assert task.run("true", image="there") == 0
    assert task.run("true", image="there") == 0

    assert [words for words in asked(engine) if "pull" in words] == [["pull", "--quiet", "there"]]
    Path(f"{engine}.pulled").unlink()
    assert refused(task, "true", image="nowhere") == (ContainerFailure.IMAGE, "no such image")


def test_an_engine_that_does_not_work_is_none(task: Task, engine: Path) -> None:
    Path(f"{engine}.info").write_text("1")
    if (
        shutil.which("docker")
        and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
    ):
        pytest.skip("docker works here")

    assert refused(task, "true") == (
        ContainerFailure.NO_ENGINE,
        "The node has no container runtime",
    )
    Path(f"{engine}.info").write_text("0")
    assert task.run("true") == 0


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_an_interruption_removes_the_container(task: Task, engine: Path) -> None:
    assert interrupt(task, "here") == 137

    name = asked(engine)[-2][asked(engine)[-2].index("--name") + 1]
    assert asked(engine)[-1] == ["rm", "--force", name]


def interrupt(task: Task, image: str) -> int:
    """The exit code of a container that is interrupted once it runs."""
    codes: list[int] = []
    script = f"echo up > {task.folder}/up; sleep 1000"
    thread = threading.Thread(
        target=lambda: codes.append(task.run("sh", "-c", script, image=image))
    )
    thread.start()
    wait_until((task.folder / "up").exists)
    task.interruption.fire()
    thread.join(LIMIT_SECONDS)
    (code,) = codes
    return code


@pytest.fixture
def podman(tmp_path: Path) -> Iterator[Task]:
    """A real engine with an image of its own, `localhost/batch-run-test`."""
    busybox = shutil.which("busybox")
    program = shutil.which("podman")
    if program is None or busybox is None:
        pytest.skip("podman or busybox is not installed")
    archive = tmp_path / "root.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(busybox, "bin/busybox")
        for name in ("sh", "env", "sleep", "cat"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            tar.addfile(link)
    image = f"localhost/batch-run-test:{os.getpid()}"
    made = subprocess.run(
        [program, "import", str(archive), image], capture_output=True, check=False
    )
    if made.returncode != 0:
        pytest.skip(f"podman does not work here: {made.stderr!r}")
    yield Task(tmp_path / "node", EngineContainers(os.environ))
    subprocess.run([program, "rmi", "--force", image], capture_output=True, check=True)


def test_podman_runs_a_task(podman: Task) -> None:
    image = f"localhost/batch-run-test:{os.getpid()}"
    script = 'echo "$GREETING" > made; pwd; exit 7'

    assert podman.run("sh", "-c", script, image=image, environ={"GREETING": "one\ntwo"}) == 7

    assert podman.said() == f"{podman.folder}/wd\n"
    assert (podman.folder / "wd" / "made").read_text() == "one\ntwo\n"
    failure, message = refused(podman, "true", image=image, options="--memory=much")
    assert failure is ContainerFailure.SETTINGS
    assert "much" in message
    assert refused(podman, "true", image="localhost:1/none")[0] is ContainerFailure.IMAGE


def test_podman_containers_are_nodes(podman: Task) -> None:
    nodes = ContainerNodes(podman.containers)
    image = f"localhost/batch-run-test:{os.getpid()}"
    podman.folder.mkdir()

    def run(*words: str, interruption: Interruption | None = None) -> int:
        with (podman.folder / "out").open("wb") as out:
            command = Command(
                node=podman.folder,
                image=image,
                words=words,
                working_directory=podman.folder,
                environment={"GREETING": "one\ntwo"},
                stdout=out.fileno(),
                stderr=out.fileno(),
            )
            return nodes.run(command, interruption or podman.interruption)

    def said() -> str:
        return (podman.folder / "out").read_text()

    try:
        assert run("sh", "-c", "echo installed > /bin/batch-run-test-tool; exit 3") == 3
        assert run("sh", "-c", 'cat /bin/batch-run-test-tool; echo "$GREETING"; pwd') == 0
        assert said() == f"installed\none\ntwo\n{podman.folder}\n"
        with pytest.raises(FileNotFoundError):
            run("no-such-program")
        stop = Interruption()
        codes: list[int] = []
        thread = threading.Thread(
            target=lambda: codes.append(run("sh", "-c", "echo > up; sleep 1000", interruption=stop))
        )
        thread.start()
        wait_until((podman.folder / "up").exists)
        stop.fire()
        thread.join(LIMIT_SECONDS)
        assert codes == [137]
        assert run("sh", "-c", "cat /proc/[0-9]*/cmdline") == 0
        assert "sleep" not in said()
        nodes.end_node(podman.folder)
        assert run("cat", "/bin/batch-run-test-tool") == 1
    finally:
        nodes.close()
    assert "batch-run-node-" not in all_containers()


def all_containers() -> str:
    return subprocess.run(
        ["podman", "ps", "--all", "--format", "{{.Names}}"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout


def test_podman_removes_what_is_interrupted(podman: Task) -> None:
    assert interrupt(podman, f"localhost/batch-run-test:{os.getpid()}") == 137

    assert "batch-run-" not in all_containers()
