"""The machine: what is set, and what contradicts."""

from __future__ import annotations

import base64

import pytest

from runner.run.diagnosis.finding import Verdict
from runner.run.diagnosis.machine import Machine, judge_machine

KEY = base64.b64encode(b"secret").decode()
CONNECTION = f"DefaultEndpointsProtocol=https;AccountName=store;AccountKey={KEY}"
BATCH = {
    "AZURE_BATCH_ENDPOINT": "https://mine.westeurope.batch.azure.com",
    "AZURE_BATCH_ACCESS_KEY": KEY,
}
GIB = 1024**3


def machine(
    environ: dict[str, str], *, problem: str | None = None, free: int | None = 10 * GIB
) -> Machine:
    return Machine(
        target="azure",
        why="as `--target` says",
        environ=environ,
        versions={"batch-run": "1", "Python": "3.11"},
        folder_problem=problem,
        free_bytes=free,
    )


def test_a_machine_that_is_fine() -> None:
    environ = {**BATCH, "AZURE_STORAGE_CONNECTION_STRING": CONNECTION, "AZURE_STORAGE_KEY": " "}
    found = tuple(judge_machine(machine(environ)))
    assert [(each.verdict, each.check, each.seen) for each in found] == [
        (Verdict.OK, "target", "azure, as `--target` says"),
        (Verdict.OK, "versions", "batch-run 1, Python 3.11"),
        (
            Verdict.OK,
            "variables",
            "set: AZURE_BATCH_ENDPOINT, AZURE_BATCH_ACCESS_KEY, AZURE_STORAGE_CONNECTION_STRING",
        ),
        (Verdict.OK, "folder", "runs can be written down here"),
        (Verdict.OK, "disk", "10.0 GiB free for results"),
    ]
    assert KEY not in repr([each.seen for each in found])


@pytest.mark.parametrize(
    ("environ", "verdict", "seen"),
    [
        (
            {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION, "AZURE_STORAGE_ACCOUNT": "other"},
            Verdict.WARNING,
            (
                "AZURE_STORAGE_ACCOUNT is `other`, and AZURE_STORAGE_CONNECTION_STRING is of"
                " `store`, which counts"
            ),
        ),
        (
            {"AZURE_STORAGE_CONNECTION_STRING": CONNECTION, "AZURE_STORAGE_KEY": KEY},
            Verdict.WARNING,
            "AZURE_STORAGE_KEY is not used, since AZURE_STORAGE_CONNECTION_STRING is set",
        ),
        (
            {"AZURE_STORAGE_ACCOUNT": "store", "AZURE_STORAGE_SAS_TOKEN": "sig=x"},
            Verdict.WARNING,
            "AZURE_STORAGE_SAS_TOKEN is not used: a run signs for its nodes itself",
        ),
        (
            {"AZURE_BATCH_ACCOUNT": "yours"},
            Verdict.ERROR,
            "AZURE_BATCH_ACCOUNT is `yours`, and AZURE_BATCH_ENDPOINT is of `mine`",
        ),
    ],
)
def test_variables_that_say_different_things(
    environ: dict[str, str], verdict: Verdict, seen: str
) -> None:
    found = [
        (each.verdict, each.seen)
        for each in judge_machine(machine({**BATCH, **environ}))
        if each.verdict is not Verdict.OK
    ]
    assert found == [(verdict, seen)]


def test_an_emulators_endpoint_names_no_account() -> None:
    environ = {"AZURE_BATCH_ENDPOINT": "http://127.0.0.1:1/x", "AZURE_BATCH_ACCOUNT": "x"}
    assert all(each.verdict is Verdict.OK for each in judge_machine(machine(environ)))


def test_a_folder_that_takes_nothing_and_a_full_disk() -> None:
    found = tuple(judge_machine(machine(BATCH, problem="`x`: permission denied", free=GIB // 2)))
    assert [(each.verdict, each.seen) for each in found[-2:]] == [
        (Verdict.ERROR, "runs cannot be written down here: `x`: permission denied"),
        (Verdict.WARNING, "0.5 GiB free for results"),
    ]
    assert tuple(judge_machine(machine(BATCH, free=None)))[-1].verdict is Verdict.UNKNOWN
