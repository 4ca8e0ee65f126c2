"""The commands that nodes run beside the tasks: start task, job preparation, job release.

It knows nothing of tasks; these commands speak of parameters and of the run alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from runner.frozen import dataclass
from runner.plan.command import command_line
from runner.plan.faults import placed
from runner.plan.file_table import FileTable
from runner.plan.model import NodeCommandPlan, RunId
from runner.plan.packages import with_packages
from runner.plan.resources import container_prefixes, plan_resources
from runner.plan.secret_files import node_secrets
from runner.plan.step_tasks import render_environment
from runner.spec.model.pool import NewPool
from runner.spec.model.terms import Elevation, NodeCommand, Role
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem, SpecError
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import TemplateError

_PACKAGE_RETRIES = 2
"""Of a start task that only installs packages: another try on a node costs little."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeCommands:
    """What nodes run beside the tasks, and the environment of all of the job's tasks."""

    start_task: NodeCommandPlan | None = None
    preparation: NodeCommandPlan | None = None
    release: NodeCommandPlan | None = None
    environment: Mapping[str, str]


def plan_node_commands(
    workload: Workload, run_id: RunId, known: Mapping[Role, FileTable]
) -> tuple[NodeCommands, tuple[Problem, ...]]:
    """The node commands of a workload, and what is wrong with them; of the containers of `known`
    all files are known."""
    planner = _Planner(workload, run_id, known)
    job = workload.job
    commands = NodeCommands(
        start_task=planner.start_task(),
        preparation=planner.plan(job.preparation, "jobpreparation"),
        release=planner.plan(job.release, "jobrelease"),
        environment=planner.job_environment(),
    )
    return commands, tuple(planner.problems)


class _Planner:
    """Collects what is wrong while it renders one command after the other."""

    def __init__(self, workload: Workload, run_id: RunId, known: Mapping[Role, FileTable]) -> None:
        self._workload = workload
        self._document = workload.document
        self._known = known
        self._scope = {"parameters": workload.parameters, "run": {"id": run_id}}
        self.problems: list[Problem] = []

    def start_task(self) -> NodeCommandPlan | None:
        """The packages, then the user's own command."""
        pool = self._workload.pool
        if not isinstance(pool, NewPool):
            return None
        if pool.start_task is not None:
            return self.plan(pool.start_task, "starttask", packages=pool.packages)
        if not pool.packages:
            return None
        script = with_packages(pool.packages, "")
        return NodeCommandPlan(
            command=command_line(script, Shell.BASH, {}, task="starttask"),
            resources=(),
            run_as=Elevation.ADMIN,
            retries=_PACKAGE_RETRIES,
            timeout=None,
            wait_for_success=True,
        )

    def plan(
        self, command: NodeCommand | None, name: str, packages: Iterable[str] = ()
    ) -> NodeCommandPlan | None:
        """One command; `name` is for the blob of a script too long for the wire."""
        if command is None:
            return None
        names = tuple(packages)
        try:
            script = self._script(command)
            environment = render_environment(
                command.environment,
                self._scope,
                self._document,
                (*command.pointer, "environment"),
            )
            resources = plan_resources(
                command.resources,
                self._scope,
                self._document,
                prefixes=container_prefixes(self._workload),
                known=self._known,
            )
        except SpecError as error:
            self.problems.extend(error.problems)
            return None
        if names:
            script = with_packages(names, script)
        return NodeCommandPlan(
            command=command_line(
                script,
                command.command.shell,
                environment,
                task=name,
                secrets=node_secrets(command, name),
            ),
            resources=resources,
            run_as=Elevation.ADMIN if names else command.run_as,
            retries=command.retries,
            timeout=command.timeout,
            wait_for_success=command.wait_for_success,
        )

    def job_environment(self) -> Mapping[str, str]:
        """The settings that all tasks of the job have."""
        job = self._workload.job
        try:
            return render_environment(
                job.environment, self._scope, self._document, (*job.pointer, "environment")
            )
        except SpecError as error:
            self.problems.extend(error.problems)
            return {}

    def _script(self, command: NodeCommand) -> str:
        try:
            return command.command.render(self._scope)
        except TemplateError as error:
            raise placed(error, self._document, (*command.pointer, "command")) from error
