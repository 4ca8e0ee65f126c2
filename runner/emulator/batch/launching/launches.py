"""Puts together what a node is asked to run: command, folders, files, environment.

It must not know how it is run, nor when.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from runner.emulator.batch.core.document import Document, opened
from runner.emulator.batch.core.durations import limit_of
from runner.emulator.batch.core.folders import task_folder
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.registries import RegistryPassword
from runner.emulator.batch.core.task import Task
from runner.emulator.batch.launching.bases import Bases
from runner.emulator.batch.launching.files import output_files, resource_files
from runner.emulator.batch.launching.place import Place, packages_for
from runner.emulator.batch.launching.registries import pool_registries, registry_of
from runner.emulator.batch.launching.variables import (
    folder_variables,
    instance_variables,
    package_variables,
    settings,
)
from runner.emulator.batch.node.containers import Bind, Container
from runner.emulator.batch.node.launch import Launch, UploadCondition
from runner.emulator.batch.node.users import POOL_USER, User, named_user


def launch_task(bases: Bases, task: Task, job: Job, pool: Pool, node: Node) -> Launch:
    """A task's execution on a node; of a multi-instance task, its primary's after coordination."""
    document, place = opened(task.document), bases.place
    base = bases.find(job, pool, node)
    directory = base.tasks / task.id
    packages = (*_packages(pool.document), *_packages(document))
    elevated, user = _identity(document["userIdentity"], pool)
    return Launch(
        command_line=document["commandLine"],
        directory=directory,
        node=base.root,
        image=base.image,
        size=base.size,
        environment={
            **base.first,
            **settings(document.get("environmentSettings", ())),
            **base.last,
            **folder_variables(directory),
            **package_variables(place, node, packages),
            **_instances(directory, document, primary=True),
            **base.preparation,
            "AZ_BATCH_JOB_ID": task.job,
            "AZ_BATCH_TASK_ID": task.id,
        },
        resource_files=resource_files(place, document),
        output_files=output_files(place, document),
        max_wall_clock_time=limit_of(document["constraints"]["maxWallClockTime"]),
        elevated=elevated,
        user=user,
        packages=packages_for(place, node, packages),
        follows=task.coordinated,
        container=_container(
            place, node, directory, document, job.document, pool, task.registry_passwords
        ),
        runs_containers=base.runs_containers,
        is_container_required=base.runs_containers,
    )


def launch_coordination(
    bases: Bases, task: Task, job: Job, pool: Pool, node: Node, number: int
) -> Launch:
    """What each instance of a multi-instance task does first; the primary has the number 0.

    Common files go to the task's own folder on every node. Of the primary those outputs are sent
    that are due after a failure, since its command does not run then.
    """
    launch = launch_task(bases, task, job, pool, node)
    shared = launch.directory
    directory = shared / str(number) if number else shared
    settings_given = task.document["multiInstanceSettings"]
    outputs = tuple(
        replace(output, condition=UploadCondition.TASK_FAILURE)
        for output in (() if number else launch.output_files)
        if output.condition is not UploadCondition.TASK_SUCCESS
    )
    return replace(
        launch,
        command_line=settings_given["coordinationCommandLine"],
        directory=directory,
        environment={
            **launch.environment,
            **_instances(shared, task.document, primary=number == 0),
            **folder_variables(directory),
        },
        common_files=resource_files(bases.place, settings_given, "commonResourceFiles"),
        common_directory=shared,
        resource_files=(),
        output_files=outputs,
        leaves_services=True,
        follows=False,
    )


def launch_start_task(bases: Bases, pool: Pool, node: Node) -> Launch:
    """The start task's execution on a node."""
    start_task, place = pool.document["startTask"], bases.place
    base = bases.find(None, pool, node)
    directory = place.directories(node).startup
    packages = _packages(pool.document)
    elevated, user = _identity(start_task["userIdentity"], pool)
    return Launch(
        command_line=start_task["commandLine"],
        directory=directory,
        node=base.root,
        image=base.image,
        size=base.size,
        environment={
            **base.first,
            **settings(start_task.get("environmentSettings", ())),
            **base.last,
            **folder_variables(directory),
            **package_variables(place, node, packages),
        },
        resource_files=resource_files(place, start_task),
        elevated=elevated,
        user=user,
        leaves_services=True,
        packages=packages_for(place, node, packages),
        container=_container(place, node, directory, start_task, {}, pool, pool.registry_passwords),
        runs_containers=base.runs_containers,
    )


