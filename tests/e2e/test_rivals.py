"""Two runs over one output directory: neither does the other's work, or replaces what is newer."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import User, wait_until
from tests.e2e.gated import EXPECTED, LOCAL, begun, closed_gate, opening, results, state


@pytest.fixture
def gate(user: User) -> Iterator[Path]:
    """A spec whose tasks wait for this file."""
    with closed_gate(user) as path:
        yield path


def test_a_run_that_was_left_has_its_output_directory_to_itself(user: User, gate: Path) -> None:
    assert user.run("run", "spec.yaml", "--detach", *LOCAL).returncode == 0
    run = user.last_run().name
    wait_until(lambda: begun(user) == 2, what="tasks run")

    second = user.run("run", "spec.yaml", *LOCAL)

    assert second.returncode == 2
    directory = user.folder / "results" / "demo"
    assert second.stderr.endswith(
        f"batch-run: run `{run}` was left to go on by itself, and its results come to the output"
        f" directory `{directory}`\n"
        f"  hint: `batch-run attach {run}` brings them home, `batch-run cancel {run}` ends it; or"
        " choose another directory with `--output DIR`\n"
    )
    assert user.last_run().name == run
    assert user.run("cancel").returncode == 0
    gate.touch()
    third = user.run("run", "spec.yaml", *LOCAL)
    assert third.returncode == 0, third.stderr
    assert results(user) == EXPECTED


def test_results_of_a_later_run_are_not_replaced_by_older_ones(user: User, gate: Path) -> None:
    with user.start("run", "spec.yaml", *LOCAL) as started, opening(gate):
        wait_until(lambda: begun(user) == 2, what="tasks run")
        started.kill()
        started.communicate()
    older = user.last_run().name
    gate.touch()
    user.write("data/0.txt", "newer\n")
    later = user.run("run", "spec.yaml", *LOCAL)
    assert later.returncode == 0, later.stderr
    note = f"run {older} was broken off; `batch-run resume {older}` would go on with it\n"
    assert note in later.stderr
    newer = user.last_run().name
    expected = EXPECTED | {"0.txt.out": b"NEWER\n"}
    assert results(user) == expected

    for command in ("resume", "attach"):
        refused = user.run(command, older)
        assert refused.returncode == 2, refused.stderr
        assert refused.stderr.endswith(
            f"batch-run: run `{newer}`, which began later than `{older}`, has written newer results"
            f" into `{user.folder / 'results' / 'demo'}`\n"
            f"  hint: `batch-run resume {older} --output DIR` brings the older ones home elsewhere,"
            f" `batch-run cancel {older}` ends their run\n"
        )
        assert results(user) == expected

    again = user.run("run", "spec.yaml", *LOCAL)
    assert "4 of 4 tasks are unchanged and skipped" in again.stderr
    assert "broken off" not in again.stderr
    assert state(user) == "succeeded"
    assert user.run("cancel", older).returncode == 0
