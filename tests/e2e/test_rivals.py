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

    elsewhere = user.run("attach", older, "--output", "older")
    assert elsewhere.returncode == 0, elsewhere.stderr
    there = (user.folder / "older" / "output").glob("*")
    # The file that was up already is as it was then.
    assert {path.name: path.read_bytes() for path in there} == EXPECTED
    assert results(user) == expected


def test_a_run_moves_with_what_it_has_at_home(user: User, gate: Path) -> None:
    """What was home is not made again, and what was spoilt there is."""
    spec = (user.folder / "spec.yaml").read_text()
    user.write("spec.yaml", spec.replace(f"[ ! -e {gate} ]", f"[ ! -e {gate}{{{{ file.stem }}}} ]"))
    for number in (0, 1):
        user.write(f"go{number}", "")
    with user.start("run", "spec.yaml", *LOCAL) as started, opening(user.folder / "go2"):
        wait_until(lambda: _at_home(user) == 2, what="two tasks are home")
        wait_until(lambda: begun(user) == 4, what="the other tasks run")
        attached = user.start("attach", "--output", "moved")
        with attached:
            _, stderr = attached.communicate(timeout=60)
        assert attached.returncode == 2
        assert stderr == (
            f"batch-run: `--output` is for a run that nobody drives, and process {started.pid}"
            f" drives `{user.last_run().name}`\n"
        )
        started.kill()
        started.communicate()
    user.write("go3", "")
    spoilt = user.folder / "results" / "demo" / "output" / "1.txt.out"
    spoilt.write_bytes(b"x" * spoilt.stat().st_size)
    before = results(user)

    moved = user.run("resume", "--output", "moved")

    assert moved.returncode == 0, moved.stderr
    there = (user.folder / "moved" / "output").glob("*")
    assert {path.name: path.read_bytes() for path in there} == EXPECTED
    assert results(user) == before
    names = (user.folder / "begun").read_text().split()
    assert names.count("0.txt") == 1
    again = user.run("run", "spec.yaml", "--output", "moved", *LOCAL)
    assert again.returncode == 0, again.stderr
    wait_until(lambda: user.processes() == [], what="nothing is left running")


def _at_home(user: User) -> int:
    """How many tasks have come to their end, and are told to have."""
    try:
        text = (user.last_run() / "events.jsonl").read_text()
    except FileNotFoundError:
        return 0
    return text.count('"type":"task.finished"')
