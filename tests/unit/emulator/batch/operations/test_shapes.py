"""Bodies against shapes: what passes, what is filled in, what is refused."""

from __future__ import annotations

from typing import Any

import pytest

from runner.emulator.batch.core.limits import Limits
from runner.emulator.batch.core.refusal import Reason, RefusedError
from runner.emulator.batch.operations.bodies.job import decode_job
from runner.emulator.batch.operations.bodies.pool import decode_pool
from runner.emulator.batch.operations.bodies.task import decode_task, task_shape
from runner.emulator.batch.operations.shapes import Boolean, Integer

LIMITS = Limits()
SHAPE = task_shape(LIMITS)
MACHINE = {
    "imageReference": {"publisher": "Debian", "offer": "debian-12", "sku": "12"},
    "nodeAgentSKUId": "batch.node.debian 12",
}


def task(**properties: Any) -> Any:
    """The document of a task with these properties."""
    return decode_task({"id": "t", "commandLine": "x", **properties}, SHAPE, LIMITS).document


def why_not(**properties: Any) -> tuple[Reason, dict[str, str]]:
    """Why a task with these properties is refused."""
    with pytest.raises(RefusedError) as caught:
        task(**properties)
    return caught.value.reason, dict(caught.value.details)


def test_defaults_are_filled_in() -> None:
    assert task() == {
        "commandLine": "x",
        "userIdentity": {"autoUser": {"scope": "pool", "elevationLevel": "nonadmin"}},
        "constraints": {
            "maxWallClockTime": "P10675199DT2H48M5.4775807S",
            "retentionTime": "P7D",
        },
        "requiredSlots": 1,
    }


def test_null_is_as_good_as_absent() -> None:
    assert task(displayName=None, userIdentity=None) == task()


def test_enumerations_come_back_as_the_service_writes_them() -> None:
    output = {
        "filePattern": "*",
        "destination": {"container": {"containerUrl": "http://x"}},
        "uploadOptions": {"uploadCondition": "tasksuccess"},
    }
    (shown,) = task(outputFiles=[output])["outputFiles"]
    assert shown["uploadOptions"] == {"uploadCondition": "TaskSuccess"}


@pytest.mark.parametrize(("value", "shown"), [("1", 1), ("+7", 7), ("-2", -2), (3, 3)])
def test_numbers_may_be_strings(value: object, shown: int) -> None:
    found = Integer(low=-2).read(value, "x")
    assert (found, type(found)) == (shown, int)


@pytest.mark.parametrize("value", ["", "1.0", "one", "1" * 20, "\u0661", " 1", None])
def test_other_strings_are_no_numbers(value: object) -> None:
    with pytest.raises(RefusedError) as caught:
        Integer().read(value, "x")
    assert caught.value.details == (("Reason", "x is not an integer"),)


def test_booleans_may_be_strings() -> None:
    assert [Boolean().read(value, "x") for value in ("True", "false", True)] == [True, False, True]
    with pytest.raises(RefusedError) as caught:
        Boolean().read("1", "x")
    assert caught.value.details == (("Reason", "x is not a boolean"),)


