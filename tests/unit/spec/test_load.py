"""From a path to a workload, or to every problem with the file."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from runner.errors import ExitCode, UsageError
from runner.spec.bundled import bundled
from runner.spec.load import load_workload
from runner.spec.messages import render_problem
from runner.spec.model.pool import FixedNodes, NewPool
from runner.spec.model.terms import ParameterValue
from runner.spec.model.workload import Workload
from runner.spec.problem import SpecError
from tests.effort import assert_linear
from tests.unit.spec.whole_language import SPECS

Edit = Callable[[str, str], str]


def load(folder: Path, content: str | bytes, **given: ParameterValue) -> Workload:
    path = folder / "spec.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return load_workload(path, name="my/spec.yaml", given=given)


def problems_of(folder: Path, content: str | bytes, **given: ParameterValue) -> list[str]:
    with pytest.raises(SpecError) as caught:
        load(folder, content, **given)
    assert caught.value.exit_code is ExitCode.USAGE
    return [f"{each.location()}: {each.code}" for each in caught.value.problems]


def test_a_spec_that_is_right(tmp_path: Path, spec: str) -> None:
    workload = load(tmp_path, spec, nodes="2")
    assert workload.document.name == "my/spec.yaml"
    assert isinstance(workload.pool, NewPool)
    assert workload.pool.size == FixedNodes(dedicated=0, spot=2)


@pytest.mark.parametrize("name", ["cat.yaml", "topwords.yaml", "ffmpeg.yaml"])
def test_the_workloads_that_come_along_are_right(name: str) -> None:
    path = bundled("workloads", name)
    assert load_workload(path, name=name, given={}).name == path.stem


@pytest.mark.parametrize("path", SPECS, ids=lambda path: str(path.stem))
def test_specs_of_every_key_are_right(path: Path) -> None:
    assert load_workload(path, name=path.name, given={}).name == path.stem


def test_all_problems_come_at_once_in_reading_order(tmp_path: Path, edit: Edit) -> None:
    text = edit("name: topics", "name: topics\nname: again")
    for old, new in (
        ("retries: 1", "retries: many"),
        ("{{ file.path }}", "{{ file.pth }}"),
        ("run_as: admin", "run_as: root"),
        ("download: true", "download: yes"),
        ("parameters.nodes", "parameters.nods"),
    ):
        assert old in text
        text = text.replace(old, new)
    found = problems_of(tmp_path, text)
    assert [each.rpartition(":")[0].rpartition(":")[0] for each in found] == [
        f"my/spec.yaml:{line}" for line in (3, 15, 21, 25, 29, 33)
    ]


def test_what_cannot_be_read_as_yaml_is_said_alone(tmp_path: Path, spec: str) -> None:
    assert problems_of(tmp_path, spec + "a: [\n") == ["my/spec.yaml:34:5: yaml-syntax"]
    assert problems_of(tmp_path, b"") == ["my/spec.yaml:1:1: empty"]
    assert problems_of(tmp_path, b"\x7fELF\0\1") == ["my/spec.yaml:1:1: control-character"]
    assert problems_of(tmp_path, b"PK\0\1") == ["my/spec.yaml:1:3: binary"]


def test_a_duplicate_alone_is_enough_to_refuse(tmp_path: Path, edit: Edit) -> None:
    text = edit("retries: 1", "retries: 1\n  retries: 2")
    assert problems_of(tmp_path, text) == ["my/spec.yaml:33:3: duplicate-key"]


def test_rules_and_parameters_are_checked(tmp_path: Path, spec: str, edit: Edit) -> None:
    assert problems_of(tmp_path, edit("to: output", "to: nowhere")) == [
        "my/spec.yaml:31:54: unknown-container"
    ]
    assert problems_of(tmp_path, spec, nodes="99", nope="1") == [
        "my/spec.yaml:5:1: unknown-parameter",
        "my/spec.yaml:7:3: out-of-range",
    ]


def test_a_problem_as_it_is_shown(tmp_path: Path, edit: Edit) -> None:
    with pytest.raises(SpecError) as caught:
        load(tmp_path, edit("spot:", "sopt:"))
    assert [render_problem(problem) for problem in caught.value.problems] == [
        (
            "my/spec.yaml:20:25: unknown-key: `sopt` is not a key of `pool.nodes`\n"
            '    nodes: {dedicated: 0, sopt: "{{ parameters.nodes }}"}\n'
            "                          ^^^^\n"
            "hint: did you mean `spot`? allowed: `dedicated`, `spot`, `fallback`"
        )
    ]


def usage_error(path: Path) -> tuple[str, str | None]:
    with pytest.raises(UsageError) as caught:
        load_workload(path, name="my/spec.yaml", given={})
    assert not isinstance(caught.value, SpecError)
    return caught.value.message, caught.value.hint


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    assert usage_error(tmp_path / "none.yaml") == ("there is no file `my/spec.yaml`", None)
    assert usage_error(tmp_path) == ("`my/spec.yaml` is a folder", "give a YAML file in it")
    assert usage_error(tmp_path / "a\0b") == (
        "cannot read `my/spec.yaml`: embedded null byte",
        None,
    )
    assert usage_error(tmp_path / ("x" * 300)) == (
        "cannot read `my/spec.yaml`: file name too long",
        None,
    )
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    assert usage_error(tmp_path / "loop") == (
        "cannot read `my/spec.yaml`: too many levels of symbolic links",
        None,
    )


@pytest.mark.parametrize(
    "entry",
    ["      - value {}\n", "      - {{name: a{}, size: 1}}\n", "      - '{{{{ 1 }}}}{}'\n"],
    ids=["text", "mapping", "template"],
)
def test_long_lists_take_linear_time(tmp_path: Path, entry: str) -> None:
    head = (
        "version: 1\nname: long\npool: {existing: p}\n"
        "task:\n  command: echo {{ index }}\n  for_each:\n    list:\n"
    )

    def loading(count: int) -> Callable[[], object]:
        text = head + "".join(entry.format(number) for number in range(count))
        return partial(load, tmp_path, text)

    assert_linear(loading, 200)


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs /dev/zero")
def test_a_file_without_end_is_refused() -> None:
    with pytest.raises(SpecError) as caught:
        load_workload(Path("/dev/zero"), name="zero", given={})
    assert [problem.code for problem in caught.value.problems] == ["too-large"]


def test_what_stands_below_an_unknown_key_is_not_judged_as_well(tmp_path: Path, edit: Edit) -> None:
    found = problems_of(tmp_path, edit("  command: python3", "  comand: python3"))
    assert [each.rpartition(": ")[2] for each in found] == ["unknown-key"]
