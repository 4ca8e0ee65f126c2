"""Values in variables that a script calculates with: numbers pass, and no text runs as code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from runner.spec.shells.script import compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.fault import TemplateError

CALCULATING = [
    "x={{ v }}; echo $((x + 1))",
    "x={{ v }}; echo $(( $x + 1 ))",
    "x={{ v }}; echo $(( ${x} + 1 ))",
    'x={{ v }}; echo $(( "$x" + 1 ))',
    "echo $((x + 1)); x={{ v }}",
    "x={{ v }} y=2; (( x > 3 )) || echo small",
    "x={{ v }}; for ((i = 0; i < x; i++)); do echo $i; done",
    "export x={{ v }}; echo $((x))",
    "x={{ v }}; [[ $x -eq 1 ]] || echo other",
    "x={{ v }}; [[ x -lt 1 ]] || echo other",
    'x={{ v }}; [[ 1 -lt "${x}" ]] || echo other',
    "x={{ v }}; list[$x]=1",
    "x={{ v }}; list[x]=1",
    "list=(a b); x={{ v }}; echo ${list[x]} ${list[$x]}",
    "for x in 1 {{ v }}; do echo $((x)); done",
    "f() { echo $((x)); }; x={{ v }}; f",
]
HOSTILE = ["a[$(touch ran)]", "y", "x", "1+a[$(touch ran)]", "1 a", "../1", "1\na[$(touch ran)]"]


@pytest.mark.parametrize("template", CALCULATING)
@pytest.mark.parametrize("value", HOSTILE)
def test_what_is_no_number_is_refused(template: str, value: str) -> None:
    with pytest.raises(TemplateError) as caught:
        compile_command(template).render({"v": value})
    (fault,) = caught.value.faults
    assert (fault.code, fault.offset, fault.message, fault.hint) == (
        "bad-value",
        template.index("{{"),
        "the script calculates with `x`, and the value is no number",
        "end the expression in `| int`, or calculate in the expression itself",
    )


@pytest.mark.parametrize("template", CALCULATING)
@pytest.mark.parametrize("value", [3, "3", -1, "0x1", "08"])
def test_numbers_pass(template: str, value: object) -> None:
    rendered = compile_command(template).render({"v": value})
    assert rendered == template.replace("{{ v }}", str(value))


@pytest.mark.parametrize(
    "template",
    [
        "x={{ v }}; y=2; echo $((y)) $x",
        'x={{ v }}; echo $(( $(wc -l < "$x") + 1 ))',
        "x=$(wc -c < {{ v }}); echo $((x + 1))",
        'x={{ v }}; [[ $x == y && 1 -eq 1 ]] || cat "$x"',
        "x={{ v }}; [[ ${#x} -eq 1 ]] || echo long",
        "x={{ v }}; echo $(( ${#x} + 1 ))",
        "declare -A seen; x={{ v }}; seen[$x]=1",
        "x={{ v }}; echo $((0xff)) '$((x))'",
        "for x in {{ v }}; do i=$((i + 1)); done",
    ],
)
def test_other_variables_hold_any_text(template: str) -> None:
    compile_command(template).render({"v": "a[$(touch ran)]"})


def test_each_item_of_a_list_is_looked_at() -> None:
    command = compile_command("for x in {{ v }}; do echo $((x)); done")
    assert command.render({"v": [1, "2"]}) == "for x in 1 2; do echo $((x)); done"
    with pytest.raises(TemplateError):
        command.render({"v": [1, "y"]})


def test_raw_is_the_authors() -> None:
    command = compile_command("x={{ v | raw }}; echo $((x))")
    assert command.render({"v": "y"}) == "x=y; echo $((x))"


def test_sh_is_read_alike() -> None:
    with pytest.raises(TemplateError):
        compile_command("x={{ v }}; echo $((x))", Shell.SH).render({"v": "y"})


@pytest.mark.parametrize("template", CALCULATING)
def test_bash_runs_what_is_let_through(template: str, tmp_path: Path) -> None:
    script = compile_command(template).render({"v": 2})
    done = subprocess.run(
        ["bash", "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stderr == ""


@pytest.mark.parametrize("template", CALCULATING[:4])
def test_bash_would_have_run_the_text(template: str, tmp_path: Path) -> None:
    """The reason for all this."""
    script = template.replace("{{ v }}", "'a[$(touch ran)]'")
    subprocess.run(["bash", "-c", script], cwd=tmp_path, capture_output=True, check=False)
    assert (tmp_path / "ran").exists()
