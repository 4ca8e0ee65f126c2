"""What people read of one thing: a failure in a line, a number with its unit, text without escapes.

It must not know what is shown around it; colours and terminals are not its business.
"""

from __future__ import annotations

from runner.run.events import (
    DEPENDENCY_FAILED,
    HALTED,
    JOB_ENDED,
    TRANSFER_FAILED,
    TaskFinished,
)

_PROGRAM_NOT_FOUND = 127
_RATE_UNITS = (("s", 1), ("min", 60), ("h", 3_600))
_NODE_CHARACTERS = 24
_NODE_BEGIN, _NODE_END = 14, 6
# A shell gives a program that a signal ended this much more than the signal's number.
_SIGNAL_BASE = 128
_LAST_SIGNAL = 64
# Linux on x86-64 and Arm; this machine may be another, so its own table is of no use.
_SIGNALS = {
    1: "SIGHUP",
    2: "SIGINT",
    3: "SIGQUIT",
    4: "SIGILL",
    5: "SIGTRAP",
    6: "SIGABRT",
    7: "SIGBUS",
    8: "SIGFPE",
    9: "SIGKILL",
    10: "SIGUSR1",
    11: "SIGSEGV",
    12: "SIGUSR2",
    13: "SIGPIPE",
    14: "SIGALRM",
    15: "SIGTERM",
    24: "SIGXCPU",
    25: "SIGXFSZ",
    31: "SIGSYS",
}
CONSEQUENCES = {
    JOB_ENDED: "ended with the job",
    DEPENDENCY_FAILED: "never ran",
    HALTED: "never ran",
    TRANSFER_FAILED: "not home",
}
"""What became of tasks that did not fail by themselves, by cause."""


def describe_end(task: TaskFinished) -> str:
    """A task that did not succeed, in one line."""
    item = f" ({task.item})" if task.item else ""
    if task.cause == TRANSFER_FAILED:
        code = f" with exit code {task.exit_code}" if task.exit_code else ""
        return printable(f"task {task.task}{item} ended{code}, and is not home: {task.message}")
    words = CONSEQUENCES.get(task.cause or "")
    if words is not None:
        return printable(f"task {task.task} {words}{item}: {task.message}")
    cause = _failure(task, describe_place(task, is_short=True))
    return printable(f"task {task.task} failed{item}: {cause}")


def describe_failure(task: TaskFinished) -> str:
    """The cause in one line: the exit code, or the service's words where there was none."""
    return _failure(task, describe_place(task))


def describe_cause(task: TaskFinished) -> str:
    """The same without what is the task's own: where it ran, and how often."""
    return _failure(task, "")


def describe_place(task: TaskFinished, *, is_short: bool = False) -> str:
    """Where it ran, and how often: ` on node n1 after 3 tries`."""
    name = shorten_node(task.node) if task.node and is_short else task.node
    node = f" on node {name}" if name else ""
    return f"{node} after {task.retries + 1} tries" if task.retries else node


def _failure(task: TaskFinished, place: str) -> str:
    if not task.exit_code:
        return f"{task.cause}{place}: {task.message}"
    code = f"exit code {task.exit_code}{place}"
    if task.cause not in {None, "FailureExitCode"}:
        return f"{code}: {task.message}"
    if task.exit_code == _PROGRAM_NOT_FOUND:
        return f"{code}: a program of the command was not found"
    signal = task.exit_code - _SIGNAL_BASE
    if 1 <= signal <= _LAST_SIGNAL:
        name = f" ({_SIGNALS[signal]})" if signal in _SIGNALS else ""
        return f"{code}: killed by signal {signal}{name}"
    return code


def shorten_node(node: str) -> str:
    """A node's id in one line beside other words: of Azure's 70 characters the first and last."""
    if len(node) <= _NODE_CHARACTERS:
        return node
    return f"{node[:_NODE_BEGIN]}...{node[-_NODE_END:]}"


def plural(count: int, noun: str) -> str:
    """`1 file`, `2 files`, `10,000 files`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def format_bytes(count: int) -> str:
    """Decimal units, as storage is billed: `999 B`, `1.5 kB`, `2.0 GB`."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def printable(text: str) -> str:
    """The text with what could steer a terminal, or break the line, written as escapes."""
    return "".join(
        character
        if character.isprintable() or character == "\t"
        else character.encode("unicode_escape", "backslashreplace").decode("ascii")
        for character in text
    )


def format_seconds(seconds: float, *, is_whole: bool = False) -> str:
    """As people say it, in two units at most: `4.2s`, `12s`, `3m 05s`, `1h 02m`, `2d 03h`.

    `is_whole` for what is shown anew all the time: `4s`.
    """
    if seconds < 9.95 and not is_whole:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    for size, unit, part_size, part in ((86_400, "d", 3_600, "h"), (3_600, "h", 60, "m")):
        if whole >= size:
            return f"{whole // size}{unit} {whole % size // part_size:02}{part}"
    return f"{whole // 60}m {whole % 60:02}s" if whole >= 60 else f"{whole}s"


def format_rate(a_second: float) -> str:
    """So many in the unit that needs no fraction: `3.2/s`, `12/min`, `5.0/h`."""
    unit, seconds = next((each for each in _RATE_UNITS if a_second * each[1] >= 1), _RATE_UNITS[-1])
    number = a_second * seconds
    return f"{number:.1f}/{unit}" if number < 9.95 else f"{number:,.0f}/{unit}"
