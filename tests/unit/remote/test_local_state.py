"""The state of a local emulator: joined where one goes on by itself, waited for where one ends."""

from __future__ import annotations

import fcntl
import json
import os
import stat
import threading
from pathlib import Path

import pytest

from runner.errors import ServiceError
from runner.remote.local_state import (
    PLACE,
    Place,
    check_room,
    forget_place,
    is_in_use,
    join_emulator,
    read_place,
    take_hold,
    write_place,
)
from runner.remote.settings import BATCH_KEY, STORAGE_KEY, Account, AzureSettings

SETTINGS = AzureSettings(
    batch=Account(endpoint="http://127.0.0.1:1/b", name="b", key="Yg==", key_variable=BATCH_KEY),
    storage=Account(
        endpoint="http://127.0.0.1:1/s", name="s", key="cw==", key_variable=STORAGE_KEY
    ),
)


class Working:
    """Stands for an emulator that works on the state: it has the lock, and its keys are there."""

    def __init__(self, state: Path, *, outlives: bool) -> None:
        self._file = os.open(state / "lock", os.O_RDWR | os.O_CREAT)
        self._clients = os.open(state / "clients", os.O_RDWR | os.O_CREAT)
        fcntl.flock(self._file, fcntl.LOCK_EX)
        (state / "accounts.json").write_text(json.dumps({"b": "Yg==", "s": "cw=="}))
        write_place(state, Place(settings=SETTINGS, pid=7, outlives=outlives))

    def lock_out_clients(self) -> bool:
        try:
            fcntl.flock(self._clients, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def end(self) -> None:
        os.close(self._file)
        os.close(self._clients)


def test_nothing_is_joined_where_none_ever_worked(tmp_path: Path) -> None:
    assert join_emulator(tmp_path / "none") is None


def test_nothing_is_joined_where_none_works_any_more(tmp_path: Path) -> None:
    Working(tmp_path, outlives=True).end()
    assert join_emulator(tmp_path) is None
    hold = take_hold(tmp_path)
    assert hold is not None
    hold.release()


def test_one_that_goes_on_by_itself_is_joined_and_kept(tmp_path: Path) -> None:
    working = Working(tmp_path, outlives=True)

    joined = join_emulator(tmp_path)

    assert joined is not None
    assert joined.settings == SETTINGS
    assert not working.lock_out_clients()
    assert joined.ended() is None
    joined.leave()
    joined.stop()
    assert working.lock_out_clients()
    working.end()
    assert joined.ended() == "the local emulator has ended"


def test_the_end_of_one_that_was_joined_is_waited_for(tmp_path: Path) -> None:
    working = Working(tmp_path, outlives=True)
    joined = join_emulator(tmp_path)
    assert joined is not None

    def end_when_released() -> None:
        while not working.lock_out_clients():
            threading.Event().wait(0.01)
        working.end()

    ending = threading.Thread(target=end_when_released)
    ending.start()
    joined.stop()
    assert not is_in_use(tmp_path)
    ending.join()


def test_one_that_ends_with_its_client_is_waited_for(tmp_path: Path) -> None:
    working = Working(tmp_path, outlives=False)
    ending = threading.Timer(0.2, working.end)
    ending.start()
    assert join_emulator(tmp_path) is None
    ending.join()


def test_one_that_has_begun_to_end_is_waited_for(tmp_path: Path) -> None:
    working = Working(tmp_path, outlives=True)
    assert working.lock_out_clients()
    ending = threading.Timer(0.2, working.end)
    ending.start()
    assert join_emulator(tmp_path) is None
    ending.join()


def test_one_that_does_not_end_is_named(tmp_path: Path) -> None:
    working = Working(tmp_path, outlives=False)
    with pytest.raises(ServiceError) as caught:
        join_emulator(tmp_path, limit_seconds=0.1)
    working.end()
    assert caught.value.message == (f"the local emulator, process 7, still works on `{tmp_path}`")
    assert caught.value.hint == "it ends by itself once the program that started it has ended"


def test_the_place_holds_no_key_and_is_its_owners_alone(tmp_path: Path) -> None:
    Working(tmp_path, outlives=True).end()
    text = (tmp_path / PLACE).read_text()
    assert "Yg==" not in text
    assert "cw==" not in text
    assert stat.S_IMODE((tmp_path / PLACE).stat().st_mode) == 0o600
    assert read_place(tmp_path) == Place(settings=SETTINGS, pid=7, outlives=True)
    forget_place(tmp_path)
    assert read_place(tmp_path) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"batch": {"account": "other"}}'])
def test_a_place_that_says_nothing(tmp_path: Path, content: str) -> None:
    Working(tmp_path, outlives=True).end()
    (tmp_path / PLACE).write_text(content)
    assert read_place(tmp_path) is None


def test_a_state_that_is_not_ours_to_write(tmp_path: Path) -> None:
    (tmp_path / "clients").mkdir()
    with pytest.raises(ServiceError) as caught:
        take_hold(tmp_path)
    assert caught.value.message == f"cannot write `{tmp_path / 'clients'}`: is a directory"


def test_a_disk_with_room_is_no_trouble(tmp_path: Path) -> None:
    check_room(tmp_path)


def test_a_state_that_cannot_be_looked_at_is_no_full_disk(tmp_path: Path) -> None:
    check_room(tmp_path / "gone")
