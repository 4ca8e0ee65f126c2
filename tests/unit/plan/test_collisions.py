"""No two tasks write one blob, nor what one disk cannot hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.plan.collisions import OutputNames
from runner.plan.containers import plan_containers
from runner.plan.sources import gather
from runner.plan.tasks import TaskSequence
from tests.fakes.plans import RUN, SPEC, lines, make_plan, make_workload, refused, spec_of

PLACE = "spec.yaml:14:13"


def outputs(written: str, more: str = "", *, containers: str = "") -> str:
    """A spec of one step with these outputs."""
    return spec_of(
        f"task:\n  for_each: input\n  command: echo\n  outputs: [{written}]\n{more}",
        containers=containers,
    )


BY_STEM = '{pattern: "{{ file.stem }}.out", to: output}'
UNSEEN = "  unseen: {}\n"
STEPS_APART = "give the outputs of steps `a` and `b` names, folders or containers of their own"


def test_over_all_steps(tmp_path: Path) -> None:
    spec = spec_of(
        "tasks:\n"
        f"  a: {{for_each: input, command: echo, outputs: [{BY_STEM}]}}\n"
        f"  b: {{for_each: input, command: echo, outputs: [{BY_STEM}]}}\n"
    )
    (problem,) = refused(tmp_path, spec)
    assert lines((problem,)) == [
        (
            "spec.yaml:13:49: output-collision: tasks 0001 and 0002 would both write `a.out` of"
            " `output`"
        )
    ]
    assert problem.hint == STEPS_APART


@pytest.mark.parametrize(
    ("for_each", "hint"),
    [
        ("input", "`{{ file.name }}` or `{{ file.path }}`"),
        ("{files: input, chunk: 1}", "`{{ index }}`"),
        ("{list: [a, b]}", "`{{ item }}` or `{{ index }}`"),
        ("{list: [{n: a}, {n: b}]}", "`{{ item.KEY }}` or `{{ index }}`"),
        ("{range: {from: 1, to: 2}}", "`{{ item }}` or `{{ index }}`"),
        ("{rows: rows.csv}", "`{{ row.COLUMN }}` or `{{ index }}`"),
        (
            "{matrix: {a: {files: input}, b: {list: [1]}, c: {rows: rows.csv}}}",
            "`{{ row.a.name }}` and `{{ row.b }}` and `{{ row.c.COLUMN }}` or `{{ index }}`",
        ),
        ("{matrix: {a: {files: input, chunk: 1}}}", "`{{ index }}`"),
        (
            "{zip: {a: {files: input}, b: {list: [{n: 1}, {n: 2}]}}}",
            "`{{ row.a.name }}` or `{{ row.b.KEY }}` or `{{ index }}`",
        ),
    ],
)
def test_what_keeps_tasks_of_one_step_apart(tmp_path: Path, for_each: str, hint: str) -> None:
    (tmp_path / "rows.csv").write_text("n\n1\n2\n")
    spec = spec_of(
        f"task:\n  for_each: {for_each}\n  command: echo\n"
        "  outputs: [{pattern: x.out, to: output}]\n"
    )
    (problem,) = refused(tmp_path, spec, ("a.txt", "b.txt"))
    assert problem.hint == f"put {hint} into the pattern or the `path`"


def test_what_keeps_outputs_of_outputs_apart(tmp_path: Path) -> None:
    spec = spec_of(
        "tasks:\n"
        "  a: {for_each: input, command: echo,"
        f" outputs: [{BY_STEM.replace('output', 'unseen')}]}}\n"
        "  b: {for_each: {outputs_of: a}, needs: [a], command: echo,"
        " outputs: [{pattern: x, to: output}]}\n",
        containers=UNSEEN,
    )
    (problem,) = refused(tmp_path, spec, ("a.txt", "b.txt"))
    assert problem.hint == (
        "put `{{ file.name }}` or `{{ file.path }}` into the pattern or the `path`"
    )


def test_two_outputs_of_one_task(tmp_path: Path) -> None:
    spec = outputs(
        '{pattern: x, to: output, path: "{{ file.name }}"},'
        ' {pattern: y, to: output, path: "{{ file.path }}"}'
    )
    (problem,) = refused(tmp_path, spec, ("a",))
    assert lines((problem,)) == [
        "spec.yaml:14:64: output-collision: two outputs of task 0001 would write `a` of `output`"
    ]
    assert problem.hint == (
        "give each output of step `task` a name, a folder or a container of its own"
    )


def test_names_that_differ_in_case_alone(tmp_path: Path) -> None:
    files = ("A.txt", "a.txt", "\u00c4.txt", "a\u0308.txt")
    (problem,) = refused(tmp_path, outputs(BY_STEM), files)
    assert lines((problem,)) == [
        (
            f"{PLACE}: case-collision: tasks 0001 and 0002 would write `A.out` and `a.out` of"
            " `output`, which are one file on many disks"
        )
    ]
    assert problem.hint == (
        "put `{{ index }}` into the pattern or the `path`, or do not download `output`"
    )
    decomposed = refused(tmp_path / "b", outputs(BY_STEM), ("\u00c4.txt", "a\u0308.txt"))
    assert [each.code for each in decomposed] == ["case-collision"]


def test_what_is_not_downloaded_may_differ_in_case(tmp_path: Path) -> None:
    spec = outputs(BY_STEM.replace("output", "unseen"), containers=UNSEEN)
    plan = make_plan(tmp_path, spec, ("A.txt", "a.txt"))
    assert len(plan.tasks) == 2


def test_two_outputs_of_one_task_on_other_outcomes(tmp_path: Path) -> None:
    spec = outputs(
        '{pattern: "{{ file.stem }}.out", to: output, path: "{{ file.name }}"},'
        ' {pattern: err, to: output, path: "{{ file.name }}", when: failure}'
    )
    assert len(make_plan(tmp_path, spec).tasks) == 2


@pytest.mark.parametrize("path", ["pages/{{ file.dir }}", "pages/{{ file.path }}"])
def test_folders_of_wildcards_in_one_another(tmp_path: Path, path: str) -> None:
    spec = outputs(f'{{pattern: "*.png", to: output, path: "{path}"}}')
    files = ("a.txt", "x/b.txt")
    if path.endswith("file.path }}"):
        assert len(make_plan(tmp_path, spec, files).tasks) == 2
        return
    (problem,) = refused(tmp_path, spec, files)
    assert lines((problem,)) == [
        (
            f"{PLACE}: output-nesting: task 0001 would fill `pages/` of `output`, and task 0002"
            " `pages/x/` in it"
        )
    ]
    assert problem.hint == (
        "put `{{ file.name }}` or `{{ file.path }}` into the pattern or the `path`"
    )


def test_a_file_that_a_wildcard_of_another_task_may_write(tmp_path: Path) -> None:
    spec = spec_of(
        "tasks:\n"
        "  a:\n"
        "    command: echo\n"
        '    outputs: [{pattern: "*.png", to: output, path: pages}]\n'
        "  b:\n"
        "    command: echo\n"
        '    outputs: [{pattern: NAME, to: output, path: "pages/NAME"}]\n'
    )
    (problem,) = refused(tmp_path, spec.replace("NAME", "x.png"))
    assert lines((problem,)) == [
        (
            "spec.yaml:17:15: output-nesting: task 0002 would write `pages/x.png` of `output`, and"
            " so may task 0001 by `*.png`"
        )
    ]
    assert problem.hint == STEPS_APART
    assert len(make_plan(tmp_path, spec.replace("NAME", "index.html")).tasks) == 2


def test_a_file_and_a_folder_of_one_name(tmp_path: Path) -> None:
    written = '{pattern: "{{ file.stem }}", to: ROLE}'
    files = ("x.txt", "x/b.txt")
    (problem,) = refused(tmp_path, outputs(written.replace("ROLE", "output")), files)
    assert lines((problem,)) == [
        (
            f"{PLACE}: output-nesting: `x` of `output` would be a file of task 0001 and a folder of"
            " task 0002, which no disk can hold"
        )
    ]
    assert problem.hint == (
        "put `{{ file.name }}` or `{{ file.path }}` into the pattern or the `path`, or do not"
        " download `output`"
    )
    spec = outputs(written.replace("ROLE", "unseen"), containers=UNSEEN)
    assert len(make_plan(tmp_path, spec, files).tasks) == 2


def test_one_problem_an_output_however_many_tasks(tmp_path: Path) -> None:
    spec = outputs(f'{BY_STEM}, {{pattern: "{{{{ file.name }}}}", to: output, path: same}}')
    files = tuple(f"{name}.{extension}" for name in "abcde" for extension in ("1", "2"))
    assert lines(refused(tmp_path, spec, files)) == [
        (
            "spec.yaml:14:13: output-collision: tasks 0001 and 0002 would both write `a.out` of"
            " `output`"
        ),
        (
            "spec.yaml:14:59: output-collision: tasks 0001 and 0002 would both write `same` of"
            " `output`"
        ),
    ]


def test_wildcards_that_fill_the_root(tmp_path: Path) -> None:
    spec = outputs('{pattern: "*.png", to: output, path: "{{ file.dir }}"}')
    (alone,) = make_plan(tmp_path / "a", spec, ("a.txt",)).tasks
    assert (alone.outputs[0].path, alone.outputs[0].blob) == ("", None)
    assert [each.code for each in refused(tmp_path / "b", spec, ("a.txt", "b.txt"))] == [
        "output-collision"
    ]
    assert [each.code for each in refused(tmp_path / "c", spec, ("a.txt", "x/b.txt"))] == [
        "output-nesting"
    ]


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("{{ '/' }}x", "`/x` is an absolute path"),
        ("a/{{ '..' }}/b", "`a/../b` leads out of its folder by `..`"),
        ("{{ 'a//b' }}", "`a//b` cannot be the name of an output: a folder or file of it has no"),
        ("{{ 'a.' }}/b", "`a./b` cannot be the name of an output: the service drops a dot"),
        ("{{ 'a\\tb' }}", "`a\\tb` cannot be the name of an output: it has a control character"),
        ("{{ '' }}", "`` cannot be the name of an output: it is empty"),
    ],
)
def test_names_that_outputs_cannot_have(tmp_path: Path, path: str, message: str) -> None:
    spec = outputs(f'{{pattern: x.txt, to: output, path: "{path}"}}')
    (line,) = lines(refused(tmp_path, spec))
    assert line.startswith(f"spec.yaml:14:49: output-path: {message}")


NESTED = """\
task:
  for_each: input
  command: echo
  outputs:
    - {pattern: "{{ file.name }}", to: output}
    - {pattern: "*.png", path: "{{ file.name }}.d/", to: output}
