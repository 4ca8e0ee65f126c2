"""shellcheck: its output read, its failures said, and its findings put at the spec's lines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from runner.cli.alignment import align
from runner.cli.script_findings import tell_script_findings
from runner.cli.shellcheck import Finding, ShellcheckError, check_script, parse_findings
from runner.spec.shells.script import compile_command
from tests.fakes.plans import SPEC, make_plan
from tests.unit.cli.worlds import make_world

PROGRAM = shutil.which("shellcheck")
with_shellcheck = pytest.mark.skipif(PROGRAM is None, reason="shellcheck is not installed")

# `set -e`, then `cd $x` behind a tab and two lines more: as shellcheck 0.9.0 says it.
RECORDED = b"""{"comments":[
{"file":"-","line":1,"endLine":1,"column":1,"endColumn":4,"level":"style","code":2000,
 "message":"About our own line.","fix":null},
{"file":"-","line":2,"endLine":2,"column":5,"endColumn":7,"level":"warning","code":2154,
 "message":"x is referenced but not assigned.","fix":null},
{"file":"-","line":4,"endLine":5,"column":1,"endColumn":3,"level":"error","code":1073,
 "message":"Couldn't parse this.","fix":null}]}
"""


def test_findings_become_offsets_of_the_script() -> None:
    script = "\tcd $x\necho\nif x\nfi"
    findings = parse_findings(RECORDED, script)
    assert findings == (
        Finding(
            start=4,
            end=6,
            code=2154,
            level="warning",
            message="x is referenced but not assigned.",
        ),
        Finding(start=12, end=19, code=1073, level="error", message="Couldn't parse this."),
    )
    assert [script[each.start : each.end] for each in findings] == ["$x", "if x\nfi"]


@pytest.mark.parametrize("output", [b"", b"{}", b"[]", b"null", b'{"comments": [{"line": 3}]}'])
def test_output_of_another_form_is_refused(output: bytes) -> None:
    with pytest.raises(ShellcheckError) as caught:
        parse_findings(output, "echo")
    assert str(caught.value) == "its output is not what `-f json1` should give"


def run_program(folder: Path, body: str) -> tuple[Finding, ...]:
    """Checks `echo` with a program that does what `body` says."""
    program = folder / "program"
    program.write_text(f"#!/bin/sh\n{body}\n")
    program.chmod(0o755)
    return check_script(
        str(program), "echo", shell="sh", variables=("a", "b"), folder=folder, limit_seconds=0.5
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("cat >/dev/null; exec sleep 60", "it took more than 0.5 s"),
        ("cat >/dev/null; echo first >&2; echo bad option >&2; exit 3", "bad option"),
        ("cat >/dev/null; exit 4", "it ended with exit code 4"),
        ("cat >/dev/null; echo '<xml/>'", "its output is not what `-f json1` should give"),
        ("exit 4", "it ended with exit code 4"),
    ],
)
def test_a_program_that_fails_says_why(tmp_path: Path, body: str, message: str) -> None:
    with pytest.raises(ShellcheckError) as caught:
        run_program(tmp_path, body)
    assert str(caught.value) == message


def test_a_program_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(ShellcheckError) as caught:
        check_script(str(tmp_path / "gone"), "echo", shell="sh", variables=(), folder=tmp_path)
    assert str(caught.value) == "no such file or directory"


def test_what_the_program_is_given(tmp_path: Path) -> None:
    body = 'cat > input; echo "$*" > words; echo \'{"comments": []}\''
    assert run_program(tmp_path, body) == ()
    assert (tmp_path / "input").read_text() == "set -e; export a b\necho"
    assert (tmp_path / "words").read_text() == "-f json1 -s sh -e SC1090,SC1091 -\n"


TEMPLATES = [
    "cat {{ file.path }} | wc -l\n",
    "{{ file.path }} --x {{ file.path }}",
    "a\nb {{ file.path }}.x\n# '\nc 'd'\n",
    "x={{ file.path }}; echo $x{{ '{{' }} end",
    "echo",
]


@pytest.mark.parametrize("value", ["plain.txt", 'it\'s a "x" $(y)', "-n", "a\n'b'; v1='c'; ", "é"])
@pytest.mark.parametrize("template", TEMPLATES)
def test_every_character_that_was_written_is_found_again(template: str, value: str) -> None:
    script = compile_command(template).render({"file": {"path": value}})
    alignment = align(template, script)
    assert alignment is not None
    for needle in ("cat", "| wc -l", "--x", "b ", "# '", "c 'd'", "; echo $x", "end"):
        if needle in template:
            start = script.rindex(needle)
            assert alignment.locate(start, start + len(needle)) == (
                template.index(needle),
                template.index(needle) + len(needle),
            )


def test_a_value_is_the_expression_and_what_carries_it_nobodys() -> None:
    template = "cat {{ file.path }} x"
    script = compile_command(template).render({"file": {"path": "it's"}})
    assert script == "v1='it'\\''s'; cat \"${v1}\" x"
    alignment = align(template, script)
    assert alignment is not None
    start = script.index('"${v1}"')
    assert alignment.locate(start, start + 7) == (4, 19)
    assert alignment.locate(start - 4, start + 7) == (0, 19)
    assert alignment.locate(0, 2) is None


def test_a_script_of_another_template_is_not_aligned() -> None:
    assert align("cat {{ file.path }} x", "dog a x") is None
    assert align("cat {{ file.path }} x", "cat a y") is None
    assert align("cat", "cat a") is None


SCRIPT = """\
  command: |
    # of a step
    echo $missing {{ file.path }} "$given" $(ls)
  environment: {given: a}
