"""Plans of small specs written into a folder of the test."""

from __future__ import annotations

from pathlib import Path

from runner.plan.expand import expand
from runner.plan.model import Plan, RunId
from runner.spec.load import load_workload
from runner.spec.workload import Workload

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
    spec = folder / "spec.yaml"
    spec.write_text(text)
    return spec


def make_workload(
    folder: Path, text: str = SPEC, files: tuple[str, ...] = ("a.txt", "b.txt")
) -> Workload:
    """The checked workload of such a spec."""
    return load_workload(write_spec(folder, text, files), name="spec.yaml", given={})


def make_plan(folder: Path, text: str = SPEC, files: tuple[str, ...] = ("a.txt", "b.txt")) -> Plan:
    """The plan of such a spec."""
    return expand(make_workload(folder, text, files), folder=folder, run_id=RUN)
