"""Each command and each snippet of the pages does what it should: it runs, is valid, can be read.

The blocks of a page are run in their order, by somebody who has the files that the page speaks of.
What is not run stands in `UNRUN` with the reason. The emulator's pages and the README have tests
of their own, which also know what is printed.
"""

from __future__ import annotations

import contextlib
import json
import re
import shlex
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from runner.cli.parser import parse
from runner.cli.table import COMMANDS
from runner.errors import UsageError
from runner.spec.load import load_workload
from runner.spec.parsing.parameters import Given
from tests.docs.ground import Ground, make_ground
from tests.docs.pages import ROOT, Block, Section, read_sections

PAGES = tuple(
    page
    for page in sorted((ROOT / "docs").glob("*.md"))
    if not page.name.startswith("emulator") and page.name != "reference.md"
)
SECTIONS = {page.name: read_sections(page) for page in PAGES}
SHELL = [
    name
    for name, found in SECTIONS.items()
    if any(b.language == "sh" for s in found for b in s.blocks)
]

LIVE = "wants a real account; tests/e2e/test_live.py does the same on the emulator"
UNRUN = {
    "azure.md#create-two-accounts": "wants a real account; nobody here has one",
    "azure.md#sign-in-by-keys": "wants a real account; nobody here has one",
    "azure.md#sign-in-without-keys": "wants a real account; nobody here has one",
    "azure.md#quotas": "wants a real account; nobody here has one",
    "azure.md#what-doctor-checks": "wants an account; tests/e2e/test_doctor.py runs these",
    "azure.md#take-it-all-away": "wants a real account; tests/e2e/test_clean.py runs the first",
    "first-hour.md#before-you-begin-10-minutes-costs-nothing": LIVE,
    "first-hour.md#check-the-account-1-minute-costs-nothing": LIVE,
    "first-hour.md#try-one-task-10-minutes-one-node-about-010-usd": LIVE,
    "first-hour.md#see-for-yourself-that-nothing-is-left-1-minute": LIVE,
    "first-hour.md#run-a-whole-workload-15-minutes-two-nodes-about-010-usd": LIVE,
    "first-hour.md#break-it-on-purpose-15-minutes-two-nodes-about-010-usd": LIVE,
    "first-hour.md#take-the-accounts-away": LIVE,
    "first-hour.md#check-our-claims": LIVE,
    "index.md#install-it": "the README's test installs it in a clone",
    "speed.md#measure-it": "takes an hour; tests/e2e/test_benchmarks.py runs it smaller",
    "speed.md#where-the-time-goes": "wants a profiler; tests/e2e/test_benchmarks.py has its parts",
    "data.md#recipes": "tests/docs/test_data_pages.py runs them, and looks at what they print",
    "faults.md#how-runs-are-disturbed-in-tests": "takes hours; tests/e2e/test_faults.py does not",
}
"""Sections whose commands nobody runs here, and why."""

SPEC = """\
version: 1
name: mine
parameters:
  bitrate: {type: string, default: 96k, description: bit rate}
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool: {image: ubuntu 24.04, vm_size: Standard_D2s_v5, nodes: {dedicated: 2}}
task:
  for_each: input
  command: test {{ file.name }} != bad.txt && gzip -c {{ file.path }} > {{ file.name }}.gz
  outputs: [{pattern: "{{ file.name }}.gz", to: output}]
"""
WHOLE: Mapping[str, Any] = {
    "version": 1,
    "name": "snippet",
    "containers": {"input": {"upload": [{"from": "data"}]}, "output": {"download": True}},
    "pool": {"image": "ubuntu 24.04", "vm_size": "Standard_D2s_v5", "nodes": {"dedicated": 1}},
    "task": {"for_each": "input", "command": "cat {{ file.path }}"},
}
"""What the parts of specs that pages show are parts of."""


def blocks(language: str) -> Iterator[tuple[Section, Block]]:
    for sections in SECTIONS.values():
        for section in sections:
            for block in section.blocks:
                if block.language == language:
                    yield section, block


def prepare_run(ground: Ground) -> None:
    """A spec, its data, and a run of which one task has failed."""
    (ground.folder / "mine.yaml").write_text(SPEC)
    (ground.folder / "spec.yaml").write_text(SPEC)
    (ground.folder / "data").mkdir()
    for name in ("good.txt", "bad.txt"):
        (ground.folder / "data" / name).write_text("a text\n")
    ground.type_in("batch-run run mine.yaml -q --isolation none || test $? = 1")


def prepare_start(ground: Ground) -> None:
    shutil.copytree(ROOT / "workloads", ground.folder / "workloads")


def prepare_recipes(ground: Ground) -> None:
    folder = ground.folder
    for section in SECTIONS["recipes.md"]:
        for block in section.blocks:
            if block.language == "yaml":
                ground.save(block)
    (folder / "texts" / "inner").mkdir(parents=True)
    for name in ("one.txt", "two words.txt", "inner/it's.txt"):
        (folder / "texts" / name).write_text("some words here\r\n")
    (folder / "members.csv").write_text('number,name\n1,Ann\n2,"Bo $HOME"\n')
    (folder / "map.txt").write_text("".join(f"{row:080}\n" for row in range(30)))
    (folder / "model.txt").write_text("words\n")
    (folder / "page.html").write_text("<p>a page</p>\n")
    (folder / "pages.csv").write_text(f"name,url\nfirst,{(folder / 'page.html').as_uri()}\n")
    (folder / "simulate.py").write_text(
        "import sys\nprint(*(word for word in sys.argv[1:] if word[0] != '-'), sep=',')\n"
    )


