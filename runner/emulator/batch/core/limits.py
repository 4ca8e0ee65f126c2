"""The service's limits and the emulator's pace: numbers that are passed in, never looked up.

It must not know where they are enforced.
"""

from __future__ import annotations

from datetime import timedelta

from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Quotas:
    """What an account may have at most; None is without end."""

    dedicated_cores: int | None = None
    spot_cores: int | None = None
    pools: int | None = None
    active_jobs: int | None = None
    """Of job schedules and jobs together that are not over."""


QUOTAS = Quotas()


@record(frozen=True, slots=True, kw_only=True)
class Limits:
    """What the service takes at most (REST reference, 2025-06-01)."""

    tasks_per_collection: int = 100
    collection_bytes: int = 1024 * 1024
    body_bytes: int = 4 * 1024 * 1024
    page_size: int = 1000
    counts_page_size: int = 10
    slots_per_node: int = 256
    nodes_per_removal: int = 100
    dependency_characters: int = 64_000
    auto_pool_prefix: int = 20
    between_enabling_auto_scale: timedelta = timedelta(seconds=30)
    quotas: Quotas = QUOTAS
    nodes_per_pool: int = 1000
    """Not the service's: a guard against asking one machine for a data centre."""


@record(frozen=True, slots=True, kw_only=True)
class Pace:
    """How long the transient states last: long enough to be seen, short enough to work with."""

    allocating: timedelta = timedelta(milliseconds=5)
    creating: timedelta = timedelta(milliseconds=3)
    starting: timedelta = timedelta(milliseconds=3)
    leaving: timedelta = timedelta(milliseconds=3)
    preempted: timedelta = timedelta(seconds=1)
    stopping: timedelta = timedelta(milliseconds=5)
    deleting: timedelta = timedelta(milliseconds=5)
    job_changing: timedelta = timedelta(milliseconds=3)
    noticing: timedelta = timedelta()
    """How long a job stays active that is to end with its tasks, and has none to run."""
    scheduling: timedelta = timedelta()
    """How long a task waits for a node that is free; none at all is fastest."""
