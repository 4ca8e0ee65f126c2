"""Files of nodes and tasks, as the service has them: read in pieces, and from their ends."""

from __future__ import annotations

import pytest

from runner.errors import ServiceRefusedError
from runner.plan.model import TaskId
from runner.remote.batch import RemoteBatch
from tests.unit.remote.stub import Canned, Seen, Stub, batch_error

LOG = b"".join(b"line %d\n" % number for number in range(20_000))
FILE = {"Content-Type": "application/octet-stream"}
"""As the service names the content of any file (REST: File - Get From Compute Node)."""


@pytest.fixture(params=[200, 206])
def status(request: pytest.FixtureRequest) -> int:
    """What a range is answered with: the service does either."""
    code: int = request.param
    return code


def serve(stub: Stub, status: int) -> None:
    def answer(seen: Seen) -> Canned:
        span = seen.headers.get("ocp-range")
        if span is None:
            return Canned(body=LOG, headers=FILE)
        first, last = map(int, span.removeprefix("bytes=").split("-"))
        return Canned(status=status, body=LOG[first : last + 1], headers=FILE)

    stub.answer(answer)


def test_the_end_of_a_log_is_all_that_is_read_of_it(
    batch: RemoteBatch, stub: Stub, status: int
) -> None:
    serve(stub, status)
    assert batch.read_node_log("p", "tvm_1", "startup/stderr.txt", 30) == LOG[-30:]
    assert batch.read_node_log("p", "tvm_1", "startup/stderr.txt", 10**9) == LOG
    assert {seen.path for seen in stub.seen} == {
        "/acct/pools/p/nodes/tvm_1/files/startup%2Fstderr.txt"
    }
    ranges = [(seen.method, seen.headers.get("ocp-range")) for seen in stub.seen]
    last = len(LOG) - 1
    assert ranges == [
        ("HEAD", None),
        ("GET", f"bytes={last - 29}-{last}"),
        ("HEAD", None),
        ("GET", f"bytes=0-{last}"),
    ]


def test_pieces_of_files_of_nodes_and_of_tasks(batch: RemoteBatch, stub: Stub, status: int) -> None:
    serve(stub, status)
    path = "workitems/cat-1/job-1/jobpreparation/stderr.txt"
    assert batch.node_file_size("p", "tvm_1", path) == len(LOG)
    assert batch.read_node_file("p", "tvm_1", path, start=5, length=4) == LOG[5:9]
    assert batch.task_file_size("j", TaskId("1"), "stdout.txt") == len(LOG)
    assert batch.read_task_file("j", TaskId("1"), "stdout.txt", start=5, length=4) == LOG[5:9]
    assert [seen.path for seen in stub.seen[1::2]] == [
        "/acct/pools/p/nodes/tvm_1/files/workitems%2Fcat-1%2Fjob-1%2Fjobpreparation%2Fstderr.txt",
        "/acct/jobs/j/tasks/1/files/stdout.txt",
    ]


@pytest.mark.parametrize(("status", "code"), [(404, "FileNotFound"), (409, "NodeNotReady")])
def test_a_file_that_is_not_there(batch: RemoteBatch, stub: Stub, status: int, code: str) -> None:
    stub.answer(batch_error(status, code, "There is no such file."))
    assert batch.node_file_size("p", "n", "startup/stderr.txt") is None
    assert batch.read_node_file("p", "n", "startup/stderr.txt", start=0, length=1) is None
    assert batch.read_node_log("p", "n", "startup/stderr.txt", 10) == b""


def test_of_an_empty_log_nothing_is_read(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(Canned(headers=FILE))
    assert batch.read_node_log("p", "n", "startup/stderr.txt", 10) == b""
    assert [seen.method for seen in stub.seen] == ["HEAD"]


def test_a_log_that_is_begun_anew_between_two_looks(batch: RemoteBatch, stub: Stub) -> None:
    # As of a start task, which the service runs again.
    def answer(seen: Seen) -> Canned:
        if seen.method == "HEAD":
            return Canned(body=LOG, headers=FILE)
        return batch_error(416, "InvalidRange", "The range specified is invalid.")

    stub.answer(answer)
    assert batch.read_node_log("p", "n", "startup/stderr.txt", 10) == b""
    assert batch.read_task_file("j", TaskId("1"), "stdout.txt", start=5, length=4) is None


def test_other_refusals_are_told(batch: RemoteBatch, stub: Stub) -> None:
    stub.answer(batch_error(403, "AuthenticationFailed", "Not you."))
    with pytest.raises(ServiceRefusedError):
        batch.read_node_file("p", "n", "startup/stderr.txt", start=0, length=1)
