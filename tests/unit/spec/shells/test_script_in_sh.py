"""Hostile values in scripts for sh, run by the real dash: they arrive, and never run."""

from __future__ import annotations

import random
import shutil
import subprocess
from pathlib import Path

import pytest

from runner.spec.shells.script import compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import TemplateError
from tests.unit.spec.shells.test_script_in_bash import (
    GLUED,
    HOSTILE,
    RANDOM_SCRIPTS,
    SEED,
    SHAPES,
    VALUES,
    expected,
    random_scripts,
)

DASH = shutil.which("dash") or ""
SHOW = "show() { printf '%s\\0' \"$@\"; }\n"

needs_dash = pytest.mark.skipif(not DASH, reason="dash is not installed")


def is_posix(template: str) -> bool:
    try:
        compile_command(template, Shell.SH)
    except TemplateError:
        return False
    return True


# Read alike, but dash has no second `!`, no exported function and no `time` for a function.
NOT_IN_DASH = ("! !", "export -f", "time ")
POSIX_SHAPES = [
    (template, kind)
    for template, kind in SHAPES
    if is_posix(template) and not any(each in template for each in NOT_IN_DASH)
]


def run(script: str, folder: Path, path: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [DASH, "-c", script],
        cwd=folder,
        env={"PATH": path, "HOME": "/nowhere", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def test_most_shapes_are_posix() -> None:
    assert len(POSIX_SHAPES) > 35


@needs_dash
@pytest.mark.parametrize(("template", "kind"), POSIX_SHAPES)
def test_a_value_arrives_whole_and_never_runs(template: str, kind: str, tmp_path: Path) -> None:
    compiled = compile_command(template, Shell.SH)
    parts = [f"( {compiled.render({'x': value})}\n)" for value in VALUES]
    result = run(f"set -e\n{SHOW}" + "\n".join(parts), tmp_path, "/usr/bin:/bin")
    wanted = [text for value in VALUES for text in expected(value, kind)]
    shown = [part.decode() for part in result.stdout.split(b"\0")[:-1]]
    assert shown == wanted, result.stderr.decode()
    assert result.returncode == 0, result.stderr.decode()
    assert not (tmp_path / "ran").exists()


@needs_dash
def test_no_value_runs_in_any_script_that_is_taken(tmp_path: Path) -> None:
    choice = random.Random(SEED)
    taken = 0
    for script in random_scripts(SEED + 1, RANDOM_SCRIPTS * 80):
        if "{{ x }}" not in script or GLUED.search(script) or taken == RANDOM_SCRIPTS:
            continue
        try:
            compiled = compile_command(script, Shell.SH)
        except TemplateError:
            continue
        taken += 1
        values: list[object] = [*choice.sample(HOSTILE, 2), choice.sample(HOSTILE, 2)]
        for value in values:
            try:
                rendered = compiled.render({"x": value})
            except TemplateError:
                assert isinstance(value, list)
                continue
            run(rendered, tmp_path, "/nowhere")
            assert not (tmp_path / "ran").exists(), f"{script!r}\n{rendered!r}"
            for left in tmp_path.iterdir():
                left.unlink()
    assert taken == RANDOM_SCRIPTS


@pytest.mark.parametrize(
    ("script", "shown"),
    [
        ("echo $'a'", "$'"),
        ('echo $"a"', '$"'),
        ("if [[ a == a ]]; then :; fi", "[["),
        ("((a = 1))", "(("),
        ("for ((i = 0; i < 1; i++)); do :; done", "(("),
        ("echo $[1]", "$["),
        ("cat <(ls)", "<("),
        ("ls > >(cat)", ">("),
        ("a=(b c)", "=("),
        ("a+=b", "+="),
        ("a[1]=b", "["),
        ("ls @(a|b)", "@("),
        ("ls &> f", "&>"),
        ("ls &>> f", "&>>"),
        ("cat <<< a", "<<<"),
        ("ls |& cat", "|&"),
        ("case a in a) : ;& *) ;; esac", ";&"),
        ("case a in a) : ;;& *) ;; esac", ";;&"),
        ("function f { :; }", "function"),
        ("select i in a; do :; done", "select"),
        ("coproc ls", "coproc"),
        ("ls {fd}> f", "{fd}>"),
        ("ls 10> f", "10>"),
        ("echo ${a:1:2}", "${"),
        ("echo ${a/b/c}", "${"),
        ("echo ${!a}", "${"),
        ("echo ${a^^}", "${"),
        ("echo ${a[1]}", "${"),
        ("x=$(cat <<E\na\nE)", "E)"),
    ],
)
def test_what_only_bash_reads_so(script: str, shown: str) -> None:
    compile_command(script)
    with pytest.raises(TemplateError) as error:
        compile_command(script, Shell.SH)
    fault = error.value.faults[0]
    assert fault.code == "not-posix"
    assert fault.message == f"`{shown}` is bash, which sh reads as something else"
    assert fault.hint == "write `shell: bash`"
    assert script[fault.offset : fault.offset + fault.length] == shown


@needs_dash
@pytest.mark.parametrize(
    "script",
    [
        "echo ${a} ${#a} ${#} ${a:-b} ${a-b} ${a:=b} ${a:+b} ${a#x} ${a##x} ${a%x} ${a%%x} ${10}",
        "set -- a; echo $# $@ $* $1 $? $$ ${1:?no} $((1 + 2)) `echo a`",
        "f() { local x=1; echo $x; }; f 2>&1 >&2 | cat >| f",
        "cat <<-'E'\n\t$(no\n\tE\ncase a in (a) echo b ;; esac",
    ],
)
def test_what_is_posix_is_taken(script: str, tmp_path: Path) -> None:
    assert compile_command(script, Shell.SH).render({}) == script
    result = run(script, tmp_path, "/usr/bin:/bin")
    assert (result.returncode, result.stderr) == (0, b"")
