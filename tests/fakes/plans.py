"""Plans of small specs written into a folder of the test."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.plan.containers import Stored
from runner.plan.expand import expand
from runner.plan.model import Plan, RunId
from runner.spec.load import load_workload
from runner.spec.model.workload import Workload
from runner.spec.problem import Problem, SpecError

RUN = RunId("demo-20260102t030405z-abcd")

SPEC = """\
version: 1
name: demo
containers:
  input:
    upload: [{from: data}]
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: input
  command: cat {{ file.path }} > {{ file.stem }}.out
  outputs: [{pattern: "{{ file.stem }}.out", to: output}]
"""


def write_spec(folder: Path, text: str = SPEC, files: tuple[str, ...] = ("a.txt", "b.txt")) -> Path:
    """A spec and its input files, each holding its own name."""
    for name in files:
        path = folder / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    folder.mkdir(parents=True, exist_ok=True)
    spec = folder / "spec.yaml"
    spec.write_text(text)
    return spec


def make_workload(
    folder: Path, text: str = SPEC, files: tuple[str, ...] = ("a.txt", "b.txt")
) -> Workload:
    """The checked workload of such a spec."""
    return load_workload(write_spec(folder, text, files), name="spec.yaml", given={})


def make_plan(
    folder: Path,
    text: str = SPEC,
    files: tuple[str, ...] = ("a.txt", "b.txt"),
    stored: Stored | None = None,
) -> Plan:
    """The plan of such a spec; `stored` is what containers hold already."""
    return expand(make_workload(folder, text, files), folder=folder, run_id=RUN, stored=stored)


def spec_of(tasks: str, *, containers: str = "", pool: str = "", job: str = "") -> str:
    """A spec with these `task` or `tasks`; the others are lines of their mappings."""
    spec = SPEC[: SPEC.index("task:")]
    spec = spec.replace("pool:\n", f"{containers}pool:\n")
    return f"{spec}{pool}{f'job:{chr(10)}{job}' if job else ''}{tasks}"


def refused(
    folder: Path,
    text: str,
    files: tuple[str, ...] = ("a.txt",),
    stored: Stored | None = None,
) -> tuple[Problem, ...]:
    """All problems of a spec that can be read and not be planned."""
    workload = make_workload(folder, text, files)
    with pytest.raises(SpecError) as caught:
        expand(workload, folder=folder, run_id=RUN, stored=stored)
    return caught.value.problems


def lines(problems: tuple[Problem, ...]) -> list[str]:
    """`file:line:column: code: message` of each."""
    return [f"{each.location()}: {each.code}: {each.message}" for each in problems]
