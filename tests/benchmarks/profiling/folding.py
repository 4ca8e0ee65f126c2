"""Makes samples of stacks into parts of a program: which part was at work when a sample was taken.

It must not know how samples are taken.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from tests.benchmarks.samples import CLIENT, EMULATOR, NODES

IMPORTS = "start-up: imports"
INTERPRETER = "begin and end of the interpreter"
OTHER = "other Python"
NODE_HTTP = "nodes: files over HTTP"
SYSTEM = "system calls"
UNSEEN = "not in samples: C code without the lock"

_TRANSPORT = "HTTP transport"
_PROCESS = "process "
_EMULATOR = "runner.emulator --"
_FRAME = re.compile(r"(?P<function>.*) \((?P<file>.*)\)")


@dataclass(frozen=True, slots=True)
class Frame:
    """A file and a function of it."""

    file: str
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """What a process was at, and how often it was seen there.

    `processes` are command lines, the process itself behind those that it was started by; of the
    `frames` the innermost comes first.
    """

    processes: tuple[str, ...]
    frames: tuple[Frame, ...]
    samples: int


# The first rule that fits a frame names its part; the innermost frame that any fits decides. So a
# call of `os` or `pathlib` belongs to whoever made it.
_RULES: tuple[tuple[str, str], ...] = tuple(
    (re.escape(piece), part)
    for piece, part in (
        ("runner/emulator/blob/", "Blob Storage"),
        ("runner/emulator/storage/", "journal and SQLite"),
        ("runner/emulator/server/", "HTTP server and signatures"),
        ("runner/emulator/faults/", "HTTP server and signatures"),
        ("runner/emulator/batch/node/", "nodes: directories, files, processes"),
        ("runner/emulator/batch/isolation/", "nodes: directories, files, processes"),
        ("runner/emulator/batch/launching/", "nodes: directories, files, processes"),
        ("runner/emulator/batch/", "Batch: state and operations"),
        ("runner/emulator/", "start and end of the emulator"),
        ("runner/remote/transport", _TRANSPORT),
        ("runner/remote/connections/", _TRANSPORT),
        ("runner/remote/", "our calls of the services"),
        ("runner/run/records/", "events, journal and records"),
        ("runner/run/transfers/", "files to and from the disk"),
        ("runner/run/", "the run: feed, watch, collect"),
        ("runner/report/", "reports"),
        ("runner/plan/", "plan and spec"),
        ("runner/spec/", "plan and spec"),
        ("runner/connect", "command line"),
        ("runner/cli/", "command line"),
        ("azure/", "Azure SDK"),
        ("msrest/", "Azure SDK"),
        ("http/client.py", _TRANSPORT),
        ("http/server.py", "HTTP server and signatures"),
        ("urllib3/", _TRANSPORT),
        ("/requests/", _TRANSPORT),
        ("email/", _TRANSPORT),
        ("ssl.py", _TRANSPORT),
        ("/json/", "JSON"),
        ("xml/", "XML"),
        ("asyncio/", "event loop"),
        ("selectors.py", "event loop"),
        ("concurrent/futures/", "threads and queues"),
        ("queue.py", "threads and queues"),
        ("threading.py", "threads and queues"),
    )
)
_PARTS = tuple((re.compile(pattern), part) for pattern, part in _RULES)


def parse_stacks(lines: Iterable[str]) -> Iterator[Stack]:
    """The stacks of a file of `py-spy record --format raw --nolineno --full-filenames`."""
    for line in lines:
        text, _, number = line.rstrip("\n").rpartition(" ")
        if not number.isdecimal():
            continue
        processes, frames = [], []
        for piece in text.split(";"):
            frame = _FRAME.fullmatch(piece)
            if piece.startswith(_PROCESS):
                processes.append(piece.partition(":")[2])
            elif frame is not None:
                frames.append(Frame(frame["file"], frame["function"]))
        yield Stack(processes=tuple(processes), frames=tuple(reversed(frames)), samples=int(number))


def role_of(stack: Stack) -> str:
    """Whose time it is: a node is a process that the emulator has started."""
    emulators = [line for line in stack.processes if _EMULATOR in line]
    if not emulators:
        return CLIENT
    return EMULATOR if emulators[0] == stack.processes[-1] else NODES


def part_of(stack: Stack) -> str:
    """The part that a sample belongs to."""
    files = [frame.file for frame in stack.frames]
    if not files:
        return INTERPRETER
    if any(file.startswith("<frozen importlib._bootstrap") for file in files):
        return IMPORTS
    for file in files:
        part = _part_of_file(file)
        if part == _TRANSPORT and any("runner/emulator/" in each for each in files):
            return NODE_HTTP  # the emulator is a client only where it brings files to tasks
        if part is not None:
            return part
    return OTHER


def count_parts(stacks: Iterable[Stack]) -> dict[str, Counter[str]]:
    """How many samples each part of each role has."""
    counts: dict[str, Counter[str]] = {}
    for stack in stacks:
        counts.setdefault(role_of(stack), Counter())[part_of(stack)] += stack.samples
    return counts


def _part_of_file(file: str) -> str | None:
    for pattern, part in _PARTS:
        if pattern.search(file):
            return part
    return None
