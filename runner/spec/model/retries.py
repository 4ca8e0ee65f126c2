"""How often a task is run again after each cause of its failing, and how long is waited before.

It knows nothing of how a cause is told from another, nor of who runs the task again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import field
from datetime import timedelta
from enum import Enum
from types import MappingProxyType

from runner.frozen import dataclass

DEFAULT_BACKOFF = timedelta(seconds=10)
LONGEST_BACKOFF = timedelta(minutes=15)
"""Where doubling ends; a first wait that is longer stays as it is."""


class RetryCause(Enum):
    """Why an attempt of a task failed, as far as `retries` tells failures apart."""

    EXIT_CODE = "exit_code"
    RESOURCE_DOWNLOAD = "resource_download"
    OUTPUT_UPLOAD = "output_upload"
    TIMEOUT = "timeout"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryBudget:
    """So many further attempts, the first of them `backoff` after the failure."""

    times: int
    backoff: timedelta

    def wait_before(self, number: int) -> timedelta:
        """How long to wait before the further attempt of this number, from 1: twice the last."""
        longest = max(self.backoff, LONGEST_BACKOFF)
        if self.backoff <= timedelta():
            return timedelta()
        doublings = min(number - 1, (longest // self.backoff).bit_length())
        return min(self.backoff * (1 << doublings), longest)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPlan:
    """The further attempts of a task that are a run's own to make.

    `budgets` has only causes with at least one; `preemption` is how often a task may lose its node
    to the service, which runs it again by itself: None for as often as it likes.
    """

    budgets: Mapping[RetryCause, RetryBudget] = field(default_factory=lambda: MappingProxyType({}))
    preemption: int | None = None

    @property
    def is_watched(self) -> bool:
        """Whether somebody has to be there for it, besides the service."""
        return bool(self.budgets) or self.preemption is not None
