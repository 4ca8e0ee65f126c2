"""Commands for cmd: how values are written, what is refused, and that no value gets out of quotes.

There is no cmd on the machines that run these tests. How it finds quotes and operators is written
here a second time, character by character.
"""

from __future__ import annotations

import os
import random
import re
from collections.abc import Iterator

import pytest

from runner.spec.shells.script import compile_argv, compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import TemplateError
from tests.unit.spec.shells.windows_arguments import split_arguments

RANDOM_SCRIPTS = int(os.environ.get("BATCH_RUN_SCRIPTS", "250"))
SEED = int(os.environ.get("BATCH_RUN_SCRIPTS_SEED", "1"))

SCOPE = {
    "plain": "a.b_C",
    "path": "in/a.mp4",
    "two": "two words",
    "dash": "-rf",
    "three": -3,
    "yes": True,
    "empty": "",
    "amp": "a & calc",
    "names": ["a", "two words", "-d", 3],
    "nothing": [],
    "folder": "C:\\a b\\",
    "slash": "/s",
    "percent": "50%",
    "quote": 'a"b',
    "wide": "a\uff02b",
    "lines": "a\nb",
    "bang": "hi!",
    "program": "C:/Windows/CMD.exe",
}


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("prog {{ plain }} {{ three }} {{ yes }}", "prog a.b_C -3 true"),
        ("prog {{ two }} {{ path }}", 'prog "two words" "in/a.mp4"'),
        ("prog {{ two }}.mp3 --o={{ two }}", 'prog "two words".mp3 --o="two words"'),
        ('prog "{{ two }}.mp3" "{{ amp }}"', 'prog "two words.mp3" "a & calc"'),
        ("prog {{ amp }} & echo {{ bang }}", 'prog "a & calc" & echo "hi!"'),
        ("prog {{ empty }} {{ empty }}{{ empty }}", 'prog "" ""'),
        ("prog {{ two }}{{ plain }}", 'prog "two wordsa.b_C"'),
        ("prog {{ dash }} x{{ dash }}", "prog .\\-rf x-rf"),
        ('prog "{{ dash }}" {{ empty }}{{ dash }}', 'prog ".\\-rf" .\\-rf'),
        ('if "{{ dash }}"=="-rf" x', 'if "-rf"=="-rf" x'),
        ("prog {{ names }} {{ nothing }}", 'prog a "two words" .\\-d 3 '),
        ("for %%i in ({{ names }}) do x %%i", 'for %%i in (a "two words" .\\-d 3) do x %%i'),
        ("{{ plain }} x", '"a.b_C" x'),
        ("echo {{ three }}>f", 'echo "-3">f'),
        ("prog > {{ two }}", 'prog > "two words"'),
        ("prog %A% {{ two }} %B:x=y% 5%%", 'prog %A% "two words" %B:x=y% 5%%'),
        ("prog a ^\n  {{ two }}", 'prog a ^\n  "two words"'),
        ("docker start {{ two }}", 'docker start "two words"'),
        ("powershell -File x.ps1 {{ two }}", 'powershell -File x.ps1 "two words"'),
        ("prog {{ quote | raw }}", 'prog a"b'),
        ('prog "{{ folder }}x"', 'prog "C:\\a b\\x"'),
        ("docker -f {{ '{{' }}.Id}}", "docker -f {{.Id}}"),
    ],
)
def test_how_values_are_written(command: str, script: str) -> None:
    assert compile_command(command, Shell.CMD).render(SCOPE) == script


