"""The bodies of our requests to Azure Batch, as its REST reference (2025-06-01) names things.

Pure functions of the requests; it must not know the SDK, nor what the service answers.
"""

from __future__ import annotations

from typing import Any

from runner.remote.wire_parts import (
    application,
    command_part,
    duration,
    identity,
    merged,
    pairs,
    resource,
    with_extra,
)
from runner.remote.wire_pool import pool_body
from runner.run.services import (
    AutoPool,
    JobRequest,
    NodeCommandRequest,
    OutputRequest,
    TaskRequest,
)
from runner.spec.model.step import (
    DependentsAction,
    ExitCause,
    ExitRule,
    JobAction,
    UploadCondition,
    WorkingDirectory,
)

_CONDITION = {
    UploadCondition.SUCCESS: "tasksuccess",
    UploadCondition.FAILURE: "taskfailure",
    UploadCondition.COMPLETION: "taskcompletion",
}
_JOB_ACTION = {
    JobAction.CONTINUE: "none",
    JobAction.DISABLE: "disable",
    JobAction.TERMINATE: "terminate",
}
_DEPENDENTS_ACTION = {DependentsAction.RUN: "satisfy", DependentsAction.BLOCK: "block"}
_EXIT_CAUSE = {
    ExitCause.RESOURCE_ERROR: "preProcessingError",
    ExitCause.UPLOAD_ERROR: "fileUploadError",
    ExitCause.OTHER: "default",
}


def job_body(request: JobRequest) -> dict[str, Any]:
    """The body of `POST /jobs`: a job that ends itself at its wall time.

    The job does not end with its last task yet: on an empty job that would end it at once.
    """
    settings = request.settings
    body: dict[str, Any] = {
        "id": request.id,
        "constraints": {"maxWallClockTime": duration(request.duration)},
        "poolInfo": _pool_info(request.pool),
        "onAllTasksComplete": "noaction",
    }
    if settings.priority:
        body["priority"] = settings.priority
    if settings.max_parallel_tasks is not None:
        body["maxParallelTasks"] = settings.max_parallel_tasks
    if request.heeds_exits:
        body["onTaskFailure"] = "performexitoptionsjobaction"
    if request.uses_dependencies:
        body["usesTaskDependencies"] = True
    if request.environment:
        body["commonEnvironmentSettings"] = pairs(request.environment)
    if request.preparation is not None:
        body["jobPreparationTask"] = {
            **_node_command(request.preparation),
            "waitForSuccess": request.preparation.wait_for_success,
            "rerunOnNodeRebootAfterSuccess": settings.rerun_preparation_on_reboot,
        }
        constraints = body["jobPreparationTask"].setdefault("constraints", {})
        constraints["maxTaskRetryCount"] = request.preparation.retries
    if request.release is not None:
        body["jobReleaseTask"] = _release_task(request.release)
    return with_extra(body, settings.extra, request.metadata)


def task_body(request: TaskRequest) -> dict[str, Any]:
    """The body of a task in `POST /jobs/{id}/addtaskcollection`."""
    step = request.step
    constraints: dict[str, Any] = {"maxTaskRetryCount": step.retries}
    if step.timeout is not None:
        constraints["maxWallClockTime"] = duration(step.timeout)
    if step.retention is not None:
        constraints["retentionTime"] = duration(step.retention)
    body: dict[str, Any] = {
        "id": request.id,
        "displayName": request.display_name,
        **command_part(request.command, request.coordination),
        "constraints": constraints,
        "userIdentity": identity(step.run_as),
    }
    if request.resources:
        body["resourceFiles"] = [resource(each) for each in request.resources]
    if request.outputs:
        body["outputFiles"] = [_output(output) for output in request.outputs]
    if request.needs:
        ranges = [{"start": each.first, "end": each.last} for each in request.needs]
        body["dependsOn"] = {"taskIdRanges": ranges}
    if step.slots != 1:
        body["requiredSlots"] = step.slots
    exits = _exit_conditions(step.exit_rules, request.job_action)
    if exits:
        body["exitConditions"] = exits
    if step.container is not None:
        body["containerSettings"] = _container_settings(request)
    if step.instances is not None:
        body["multiInstanceSettings"] = _multi_instance_settings(request)
    if step.applications:
        body["applicationPackageReferences"] = list(map(application, step.applications))
    return merged(body, step.extra)


