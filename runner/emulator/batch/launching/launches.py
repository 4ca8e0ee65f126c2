"""Puts together what a node is asked to run: command, folders, files, environment.

It must not know how it is run, nor when.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from runner.emulator.batch.core.cores import cores_of
from runner.emulator.batch.core.document import Document
from runner.emulator.batch.core.durations import limit_of
from runner.emulator.batch.core.folders import task_folder
from runner.emulator.batch.core.job import Job
from runner.emulator.batch.core.node import Node
from runner.emulator.batch.core.pool import Pool
from runner.emulator.batch.core.registries import RegistryPassword
from runner.emulator.batch.core.task import Task
from runner.emulator.batch.launching.files import output_files, resource_files
from runner.emulator.batch.launching.images import node_image
from runner.emulator.batch.launching.memory import memory_of
from runner.emulator.batch.launching.place import Place, packages_for
from runner.emulator.batch.launching.registries import pool_registries, registry_of
from runner.emulator.batch.launching.trust import trust_variables
from runner.emulator.batch.launching.variables import (
    folder_variables,
    instance_variables,
    node_variables,
    package_variables,
    settings,
)
from runner.emulator.batch.node.containers import Bind, Container
from runner.emulator.batch.node.isolation import Size
from runner.emulator.batch.node.launch import Launch, UploadCondition
from runner.emulator.batch.node.users import POOL_USER, User, named_user


def launch_task(place: Place, task: Task, job: Job, pool: Pool, node: Node) -> Launch:
    """A task's execution on a node; of a multi-instance task, its primary's after coordination."""
    document = task.document
    directory = task_directory(place, task, node)
    packages = (*_packages(pool.document), *_packages(document))
    return Launch(
        command_line=document["commandLine"],
        directory=directory,
        node=place.directories(node).root,
        image=node_image(pool),
        size=_size(pool),
        environment={
            **trust_variables(place, node),
            **settings(job.document.get("commonEnvironmentSettings", ())),
            **settings(document.get("environmentSettings", ())),
            **node_variables(place, pool, node),
            **folder_variables(directory),
            **package_variables(place, node, packages),
            **_instances(directory, document, primary=True),
            **_preparation_folder(place, job, node),
            "AZ_BATCH_JOB_ID": task.job,
            "AZ_BATCH_TASK_ID": task.id,
        },
        resource_files=resource_files(place, document),
        output_files=output_files(place, document),
        max_wall_clock_time=limit_of(document["constraints"]["maxWallClockTime"]),
        elevated=_is_elevated(document, pool),
        user=_user(document, pool),
        packages=packages_for(place, node, packages),
        follows=task.coordinated,
        container=_container(
            place, node, directory, document, job.document, pool, task.registry_passwords
        ),
        runs_containers=_runs_containers(pool),
        is_container_required=_runs_containers(pool),
    )


def launch_coordination(
    place: Place, task: Task, job: Job, pool: Pool, node: Node, number: int
) -> Launch:
    """What each instance of a multi-instance task does first; the primary has the number 0.

    Common files go to the task's own folder on every node. Of the primary those outputs are sent
    that are due after a failure, since its command does not run then.
    """
    launch = launch_task(place, task, job, pool, node)
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
        common_files=resource_files(place, settings_given, "commonResourceFiles"),
        common_directory=shared,
        resource_files=(),
        output_files=outputs,
        leaves_services=True,
        follows=False,
    )


def task_directory(place: Place, task: Task, node: Node) -> Path:
    """The folder of a task on a node."""
    return place.directories(node).root / task_folder(task.job, task.id)


def launch_start_task(place: Place, pool: Pool, node: Node) -> Launch:
    """The start task's execution on a node."""
    start_task = pool.document["startTask"]
    directory = place.directories(node).startup
    packages = _packages(pool.document)
    return Launch(
        command_line=start_task["commandLine"],
        directory=directory,
        node=place.directories(node).root,
        image=node_image(pool),
        size=_size(pool),
        environment={
            **trust_variables(place, node),
            **settings(start_task.get("environmentSettings", ())),
            **node_variables(place, pool, node),
            **folder_variables(directory),
            **package_variables(place, node, packages),
        },
        resource_files=resource_files(place, start_task),
        elevated=_is_elevated(start_task, pool),
        user=_user(start_task, pool),
        leaves_services=True,
        packages=packages_for(place, node, packages),
        container=_container(place, node, directory, start_task, {}, pool, pool.registry_passwords),
        runs_containers=_runs_containers(pool),
    )


