"""`python -m runner.emulator --prepared`: the emulator, started before its options are known.

It imports what it needs and waits for one line on standard input: a JSON object with its `options`,
the `directory` to work in, the file there that takes its `messages`, and whether it `outlives` who
started it. Where standard input ends before, so does it. It must not know what the options mean.
"""

from __future__ import annotations

import json
import os

from runner.emulator.program import EXIT_SUCCESS, build_parser, run


def run_prepared() -> int:
    """The exit code of the emulator."""
    # What is imported here need not be waited for when the options have come.
    import runner.emulator.assembly
    import runner.emulator.lingering
    import runner.emulator.server.serving  # noqa: F401

    line = _read_line()
    if not line.endswith(b"\n"):
        return EXIT_SUCCESS
    told = json.loads(line)
    os.chdir(told["directory"])
    _open_as(2, told["messages"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    if told["outlives"]:
        _open_as(0, os.devnull, os.O_RDONLY)
    return run(build_parser().parse_args(told["options"]))


def _read_line() -> bytes:
    """Up to the end of the line and not a byte more: who watches standard input reads on there."""
    line = b""
    while not line.endswith(b"\n"):
        piece = os.read(0, 1)
        if not piece:
            break
        line += piece
    return line


def _open_as(number: int, path: str, flags: int) -> None:
    file = os.open(path, flags, 0o644)
    os.dup2(file, number)
    os.close(file)