"""


def colliding(folder: Path, spec: str, files: tuple[str, ...]) -> list[str]:
    """The problems of a spec's outputs where all names have one number by chance."""
    workload = make_workload(folder, spec, files)
    containers, _ = plan_containers(workload, folder=folder, run_id=RUN, stored=None)
    materials, _ = gather(workload, containers, folder)
    tasks = TaskSequence(
        workload=workload,
        run_id=RUN,
        materials=materials,
        containers={each.role: each.name for each in containers},
        account="https://account",
    )
    names = OutputNames(workload, tasks, [len(tasks)], number_of=lambda _: 7)
    for task in tasks:
        names.add(task)
    return [each.message for each in names.problems()]


def test_names_whose_numbers_are_equal_by_chance(tmp_path: Path) -> None:
    assert colliding(tmp_path / "a", SPEC, ("a.txt", "b.txt", "c.txt")) == []
    assert colliding(tmp_path / "b", SPEC, ("a.txt", "b.txt", "c.txt", "c.x")) == [
        "tasks 0003 and 0004 would both write `c.out` of `output`"
    ]
    assert colliding(tmp_path / "c", spec_of(NESTED), ("a.txt", "b.txt")) == []
    assert colliding(tmp_path / "d", spec_of(NESTED), ("a.txt", "b", "b.d")) == [
        (
            "`b.d` of `output` would be a file of task 0003 and a folder of task 0002, which no"
            " disk can hold"
        )
    ]


def test_what_lies_in_one_of_very_many_folders_that_others_fill(tmp_path: Path) -> None:
    spec = spec_of(
        "task:\n"
        "  for_each: {range: {from: 1, to: 1500}}\n"
        "  command: echo\n"
        "  outputs:\n"
        '    - {pattern: "*.png", path: "{{ item }}/", to: output}\n'
        '    - {pattern: "{{ item }}/x.txt", path: "{{ item }}/x.txt", to: output}\n'
        '    - {pattern: "{{ item }}", path: "{{ 7 if item == 1234 else item }}/{{ item }}.png",'
        " to: output}\n"
    )
    (problem,) = refused(tmp_path, spec)
    assert problem.message == (
        "task 1234 would write `7/1234.png` of `output`, and so may task 0007 by `*.png`"
    )
