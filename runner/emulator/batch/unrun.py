"""What becomes of tasks that are not run, and what is found in their folders instead of output.

It must not know when that is so.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from runner.emulator.batch.node.directories import put_file
from runner.emulator.batch.node.failures import make_failure
from runner.emulator.batch.node.launch import (
    Failure,
    FailureCategory,
    FailurePhase,
    Launch,
    Outcome,
)
from runner.emulator.batch.node.places import make_task_folder

NOT_RUN = (
    "This task asks for admin. The emulator was not allowed to run admin commands on this"
    " machine, so it was not run and counts as having succeeded.\n"
)
FAILED_ON_PURPOSE = "The emulator was told to have this start task fail; it was not run.\n"
_MODE = 0o644
_ON_PURPOSE = ("Message", "The emulator was told to have this fail")
NOT_ALLOWED = "The task asks for admin, which the emulator was not allowed to give on this machine"


def skip(launch: Launch, now: datetime) -> Outcome:
    """The documented behaviour of a local node: what sets it up as admin is not run on it."""
    _write_instead(launch, NOT_RUN)
    return Outcome(started=now, ended=now, exit_code=0, failure=None)


def fail_on_purpose(launch: Launch, now: datetime, exit_code: int) -> Outcome:
    """A start task that fails because somebody asked for that."""
    _write_instead(launch, FAILED_ON_PURPOSE)
    return Outcome(started=now, ended=now, exit_code=exit_code, failure=None)


def fail_download(now: datetime, code: str) -> Outcome:
    """A task whose files cannot be brought, because somebody asked for that."""
    failure = make_failure(FailurePhase.PRE_PROCESSING, code, _ON_PURPOSE)
    return Outcome(started=now, ended=now, exit_code=None, failure=failure)


def fail_upload(outcome: Outcome, code: str) -> Outcome:
    """What a task came to whose files cannot be sent, because somebody asked for that.

    One whose command never ran, or was ended, has failed for that.
    """
    if outcome.exit_code is None or (outcome.failure and outcome.failure.code == "TaskEnded"):
        return outcome
    return replace(outcome, failure=make_failure(FailurePhase.FILE_UPLOAD, code, _ON_PURPOSE))


def refuse_admin(launch: Launch, now: datetime) -> Outcome:
    """A task that may not be given the rights that it asks for."""
    _write_instead(launch, f"{NOT_ALLOWED}.\n")
    failure = Failure(
        phase=FailurePhase.PRE_PROCESSING,
        category=FailureCategory.USER_ERROR,
        code="CommandLaunchFailed",
        message="Failed to launch the specified command line",
        details=(("CommandLine", launch.command_line), ("Message", NOT_ALLOWED)),
    )
    return Outcome(started=now, ended=now, exit_code=None, failure=failure)


def end_with_fault(error: BaseException, now: datetime) -> Outcome:
    """A task that the emulator itself could not run."""
    failure = Failure(
        phase=FailurePhase.PRE_PROCESSING,
        category=FailureCategory.SERVER_ERROR,
        code="Unknown",
        message="An unknown scheduling error has occurred",
        details=(("Message", str(error)),),
    )
    return Outcome(started=now, ended=now, exit_code=None, failure=failure)


def _write_instead(launch: Launch, text: str) -> None:
    with make_task_folder(launch) as directory:
        put_file("stdout.txt", directory, b"", _MODE)
        put_file("stderr.txt", directory, text.encode(), _MODE)
