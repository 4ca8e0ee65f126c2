"""A bug of ours in the middle of a run: what is kept of it, and what is said.

It must not know where it happened.
"""

from __future__ import annotations

import traceback

from runner.errors import BatchRunError
from runner.run.records.journal import Journal


def note_bug(bug: Exception, journal: Journal) -> BatchRunError:
    """What ends the run; the trace is in its directory, or in the hint where that cannot be."""
    trace = "".join(traceback.format_exception(bug))
    message = f"a bug in batch-run: {type(bug).__name__}: {bug}"
    try:
        path = journal.write("bug.txt", trace)
    except OSError:
        return BatchRunError(message, hint=f"please report it: {trace}")
    return BatchRunError(message, hint=f"please report it with the content of `{path}`")
