"""The digest of a run for a person: counts, failures with their causes, and what is left.

It renders a report and nothing else; colours and terminals are not its business.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timezone

from runner.report.fold import Report
from runner.run.events import (
    DEPENDENCY_FAILED,
    HALTED,
    JOB_ENDED,
    TRANSFER_FAILED,
    StartTaskFailed,
    TaskFinished,
)

_FAILURES_SHOWN = 10
_OTHERS_SHOWN = 3
_PROGRAM_NOT_FOUND = 127
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
_LATEST = datetime.max.replace(tzinfo=timezone.utc)
_CONSEQUENCES = {
    JOB_ENDED: "ended with the job",
    DEPENDENCY_FAILED: "never ran",
    HALTED: "never ran",
    TRANSFER_FAILED: "not home",
}
"""What became of tasks that did not fail by themselves, by cause."""
_NOT_CHECKED = "what is left in the services was not checked"
_CAUSES = {
    "exit_code": "an exit code",
    "resource_download": "a failed download",
    "output_upload": "a failed upload",
    "timeout": "the time limit",
    "preemption": "a preemption",
    "requeue": "the loss of a node",
    "unknown": "an unknown cause",
}
"""Why tasks were run again."""


def digest(
    report: Report, *, run_directory: str, output_directory: str, is_over: bool = True
) -> str:
    """Some lines of plain text, without a final newline; of a run that is over unless told."""
    return "\n".join(_lines(report, run_directory, output_directory, is_over=is_over))


def _lines(
    report: Report, run_directory: str, output_directory: str, *, is_over: bool
) -> Iterator[str]:
    for failed in report.start_task_failures[:1]:
        yield from _start_task_failure(failed, len(report.start_task_failures))
    failures = sorted(
        (each for each in report.failures if each.cause not in _CONSEQUENCES),
        # Whose fault it is comes first, in whatever order results came home.
        key=lambda each: each.ended or _LATEST,
    )
    for failure in failures[:_FAILURES_SHOWN]:
        yield from _task_failure(failure)
    if len(failures) > _FAILURES_SHOWN:
        more = len(failures) - _FAILURES_SHOWN
        yield f"... and {more} more failed; all are in {run_directory}/report.json"
    for cause, words in _CONSEQUENCES.items():
        if cause == HALTED:
            continue  # why the run stopped early is said once, and their number below
        others = [each for each in report.failures if each.cause == cause]
        yield from _consequences(others, words, run_directory)
    if not report.has_begun and not is_over:
        yield "nothing was made so far"
    elif not report.has_begun and report.untouched:
        yield "another client has begun the run; it was not touched"
    elif not report.has_begun:
        yield f"the run did not begin: nothing was made, {plural(report.tasks, 'task')} not added"
    else:
        yield _counts(report)
        if report.retries:
            causes = sorted(report.retry_causes.items(), key=lambda each: (-each[1], each[0]))
            listed = ", ".join(
                f"{count} after {_CAUSES.get(cause, cause)}" for cause, count in causes
            )
            yield f"{plural(report.retries, 'more attempt')}: {listed}"
        if report.downloaded_files:
            size = format_bytes(report.downloaded_bytes)
            yield f"{plural(report.downloaded_files, 'file')} ({size}) in {output_directory}"
        yield from _left(report, is_over=is_over)
    yield f"run directory: {run_directory}"


def _counts(report: Report) -> str:
    ended = sum(each.cause == JOB_ENDED for each in report.failures)
    halted = sum(each.cause == HALTED for each in report.failures)
    not_home = len(report.not_home)
    failed = len(report.failures) - ended - halted - not_home
    unfinished = report.tasks - report.succeeded - failed - ended - not_home - report.left_out
    if any(left.kind == "job schedule" for left in report.left):
        return f"{plural(report.tasks, 'task')}: run by a job schedule"
    ran = report.succeeded - report.skipped
    parts = [f"{ran} succeeded"] if ran or not report.skipped else []
    if report.skipped:
        parts.append(f"{report.skipped} skipped")
    if failed:
        parts.append(f"{failed} failed")
    if not_home:
        parts.append(f"{not_home} not home")
    if ended:
        parts.append(f"{ended} ended with the job")
    if unfinished:
        parts.append(f"{unfinished} {'never ran' if report.halted else 'not finished'}")
    if report.left_out:
        parts.append(f"{report.left_out} left out")
    return f"{plural(report.tasks, 'task')}: {', '.join(parts)}"


def _consequences(tasks: Sequence[TaskFinished], words: str, run_directory: str) -> Iterator[str]:
    """Tasks that did not come to their own end, apart from those whose fault that is."""
    for task in tasks[:_OTHERS_SHOWN]:
        yield describe_end(task)
    if len(tasks) > _OTHERS_SHOWN:
        more = len(tasks) - _OTHERS_SHOWN
        yield f"... and {more} more {words}; all are in {run_directory}/report.json"


def _task_failure(task: TaskFinished) -> Iterator[str]:
    yield describe_end(task)
    if task.stderr_tail:
        yield from (f"    {printable(line)}" for line in task.stderr_tail.splitlines())


def describe_end(task: TaskFinished) -> str:
    """A task that did not succeed, in one line."""
    item = f" ({task.item})" if task.item else ""
    if task.cause == TRANSFER_FAILED:
        code = f" with exit code {task.exit_code}" if task.exit_code else ""
        return printable(f"task {task.task}{item} ended{code}, and is not home: {task.message}")
    words = _CONSEQUENCES.get(task.cause or "")
    if words is not None:
        return printable(f"task {task.task} {words}{item}: {task.message}")
    return printable(f"task {task.task} failed{item}: {describe_failure(task)}")


def describe_failure(task: TaskFinished) -> str:
    """The cause in one line: the exit code, or the service's words where there was none."""
    node = f" on node {task.node}" if task.node else ""
    tries = f" after {task.retries + 1} tries" if task.retries else ""
    if not task.exit_code:
        return f"{task.cause}{node}{tries}: {task.message}"
    code = f"exit code {task.exit_code}{node}{tries}"
    if task.cause not in {None, "FailureExitCode"}:
        return f"{code}: {task.message}"
    if task.exit_code == _PROGRAM_NOT_FOUND:
        return f"{code}: a program of the command was not found"
    signal = task.exit_code - _SIGNAL_BASE
    if 1 <= signal <= _LAST_SIGNAL:
        name = f" ({_SIGNALS[signal]})" if signal in _SIGNALS else ""
        return f"{code}: killed by signal {signal}{name}"
    return code


def _start_task_failure(failed: StartTaskFailed, count: int) -> Iterator[str]:
    cause = failed.message if failed.exit_code is None else f"exit code {failed.exit_code}"
    code = f" ({printable(cause)})" if cause else ""
    others = f", and on {plural(count - 1, 'other')}" if count > 1 else ""
    yield f"the {failed.command} failed on node {failed.node}{code}{others}"
    yield from (f"    {printable(line)}" for line in failed.stderr_tail.splitlines())


def _left(report: Report, *, is_over: bool) -> Iterator[str]:
    if not report.left and is_over:
        made_nothing = report.skipped and report.skipped == report.tasks - report.left_out
        is_known = report.checked_at is not None or made_nothing
        yield "nothing left in the services" if is_known else _NOT_CHECKED
    for left in report.left:
        yield f"left: {left.kind} {left.name} ({left.why})"


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
