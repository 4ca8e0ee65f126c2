"""The schema and the workloads of this checkout are found."""

from __future__ import annotations

from runner.spec.bundled import bundled


def test_the_schema_and_the_workloads_are_there() -> None:
    assert bundled("schema", "workload.schema.json").is_file()
    assert bundled("workloads", "cat.yaml").is_file()


def test_a_file_that_is_not_there_is_the_callers_question() -> None:
    assert not bundled("workloads", "nothing.yaml").exists()
