"""The local target: an emulator of our own that keeps its state and goes when we go."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from runner.connect import open_local, open_running
from runner.run.services import JobState


def test_a_local_target_opens_and_is_gone_when_closed(tmp_path: Path) -> None:
    state = tmp_path / "a b" / "state"
    environ = {**os.environ, "AZURE_STORAGE_KEY": "c2VjcmV0", "HTTP_PROXY": "http://127.0.0.1:1"}

    for name in ("first", "second"):
        with open_local(
            state=state, allow_admin=False, isolation="none", environ=environ
        ) as services:
            assert services.target == "local"
            services.blobs.create_container(name, {})
            services.blobs.upload_text(name, "a.txt", "hello")
            assert services.blobs.download_file(name, "a.txt", tmp_path / name) == 5
            assert (tmp_path / name).read_bytes() == b"hello"
            assert is_listening(services.batch.endpoint)
        assert not is_listening(services.batch.endpoint)
        services.close()

    assert (state / "emulator.err").read_text() == (
        "emulator: nodes are folders, and tasks are processes of this machine\n"
    )


def test_modules_in_the_users_folder_do_not_stand_for_the_emulators(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("json", "asyncio", "httptools", "runner"):
        (tmp_path / f"{module}.py").write_text("raise SystemExit('shadowed')")
    monkeypatch.chdir(tmp_path)

    with open_local(state=Path("state"), allow_admin=True, environ=os.environ) as services:
        assert services.blobs.list_containers("") == ()


def test_the_emulator_goes_when_its_client_is_killed(tmp_path: Path) -> None:
    program = (
        "import os, pathlib, sys\n"
        "from runner.connect import open_local\n"
        f"services = open_local(state=pathlib.Path({str(tmp_path)!r}), allow_admin=False,"
        " environ=os.environ)\n"
        "print(services.blobs.endpoint, flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as client:
        assert client.stdout is not None
        endpoint = client.stdout.readline().strip()
        assert is_listening(endpoint)
        client.send_signal(signal.SIGKILL)
        client.wait()

    deadline = time.monotonic() + 60
    while is_listening(endpoint):
        assert time.monotonic() < deadline, "the emulator outlived its client"


def is_listening(endpoint: str) -> bool:
    port = urlsplit(endpoint).port
    assert port is not None
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1):
            return True
    except OSError:
        return False


def test_an_emulator_that_outlives_us_is_joined_and_ends_by_itself(tmp_path: Path) -> None:
    program = (
        "import os, pathlib\n"
        "from runner.connect import open_local\n"
        "from tests.conformance.remote.asking import make_job\n"
        f"with open_local(state=pathlib.Path({str(tmp_path)!r}), allow_admin=False,"
        " isolation='none', outlives=True, environ=os.environ) as services:\n"
        "    services.batch.create_job(make_job('goes-on'))\n"
        "    services.leave()\n"
        "print(services.batch.endpoint)\n"
    )
    first = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )
    endpoint = first.stdout.strip()
    assert is_listening(endpoint)

    with open_local(
        state=tmp_path, allow_admin=False, isolation="none", environ=os.environ
    ) as joined:
        assert joined.batch.endpoint == endpoint
        assert joined.ended() is None
        assert joined.batch.job_status("goes-on").state is JobState.ACTIVE
        # Terminated: a job that is gone again before the emulator looks is one that may yet come.
        joined.batch.terminate_job("goes-on")
    # Closing does not wait for long, and it may have much to write down.
    deadline = time.monotonic() + 60
    while joined.ended() is None:
        assert time.monotonic() < deadline, "the emulator goes on"
        time.sleep(0.05)
    assert not is_listening(endpoint)
    assert joined.ended() == "the local emulator has ended"


def test_an_emulator_that_was_to_outlive_us_ends_with_an_error_of_ours(tmp_path: Path) -> None:
    with open_local(
        state=tmp_path, allow_admin=False, isolation="none", outlives=True, environ=os.environ
    ) as services:
        endpoint = services.batch.endpoint
        beside = open_running(tmp_path, patience=timedelta(seconds=1))
        assert beside is not None
        with beside:
            assert beside.blobs.list_containers("") == ()
    assert not is_listening(endpoint)
    assert open_running(tmp_path, patience=timedelta(seconds=1)) is None
