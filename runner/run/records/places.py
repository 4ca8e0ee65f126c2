"""Where the runs of a folder are kept, below it.

It imports nothing of ours: who only looks for runs must not wait for what writes them.
"""

from __future__ import annotations

from pathlib import Path

RUNS = Path(".batch-run") / "runs"
LAST = Path(".batch-run") / "last"
"""A text file with the newest id."""
LOCAL_STATE = "emulator"
"""In a run's directory, where its local services keep their state."""
