"""From the property that a service refuses to the key of the spec that set it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest

from runner.remote.wire import job_body, task_body
from runner.remote.wire_places import (
    Section,
    find_place,
    job_sections,
    pool_sections,
    schedule_sections,
    task_sections,
)
from runner.remote.wire_pool import pool_body
from runner.remote.wire_schedule import schedule_body
from runner.run.services import AutoPool
from runner.spec.document import Pointer
from tests.unit.remote.samples import (
    FULL_JOB,
    FULL_POOL_REQUEST,
    FULL_TASK,
    JOB,
    POOL_REQUEST,
    SCHEDULE,
)

INVALID = "InvalidPropertyValue"
OWN = replace(FULL_JOB, pool=AutoPool(id_prefix="cat-", request=FULL_POOL_REQUEST, keep=False))
POOL: tuple[dict[str, Any], tuple[Section, ...]] = (
    pool_body(FULL_POOL_REQUEST),
    pool_sections(FULL_POOL_REQUEST),
)
BOTH = job_body(OWN), job_sections(OWN)
TASK = task_body(FULL_TASK), task_sections(FULL_TASK)
REPEATED = schedule_body(SCHEDULE), schedule_sections(SCHEDULE)


@pytest.mark.parametrize("sent", [POOL, BOTH], ids=["alone", "with its job"])
@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("vmSize", "Standard_D4s_v5", ("pool", "vm_size")),
        ("VMSIZE", None, ("pool", "vm_size")),
        ("virtualMachineImageId", None, ("pool", "image", "id")),
        ("imageReference", None, ("pool", "image")),
        ("nodeAgentSKUId", None, ("pool", "image", "node_agent")),
        ("containerImageNames", None, ("pool", "container_images")),
        ("registryServer", "own.azurecr.io", ("pool", "registries", 0)),
        ("autoScaleFormula", None, ("pool", "autoscale", "formula")),
        ("autoScaleEvaluationInterval", None, ("pool", "autoscale", "interval")),
        ("taskSlotsPerNode", "4", ("pool", "task_slots_per_node")),
        ("nodeFillType", None, ("pool", "node_fill")),
        ("azureFileUrl", None, ("pool", "mounts", 2, "url")),
        ("relativeMountPath", "cifs", ("pool", "mounts", 4, "path")),
        ("source", "h:/p", ("pool", "mounts", 3, "source")),
        ("subnetId", "/subscriptions/s/subnets/n", ("pool", "network", "subnet")),
        ("networkConfiguration.subnetId", None, ("pool", "network", "subnet")),
        ("ipAddressIds", None, ("pool", "network", "public_addresses")),
        ("enableAcceleratedNetworking", "true", ("pool", "network", "accelerated")),
        ("userAccounts", None, ("pool", "users")),
        ("name", "worker", ("pool", "users", 0, "name")),
        ("enableInterNodeCommunication", None, ("pool", "inter_node_communication")),
        ("applicationId", "ffmpeg", ("pool", "applications", 1, "id")),
        ("resizeTimeout", "PT20M", ("pool", "extra", "resizeTimeout")),
        ("caching", None, ("pool", "extra", "virtualMachineConfiguration", "osDisk", "caching")),
        # Not sent: known by its name alone.
        ("targetDedicatedNodes", None, ("pool", "nodes", "dedicated")),
        ("targetLowPriorityNodes", "7", ("pool", "nodes", "spot")),
        # Nothing of ours: what lacks in what is the user's own.
        ("somethingElse", None, ("pool", "extra")),
    ],
)
def test_properties_of_a_pool(
    sent: tuple[dict[str, Any], tuple[Section, ...]],
    name: str,
    value: str | None,
    place: Pointer | None,
) -> None:
    assert find_place(*sent, code=INVALID, name=name, value=value) == place


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("priority", "5", ("job", "priority")),
        ("maxParallelTasks", None, ("job", "max_parallel_tasks")),
        ("onTaskFailure", None, ("job", "on_failure")),
        ("usesTaskDependencies", None, ("job", "needs")),
        ("jobPreparationTask", None, ("job", "preparation")),
        ("rerunOnNodeRebootAfterSuccess", None, ("job", "preparation", "rerun_on_reboot")),
        ("jobReleaseTask", None, ("job", "release")),
        ("commonEnvironmentSettings", None, ("job", "environment")),
        ("name", "LANG", ("job", "environment", "LANG")),
        ("name", "team", ("job", "metadata", "team")),
        ("allowTaskPreemption", None, ("job", "extra", "allowTaskPreemption")),
        ("maxTaskRetryCount", "3", ("job", "extra", "constraints", "maxTaskRetryCount")),
        ("autoPoolIdPrefix", None, ("pool",)),
        ("id", "cat-1", None),
        ("waitForSuccess", None, ("job", "preparation", "wait_for_success")),
    ],
)
def test_properties_of_a_job(name: str, value: str | None, place: Pointer | None) -> None:
    assert find_place(*BOTH, code=INVALID, name=name, value=value) == place


def test_the_wall_time_of_a_job_is_that_of_the_run() -> None:
    body, sections = job_body(JOB), job_sections(JOB)
    found = find_place(body, sections, code=INVALID, name="maxWallClockTime", value="PT86400S")
    assert found == ("limits", "duration")


@pytest.mark.parametrize(
    ("name", "value", "place"),
    [
        ("commandLine", None, ("task", "command")),
        ("environmentSettings", None, ("task", "environment")),
        ("maxTaskRetryCount", "4", ("task", "extra", "constraints", "maxTaskRetryCount")),
        ("maxWallClockTime", None, ("task", "timeout")),
        ("retentionTime", None, ("task", "retention")),
        ("username", "worker", ("task", "run_as")),
        ("resourceFiles", None, ("task", "resources")),
        ("filePath", None, ("task", "resources")),
        ("outputFiles", None, ("task", "outputs")),
        ("filePattern", None, ("task", "outputs")),
        ("taskIdRanges", None, ("task", "needs")),
        ("requiredSlots", "2", ("task", "slots")),
        ("exitOptions", None, ("task", "exit_rules")),
        ("imageName", None, ("task", "container", "image")),
        ("containerRunOptions", None, ("task", "container", "options")),
        ("numberOfInstances", "3", ("task", "instances", "count")),
        ("coordinationCommandLine", None, ("task", "instances", "coordination")),
        ("applicationId", None, ("task", "applications", 0, "id")),
        ("affinityId", "TVM:1", ("task", "extra", "affinityInfo", "affinityId")),
        ("displayName", None, None),
    ],
)
def test_properties_of_a_task(name: str, value: str | None, place: Pointer | None) -> None:
    assert find_place(*TASK, code=INVALID, name=name, value=value) == place


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("recurrenceInterval", ("job", "schedule", "every")),
        ("doNotRunAfter", ("job", "schedule", "end")),
        ("startWindow", ("job", "schedule", "window")),
        ("vmSize", ("pool", "vm_size")),
        ("commandLine", ("task", "command")),
        ("onTaskFailure", ("job", "on_failure")),
    ],
)
def test_properties_of_a_schedule(name: str, place: Pointer) -> None:
    assert find_place(*REPEATED, code=INVALID, name=name, value=None) == place


@pytest.mark.parametrize(
    ("sent", "code", "place"),
    [
        (POOL, "AutoScalingFormulaSyntaxError", ("pool", "autoscale", "formula")),
        (BOTH, "AutoScalingFormulaTooLong", ("pool", "autoscale", "formula")),
        (BOTH, "InvalidApplicationPackageReferences", ("pool", "applications")),
        (TASK, "InvalidApplicationPackageReferences", ("task", "applications")),
        (BOTH, "PoolQuotaReached", ("pool",)),
        (BOTH, "NodeAgentSKUNotFound", ("pool", "image", "node_agent")),
        (BOTH, "AccountCoreQuotaReached", ("pool", "vm_size")),
        (BOTH, "OutOfRangePriority", ("job", "priority")),
        (TASK, "TaskDependencyRangesTooLong", ("task", "needs")),
        (BOTH, "ActiveJobAndScheduleQuotaReached", None),
        (BOTH, "InternalError", None),
    ],
)
def test_codes_that_name_no_property(
    sent: tuple[dict[str, Any], tuple[Section, ...]], code: str, place: Pointer | None
) -> None:
    assert find_place(*sent, code=code, name=None, value=None) == place


@pytest.mark.parametrize(
    ("reason", "place"),
    [
        (
            "caching is not text",
            ("pool", "extra", "virtualMachineConfiguration", "osDisk", "caching"),
        ),
        (
            "there is no property allowTaskPreemption of job",
            ("job", "extra", "allowTaskPreemption"),
        ),
        ("it is not JSON", None),
        (None, None),
    ],
)
def test_a_body_that_makes_no_sense_does_so_where_the_user_wrote_it(
    reason: str | None, place: Pointer | None
) -> None:
    found = find_place(*BOTH, code="InvalidRequestBody", name=None, value=None, reason=reason)
    assert found == place


def test_the_task_of_a_named_step_is_that_steps() -> None:
    request = replace(FULL_TASK, step=replace(FULL_TASK.step, pointer=("tasks", "convert")))
    found = find_place(
        task_body(request), task_sections(request), code=INVALID, name="commandLine", value=None
    )
    assert found == ("tasks", "convert", "command")


@pytest.mark.parametrize("name", ["autoScaleFormula", "enableAutoScale"])
def test_the_formula_of_a_pool_of_fixed_size_is_about_its_nodes(name: str) -> None:
    created = datetime(2026, 1, 31, tzinfo=timezone.utc)
    request = replace(POOL_REQUEST, created=created)
    body, sections = pool_body(request), pool_sections(request)
    place = find_place(body, sections, code=INVALID, name=name, value=None, reason=None)
    assert place == ("pool", "nodes")
