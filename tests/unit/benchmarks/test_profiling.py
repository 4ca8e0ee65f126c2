"""Samples made into parts that add up, and the picture of them."""

from __future__ import annotations

import math
from collections import Counter
from xml.etree import ElementTree as ET

from tests.benchmarks.profiling.folding import (
    IMPORTS,
    INTERPRETER,
    NODE_HTTP,
    OTHER,
    SYSTEM,
    UNSEEN,
    count_parts,
    parse_stacks,
)
from tests.benchmarks.profiling.picture import as_svg, as_table
from tests.benchmarks.profiling.recording import RATE, Bar, Profile, make_bar
from tests.benchmarks.samples import Cost

_CLIENT = 'process 1:"python3 batch-run cat.yaml"'
_EMULATOR = f'{_CLIENT};process 2:"python3 -m runner.emulator --json --data state"'
_NODE = f'{_EMULATOR};process 3:"python3 -c from runner.emulator.batch import first"'
_LINES = [
    f"{_CLIENT};main (/r/runner/cli/main.py);send (/p/azure/core/pipeline.py) 5",
    f"{_CLIENT};main (/r/runner/cli/main.py);send (/p/azure/x.py);send (/l/http/client.py) 4",
    f"{_CLIENT};main (/r/cli.py);_load (<frozen importlib._bootstrap>);<module> (/p/azure/b.py) 3",
    f"{_CLIENT};main (/r/runner/plan/expand.py);stat (/l/pathlib.py) 2",
    f"{_CLIENT};main (/somewhere/else.py) 1",
    f"{_EMULATOR};run (/r/runner/emulator/batch/node/resources.py);send (/l/http/client.py) 6",
    f"{_EMULATOR};run (/r/runner/emulator/server/protocol.py);put (/r/runner/emulator/blob/a.py) 7",
    f"{_NODE};wait (/r/runner/emulator/batch/isolation/first_process.py) 8",
    f"{_CLIENT} 9",
    "a line that is none",
]


def test_a_sample_belongs_to_the_innermost_part_of_its_process() -> None:
    assert count_parts(parse_stacks(_LINES)) == {
        "client": {
            "Azure SDK": 5,
            "HTTP transport": 4,
            IMPORTS: 3,
            "plan and spec": 2,
            OTHER: 1,
            INTERPRETER: 9,
        },
        "emulator": {NODE_HTTP: 6, "Blob Storage": 7},
        "nodes": {"nodes: directories, files, processes": 8},
    }


def cost(user: float, system: float) -> Cost:
    return Cost(role="client", user_seconds=user, system_seconds=system)


def test_parts_add_up_to_what_was_measured() -> None:
    counts = Counter({"a": RATE, "b": RATE // 2})  # 1.5 s in one round
    bar = make_bar(cost(2.0, 0.5), counts, 1)
    assert bar.parts == {"a": 1.0, "b": 0.5, SYSTEM: 0.5, UNSEEN: 0.5}
    assert bar.seconds == 2.5


def test_samples_that_speak_of_too_much_are_shares() -> None:
    counts = Counter({"a": 3 * RATE, "b": RATE})  # 4 s in two rounds: 2 s each
    bar = make_bar(cost(1.0, 0.25), counts, 2)
    assert bar.parts == {"a": 0.75, "b": 0.25, SYSTEM: 0.25, UNSEEN: 0.0}
    assert math.isclose(sum(bar.parts.values()), bar.seconds)


def test_a_process_without_samples_is_one_part() -> None:
    assert make_bar(cost(1.0, 0.25), Counter(), 2).parts == {"client": 1.25}


def profile() -> Profile:
    return Profile(
        title="cat & more",
        bars=(
            Bar(
                role="client",
                seconds=3.0,
                parts={"a <b>": 1.99, SYSTEM: 1.0, "c": 0.004, "d": 0.006},
            ),
            Bar(role="tasks", seconds=1.0, parts={"tasks": 1.0}),
        ),
    )


def test_a_table_of_parts() -> None:
    assert as_table(profile()).splitlines() == [
        "| process | part | CPU seconds | share |",
        "|---|---|---|---|",
        "| **client** | | **3.00** | 75 % |",
        "| | a <b> | 1.99 | 50 % |",
        f"| | {SYSTEM} | 1.00 | 25 % |",
        "| | c | 0.00 | 0 % |",
        "| | d | 0.01 | 0 % |",
        "| **tasks** | | **1.00** | 25 % |",
        "| **all** | | **4.00** | 100 % |",
    ]


def test_a_picture_whose_bars_are_as_long_as_their_times() -> None:
    text = as_svg(profile())
    assert "prefers-color-scheme: dark" in text
    picture = ET.fromstring(text)
    space = "{http://www.w3.org/2000/svg}"
    segments = {
        title.text: float(rect.attrib["width"])
        for rect in picture.iter(f"{space}rect")
        for title in rect.iter(f"{space}title")
    }
    names = ["a <b>: 1.99 s", f"{SYSTEM}: 1.00 s", "smaller parts: 0.01 s", "tasks: 1.00 s"]
    assert list(segments) == names
    long, short, small, tasks = segments.values()
    assert math.isclose(long, 1.99 * tasks, abs_tol=0.2)
    assert math.isclose(short, tasks, abs_tol=0.2)
    assert math.isclose(small, 0.01 * tasks, abs_tol=0.2)
