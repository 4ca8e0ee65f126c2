"""How secret parameters reach a command: in a file that it reads and takes away before all else.

What a task is made of can be read by all who may read the job (REST: Task - Get,
`environmentSettings`), so a value goes neither into its command line nor into its environment. It
must not know which task that is, nor how the file gets there.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping

from typing_extensions import assert_never

from runner.plan.model import Plan, SecretFile
from runner.spec.model.pool import NewPool
from runner.spec.model.step import Step
from runner.spec.model.terms import NodeCommand, SecretName
from runner.spec.shells.shell import Shell

SECRET_FILE = ".batch-run-secrets"  # noqa: S105 - a name
"""The file in a command's working directory; no wildcard of an output takes it, once it is gone."""
SECRET_MODE = "0600"  # noqa: S105 - octal digits
"""Its owner alone, who is the user that the command runs as, can read it."""

_WORKING_DIRECTORY = "AZ_BATCH_TASK_WORKING_DIR"
"""Set for every command; in a container too, wherever that begins."""


def step_secrets(step: Step) -> SecretFile | None:
    """What the tasks of a step read; the same for all of them."""
    return _secret_file(f"step/{step.name}", step)


def node_secrets(command: NodeCommand, name: str) -> SecretFile | None:
    """What a command of the nodes reads; `name` says which."""
    return _secret_file(f"node/{name}", command)


def secret_files(plan: Plan) -> Iterator[SecretFile]:
    """Every file that a run has to bring up before its commands run."""
    pool = plan.workload.pool
    found = [step_secrets(step) for step in plan.workload.steps]
    if isinstance(pool, NewPool) and pool.start_task is not None:
        found.append(node_secrets(pool.start_task, "starttask"))
    if plan.workload.job.preparation is not None:
        found.append(node_secrets(plan.workload.job.preparation, "jobpreparation"))
    yield from filter(None, found)


def secret_text(file: SecretFile, values: Mapping[SecretName, str]) -> str:
    """The content of the file; never log it."""
    settings = {name: values[secret] for name, secret in file.variables.items()}
    match file.shell:
        case Shell.BASH | Shell.SH:
            return "".join(
                f"export {name}={shlex.quote(value)}\n" for name, value in settings.items()
            )
        case Shell.POWERSHELL:
            return json.dumps(settings)
        case Shell.CMD | Shell.NONE:
            raise AssertionError(file.shell)  # the rules refuse them
        case _:
            assert_never(file.shell)


def read_in_posix() -> str:
    """What bash and sh run to have the variables, and the file gone; a failure ends the command.

    Only double quotes, so that it can stand in a command line within single ones.
    """
    path = f'"${_WORKING_DIRECTORY}/{SECRET_FILE}"'
    return f". {path}; rm -f {path}"


def read_in_powershell() -> str:
    """What PowerShell runs to the same end."""
    path = f"$env:{_WORKING_DIRECTORY}\\{SECRET_FILE}"
    return (
        f'(Get-Content -Raw -Encoding UTF8 -LiteralPath "{path}" | ConvertFrom-Json).PSObject'
        '.Properties | ForEach-Object { Set-Item -LiteralPath "Env:$($_.Name)" -Value $_.Value }; '
        f'Remove-Item -Force -LiteralPath "{path}"'
    )


def _secret_file(name: str, command: Step | NodeCommand) -> SecretFile | None:
    if not command.secrets:
        return None
    return SecretFile(blob=name, shell=command.command.shell, variables=command.secrets)
