"""A client killed at any request, line of the journal or change of a file: a sample of them.

`BATCH_RUN_POINTS` sets how many, `BATCH_RUN_POINTS_SEED` which; `python -m tests.faults.points` is
for all of them.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tests.faults.points import PAGE, PRELUDES, Kill, list_points, plan_kills, try_kill

COUNT = int(os.environ.get("BATCH_RUN_POINTS", "2"))
SEED = int(os.environ.get("BATCH_RUN_POINTS_SEED", "1"))

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")


@pytest.mark.timeout(60 + 90 * COUNT)
@pytest.mark.parametrize("command", PRELUDES)
def test_a_client_killed_at_some_points_is_resumed(command: str, tmp_path: Path) -> None:
    points = list_points(command, tmp_path)
    kinds = Counter(point.kind for point in points)
    assert min(kinds[kind] for kind in ("request", "journal", "file")) >= 5, kinds
    kills = list(plan_kills(points))
    struck: list[Kill] = []
    # How often a run looks goes by time: one that looks less often may end before the middle or
    # last look that was listed. It must end well all the same, and another kill is tried.
    for kill in Random(SEED).sample(kills, min(len(kills), 3 * COUNT)):
        verdict = try_kill(kill, tmp_path)
        assert not verdict.wrong, "\n".join((kill.describe(), *verdict.wrong))
        if verdict.struck:
            struck.append(kill)
        if len(struck) == COUNT:
            break
    assert len(struck) == min(COUNT, len(kills))


def test_the_page_lists_every_point(tmp_path: Path) -> None:
    listed = PAGE.read_text()
    points = list_points("run", tmp_path)
    assert [each.name for each in points if f"`{each.name}`" not in listed] == []
