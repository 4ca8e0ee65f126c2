"""Brings the files of a folder up into a container, or all of a container home, as a run does.

    python -m tests.benchmarks.inner.moving up FOLDER CONTAINER
    python -m tests.benchmarks.inner.moving down FOLDER CONTAINER

The accounts are those of the environment. It must not know what the files are.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

from runner.connect import open_azure, read_azure_settings
from runner.errors import TransferError
from runner.plan.model import StoredBlob
from runner.run.parallel import run_together
from runner.run.services import Blobs
from runner.run.transfers.downloads import Downloads
from runner.run.transfers.uploads import TRANSFERS

_TOGETHER = 32
"""So many small files land together in a run (`runner.run.collecting`)."""
_SMALL_BYTES = 1024 * 1024


def bring_up(blobs: Blobs, folder: Path, container: str) -> None:
    """Every file, with its MD5."""
    run_together(
        (partial(blobs.upload_file, container, path.name, path) for path in folder.iterdir()),
        threads=TRANSFERS,
    )


def bring_home(blobs: Blobs, folder: Path, container: str) -> None:
    """Every blob, whole, checked and on the disk."""
    downloads = Downloads(folder.parent, blobs=blobs)

    def bring(names: Sequence[str]) -> None:
        fetched = [downloads.fetch(container, name, folder.name, name) for name in names]
        for outcome in downloads.land(fetched):
            if isinstance(outcome, TransferError):
                raise outcome

    groups = _groups(blobs.list_blobs(container, ""))
    try:
        run_together((partial(bring, group) for group in groups), threads=blobs.downloads_at_once)
    finally:
        downloads.close()


def _groups(stored: Iterable[StoredBlob]) -> Iterator[list[str]]:
    """Small ones land together, and a large one alone."""
    group: list[str] = []
    for blob in stored:
        if blob.size_bytes > _SMALL_BYTES:
            yield [blob.name]
            continue
        group.append(blob.name)
        if len(group) == _TOGETHER:
            yield group
            group = []
    if group:
        yield group


def main(direction: str, folder: Path, container: str) -> None:
    """The command line."""
    with open_azure(read_azure_settings(os.environ)) as services:
        {"up": bring_up, "down": bring_home}[direction](services.blobs, folder, container)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
