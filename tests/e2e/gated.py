"""A run whose tasks wait until a test lets them go on, and what can be seen of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.e2e.conftest import User

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
  nodes: {dedicated: 2}
task:
  for_each: input
  print: stdout
  command: "COMMAND"
  outputs: [{pattern: "{{ file.name }}.out", to: output}]
"""
LOCAL = ("--isolation", "none")


@contextmanager
def closed_gate(user: User) -> Iterator[Path]:
    """A spec whose tasks wait for a file to be there; it is in the end, whatever happens."""
    path = user.folder / "go"
    begun = user.folder / "begun"
    command = (
        f"echo on {{{{ file.name }}}} >> {begun}; while [ ! -e {path} ]; do sleep 0.05; done;"
        " tr a-z A-Z < {{ file.path }} > {{ file.name }}.out; echo did {{ file.name }}"
    )
    user.write("spec.yaml", SPEC.replace("COMMAND", command))
    for number in range(4):
        user.write(f"data/{number}.txt", f"text of {number}\n")
    yield path
    path.touch()


def begun(user: User) -> int:
    """How often a task was begun."""
    try:
        return len((user.folder / "begun").read_text().splitlines())
    except FileNotFoundError:
        return 0


def results(user: User) -> dict[str, bytes]:
    """What has come home."""
    folder = user.folder / "results" / "demo" / "output"
    return {path.name: path.read_bytes() for path in folder.glob("*")}


EXPECTED = {f"{n}.txt.out": f"TEXT OF {n}\n".encode() for n in range(4)}


def events(run: Path) -> list[str]:
    """The types of events so far."""
    try:
        lines = (run / "events.jsonl").read_text().splitlines()
    except FileNotFoundError:
        return []
    return [json.loads(line)["type"] for line in lines]


def emulators(user: User) -> int:
    """How many emulators work somewhere below the user's folder."""
    return sum("runner.emulator " in line for line in user.processes())


def state(user: User) -> str:
    """How the last run stands."""
    done = user.run("runs", "--json")
    return str(json.loads(done.stdout.splitlines()[-1])["state"])


@contextmanager
def opening(gate: Path) -> Iterator[None]:
    """Tasks may go on when the block ends, so that a test which fails waits for none of them."""
    try:
        yield
    finally:
        gate.touch()
