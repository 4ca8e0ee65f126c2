"""What steps are run for: the items of every source, and what they bring to tasks."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.plan.model import BlobResource, Plan
from runner.spec.model.terms import Role
from tests.fakes.plans import lines, make_plan, refused, spec_of


def task_of(for_each: str, command: str = "echo", more: str = "") -> str:
    """A spec of one step."""
    return spec_of(f"task:\n  for_each: {for_each}\n  command: {command}\n{more}")


def scripts(plan: Plan) -> list[str]:
    """The command of each task."""
    return [task.command.script for task in plan.tasks]


def names(plan: Plan) -> list[str]:
    """The names of the tasks for people."""
    return [task.display_name for task in plan.tasks]


def test_files_by_pattern(tmp_path: Path) -> None:
    files = ("a.TXT", "b.txt", "sub/c.txt", "sub/d.bin", ".hidden/e.txt")
    spec = task_of('{files: input, include: ["**/*.txt"], exclude: ["sub/**"]}')
    spec = spec.replace("{from: data}", '{from: data, include: ["**/*", "**/.*/*"]}')
    assert names(make_plan(tmp_path, spec, files)) == ["task/b.txt"]
    either_case = spec.replace('["sub/**"]', '["sub/**"], case_sensitive: false')
    assert names(make_plan(tmp_path, either_case, files)) == ["task/a.TXT", "task/b.txt"]
    whole = spec.replace('{files: input, include: ["**/*.txt"], exclude: ["sub/**"]}', "input")
    assert "task/.hidden/e.txt" in names(make_plan(tmp_path, whole, files))


def test_no_file_that_a_step_wants(tmp_path: Path) -> None:
    spec = task_of('{files: input, include: ["*.mp4", "*.mov"]}')
    assert lines(refused(tmp_path, spec)) == [
        "spec.yaml:12:37: no-input: no file of `input` matches `*.mp4`, `*.mov`"
    ]


def test_chunks(tmp_path: Path) -> None:
    command = "cat {{ files }} > {{ index }}-{{ files | length }}-{{ files[0].size }}"
    files = tuple(f"{letter}.txt" for letter in "abcde")
    plan = make_plan(tmp_path, task_of("{files: input, chunk: 2}", command), files)
    assert scripts(plan) == [
        "cat a.txt b.txt > 0-2-5",
        "cat c.txt d.txt > 1-2-5",
        "cat e.txt > 2-1-5",
    ]
    assert names(plan) == ["task/a.txt … (2 files)", "task/c.txt … (2 files)", "task/e.txt"]
    assert plan.tasks[0].resources == (
        BlobResource(role=Role("input"), blob="a.txt", path="a.txt"),
        BlobResource(role=Role("input"), blob="b.txt", path="b.txt"),
    )


def test_lists(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, task_of("{list: [de, 1, 2.5, true, 'a b']}", "echo {{ item }}"))
    assert scripts(plan) == [
        "echo de",
        "echo 1",
        "echo 2.5",
        "echo true",
        "v1='a b'; echo \"${v1}\"",
    ]
    assert names(plan) == ["task/de", "task/1", "task/2.5", "task/true", "task/a b"]
    assert plan.tasks[0].resources == ()


def test_lists_of_mappings(tmp_path: Path) -> None:
    source = "{list: [{name: a, size: 1}, {name: b, size: 2}]}"
    plan = make_plan(tmp_path, task_of(source, "echo {{ item.name }} {{ item.size }}"))
    assert scripts(plan) == ["echo a 1", "echo b 2"]
    assert names(plan) == ["task/name=a size=1", "task/name=b size=2"]
    (line,) = lines(refused(tmp_path, task_of(source, "echo {{ item.sise }}")))
    assert line == "spec.yaml:13:20: undefined: `item.sise` is not defined"


@pytest.mark.parametrize(
    ("bounds", "wanted"),
    [
        ("from: 1, to: 3", ["1", "2", "3"]),
        ("from: 0, to: 0.3, step: 0.1", ["0.0", "0.1", "0.2", "0.3"]),
        ("from: 1, to: 2, step: 0.5", ["1.0", "1.5", "2.0"]),
        ("from: 3, to: 1, step: -1", ["3", "2", "1"]),
        ("from: 0.7, to: 1.05, step: 0.07", ["0.7", "0.77", "0.84", "0.91", "0.98", "1.05"]),
        ("from: 1, to: 6, step: 2", ["1", "3", "5"]),
        ("from: -1, to: -1", ["-1"]),
        ("from: 0.001, to: 0.0011, step: 0.0001", ["0.001", "0.0011"]),
    ],
)
def test_ranges(tmp_path: Path, bounds: str, wanted: list[str]) -> None:
    plan = make_plan(tmp_path, task_of(f"{{range: {{{bounds}}}}}", "echo {{ item }}"))
    assert [task.item for task in plan.tasks] == wanted
    assert scripts(plan) == [f"echo {number}" for number in wanted]


def test_rows(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text('id,sample name\n7,"x\n;y"\n8,z\n')
    command = "\"echo {{ row.id }} {{ row['sample name'] }} {{ item.id }}\""
    plan = make_plan(tmp_path, task_of("{rows: jobs.csv}", command))
    assert scripts(plan) == ["v1='x\n;y'; echo 7 \"${v1}\" 7", "echo 8 z 8"]
    assert names(plan) == ["task/id=7 sample name=x ;y", "task/id=8 sample name=z"]


def test_rows_of_long_integers_and_negative_numbers(tmp_path: Path) -> None:
    long = "12345678901234567890"
    (tmp_path / "rows.json").write_text(f'[{{"a": {long}, "b": -3}}, {{"a": -{long}, "b": "-3"}}]')
    spec = task_of("{rows: rows.json}", "echo {{ row.a }} {{ row.b }}")
    plan = make_plan(tmp_path, spec)
    assert scripts(plan) == [f"echo {long} -3", f"echo -{long} -3"]
    assert names(plan) == [f"task/a={long} b=-3", f"task/a=-{long} b=-3"]


def test_columns_are_checked_once_at_the_spec(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("id,sample\n" + "1,2\n" * 50)
    spec = task_of("{rows: jobs.csv}", "echo {{ row.sampel }} {{ row.nil | default('x') }}")
    (problem,) = refused(tmp_path, spec)
    assert lines((problem,)) == ["spec.yaml:13:20: undefined: `row.sampel` is not defined"]
    assert problem.hint == "did you mean `row.sample`?"
    spec = task_of(
        "{rows: jobs.csv}",
        "echo",
        "  environment: {A: '{{ row.x }}'}\n"
        "  outputs: [{pattern: '{{ row.y }}', to: output, path: '{{ item.z }}'}]\n",
    )
    assert [each.split(": ")[0] for each in lines(refused(tmp_path, spec))] == [
        "spec.yaml:14:24",
        "spec.yaml:15:27",
        "spec.yaml:15:60",
    ]


def test_what_one_row_lacks_names_the_row(tmp_path: Path) -> None:
    (tmp_path / "jobs.jsonl").write_text('{"a": 1, "b": 2}\n{"a": 3}\n')
    spec = task_of("{rows: jobs.jsonl}", "echo {{ row.b }}")
    assert lines(refused(tmp_path, spec)) == [
        "spec.yaml:13:20: undefined: `row.b` is not defined (for `a=3`)"
    ]


def test_problems_of_rows_stand_in_their_file(tmp_path: Path) -> None:
    (tmp_path / "jobs.csv").write_text("a,b\n1\n")
    assert lines(refused(tmp_path, task_of("{rows: jobs.csv}"))) == [
        "jobs.csv:2:2: row-length: the row has 1 cell for 2 columns"
    ]


def test_a_matrix(tmp_path: Path) -> None:
    (tmp_path / "r.csv").write_text("id\n7\n8\n")
    source = (
        "{matrix: {f: {files: input}, r: {rows: r.csv}, n: {range: {from: 1, to: 2}}, l: [x, y]}}"
    )
    command = "echo {{ row.f.stem }} {{ row.r.id }} {{ row.n }} {{ row.l }} {{ file.name }}"
    plan = make_plan(tmp_path, task_of(source, command))
    found = scripts(plan)
    assert len(found) == 16
    assert found[:3] == ["echo a 7 1 x a.txt", "echo a 7 1 y a.txt", "echo a 7 2 x a.txt"]
    assert found[-1] == "echo b 8 2 y b.txt"
    assert names(plan)[0] == "task/f=a.txt, r=id=7, n=1, l=x"
    assert plan.tasks[15].resources == (
        BlobResource(role=Role("input"), blob="b.txt", path="b.txt"),
    )
    (line,) = lines(refused(tmp_path, task_of(source, "echo {{ row.r.if }}")))
    assert line == "spec.yaml:13:20: undefined: `row.r.if` is not defined"


def test_a_matrix_with_chunks(tmp_path: Path) -> None:
    source = "{matrix: {f: {files: input, chunk: 2}, n: [1, 2]}}"
    plan = make_plan(tmp_path, task_of(source, "cat {{ files }} {{ row.n }}"))
    assert scripts(plan) == ["cat a.txt b.txt 1", "cat a.txt b.txt 2"]


def test_a_zip(tmp_path: Path) -> None:
    source = "{zip: {f: {files: input}, n: {range: {from: 1, to: 2}}}}"
    plan = make_plan(tmp_path, task_of(source, "echo {{ row.f.path }} {{ row.n }} {{ file.ext }}"))
    assert scripts(plan) == ["echo a.txt 1 .txt", "echo b.txt 2 .txt"]
    (line,) = lines(refused(tmp_path, task_of(source), ("c.txt",)))
    assert line == (
        "spec.yaml:12:19: zip-length: the sources of `zip` are of different lengths:"
        " `f` has 3, `n` has 2"
    )


STEPS = """\
tasks:
  first:
    for_each: input
    command: cat {{ file.path }} > {{ file.stem }}.out
    outputs: [{pattern: "{{ file.stem }}.out", to: output}]
  second:
    for_each: {outputs_of: first}
    command: wc {{ file.path }} > {{ file.dir }}/{{ file.stem }}.n
"""


def test_outputs_of_another_step(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, spec_of(STEPS), ("a.txt", "x/b.txt"))
    assert scripts(plan)[2:] == ["v1=''; wc a.out > \"${v1}\"/a.n", "wc x/b.out > x/b.n"]
    assert plan.tasks[3].resources == (
        BlobResource(role=Role("output"), blob="x/b.out", path="x/b.out"),
    )
    assert names(plan)[2:] == ["second/a.out", "second/x/b.out"]


def test_two_files_in_one_place_of_the_task(tmp_path: Path) -> None:
    spec = task_of("input", "echo", "  resources: [{from: input, file: a.txt, mode: '0755'}]\n")
    (line,) = lines(refused(tmp_path, spec))
    assert line == (
        "spec.yaml:14:14: resource-collision: two files would both be `a.txt` in the task's"
        " directory (for `a.txt`)"
    )