PREPARED: Mapping[str, Callable[[Ground], None]] = {
    "index.md": prepare_start,
    "recipes.md": prepare_recipes,
}


def without_account(text: str) -> tuple[str, list[str]]:
    """The commands without those that set the variables of an account, and the variables."""
    names = re.findall(r"^export (AZURE_\w+)=.*\n", text, re.MULTILINE)
    return re.sub(r"^export AZURE_\w+=.*\n", "", text, flags=re.MULTILINE), names


@pytest.mark.timeout(300)
@pytest.mark.parametrize("page", SHELL)
def test_the_commands_of_a_page_run(page: str, tmp_path: Path) -> None:
    ground = make_ground(tmp_path)
    run = [
        block
        for section in SECTIONS[page]
        for block in section.blocks
        if block.language == "sh" and section.place not in UNRUN
    ]
    if not run:
        return
    PREPARED.get(page, prepare_run)(ground)
    with contextlib.ExitStack() as stack:
        for block in run:
            text, names = without_account(block.text)
            if names and not (ground.folder / "emulator.env").exists():
                start = Block(
                    language="sh",
                    text="batch-run emulator --port 8080 --isolation none > emulator.env\n",
                )
                stack.enter_context(ground.serving(start))
            ground.type_in(text)
    check = CHECKS.get(page)
    if check is not None:
        check(ground.folder)


def check_recipes(folder: Path) -> None:
    results = folder / "results"
    assert (results / "count" / "output" / "total.txt").read_text() == "9\n"
    assert len((results / "sweep" / "output" / "table.csv").read_text().splitlines()) == 12
    assert (results / "tiles" / "output" / "2" / "3.txt").read_text().splitlines()[
        -1
    ] == f"{29:020}"
    assert "Dear Bo $HOME," in (results / "letters" / "output" / "2.txt").read_text()
    assert (results / "fetch" / "output" / "first.html").read_text() == "<p>a page</p>\n"
    assert len([*(results / "pipeline" / "output").rglob("*.gz")]) == 3
    assert len([*(results / "small" / "output").iterdir()]) == 1
    assert (results / "model" / "output" / "one.txt").read_text() == "1\n"


def check_start(folder: Path) -> None:
    output = folder / "results" / "mine" / "output"
    assert sorted(path.name for path in output.iterdir()) == ["one.txt.gz", "two.txt.gz"]


CHECKS: Mapping[str, Callable[[Path], None]] = {
    "index.md": check_start,
    "recipes.md": check_recipes,
}


def test_what_is_not_run_is_there_and_says_why() -> None:
    places = {section.place for section, _ in blocks("sh")}
    assert {place for place in UNRUN if place not in places} == set()
    assert all(UNRUN.values())


def merged(whole: Mapping[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
    result = dict(whole)
    for key, value in part.items():
        old = result.get(key)
        both = isinstance(old, dict) and isinstance(value, dict)
        result[key] = merged(old, value) if both and old is not None else value
    return result


SCHEMA: dict[str, Any] = json.loads((ROOT / "schema" / "workload.schema.json").read_bytes())
SNIPPETS = [
    pytest.param(block, id=f"{section.place}-{number}")
    for number, (section, block) in enumerate(blocks("yaml"))
]


@pytest.mark.parametrize("block", SNIPPETS)
def test_a_snippet_is_valid_within_a_spec(block: Block, tmp_path: Path) -> None:
    content = yaml.safe_load(block.text)
    assert isinstance(content, dict), block.text
    if "version" in content:
        text = block.text
    else:
        part = content if {*content} <= {*SCHEMA["properties"]} else {"task": content}
        whole = merged(WHOLE, part)
        if "tasks" in part:
            del whole["task"]
        text = yaml.safe_dump(whole, sort_keys=False)
    path = tmp_path / "snippet.yaml"
    path.write_text(text, encoding="utf-8")
    load_workload(path, name=path.name, given=Given({}, None))  # raises what is wrong


@pytest.mark.parametrize(
    "block", [pytest.param(block, id=section.place) for section, block in blocks("json")]
)
def test_data_that_is_shown_can_be_read(block: Block) -> None:
    try:
        json.loads(block.text)
    except ValueError:  # lines of it, each for itself
        for line in block.text.splitlines():
            json.loads(line)


def lines_of_commands() -> Iterator[tuple[str, str]]:
    """Lines that show how a command is written, without what it is for."""
    for section, block in blocks(""):
        for line in block.text.splitlines():
            command = re.split(r" {2,}| #| >| \|", line)[0]
            if command.startswith("batch-run "):
                yield section.place, command


def test_commands_that_are_only_shown_are_understood() -> None:
    names = {command.name for command in COMMANDS}
    wrong = []
    for place, line in lines_of_commands():
        words = shlex.split(re.sub(r"\[([A-Za-z|-]+)\]", "", line))[1:]
        words = words if words[0] in names else ["run", *words]
        try:
            parse(words)
        except UsageError as error:
            wrong.append(f"{place}: {line}: {error.message}")
    assert wrong == []
