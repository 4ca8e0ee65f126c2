"""The same runs with somebody else's Blob Storage: Batch is the emulator, the files lie in Azurite.

`BATCH_RUN_STORAGE=azurite` puts all other tests with a separate emulator on Azurite too.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e import test_clean, test_containers, test_runs, test_steps
from tests.e2e.accounts import Accounts, open_accounts
from tests.e2e.conftest import Emulator, User, start_emulator


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config
) -> Iterator[Emulator]:
    """An emulator and an Azurite with the same storage account."""
    folder: Path = tmp_path_factory.mktemp("services")
    with start_emulator({}, folder, "azurite", pytestconfig) as running:
        yield running


@pytest.fixture
def user(user: User, services: Emulator) -> User:
    """A user whose environment names the two accounts."""
    return user.with_environ(**services.environ)


@pytest.fixture
def azure(user: User) -> User:
    """The same, as the tests of containers call it."""
    return user


@pytest.fixture
def accounts(services: Emulator) -> Iterator[Accounts]:
    """What is really there, of this test alone: failed runs keep their containers."""
    with open_accounts(services) as opened:
        for name in opened.containers():
            opened.storage.delete_container(name)
        yield opened


test_odd_names_arrive_byte_exact = test_runs.test_odd_names_arrive_byte_exact
test_logs_of_a_task_that_fails = test_runs.test_one_task_that_fails
test_steps_hand_on_their_files = test_steps.test_a_map_a_second_map_and_a_merge
test_an_existing_container = (
    test_containers.test_an_existing_container_is_read_below_its_prefix_and_left_alone
)

test_what_was_kept_on_purpose_is_cleaned = test_clean.test_what_was_kept_on_purpose


def test_a_run_leaves_nothing_behind(user: User, accounts: Accounts) -> None:
    test_runs.write_spec(user, "cp {{ file.path }} {{ file.name }}.out")
    user.write("data/a b.txt", "content")

    done = user.run("spec.yaml")

    assert done.returncode == 0, done.stderr
    assert (user.folder / "results/demo/output/a b.txt.out").read_text() == "content"
    assert accounts.containers() == []
    assert (accounts.pools(), accounts.jobs()) == ([], [])
