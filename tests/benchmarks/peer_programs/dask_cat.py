"""Copies every file of a folder by `cat` with dask: a scheduler, workers, a call a file.

    python dask_cat.py DATA OUTPUTS JOBS

It is run by the Python that has dask, and knows nothing else of ours.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from distributed import Client, LocalCluster  # type: ignore[import-not-found]


def copy(path: str, outputs: str) -> int:
    """Runs the command of one file."""
    source = Path(path)
    command = f"cat {source} > {Path(outputs) / source.stem}.out"
    return subprocess.run(["bash", "-c", command], check=True).returncode


def main(data: Path, outputs: Path, jobs: int) -> None:
    """Returns once all are copied."""
    paths = [str(path) for path in sorted(data.iterdir())]
    options = {"n_workers": jobs, "threads_per_worker": 1, "dashboard_address": None}
    with LocalCluster(**options) as cluster, Client(cluster) as client:
        client.gather(client.map(copy, paths, outputs=str(outputs.resolve())))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