"""
FOUND = """\
spec.yaml:15:10: sc2154: missing is referenced but not assigned
      echo $missing {{ file.path }} "$given" $(ls)
           ^^^^^^^^
hint: shellcheck's warning: https://www.shellcheck.net/wiki/SC2154
spec.yaml:15:10: sc2086: double quote to prevent globbing and word splitting
      echo $missing {{ file.path }} "$given" $(ls)
           ^^^^^^^^
hint: shellcheck's info: https://www.shellcheck.net/wiki/SC2086
spec.yaml:15:44: sc2046: quote this to prevent word splitting
      echo $missing {{ file.path }} "$given" $(ls)
                                             ^^^^^
hint: shellcheck's warning: https://www.shellcheck.net/wiki/SC2046
"""
COMMAND = "  command: cat {{ file.path }} > {{ file.stem }}.out\n"


def tell(folder: Path, text: str, files: tuple[str, ...], path: str | None = None) -> str:
    """What is said of the commands of a spec."""
    plan = make_plan(folder, text, files)
    world, stdout, stderr = make_world(folder)
    program = str(Path(PROGRAM or "shellcheck").parent)
    world.environ = {"PATH": program if path is None else path}
    tell_script_findings(plan, folder=folder, world=world)
    assert stdout.content == b""
    return stderr.getvalue()


@with_shellcheck
@pytest.mark.parametrize("file", ["a.txt", "it's a.txt"])
def test_findings_stand_at_the_lines_of_the_spec(tmp_path: Path, file: str) -> None:
    assert tell(tmp_path, SPEC.replace(COMMAND, SCRIPT), (file, "z.txt")) == FOUND


@with_shellcheck
def test_start_tasks_are_checked_too(tmp_path: Path) -> None:
    nodes = "  nodes: {dedicated: 1}\n"
    start = f"{nodes}  start_task: {{command: 'cd $HOME; . ./x.sh'}}\n"
    assert tell(tmp_path, SPEC.replace(nodes, start), ("a.txt",)) == (
        "spec.yaml:11:29: sc2086: double quote to prevent globbing and word splitting\n"
        "    start_task: {command: 'cd $HOME; . ./x.sh'}\n"
        "                              ^^^^^\n"
        "hint: shellcheck's info: https://www.shellcheck.net/wiki/SC2086\n"
    )


@with_shellcheck
def test_a_directive_or_a_settings_file_is_heeded(tmp_path: Path) -> None:
    silent = SCRIPT.replace("# of a step", "# shellcheck disable=SC2154,SC2086,SC2046")
    assert tell(tmp_path, SPEC.replace(COMMAND, silent), ("a.txt",)) == ""
    (tmp_path / ".shellcheckrc").write_text("disable=SC2154,SC2086,SC2046\n")
    assert tell(tmp_path, SPEC.replace(COMMAND, SCRIPT), ("a.txt",)) == ""


@with_shellcheck
def test_lists_are_quoted_by_us_and_not_checked(tmp_path: Path) -> None:
    listed = "  command: [bash, -c, 'echo $x `ls`', '{{ file.path }}']\n"
    assert tell(tmp_path, SPEC.replace(COMMAND, listed), ("a b.txt",)) == ""


def test_nothing_is_said_without_shellcheck(tmp_path: Path) -> None:
    assert tell(tmp_path, SPEC.replace(COMMAND, SCRIPT), ("a.txt",), path=str(tmp_path)) == ""


def test_a_broken_shellcheck_is_a_note(tmp_path: Path) -> None:
    program = tmp_path / "bin" / "shellcheck"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\nexit 2\n")
    program.chmod(0o755)
    assert tell(tmp_path, SPEC, ("a.txt",), path=str(program.parent)) == (
        "note: spec.yaml:13:3: shellcheck did not check this command: it ended with exit code 2\n"
    )


def test_findings_of_a_recorded_program(tmp_path: Path) -> None:
    """The whole way without the real one."""
    comment = {
        "line": 4,
        "endLine": 4,
        "column": 6,
        "endColumn": 14,
        "level": "style",
        "code": 9999,
    }
    output = json.dumps(
        {"comments": [{**comment, "line": 3, "endLine": 3, "message": "SC first."}]}
    )
    program = tmp_path / "bin" / "shellcheck"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\n/bin/cat > /dev/null\necho '{output}'\nexit 1\n")
    program.chmod(0o755)
    spec = SPEC.replace(COMMAND, SCRIPT)
    assert tell(tmp_path, spec, ("a.txt",), path=str(program.parent)) == (
        "spec.yaml:15:10: sc9999: SC first\n"
        '      echo $missing {{ file.path }} "$given" $(ls)\n'
        "           ^^^^^^^^\n"
        "hint: shellcheck's style: https://www.shellcheck.net/wiki/SC9999\n"
    )
