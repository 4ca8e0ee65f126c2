"""The emulator's process, with programs in its place that do what it should never do."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.errors import ServiceError
from runner.remote.local import MESSAGES, LocalEmulator, PreparedEmulator

ANNOUNCEMENT = json.dumps(
    {
        "batch": {"endpoint": "http://127.0.0.1:1/b", "account": "b", "key": "Yg=="},
        "storage": {
            "blob_endpoint": "http://127.0.0.1:1/s",
            "account": "s",
            "key": "cw==",
            "connection_string": "x",
        },
    }
)


class Programs:
    """Starts a piece of Python in place of the emulator."""

    def __init__(self, directory: Path) -> None:
        self.messages = directory / MESSAGES
        self.started: list[subprocess.Popen[bytes]] = []

    def start(self, source: str) -> LocalEmulator:
        with self.messages.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-I", "-c", source],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                start_new_session=True,
            )
        self.started.append(process)
        return LocalEmulator(process, self.messages)


@pytest.fixture
def programs(tmp_path: Path) -> Iterator[Programs]:
    running = Programs(tmp_path)
    yield running
    for process in running.started:
        process.kill()
        process.wait()
        assert process.stdin
        assert process.stdout
        process.stdin.close()
        process.stdout.close()


def test_what_it_announces_are_two_accounts(programs: Programs) -> None:
    emulator = programs.start(f"import sys; print({ANNOUNCEMENT!r}, flush=True); sys.stdin.read()")

    settings = emulator.wait_until_ready()
    emulator.stop()

    assert settings.batch.endpoint == "http://127.0.0.1:1/b"
    assert (settings.batch.name, settings.batch.key) == ("b", "Yg==")
    assert settings.storage.endpoint == "http://127.0.0.1:1/s"
    assert (settings.storage.name, settings.storage.key) == ("s", "cw==")
    assert programs.started[0].returncode == 0


def test_an_early_end_is_told_with_its_last_words(programs: Programs) -> None:
    emulator = programs.start("import sys; sys.exit('first\\nemulator: no port is free\\n')")

    with pytest.raises(ServiceError) as caught:
        emulator.wait_until_ready()
    emulator.stop()

    assert caught.value.message == (
        "the local emulator ended before it was ready: emulator: no port is free"
    )
    assert caught.value.hint == f"see {programs.messages}"


def test_an_early_end_without_words_is_told_too(programs: Programs) -> None:
    emulator = programs.start("pass")

    with pytest.raises(ServiceError) as caught:
        emulator.wait_until_ready()
    emulator.stop()

    assert caught.value.message == "the local emulator ended before it was ready: it said nothing"


def test_silence_ends_our_patience(programs: Programs) -> None:
    emulator = programs.start("import sys; sys.stdin.read()")

    with pytest.raises(ServiceError) as caught:
        emulator.wait_until_ready(limit_seconds=0.1)
    emulator.stop()

    assert caught.value.message == "the local emulator was not ready in time"


@pytest.mark.parametrize("line", ["ready", "[]", '{"batch": {}}'])
def test_another_announcement_is_an_error(programs: Programs, line: str) -> None:
    emulator = programs.start(f"import sys; print({line!r}, flush=True); sys.stdin.read()")

    with pytest.raises(ServiceError) as caught:
        emulator.wait_until_ready()
    emulator.stop()

    assert caught.value.message == "the local emulator did not say where it listens"


def test_one_that_does_not_end_is_killed_with_all_it_runs(programs: Programs) -> None:
    emulator = programs.start(
        "import subprocess, sys, json, signal\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        f"line = json.loads({ANNOUNCEMENT!r}); line['batch']['account'] = str(child.pid)\n"
        "print(json.dumps(line), flush=True)\n"
        "while True: signal.pause()\n"
    )
    child = int(emulator.wait_until_ready().batch.name)

    emulator.stop(limit_seconds=0.1)
    emulator.stop()

    assert programs.started[0].returncode == -signal.SIGKILL
    deadline = time.monotonic() + 60
    while is_running(child):
        assert time.monotonic() < deadline


def test_one_ends_where_the_system_does_not_tell_of_it(
    programs: Programs, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Python was built on an older Linux, or on another system."""
    monkeypatch.delattr(os, "pidfd_open", raising=False)
    emulator = programs.start(f"import sys; print({ANNOUNCEMENT!r}, flush=True); sys.stdin.read()")
    emulator.wait_until_ready()

    emulator.stop()

    assert programs.started[0].returncode == 0


