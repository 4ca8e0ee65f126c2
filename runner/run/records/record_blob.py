"""The record of a run as it is kept in the service: enough to go on with it on another machine.

It holds no key and no value of a secret. It must not know how a run is gone on with.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from runner.errors import TransferError, UsageError, describe_os_error
from runner.plan.snapshot import SNAPSHOT
from runner.run.records.journal import Journal
from runner.run.records.record import RECORD
from runner.run.services import Blobs
from runner.run.submit import SUBMISSION
from runner.run.transfers.downloads import file_fault

RECORD_BLOB = "run/record.zip"
"""In the run's container of logs, where tasks have folders named by their ids."""
SPEC = "spec.yaml"
_PARTS = (RECORD, SPEC, SNAPSHOT, SUBMISSION)


def leave_record(journal: Journal, blobs: Blobs, container: str) -> None:
    """Brings the record up; those of its parts that the run's directory has."""
    path = journal.directory / "record.zip"
    try:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name in _PARTS:
                if (journal.directory / name).exists():
                    archive.write(journal.directory / name, name)
    except OSError as error:
        raise file_fault("write", path, error) from error
    try:
        blobs.upload_file(container, RECORD_BLOB, path)
    finally:
        path.unlink(missing_ok=True)


def fetch_record(blobs: Blobs, container: str, directory: Path) -> None:
    """Writes the parts of a run's record into a directory that has nothing of it yet.

    Raises `BlobMissingError`, and `UsageError` where what is there is no record.
    """
    path = directory / "record.zip"
    try:
        blobs.download_file(container, RECORD_BLOB, path)
        with zipfile.ZipFile(path) as archive:
            missing = set(_PARTS) - set(archive.namelist())
            if missing:
                raise UsageError(f"blob `{container}/{RECORD_BLOB}` has no {', '.join(missing)}")
            for name in _PARTS:
                # By our own names alone: nothing that the archive says leads anywhere.
                (directory / name).write_bytes(archive.read(name))
    except zipfile.BadZipFile as error:
        raise UsageError(f"blob `{container}/{RECORD_BLOB}` is not the record of a run") from error
    except OSError as error:
        raise TransferError(f"cannot write `{directory}`: {describe_os_error(error)}") from error
    finally:
        path.unlink(missing_ok=True)
