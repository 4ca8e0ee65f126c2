"""What may be asked for beside further tries."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
job: {priority: 1}
tasks:
  one:
    command: echo
    timeout: 5m
    retries: {resource_download: 2, timeout: 1, backoff: 5s}
    exit_rules:
      - {codes: [1, 3-5], job: terminate}
      - {causes: [upload-error], dependents: run}
  two: {command: echo, needs: one}
"""
STOPS = (
    "`job.on_failure: stop` ends the job with the first try that fails, before there can be another"
)
SEES_TO = (
    "take `on_failure` away, or give one number, which the service sees to before it ends the job:"
    " `retries: 2`"
)
RETRIES = "{resource_download: 2, timeout: 1, backoff: 5s}"


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    (RETRIES, "2"),
    (RETRIES, "{exit_code: 2}"),
    (RETRIES, "{exit_code: 2, preemption: 5}"),
    ("causes: [upload-error], dependents: run", "causes: [resource-error], dependents: block"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


def rule(place: str, action: str, cause: str) -> tuple[str, str, str]:
    """What is said of a rule that acts too early."""
    return (
        f"{place} retries",
        (
            f"this rule {action} after the first try that fails, though `retries.{cause}` asks"
            " for more"
        ),
        "take one of the two away",
    )


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "    timeout: 5m\n",
        "",
        [
            (
                "8:37 retries",
                "no try is ended by its `timeout`: there is none",
                "add `timeout:` to the step, or take this away",
            )
        ],
    ),
    (
        "job: {priority: 1}",
        "job: {on_failure: stop}",
        [
            (
                "9:5 retries",
                STOPS,
                SEES_TO,
            )
        ],
    ),
    (
        "upload-error",
        "resource-error",
        [rule("12:10", "lets other tasks run", "resource_download")],
    ),
    (
        "[upload-error], dependents: run",
        "[other], job: disable",
        [rule("12:10", "disables the job", "resource_download")],
    ),
    (
        "[upload-error], dependents: run",
        "[other], job: disable}\n      - {causes: [resource-error], dependents: block",
        [rule("12:10", "disables the job", "timeout")],
    ),
    ("{resource_download", "{exit_code", [rule("11:10", "ends the job", "exit_code")]),
]


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_what_cannot_be(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts


def test_nobody_watches_the_jobs_of_a_schedule() -> None:
    text = """\
version: 1
name: topics
pool: {image: debian 12, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
job: {schedule: {every: 1h, end: "2031-01-01T00:00:00Z"}}
task: {command: echo, retries: {output_upload: 1}}
"""
    (fact,) = facts_of(text)
    assert fact == (
        "5:23 retries",
        "a run makes these tries, and nobody watches the jobs of a `job.schedule`",
        "give one number, which the service sees to: `retries: 2`",
    )