def launch_preparation(place: Place, job: Job, pool: Pool, node: Node) -> Launch:
    """The execution of a job's preparation task on a node."""
    command = job.document["jobPreparationTask"]
    limit = limit_of(command["constraints"]["maxWallClockTime"])
    return _launch_for_job(place, job, pool, node, command, {}, limit)


def launch_release(place: Place, job: Job, pool: Pool, node: Node) -> Launch:
    """The execution of a job's release task on a node."""
    command = job.document["jobReleaseTask"]
    variables = _preparation_folder(place, job, node)
    limit = limit_of(command["maxWallClockTime"])
    return _launch_for_job(place, job, pool, node, command, variables, limit)


def _launch_for_job(
    place: Place,
    job: Job,
    pool: Pool,
    node: Node,
    command: Document,
    variables: dict[str, str],
    limit: timedelta | None,
) -> Launch:
    directory = place.directories(node).root / task_folder(job.id, command["id"])
    packages = _packages(pool.document)
    return Launch(
        command_line=command["commandLine"],
        directory=directory,
        node=place.directories(node).root,
        image=node_image(pool),
        size=_size(pool),
        environment={
            **trust_variables(place, node),
            **settings(job.document.get("commonEnvironmentSettings", ())),
            **settings(command.get("environmentSettings", ())),
            **node_variables(place, pool, node),
            **folder_variables(directory),
            **package_variables(place, node, packages),
            **variables,
            "AZ_BATCH_JOB_ID": job.id,
            "AZ_BATCH_TASK_ID": command["id"],
        },
        resource_files=resource_files(place, command),
        max_wall_clock_time=limit,
        elevated=_is_elevated(command, pool),
        user=_user(command, pool),
        packages=packages_for(place, node, packages),
        container=_container(
            place, node, directory, command, job.document, pool, job.registry_passwords
        ),
        runs_containers=_runs_containers(pool),
    )


def _preparation_folder(place: Place, job: Job, node: Node) -> dict[str, str]:
    """What the tasks of a job with a preparation are told of it."""
    command = job.document.get("jobPreparationTask")
    if command is None:
        return {}
    directory = place.directories(node).root / task_folder(job.id, command["id"])
    return {
        "AZ_BATCH_JOB_PREP_DIR": str(directory),
        "AZ_BATCH_JOB_PREP_WORKING_DIR": str(directory / "wd"),
    }


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


def _runs_containers(pool: Pool) -> bool:
    machine = pool.document.get("virtualMachineConfiguration", {})
    return "containerConfiguration" in machine


def _is_elevated(command: Document, pool: Pool) -> bool:
    identity = command["userIdentity"]
    if "autoUser" in identity:
        return bool(identity["autoUser"]["elevationLevel"] == "admin")
    accounts = pool.document.get("userAccounts", ())
    return any(
        account["name"] == identity.get("username") and account["elevationLevel"] == "admin"
        for account in accounts
    )


def _user(command: Document, pool: Pool) -> User | None:
    """Whom a command without all rights runs as; None is a user of its own."""
    identity = command["userIdentity"]
    if "autoUser" in identity:
        return POOL_USER if identity["autoUser"]["scope"] == "pool" else None
    for index, account in enumerate(pool.document.get("userAccounts", ())):
        if account["name"] == identity.get("username"):
            linux = account.get("linuxUserConfiguration", {})
            return named_user(account["name"], index, linux.get("uid"), linux.get("gid"))
    return POOL_USER


def _size(pool: Pool) -> Size:
    name = pool.document["vmSize"]
    return Size(memory_bytes=memory_of(name), cores=cores_of(name))
