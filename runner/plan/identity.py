"""What a task is made of, as named parts each with a digest: two tasks with the same are the same.

What counts is what may change what a task leaves: its command, its files, what its nodes are made
from, and where its outputs go. What does not: its id, the run's, and how patient a run is (retries,
timeouts, slots, sizes and numbers of nodes). It must not know what earlier runs were made of.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from typing_extensions import assert_never

from runner.frozen import dataclass
from runner.plan.command import SCRIPT_VARIABLE
from runner.plan.input_digests import InputDigests
from runner.plan.model import (
    BlobResource,
    CommandLine,
    FolderResource,
    NodeCommandPlan,
    Plan,
    ResourcePlan,
    RunId,
    TaskPlan,
    TaskRange,
    WebResource,
)
from runner.plan.node_commands import plan_node_commands
from runner.plan.packages import with_packages
from runner.plan.references import asks_for_urls, speaks_of_run
from runner.plan.step_tasks import COORDINATION_VARIABLE
from runner.spec.model.pool import CustomImage, ExistingPool, Image, Mount
from runner.spec.model.sources import OutputsOf
from runner.spec.model.step import Step
from runner.spec.model.terms import Application, NamedUser, Role, RunAs, StepName
from runner.spec.model.workload import OwnContainer
from runner.spec.validation.rules.uses import files_of

DIGEST_BYTES = 16
_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode
PARTS = ("command", "inputs", "resources", "image", "outputs", "needs")
"""The parts of every task, in the order in which a change of them is told."""

_ANY_RUN = RunId("run")
_CARRIERS = frozenset({SCRIPT_VARIABLE, COORDINATION_VARIABLE})

Files = tuple[tuple[str, str], ...]
"""Paths in a task's working directory, each with the digest of what is there; of a folder the
path ends with `/`, and of a URL it is the URL."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a task is made of; `parts` are hexadecimal digests by the names of `PARTS`."""

    parts: Mapping[str, str]
    files: Mapping[str, Files]
    """Of `inputs` and `resources`: which files their digests are of."""

    @property
    def digest(self) -> bytes:
        """One digest of all parts."""
        # As JSON has it: digits need no escapes.
        texts = [f'"{self.parts[name]}"' for name in PARTS]
        return _digest_text(f"[{','.join(texts)}]")


@dataclass(frozen=True, slots=True, kw_only=True)
class Unidentified:
    """A task of which nobody can tell what it is made of, and why."""

    why: str


NeedsDigest = Callable[[tuple[TaskRange, ...]], bytes | None]
"""One digest of what the tasks of some ranges leave; None where that is not known."""


