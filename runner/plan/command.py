"""How a script becomes a command line: what goes on the wire stays simple.

Batch runs no shell and does not publish how it splits a command line (REST: Task - Add,
`commandLine`), so the line is a constant around the script, or around the variable that carries it.
It must not know where values in the script came from.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from runner.plan.model import CommandLine

SCRIPT_VARIABLE = "BATCH_RUN_SCRIPT"
SCRIPT_FILE = "batch-run-script.sh"
"""The name, in the task's working directory, of a script that came as a file."""

_STRICT = "set -e -o pipefail"
# Linux takes 128 KiB for one variable (MAX_ARG_STRLEN); the rest is room for its name.
_VARIABLE_LIMIT_BYTES = 100_000
# Some splitters read a backslash inside single quotes as an escape; nothing here relies on one.
_PLAIN_LIMIT_CHARACTERS = 8_000
_NOT_PLAIN = frozenset("'\\")


def bash_command(script: str, environment: Mapping[str, str], *, task: str) -> CommandLine:
    """The command line that runs `script` in bash, stopping at the first command that fails.

    `task` names the blob of a script that has to travel as a file.
    """
    settings = dict(environment)
    script_file = None
    if _is_plain(script):
        line = f"/bin/bash -c '{_STRICT}; {script}'"
    elif len(script.encode()) <= _VARIABLE_LIMIT_BYTES:
        settings[SCRIPT_VARIABLE] = script
        line = f"/bin/bash -c '{_STRICT}; eval \"${SCRIPT_VARIABLE}\"'"
    else:
        digest = hashlib.sha256(script.encode()).hexdigest()[:16]
        script_file = f"{task}/script-{digest}.sh"
        line = f"/bin/bash -c '{_STRICT}; . ./{SCRIPT_FILE}'"
    return CommandLine(line=line, environment=settings, script=script, script_file=script_file)


def _is_plain(script: str) -> bool:
    return (
        len(script) <= _PLAIN_LIMIT_CHARACTERS
        and not _NOT_PLAIN.intersection(script)
        and script.isprintable()
    )
