"""The page of a local run's services: who finds it, while there is one."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.conftest import User, wait_until
from tests.e2e.gated import LOCAL, begun, closed_gate, emulators
from tests.unit.emulator.dashboard.asking import page_at


@pytest.fixture
def gate(user: User) -> Iterator[Path]:
    """A spec whose tasks wait for this file."""
    with closed_gate(user) as path:
        yield path


def test_the_services_of_a_run_have_a_page_as_long_as_they_run(user: User, gate: Path) -> None:
    left = user.run("run", "spec.yaml", "--detach", *LOCAL)
    assert left.returncode == 0, left.stderr
    address = user.last_run() / "emulator" / "dashboard"
    wait_until(lambda: begun(user) == 2, what="tasks run")

    page = page_at(address.read_text().strip())
    (job,) = page.look("overview")["batch"][0]["jobs"]
    shown = user.run("status").stdout

    assert oct(address.stat().st_mode) == "0o100600"
    assert (job["id"], job["tasks"]["running"]) == (user.last_run().name, 2)
    place = f".batch-run/runs/{user.last_run().name}/emulator/dashboard"
    assert f"\nits services have a page: the address is in {place}\n" in shown
    assert page.token not in shown + left.stderr

    gate.touch()
    wait_until(lambda: emulators(user) == 0, what="the emulator has ended by itself")
    assert not address.exists()
    assert "its services have a page" not in user.run("status").stdout

    # An emulator that is killed leaves the file behind, of a run that has ended too.
    assert user.run("attach").returncode == 0
    address.parent.mkdir(exist_ok=True)
    address.write_text(f"http://127.0.0.1:{page.port}/#token={page.token}\n")
    assert "its services have a page" not in user.run("status").stdout