class Identities:
    """The identities of the tasks of one plan, one at a time."""

    def __init__(self, plan: Plan, inputs: InputDigests, *, target: str) -> None:
        """`plan` is one that was given no storage account: the account of a run does not count.

        `target` does: its nodes have other programs.
        """
        self._plan = plan
        self._inputs = inputs
        self._target = target
        self._may_name_run = {
            step.name: speaks_of_run(step) or asks_for_urls(step) for step in plan.workload.steps
        }
        self._input_roles = {step.name: _input_roles(plan, step) for step in plan.workload.steps}
        self._downloaded = {
            each.role: isinstance(each, OwnContainer) and each.download
            for each in plan.workload.containers
        }
        self._pool: list[Any] | None = None
        self._images: dict[tuple[StepName, str | None], str] = {}
        self._commands: dict[StepName, tuple[str, str, str]] = {}

    def names_run(self, task: TaskPlan) -> bool:
        """Whether the id of the run is in what a task does: it is another one each time."""
        if not self._may_name_run[task.step.name] and not self._plan.job_environment:
            return False
        return any(self._plan.run_id in text for text in self._texts(task))

    def identify(self, task: TaskPlan, needs: NeedsDigest) -> Identity | Unidentified:
        """What a task is made of."""
        if self.names_run(task):
            return Unidentified(why="it names the run")
        image = self._image(task)
        if isinstance(image, Unidentified):
            return image
        found = [self._files(some) for some in self._by_kind(task)]
        unknown = next((each for each in found if isinstance(each, Unidentified)), None)
        if unknown is not None:
            return unknown
        inputs, resources, shared = (each for each in found if not isinstance(each, Unidentified))
        needed = needs(task.needs) if task.needs else b""
        if needed is None:
            return Unidentified(why="what the tasks left that it needs is not known")
        return Identity(
            parts={
                "command": self._command(task),
                "inputs": _hex(inputs),
                "resources": _hex([resources, shared]) if resources or shared else _NOTHING,
                "image": image,
                "outputs": _hex(self._outputs(task)),
                "needs": needed.hex(),
            },
            files={"inputs": _paths(inputs), "resources": _paths((*resources, *shared))},
        )

    def _by_kind(self, task: TaskPlan) -> tuple[Iterable[ResourcePlan], ...]:
        """The files of the task's item, those that its step names besides, those of every node."""
        roles = self._input_roles[task.step.name]
        inputs, others = list[ResourcePlan](), list[ResourcePlan]()
        for each in task.resources:
            is_input = isinstance(each, BlobResource) and each.role in roles
            (inputs if is_input else others).append(each)
        return inputs, others, task.shared_resources

    def _command(self, task: TaskPlan) -> str:
        """The digest of a list of what commands are; all but the scripts is the step's."""
        step, coordination = task.step, task.coordination
        if step.name not in self._commands:
            rest = (
                None if step.instances is None else step.instances.count,
                _run_as(step.run_as),
                {name: str(secret) for name, secret in step.secrets.items()},
                step.extra,
            )
            self._commands[step.name] = (
                _encode(step.command.shell.value),
                _encode(dict(self._plan.job_environment)),
                ",".join(map(_encode, rest)),
            )
        shell, job_environment, others = self._commands[step.name]
        scripts = _script(task.command), "null" if coordination is None else _script(coordination)
        return _digest_text(f"[{shell},{scripts[0]},{job_environment},{scripts[1]},{others}]").hex()

    def _outputs(self, task: TaskPlan) -> list[Any]:
        return [
            [
                each.pattern,
                each.role,
                each.path,
                each.when.value,
                self._downloaded[each.role],
            ]
            for each in task.outputs
        ]

    def _files(self, resources: Iterable[ResourcePlan]) -> list[tuple[Any, ...]] | Unidentified:
        """Path, mode and digest of each."""
        found: list[tuple[Any, ...]] = []
        for each in resources:
            match each:
                case WebResource():
                    # Nobody but the node may be able to read it: a URL stands for what is there.
                    found.append((each.path, each.mode, _hex(each.url), each.url))
                    continue
                case BlobResource():
                    digest, what = self._inputs.of_blob(each.role, each.blob), each.blob
                    path = each.path
                case FolderResource():
                    digest, what = self._inputs.of_folder(each.role, each.prefix), each.prefix
                    path = f"{each.path}/{each.prefix}".lstrip("/").rstrip("/") + "/"
                case _:
                    assert_never(each)
            if digest is None:
                place = f"{each.role}/{what}" if what else each.role
                return Unidentified(why=f"what is in `{place}` is not known")
            found.append((path, each.mode, digest.hex(), path))
        return found

    def _image(self, task: TaskPlan) -> str | Unidentified:
        step = task.step
        key = (step.name, task.container_image)
        if key not in self._images:
            if self._pool is None:
                described = self._describe_pool()
                if isinstance(described, Unidentified):
                    return described
                self._pool = described
            container = step.container
            options = None
            if container is not None:
                options = [container.options, container.working_directory.value]
            applications = _applications(step.applications)
            self._images[key] = _hex([self._pool, task.container_image, options, applications])
        return self._images[key]

    def _describe_pool(self) -> list[Any] | Unidentified:
        pool = self._plan.workload.pool
        # As in any run: its id is the same for all of them here.
        commands, _ = plan_node_commands(self._plan.workload, _ANY_RUN, {})
        preparation = self._node_command(commands.preparation, ())
        if isinstance(preparation, Unidentified):
            return preparation
        if isinstance(pool, ExistingPool):
            return [self._target, "existing", pool.id, preparation]
        start = self._node_command(commands.start_task, pool.packages)
        if isinstance(start, Unidentified):
            return start
        return [
            self._target,
            _describe_image(pool.image),
            # This machine installs them for those alone who let it.
            list(pool.packages) if self._target == "azure" else [],
            start,
            preparation,
            _applications(pool.applications),
            [_describe_mount(each) for each in pool.mounts],
            pool.extra,
        ]

    def _node_command(
        self, command: NodeCommandPlan | None, packages: tuple[str, ...]
    ) -> list[Any] | Unidentified | None:
        """A command that sets nodes up, without the packages that are named beside it."""
        if command is None:
            return None
        resources = self._files(command.resources)
        if isinstance(resources, Unidentified):
            return resources
        script = command.command.script
        if packages:
            script = script.removeprefix(with_packages(packages, ""))
        if not script:
            return None
        environment = _environment(command.command)
        if command.command.secrets is not None:
            secrets = command.command.secrets.variables
            environment |= {name: f"secret {secret}" for name, secret in secrets.items()}
        return [script, environment, resources]

    def _texts(self, task: TaskPlan) -> Iterable[str]:
        """All that is rendered of a task, and what the job gives it."""
        yield from self._plan.job_environment.values()
        for command in (task.command, task.coordination):
            if command is not None:
                yield command.script
                yield from command.environment.values()
        for each in (*task.resources, *task.shared_resources):
            yield each.path
            if isinstance(each, WebResource):
                yield each.url
        for output in task.outputs:
            yield output.pattern
            yield output.path
        yield task.container_image or ""


def _input_roles(plan: Plan, step: Step) -> frozenset[Role]:
    """The containers that the files of a step's items come from."""
    roles = {each.role for each in files_of(step)}
    if isinstance(step.for_each, OutputsOf):
        roles |= {output.to for output in plan.workload.step(step.for_each.step).outputs}
    return frozenset(roles)


def _script(command: CommandLine) -> str:
    environment = _environment(command)
    return f"[{_encode(command.script)},{_encode(environment) if environment else '{}'}]"


def _environment(command: CommandLine) -> dict[str, str]:
    """The settings without those that carry a script, which stands beside them."""
    return {name: value for name, value in command.environment.items() if name not in _CARRIERS}


def _run_as(run_as: RunAs) -> str:
    return f"user {run_as.name}" if isinstance(run_as, NamedUser) else run_as.value


def _applications(applications: Iterable[Application]) -> list[Any]:
    return [[each.id, each.version] for each in applications]


def _describe_image(image: Image | CustomImage) -> list[Any]:
    if isinstance(image, CustomImage):
        return [image.id]
    return [image.publisher, image.offer, image.sku, image.version]


def _describe_mount(mount: Mount) -> list[Any]:
    return [mount.path, type(mount.source).__name__, repr(mount.source), mount.options]


def _paths(files: Iterable[tuple[Any, ...]]) -> Files:
    return tuple((shown, digest) for _, _, digest, shown in files)


def _hex(value: object) -> str:
    return _digest(value).hex()


def _digest(value: object) -> bytes:
    return _digest_text(_encode(value))


def _digest_text(text: str) -> bytes:
    return hashlib.blake2b(text.encode(), digest_size=DIGEST_BYTES).digest()


_NOTHING = _hex([[], []])
"""Of resources where a task has none, as most have."""
