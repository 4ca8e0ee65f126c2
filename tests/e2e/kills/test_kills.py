"""An emulator with `--data` is killed at any moment, and keeps every promise.

`BATCH_RUN_KILLS` sets how often, `BATCH_RUN_KILLS_SEED` which kills and requests those are.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from tests.e2e.kills.asking import LostError
from tests.e2e.kills.clients import POOL, Client, pool_body
from tests.e2e.kills.emulators import (
    Emulator,
    check_databases,
    spawn,
    start,
    task_processes,
    wait_until_gone,
)

COUNT = int(os.environ.get("BATCH_RUN_KILLS", "3"))
SEED = int(os.environ.get("BATCH_RUN_KILLS_SEED", "1"))
CLIENTS = 3
END_SECONDS = 60


@pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")
@pytest.mark.timeout(120 + 20 * COUNT)
def test_whatever_was_acknowledged_holds_after_a_kill(tmp_path: Path) -> None:
    random = Random(SEED)
    data = tmp_path / "data"
    clients = [Client(number, Random(random.random())) for number in range(CLIENTS)]
    emulator = start(data)
    try:
        with closing(emulator.batch()) as batch:
            made = batch.send("POST", "/pools", pool_body(POOL, 2, "0", slots=4))
        assert made.status == 201, made
        killed = 0
        for kill in range(COUNT):
            _act_until(clients, emulator, random.uniform(0.1, 1.5))
            processes = task_processes(data)
            emulator.kill()
            _start_in_vain(data, random)
            check_databases(data)
            emulator = start(data)
            assert wait_until_gone(processes) == set()
            killed += len(processes)
            wrong = _judge(clients, emulator)
            assert not wrong, f"kill {kill} of seed {SEED}: " + "\n".join(wrong)
        _finish(clients, emulator)
        assert emulator.stop() == 0
        assert task_processes(data) == set()
        emulator = start(data)
        assert _judge(clients, emulator) == []
        acknowledged = sum(client.model.acknowledged for client in clients)
        print(f"{COUNT} kills, {acknowledged} acknowledged changes, {killed} processes left behind")
        assert acknowledged > COUNT
    finally:
        emulator.kill()
        for client in clients:
            client.close()


def _act_until(clients: list[Client], emulator: Emulator, seconds: float) -> None:
    """Has all clients act for a while, then kills the emulator under their requests."""
    faults: list[BaseException] = []
    killed = threading.Event()

    def act(client: Client) -> None:
        client.connect(emulator)
        try:
            while True:
                client.act()
        except LostError:
            if not killed.is_set():
                # It may have been killed just before this was noted.
                killed.wait(1)
        except BaseException as error:  # noqa: BLE001 - raised again where the test sees it
            faults.append(error)

    threads = [threading.Thread(target=act, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not faults:
        time.sleep(0.005)
    emulator.process.kill()
    killed.set()
    for thread in threads:
        thread.join()
    if faults:
        raise faults[0]


def _start_in_vain(data: Path, random: Random) -> None:
    """Sometimes kills the next one while it starts."""
    if random.random() < 0.3:
        process = spawn(data)
        deadline = time.monotonic() + random.uniform(0.2, 1.5)
        while time.monotonic() < deadline and process.poll() is None:
            time.sleep(0.005)
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


def _judge(clients: list[Client], emulator: Emulator) -> list[str]:
    wrong = []
    for client in clients:
        client.connect(emulator)
        wrong += client.judge()
    return wrong


def _finish(clients: list[Client], emulator: Emulator) -> None:
    """All tasks that may run come to their end."""
    deadline = time.monotonic() + END_SECONDS
    left = ["?"]
    while left and time.monotonic() < deadline:
        left = [name for client in clients for name in client.unfinished()]
        time.sleep(0.05)
    assert not left, f"still not over: {left}"
