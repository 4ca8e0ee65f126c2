"""Automatic scaling through azure-batch 15.1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from azure.batch import BatchClient, models
from azure.core.exceptions import HttpResponseError

from tests.conformance.batch.asking import POLL, completed, machine, refused, wait_until

FORMULA = "$TargetDedicatedNodes = 2; $NodeDeallocationOption = taskcompletion;"


def create(client: BatchClient, name: str, **options: Any) -> str:
    client.create_pool(
        models.BatchPoolCreateOptions(
            id=name,
            vm_size="standard_d2s_v5",
            virtual_machine_configuration=machine(),
            **options,
        )
    )
    return name


@pytest.fixture
def pool(client: BatchClient, name: str) -> Iterator[str]:
    """A pool whose formula wants two nodes."""
    create(client, name, enable_auto_scale=True, auto_scale_formula=FORMULA)
    yield name
    client.begin_delete_pool(name, **POLL).wait()


def nodes(client: BatchClient, pool: str, count: int) -> models.BatchPool:
    """The pool, once it has so many nodes and is steady."""

    def look() -> models.BatchPool | None:
        found = client.get_pool(pool)
        steady = found.allocation_state == models.AllocationState.STEADY
        return found if steady and found.current_dedicated_nodes == count else None

    return wait_until(look)


def test_a_pool_is_scaled_by_its_formula(client: BatchClient, pool: str) -> None:
    found = nodes(client, pool, 2)
    assert found.enable_auto_scale is True
    assert found.auto_scale_formula == FORMULA
    assert found.auto_scale_evaluation_interval == timedelta(minutes=15)
    assert found.target_dedicated_nodes == 2
    run = found.auto_scale_run
    assert run is not None
    assert run.error is None
    assert run.results == (
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=taskcompletion"
    )


def test_a_formula_is_evaluated_without_effect(client: BatchClient, pool: str) -> None:
    nodes(client, pool, 2)
    options = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$TargetDedicatedNodes=3")
    run = client.evaluate_pool_auto_scale(pool, options)
    assert run.results == (
        "$TargetDedicatedNodes=3;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue"
    )
    assert run.error is None
    options = models.BatchPoolEvaluateAutoScaleOptions(auto_scale_formula="$something_useless")
    run = client.evaluate_pool_auto_scale(pool, options)
    assert run.results == (
        "$TargetDedicatedNodes=2;$TargetLowPriorityNodes=0;$NodeDeallocationOption=requeue"
    )
    assert run.error is not None
    assert run.error.code == "AutoScalingFormulaEvaluationError"
    assert run.error.error_values is not None
    (value,) = run.error.error_values
    assert (value.name, value.value) == (
        "Message",
        "Line 1, Col 1: Undefined symbol: $something_useless",
    )
    assert client.get_pool(pool).target_dedicated_nodes == 2


def test_scaling_is_enabled_changed_and_disabled(client: BatchClient, name: str) -> None:
    pool = create(client, name, target_dedicated_nodes=1)
    nodes(client, pool, 1)
    options = models.BatchPoolEnableAutoScaleOptions(
        auto_scale_formula="$TargetDedicatedNodes = 2",
        auto_scale_evaluation_interval=timedelta(minutes=6),
    )
    client.enable_pool_auto_scale(pool, options)
    found = nodes(client, pool, 2)
    assert found.auto_scale_evaluation_interval == timedelta(minutes=6)
    resize = models.BatchPoolResizeOptions(target_dedicated_nodes=1)
    assert refused(lambda: client.begin_resize_pool(pool, resize, **POLL)) == (
        409,
        "OperationInvalidForCurrentState",
    )
    # Too soon after the last time; a client that does not try again sees it.
    assert refused(lambda: client.enable_pool_auto_scale(pool, options, retry_total=0)) == (
        503,
        "TooManyEnableAutoScaleRequests",
    )
    client.disable_pool_auto_scale(pool)
    found = client.get_pool(pool)
    assert (found.enable_auto_scale, found.auto_scale_formula) == (False, None)
    assert (found.auto_scale_run, found.target_dedicated_nodes) == (None, 2)
    assert refused(lambda: client.disable_pool_auto_scale(pool)) == (
        409,
        "OperationInvalidForCurrentState",
    )
    client.begin_delete_pool(pool, **POLL).wait()


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ({"enable_auto_scale": True}, "MissingRequiredProperty"),
        ({"auto_scale_formula": FORMULA}, "InvalidPropertyValue"),
        (
            {
                "enable_auto_scale": True,
                "auto_scale_formula": FORMULA,
                "target_dedicated_nodes": 0,
            },
            "InvalidPropertyValue",
        ),
        (
            {
                "enable_auto_scale": True,
                "auto_scale_formula": FORMULA,
                "auto_scale_evaluation_interval": timedelta(minutes=4),
            },
            "InvalidPropertyValue",
        ),
        (
            {
                "enable_auto_scale": True,
                "auto_scale_formula": FORMULA,
                "auto_scale_evaluation_interval": timedelta(hours=169),
            },
            "InvalidPropertyValue",
        ),
        (
            {"enable_auto_scale": True, "auto_scale_formula": "$TargetDedicatedNodes = many"},
            "AutoScalingFormulaSyntaxError",
        ),
        (
            {"enable_auto_scale": True, "auto_scale_formula": "x = 1;" + " " * 8192},
            "AutoScalingFormulaTooLong",
        ),
    ],
)
def test_what_no_pool_may_have(
    client: BatchClient, name: str, options: dict[str, Any], code: str
) -> None:
    assert refused(lambda: create(client, name, **options)) == (400, code)


def test_a_fault_is_said_with_its_place(client: BatchClient, name: str) -> None:
    with pytest.raises(HttpResponseError) as caught:
        create(client, name, enable_auto_scale=True, auto_scale_formula="x = 1;\ny = many;")
    error: Any = caught.value
    values = {value["key"]: value["value"] for value in error.model.as_dict()["values"]}
    assert values == {
        "PropertyName": "autoScaleFormula",
        "PropertyValue": "x = 1;\ny = many;",
        "Reason": "Line 2, Col 5: Undefined symbol: many",
    }


def test_a_job_has_a_scaled_pool_of_its_own(client: BatchClient, name: str) -> None:
    specification = models.BatchPoolSpecification(
        vm_size="standard_d2s_v5",
        virtual_machine_configuration=machine(),
        enable_auto_scale=True,
        auto_scale_formula="$TargetDedicatedNodes = 1;",
    )
    auto = models.BatchAutoPoolSpecification(pool_lifetime_option="job", pool=specification)
    info = models.BatchPoolInfo(auto_pool_specification=auto)
    client.create_job(models.BatchJobCreateOptions(id=name, pool_info=info))
    client.create_task(name, models.BatchTaskCreateOptions(id="t", command_line="/bin/true"))
    completed(client, name, "t")
    client.begin_delete_job(name, **POLL).wait()
