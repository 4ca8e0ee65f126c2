"""Attempts and subtasks of tasks, and pools of more nodes than come at once; nothing is run."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.unit.emulator.dashboard.watching import Watched, watch_executions

NODES = 2003
TASKS = "batch/localbatch/jobs/job/tasks"


@pytest.fixture(scope="module")
def ran() -> Iterator[Watched]:
    """A task that was tried three times, one that has run on three nodes, and many nodes."""
    with watch_executions(nodes=NODES) as watched:
        yield watched


def test_each_attempt_of_a_task_is_told(ran: Watched) -> None:
    found = ran.page.look(f"{TASKS}/again")

    attempts = found["attempts"]
    assert (found["task"]["attempts"], found["subtasks"]) == (3, [])
    assert [(each["exit_code"], each["code"]) for each in attempts] == [(7, "FailureExitCode")] * 3
    assert {each["pool"] for each in attempts} == {"few"}
    times = [moment for each in attempts for moment in (each["started"], each["ended"])]
    assert times == sorted(times)
    assert attempts[-1]["started"] == found["task"]["started"]
    assert ran.page.look(f"{TASKS}/once")["attempts"] == []


def test_each_subtask_is_told_with_its_folder(ran: Watched) -> None:
    found = ran.page.look(f"{TASKS}/wide")

    subtasks = found["subtasks"]
    folder = "workitems/job/job-1/wide"
    assert [(each["number"], each["state"], each["folder"]) for each in subtasks] == [
        (1, "completed", f"{folder}/1"),
        (2, "completed", f"{folder}/2"),
    ]
    assert {each["failed"] for each in subtasks} == {False}
    nodes = {found["task"]["node"], *(each["node"] for each in subtasks)}
    assert len(nodes) == 3
    assert found["attempts"] == []


def test_many_nodes_are_a_map_and_come_in_pages(ran: Watched) -> None:
    pool = "batch/localbatch/pools/many"
    found = ran.page.look(f"{pool}/map")

    assert found["kinds"] == [["idle", True, 0]]
    assert found["cells"] == "!" * NODES
    pages: list[Any] = [ran.page.look(f"{pool}?start={start}") for start in found["starts"]]
    assert [len(page["nodes"]) for page in pages] == [1000, 1000, 3]
    assert [page["next"] for page in pages] == [*found["starts"][1:], None]
    assert len({node["id"] for page in pages for node in page["nodes"]}) == NODES
    assert ran.page.look("batch/localbatch/pools/few/map")["starts"] == [""]
