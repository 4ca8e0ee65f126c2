"""What the page offers to try is taken by the emulator, and the page is made with care."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import runner.emulator.dashboard.gate
from runner.emulator.faults.parse import parse_option

PAGE = Path(runner.emulator.dashboard.gate.__file__).parent / "page"
LISTED = (PAGE / "faults.js").read_text("utf-8").partition("const EXAMPLES = [\n")[2]
LINES = LISTED.partition("\n];")[0].splitlines()
RULES = [match[1] for line in LINES if (match := re.match(r'  \["([^"]+)", "', line))]


def test_there_are_examples() -> None:
    assert len(RULES) == len(LINES) >= 8


@pytest.mark.parametrize("rule", RULES)
def test_each_example_is_a_rule(rule: str) -> None:
    assert dict(parse_option(rule).words)["fault"] == rule.split()[0]


@pytest.mark.parametrize("path", sorted(PAGE.iterdir()), ids=lambda path: path.name)
def test_the_page_refers_to_nothing_elsewhere_and_makes_no_html(path: Path) -> None:
    text = path.read_text("utf-8").replace("http://www.w3.org/2000/svg", "")

    assert not re.search(r"https?://", text)
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)
