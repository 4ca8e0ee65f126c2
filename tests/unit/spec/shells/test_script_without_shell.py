"""Commands without a shell: lines that every splitter reads alike, and all else refused."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.shells.script import compile_argv, compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import TemplateError
from tests.unit.spec.shells.windows_arguments import split_arguments

SCOPE = {
    "plain": "a.b/C_1:=+,@%-",
    "two": "two words",
    "dash": "-rf",
    "three": -3,
    "empty": "",
    "amp": "a & b; c > d",
    "names": ["a", "two words", "-d", 3],
    "nothing": [],
    "files": [{"path": "in/a b"}],
    "quote": 'a"b',
}


@pytest.mark.parametrize(
    ("command", "line"),
    [
        ("prog {{ plain }} {{ three }}", "prog a.b/C_1:=+,@%- -3"),
        ("prog {{ two }} --o={{ two }}.mp3", 'prog "two words" "--o=two words.mp3"'),
        ("prog {{ amp }} {{ empty }}", 'prog "a & b; c > d" ""'),
        ("prog {{ dash }} {{ empty }}{{ dash }} x{{ dash }}", "prog ./-rf ./-rf x-rf"),
        ("prog {{ names }} {{ nothing }} {{ files }}", 'prog a "two words" ./-d 3 "in/a b"'),
        ("{{ plain }}  x\n", "a.b/C_1:=+,@%- x"),
        ("prog http://a/?a=1&b=2 *.txt", 'prog "http://a/?a=1&b=2" "*.txt"'),
        (
            "prog {{ quote | raw }} --o={{ two | raw }}{{ two }}",
            'prog a"b --o=two words"two words"',
        ),
        ("docker -f {{ '{{' }}.Id}}", 'docker -f "{{.Id}}"'),
    ],
)
def test_how_values_are_written(command: str, line: str) -> None:
    assert compile_command(command, Shell.NONE).render(SCOPE) == line


RAW = "; where the value is meant to be code, end the expression in `| raw`"
SHELLS = "write `shell: bash`, or for Windows `shell: powershell`"


@pytest.mark.parametrize(
    ("command", "shown", "message", "hint"),
    [
        ("a | b", "|", "`|` needs a shell, and there is none", SHELLS),
        ("a && b", "&&", "`&&` needs a shell, and there is none", SHELLS),
        ("a; b", "a;", "`a;` needs a shell, and there is none", SHELLS),
        ("a > b", ">", "`>` needs a shell, and there is none", SHELLS),
        ("a 2>&1", "2>&1", "`2>&1` needs a shell, and there is none", SHELLS),
        ("a > b{{ x }}", ">", "`>` needs a shell, and there is none", SHELLS),
        ("a >{{ x }}", ">{{ x }}", "`>...` needs a shell, and there is none", SHELLS),
        ("a $B", "$", "`$` needs a shell, and there is none", SHELLS),
        ("a `b`", "`", "a backtick needs a shell, and there is none", SHELLS),
        ("a \\b", "\\", "`\\` needs a shell, and there is none", SHELLS),
        ("a\nb", "\n", "a newline needs a shell, and there is none", SHELLS),
        ("a\tb", "\t", "a control character needs a shell, and there is none", SHELLS),
        (
            "a 'b'",
            "'",
            "`'` needs a shell, and there is none",
            f"write the command as a list, or {SHELLS}",
        ),
        (
            "A=b c",
            "A=b",
            "a variable needs a shell to be set, and there is none",
            f"set it under `environment`, or {SHELLS}",
        ),
        (
            "bash -c {{ x }}",
            "{{ x }}",
            "`bash -c` would run the value of an expression as code",
            f"pass it as an argument, which the code reads{RAW}",
        ),
    ],
)
def test_what_is_refused(command: str, shown: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command, Shell.NONE)
    fault = error.value.faults[0]
    assert (fault.message, fault.hint) == (message, hint)
    assert command[fault.offset : fault.offset + fault.length].startswith(shown[:1])


@pytest.mark.parametrize("value", ['"', "\\", "'", "$", "`", "\n", "\x7f", "\x85"])
def test_values_that_are_refused(value: str) -> None:
    for template in (
        compile_command("prog x{{ x }}", Shell.NONE),
        compile_argv(["prog", "x{{ x }}"], Shell.NONE),
        compile_argv(["prog", "{{ [x] }}"], Shell.NONE),
    ):
        with pytest.raises(TemplateError) as error:
            template.render({"x": value})
        (fault,) = error.value.faults
        assert fault.message.startswith("the value holds ")
        assert fault.message.endswith(", which needs a shell to be passed on")


def test_a_list_names_no_program() -> None:
    with pytest.raises(TemplateError) as error:
        compile_command("{{ names }} x", Shell.NONE).render(SCOPE)
    assert [fault.message for fault in error.value.faults] == ["a list cannot stand in text"]


def test_list_form() -> None:
    template = compile_argv(["my prog", "{{ two }}", "{{ names }}", "", "a;b"], Shell.NONE)
    assert template.render(SCOPE) == '"my prog" "two words" a "two words" ./-d 3 "" "a;b"'
    with pytest.raises(TemplateError) as error:
        compile_argv(["prog", "it's"], Shell.NONE)
    (fault,) = error.value.faults
    assert (fault.item, fault.message) == (
        1,
        "the argument holds `'`, which needs a shell to be passed on",
    )


@settings(deadline=None)
@given(st.lists(st.text(), min_size=1))
def test_every_splitter_agrees(values: list[str]) -> None:
    names = " ".join(f"a{{{{ x[{index}] }}}}" for index in range(len(values)))
    template = compile_command(f"prog {names}", Shell.NONE)
    try:
        line = template.render({"x": values})
    except TemplateError:
        assert any(set(value) & set("\"'\\$`") or not value.isprintable() for value in values)
        return
    assert shlex.split(line)[1:] == [f"a{value}" for value in values]
    assert split_arguments(line) == [f"a{value}" for value in values]
