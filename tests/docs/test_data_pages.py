"""The pages on data: the reference is current, and recipes print what they say."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from docs.generate_data import PAGE, make_page
from runner.cli.table import COMMANDS
from runner.errors import ExitCode
from runner.spec.published import OF_SPECS, published
from tests.docs.ground import make_ground
from tests.docs.pages import ROOT, read_sections

DATA = ROOT / "docs" / "data.md"
SPEC = """\
version: 1
name: mine
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 1}}
task:
  for_each: input
  command: test {{ file.name }} != bad.txt && cp {{ file.path }} {{ file.name }}.copy
  outputs: [{pattern: "{{ file.name }}.copy", to: output}]
"""
PRINTED: tuple[str | re.Pattern[str], ...] = (
    "0001\tbad.txt\tFailureExitCode\t1\n",
    "test bad.txt != bad.txt && cp bad.txt bad.txt.copy\n",
    "2/2 failed\n",
    re.compile(r"000[12] \d+\n000[12] \d+\n"),
    re.compile(r"task 0001 of mine-\S+: .+\n"),
    "",
    re.compile(r"there is no run `no-such-run` .*\n"),
    "1\n",
)
"""What each recipe prints, in their order."""


def test_the_reference_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == make_page(), (
        "a schema has changed: run `python docs/generate_data.py`"
    )


def test_all_commands_and_schemas_are_in_the_tables() -> None:
    text = DATA.read_text(encoding="utf-8")
    table = text.partition("## What each command prints")[2].partition("\n## ")[0]
    words = set(re.findall(r"`([a-z-]+)`", table))
    assert {each.name for each in published()} - {OF_SPECS} <= words
    assert {command.name for command in COMMANDS} - {"help", "completion"} <= words


def test_all_columns_and_states_of_the_trace_are_in_its_table() -> None:
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (`.*?) \| (.*) \|$", text.partition("## The table")[2], re.MULTILINE)
    told = {name: words for names, words in rows for name in re.findall(r"`(\w+)`", names)}
    schema = json.loads((ROOT / "schema" / "trace.schema.json").read_text(encoding="utf-8"))
    columns = schema["properties"]
    assert list(told) == list(columns)
    assert re.findall(r"`([a-z ]+)`", told["state"]) == columns["state"]["enum"]


def test_exit_codes_are_those_that_there_are() -> None:
    text = DATA.read_text(encoding="utf-8").partition("## Exit codes")[2].partition("\n## ")[0]
    assert [int(code) for code in re.findall(r"^\| (\d+) \|", text, re.MULTILINE)] == [*ExitCode]


def test_recipes_print_what_they_say(tmp_path: Path) -> None:
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    ground = make_ground(tmp_path)
    (ground.folder / "mine.yaml").write_text(SPEC)
    (ground.folder / "data").mkdir()
    for name in ("good.txt", "bad.txt"):
        (ground.folder / "data" / name).write_text("a text\n")
    ground.type_in("batch-run run mine.yaml -q --isolation none || test $? = 1")
    (section,) = [each for each in read_sections(DATA) if each.title == "Recipes"]
    assert len(section.blocks) == len(PRINTED)
    for block, printed in zip(section.blocks, PRINTED, strict=True):
        found = ground.type_in(block.text)
        if isinstance(printed, str):
            assert found == printed, block.text
        else:
            assert printed.fullmatch(found), (block.text, found)
