"""Where the files of jobs and tasks are on a node (Batch docs, files-and-directories).

It must not know where the nodes' own folders are.
"""

from __future__ import annotations

from runner.emulator.batch.core.ids import JobId, TaskId


def job_folder(job: JobId) -> str:
    """Where a job's files are, seen from the node's root; a schedule's jobs share its folder."""
    schedule, _, number = job.partition(":")
    return f"workitems/{schedule}/{number}" if number else f"workitems/{job}"


def tasks_folder(job: JobId) -> str:
    """Where the folders of a job's tasks are, seen from the node's root."""
    folder = job_folder(job)
    return folder if ":" in job else f"{folder}/job-1"


def task_folder(job: JobId, task: TaskId) -> str:
    """Where a task's files are, seen from the node's root."""
    return f"{tasks_folder(job)}/{task}"
