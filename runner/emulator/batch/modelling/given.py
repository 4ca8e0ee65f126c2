"""What takes the place of processes, as a Batch service is given it.

It must not know how it is used.
"""

from __future__ import annotations

from runner.emulator.batch.modelling.passage import Passage
from runner.emulator.batch.modelling.rules import Model
from runner.emulator.storage.record import record


@record(frozen=True, slots=True, kw_only=True)
class Modelling:
    """What tasks would do, and how their time passes; accounts may share both."""

    model: Model
    passage: Passage
