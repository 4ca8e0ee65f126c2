"""Who makes the further tries of a task, and when."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from runner.spec.model.retries import (
    DEFAULT_BACKOFF,
    LONGEST_BACKOFF,
    RetryBudget,
    RetryCause,
    RetryPlan,
)
from runner.spec.parsing.parse_retries import parse_retries

SECOND = timedelta(seconds=1)


def budget(times: int, backoff: timedelta = DEFAULT_BACKOFF) -> RetryBudget:
    return RetryBudget(times=times, backoff=backoff)


@pytest.mark.parametrize(
    ("data", "by_service", "budgets"),
    [
        (2, 2, {}),
        (2.0, 2, {}),
        ({"exit_code": 2}, 2, {}),
        ({"exit_code": {"times": 2}, "timeout": 0}, 2, {}),
        ({"exit_code": 2, "backoff": "5s"}, 0, {RetryCause.EXIT_CODE: budget(2, 5 * SECOND)}),
        (
            {"exit_code": {"times": 2, "backoff": "1s"}},
            0,
            {RetryCause.EXIT_CODE: budget(2, SECOND)},
        ),
        (
            {"exit_code": 2, "timeout": 1},
            0,
            {RetryCause.EXIT_CODE: budget(2), RetryCause.TIMEOUT: budget(1)},
        ),
        (
            {"output_upload": 1, "resource_download": {"times": 3, "backoff": "1s"}},
            0,
            {
                RetryCause.RESOURCE_DOWNLOAD: budget(3, SECOND),
                RetryCause.OUTPUT_UPLOAD: budget(1),
            },
        ),
    ],
)
def test_budgets(data: Any, by_service: int, budgets: dict[RetryCause, RetryBudget]) -> None:
    assert parse_retries(data) == (by_service, RetryPlan(budgets=budgets))


def test_preemptions_leave_exit_codes_to_the_service() -> None:
    assert parse_retries({"exit_code": 1, "preemption": 3}) == (1, RetryPlan(preemption=3))
    assert parse_retries({"preemption": 0}) == (0, RetryPlan(preemption=0))


def test_waits_double_up_to_a_bound() -> None:
    assert [budget(9, 2 * SECOND).wait_before(n) / SECOND for n in (1, 2, 3, 4)] == [2, 4, 8, 16]
    assert budget(100, SECOND).wait_before(100) == LONGEST_BACKOFF
    assert budget(100, 0 * SECOND).wait_before(100) == timedelta()
    assert budget(3, 2 * LONGEST_BACKOFF).wait_before(3) == 2 * LONGEST_BACKOFF
