"""What tasks wait for: task by task where steps have the same items, else a whole step."""

from __future__ import annotations

from pathlib import Path

from runner.plan.model import FolderResource, Plan
from runner.spec.model.terms import Role
from tests.fakes.plans import make_plan, spec_of


def needs(plan: Plan) -> dict[str, list[tuple[int, int]]]:
    """The ranges that each task waits for, by its name."""
    return {
        task.display_name: [(each.first, each.last) for each in task.needs] for task in plan.tasks
    }


def test_the_same_files_go_one_by_one(tmp_path: Path) -> None:
    plan = make_plan(
        tmp_path,
        spec_of(
            "tasks:\n"
            "  a: {for_each: input, command: echo}\n"
            "  b: {for_each: {files: input}, needs: [a], command: echo}\n"
        ),
    )
    assert needs(plan) == {
        "a/a.txt": [],
        "a/b.txt": [],
        "b/a.txt": [(1, 1)],
        "b/b.txt": [(2, 2)],
    }


def test_other_items_wait_for_the_whole_step(tmp_path: Path) -> None:
    plan = make_plan(
        tmp_path,
        spec_of(
            "tasks:\n"
            "  a: {for_each: input, command: echo}\n"
            "  b: {for_each: {files: input, chunk: 2}, needs: [a], command: echo}\n"
            "  c: {for_each: {files: input, include: [a.txt]}, needs: [a, b], command: echo}\n"
            "  d: {for_each: {list: [x]}, needs: [c], command: echo}\n"
            "  e: {needs: [d], command: echo}\n"
            "  f: {needs: [e], command: echo}\n"
        ),
    )
    assert needs(plan) == {
        "a/a.txt": [],
        "a/b.txt": [],
        "b/a.txt … (2 files)": [(1, 2)],
        "c/a.txt": [(1, 2), (3, 3)],
        "d/x": [(4, 4)],
        "e": [(5, 5)],
        "f": [(6, 6)],
    }


def test_equal_combinations_go_one_by_one(tmp_path: Path) -> None:
    source = "{matrix: {f: {files: input}, n: [1, 2]}}"
    plan = make_plan(
        tmp_path,
        spec_of(
            f"tasks:\n  a: {{for_each: {source}, command: echo}}\n"
            f"  b: {{for_each: {source}, needs: [a], command: echo}}\n"
        ),
    )
    assert [each.needs[0].first for each in plan.tasks[4:]] == [1, 2, 3, 4]
    assert [each.needs[0].last for each in plan.tasks[4:]] == [1, 2, 3, 4]


CHAIN = """\
tasks:
  split:
    for_each: input
    command: echo
    outputs:
      - {pattern: "{{ file.stem }}.x", to: output}
      - {pattern: "*.log", to: output}
      - {pattern: "{{ file.stem }}.y", to: output}
  check: {for_each: input, command: echo}
  polish:
    for_each: {outputs_of: split}
    needs: [check]
    command: echo
    outputs: [{pattern: "{{ file.name }}.z", to: output}]
  back: {for_each: input, needs: [polish], command: echo}
  last: {for_each: {outputs_of: polish}, needs: [split, back], command: echo}
"""


def test_a_chain_follows_its_files(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, spec_of(CHAIN))
    found = {name: sorted(ranges) for name, ranges in needs(plan).items()}
    # 1-2 split, 3-4 check, 5-8 polish, 9-10 back, 11-14 last
    assert found["polish/a.x"] == [(1, 1), (3, 3)]
    assert found["polish/b.y"] == [(2, 2), (4, 4)]
    assert found["back/a.txt"] == [(5, 6)]
    assert found["back/b.txt"] == [(7, 8)]
    assert found["last/a.x.z"] == [(1, 1), (5, 5), (9, 9)]
    assert found["last/b.y.z"] == [(2, 2), (8, 8), (10, 10)]


MERGE = """\
tasks:
  count:
    for_each: input
    command: wc {{ file.path }} > {{ file.stem }}.n
    outputs:
      - {pattern: "{{ file.stem }}.n", to: parts}
      - {pattern: "{{ file.stem }}.log", to: output}
  merge:
    needs: count
    command: cat parts/*.n
"""
PARTS = "  parts: {}\n"


def test_a_merge_gets_what_the_steps_before_it_wrote(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, spec_of(MERGE, containers=PARTS))
    assert plan.tasks[-1].resources == (
        FolderResource(role=Role("parts"), path="parts"),
        FolderResource(role=Role("output"), path="output"),
    )


def test_a_merge_that_brings_them_itself_gets_them_once(tmp_path: Path) -> None:
    own = f"{MERGE}    resources: [{{from: parts, prefix: a, to: mine}}]\n"
    plan = make_plan(tmp_path, spec_of(own, containers=PARTS))
    assert plan.tasks[-1].resources == (
        FolderResource(role=Role("parts"), prefix="a", path="mine"),
        FolderResource(role=Role("output"), path="output"),
    )


def test_a_step_with_items_gets_its_items_alone(tmp_path: Path) -> None:
    spec = MERGE.replace("    needs: count\n", "    needs: count\n    for_each: {list: [1]}\n")
    assert make_plan(tmp_path, spec_of(spec, containers=PARTS)).tasks[-1].resources == ()
