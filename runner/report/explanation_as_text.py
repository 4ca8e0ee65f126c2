"""An explanation as some lines for people, and as one object.

It renders what it is given, and asks nobody.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from runner.report.as_text import printable
from runner.report.explanation import Explanation
from runner.run.events import VERSION


def explanation_as_text(explanation: Explanation) -> str:
    """What it is, and each reason with its evidence and a hint; without a final newline."""
    return "\n".join(map(printable, _lines(explanation)))


def explanation_as_json(explanation: Explanation) -> dict[str, Any]:
    """One object; keys, and kinds of reasons, are only ever added within a version."""
    return {
        "v": VERSION,
        "run": explanation.run,
        "task": explanation.task,
        "step": explanation.step,
        "item": explanation.item,
        "state": explanation.state.value,
        "reasons": [
            {
                "kind": reason.kind.value,
                "words": reason.words,
                "evidence": list(reason.evidence),
                "advice": reason.advice,
            }
            for reason in explanation.reasons
        ],
    }


def _lines(explanation: Explanation) -> Iterator[str]:
    item = f" ({explanation.item})" if explanation.item else ""
    step = f" of step {explanation.step}" if explanation.step else ""
    yield f"task {explanation.task}{item}{step}: {explanation.state.value}"
    for reason in explanation.reasons:
        yield f"  {reason.words}"
        yield from (f"    {line}" for line in reason.evidence)
        if reason.advice is not None:
            yield f"    hint: {reason.advice}"
