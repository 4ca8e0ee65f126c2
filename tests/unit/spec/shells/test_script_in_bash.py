"""Hostile values in many shapes of script, run by the real bash: they arrive, and never run."""

from __future__ import annotations

import contextlib
import os
import random
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from runner.spec.shells.script import compile_command
from runner.spec.templates.template import TemplateError
from runner.spec.templates.values import NumberText

BASH = "/bin/bash"
RANDOM_SCRIPTS = int(os.environ.get("BATCH_RUN_SCRIPTS", "250"))
SEED = int(os.environ.get("BATCH_RUN_SCRIPTS_SEED", "1"))
SHOW = "show() { printf '%s\\0' \"$@\"; }\n"

RUN = ": >ran"
"""What a value would run: it leaves a file, whatever is on the PATH."""

VALUES = [
    "",
    "plain",
    " ",
    "two words",
    "  edges\t",
    "\n",
    "two\nlines\n",
    "\r\n",
    f"$({RUN})",
    f"`{RUN}`",
    f"${{x:-$({RUN})}}",
    f"$(({RUN}))",
    f"a[$({RUN})]",
    f"a[$({RUN})]=1",
    f"x; {RUN}",
    f"x\n{RUN}\n",
    f"'; {RUN}; '",
    f"'\\''; {RUN}; #",
    f'"; {RUN}; "',
    f"$'; {RUN}; '",
    f"EOF\n{RUN}\n",
    f"){RUN};(",
    f"esac; {RUN}",
    f"}} ; {RUN}; {{",
    f"x & {RUN} & y",
    f"| {RUN}",
    f"<({RUN})",
    f"PATH=/ {RUN}",
    "A=b",
    "if",
    "esac",
    "]]",
    "}",
    "=",
    "==",
    "!",
    "-",
    "-n",
    "-e x",
    "--help",
    "-rf",
    "*",
    "?",
    "[a-z]",
    "{a,b}",
    "{1..3}",
    "~",
    "~root",
    "~+",
    "a:~",
    "!!",
    "!x",
    "#",
    "a#b",
    "\\",
    "\\n",
    "end\\",
    "'",
    '"',
    "`",
    "''\"\"",
    "$",
    "$HOME",
    "${HOME}",
    "$1",
    "$$",
    "%s%d",
    "%1",
    "2",
    "1,2",
    "@",
    "+",
    "ünï 世界 \U0001f600",
    "\x01\x7f\u2028\x85",
    "> ran",
    ">ran",
    "&",
    "v1",
    "$v1",
    "x" * 5000,
    NumberText("-3"),
    NumberText("-1.5e+3"),
]

