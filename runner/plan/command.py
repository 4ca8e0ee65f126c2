"""How a script becomes a command line: what goes on the wire stays simple.

Batch runs no shell and does not publish how it splits a command line (REST: Task - Add,
`commandLine`), so the line is a constant around the script, or around the variable that carries it.
It must not know where values in the script came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from typing_extensions import assert_never

from runner.plan.model import CommandLine, SecretFile
from runner.plan.secret_files import read_in_posix, read_in_powershell
from runner.spec.shells.shell import Shell

SCRIPT_VARIABLE = "BATCH_RUN_SCRIPT"
SCRIPT_FILE = "batch-run-script.sh"
"""The name, in the task's working directory, of a script that came as a file."""

# What a script is run by, and what makes it stop at the first command that fails.
_POSIX = {
    Shell.BASH: ("/bin/bash", "set -e -o pipefail"),
    Shell.SH: ("/bin/sh", "set -e"),
}
# Linux takes 128 KiB for one variable (MAX_ARG_STRLEN); the rest is room for its name.
_VARIABLE_LIMIT_BYTES = 100_000
# Some splitters read a backslash inside single quotes as an escape; nothing here relies on one.
_PLAIN_LIMIT_CHARACTERS = 8_000


def command_line(
    script: str,
    shell: Shell,
    environment: Mapping[str, str],
    *,
    task: str,
    secrets: SecretFile | None = None,
) -> CommandLine:
    """The command line that runs `script` in `shell`, stopping at the first command that fails.

    Without a shell the script is the line. `task` names the blob of a script that has to travel as
    a file; `script` is then the text of that file. `secrets` are read first.
    """
    match shell:
        case Shell.BASH | Shell.SH:
            return _posix_command(script, shell, environment, task=task, secrets=secrets)
        case Shell.NONE:
            return CommandLine(
                line=script, environment=dict(environment), script=script, secrets=secrets
            )
        case Shell.CMD | Shell.POWERSHELL:
            return _windows_command(script, shell, environment, task=task, secrets=secrets)
        case _:
            assert_never(shell)


def _windows_command(
    script: str,
    shell: Shell,
    environment: Mapping[str, str],
    *,
    task: str,
    secrets: SecretFile | None,
) -> CommandLine:
    from runner.plan.command_windows import wrap_cmd, wrap_powershell  # few specs are for Windows

    if shell is Shell.CMD:
        wrapped = wrap_cmd(script)
    else:
        before = None if secrets is None else read_in_powershell()
        wrapped = wrap_powershell(script, before=before)
    suffix = None if wrapped.file_name is None else wrapped.file_name.rpartition(".")[2]
    return CommandLine(
        line=wrapped.line,
        environment=dict(environment),
        script=script if wrapped.file_text is None else wrapped.file_text,
        script_file=suffix and _blob_name(task, wrapped.file_text or "", suffix),
        script_name=wrapped.file_name,
        secrets=secrets,
    )


def _posix_command(
    script: str,
    shell: Shell,
    environment: Mapping[str, str],
    *,
    task: str,
    secrets: SecretFile | None,
) -> CommandLine:
    program, strict = _POSIX[shell]
    if secrets is not None:
        strict = f"{strict}; {read_in_posix()}"
    settings = dict(environment)
    script_file = script_name = None
    if _is_plain(script):
        line = f"{program} -c '{strict}; {script}'"
    elif len(script.encode()) <= _VARIABLE_LIMIT_BYTES:
        settings[SCRIPT_VARIABLE] = script
        line = f"{program} -c '{strict}; eval \"${SCRIPT_VARIABLE}\"'"
    else:
        script_file, script_name = _blob_name(task, script, "sh"), SCRIPT_FILE
        line = f"{program} -c '{strict}; . ./{SCRIPT_FILE}'"
    return CommandLine(
        line=line,
        environment=settings,
        script=script,
        script_file=script_file,
        script_name=script_name,
        secrets=secrets,
    )


def _blob_name(task: str, text: str, suffix: str) -> str:
    digest = hashlib.sha256(text.encode()).hexdigest()[:16]
    return f"{task}/script-{digest}.{suffix}"


def _is_plain(script: str) -> bool:
    return (
        len(script) <= _PLAIN_LIMIT_CHARACTERS
        and "'" not in script
        and "\\" not in script
        and script.isprintable()
    )
