"""Parameters without a value: asked for at a terminal, a problem everywhere else."""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import pytest
from typing_extensions import override

from runner.cli.specs import load
from runner.errors import InterruptedRunError
from runner.spec.model.terms import ParameterValue
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, write_spec
from tests.unit.cli.worlds import Terminal, make_terminal, make_world

PARAMETERS = """\
parameters:
  rate: {type: string, pattern: "[0-9]+k", description: bit rate of the MP3}
  nodes: {type: integer, min: 1, max: 9}
  fast: {type: boolean, default: false}
  form: {type: string, allowed: [mp3, ogg]}
  exact: {type: boolean}
"""
ANSWERS = "12k\n3\nogg\ntrue\n"
VALUES = {"rate": "12k", "nodes": 3, "fast": False, "form": "ogg", "exact": True}


def words(*parameters: str, json: bool = False, quiet: bool = False) -> argparse.Namespace:
    return argparse.Namespace(params=None, parameters=list(parameters), json=json, quiet=quiet)


def ask(folder: Path, typed: str, *parameters: str) -> tuple[dict[str, ParameterValue], str]:
    """The values of the parameters, and what was seen."""
    write_spec(folder, PARAMETERS + SPEC)
    world, screen = make_terminal(folder, typed)
    workload, _ = load("spec.yaml", words(*parameters), world)
    return dict(workload.parameters), screen.getvalue()


def missing(error: SpecError) -> list[str]:
    assert {problem.code for problem in error.problems} == {"missing-parameter"}
    return [problem.message.split("`")[1] for problem in error.problems]


def test_every_parameter_without_a_value_is_asked_for(tmp_path: Path) -> None:
    values, seen = ask(tmp_path, ANSWERS)
    assert values == VALUES
    assert seen == (
        "`rate`: bit rate of the MP3 (text, matching `[0-9]+k`)\n"
        "rate: "
        "`nodes` (an integer, at least 1, at most 9)\n"
        "nodes: "
        "`form` (one of `mp3`, `ogg`)\n"
        "form: "
        "`exact` (`true` or `false`)\n"
        "exact: "
    )


def test_what_is_given_is_not_asked_for(tmp_path: Path) -> None:
    values, seen = ask(tmp_path, "7\n", "rate=1k", "form=mp3", "exact=false")
    assert values == {"rate": "1k", "nodes": 7, "fast": False, "form": "mp3", "exact": False}
    assert seen == "`nodes` (an integer, at least 1, at most 9)\nnodes: "


def test_a_wrong_answer_is_asked_again_with_the_reason(tmp_path: Path) -> None:
    typed = "\nfast\n12k\nmany\n0\n10\n 3 \r\nwav\nogg\nyes\ntrue\n"
    values, seen = ask(tmp_path, typed)
    assert values == VALUES
    reasons = [line.split(":   ")[1] for line in seen.splitlines() if ":   " in line]
    assert reasons == [
        "a value is needed; an empty one is given as `-p rate=`",
        "must match `[0-9]+k`, and `fast` does not",
        "must be an integer, not `many`",
        "must be at least 1, not 0",
        "must be at most 9, not 10",
        "is not among those allowed: `wav`",
        "must be `true` or `false`, not `yes`",
    ]


def test_bytes_that_are_no_text_are_asked_again(tmp_path: Path) -> None:
    values, seen = ask(tmp_path, f"\udce9k\n{ANSWERS}")
    assert values == VALUES
    assert "rate:   must be UTF-8\nrate: " in seen


def test_what_the_end_of_input_leaves_is_a_problem(tmp_path: Path) -> None:
    with pytest.raises(SpecError) as caught:
        ask(tmp_path, "12k\n")
    assert missing(caught.value) == ["nodes", "form", "exact"]


class Interrupted(Terminal):
    @override
    def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override] # typeshed: bytes
        raise InterruptedRunError("interrupted")


def test_an_interrupt_ends_the_command_on_a_line_of_its_own(tmp_path: Path) -> None:
    write_spec(tmp_path, PARAMETERS + SPEC)
    world, screen = make_terminal(tmp_path, "")
    world.stdin = Interrupted()
    with pytest.raises(InterruptedRunError):
        load("spec.yaml", words(), world)
    assert screen.getvalue().endswith("\nrate: \n")


class Quiet(Terminal):
    """A file in the place of a terminal."""

    @override
    def isatty(self) -> bool:
        return False


def test_nobody_is_asked_where_nobody_is_or_wants_to_be(tmp_path: Path) -> None:
    write_spec(tmp_path, PARAMETERS + SPEC)
    for change in ("stdin", "no stdin", "stderr", "json", "quiet"):
        world, screen = make_terminal(tmp_path, ANSWERS)
        if change == "stdin":
            world.stdin = Quiet(ANSWERS)
        elif change == "no stdin":
            world.stdin = None
        elif change == "stderr":
            world.stderr = io.StringIO()
        arguments = words(json=change == "json", quiet=change == "quiet")
        with pytest.raises(SpecError) as caught:
            load("spec.yaml", arguments, world)
        assert missing(caught.value) == ["rate", "nodes", "form", "exact"], change
        assert screen.getvalue() == "", change


def test_nobody_is_asked_for_values_of_a_broken_spec(tmp_path: Path) -> None:
    for broken in (SPEC.replace("task:", "tusk:"), SPEC.replace("input\n  command", "in\n  comm")):
        write_spec(tmp_path, PARAMETERS + broken)
        world, screen = make_terminal(tmp_path, ANSWERS)
        with pytest.raises(SpecError):
            load("spec.yaml", words(), world)
        assert screen.getvalue() == ""
    world, screen = make_terminal(tmp_path, ANSWERS)
    write_spec(tmp_path, PARAMETERS + SPEC)
    with pytest.raises(SpecError) as caught:
        load("spec.yaml", words("nodes=0"), world)
    assert [problem.code for problem in caught.value.problems] == [
        *("missing-parameter", "out-of-range", "missing-parameter", "missing-parameter")
    ]
    assert screen.getvalue() == ""


def test_a_description_cannot_steer_the_terminal(tmp_path: Path) -> None:
    write_spec(tmp_path, f'parameters: {{x: {{type: string, description: "a\\e[2J\\nb"}}}}\n{SPEC}')
    world, screen = make_terminal(tmp_path, "1\n")
    load("spec.yaml", words(), world)
    assert screen.getvalue() == "`x`: a\\x1b[2J\\nb (text)\nx: "


def test_a_world_without_input_has_nobody(tmp_path: Path) -> None:
    world, _, _ = make_world(tmp_path)
    assert not world.has_someone()