# Each shape shows the value; the second word says what becomes of it (see `expected`).
SHAPES = [
    ("show {{ x }}", "argument"),
    ("show a {{ x }} b | cat", "middle"),
    ("show {{ x }} # don't mind\n", "argument"),
    ("# it's a \" comment\nshow {{ x }}", "argument"),
    ("show {{ x }} && true || false", "argument"),
    ("( show {{ x }} )", "argument"),
    ("{ show {{ x }}; }", "argument"),
    ("! ! show {{ x }}", "argument"),
    ("time -p show {{ x }} 2>/dev/null", "argument"),
    ("if true; then show {{ x }}; fi", "argument"),
    ("if false; then :; elif (true) then show {{ x }}; else :; fi", "argument"),
    ('for i in {{ x }}; do show "$i"; done', "argument"),
    ("for ((i = 0; i < 1; i++)); do show {{ x }}; done", "argument"),
    ("while true; do show {{ x }}; break; done", "argument"),
    ("f() { show {{ x }}; }; f", "argument"),
    ("function f { show {{ x }}; }\nf", "argument"),
    ('f() { show "$1"; }; f {{ x }}', "argument"),
    ('list=(a {{ x }} b); show "${list[1]}"', "argument"),
    ('list=(\n  {{ x }} # one\'s own\n); show "${list[@]}"', "argument"),
    ('declare -a list=({{ x }}); show "${list[@]}"', "argument"),
    ('declare -A m; m=([k]={{ x }}); show "${m[k]}"', "text"),
    ('y={{ x }}; show "$y"', "text"),
    ('y={{ x }} z=1\nshow "$y"', "text"),
    ('y=1; y+={{ x }}; show "${y#1}"', "text"),
    ('f() { local y={{ x }}; show "$y"; }; f', "text"),
    ('export y={{ x }}; show "$y"', "text"),
    ('y={{ x }} bash -c \'printf "%s\\0" "$y"\'', "text"),
    ('bash -c \'printf "%s\\0" "$1"\' _ {{ x }}', "argument"),
    ("f() { show {{ x }}; }; export -f f show; bash -c f", "argument"),
    ("case {{ x }} in *) show {{ x }};; esac", "argument"),
    ("case a in b) :;; a) show {{ x }};; esac", "argument"),
    ("case a in (a|b) show {{ x }} ;; (*) show it\\'s;; esac", "argument"),
    ("y=$(case a in a) printf '%s_' {{ x }};; esac); show \"${y%_}\"", "argument"),
    ('y={{ x }}; case "$y" in {{ x }}) show "$y";; *) show other;; esac', "text"),
    ('y={{ x }}; if [[ $y == {{ x }} ]]; then show "$y"; fi', "text"),
    ('y={{ x }}; if [[ ( -n a && $y == {{ x }} ) || a -ot {{ x }} ]]; then show "$y"; fi', "text"),
    ("if [[ abc =~ ^(a|b)b[[:alnum:]]$ ]]; then show {{ x }}; fi", "argument"),
    ('y={{ x }}; [ "$y" = {{ x }} ] || [ "./$y" = {{ x }} ] && show "$y"', "text"),
    ("y=$(printf '%s_' {{ x }}); show \"${y%_}\"", "argument"),
    ('y="$(printf \'%s_\' {{ x }})"; show "${y%_}"', "argument"),
    ("show \"a$(printf '%s_' {{ x }})\"", "in_text"),
    ("y=${z:-$(printf '%s_' {{ x }})}; show \"${y%_}\"", "argument"),
    ("IFS= read -r -d '' y < <(show {{ x }}); show \"$y\"", "argument"),
    ("IFS= read -r -d '' y <<< {{ x }} || true; show \"${y%$'\\n'}\"", "text"),
    ("cat > /dev/null <<EOF\n`echo no` it's \"\nEOF\nshow {{ x }}", "argument"),
    ("cat > /dev/null <<'E O' && show {{ x }}\n$(no ' \nE O\n", "argument"),
    ("cat > /dev/null <<-EOF; show {{ x }}\n\t'\n\tEOF\n:", "argument"),
    ("show {{ x }} <<EOF\n'\nEOF\n", "argument"),
    ("y=$(cat <<EOF\n'\nEOF\n); show {{ x }}", "argument"),
    ("show {{ x }}>out; cat out", "argument"),
    ("show {{ x }} 2>&1 >&1", "argument"),
    ("show file:{{ x }}", "prefixed"),
    ("show --name={{ x }}", "named"),
    ("show {{ x }}.mp3", "suffixed"),
    ("show {{ x }}'it'\"'s\"", "quoted"),
    ('show ""{{ x }}', "text"),
    ("show {{ x }}{{ x }}", "twice"),
    ("show a=~{{ x }}", "tilde"),
    ("set -f; show [{{ x }}]", "bracket"),
    ("show $((1 + 1))${z#'}'}{{ x }}", "number"),
    ("show \\\n  {{ x }}", "argument"),
    ('show \\"{{ x }}', "escaped"),
    ("v1=7; show {{ x }}", "argument"),
    ("set -u; show {{ x }}", "argument"),
    ("show {{ x }} & wait", "argument"),
    ("coproc true; wait; show {{ x }}", "argument"),
]