def is_running(process_id: int) -> bool:
    """Whether it is there and not merely waiting to be reaped."""
    try:
        os.kill(process_id, 0)
        state = subprocess.run(
            ["ps", "-o", "stat=", "-p", str(process_id)],
            capture_output=True,
            text=True,
            check=False,
        ).stdout
    except ProcessLookupError:
        return False
    return bool(state) and not state.startswith("Z")


def test_a_state_that_is_no_directory_is_named(tmp_path: Path) -> None:
    state = tmp_path / "state"
    state.touch()

    with pytest.raises(ServiceError) as caught:
        PreparedEmulator({}).begin(state, allow_admin=False)

    assert caught.value.message == f"cannot start the local emulator in `{state}`: File exists"


@pytest.mark.skipif(sys.platform != "linux", reason="reads another process's environment")
def test_the_emulator_gets_no_secret_of_ours(tmp_path: Path) -> None:
    environ = {
        **os.environ,
        "AZURE_STORAGE_KEY": "key of ours",
        "BATCH_RUN_SECRET_TOP": "secret of ours",
        "IDENTITY_HEADER": "secret of a managed identity",
        "BATCH_RUN_TARGET": "local",
    }
    emulator = PreparedEmulator(environ).begin(tmp_path, allow_admin=False)
    try:
        emulator.wait_until_ready()
        content = Path(f"/proc/{emulator._process.pid}/environ").read_bytes()
    finally:
        emulator.stop()

    names = {line.partition(b"=")[0] for line in content.split(b"\0")}
    assert b"BATCH_RUN_TARGET" in names
    assert not names & {b"AZURE_STORAGE_KEY", b"BATCH_RUN_SECRET_TOP", b"IDENTITY_HEADER"}


def test_one_that_was_prepared_and_is_not_needed_leaves_nothing(tmp_path: Path) -> None:
    prepared = PreparedEmulator(os.environ)
    process = prepared._process
    assert process is not None

    prepared.discard()
    prepared.discard()

    assert process.returncode == -signal.SIGKILL
    with pytest.raises(ServiceError) as caught:
        prepared.begin(tmp_path / "state", allow_admin=False)
    assert caught.value.message == (
        f"cannot start the local emulator in `{tmp_path / 'state'}`: it was begun or discarded"
        " before"
    )
    assert list(tmp_path.iterdir()) == []


def test_what_kept_one_from_being_prepared_is_told_and_kept(tmp_path: Path) -> None:
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "asyncio.py").write_text("raise SystemExit('no asyncio today')\n")
    environ = {**os.environ, "PYTHONPATH": str(tmp_path / "broken")}
    state = tmp_path / "state"
    emulator = PreparedEmulator(environ).begin(state, allow_admin=False)

    with pytest.raises(ServiceError) as caught:
        emulator.wait_until_ready()
    emulator.stop()

    assert caught.value.message == (
        "the local emulator ended before it was ready: no asyncio today"
    )
    assert caught.value.hint == f"see {state / MESSAGES}"
    assert (state / MESSAGES).read_text() == "no asyncio today\n"


def test_one_that_was_prepared_ends_with_whoever_prepared_it() -> None:
    program = (
        "import os\n"
        "from runner.remote.local import PreparedEmulator\n"
        "print(PreparedEmulator(os.environ)._process.pid, flush=True)\n"
        "os._exit(0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    deadline = time.monotonic() + 60
    while is_running(int(done.stdout)):
        assert time.monotonic() < deadline
