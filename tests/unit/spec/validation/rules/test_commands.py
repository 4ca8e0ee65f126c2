"""Commands and the environments that they read."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
parameters: {mode: {type: string, default: fast}}
containers: {input: {upload: [{from: data}]}}
pool:
  image: windows 2022
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
job: {environment: {MODE: "{{ parameters.mode }}"}}
task:
  for_each: input
  environment: {Film: "{{ file.name }}", FIXED: text}
  command: echo %FIXED% %PATH% {{ file.path }} %%i
"""
COMMAND = "command: echo %FIXED% %PATH% {{ file.path }} %%i"


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


@pytest.mark.parametrize(
    "lines",
    [
        "shell: powershell\n  command: echo $env:FILM %FILM%",
        "command: echo %FILM %OTHER%",
    ],
)
def test_what_may_be(lines: str) -> None:
    assert facts_of(edited(SPEC, COMMAND, lines)) == []


@pytest.mark.parametrize(
    ("command", "column", "written", "name"),
    [
        ("command: echo %FILM%", 17, "FILM", "Film"),
        ("command: echo a && echo %film:~0,3%", 27, "film", "Film"),
        ("command: echo {{ file.path }} %MODE:a=b%", 33, "MODE", "MODE"),
    ],
)
def test_cmd_reads_no_value_as_code(command: str, column: int, written: str, name: str) -> None:
    spec = edited(SPEC, COMMAND, command)
    assert facts_of(spec) == [
        (
            f"13:{column} misplaced-variable",
            f"cmd reads the text of `%{written}%` as code, and `{name}` holds values",
            f"put the expression itself here, or use `shell: powershell` and `$env:{name}`",
        )
    ]