def expected(value: str, kind: str) -> list[str]:
    """What a shape shows: of an argument, a leading `-` has become `./-`, but a number's."""
    is_option = value.startswith("-") and not isinstance(value, NumberText)
    argument = f"./{value}" if is_option else value
    twice = argument + value
    return {
        "argument": [argument],
        "text": [value],
        "middle": ["a", argument, "b"],
        "in_text": [f"a{argument}_"],
        "prefixed": [f"file:{value}"],
        "named": [f"--name={value}"],
        "suffixed": [f"{argument}.mp3"],
        "quoted": [f"{argument}it's"],
        "twice": [twice],
        "tilde": [f"a=~{value}"],
        "bracket": [f"[{value}]"],
        "number": [f"2{value}"],
        "escaped": [f'"{value}'],
    }[kind]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a file that a wildcard could find."""
    (tmp_path / "a").touch()
    return tmp_path


def run(script: str, folder: Path) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [BASH, "-c", script],
        cwd=folder,
        env={"PATH": "/usr/bin:/bin", "HOME": "/nowhere", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )


def check(template: str, kind: str, values: list[str], folder: Path) -> None:
    """All values in one bash, each in a subshell of its own, so that the run stays short."""
    compiled = compile_command(template)
    scripts = [compiled.render({"x": value}) for value in values]
    parts = [f"( {script}\n)" for script in scripts]
    result = run(f"set -e -o pipefail\n{SHOW}" + "\n".join(parts), folder)
    wanted = [text for value in values for text in expected(value, kind)]
    shown = [part.decode() for part in result.stdout.split(b"\0")[:-1]]
    assert shown == wanted, result.stderr.decode()
    assert result.returncode == 0, result.stderr.decode()
    assert not (folder / "ran").exists()


@pytest.mark.parametrize(("template", "kind"), SHAPES)
def test_a_value_arrives_whole_and_never_runs(template: str, kind: str, folder: Path) -> None:
    check(template, kind, VALUES, folder)


FRAGMENTS = [
    *["{{ x }}"] * 12,
    *[" "] * 12,
    *["\n", "\n", "; ", ";", " && ", " || ", " | ", " & ", "|", "(", ")", " { ", "; } ", "!"],
    *["'", "'", '"', '"', "`", "\\", "#", " # ", "\\\n", "$", "$'", '$"', "$(", "$(", "${y:-", "}"],
    *["${y", "${#y}", "${y%", "$y", '"$y"', "$1", "$((", "))", "((", "$[", "]", "[", "<(", ">("],
    *[
        "echo ",
        "printf '%s' ",
        ": ",
        "y=",
        " y=",
        "y+=",
        "a=(",
        "a[",
        "a[1]=",
        "]=",
        "y ",
        "f() ",
        "f",
    ],
    *[
        "if ",
        "; then ",
        "; else ",
        "; fi",
        "for i in ",
        "for i ",
        "; do ",
        "; done",
        "until true; do ",
    ],
    *[
        "case ",
        " in ",
        ") ",
        ";; ",
        " esac",
        "; esac",
        "[[ ",
        " ]]",
        " == ",
        " =~ ",
        " -n ",
        " -eq 1",
    ],
    *[
        "<<E\n",
        "<<'E'\n",
        "<<-E",
        "\nE\n",
        "\nE)",
        "<<<",
        " >",
        "2>",
        "<",
        ">&",
        "&>",
        "1",
        "~",
        "{a,",
    ],
    *[
        "eval ",
        "let ",
        "declare ",
        "declare -i ",
        "local ",
        "export ",
        "test -v ",
        "[ ",
        " ]",
        "trap ",
    ],
    *[
        "unset ",
        "read ",
        "bash -c ",
        "command ",
        "builtin ",
        "time ",
        "*",
        "?",
        "@(",
        "-v",
        "%",
        "=",
    ],
    *[
        "function f ",
        "select i in ",
        "coproc ",
        "exec ",
        "set -- ",
        "printf -v ",
        "\t",
        "é",
        "RANDOM=",
    ],
]
# `$1eval` and `$1 eval` are `eval` where `$1` is empty: what a script makes of its own expansions
# is its own.
EVALUATING = "(?:eval|let|declare|local|export|test|trap|unset|read|bash|printf)"
GLUED = re.compile(rf"""[^\s;|&({{!]{EVALUATING}|(?:\$.|[}})\]"'`])\s+{EVALUATING}""")
HOSTILE = [value for value in VALUES if RUN in value or isinstance(value, NumberText)]


def random_scripts(seed: int, count: int) -> Iterator[str]:
    choice = random.Random(seed)
    for _ in range(count):
        yield "".join(choice.choices(FRAGMENTS, k=choice.randint(3, 16)))


def test_no_value_runs_in_any_script_that_is_taken(folder: Path) -> None:
    """Scripts put together by chance; many are nonsense, which bash refuses, and many are not."""
    choice = random.Random(SEED)
    taken = 0
    for script in random_scripts(SEED, RANDOM_SCRIPTS * 40):
        if "{{ x }}" not in script or GLUED.search(script) or taken == RANDOM_SCRIPTS:
            continue
        try:
            compiled = compile_command(script)
        except TemplateError:
            continue
        taken += 1
        rendered = [compiled.render({"x": value}) for value in choice.sample(HOSTILE, 3)]
        with contextlib.suppress(TemplateError):  # a list has no place there
            rendered.append(compiled.render({"x": choice.sample(HOSTILE, 2)}))
        for each in rendered:
            run_alone(each, folder)
            assert not (folder / "ran").exists(), f"{script!r}\n{each!r}"
            for left in folder.iterdir():  # what a `*` of the next script would find
                left.unlink()
    assert taken == RANDOM_SCRIPTS


def run_alone(script: str, folder: Path) -> None:
    """Only what bash has built in can run."""
    subprocess.run(
        [BASH, "-c", script],
        cwd=folder,
        env={"PATH": "/nowhere", "LC_ALL": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=60,
        check=False,
    )
