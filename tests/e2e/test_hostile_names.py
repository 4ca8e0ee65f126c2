"""Files of hostile names: processed byte by byte, or refused before anything is made.

A few hundred by default; BATCH_RUN_NAMES=2000 makes it as many, BATCH_RUN_NAMES_SEED others.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from runner.plan.expand import expand
from runner.plan.model import RunId
from runner.spec.load import load_workload
from runner.spec.problem import SpecError
from tests.e2e.conftest import User
from tests.e2e.hostile_names import hostile_names

COUNT = int(os.environ.get("BATCH_RUN_NAMES", "150"))
SEED = int(os.environ.get("BATCH_RUN_NAMES_SEED", "20260102"))
RUN = RunId("names-20260102t030405z-abcd")

SPEC = """\
version: 1
name: names
containers:
  input: {upload: [{from: data, include: ["**/*", "**/.*"]}]}
  copies: {download: true}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  task_slots_per_node: 2
tasks:
  script:
    for_each: input
    environment: {NAME: "{{ file.name }}"}
    command: |
      printf '%s\\n' "$NAME" > name
      for file in {{ file.path }}; do cat < "$file" > {{ file.stem }}-{{ index }}.copy; done
    outputs:
      - {pattern: "{{ file.stem }}-{{ index }}.copy", to: copies, path: "script/{{ file.path }}"}
      - {pattern: name, to: copies, path: "names/{{ index }}"}
  posix:
    for_each: input
    shell: sh
    command: cat {{ file.path }} | cat > copy; test -s copy
    outputs: [{pattern: copy, to: copies, path: "posix/{{ file.path }}"}]
  list:
    for_each: input
    command: [cp, --, "{{ file.path }}", "copy of {{ file.name }}"]
    outputs: [{pattern: "copy of {{ file.name }}", to: copies, path: "list/{{ file.path }}"}]
"""


def refusals(folder: Path, names: list[bytes]) -> SpecError | None:
    """What a run of a folder with just these files is refused for."""
    data = folder / "data"
    data.mkdir(parents=True)
    for number, name in enumerate(names):
        Path(os.fsdecode(os.path.join(os.fsencode(data), name))).write_text(f"{number}\n")  # noqa: PTH118
    spec = folder / "spec.yaml"
    spec.write_text(SPEC)
    workload = load_workload(spec, name="spec.yaml", given={})
    try:
        expand(workload, folder=folder, run_id=RUN)
    except SpecError as error:
        return error
    return None


@pytest.mark.timeout(1200)
def test_each_name_is_processed_whole_or_refused(user: User, tmp_path: Path) -> None:
    names = hostile_names(COUNT, SEED)
    taken: list[bytes] = []
    refused: list[bytes] = []
    folded: set[str] = set()
    for number, name in enumerate(names):
        error = refusals(tmp_path / "one" / str(number), [name])
        if error is not None:
            assert all(problem.span.start.line >= 1 for problem in error.problems)
            assert error.problems[0].code in {"blob-name", "output-path"}, error.problems
            refused.append(name)
            continue
        alike = os.fsdecode(name).casefold()
        if alike not in folded:  # a disk that ignores case would have room for one of them
            folded.add(alike)
            taken.append(name)
    assert len(refused) > COUNT // 10
    assert len(taken) > COUNT // 2
    assert_processed(user, taken)


def assert_processed(user: User, names: list[bytes]) -> None:
    """Runs them all at once; each copy is byte-exact, and nobody came in by a name."""
    trace = user.folder / "intruder-was-here"
    intruder = user.write("bin/intruder", f"#!/bin/sh\necho here >> '{trace}'\n")
    intruder.chmod(0o755)
    user = user.with_environ(PATH=f"{intruder.parent}{os.pathsep}{user.environ['PATH']}")
    user.write("spec.yaml", SPEC)
    contents = {os.fsdecode(name): f"content of {number}\n" for number, name in enumerate(names)}
    for name, content in contents.items():
        user.write(f"data/{name}", content)
    # Nodes with a view of their own would keep the trace to themselves.
    with user.start("run", "spec.yaml", "--isolation", "none") as process:
        _, stderr = process.communicate(timeout=1100)
    assert process.returncode == 0, stderr[-4000:]
    results = user.folder / "results" / "names" / "copies"
    for folder in ("script", "posix", "list"):
        found = {path.name: path.read_text() for path in (results / folder).iterdir()}
        assert found == contents
    said = {path.read_bytes() for path in (results / "names").iterdir()}
    assert said == {os.fsencode(name) + b"\n" for name in contents}
    assert not trace.exists()
    assert user.processes() == []


def test_the_intruder_would_leave_a_trace(user: User) -> None:
    trace = user.folder / "intruder-was-here"
    user.write("bin/intruder", f"#!/bin/sh\necho here >> '{trace}'\n").chmod(0o755)
    user = user.with_environ(PATH=f"{user.folder / 'bin'}{os.pathsep}{user.environ['PATH']}")
    user.write("data/a", "a")
    raw = SPEC.replace("cat {{ file.path }} |", "cat {{ '$(intruder)' | raw }} {{ file.path }} |")
    user.write("spec.yaml", raw)
    done = user.run("run", "spec.yaml", "--isolation", "none")
    assert done.returncode == 0, done.stderr
    assert trace.exists()


def test_names_that_share_a_blob_are_refused_together(tmp_path: Path) -> None:
    error = refusals(tmp_path, [b"clip.mp4", b"CLIP.mp4"])
    assert error is not None
    assert {problem.code for problem in error.problems} == {"case-collision"}