PERCENT = (
    "an expression cannot stand in a line with a `%` that could start a variable's name",
    "the value is no variable: write no `%` around it; a literal percent sign is `%%`",
)
INSTEAD_OF_SET = (
    "cmd reads the text of a variable as code: write the expression where the variable would be"
    " read"
)
RAW = "; where the value is meant to be code, end the expression in `| raw`"


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        *(
            (
                command,
                "an expression cannot stand in a comment",
                "take it out; literal braces are `{{ '{{' }}`",
            )
            for command in ("rem {{ x }}", "REM a & b {{ x }}", ":: {{ x }}", "x\n@rem {{ x }}")
        ),
        (":{{ x }}", "an expression cannot stand in a label", "write a label of your own"),
        (
            "prog ^{{ x }}",
            "an expression cannot stand directly behind `^`",
            "take it away: values need no escaping",
        ),
        *(
            (command, *PERCENT)
            for command in ("a %{{ x }}%", "a ^%A%{{ x }}", "a 5% {{ x }}", 'a %A:"=% {{ x }}')
        ),
        *((command, *PERCENT) for command in ("for %i in (a) do b {{ x }}", "a {{ x }}%")),
        *(
            (
                command,
                "an expression cannot stand directly behind a loop variable",
                "write a character between them",
            )
            for command in ("for %%{{ x }} in (a) do b", "for %%i in (a) do b %%~n{{ x }}")
        ),
        *(
            (
                command,
                "an expression cannot stand directly beside a quote",
                'write it inside: `"...{{ ... }}"`',
            )
            for command in ('a "b"{{ x }}', 'a {{ x }}"b"')
        ),
        (
            'a "b \\"c {{ x }}\\" d"',
            'an expression cannot stand in a command with `\\"`',
            "cmd and programs read that as different quotes: write `shell: powershell`",
        ),
        (
            "a 2>&{{ x }}",
            "an expression cannot stand as a file descriptor",
            "write `> {{ ... }}` for a file",
        ),
        *(
            (
                command,
                f"`{name}` would read the value of an expression as code",
                f"name the program itself, without `{name}`{RAW}",
            )
            for command, name in (
                ("call a {{ x }}", "call"),
                ("@CALL,a {{ x }}", "call"),
                ("if exist a call b {{ x }}", "call"),
                ("for %%i in (a) do call b {{ x }}", "call"),
                ("(call b {{ x }})", "call"),
                ("if a==b (c) else (call d {{ x }})", "call"),
                ("c^all a {{ x }}", "call"),
                ("cmd /c {{ x }}", "cmd"),
                ("cmd/c{{ x }}", "cmd"),
                ('C:\\Windows\\cmd.exe /c "{{ x }}"', "cmd"),
                ("%COMSPEC% /c {{ x }}", "cmd"),
                ("a | cmd /k {{ x }}", "cmd"),
                ('start "" a {{ x }}', "start"),
                ("forfiles /c {{ x }}", "forfiles"),
            )
        ),
        *(
            (
                command,
                "`set` would read the value of an expression as code",
                INSTEAD_OF_SET,
            )
            for command in ("set A={{ x }}", 'set "A={{ x }}"', "set/a B={{ x }}")
        ),
        (
            "powershell -Command {{ x }}",
            "`powershell` would read the value of an expression as code",
            f"write `shell: powershell`{RAW}",
        ),
        (
            "for /f %%i in ('a {{ x }}') do b",
            "`for /f` would read the value of an expression as code",
            f"write it behind `do`{RAW}",
        ),
        (
            "python -c {{ x }}",
            "`python -c` would run the value of an expression as code",
            f"pass it as an argument, which the code reads{RAW}",
        ),
    ],
)
def test_where_expressions_are_refused(command: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command, Shell.CMD)
    (fault,) = error.value.faults
    assert (fault.message, fault.hint) == (message, hint)
    assert fault.code == "misplaced-expression"
    assert command[fault.offset : fault.offset + fault.length] == "{{ x }}"
    raw = command.replace("{{ x }}", "{{ x | raw }}")
    assert compile_command(raw, Shell.CMD).render({"x": "y"}) == command.replace("{{ x }}", "y")


@pytest.mark.parametrize(
    ("command", "shown", "message"),
    [
        ('echo %A:"=% "', '"', 'the quote `"` is never closed on its line'),
        ('prog "a', '"', 'the quote `"` is never closed on its line'),
        ('prog "a\nb"', '"', 'the quote `"` is never closed on its line'),
        ("prog ^\nx", "^", "the line behind `^` does not start with a space"),
    ],
)
def test_scripts_that_cannot_be_read(command: str, shown: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command, Shell.CMD)
    fault = error.value.faults[0]
    assert fault.message == message
    assert command[fault.offset : fault.offset + fault.length] == shown


POWERSHELL = "write `shell: powershell`, which can pass it"


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        ("a {{ percent }}", "the value holds `%`, which cmd cannot quote", POWERSHELL),
        ('a "{{ percent }}"', "the value holds `%`, which cmd cannot quote", POWERSHELL),
        ("a {{ quote }}", 'the value holds `"`, which cmd cannot quote', POWERSHELL),
        ("a {{ wide }}", "the value holds `\uff02`, which cmd cannot quote", POWERSHELL),
        (
            "a {{ lines }}",
            "the value holds a control character, which cmd cannot quote",
            POWERSHELL,
        ),
        *(
            (
                command,
                "the value ends in a backslash, which in quotes takes the quote into the argument",
                "leave it away, or write `.` behind it",
            )
            for command in ("a {{ folder }}", 'a "{{ folder }}"', 'a "{{ folder }}{{ empty }}"')
        ),
        (
            "a {{ slash }}",
            "the value starts with `/`, which programs of Windows read as an option",
            "write something before it, as in `--name={{ ... }}`",
        ),
        (
            "setlocal EnableDelayedExpansion & a {{ bang }}",
            "the value holds `!`, which delayed expansion reads",
            "leave `enabledelayedexpansion` away",
        ),
        (
            "{{ program }} /c x",
            "a value cannot name `C:/Windows/CMD.exe`, which runs its arguments as code",
            None,
        ),
    ],
)
def test_values_that_are_refused(command: str, message: str, hint: str | None) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command, Shell.CMD).render(SCOPE)
    fault = error.value.faults[0]
    assert (fault.message, fault.hint) == (message, hint)


