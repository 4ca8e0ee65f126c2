"""Commands for PowerShell: how values are passed, and where expressions are refused.

There is no PowerShell on the machines that run these tests: the scripts are compared as texts.
"""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.shells.powershell import quote
from runner.spec.shells.powershell_lexer import read_powershell_script
from runner.spec.shells.script import compile_argv, compile_command
from runner.spec.shells.shell import Shell
from runner.spec.templates.template import TemplateError

SCOPE = {
    "plain": "abc",
    "path": "in/a.mp4",
    "two": "two words",
    "dash": "-rf",
    "three": -3,
    "yes": True,
    "empty": "",
    "curly": "it's \u2018x\u2019",
    "dollar": "a$b",
    "names": ["a", "b c", "-d", 3],
    "nothing": [],
    "folder": "a b\\",
    "slash": "/s",
    "quote": 'a"b',
    "nul": "a\0b",
    "program": "C:/x/PWSH.exe",
}
TWO = "$v1 = 'two words'; "


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("prog {{ plain }} {{ path }} {{ three }} {{ yes }}", "prog abc in/a.mp4 -3 true"),
        ("prog {{ two }} {{ two }}", f"{TWO}prog ${{v1}} ${{v1}}"),
        (
            "prog {{ curly }} {{ dollar }}",
            "$v1 = 'it''s \u2018\u2018x\u2019\u2019'; $v2 = 'a$b'; prog ${v1} ${v2}",
        ),
        ("prog {{ two }}.mp3 a{{ plain }}", 'prog "two words.mp3" "aabc"'),
        ("prog --o={{ dollar }}.mp3", "$v1 = 'a$b'; prog \"--o=${v1}.mp3\""),
        ("prog {{ dash }} x{{ dash }}", "$v1 = '.\\-rf'; prog ${v1} \"x-rf\""),
        ("prog {{ empty }}{{ dash }}.x", "$v1 = '.\\-rf'; prog \"${v1}.x\""),
        ('prog "$y {{ plain }}" "$y{{ plain }}"', '$v1 = \'abc\'; prog "$y abc" "$y${v1}"'),
        ('prog @"\na {{ dollar }}\n"@', "$v1 = 'a$b'; prog @\"\na ${v1}\n\"@"),
        ("$y = [int]{{ three }}", "$y = [int](-3)"),
        ("$y = {{ two }}", f"{TWO}$y = ${{v1}}"),
        ("$y = {{ three }} + {{ yes }}", "$y = (-3) + $true"),
        ("$y = prog {{ two }}", f"{TWO}$y = prog ${{v1}}"),
        ("prog {{ names }} {{ nothing }}", "$v1 = 'b c'; $v2 = '.\\-d'; prog a ${v1} ${v2} 3 "),
        (
            "foreach($f in {{ names }}){ prog $f }",
            (
                "$v1 = 'a'; $v2 = 'b c'; $v3 = '-d';"
                " foreach($f in @(${v1}, ${v2}, ${v3}, 3)){ prog $f }"
            ),
        ),
        (
            "if({{ yes }}){ prog {{ two }} }else{ prog {{ plain }} }",
            f"{TWO}if($true){{ prog ${{v1}} }}else{{ prog abc }}",
        ),
        ("if ($a -eq {{ two }}) { } prog {{ plain }}", f"{TWO}if ($a -eq ${{v1}}) {{ }} prog abc"),
        ("& {{ two }} {{ plain }}", f"{TWO}& ${{v1}} abc"),
        ("& 'a b.exe' {{ two }} | sort", f"{TWO}& 'a b.exe' ${{v1}} | sort"),
        ("$a[{{ three }}]; @{ k = {{ two }} }", f"{TWO}$a[(-3)]; @{{ k = ${{v1}} }}"),
        ("1..3 | % { prog $_ {{ two }} }", f"{TWO}1..3 | % {{ prog $_ ${{v1}} }}"),
        ("prog $(a {{ two }}) a,{{ two }}", f"{TWO}prog $(a ${{v1}}) a,${{v1}}"),
        ("prog {{ three }}>f > {{ two }}", "$v1 = '-3'; $v2 = 'two words'; prog ${v1}>f > ${v2}"),
        ("$v1 = 3; $V2 = 4; prog {{ two }}", "$v3 = 'two words'; $v1 = 3; $V2 = 4; prog ${v3}"),
        ("prog {{ '$v1' | raw }} {{ two }}", "$v2 = 'two words'; prog $v1 ${v2}"),
        ("powershell -File x.ps1 {{ two }}", f"{TWO}powershell -File x.ps1 ${{v1}}"),
        ("prog {{ quote | raw }} '{{ plain | raw }}'", "prog a\"b 'abc'"),
        ("return {{ two }}", f"{TWO}return ${{v1}}"),
        ("docker -f '{{ '{{' }}.Id}}'", "docker -f '{{.Id}}'"),
    ],
)
def test_how_values_are_passed(command: str, script: str) -> None:
    assert compile_command(command, Shell.POWERSHELL).render(SCOPE) == script


