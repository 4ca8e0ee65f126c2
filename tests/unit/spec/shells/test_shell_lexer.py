"""Reading scripts: whatever they are, in linear time, and as bash itself reads them."""

from __future__ import annotations

import random
import subprocess
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.shells.posix_lexer import read_script
from runner.spec.shells.script import compile_command
from runner.spec.templates.template import TemplateError
from tests.effort import assert_linear

VALID = [
    "a=1 if",
    "A=b [[",
    "> x[ ; 1a[ b",
    "echo [[ { } fi done esac in ]]",
    "echo a#b '#' \\# ${#x} $# # it's",
    "case a in esac; case a in (a) ;; b|c) x=1 ;& *) ;; esac",
    "case $x in\n  # it's\n  a) case b in b) ;; esac ;;\n  b) ;;\nesac\n[[ a == @(a|!(b)) ]]",
    'x=$(case a in a) echo ")";; esac)',
    "x=$(echo ')' # )\n)",
    'x="$(echo "$(echo "a)")" \')\')"',
    'echo "${x:-"it\'s"}" ${x#\'}\'} ${x%\\}}',
    "echo $(( (1 + 2) * 3 )) $[ x[1] ] $((16#ff))",
    "(( x = 1 << 2, y > 3 )); for ((;;)) do break; done",
    "( (a) || (b) )",
    "a[1]=2 a[$i + 1]+=3 a=([1]=x [$((1 + 1))]=y)",
    "a=( # it's\n  'b' $(c) \"d\"\n)",
    "cat <<A <<'B'; cat <<-C\n'\nA\n\"\nB\n\t`\n\tC\necho \"ok\"",
    "cat <<EOF\nit's \\\nEOF\n'\nEOF\necho 'ok'",
    "x=$(cat <<EOF\n'(\nEOF\n)",
    "cat <<''\nit's\n\necho 'ok'",
    "cat <<$x\nit's\n$x\necho 'ok'",
    "[[ a =~ ^(b|'c d')[[:space:]]*$ && ! ( -f x ) ]] && echo 'ok'",
    "[[ a < b || c > d ]]\n[[ -n $(echo ']]') ]]",
    "f() ( :; ); function g { :; }; h () { f; }",
    "diff <(echo ')') >(cat) 2>&1 &>x >|y <>z >&- 3<&0 {fd}>w",
    "echo $'it\\'s' $\"a'b\" `echo 'it'` \"`echo \\\"a\\\"`\"",
    "until false; do time -p ! coproc :; done & wait; select i in a; do :; done < x",
    "echo a\\\nb \\' \\\" \\` \\$ \\# \\(",
    "if :; then :; elif :; then { :; }; else ( : ); fi | while read x; do :; done",
]


def is_valid(script: str) -> bool:
    """Whether bash can read it."""
    result = subprocess.run(
        ["/bin/bash", "-n", "-c", script], capture_output=True, timeout=60, check=False
    )
    return result.returncode == 0 and not result.stderr


@pytest.mark.parametrize("script", VALID)
def test_what_bash_can_read(script: str) -> None:
    assert is_valid(script)
    assert compile_command(script).render({}) == script
    script = f"{script}\necho {{{{ x }}}}"
    rendered = compile_command(script).render({"x": "it's"})
    assert rendered == "v1='it'\\''s'; " + script.replace("{{ x }}", '"${v1}"')
    assert is_valid(rendered)


def test_scripts_put_together_by_chance_are_read_as_bash_reads_them() -> None:
    """What bash can read, we can; and a value that is passed in a variable changes nothing of it.

    Left out is arithmetic, of which `bash -n` finds only the end.
    """
    choice = random.Random(1)
    fragments = [
        *["{{ x }}"] * 6,
        *[" "] * 12,
        *["\n", "; ", " && ", " | ", " & ", "(", ")", "{ ", "; }", "! ", "'", '"', "`", "\\", "#"],
        *[
            "$x",
            "${x",
            "${x:-",
            "}",
            "$(",
            "$(",
            "$'",
            "<(",
            "a",
            "a",
            "y=",
            "y=(",
            "a[",
            "]=",
            "]",
        ],
        *["if ", "; then ", "; fi", "for i in ", "; do ", "; done", "case ", " in ", ") ", ";; "],
        *[" esac", "[[ ", " ]]", " == ", " =~ ", "<<E\n", "<<'E'\n", "\nE\n", " >", "2>", "f() "],
    ]
    read = 0
    for _ in range(1500):
        script = "".join(choice.choices(fragments, k=choice.randint(3, 12)))
        plain = script.replace("{{ x }}", "a")
        try:
            compile_command(plain)
        except TemplateError:
            assert "((" in plain or not is_valid(plain), plain
            continue
        try:
            rendered = compile_command(script).render({"x": "two words"})
        except TemplateError:
            continue
        if rendered != script and is_valid(plain):
            read += 1
            assert is_valid(rendered), rendered
    assert read > 30


@settings(deadline=None)
@given(st.text(alphabet="\0\0 \n\t'\"`$(){}[]<>|&;#\\=!*?~-abE1", max_size=80))
def test_no_script_is_too_odd(script: str) -> None:
    reading = read_script(script)
    assert len(reading.placements) == script.count("\0")
    for fault in reading.faults:
        assert 0 <= fault.position < fault.position + fault.length <= len(script)


@settings(deadline=None)
@given(st.text(alphabet="\0 \n'\"`$(){}[]<>|&;#\\=aE", max_size=80))
def test_raw_expressions_may_stand_anywhere(script: str) -> None:
    reading = read_script(script, frozenset(range(script.count("\0"))))
    assert [fault for fault in reading.faults if fault.code == "misplaced-expression"] == []


@pytest.mark.parametrize(
    "piece",
    [
        *[
            "$(",
            "(",
            "((",
            "$((",
            "${",
            "$[",
            "'",
            '"',
            "`",
            "[",
            "a[",
            "a=(",
            "[[ ",
            "<(",
            "@(",
            "{",
        ],
        *["'a' ", '"a"', "\\", "$'\\'", "# \n", "<<E ", "<<E\n", "1>", ";;", "case a in ", "a="],
        *["su ", "bash ", "python -c ", "declare -i a ", "export -", "for ", "f() ", "~", "${x}$y"],
        *[
            "\0",
            "a\0",
            "\0[ ",
            "eval \0 ",
            "'\0' ",
            "x=\0 ",
            "[[ \0 -eq ",
            "RANDOM=\0;",
            "\0\n",
            "$\0",
        ],
    ],
)
def test_reading_takes_linear_time(piece: str) -> None:
    assert_linear(lambda count: partial(read_script, piece * count), 100)
    assert_linear(lambda count: partial(read_script, f"-{piece * count}"), 100)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("piece", ["$(", "'", "${", "[", "a[", "<<E\n", "a", "~"])
def test_no_pattern_goes_back_and_forth(piece: str) -> None:
    """Read in less than a second; where all of it is looked through for each piece, in minutes."""
    read_script(piece * (400_000 // len(piece)))
