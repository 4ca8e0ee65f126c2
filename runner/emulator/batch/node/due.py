"""Which outputs of a task are due once its process has ended, and whether they go at once.

It must not know how they are sent.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Mapping, Sequence

from runner.emulator.batch.node.containment import NodeFolder
from runner.emulator.batch.node.launch import OutputFile, UploadCondition
from runner.emulator.batch.node.near import SMALL_BYTES, NearStorage
from runner.emulator.batch.node.patterns import FilePattern, PatternError, parse_pattern
from runner.emulator.never import unforeseen

_MOST_AT_ONCE = 16


def due_outputs(outputs: Sequence[OutputFile], *, exit_code: int) -> tuple[OutputFile, ...]:
    """Those whose condition holds after that exit code."""
    return tuple(output for output in outputs if _is_due(output.condition, exit_code))


def pattern_of(
    output: OutputFile, folder: NodeFolder, environment: Callable[[], Mapping[str, str]]
) -> FilePattern:
    """The pattern of an entry, below the task's directory; raises `PatternError`."""
    return parse_pattern(
        output.file_pattern,
        task_directory=folder,
        environment=environment() if "$" in output.file_pattern else {},
    )


def gathers_at_once(
    outputs: Sequence[OutputFile],
    near: NearStorage,
    task_directory: NodeFolder,
    environment: Callable[[], Mapping[str, str]],
) -> bool:
    """Whether all go to storage that is near, name their files, and these are small.

    So it is found out without opening them; what is sent has all its checks nevertheless.
    """
    if len(outputs) > _MOST_AT_ONCE:
        return False
    folder, size_bytes = task_directory.path_text, 0
    for output in outputs:
        if not near.serves(output.container_url):
            return False
        try:
            pattern = pattern_of(output, task_directory, environment)
            if not pattern.names_one_file:
                return False
            path = "/".join((folder, *pattern.base))
            status = os.stat(path, follow_symlinks=False)  # noqa: PTH116 - is light
        except (PatternError, OSError, ValueError):
            # To be told of, which may as well take longer.
            return False
        if not stat.S_ISREG(status.st_mode):
            return False
        size_bytes += status.st_size
    return size_bytes <= SMALL_BYTES


def _is_due(condition: UploadCondition, exit_code: int) -> bool:
    match condition:
        case UploadCondition.TASK_SUCCESS:
            return exit_code == 0
        case UploadCondition.TASK_FAILURE:
            return exit_code != 0
        case UploadCondition.TASK_COMPLETION:
            return True
        case _:
            raise unforeseen(condition)