RAW = "; where the value is meant to be code, end the expression in `| raw`"
DIRECT = f"run the program itself: `& program {{{{ ... }}}}`{RAW}"
VARIABLE = (
    "an expression cannot stand as the name of a variable",
    "write a name of your own; behind one: `${name}`",
)
MEMBER = (
    "an expression cannot stand beside other characters of a calculation",
    'as text: `"...{{ ... }}..."`',
)


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        *(
            (
                command,
                "an expression cannot stand in single quotes",
                'write double quotes: `"...{{ ... }}"`',
            )
            for command in ("a '{{ x }}'", "a \u2018{{ x }}\u2019", "a @'\n{{ x }}\n'@")
        ),
        *(
            (
                command,
                "an expression cannot stand in a comment",
                "take it out; literal braces are `{{ '{{' }}`",
            )
            for command in ("a # {{ x }}", "a <# {{ x }} #>", "a <# {{ x }}")
        ),
        *(
            (
                command,
                "an expression cannot stand directly behind a backtick",
                "take it away: values need no escaping",
            )
            for command in ("a `{{ x }}", 'a "`{{ x }}"')
        ),
        *((command, *VARIABLE) for command in ("${{ x }} = 1", 'a "$y:{{ x }}"', 'a "${{ x }}"')),
        *((command, *MEMBER) for command in ("$y = {{ x }}.mp3", "$y.{{ x }}", "$env:{{ x }} = 1")),
        (
            "[{{ x }}]$y",
            "an expression cannot stand in a type's name",
            "write a name of your own",
        ),
        *(
            (
                command,
                "an expression cannot stand where a command starts",
                "write `& {{ ... }}` to run what it names, `Write-Output {{ ... }}` to print it",
            )
            for command in ("{{ x }} a", "a; {{ x }}", "a | {{ x }}", "if (1) { {{ x }} }")
        ),
        *(
            (
                command,
                "an expression cannot stand beside quotes, variables or brackets",
                'write the whole as `"...{{ ... }}..."`',
            )
            for command in ("a $y{{ x }}", "a 'b'{{ x }}", "a {{ x }}(b)", "a {{ x }}`b")
        ),
        (
            "a -Name:{{ x }}",
            "an expression cannot stand directly behind a parameter's `:`",
            "write a space instead of the `:`",
        ),
        *(
            (
                command,
                "an expression cannot stand in arguments that are run as code",
                "write what is meant without it",
            )
            for command in (
                "[scriptblock]::Create({{ x }})",
                '$ExecutionContext.InvokeCommand.InvokeScript("a {{ x }}")',
                "$p.AddScript((1 + {{ x }}))",
            )
        ),
        *(
            (
                command,
                "an expression cannot stand in a block that runs elsewhere",
                "put it into a variable before, `$x = {{ ... }}`, and write `$using:x` here",
            )
            for command in (
                "Start-Job { a {{ x }} }",
                'Invoke-Command -Session $s { a "{{ x }}" }',
                "1 | % -Parallel { a {{ x }} }",
            )
        ),
        *(
            (command, f"`{name}` would read the value of an expression as code", DIRECT)
            for command, name in (
                ("iex {{ x }}", "iex"),
                ("Invoke-Expression 'a' {{ x }}", "invoke-expression"),
                ('"a {{ x }}" | IEX', "iex"),
                ("cmd.exe /c {{ x }}", "cmd"),
                ("& $env:ComSpec /c {{ x }}", "cmd"),
                ("$y = powershell -Command {{ x }}", "powershell"),
                ("& 'C:\\x\\pwsh.exe' -c \"a {{ x }}\"", "pwsh"),
                ("Add-Type {{ x }}", "add-type"),
            )
        ),
        (
            "Start-Process a -ArgumentList {{ x }}",
            "`start-process` would split the value of an expression at its spaces",
            DIRECT,
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
        compile_command(command, Shell.POWERSHELL)
    (fault,) = error.value.faults
    assert (fault.message, fault.hint) == (message, hint)
    assert fault.code == "misplaced-expression"
    assert command[fault.offset : fault.offset + fault.length] == "{{ x }}"


@pytest.mark.parametrize(
    ("command", "shown", "message"),
    [
        ("a 'b", "'", "the quote `'` is never closed"),
        ('a "b', '"', 'the quote `"` is never closed'),
        ('a @"\nb"@', '@"', 'the quote `@"` is never closed'),
        ("a @'\nb'@", "@'", "the quote `@'` is never closed"),
        ("if (a", "(", "`(` is never closed"),
        ("a { b", "{", "`{` is never closed"),
        ("a $(b", "$(", "`$(` is never closed"),
        ("a --% b", "--%", "`--%` turns off the reading of the script"),
        ("param($x)\na", "param", "`param` must stand first in a script, where other lines come"),
        (
            "using namespace A",
            "using",
            "`using` must stand first in a script, where other lines come",
        ),
    ],
)
def test_scripts_that_cannot_be_read(command: str, shown: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command, Shell.POWERSHELL)
    fault = error.value.faults[0]
    assert fault.message == message
    assert command[fault.offset : fault.offset + fault.length] == shown


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (
            "a {{ quote }}",
            'the value holds `"`, which Windows PowerShell does not keep in an argument',
        ),
        (
            'a "b {{ quote }}"',
            'the value holds `"`, which Windows PowerShell does not keep in an argument',
        ),
        (
            "a {{ empty }}",
            "the value is empty, and Windows PowerShell drops an argument that is empty",
        ),
        ("a {{ folder }}", "the value ends in a backslash, which takes a quote into the argument"),
        ("a x{{ folder }}", "the value ends in a backslash, which takes a quote into the argument"),
        ("a {{ slash }}", "the value starts with `/`, which programs of Windows read as an option"),
        ("$y = {{ nul }}", "the value holds a NUL character"),
        ("a {{ nul | raw }}", "the value holds a NUL character"),
        (
            "& {{ program }} a",
            "a value cannot name `C:/x/PWSH.exe`, which runs its arguments as code",
        ),
        ("a x{{ names }}", "a list cannot stand in text"),
    ],
)
def test_values_that_are_refused(command: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command, Shell.POWERSHELL).render(SCOPE)
    assert [fault.message for fault in error.value.faults] == [message]


