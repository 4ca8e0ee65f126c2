"""All problems of some specs, each said once."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from runner.cli.commands import validate
from runner.cli.signals import Interruptions
from runner.errors import UsageError
from tests.fakes.plans import SPEC, write_spec
from tests.unit.cli.worlds import make_world


def run_validate(folder: Path, *words: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error."""
    world, stdout, stderr = make_world(folder)
    parser = argparse.ArgumentParser()
    validate.add_arguments(parser)
    code = validate.execute(parser.parse_args(words), world, Interruptions())
    return code, stdout.content.decode(), stderr.getvalue()


def test_valid_specs(tmp_path: Path) -> None:
    write_spec(tmp_path)
    (tmp_path / "other.yaml").write_text(SPEC)
    assert run_validate(tmp_path, "spec.yaml", "other.yaml", "spec.yaml") == (
        0,
        "",
        "spec.yaml: valid\nother.yaml: valid\n",
    )
    assert run_validate(tmp_path, "spec.yaml", "--json") == (0, "[]\n", "")


def test_a_problem_of_the_parameters_is_said_once(tmp_path: Path) -> None:
    write_spec(tmp_path)
    (tmp_path / "other.yaml").write_text(SPEC)
    (tmp_path / "bad.yaml").write_text("words: [1]\n")
    words = ("spec.yaml", "other.yaml", "--params", "bad.yaml")
    assert run_validate(tmp_path, *words) == (
        2,
        "",
        (
            "bad.yaml:1:8: parameter-value: the value of `words` is not text, a number or a"
            " boolean\n"
            "  words: [1]\n"
            "         ^^^\n"
        ),
    )
    code, stdout, stderr = run_validate(tmp_path, *words, "--json")
    assert (code, stderr) == (2, "")
    assert [entry["code"] for entry in json.loads(stdout)] == ["parameter-value"]


@pytest.mark.parametrize("words", [("--params", "none.yaml"), ("-p", "words")])
def test_parameters_that_cannot_be_had_end_the_command(
    tmp_path: Path, words: tuple[str, str]
) -> None:
    write_spec(tmp_path)
    with pytest.raises(UsageError):
        run_validate(tmp_path, "spec.yaml", *words)


def test_unreadable_specs_stand_among_the_problems(tmp_path: Path) -> None:
    write_spec(tmp_path)
    (tmp_path / "folder").mkdir()
    (tmp_path / "bad.yaml").write_text("")
    code, stdout, stderr = run_validate(
        tmp_path, "none.yaml", "bad.yaml", "spec.yaml", "folder", "--json"
    )
    assert (code, stderr) == (2, "")
    nowhere = {"line": None, "column": None}
    none, bad, folder = json.loads(stdout)
    assert none == {
        "file": "none.yaml",
        "start": nowhere,
        "end": nowhere,
        "code": "unreadable",
        "message": "there is no file `none.yaml`",
        "hint": None,
        "source_line": None,
    }
    assert (bad["file"], bad["code"], bad["start"]) == (
        "bad.yaml",
        "empty",
        {"line": 1, "column": 1},
    )
    assert (folder["message"], folder["hint"]) == ("`folder` is a folder", "give a YAML file in it")


def test_unreadable_specs_as_a_person_reads_it(tmp_path: Path) -> None:
    write_spec(tmp_path)
    (tmp_path / "folder").mkdir()
    assert run_validate(tmp_path, "none.yaml", "spec.yaml", "folder") == (
        2,
        "",
        (
            "spec.yaml: valid\n"
            "batch-run: there is no file `none.yaml`\n"
            "batch-run: `folder` is a folder\n"
            "  hint: give a YAML file in it\n"
        ),
    )


DECLARING = SPEC.replace("containers:", "parameters: {n: {type: integer}}\ncontainers:", 1)


def test_each_spec_gets_the_parameters_that_it_declares(tmp_path: Path) -> None:
    write_spec(tmp_path)
    (tmp_path / "n.yaml").write_text(DECLARING)
    (tmp_path / "values.yaml").write_text("n: 3\n")
    valid = (0, "", "spec.yaml: valid\nn.yaml: valid\n")
    assert run_validate(tmp_path, "spec.yaml", "n.yaml", "-p", "n=3") == valid
    assert run_validate(tmp_path, "spec.yaml", "n.yaml", "--params", "values.yaml") == valid
    code, _, stderr = run_validate(tmp_path, "spec.yaml", "n.yaml", "-p", "n=x")
    assert (code, stderr.count("wrong-type"), stderr.count("spec.yaml: valid")) == (2, 1, 1)
    code, _, stderr = run_validate(tmp_path, "spec.yaml", "n.yaml")
    assert code == 2
    assert stderr.startswith(
        "spec.yaml: valid\n"
        "n.yaml:3:14: missing-parameter: `n` has no default, and no value is given\n"
    )


def test_a_parameter_that_no_spec_has_is_said_once(tmp_path: Path) -> None:
    write_spec(tmp_path)
    (tmp_path / "n.yaml").write_text(DECLARING)
    (tmp_path / "values.yaml").write_text("n: 3\nm: 1\n")
    assert run_validate(tmp_path, "spec.yaml", "n.yaml", "-p", "nn=4", "-p", "n=3") == (
        2,
        "",
        (
            "spec.yaml: valid\n"
            "n.yaml: valid\n"
            "batch-run: `-p nn=4`: none of these specs has a parameter `nn`\n"
            "  hint: did you mean `n`? parameters: `n`\n"
        ),
    )
    assert run_validate(tmp_path, "spec.yaml", "n.yaml", "--params", "values.yaml") == (
        2,
        "",
        (
            "spec.yaml: valid\n"
            "n.yaml: valid\n"
            "values.yaml:2:1: unknown-parameter: none of these specs has a parameter `m`\n"
            "  m: 1\n"
            "  ^\n"
            "hint: parameters: `n`\n"
        ),
    )
    code, stdout, stderr = run_validate(tmp_path, "spec.yaml", "n.yaml", "-p", "nn=4", "--json")
    assert (code, stderr) == (2, "")
    nn, n = json.loads(stdout)
    assert (nn["file"], nn["code"]) == (None, "unknown-parameter")
    assert (n["file"], n["code"]) == ("n.yaml", "missing-parameter")


def test_a_spec_that_cannot_be_read_may_have_had_the_parameter(tmp_path: Path) -> None:
    write_spec(tmp_path)
    (tmp_path / "bad.yaml").write_text("a: [\n")
    code, _, stderr = run_validate(tmp_path, "spec.yaml", "bad.yaml", "-p", "n=3")
    assert (code, stderr.count("yaml-syntax"), stderr.count("parameter")) == (2, 1, 0)
