"""When a run would stop early, as `plan` says it."""

from __future__ import annotations

import pytest

from runner.report.halting import halt_as_json, halt_as_text
from runner.spec.model.halt import Halt, HaltWhen, Share


@pytest.mark.parametrize(
    ("halt", "words"),
    [
        (Halt(), None),
        (
            Halt(canary=3),
            "stops early, soon: if one of the first 3 tasks fails, before the others",
        ),
        (Halt(after=3), "stops early, soon: once 3 tasks failed"),
        (
            Halt(after=Share(text="10%"), when=HaltWhen.NOW, same_failure=50, canary=1),
            (
                "stops early, now: if the first task fails, before the others;"
                " once 10% of the tasks have failed; once 50 items of a step failed alike"
            ),
        ),
        (Halt(same_failure=0), "stops early, soon: never for failures that are alike"),
    ],
)
def test_words(halt: Halt, words: str | None) -> None:
    assert halt_as_text(halt) == words


def test_data() -> None:
    assert halt_as_json(Halt(after=Share(text="10%"), canary=2)) == {
        "after": "10%",
        "when": "soon",
        "same_failure": None,
        "canary": 2,
    }
    assert halt_as_json(Halt(after=4, when=HaltWhen.NOW, same_failure=0)) == {
        "after": 4,
        "when": "now",
        "same_failure": 0,
        "canary": 0,
    }