@pytest.mark.parametrize(
    ("items", "script"),
    [
        (["prog", "{{ two }}", "--o={{ two }}"], '"prog" "two words" "--o=two words"'),
        (["prog", "{{ names }}", "{{ dash }}", ""], '"prog" a "two words" .\\-d 3 .\\-rf ""'),
        (["prog", "a & b", "C:\\x\\", "(x)"], '"prog" "a & b" C:\\x\\ "(x)"'),
    ],
)
def test_list_form(items: list[str], script: str) -> None:
    assert compile_argv(items, Shell.CMD).render(SCOPE) == script


@pytest.mark.parametrize(
    ("items", "message"),
    [
        (["prog", "%PATH%"], "the argument holds `%`, which cmd cannot quote"),
        (["prog", 'a"{{ two }}'], 'the argument holds `"`, which cmd cannot quote'),
        (["cmd", "/c", "{{ two }}"], "`cmd` would read the value of an expression as code"),
    ],
)
def test_lists_that_are_refused(items: list[str], message: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_argv(items, Shell.CMD)
    assert [fault.message for fault in error.value.faults] == [message]


HOSTILE = [
    "a & calc",
    "a && calc",
    "a | calc",
    "a > calc",
    "a < calc",
    "(calc)",
    ") & calc",
    "^",
    "^& calc",
    "a^",
    "&",
    "'",
    "a,b;c=d",
    "a b",
    "",
    "!x!",
    "é",
    "`$(x)",
    "\\\\a b",
    "-x & y",
    "@x",
    ":x",
]


def operators(script: str) -> list[str]:
    """What cmd sees outside quotes that is more than text, and how many quotes there are."""
    seen: list[str] = []
    in_quotes = False
    script = re.sub(r"%%|%[A-Za-z][^%\n]*%|%[0-9*]", "", script)
    characters = iter(script)
    for character in characters:
        if character == "\n":
            in_quotes = False
            seen.append(character)
        elif character == '"':
            in_quotes = not in_quotes
        elif not in_quotes and character == "^":
            next(characters, None)
        elif not in_quotes and character in "&|<>()":
            seen.append(character)
    return seen


FRAGMENTS = [
    *["{{ x }}"] * 8,
    *[" "] * 12,
    *["prog ", "echo ", "a", "1", "\\", "/", "-o=", ".mp3", ",", ";", "=", "@", ":", "~"],
    *['"', '"', '"', "^", "^^", '^"', "\n", " ^\n ", "%", "%%", "%A%", "%%i", "%1", '%A:"=%'],
    *[" & ", " && ", " | ", " > ", " 2>&1", "<", "(", ")", " (", ")", "&", "|"],
    *["if ", "exist ", "for ", "in ", "do ", "else ", "rem ", ":: ", "call ", "set ", "cmd /c "],
]


def random_scripts(seed: int, count: int) -> Iterator[str]:
    choice = random.Random(seed)
    for _ in range(count):
        yield "".join(choice.choices(FRAGMENTS, k=choice.randint(3, 14)))


def test_no_value_gets_out_of_its_quotes() -> None:
    choice = random.Random(SEED)
    taken = 0
    for script in random_scripts(SEED, RANDOM_SCRIPTS * 200):
        if "{{ x }}" not in script or taken == RANDOM_SCRIPTS * 10:
            continue
        try:
            compiled = compile_command(script, Shell.CMD)
        except TemplateError:
            continue
        taken += 1
        wanted = operators(script.replace("{{ x }}", "a"))
        for value in choice.sample(HOSTILE, 4):
            try:
                rendered = compiled.render({"x": value})
            except TemplateError:  # `"\{{ x }}"` with nothing in it
                assert value in {"", "a^"} or "\\{{ x }}" in script
                continue
            assert operators(rendered) == wanted, f"{script!r}\n{rendered!r}"
    assert taken == RANDOM_SCRIPTS * 10


@pytest.mark.parametrize("value", [value for value in HOSTILE if not value.startswith(("-", "^"))])
@pytest.mark.parametrize(
    ("command", "before", "behind"),
    [
        ("prog {{ x }}", "", ""),
        ("prog --o={{ x }}.mp3", "--o=", ".mp3"),
        ('prog "{{ x }}"', "", ""),
        ('prog "a {{ x }} b"', "a ", " b"),
        ("prog x{{ x }}{{ x }}", None, ""),
    ],
)
def test_a_program_gets_the_value(
    command: str, before: str | None, behind: str, value: str
) -> None:
    line = compile_command(command, Shell.CMD).render({"x": value})
    wanted = f"x{value}{value}" if before is None else f"{before}{value}{behind}"
    assert split_arguments(line) == [wanted]