@pytest.mark.parametrize(
    ("properties", "reason", "details"),
    [
        ({"colour": 1}, Reason.BODY_INVALID, {"Reason": "There is no property colour"}),
        ({"commandLine": 3}, Reason.BODY_INVALID, {"Reason": "commandLine is not a string"}),
        ({"commandLine": None}, Reason.PROPERTY_MISSING, {"PropertyName": "commandLine"}),
        (
            {"commandLine": ""},
            Reason.PROPERTY_INVALID,
            {"PropertyName": "commandLine", "PropertyValue": "", "Reason": "The value is empty"},
        ),
        (
            {"id": "a b"},
            Reason.PROPERTY_INVALID,
            {
                "PropertyName": "id",
                "PropertyValue": "a b",
                "Reason": "The value has characters that are not allowed",
            },
        ),
        (
            {"id": "a" * 65},
            Reason.PROPERTY_INVALID,
            {
                "PropertyName": "id",
                "PropertyValue": "a" * 65,
                "Reason": "The length is more than 64",
            },
        ),
        (
            {"requiredSlots": True},
            Reason.BODY_INVALID,
            {"Reason": "requiredSlots is not an integer"},
        ),
        (
            {"requiredSlots": 0},
            Reason.PROPERTY_INVALID,
            {
                "PropertyName": "requiredSlots",
                "PropertyValue": "0",
                "Reason": "The value is less than 1",
            },
        ),
        (
            {"constraints": {"maxWallClockTime": "1h"}},
            Reason.BODY_INVALID,
            {"Reason": "maxWallClockTime is not a duration"},
        ),
        (
            {"userIdentity": {"username": "u", "autoUser": {}}},
            Reason.PROPERTY_INVALID,
            {
                "PropertyName": "userIdentity",
                "PropertyValue": "username, autoUser",
                "Reason": "Exactly one of username and autoUser is required",
            },
        ),
        (
            {"resourceFiles": [{"httpUrl": "http://x"}]},
            Reason.PROPERTY_MISSING,
            {"PropertyName": "filePath"},
        ),
        (
            {"multiInstanceSettings": {}},
            Reason.PROPERTY_MISSING,
            {"PropertyName": "coordinationCommandLine"},
        ),
        (
            {"multiInstanceSettings": {"coordinationCommandLine": "x"}, "requiredSlots": 2},
            Reason.PROPERTY_INVALID,
            {
                "PropertyName": "requiredSlots",
                "PropertyValue": "2",
                "Reason": "The value may not be given for multi-instance tasks",
            },
        ),
        (
            {"authenticationTokenSettings": {"access": ["task"]}},
            Reason.PROPERTY_INVALID,
            {
                "PropertyName": "access",
                "PropertyValue": "task",
                "Reason": "The value is not one of: job",
            },
        ),
        (
            {"resourceFiles": [{"httpUrl": "http://x", "filePath": "x", "fileMode": "rwx"}]},
            Reason.PROPERTY_INVALID,
            {
                "PropertyName": "fileMode",
                "PropertyValue": "rwx",
                "Reason": "The value is not an octal number",
            },
        ),
    ],
)
def test_what_is_refused(
    properties: dict[str, Any], reason: Reason, details: dict[str, str]
) -> None:
    assert why_not(**properties) == (reason, details)


@pytest.mark.parametrize(
    "resource",
    [
        {"filePath": "x"},
        {"httpUrl": "http://x", "storageContainerUrl": "http://y", "filePath": "x"},
    ],
)
def test_a_resource_file_has_one_source(resource: dict[str, str]) -> None:
    assert why_not(resourceFiles=[resource])[0] is Reason.PROPERTY_INVALID


def test_a_pool_in_the_service_form() -> None:
    identifier, draft = decode_pool(
        {
            "id": "Pool",
            "vmSize": "STANDARD_D1_V2",
            "virtualMachineConfiguration": MACHINE,
            "targetDedicatedNodes": 2,
            "networkConfiguration": {"subnetId": "x", "publicIPAddressConfiguration": {}},
        },
        LIMITS,
    )
    assert (identifier, draft.target_dedicated, draft.target_spot) == ("Pool", 2, 0)
    assert draft.document == {
        "vmSize": "standard_d1_v2",
        "resizeTimeout": "PT15M",
        "enableAutoScale": False,
        "enableInterNodeCommunication": False,
        "taskSlotsPerNode": 1,
        "taskSchedulingPolicy": {"nodeFillType": "Spread"},
        "virtualMachineConfiguration": {
            "imageReference": {**MACHINE["imageReference"], "version": "latest"},  # type: ignore[dict-item]
            "nodeAgentSKUId": "batch.node.debian 12",
        },
        "networkConfiguration": {
            "subnetId": "x",
            "dynamicVNetAssignmentScope": "none",
            "publicIPAddressConfiguration": {},
        },
    }


@pytest.mark.parametrize(
    ("info", "name"),
    [
        ({}, "poolInfo"),
        (
            {
                "poolId": "p",
                "autoPoolSpecification": {
                    "poolLifetimeOption": "job",
                    "pool": {"vmSize": "x", "virtualMachineConfiguration": MACHINE},
                },
            },
            "poolInfo",
        ),
        (
            {
                "autoPoolSpecification": {
                    "poolLifetimeOption": "jobschedule",
                    "pool": {"vmSize": "x", "virtualMachineConfiguration": MACHINE},
                }
            },
            "poolLifetimeOption",
        ),
        (
            {
                "autoPoolSpecification": {
                    "poolLifetimeOption": "job",
                    "autoPoolIdPrefix": "x" * 21,
                    "pool": {"vmSize": "x", "virtualMachineConfiguration": MACHINE},
                }
            },
            "autoPoolIdPrefix",
        ),
    ],
)
def test_a_job_has_one_pool(info: dict[str, Any], name: str) -> None:
    with pytest.raises(RefusedError) as caught:
        decode_job({"id": "j", "poolInfo": info}, LIMITS)
    assert caught.value.reason is Reason.PROPERTY_INVALID
    assert dict(caught.value.details)["PropertyName"] == name
