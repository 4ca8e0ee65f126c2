"""The table of what `extra` may not hold has all that we send."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from runner.remote.wire import job_body, task_body
from runner.remote.wire_pool import pool_body
from runner.remote.wire_schedule import schedule_body
from runner.spec.model.pool import FixedNodes
from runner.spec.model.terms import Elevation
from runner.spec.validation.rules.sent_properties import (
    JOB_PROPERTIES,
    POOL_PROPERTIES,
    TASK_PROPERTIES,
    Properties,
)
from tests.unit.remote.samples import (
    FULL_JOB,
    FULL_POOL,
    FULL_POOL_REQUEST,
    FULL_STEP,
    FULL_TASK,
    NO_ADDRESSES,
    SCHEDULE,
)

# Properties of which the language knows one value only, and others may be wanted; and metadata of
# a pool, which are added to ours.
OPEN = frozenset({"userIdentity.autoUser.scope"})
PLAIN = replace(FULL_POOL, extra={})
FIXED = replace(PLAIN, size=FixedNodes(dedicated=1, spot=2), network=NO_ADDRESSES)
STEP = replace(FULL_STEP, extra={})
BODIES = (
    (POOL_PROPERTIES, pool_body(replace(FULL_POOL_REQUEST, pool=PLAIN)), OPEN | {"metadata"}),
    (POOL_PROPERTIES, pool_body(replace(FULL_POOL_REQUEST, pool=FIXED)), OPEN | {"metadata"}),
    (JOB_PROPERTIES, job_body(FULL_JOB), frozenset({"allowTaskPreemption"})),
    (TASK_PROPERTIES, task_body(replace(FULL_TASK, step=STEP)), OPEN),
    (
        TASK_PROPERTIES,
        task_body(replace(FULL_TASK, step=replace(STEP, run_as=Elevation.ADMIN))),
        OPEN,
    ),
    (TASK_PROPERTIES, schedule_body(SCHEDULE)["jobSpecification"]["jobManagerTask"], OPEN),
)


def paths_of(body: Mapping[str, object], above: str = "") -> Iterator[str]:
    """The dotted path of each value that is not a mapping."""
    for name, value in body.items():
        if isinstance(value, Mapping):
            yield from paths_of(value, f"{above}{name}.")
        else:
            yield f"{above}{name}"


@pytest.mark.parametrize(("properties", "body", "others"), BODIES)
def test_all_that_is_sent_is_in_the_table(
    properties: Properties, body: dict[str, object], others: frozenset[str]
) -> None:
    sent = set(paths_of(body))
    assert len(sent) > 5
    assert {
        path
        for path in sent - others
        if not any(f"{path}.".startswith(f"{each}.") for each in properties)
    } == set()