def _pool_info(pool: AutoPool | str) -> dict[str, Any]:
    if isinstance(pool, str):
        return {"poolId": pool}
    return {
        "autoPoolSpecification": {
            "autoPoolIdPrefix": pool.id_prefix,
            "poolLifetimeOption": "job",
            "keepAlive": pool.keep,
            "pool": pool_body(pool.request),
        }
    }


def _node_command(request: NodeCommandRequest) -> dict[str, Any]:
    body: dict[str, Any] = {
        **command_part(request.command),
        "userIdentity": identity(request.run_as),
    }
    if request.resources:
        body["resourceFiles"] = [resource(each) for each in request.resources]
    if request.timeout is not None:
        body["constraints"] = {"maxWallClockTime": duration(request.timeout)}
    return body


def _release_task(request: NodeCommandRequest) -> dict[str, Any]:
    """A release task has its limit beside the command, not among constraints."""
    body = _node_command(request)
    constraints = body.pop("constraints", {})
    return {**body, **constraints}


def _exit_conditions(rules: tuple[ExitRule, ...], job_action: JobAction | None) -> dict[str, Any]:
    codes: list[dict[str, Any]] = []
    ranges: list[dict[str, Any]] = []
    conditions: dict[str, Any] = {}
    for rule in rules:
        options = _exit_options(rule, job_action)
        for first, last in rule.codes:
            if first == last:
                codes.append({"code": first, "exitOptions": options})
            else:
                ranges.append({"start": first, "end": last, "exitOptions": options})
        for cause in rule.causes:
            conditions[_EXIT_CAUSE[cause]] = options
    if codes:
        conditions["exitCodes"] = codes
    if ranges:
        conditions["exitCodeRanges"] = ranges
    if job_action is not None:
        conditions.setdefault("default", {"jobAction": _JOB_ACTION[job_action]})
    return conditions


def _exit_options(rule: ExitRule, job_action: JobAction | None) -> dict[str, Any]:
    """What a rule says; what it does not say of the job is what holds without a rule."""
    options: dict[str, Any] = {}
    action = rule.job or job_action
    if action is not None:
        options["jobAction"] = _JOB_ACTION[action]
    if rule.dependents is not None:
        options["dependencyAction"] = _DEPENDENTS_ACTION[rule.dependents]
    return options


def _container_settings(request: TaskRequest) -> dict[str, Any]:
    container = request.step.container
    assert container is not None
    settings: dict[str, Any] = {"imageName": request.container_image}
    if container.options:
        settings["containerRunOptions"] = container.options
    if container.working_directory is WorkingDirectory.IMAGE:
        settings["workingDirectory"] = "containerImageDefault"
    return settings


def _multi_instance_settings(request: TaskRequest) -> dict[str, Any]:
    instances = request.step.instances
    assert instances is not None
    assert request.coordination is not None
    settings: dict[str, Any] = {
        "numberOfInstances": instances.count,
        "coordinationCommandLine": request.coordination.line,
    }
    if request.shared_resources:
        settings["commonResourceFiles"] = [resource(each) for each in request.shared_resources]
    return settings


def _output(output: OutputRequest) -> dict[str, Any]:
    container = {"containerUrl": output.container_url}
    if output.path:
        container["path"] = output.path
    return {
        "filePattern": output.pattern,
        "destination": {"container": container},
        "uploadOptions": {"uploadCondition": _CONDITION[output.when]},
    }
