"""Brings the files of a folder up into a container, or all of a container home, as a run does.

    python -m tests.benchmarks.inner.moving up FOLDER CONTAINER
    python -m tests.benchmarks.inner.moving down FOLDER CONTAINER

The accounts are those of the environment. It must not know what the files are.
"""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

from runner.connect import open_azure, read_azure_settings
from runner.run.parallel import run_together
from runner.run.services import Blobs
from runner.run.transfers.downloads import Downloads
from runner.run.transfers.uploads import TRANSFERS


def bring_up(blobs: Blobs, folder: Path, container: str) -> None:
    """Every file, with its MD5."""
    run_together(
        (partial(blobs.upload_file, container, path.name, path) for path in folder.iterdir()),
        threads=TRANSFERS,
    )


def bring_home(blobs: Blobs, folder: Path, container: str) -> None:
    """Every blob, whole, checked and on the disk."""
    downloads = Downloads(folder, blobs=blobs)
    names = [blob.name for blob in blobs.list_blobs(container, "")]
    run_together(
        (partial(downloads.bring, container, name, "", name) for name in names), threads=TRANSFERS
    )


def main(direction: str, folder: Path, container: str) -> None:
    """The command line."""
    with open_azure(read_azure_settings(os.environ)) as services:
        {"up": bring_up, "down": bring_home}[direction](services.blobs, folder, container)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3])