def test_a_calculation_takes_any_text() -> None:
    rendered = compile_command("$y = {{ quote }} + {{ slash }}", Shell.POWERSHELL).render(SCOPE)
    assert rendered == "$v1 = 'a\"b'; $v2 = '/s'; $y = ${v1} + ${v2}"


def test_list_form() -> None:
    template = compile_argv(["my prog", "{{ two }}", "{{ names }}", "$x"], Shell.POWERSHELL)
    assert template.render(SCOPE) == "& 'my prog' 'two words' a 'b c' '.\\-d' 3 '$x'"
    with pytest.raises(TemplateError) as error:
        compile_argv(["cmd", "/c", "{{ two }}"], Shell.POWERSHELL)
    (fault,) = error.value.faults
    assert (fault.item, fault.message) == (
        2,
        "`cmd` would read the value of an expression as code",
    )


@settings(deadline=None)
@given(st.text())
def test_single_quotes_keep_everything(text: str) -> None:
    """PowerShell: within them, two of whatever it takes for a quote are the first of the two."""
    quotes = "'\u2018\u2019\u201a\u201b"
    inside = quote(text)[1:-1]
    assert re.sub(f"([{quotes}])[{quotes}]", r"\1", inside) == text
    assert re.search(f"[{quotes}]", re.sub(f"[{quotes}]{{2}}", "", inside)) is None


@settings(deadline=None)
@given(st.text(alphabet="\0\0 \n'\"`$(){}[]@#<>|&;,=-.:%ab1\u2019\u201d", max_size=60))
def test_no_script_is_too_odd(script: str) -> None:
    reading = read_powershell_script(script)
    assert len(reading.placements) == script.count("\0")


FRAGMENTS = (
    *("{{ x }}", "{{ x }}", " ", " ", "a", "$y", '"', "'", "(", ")", "{", "}", "$(", "=", "\n"),
    *("if ", "& ", "| ", ",", "-o=", ".mp3", "[", "]", "#", "`", "@'\n", "\n'@", ";"),
)


@settings(deadline=None, max_examples=300)
@given(
    st.lists(
        st.sampled_from(
            FRAGMENTS,
        ),
        min_size=2,
        max_size=14,
    ).map("".join)
)
def test_a_value_that_is_not_plain_stands_before_the_script_alone(script: str) -> None:
    value = "z'; calc; $(calc)"
    try:
        rendered = compile_command(script, Shell.POWERSHELL).render({"x": value})
    except TemplateError:
        return
    before = f"$v1 = {quote(value)}; "
    if "{{ x }}" in script:
        assert rendered.startswith(before)
    assert "calc" not in rendered.removeprefix(before)
    unquoted = rendered.removeprefix(before).replace("${v1}", "{{ x }}")
    assert unquoted.replace('"', "") == script.replace('"', "")
