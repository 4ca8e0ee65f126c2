"""The one family of errors that end a command, each with its exit code.

It knows no module of the runner: whoever raises says what happened, `cli` says it to the user.
"""

from __future__ import annotations

from enum import IntEnum

from runner.frozen import dataclass


class ExitCode(IntEnum):
    """The exit codes of every command; where several hold, `most_severe` chooses."""

    SUCCESS = 0
    TASKS_FAILED = 1
    USAGE = 2
    SERVICE = 3
    STOPPED_WAITING = 4
    LEFT_BEHIND = 5
    BUG = 70
    INTERRUPTED = 130


_SEVERITY = (
    ExitCode.INTERRUPTED,
    ExitCode.BUG,
    ExitCode.USAGE,
    ExitCode.SERVICE,
    ExitCode.STOPPED_WAITING,
    ExitCode.TASKS_FAILED,
    ExitCode.LEFT_BEHIND,
    ExitCode.SUCCESS,
)


def most_severe(*codes: ExitCode) -> ExitCode:
    """The code to exit with where several hold: 130 > 70 > 2 > 3 > 4 > 1 > 5 > 0."""
    return min(codes, key=_SEVERITY.index, default=ExitCode.SUCCESS)


def describe_os_error(error: OSError) -> str:
    """The system's words for it, as our messages end: lower case (`no space left on device`)."""
    return (error.strerror or str(error)).lower()


class BatchRunError(Exception):
    """We cannot go on. The message is one clear line for the user; `hint` says what to do.

    Where it `is_resumable`, waiting may mend it: what a run has made is best left as it is.
    """

    exit_code: ExitCode = ExitCode.BUG
    is_resumable = False

    def __init__(self, message: str, *, hint: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class UsageError(BatchRunError):
    """The command line, the environment or the files named by them are wrong."""

    exit_code = ExitCode.USAGE


class ServiceError(BatchRunError):
    """Azure or the emulator refused, failed, or was out of reach."""

    exit_code = ExitCode.SERVICE


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """What a service would not take: its own words, and the property that they are about.

    `place` leads from the root of the spec to the part that set it, as far as one did.
    """

    service: str
    code: str
    words: str = ""
    property: str | None = None
    value: str | None = None
    reason: str | None = None
    place: tuple[str | int, ...] | None = None


class ServiceRefusedError(ServiceError):
    """The service answered and said no; `code` is its own, such as `AuthenticationFailed`."""

    def __init__(
        self, message: str, *, code: str, hint: str | None = None, refusal: Refusal | None = None
    ) -> None:
        super().__init__(message, hint=hint)
        self.code = code
        self.refusal = refusal


class ServiceTroubleError(ServiceError):
    """The service failed again and again for as long as we bear with it; nobody refused."""

    is_resumable = True


class ServiceUnreachableError(ServiceTroubleError):
    """No answer within our patience; the message names the endpoint."""


class ServicesEndedError(ServiceError):
    """The local services have ended before the run; what they were given is kept on disk."""

    is_resumable = True


class TransferError(ServiceError):
    """A file could not be brought up or down whole."""


class DiskFullError(TransferError):
    """There is no room for a file here, or its owner may use no more."""

    is_resumable = True


class StoppedWaitingError(BatchRunError):
    """`limits.wait` passed; on Azure the work goes on without us, here it ends with the run."""

    exit_code = ExitCode.STOPPED_WAITING


class InterruptedRunError(BatchRunError):
    """The user, or the machine that shuts down, asked us to stop (SIGINT, SIGTERM, SIGHUP)."""

    exit_code = ExitCode.INTERRUPTED