def launch_preparation(bases: Bases, job: Job, pool: Pool, node: Node) -> Launch:
    """The execution of a job's preparation task on a node."""
    command = job.document["jobPreparationTask"]
    limit = limit_of(command["constraints"]["maxWallClockTime"])
    return _launch_for_job(bases, job, pool, node, command, {}, limit)


def launch_release(bases: Bases, job: Job, pool: Pool, node: Node) -> Launch:
    """The execution of a job's release task on a node."""
    command = job.document["jobReleaseTask"]
    variables = bases.find(job, pool, node).preparation
    limit = limit_of(command["maxWallClockTime"])
    return _launch_for_job(bases, job, pool, node, command, variables, limit)


def _launch_for_job(
    bases: Bases,
    job: Job,
    pool: Pool,
    node: Node,
    command: Document,
    variables: Mapping[str, str],
    limit: timedelta | None,
) -> Launch:
    place, base = bases.place, bases.find(job, pool, node)
    directory = base.root / task_folder(job.id, command["id"])
    packages = _packages(pool.document)
    elevated, user = _identity(command["userIdentity"], pool)
    return Launch(
        command_line=command["commandLine"],
        directory=directory,
        node=base.root,
        image=base.image,
        size=base.size,
        environment={
            **base.first,
            **settings(command.get("environmentSettings", ())),
            **base.last,
            **folder_variables(directory),
            **package_variables(place, node, packages),
            **variables,
            "AZ_BATCH_JOB_ID": job.id,
            "AZ_BATCH_TASK_ID": command["id"],
        },
        resource_files=resource_files(place, command),
        max_wall_clock_time=limit,
        elevated=elevated,
        user=user,
        packages=packages_for(place, node, packages),
        container=_container(
            place, node, directory, command, job.document, pool, job.registry_passwords
        ),
        runs_containers=base.runs_containers,
    )


def _packages(document: Document) -> tuple[dict[str, str], ...]:
    return tuple(document.get("applicationPackageReferences", ()))


def _instances(directory: Path, document: Document, *, primary: bool) -> dict[str, str]:
    given = document.get("multiInstanceSettings")
    if given is None:
        return {}
    return instance_variables(directory, given["numberOfInstances"], primary=primary)


def _container(
    place: Place,
    node: Node,
    directory: Path,
    command: Document,
    job: Document,
    pool: Pool,
    passwords: tuple[RegistryPassword, ...],
) -> Container | None:
    given = command.get("containerSettings")
    if given is None:
        return None
    directories = place.directories(node)
    folders = {
        "Shared": directories.shared,
        "Startup": directories.startup,
        "VfsMounts": directories.mounts,
        "Applications": directories.root / "applications",
        "Task": directory,
        "JobPrep": directory.parent / job.get("jobPreparationTask", {}).get("id", ""),
    }
    binds: Iterable[Bind] = (Bind(folder=directories.root),)
    if "containerHostBatchBindMounts" in given:
        binds = (
            Bind(folder=folders[mount["source"]], read_only=mount.get("isReadOnly", False))
            for mount in given["containerHostBatchBindMounts"]
            if "source" in mount
        )
    return Container(
        image=given["imageName"],
        options=given.get("containerRunOptions", ""),
        works_in_task_folder=given.get("workingDirectory") != "containerImageDefault",
        binds=tuple(binds),
        registry=registry_of(given["registry"], passwords) if "registry" in given else None,
        pool_registries=pool_registries(pool),
    )


def _identity(identity: Document, pool: Pool) -> tuple[bool, User | None]:
    """Whether a command has all rights; and whom it runs as without, None for one of its own."""
    if "autoUser" in identity:
        user = identity["autoUser"]
        return user["elevationLevel"] == "admin", POOL_USER if user["scope"] == "pool" else None
    name = identity.get("username")
    accounts = pool.document.get("userAccounts", ())
    elevated = any(
        account["name"] == name and account["elevationLevel"] == "admin" for account in accounts
    )
    for index, account in enumerate(accounts):
        if account["name"] == name:
            linux = account.get("linuxUserConfiguration", {})
            return elevated, named_user(name, index, linux.get("uid"), linux.get("gid"))
    return elevated, POOL_USER
