"""Scripts of cmd and PowerShell as command lines of Windows, or as files where a line is too short.

It must not know where values in the script came from.
"""

from __future__ import annotations

import re
from base64 import b64encode

from runner.frozen import dataclass

CMD_FILE = "batch-run-script.cmd"
POWERSHELL_FILE = "batch-run-script.ps1"
"""The names, in the task's working directory, of scripts that came as files."""

# cmd takes 8,191 characters (support.microsoft.com, "Command prompt line string limitation").
_LINE_LIMIT_CHARACTERS = 8_000

# Read alike in a command line and in a batch file, but for a variable that is not set.
_VARIABLE = re.compile(r"%[A-Za-z_][A-Za-z0-9_().-]*(?::[^%\n]*)?%", re.ASCII)
_NODE_VARIABLE = re.compile(r"%AZ_BATCH_[A-Z0-9_]+%", re.ASCII | re.IGNORECASE)
_CONTINUATION = re.compile(r"(?<!\^)((?:\^\^)*)\^\n[ \t]+")
_QUOTED = re.compile(r'"[^"\n]*"|\^.')
_COMMENT = re.compile(r"[@ \t]*(?:::|rem(?![A-Za-z0-9_]))", re.IGNORECASE)
_LABEL = re.compile(r"[ \t]*:")
# What binds the rest of a line to itself, leaves the script, or changes how what follows is read.
_NOT_JOINED = re.compile(
    r"[@ \t]*(?:if|for|else|goto|exit|setlocal|endlocal|set|:)(?![A-Za-z0-9_-])|[ \t]*:",
    re.IGNORECASE,
)
_OPENING = re.compile(r"@?\(|@?(?:if|for|else)(?![A-Za-z0-9_-]).*\(|.*[&|][ \t]*\(", re.IGNORECASE)
_CHECK = 'if not "%errorlevel%"=="0" exit /b %errorlevel%'

_POWERSHELL = "powershell -NoProfile -NonInteractive -ExecutionPolicy Bypass"
# The last: programs that fail stop the script from PowerShell 7.4 on; before, nothing makes them.
_BEFORE = (
    "$ErrorActionPreference = 'Stop'; $ProgressPreference = 'SilentlyContinue'; "
    "$global:LASTEXITCODE = 0; $PSNativeCommandUseErrorActionPreference = $true"
)
_BEHIND = "exit $LASTEXITCODE"


@dataclass(frozen=True, slots=True, kw_only=True)
class WrappedScript:
    """A command line, and the name and text of the file that it runs, if it runs one."""

    line: str
    file_name: str | None = None
    file_text: str | None = None


def wrap_cmd(script: str) -> WrappedScript:
    """A script that reads as a batch file does, each line run only where those before succeeded.

    One line goes into the command line, and several that are simple, joined by `&&`; else a file is
    written, with a look at the exit code behind each line that is complete. A variable that is not
    set is empty in a file, and stays as it is written in a command line.
    """
    joined = _join(_CONTINUATION.sub(r"\1 ", script.strip("\n")))
    line = f'cmd /d /s /c "{joined}"'
    if joined is not None and len(line) <= _LINE_LIMIT_CHARACTERS:
        return WrappedScript(line=line)
    return WrappedScript(
        line=f'cmd /d /s /c ".\\{CMD_FILE}"', file_name=CMD_FILE, file_text=_batch_file(script)
    )


def wrap_powershell(script: str, *, before: str | None = None) -> WrappedScript:
    """A script that stops at the first error and ends with the last program's exit code.

    `before` is run first.
    """
    start = _BEFORE if before is None else f"{_BEFORE}\n{before}"
    text = f"{start}\n{script}\n{_BEHIND}\n"
    encoded = b64encode(text.encode("utf-16-le")).decode()
    line = f"{_POWERSHELL} -EncodedCommand {encoded}"
    if len(line) <= _LINE_LIMIT_CHARACTERS:
        return WrappedScript(line=line)
    return WrappedScript(
        line=f"{_POWERSHELL} -File .\\{POWERSHELL_FILE}",
        file_name=POWERSHELL_FILE,
        # Windows PowerShell takes a file for UTF-8 only where it starts with this mark.
        file_text="\ufeff" + text.replace("\n", "\r\n"),
    )


def _join(script: str) -> str | None:
    """The script as one line; None where that could be read as something else."""
    lines = [line for line in script.split("\n") if line.strip() and not _COMMENT.match(line)]
    if "%" in _VARIABLE.sub("", script) or not lines:
        return None
    if len(lines) == 1:
        return None if _LABEL.match(lines[0]) else lines[0].strip()
    for line in lines:
        rest = _QUOTED.sub("", line)
        # A variable in one line would be read before the lines above it have run.
        is_early = "%" in _NODE_VARIABLE.sub("", line)
        if is_early or _NOT_JOINED.match(line) or set("()") & set(rest) or rest.endswith("^"):
            return None
    return "&&".join(f"({line.strip()})" for line in lines)


def _batch_file(script: str) -> str:
    lines = ["@echo off", "chcp 65001 > nul"]
    depth = 0
    for line in script.strip("\n").split("\n"):
        lines.append(line)
        if not line.strip() or _COMMENT.match(line) or _LABEL.match(line):
            continue
        depth = _depth_behind(line, depth)
        if depth == 0 and not _is_continued(line):
            lines.append(_CHECK)
    return "".join(f"{line}\r\n" for line in lines)


def _depth_behind(line: str, depth: int) -> int:
    """How many blocks are open behind a line; in an argument a parenthesis is only itself."""
    rest = _QUOTED.sub("", line).strip()
    opens = _OPENING.match(rest) is not None
    if depth == 0 and not opens:
        return 0
    return max(depth + rest.count("(") - rest.count(")"), 0)


def _is_continued(line: str) -> bool:
    return (len(line) - len(line.rstrip("^"))) % 2 == 1
