"""The failures that a node reports: code, category and message as the service words them.

It must not know what led to a failure; the callers choose the code and the details.
"""

from __future__ import annotations

from runner.emulator.batch.node.launch import Failure, FailureCategory, FailurePhase

_USER = FailureCategory.USER_ERROR
_SERVER = FailureCategory.SERVER_ERROR

# Codes and messages: Batch docs "task and job error codes" and recorded answers; those of file
# uploads from the .NET `TaskFailureInformationCodes` and answers quoted in public reports, as is
# the one for a task that names no container. The category of that one is not published, nor are
# the category and message of FileUploadMiscError.
_WORDING: dict[str, tuple[FailureCategory, str]] = {
    "BlobNotFound": (_USER, "One of the specified Azure Blob(s) is not found."),
    "BlobAccessDenied": (_USER, "Access for one of the specified Azure Blob(s) is denied."),
    "BlobDownloadTimedOut": (
        _SERVER,
        "Timeout encountered while downloading one of the specified Azure Blob(s).",
    ),
    "BlobDownloadMiscError": (
        _SERVER,
        "Miscellaneous error encountered while downloading one of the specified Azure Blob(s).",
    ),
    "ResourceDirectoryCreateFailed": (
        _SERVER,
        "Failure encountered creating resource directory for the task.",
    ),
    "ResourceFileCreateFailed": (_SERVER, "Failure encountered creating resource file."),
    "ResourceFileWriteFailed": (_SERVER, "Failure encountered writing resource file."),
    "DiskFull": (
        _SERVER,
        "There is not enough disk space on the node that was selected to run the task.",
    ),
    "ApplicationPackageError": (
        _USER,
        "An error occurred when trying to deploy a required application package.",
    ),
    "CommandLaunchFailed": (_USER, "Failed to launch the specified command line."),
    "CommandProgramNotFound": (_USER, "The specified command program is not found"),
    "FailureExitCode": (_USER, "The task exited with an exit code representing a failure"),
    "TaskEnded": (_USER, "The task exceeded its maximum wall clock time and was ended"),
    "ContainerPoolNotSupported": (
        _USER,
        "The specified pool does not support container tasks.",
    ),
    "ContainerTaskSettingsNotFound": (
        _USER,
        "Container-enabled compute node requires task container settings",
    ),
    "ContainerInvalidImage": (_USER, "One or more container images specified are invalid"),
    "ContainerInvalidSettings": (
        _USER,
        "At least one value of specified task container settings is invalid",
    ),
    "FileUploadContainerNotFound": (
        _USER,
        (
            "One of the specified Azure container(s) was not found while attempting to upload an "
            "output file"
        ),
    ),
    "FileUploadAccessDenied": (
        _USER,
        "Access to one of the specified file upload destinations was denied",
    ),
    "FileUploadMiscError": (
        _SERVER,
        "Miscellaneous error encountered while uploading one of the output files",
    ),
}


class StepFailedError(Exception):
    """A step of an execution failed in a way that the service reports as a value."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.code)
        self.failure = failure


def make_failure(phase: FailurePhase, code: str, *details: tuple[str, str]) -> Failure:
    """The failure with the category and message that belong to `code`."""
    category, message = _WORDING[code]
    return Failure(phase=phase, category=category, code=code, message=message, details=details)


def preparation_failed(code: str, *details: tuple[str, str]) -> StepFailedError:
    """Before the process: its directories or resource files."""
    return StepFailedError(make_failure(FailurePhase.PRE_PROCESSING, code, *details))


def launch_failed(*, command_line: str, message: str) -> StepFailedError:
    """The process could not be started."""
    return StepFailedError(
        make_failure(
            FailurePhase.EXECUTION,
            "CommandLaunchFailed",
            ("CommandLine", command_line),
            ("Message", message),
        )
    )


def program_not_found() -> StepFailedError:
    """There is no such program (details as recorded on a Linux node; they do not name it)."""
    return StepFailedError(
        make_failure(
            FailurePhase.EXECUTION,
            "CommandProgramNotFound",
            ("Message", "The system cannot find the file specified"),
        )
    )


def exited_with_failure() -> Failure:
    """The process ended with another exit code than 0 (details as recorded)."""
    return make_failure(
        FailurePhase.EXECUTION,
        "FailureExitCode",
        ("Message", "The task process exited with an unexpected exit code"),
        ("AdditionalErrorCode", "FailureExitCode"),
    )


def ran_out_of_time() -> Failure:
    """`maxWallClockTime` passed.

    The code is the one recorded for tasks that a user ends; docs and recordings disagree on the
    category, and the recording was followed.
    """
    return make_failure(FailurePhase.EXECUTION, "TaskEnded")
