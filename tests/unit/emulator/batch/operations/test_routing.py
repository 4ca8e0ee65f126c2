"""Paths to operations, before anything is decoded."""

from __future__ import annotations

import pytest

from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.routing import Routes
from runner.emulator.batch.operations.table import OPERATIONS

ROUTES = Routes(OPERATIONS)


def test_every_operation_is_found_by_its_own_path() -> None:
    assert len(OPERATIONS) == 72
    for operation in OPERATIONS:
        assert ROUTES.find(operation.method, operation.path).operation is operation


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/jobs/j/tasks/t/files/wd%2Fsub%20dir%2Fout.txt", "wd/sub dir/out.txt"),
        ("/jobs/j/tasks/t/files/wd/sub%20dir/out.txt", "wd/sub dir/out.txt"),
        ("/jobs/j/tasks/t/files/%25.txt", "%.txt"),
        ("/pools/p/nodes/n/files/a%FF", "a\udcff"),
    ],
)
def test_a_file_is_one_segment_or_many(path: str, name: str) -> None:
    match = ROUTES.find("GET", path)
    assert match.operation.name in ("download_task_file", "download_node_file")
    assert match.variables["filePath"] == name


@pytest.mark.parametrize(
    ("method", "path", "reason"),
    [
        ("GET", "/", Reason.URI_INVALID),
        ("GET", "/nothing", Reason.URI_INVALID),
        ("GET", "/jobs/j/tasks/t/else", Reason.URI_INVALID),
        ("PUT", "/pools/p", Reason.VERB_UNSUPPORTED),
        ("DELETE", "/jobs", Reason.VERB_UNSUPPORTED),
    ],
)
def test_what_leads_nowhere(method: str, path: str, reason: Reason) -> None:
    with pytest.raises(RefusedError) as caught:
        ROUTES.find(method, path)
    assert caught.value.reason is reason
