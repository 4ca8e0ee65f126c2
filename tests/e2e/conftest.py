"""The installed command, as a user runs it, and an emulator of its own where one is wanted."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import imageio_ffmpeg
import pytest

from tests.conformance.azurite.installing import VERSION as AZURITE_VERSION
from tests.conformance.azurite.installing import install_azurite, start_azurite
from tests.data.documents import check, check_directory, check_printed

ROOT = Path(__file__).resolve().parents[2]

# Whoever runs the tests in the background, or by `nohup`, has them and all that they start ignore
# these: what a signal does could not be seen.
for _number in (signal.SIGINT, signal.SIGHUP):
    if signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(
            _number,
            signal.default_int_handler if _number is signal.SIGINT else signal.SIG_DFL,
        )

COMMAND = Path(sys.executable).parent / "batch-run"
LIMIT_SECONDS = 120
_LOOKING = frozenset({"status", "runs", "logs", "events", "plan", "validate", "diff", "explain"})
"""Commands that leave a run's directory as it is."""


@dataclass(frozen=True)
class User:
    """Someone in a folder, with an environment, who types `batch-run`."""

    folder: Path
    environ: Mapping[str, str]

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Starts the command and returns."""
        return subprocess.Popen(
            [COMMAND, *arguments],
            cwd=self.folder,
            env=self.environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="surrogateescape",
        )

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Runs the command to its end; what it prints and keeps as data is as the schemas say."""
        with self.start(*arguments) as process:
            try:
                stdout, stderr = process.communicate(timeout=LIMIT_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
        check_printed(arguments, stdout)
        if arguments and arguments[0] not in _LOOKING:
            self.check_last_run()
        return subprocess.CompletedProcess(arguments, process.returncode, stdout, stderr)

    def write(self, name: str, content: str | bytes) -> Path:
        """Writes a file of the folder."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def last_run(self) -> Path:
        """The directory of the newest run."""
        name = (self.folder / ".batch-run" / "last").read_text().strip()
        return self.folder / ".batch-run" / "runs" / name

    def check_last_run(self) -> None:
        """Holds what the newest run has kept against the schemas."""
        last = self.folder / ".batch-run" / "last"
        if last.is_file():
            check_directory(self.folder / ".batch-run" / "runs" / last.read_text().strip())

    def processes(self) -> list[str]:
        """Command lines of processes that work somewhere in the folder (Linux only)."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                place = (entry / "cwd").readlink()
                line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            except OSError:
                continue
            if place.is_relative_to(self.folder):
                found.append(line)
        return found

    def with_environ(self, **more: str) -> User:
        """The same user with more in the environment."""
        return User(self.folder, {**self.environ, **more})


@pytest.fixture(scope="session")
def program_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with `ffmpeg` in it, from the wheel that carries one."""
    folder = tmp_path_factory.mktemp("bin")
    (folder / "ffmpeg").symlink_to(imageio_ffmpeg.get_ffmpeg_exe())
    return folder


@pytest.fixture(scope="session")
def user_environ(program_folder: Path) -> dict[str, str]:
    """The environment of somebody with no Azure account, whose Python keeps what it compiles."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "BATCH_RUN_")) and name != "PYTHONDONTWRITEBYTECODE"
    }
    environ["PATH"] = os.pathsep.join(
        (str(program_folder), str(Path(sys.executable).parent), environ["PATH"])
    )
    return environ


@pytest.fixture
def user(tmp_path: Path, user_environ: dict[str, str]) -> User:
    """A user with an empty folder and no Azure account."""
    folder = tmp_path / "home"
    folder.mkdir()
    return User(folder, user_environ)


@dataclass(frozen=True)
class Emulator:
    """A `batch-run emulator` that somebody else started."""

    environ: Mapping[str, str]
    batch: Mapping[str, str]
    storage: Mapping[str, str]
    process: subprocess.Popen[str]


@contextmanager
def choose_storage(
    own: Mapping[str, str], choice: str, config: pytest.Config
) -> Iterator[Mapping[str, str]]:
    """The storage account of an emulator, or with `azurite` the same account of an Azurite."""
    if choice != "azurite":
        yield own
        return
    package = install_azurite(config.cache.mkdir(f"azurite-{AZURITE_VERSION}"))
    with start_azurite(package, own["account"], own["key"]) as azurite:
        yield {
            "blob_endpoint": azurite.endpoint,
            "account": azurite.account,
            "key": azurite.key,
            "connection_string": azurite.connection_string,
        }


def asked_storage() -> str:
    """Whose storage runs use: `BATCH_RUN_STORAGE=azurite`, else that of the emulator."""
    return os.environ.get("BATCH_RUN_STORAGE", "")


@pytest.fixture
def storage_choice() -> str:
    """As the environment asks, where a test does not choose itself."""
    return asked_storage()


@pytest.fixture
def emulator(
    user: User, tmp_path: Path, storage_choice: str, pytestconfig: pytest.Config
) -> Iterator[Emulator]:
    """A separate emulator, with the environment that points at it."""
    with start_emulator(user.environ, tmp_path, storage_choice, pytestconfig) as running:
        yield running


@pytest.fixture(scope="module")
def shared_emulator(
    user_environ: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Emulator]:
    """One emulator for all tests of a module, which leave nothing there that others could see."""
    folder = tmp_path_factory.mktemp("shared")
    with start_emulator(user_environ, folder, asked_storage(), pytestconfig) as running:
        yield running


@contextmanager
def start_emulator(
    environ: Mapping[str, str], tmp_path: Path, choice: str, config: pytest.Config, *options: str
) -> Iterator[Emulator]:
    """An emulator that ends with the block; `options` are more of its own."""
    with subprocess.Popen(
        # Its nodes have the programs of this machine, and install none.
        [
            COMMAND,
            "emulator",
            "--json",
            "--data",
            str(tmp_path / "emulator"),
            "--isolation",
            "none",
            *options,
        ],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            ready = json.loads(process.stdout.readline())
            check("emulator", ready)
            with choose_storage(ready["storage"], choice, config) as storage:
                yield Emulator(
                    environ={
                        "AZURE_BATCH_ENDPOINT": ready["batch"]["endpoint"],
                        "AZURE_BATCH_ACCOUNT": ready["batch"]["account"],
                        "AZURE_BATCH_ACCESS_KEY": ready["batch"]["key"],
                        "AZURE_STORAGE_CONNECTION_STRING": storage["connection_string"],
                    },
                    batch=ready["batch"],
                    storage=storage,
                    process=process,
                )
        finally:
            process.terminate()
            assert process.wait(timeout=LIMIT_SECONDS) == 0


def copy_examples(folder: Path) -> None:
    """The example workloads, as somebody who cloned the repository has them."""
    shutil.copytree(ROOT / "workloads", folder / "workloads")


def wait_until(condition: object, *, limit_seconds: float = 90.0, what: str) -> None:
    """Polls until `condition()` holds; fails naming `what` at the deadline."""
    assert callable(condition)
    deadline = time.monotonic() + limit_seconds
    while not condition():
        assert time.monotonic() < deadline, f"timed out waiting until {what}"
        time.sleep(0.02)
