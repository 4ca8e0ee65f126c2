"""From a workload and files to a plan, or to every problem."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.plan.expand import expand, find_task, place
from runner.plan.model import BlobResource
from runner.spec.model.terms import Role
from runner.spec.problem import SpecError
from tests.fakes.plans import RUN, SPEC, make_plan, make_workload


def problems(folder: Path, text: str, files: tuple[str, ...] = ("a.txt",)) -> list[str]:
    """`line:column: code: message` of everything wrong."""
    with pytest.raises(SpecError) as caught:
        make_plan(folder, text, files)
    return [
        f"{each.span.start.line}:{each.span.start.column}: {each.code}: {each.message}"
        for each in caught.value.problems
    ]


def test_a_task_a_file_in_the_order_of_names(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, files=("b.txt", "a.txt", "sub/c.txt"))
    assert [(task.id, task.display_name) for task in plan.tasks] == [
        ("0001", "task/a.txt"),
        ("0002", "task/b.txt"),
        ("0003", "task/sub/c.txt"),
    ]
    last = plan.tasks[-1]
    assert last.command.script == "cat sub/c.txt > c.out"
    assert last.resources == (BlobResource(role=Role("input"), blob="sub/c.txt", path="sub/c.txt"),)
    assert [(output.pattern, output.path, output.blob) for output in last.outputs] == [
        ("c.out", "sub/c.out", "sub/c.out")
    ]
    assert [container.name for container in plan.containers] == [f"{RUN}-input", f"{RUN}-output"]


def test_the_same_again(tmp_path: Path) -> None:
    workload = make_workload(tmp_path)
    first = expand(workload, folder=tmp_path, run_id=RUN)
    second = expand(workload, folder=tmp_path, run_id=RUN)
    assert list(first.tasks) == list(second.tasks)
    assert first.containers == second.containers


def test_urls_name_the_storage_account(tmp_path: Path) -> None:
    text = SPEC.replace("cat {{ file.path }}", "curl {{ file.url }}")
    plan = make_plan(tmp_path, text, ("a b.txt",))
    placed = place(plan, storage_endpoint="https://acc.example/")
    assert f"https://acc.example/{RUN}-input/a%20b.txt" in placed.tasks[0].command.script


def test_hidden_files_and_patterns(tmp_path: Path) -> None:
    files = ("a.txt", ".hidden", "x/b.mp4", "x/y/c.mp4", "x/skip/d.mp4", "E.MP4")
    text = SPEC.replace(
        "{from: data}", '{from: data, include: ["**/*.mp4"], exclude: ["**/skip/**"]}'
    )
    plan = make_plan(tmp_path, text, files)
    assert [task.item for task in plan.tasks] == ["x/b.mp4", "x/y/c.mp4"]
    plan = make_plan(tmp_path, SPEC, files)
    assert ".hidden" not in [task.item for task in plan.tasks]


def test_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    make_workload(tmp_path, files=("a.txt",))
    (tmp_path / "data" / "loop").symlink_to(tmp_path / "data")
    (tmp_path / "data" / "link.txt").symlink_to(tmp_path / "data" / "a.txt")
    plan = make_plan(tmp_path, files=("a.txt",))
    assert [task.item for task in plan.tasks] == ["a.txt", "link.txt"]


def test_no_match_says_which_pattern_looked_where(tmp_path: Path) -> None:
    text = SPEC.replace("{from: data}", '{from: data, include: ["*.mp4", "*.mov"]}')
    assert problems(tmp_path, text) == [
        f"5:36: no-input: no file below `{tmp_path}/data` matches `*.mp4`, `*.mov`"
    ]


def test_no_such_folder(tmp_path: Path) -> None:
    text = SPEC.replace("{from: data}", "{from: nowhere}")
    assert problems(tmp_path, text) == [
        f"5:21: no-such-input: there is no file or folder `{tmp_path}/nowhere`"
    ]


def test_a_name_that_no_file_can_have(tmp_path: Path) -> None:
    name = "x" * 300
    text = SPEC.replace("{from: data}", f"{{from: {name}}}")
    assert problems(tmp_path, text) == [
        f"5:21: unreadable-input: cannot read `{tmp_path}/{name}`: file name too long"
    ]


def test_a_name_with_a_nul(tmp_path: Path) -> None:
    text = SPEC.replace("{from: data}", '{from: "a\\0b"}')
    assert problems(tmp_path, text) == [
        f"5:21: no-such-input: there is no file or folder `{tmp_path}/a\\x00b`"
    ]


@pytest.mark.parametrize("source", ["data", "data/loop"])
def test_an_input_that_cannot_be_looked_at(tmp_path: Path, source: str) -> None:
    make_workload(tmp_path)
    (tmp_path / "data" / "loop").symlink_to("loop")
    text = SPEC.replace("{from: data}", f"{{from: {source}}}")
    (problem,) = problems(tmp_path, text)
    assert problem == (
        f"5:21: unreadable-input: cannot read `{tmp_path}/data/loop`:"
        f" {os.strerror(errno.ELOOP).lower()}"
    )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_an_input_in_a_folder_that_may_not_be_searched(tmp_path: Path) -> None:
    make_workload(tmp_path)
    text = SPEC.replace("{from: data}", "{from: data/a.txt}")
    (tmp_path / "data").chmod(0o600)
    try:
        found = problems(tmp_path, text, ())
    finally:
        (tmp_path / "data").chmod(0o700)
    assert found == [
        f"5:21: unreadable-input: cannot read `{tmp_path}/data/a.txt`: permission denied"
    ]


def test_two_files_for_one_blob(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("another")
    text = SPEC.replace("[{from: data}]", "[{from: data}, {from: a.txt}]")
    (problem,) = problems(tmp_path, text)
    assert problem == (
        f"5:28: input-collision: `{tmp_path}/data/a.txt` and `{tmp_path}/a.txt` would both be"
        " blob `a.txt`"
    )


def test_one_file_named_twice_is_one(tmp_path: Path) -> None:
    text = SPEC.replace("[{from: data}]", "[{from: data}, {from: data/a.txt}]")
    assert [task.item for task in make_plan(tmp_path, text).tasks] == ["a.txt", "b.txt"]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        (b"new\nline", "`new\\nline` cannot be the name of a blob: it has a control character,"),
        (b"dot.", "`dot.` cannot be the name of a blob: the service drops a dot"),
        (b"\xff\xfe.txt", "`\\xff\\xfe.txt` cannot be the name of a blob: it is not UTF-8"),
    ],
)
def test_names_that_blobs_cannot_have(tmp_path: Path, name: bytes, reason: str) -> None:
    make_workload(tmp_path)
    (Path(os.fsdecode(os.fsencode(tmp_path / "data") + b"/" + name))).write_bytes(b"")
    (problem,) = problems(tmp_path, SPEC)
    assert reason in problem


def test_two_tasks_for_one_output(tmp_path: Path) -> None:
    assert problems(tmp_path, SPEC, ("a.b", "a.c", "x/a.b", "x/a.c", "d.b")) == [
        "14:13: output-collision: tasks 0001 and 0002 would both write `a.out` of `output`"
    ]


def test_a_wildcard_gets_a_folder_a_task(tmp_path: Path) -> None:
    text = SPEC.replace('"{{ file.stem }}.out"', '"page-*.png"')
    plan = make_plan(tmp_path, text)
    assert [task.outputs[0].path for task in plan.tasks] == ["0001", "0002"]
    assert [task.outputs[0].blob for task in plan.tasks] == [None, None]
    shared = text.replace("to: output}", "to: output, path: pages}")
    assert problems(tmp_path, shared, ("a.txt", "b.txt")) == [
        "14:13: output-collision: tasks 0001 and 0002 would both write `pages/` of `output`"
    ]


def test_a_name_with_wildcards_is_escaped(tmp_path: Path) -> None:
    plan = make_plan(tmp_path, files=("sub/a[1]*.txt",))
    (output,) = plan.tasks[0].outputs
    assert output.pattern == "a[[]1][*].out"
    assert (output.path, output.blob) == ("sub/a[1]*.out", "sub/a[1]*.out")
    assert output.escaped


def test_a_path_of_ones_own(tmp_path: Path) -> None:
    for path, blob in (("x/{{ file.name }}.bin", "x/a.txt.bin"), ("x/", "x/a.out")):
        text = SPEC.replace("to: output}", f'to: output, path: "{path}"}}')
        plan = make_plan(tmp_path, text, ("a.txt",))
        assert plan.tasks[0].outputs[0].blob == blob


def test_a_value_that_does_not_fit_names_the_file(tmp_path: Path) -> None:
    text = SPEC.replace("cat {{ file.path }}", "cat {{ file.stem | int }}")
    found = problems(tmp_path, text, ("1.txt", "x.txt"))
    assert found == ["13:16: bad-value: `int` cannot read 'x' as an integer (for `x.txt`)"]


def test_tasks_are_found_by_id(tmp_path: Path) -> None:
    plan = make_plan(tmp_path)
    assert find_task(plan, "2").item == find_task(plan, "0002").item == "b.txt"
    with pytest.raises(UsageError) as caught:
        find_task(plan, "3")
    assert caught.value.message == "there is no task `3`"
    assert caught.value.hint == "ids go from 0001 to 0002"
