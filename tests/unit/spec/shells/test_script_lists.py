"""Lists in commands: as many words as they have items, each passed as its own value."""

from __future__ import annotations

import subprocess

import pytest

from runner.spec.shells.script import compile_argv, compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import TemplateError

SCOPE = {
    "names": ["a", "two words", "-x", -3, True],
    "nothing": [],
    "files": [{"path": "in/a b", "name": "a b"}, {"path": "-c", "name": "-c"}],
    "evil": ["eval", "x"],
    "nested": [["a"]],
    "rows": [{"id": 1}],
    "hole": ["a", None],
    "nul": ["a", "a\0b"],
}


@pytest.mark.parametrize("shell", [Shell.BASH, Shell.SH])
@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("cat {{ names }} z", "v1='two words'; cat a \"${v1}\" ./-x -3 true z"),
        ("cat {{ files }}", "v1='in/a b'; cat \"${v1}\" ./-c"),
        ("cat {{ nothing }} z", "cat  z"),
        ("for f in {{ files }}; do :; done", "v1='in/a b'; for f in \"${v1}\" ./-c; do :; done"),
        ("for f in {{ nothing }}; do :; done", "for f in ; do :; done"),
        ("sh -c 'cat \"$@\"' _ {{ files }}", "v1='in/a b'; sh -c 'cat \"$@\"' _ \"${v1}\" ./-c"),
        ("x=$(cat {{ files }} | sort)", "v1='in/a b'; x=$(cat \"${v1}\" ./-c | sort)"),
    ],
)
def test_a_list_becomes_words(command: str, script: str, shell: Shell) -> None:
    assert compile_command(command, shell).render(SCOPE) == script


def test_a_list_fills_a_list_of_bash() -> None:
    rendered = compile_command("l=(x {{ names }}); n=({{ nothing }})").render(SCOPE)
    assert rendered == "v1='two words'; l=(x a \"${v1}\" ./-x -3 true); n=()"
    shown = 'printf "%s|" "${l[@]}" "${#n[@]}"'
    done = subprocess.run(
        ["/bin/bash", "-c", f"{rendered}; {shown}"], capture_output=True, text=True, check=True
    )
    assert done.stdout == "x|a|two words|./-x|-3|true|0|"


def test_an_item_of_the_list_form_becomes_items() -> None:
    template = compile_argv(["cat", "{{ files }}", "{{ nothing }}", "z"])
    assert template.render(SCOPE) == "cat 'in/a b' ./-c z"


@pytest.mark.parametrize(
    "command",
    [
        "cat x{{ names }}",
        "cat {{ names }}.mp3",
        "cat {{ names }}{{ names }}",
        'cat ""{{ names }}',
        "cat > {{ names }}",
        "cat <<< {{ names }}",
        "x={{ names }}",
        "{{ names }}",
        "case {{ names }} in *) ;; esac",
        "case x in {{ names }}) ;; esac",
        "[[ {{ names }} ]]",
        "ls @({{ names }})",
        "cat {{ names | raw }}",
    ],
)
def test_elsewhere_a_list_has_no_text(command: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command).render(SCOPE)
    fault = error.value.faults[0]
    assert (fault.message, fault.hint) == (
        "a list cannot stand in text",
        "join it: `| join(' ')`",
    )


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nested", "item 1 of the list is a list, which is no word"),
        ("rows", "item 1 of the list is a mapping, which is no word"),
        ("hole", "item 2 of the list is nothing, which is no word"),
        ("nul", "the value holds a NUL character"),
    ],
)
def test_items_that_are_no_words(name: str, message: str) -> None:
    for template in (
        compile_command(f"cat {{{{ {name} }}}}"),
        compile_argv(["cat", f"{{{{ {name} }}}}"]),
    ):
        with pytest.raises(TemplateError) as error:
            template.render(SCOPE)
        assert [fault.message for fault in error.value.faults] == [message]


@pytest.mark.parametrize("command", ["command {{ evil }}", "builtin {{ evil }}"])
def test_no_list_can_name_a_builtin(command: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command)
    (fault,) = error.value.faults
    assert fault.message == f"a value behind `{command.split()[0]}` could name a builtin"
