"""The page on expressions: its examples have the values that it shows, and it has all filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

from runner.spec.parsing.names import FILE_ATTRIBUTES, step_names
from runner.spec.templates.filters import FILTERS
from runner.spec.templates.template import compile_template
from runner.spec.templates.values import to_text

PAGE = (Path(__file__).parents[4] / "docs" / "expressions.md").read_text(encoding="utf-8")
SCOPE: Mapping[str, object] = {
    "file": {"path": "in/sub/a.b.mp4", "stem": "a.b", "ext": ".mp4", "size": 7},
    "files": [{"path": "b.txt", "size": 2}, {"path": "a.txt", "size": 3}],
    "row": {"city": "Ulm", "people": "126949", "note": ""},
    "item": 3,
    "index": 4,
    "parameters": {"rate": "192k", "nodes": 5, "fast": True},
}


def examples() -> list[tuple[str, str]]:
    _, *tables = PAGE.split("\n| you write | value |\n|---|---|\n")
    rows = [line for table in tables for line in table.partition("\n\n")[0].splitlines()]
    found = [re.fullmatch(r"\| `(.*)` \| `(.*)` \|", row) for row in rows]
    assert all(found), [row for row, match in zip(rows, found, strict=True) if match is None]
    return [(match[1].replace("\\|", "|"), match[2]) for match in found if match]


def shown(value: object) -> str:
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(shown, value))}]"
    return to_text(value)


@pytest.mark.parametrize(("written", "value"), examples())
def test_what_the_page_shows(written: str, value: str) -> None:
    assert shown(compile_template(written).render(SCOPE)) == value


@pytest.mark.parametrize("name", [*FILTERS, "default", "raw"])
def test_every_filter_has_an_example(name: str) -> None:
    assert any(re.search(rf"\| {name}\b", written) for written, _ in examples())


FILE_LINE = "`for_each: ROLE`, `{files: ROLE}`"


@pytest.mark.parametrize(
    ("source", "start"),
    [
        ("input", FILE_LINE),
        ({"files": "input"}, FILE_LINE),
        ({"files": "input", "chunk": 2}, "`{files: ROLE, chunk: N}`"),
        ({"outputs_of": "first"}, "`{outputs_of: STEP}`"),
        ({"list": [1]}, "`{list: [...]}`"),
        ({"range": {"to": 3}}, "`{list: [...]}`, `{range: {...}}`"),
        ({"rows": "a.csv"}, "`{rows: FILE}`"),
        ({"matrix": {"a": {"files": "input"}}}, "`{matrix: {...}}`"),
        ({"zip": {"a": {"files": "input"}}}, "`{matrix: {...}}`, `{zip: {...}}`"),
    ],
    ids=str,
)
def test_the_names_of_every_source_are_there(source: object, start: str) -> None:
    (line,) = (line for line in PAGE.splitlines() if line.startswith(f"| with {start}"))
    names = step_names({}, {"for_each": source}).keys() - step_names({}, {}).keys()
    assert names
    assert all(f"`{name}" in line for name in names)
    if start == FILE_LINE:
        assert set(re.findall(r"`(?:file\.)?([a-z]+)`", line)) == FILE_ATTRIBUTES
