"""Copies every file of a folder by `cat` with HyperQueue: a server, a worker, a task a file.

    python hyperqueue_cat.py DATA OUTPUTS JOBS

It is run by the Python that has HyperQueue, and knows nothing else of ours.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hyperqueue import Job, LocalCluster  # type: ignore[import-not-found]
from hyperqueue.cluster import WorkerConfig  # type: ignore[import-not-found]


def main(data: Path, outputs: Path, jobs: int) -> None:
    """Returns once all are copied; what the tasks print is kept, as HyperQueue does by default."""
    with LocalCluster(worker_config=WorkerConfig(cores=jobs)) as cluster:
        client = cluster.client()
        job = Job(default_workdir=outputs)
        for path in sorted(data.iterdir()):
            job.program(["bash", "-c", f"cat {path} > {path.stem}.out"])
        client.wait_for_jobs([client.submit(job)])


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
