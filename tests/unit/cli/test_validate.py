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
