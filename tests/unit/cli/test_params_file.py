"""Files of parameters: YAML and JSON, and every problem at its place in the file."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from runner.cli.specs import load
from runner.errors import UsageError
from runner.spec.model.terms import ParameterValue
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, write_spec
from tests.unit.cli.worlds import make_world

PARAMETERS = """\
parameters:
  n: {type: integer, min: 1}
  s: {type: string}
  b: {type: boolean, default: true}
"""
VALUES = {"n": 3, "s": "x", "b": True}


def read(folder: Path, name: str, content: str | bytes, *more: str) -> dict[str, ParameterValue]:
    write_spec(folder, PARAMETERS + SPEC)
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    world, _, _ = make_world(folder)
    workload, _ = load("spec.yaml", argparse.Namespace(params=name, parameters=more), world)
    return dict(workload.parameters)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("v.yaml", "n: 3\ns: x\n"),
        ("v.yaml", 'n: "3"\ns: "x"\n'),
        ("v.json", '{"n": 3, "s": "x"}'),
        ("v.json", '{\n\t"n": 3,\r\n\t"s": "x"\n}\n'),
        ("v.yml", "# mine\n---\n{n: 3, s: x}\n"),
    ],
)
def test_yaml_and_json(tmp_path: Path, name: str, content: str) -> None:
    assert read(tmp_path, name, content) == VALUES


@pytest.mark.parametrize("text", ["\U0001f600", "\\\U0001f600", "a\\ud83d\U0001f600b\U0001f389"])
def test_json_with_characters_as_two_escapes(tmp_path: Path, text: str) -> None:
    content = json.dumps({"n": 3, "s": text})
    assert content.isascii()
    assert read(tmp_path, "v.json", content) == {**VALUES, "s": text}


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    assert read(tmp_path, "v.yaml", "n: many\ns: x\n", "n=3") == VALUES


def test_a_wrong_value_of_the_command_line_is_not_placed_in_the_file(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, "v.yaml", "n: 3\ns: x\n", "n=0")
    (problem,) = caught.value.problems
    assert (problem.location(), problem.hint) == ("spec.yaml:2:3", "it was given as `-p n=0`")


WANTED = "a file of parameters holds their names and values, such as `nodes: 5`"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (
            "n: 0\ns: 5\nm: 1\nb: yes\n",
            [
                (
                    "v.yaml:1:4: out-of-range",
                    "the value given for `n` must be at least 1, not 0",
                    None,
                ),
                (
                    "v.yaml:2:4: wrong-type",
                    "the value given for `s` must be text, not `5`",
                    'put it in quotes: `"5"`',
                ),
                (
                    "v.yaml:3:1: unknown-parameter",
                    "`m` is given, but is not a parameter of this workload",
                    "parameters: `n`, `s`, `b`",
                ),
                (
                    "v.yaml:4:4: wrong-type",
                    "the value given for `b` must be `true` or `false`, not `yes`",
                    None,
                ),
            ],
        ),
        (
            "n: 3\nn: 2\ns: [1]\nb:\n",
            [
                (
                    "v.yaml:2:1: duplicate-key",
                    "`n` is given twice; the first is on line 1",
                    "keep one of the two",
                ),
                (
                    "v.yaml:3:4: parameter-value",
                    "the value of `s` is not text, a number or a boolean",
                    None,
                ),
                (
                    "v.yaml:4:2: parameter-value",
                    "the value of `b` is not text, a number or a boolean",
                    None,
                ),
            ],
        ),
        ("", [("v.yaml:1:1: empty", WANTED, None)]),
        ("[1]", [("v.yaml:1:1: not-a-mapping", WANTED, None)]),
        ("many", [("v.yaml:1:1: not-a-mapping", WANTED, None)]),
        (
            '{"n": 3',
            [
                (
                    "v.yaml:1:1: yaml-syntax",
                    "the `{` that opens here is not closed by `}`",
                    None,
                )
            ],
        ),
    ],
)
def test_every_problem_stands_at_its_place_in_the_file(
    tmp_path: Path, content: str, found: list[tuple[str, str, str | None]]
) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, "v.yaml", content)
    assert [
        (f"{each.location()}: {each.code}", each.message, each.hint)
        for each in caught.value.problems
    ] == found


def test_what_the_file_leaves_out_is_missing_in_the_spec(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        read(tmp_path, "v.yaml", "s: x\n")
    (problem,) = caught.value.problems
    assert (problem.location(), problem.code) == ("spec.yaml:2:3", "missing-parameter")


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    write_spec(tmp_path, PARAMETERS + SPEC)
    world, _, _ = make_world(tmp_path)
    for name, reason in (
        ("none.yaml", "no such file or directory"),
        (".", "is a directory"),
        ("spec.yaml/x", "not a directory"),
        ("\0", "embedded null byte"),
    ):
        with pytest.raises(UsageError) as caught:
            load("spec.yaml", argparse.Namespace(params=name, parameters=[]), world)
        assert caught.value.message == f"cannot read `{name}`: {reason}"
    with pytest.raises(SpecError) as refused:
        load("spec.yaml", argparse.Namespace(params="/dev/zero", parameters=[]), world)
    assert [problem.code for problem in refused.value.problems] == ["too-large"]
