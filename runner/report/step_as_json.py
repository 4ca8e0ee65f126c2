"""Commands, resources and what the tasks of a step share, as data.

It knows nothing of how the parts make up a plan.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from typing_extensions import assert_never

from runner.plan.model import (
    BlobResource,
    CommandLine,
    FolderResource,
    NodeCommandPlan,
    ResourcePlan,
    WebResource,
)
from runner.report.extra import shown_extra
from runner.spec.model.step import ExitRule, Step
from runner.spec.model.terms import Application, NamedUser, RunAs


def step_as_json(step: Step) -> dict[str, Any]:
    """What is the same for all tasks of a step."""
    container, instances = step.container, step.instances
    return {
        "step": step.name,
        "shell": step.command.shell.value,
        "run_as": run_as_as_json(step.run_as),
        "retries": step.retries,
        "retries_by_cause": {
            cause.value: {
                "times": budget.times,
                "backoff_seconds": budget.backoff.total_seconds(),
            }
            for cause, budget in step.retry_plan.budgets.items()
        },
        "most_preemptions": step.retry_plan.preemption,
        "timeout_seconds": seconds(step.timeout),
        "retention_seconds": seconds(step.retention),
        "slots": step.slots,
        "exit_rules": [_exit_rule(rule) for rule in step.exit_rules],
        "container": None
        if container is None
        else {
            "options": container.options,
            "working_directory": container.working_directory.value,
        },
        "instances": None if instances is None else instances.count,
        "applications": [application_as_json(each) for each in step.applications],
        "print": step.print.value,
        "extra": shown_extra(step.extra),
    }


def node_command_as_json(command: NodeCommandPlan) -> dict[str, Any]:
    """A start task, a job preparation or a job release."""
    return {
        **command_as_json(command.command),
        "resources": [resource_as_json(resource) for resource in command.resources],
        "run_as": run_as_as_json(command.run_as),
        "wait_for_success": command.wait_for_success,
        "retries": command.retries,
        "timeout_seconds": seconds(command.timeout),
    }


def command_as_json(command: CommandLine) -> dict[str, Any]:
    """A command as a person would read it, and as it goes on the wire."""
    return {
        "command": command.script,
        "command_line": command.line,
        "environment": dict(command.environment),
        "script_file": command.script_file,
        "script_name": command.script_name,
        "secrets": {} if command.secrets is None else dict(command.secrets.variables),
    }


def resource_as_json(resource: ResourcePlan) -> dict[str, Any]:
    """A file, or several, for a command."""
    match resource:
        case BlobResource():
            place = {"role": resource.role, "blob": resource.blob}
        case FolderResource():
            place = {"role": resource.role, "prefix": resource.prefix}
        case WebResource():
            place = {"url": resource.url}
        case _:
            assert_never(resource)
    return {**place, "path": resource.path, "mode": resource.mode}


def run_as_as_json(run_as: RunAs) -> Any:
    """`user` or `admin`, or a user of the pool by name."""
    return {"name": run_as.name} if isinstance(run_as, NamedUser) else run_as.value


def application_as_json(application: Application) -> dict[str, Any]:
    """An application package."""
    return {"id": application.id, "version": application.version}


def seconds(duration: timedelta | None) -> float | None:
    """A duration in seconds, or null."""
    return None if duration is None else duration.total_seconds()


def _exit_rule(rule: ExitRule) -> dict[str, Any]:
    return {
        "codes": [list(each) for each in rule.codes],
        "causes": [cause.value for cause in rule.causes],
        "job": None if rule.job is None else rule.job.value,
        "dependents": None if rule.dependents is None else rule.dependents.value,
    }
