"""What a run is asked for beside its plan, and what it says of its end.

It must not know how a run is carried out.
"""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

from runner.errors import BatchRunError, ExitCode
from runner.frozen import dataclass
from runner.plan.prices.node_price import NodePrice
from runner.run.removal.cleanup import Keep


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line adds to a plan."""

    target: str
    outlives_client: bool
    """The services go on when we stop waiting: true for Azure, false for the local emulator."""
    output_directory: Path
    keep: frozenset[Keep]
    all_logs: bool
    price: NodePrice | None = None
    """What an hour of its nodes costs, where somebody asked for it."""
    job_time: timedelta | None = None
    """How long a job may take that is made now; None: as the workload says."""
    detach: bool = False
    """Leave once every task is added; the services go on without us."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How the run ended; `error` is why it could not go on. `detached` is of one that goes on."""

    exit_code: ExitCode
    error: BatchRunError | None
    detached: bool = False
