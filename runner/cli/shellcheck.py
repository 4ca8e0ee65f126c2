"""What shellcheck finds in a script, where it is installed.

It knows nothing of specs: a script goes in, findings at offsets of that script come out.
Source: shellcheck 0.9, output format `json1`, which counts a tab as one column.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path

from runner.errors import describe_os_error
from runner.frozen import dataclass

LIMIT_SECONDS = 10.0

_STRICT = {"bash": "set -e -o pipefail", "sh": "set -e"}
# A script sources files of its node, which are not here: "not following" says nothing of it.
_NOT_FOUND_HERE = "SC1090,SC1091"
_FOUND_CODES = (0, 1)
"""Exit codes of a check that could be made: nothing found, something found."""


class ShellcheckError(Exception):
    """shellcheck gave no answer that we can read; the message says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One finding: characters `start` to just before `end` of the script, both from 0.

    `code` is shellcheck's own number, `level` its `error`, `warning`, `info` or `style`.
    """

    start: int
    end: int
    code: int
    level: str
    message: str


def check_script(
    program: str,
    script: str,
    *,
    shell: str,
    variables: Iterable[str],
    folder: Path,
    limit_seconds: float = LIMIT_SECONDS,
) -> tuple[Finding, ...]:
    """What `program` finds in a script for `bash` or `sh` that runs with `variables` set.

    A `.shellcheckrc` in `folder` or above is heeded. Raises `ShellcheckError`.
    """
    exported = " ".join(("export", *variables))
    first = f"{_STRICT[shell]}; {exported}" if exported != "export" else _STRICT[shell]
    try:
        done = subprocess.run(
            [program, "-f", "json1", "-s", shell, "-e", _NOT_FOUND_HERE, "-"],
            input=f"{first}\n{script}".encode("utf-8", "backslashreplace"),
            cwd=folder,
            capture_output=True,
            timeout=limit_seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ShellcheckError(f"it took more than {limit_seconds:g} s") from error
    except OSError as error:
        raise ShellcheckError(describe_os_error(error)) from error
    if done.returncode not in _FOUND_CODES:
        last = done.stderr.decode(errors="replace").strip().rpartition("\n")[2]
        raise ShellcheckError(last or f"it ended with exit code {done.returncode}")
    return parse_findings(done.stdout, script)


def parse_findings(output: bytes, script: str) -> tuple[Finding, ...]:
    """The findings of `json1` output whose first line is not the script's; raises likewise."""
    starts = tuple(accumulate((len(line) + 1 for line in script.split("\n")), initial=0))

    def offset(line: int, column: int) -> int:
        if line < 2:  # our own line, before the script's first
            return -1
        return min(starts[min(line - 2, len(starts) - 1)] + column - 1, len(script))

    try:
        return tuple(
            Finding(
                start=offset(each["line"], each["column"]),
                end=offset(each["endLine"], each["endColumn"]),
                code=each["code"],
                level=each["level"],
                message=each["message"],
            )
            for each in json.loads(output)["comments"]
            if each["line"] > 1
        )
    except (ValueError, LookupError, TypeError) as error:
        raise ShellcheckError("its output is not what `-f json1` should give") from error
