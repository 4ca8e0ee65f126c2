"""When a run would stop early, in words and as data.

It knows nothing of runs that do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner.report.as_text import plural
from runner.spec.model.halt import Halt, Share


def halt_as_text(halt: Halt) -> str | None:
    """What a spec says of it in one line; None where it says nothing."""
    reasons = list(_reasons(halt))
    return f"stops early, {halt.when.value}: {'; '.join(reasons)}" if reasons else None


def halt_as_json(halt: Halt) -> dict[str, Any]:
    """The spec's keys; `same_failure` is null where the run decides by a number of its own."""
    return {
        "after": halt.after.text if isinstance(halt.after, Share) else halt.after,
        "when": halt.when.value,
        "same_failure": halt.same_failure,
        "canary": halt.canary,
    }


def _reasons(halt: Halt) -> Iterator[str]:
    if halt.canary:
        which = "the first task" if halt.canary == 1 else f"one of the first {halt.canary:,} tasks"
        yield f"if {which} fails, before the others"
    match halt.after:
        case None:
            pass
        case Share():
            yield f"once {halt.after.text} of the tasks have failed"
        case _:
            yield f"once {plural(halt.after, 'task')} failed"
    match halt.same_failure:
        case None:
            pass
        case 0:
            yield "never for failures that are alike"
        case _:
            yield f"once {plural(halt.same_failure, 'item')} of a step failed alike"
