"""A plan made again from what it was made of, after its files are gone."""

from __future__ import annotations

import gzip
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.plan.expand import expand_again
from runner.plan.model import NO_LINKS, NOTHING_PASSED_OVER, Plan, StoredBlob
from runner.plan.snapshot import SNAPSHOT, read_snapshot, write_snapshot
from runner.spec.model.terms import Role
from tests.fakes.plans import RUN, SPEC, make_plan, spec_of

_MIXED = """\
version: 1
name: demo
containers:
  input:
    upload:
      - {from: data, structure: flat, include: ["**/*.txt"]}
      - {from: single.bin, to: deep/er}
  media: {existing: media, prefix: "2026"}
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
tasks:
  texts:
    for_each: {files: input, include: ["*.txt"]}
    command: cat {{ file.path }} > {{ index }}.out
    outputs: [{pattern: "{{ index }}.out", to: output, path: "texts/{{ index }}"}]
  films:
    for_each: media
    command: wc {{ file.path }}
"""
_ROWS = spec_of(
    """\
tasks:
  letters:
    for_each: {rows: people.csv}
    command: echo {{ row.name }} {{ row.age }}
  again:
    for_each: {rows: people.csv}
    command: echo {{ row.age }}
  crossed:
    for_each: {matrix: {person: {rows: more.jsonl}, number: {range: {from: 1, to: 2}}}}
    command: echo {{ row.person.name }} {{ row.number }}
"""
)


def _again(plan: Plan, folder: Path) -> Plan:
    """The plan made anew from what was written down, in a folder where no input is left."""
    path = folder / SNAPSHOT
    write_snapshot(path, plan)
    shutil.rmtree(folder / "data")
    for name in ("people.csv", "more.jsonl", "single.bin"):
        (folder / name).unlink(missing_ok=True)
    snapshot = read_snapshot(path, plan.workload)
    return expand_again(plan.workload, folder=folder, run_id=RUN, snapshot=snapshot)


def _same(plan: Plan, again: Plan) -> None:
    bare = tuple(
        replace(each, outside_links=NO_LINKS, passed_over=NOTHING_PASSED_OVER)
        for each in plan.containers
    )
    assert again.containers == bare
    assert list(again.tasks) == list(plan.tasks)
    assert again.ranges == plan.ranges
    assert again.start_task == plan.start_task


def test_files_are_known_after_they_are_gone(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, SPEC, ("a.txt", "b c.txt", "sub/ä' $.txt", "-x.txt"))
    _same(plan, _again(plan, tmp_path))


def test_flat_single_and_stored_files_are_known(tmp_path: Path) -> None:
    (tmp_path / "single.bin").write_bytes(b"1234")
    listing = [StoredBlob(name=f"2026/{each}", size_bytes=5, md5=None) for each in "yx"]
    plan = make_plan(
        tmp_path, _MIXED, ("a/1.txt", "b/2.txt", "no.bin"), stored={Role("media"): listing}
    )
    assert len(plan.tasks) == 4
    _same(plan, _again(plan, tmp_path))


def test_unchanged_files_stay_unchanged(tmp_path: Path) -> None:
    text = SPEC.replace("upload: [{from: data}]", "name: mine\n    upload: [{from: data}]")
    plan = make_plan(tmp_path, text)
    container = replace(plan.containers[0], unchanged=frozenset({"a.txt"}))
    plan = replace(plan, containers=(container, *plan.containers[1:]))
    _same(plan, _again(plan, tmp_path))


def test_rows_are_kept_whole(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text('name,age\n"O\'Hara, ""x""",-3\n-ö,4\n')
    (tmp_path / "more.jsonl").write_text('{"name": "z", "n": 3}\n{"name": -0.5, "k": true}\n')
    plan = make_plan(tmp_path, _ROWS)
    assert len(plan.tasks) == 8
    _same(plan, _again(plan, tmp_path))


@pytest.mark.parametrize("kept", [0, 10, -1])
def test_a_snapshot_that_is_cut_short_is_refused(tmp_path: Path, kept: int) -> None:
    plan = make_plan(tmp_path)
    path = tmp_path / SNAPSHOT
    write_snapshot(path, plan)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(UsageError) as caught:
        read_snapshot(path, plan.workload)
    assert caught.value.message == (
        f"`{path}` is damaged: what the run was made of cannot be known from it"
    )


@pytest.mark.parametrize(
    "text",
    ["[]\n", '{"v":1}\n', '{"v":1}\n{"container":"input"}\n', '{"v":1}\n{"end":true}\n', "x\n"],
)
def test_a_snapshot_of_something_else_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / SNAPSHOT
    with gzip.open(path, "wt") as stream:
        stream.write(text)
    plan = make_plan(tmp_path)
    with pytest.raises(UsageError) as caught:
        read_snapshot(path, plan.workload)
    assert caught.value.message == (
        f"`{path}` is damaged: what the run was made of cannot be known from it"
    )


def test_no_snapshot_at_all_is_said(tmp_path: Path) -> None:
    path = tmp_path / SNAPSHOT
    with pytest.raises(UsageError) as caught:
        read_snapshot(path, make_plan(tmp_path).workload)
    assert caught.value.message == f"cannot read `{path}`: no such file or directory"
