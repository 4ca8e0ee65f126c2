"""What a formula came to.

It must not know the language of formulas, which few emulators load.
"""

from __future__ import annotations

from runner.emulator.batch.autoscale.faults import Fault
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Targets:
    """How many nodes of each kind there should be, and what leaving ones do with their tasks."""

    dedicated: int
    spot: int
    option: str


@record(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """What a formula came to; `targets` are those given where it ended in a fault."""

    targets: Targets
    results: str
    fault: Fault | None
