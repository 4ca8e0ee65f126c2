"""Text that is a number, as cells and parameters are: its sign is no option's, in every shell."""

from __future__ import annotations

import pytest

from runner.spec.shells.script import compile_argv, compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.values import NumberText, written_text

SCOPE = {
    "row": {"t": NumberText("-3"), "x": NumberText("-1.50"), "e": NumberText("-1e+5")},
    "file": {"name": "-3"},
}
HERE = {Shell.CMD: ".\\", Shell.POWERSHELL: ".\\"}


@pytest.mark.parametrize("shell", list(Shell))
@pytest.mark.parametrize(
    ("expression", "sign"),
    [
        ("row.t", "-"),
        ("row.t | default('x')", "-"),
        ("row['t'] if true else 1", "-"),
        ("row.t or 1", "-"),
        ("row.t | int", "-"),
        ("file.name", "./-"),
        ("row.t | string", "./-"),
        ("row.t | basename", "./-"),
        ("row.t | trim", "./-"),
        ("row.t | lower", "./-"),
        ("row.t | replace('x', 'y')", "./-"),
        ("row.t | replace_ext('')", "./-"),
        ("row.t ~ ''", "./-"),
        ("row.t + ''", "./-"),
        ("row.t[0:]", "./-"),
        ("row.t | split | first", "./-"),
        ("row.t | split | join", "./-"),
        ("row.t | reverse | reverse", "./-"),
    ],
)
def test_what_keeps_its_sign(expression: str, sign: str, shell: Shell) -> None:
    sign = sign.replace("./", HERE.get(shell, "./"))
    template = compile_command(f"echo {{{{ {expression} }}}}", shell)
    wanted = f"echo {sign}3"
    if shell is Shell.POWERSHELL and sign != "-":
        wanted = f"$v1 = '{sign}3'; echo ${{v1}}"
    assert template.render(SCOPE) == wanted


@pytest.mark.parametrize(
    ("shell", "script"),
    [
        (Shell.BASH, "prog -1.50 -1e+5 -3,-1.50 -3"),
        (Shell.SH, "prog -1.50 -1e+5 -3,-1.50 -3"),
        (Shell.NONE, "prog -1.50 -1e+5 -3,-1.50 -3"),
        (Shell.CMD, 'prog -1.50 "-1e+5" -3,-1.50 -3'),
        (Shell.POWERSHELL, "$v1 = '-1.50'; $v2 = '-1e+5'; prog ${v1} ${v2} -3,${v1} -3"),
    ],
)
def test_in_every_shell(shell: Shell, script: str) -> None:
    command = "prog {{ row.x }} {{ row.e }} {{ row.t }},{{ row.x }} {{ [row.t] }}"
    assert compile_command(command, shell).render(SCOPE) == script


@pytest.mark.parametrize(
    ("shell", "line"),
    [
        (Shell.BASH, "prog -3 ./-3"),
        (Shell.SH, "prog -3 ./-3"),
        (Shell.NONE, "prog -3 ./-3"),
        (Shell.CMD, '"prog" -3 .\\-3'),
        (Shell.POWERSHELL, "& 'prog' -3 '.\\-3'"),
    ],
)
def test_in_the_list_form(shell: Shell, line: str) -> None:
    template = compile_argv(["prog", "{{ row.t }}", "{{ file.name }}"], shell)
    assert template.render(SCOPE) == line


def test_a_calculation_of_powershell_takes_it_as_the_text_that_it_is() -> None:
    rendered = compile_command("$x = {{ row.t }}", Shell.POWERSHELL).render(SCOPE)
    assert rendered == "$v1 = '-3'; $x = ${v1}"


@pytest.mark.parametrize("text", ["-3", "-007", "-1.5", "-.5", "-1.", "-1e9", "-1.5E-10"])
def test_negative_numbers(text: str) -> None:
    assert written_text(text) == text
    assert type(written_text(text)) is NumberText


@pytest.mark.parametrize(
    "text",
    [
        *("", "3", "-", "--3", "-3 ", "-3\n", " -3", "- 3", "-x", "-3x", "-.", "-e5", "-1e"),
        *("-0x1f", "-1_0", "-inf", "-nan", "-1,5", "-\u0663"),
    ],
)
def test_other_text(text: str) -> None:
    assert type(written_text(text)) is str
