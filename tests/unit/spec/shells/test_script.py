"""Templates of commands: how values are passed, and where expressions are refused."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.shells.script import compile_argv, compile_command
from runner.spec.templates.template import Reference, TemplateError
from tests.effort import count_steps

SCOPE = {
    "plain": "a.b/C_1:=+,@%-",
    "two": "two words",
    "dash": "-rf",
    "three": -3,
    "half": 0.5,
    "yes": True,
    "empty": "",
    "quote": "it's",
    "lines": "a\nb",
    "word": "if",
    "pair": "A=b",
    "evil": "eval",
    "nul": "a\0b",
    "items": [1],
}

QUOTES = (
    "values need no quotes: take them away, or close them before the expression and open them"
    " again behind it"
)
IN_BRACES = "put it into a variable before, `x={{ ... }}`, or write `{{ value | default('...') }}`"
RAW = "; where the value is meant to be code, end the expression in `| raw`"


@pytest.mark.parametrize(
    ("command", "script"),
    [
        ("cat {{ plain }} {{ three }} {{ half }} {{ yes }}", "cat a.b/C_1:=+,@%- -3 0.5 true"),
        ("cat {{ two }}", "v1='two words'; cat \"${v1}\""),
        ("cat {{ two }}.mp3 x{{ two }}", 'v1=\'two words\'; cat "${v1}".mp3 x"${v1}"'),
        ("cat {{ quote }} {{ lines }}", "v1='it'\\''s'; v2='a\nb'; cat \"${v1}\" \"${v2}\""),
        ("cat {{ empty }}", "v1=''; cat \"${v1}\""),
        ("cat {{ dash }} file:{{ dash }}", "cat ./-rf file:-rf"),
        ("cat {{ empty }}{{ dash }}", "v1=''; cat \"${v1}\"./-rf"),
        ("cat {{ plain }}{{ dash }}", "cat a.b/C_1:=+,@%--rf"),
        ('cat ""{{ dash }}', 'cat ""-rf'),
        ("cat > {{ dash }} <<< {{ dash }}", "cat > ./-rf <<< -rf"),
        ("x={{ dash }}; case {{ dash }} in {{ dash }}) ;; esac", "x=-rf; case -rf in -rf) ;; esac"),
        ("v1=1; v3=2; echo {{ two }} {{ quote }}", None),
        ("echo {{ two | raw }} '{{ two | raw }}'", "echo two words 'two words'"),
        ("for v1 in {{ two }} {{ 'v2' | raw }}; do :; done", None),
        ("{{ plain }} x", "v1='a.b/C_1:=+,@%-'; \"${v1}\" x"),
        ("{{ word }} {{ word }}", "v1='if'; \"${v1}\" if"),
        ("true && {{ pair }} {{ pair }}", "v1='A=b'; true && \"${v1}\" A=b"),
        ("A={{ pair }} {{ three }}", "A=A=b -3"),
        ("case x in {{ word }}|{{ pair }}) ;; esac", None),
        ("[[ {{ yes }} == {{ yes }} ]]", 'v1=\'true\'; [[ "${v1}" == "${v1}" ]]'),
        ("echo {{ three }}>f", "v1='-3'; echo \"${v1}\">f"),
        ("echo $x{{ yes }} ~{{ yes }} ~/{{ yes }}", None),
        ("echo {a,{{ pair }}} [{{ pair }}]", 'v1=\'A=b\'; echo {a,"${v1}"} ["${v1}"]'),
        ("export -f f; g {{ two }}", "export v1='two words'; export -f f; g \"${v1}\""),
        ("docker -f '{{ '{{' }}.Id}}'", "docker -f '{{.Id}}'"),
        ("echo ${#x} {% x %} # {# x #}", "echo ${#x} {% x %} # {# x #}"),
        ("bash -c 'cat \"$1\"' _ {{ yes }}", "bash -c 'cat \"$1\"' _ true"),
        ("bash {{ yes }} -c {{ yes }}", "bash true -c true"),
        ("python3 -m {{ yes }} -c {{ yes }}", "python3 -m true -c true"),
        ("echo eval {{ yes }}", "echo eval true"),
        ("eval x; echo {{ yes }}", "eval x; echo true"),
        ("test {{ yes }} -eq 1 && printf %s {{ yes }}", "test true -eq 1 && printf %s true"),
        ("export A={{ yes }} B; declare -a l=({{ yes }})", None),
        ("env RANDOM={{ yes }} SEED={{ yes }} x", "env RANDOM=true SEED=true x"),
        ("", ""),
    ],
)
def test_how_values_are_passed(command: str, script: str | None) -> None:
    rendered = compile_command(command).render(SCOPE)
    wanted = OTHERWISE.get(command) if script is None else script
    assert rendered == wanted


OTHERWISE = {
    "v1=1; v3=2; echo {{ two }} {{ quote }}": (
        "v2='two words'; v4='it'\\''s'; v1=1; v3=2; echo \"${v2}\" \"${v4}\""
    ),
    "for v1 in {{ two }} {{ 'v2' | raw }}; do :; done": (
        "v3='two words'; for v1 in \"${v3}\" v2; do :; done"
    ),
    "case x in {{ word }}|{{ pair }}) ;; esac": (
        "v1='if'; v2='A=b'; case x in \"${v1}\"|\"${v2}\") ;; esac"
    ),
    "echo $x{{ yes }} ~{{ yes }} ~/{{ yes }}": 'v1=\'true\'; echo $x"${v1}" ~"${v1}" ~/true',
    "export A={{ yes }} B; declare -a l=({{ yes }})": "export A=true B; declare -a l=(true)",
}


@pytest.mark.parametrize(
    ("command", "message", "hint"),
    [
        ('echo "{{ x }}"', "an expression cannot stand in double quotes", QUOTES),
        ('echo $"{{ x }}"', "an expression cannot stand in double quotes", QUOTES),
        ("echo '{{ x }}'", "an expression cannot stand in single quotes", QUOTES),
        ("echo $'\\'{{ x }}'", "an expression cannot stand in single quotes", QUOTES),
        (
            "echo `ls {{ x }}`",
            "an expression cannot stand in backticks",
            "write `$( ... )` instead",
        ),
        (
            "cat <<EOF\n{{ x }}\nEOF",
            "an expression cannot stand in a here-document",
            "put it into a variable before, `x={{ ... }}`, and write `$x` here, delimiter unquoted",
        ),
        (
            "cat <<'EOF'\n{{ x }}",
            "an expression cannot stand in a here-document",
            "put it into a variable before, `x={{ ... }}`, and write `$x` here, delimiter unquoted",
        ),
        (
            "cat <<{{ x }}\n",
            "an expression cannot stand as the delimiter of a here-document",
            "write a word of your own, such as `EOF`",
        ),
        (
            "ls # {{ x }}",
            "an expression cannot stand in a comment",
            "take it out; literal braces are `{{ '{{' }}`",
        ),
        *(
            (
                command,
                "an expression cannot stand in shell arithmetic",
                "calculate in the expression itself: `{{ index + 1 }}`",
            )
            for command in (
                "echo $(({{ x }} + 1))",
                "((y = {{ x }}))",
                "for ((i = 0; i < {{ x }}; i++)); do :; done",
                "echo $[{{ x }}]",
                "echo $(( $(cat {{ x }}) ))",
            )
        ),
        *(
            (
                command,
                "an expression cannot stand in `${...}`",
                IN_BRACES,
            )
            for command in ("echo ${y:-{{ x }}}", 'echo "${y#{{ x }}}"')
        ),
        *(
            (
                command,
                "an expression cannot stand in a subscript",
                "bash calculates subscripts; append to the list instead: `list+=({{ ... }})`",
            )
            for command in ("a[{{ x }}]=1", "a=([{{ x }}]=1)", "a[$(cat {{ x }})]=1")
        ),
        (
            "echo ${{ x }}",
            "an expression cannot stand directly behind `$`",
            "take the `$` away: the expression is the value",
        ),
        (
            "echo \\{{ x }}",
            "an expression cannot stand directly behind a backslash",
            "take it away: values need no escaping",
        ),
        (
            "ls >&{{ x }}",
            "an expression cannot stand as a file descriptor",
            "write `> {{ ... }}` for a file, `&>` for both outputs",
        ),
        *(
            (
                command,
                "an expression cannot stand as the name of a variable",
                "write a name of your own",
            )
            for command in (
                "{{ x }}=5",
                "{{ x }}_DIR=5",
                "{{ x }}[0]+=5",
                "A_{{ x }}=5",
                "for {{ x }} in a; do :; done",
                "export {{ x }}",
                "declare {{ x }}=5",
                "local -r {{ x }}",
                "[ -v {{ x }} ]",
                "test -v {{ x }}",
                "[[ -v {{ x }} ]]",
                "[[ a && ! -R {{ x }} ]]",
                "printf -v {{ x }} y",
                "printf -v{{ x }} y",
            )
        ),
        *(
            (
                command,
                "an expression cannot stand as the name of a function",
                "write a name of your own",
            )
            for command in ("{{ x }}() { :; }", "{{ x }} () { :; }", "function {{ x }} { :; }")
        ),
        (
            "echo {1..{{ x }}}",
            "an expression cannot stand in a brace sequence",
            "write `$(seq 1 {{ ... }})` instead",
        ),
        *(
            (
                command,
                "an expression cannot stand as a number in `[[ ... ]]`",
                "`[[` calculates its numbers; write `[ ... ]` instead",
            )
            for command in (
                "[[ {{ x }} -eq 1 ]]",
                "[[ 1 -lt {{ x }} ]]",
                "[[ ( 1 -ge x{{ x }} ) ]]",
            )
        ),
        *(
            (
                command,
                f"`{name}` would evaluate the value of an expression",
                f"write what is meant without `{name}`{RAW}",
            )
            for command, name in (
                ("eval {{ x }}", "eval"),
                ("\\eval ls {{ x }}", "eval"),
                ("'ev'\"al\" {{ x }}", "eval"),
                ("command -p eval {{ x }}", "eval"),
                ("builtin eval {{ x }}", "eval"),
                ("if ! eval {{ x }}; then :; fi", "eval"),
                ("case a in a) eval {{ x }} ;; esac", "eval"),
                ("{ eval $(cat {{ x }}); }", "eval"),
                ("(true) || A=b eval {{ x }}", "eval"),
                ("2>&1 eval {{ x }}", "eval"),
                ("let y={{ x }}", "let"),
                ("trap {{ x }} EXIT", "trap"),
                ("unset {{ x }}", "unset"),
                ("read {{ x }}", "read"),
            )
        ),
        *(
            (
                f"{command} y={{{{ x }}}}",
                f"`{command}` would evaluate the value of an expression",
                f"assign it without `{command.split()[1]}`{RAW}",
            )
            for command in ("declare -i", "typeset -i", "local -ri", "declare -n", "export -i")
        ),
        *(
            (
                f"{command} {{{{ x }}}}",
                f"`{name} -{letter}` would run the value of an expression as code",
                f"pass it as an argument, which the code reads{RAW}",
            )
            for command, name, letter in (
                ("bash -c", "bash", "c"),
                ("sh -ec", "sh", "c"),
                ("/bin/dash -c -e", "dash", "c"),
                ("sudo -u root bash -o pipefail -c", "bash", "c"),
                ("find . -exec sh -c", "sh", "c"),
                ("python3 -u -c", "python3", "c"),
                ("perl -ne", "perl", "e"),
                ("su root -c", "su", "c"),
            )
        ),
        (
            "bash -c 'ls '{{ x }}",
            "`bash -c` would run the value of an expression as code",
            f"pass it as an argument, which the code reads{RAW}",
        ),
        (
            "python -c'print('{{ x }}",
            "`python -c` would run the value of an expression as code",
            f"pass it as an argument, which the code reads{RAW}",
        ),
        (
            "RANDOM={{ x }}",
            "bash would evaluate a value assigned to `RANDOM`",
            f"assign it to a variable that is text{RAW}",
        ),
        (
            "declare -i n\nn={{ x }}",
            "bash would evaluate a value assigned to `n`",
            f"assign it to a variable that is text{RAW}",
        ),
    ],
)
def test_where_expressions_are_refused(command: str, message: str, hint: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command)
    (fault,) = error.value.faults
    assert (fault.message, fault.hint) == (message, hint)
    assert fault.code == "misplaced-expression"
    assert command[fault.offset : fault.offset + fault.length] == "{{ x }}"
    raw = command.replace("{{ x }}", "{{ x | raw }}")
    assert compile_command(raw).render({"x": "'y"}) == command.replace("{{ x }}", "'y")


@pytest.mark.parametrize(
    ("command", "shown", "code", "message"),
    [
        ("echo 'a {{ x }}", "'", "unclosed-quote", "the quote `'` is never closed"),
        ("{{ x }} \"a {{ x }} '", '"', "unclosed-quote", 'the quote `"` is never closed'),
        ("echo $'a\\'", "$'", "unclosed-quote", "the quote `$'` is never closed"),
        ("echo `a", "`", "unclosed-quote", "the quote of backticks is never closed"),
        ("echo $(a {{ x }}", "$(", "unclosed", "`$(` is never closed"),
        ("echo ${a", "${", "unclosed", "`${` is never closed"),
        ("(a; b", "(", "unclosed", "`(` is never closed"),
        ("[[ a == b", "[[", "unclosed", "`[[` is never closed"),
        ("((a) || (b))", "((", "unclosed", "`((` has no `))`"),
        ("echo \0", "\0", "bad-character", "a command cannot hold a NUL character"),
    ],
)
def test_scripts_that_cannot_be_read(command: str, shown: str, code: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_command(command)
    (fault,) = error.value.faults
    assert (fault.code, fault.message) == (code, message)
    assert command[fault.offset : fault.offset + fault.length] == shown


def test_all_faults_at_once_and_behind_literal_braces() -> None:
    command = "echo {{ '{{' }} \"{{ a }}\"\necho '{{ b }}' {{ c }} # {{ d }}\n"
    with pytest.raises(TemplateError) as error:
        compile_command(command)
    assert [
        command[fault.offset : fault.offset + fault.length] for fault in error.value.faults
    ] == ["{{ a }}", "{{ b }}", "{{ d }}"]
    with pytest.raises(TemplateError) as error:
        compile_command("cat {{ a }} x{{ items }} {{ nul }} {{ nul | raw }}").render(SCOPE)
    assert [fault.message for fault in error.value.faults] == [
        "`a` is not defined",
        "a list cannot stand in text",
        "the value holds a NUL character",
        "the value holds a NUL character",
    ]


def test_a_value_cannot_name_a_builtin_that_evaluates() -> None:
    with pytest.raises(TemplateError) as error:
        compile_command("{{ evil }} {{ two }}").render(SCOPE)
    (fault,) = error.value.faults
    assert fault.message == (
        "a value cannot name the builtin `eval`, which evaluates its arguments"
    )


def test_references_of_a_command() -> None:
    assert compile_command("a {{ b.c }} {{ d }}").references == (
        Reference(path=("b", "c"), offset=5, length=3),
        Reference(path=("d",), offset=15, length=1),
    )
    assert compile_argv(["a", "{{ b.c }}"]).references == (
        Reference(path=("b", "c"), offset=3, length=3, item=1),
    )


@pytest.mark.parametrize(
    ("items", "script"),
    [
        (["cat", "{{ two }}", "x{{ quote }}"], "cat 'two words' 'xit'\\''s'"),
        (["cat", "{{ dash }}", "--x={{ dash }}", "{{ three }}"], "cat ./-rf --x=-rf -3"),
        (["cat", "{{ empty }}{{ dash }}", "", "a b", "*"], "cat ./-rf '' 'a b' '*'"),
        (["{{ word }}", "{{ word }}"], "'if' if"),
        (["A=b", "A=b"], "'A=b' A=b"),
        (["echo", '"{{ two }}"', "`{{ two }}`", "$x"], "echo '\"two words\"' '`two words`' '$x'"),
        (["bash", "-c", "echo {{ two | raw }}"], "bash -c 'echo two words'"),
        (["bash", "-c", "echo $1", "_", "{{ two }}"], "bash -c 'echo $1' _ 'two words'"),
        (["docker", "-f", "{{ '{{' }}.Id}}"], "docker -f '{{.Id}}'"),
    ],
)
def test_list_form(items: list[str], script: str) -> None:
    assert compile_argv(items).render(SCOPE) == script


def test_faults_of_the_list_form_name_their_item() -> None:
    with pytest.raises(TemplateError) as error:
        compile_argv(["x", "{{ a b }}", "y {{"])
    assert [(fault.item, fault.offset, fault.message) for fault in error.value.faults] == [
        (1, 5, "`b` is not expected here"),
        (2, 2, "`{{` is never closed"),
    ]
    with pytest.raises(TemplateError) as error:
        compile_argv(["bash", "-c", "ls {{ a }}"])
    assert [(fault.item, fault.offset, fault.message) for fault in error.value.faults] == [
        (2, 3, "`bash -c` would run the value of an expression as code")
    ]
    with pytest.raises(TemplateError) as error:
        compile_argv(["x", "{{ a }}", "x{{ items }}"]).render(SCOPE)
    assert [(fault.item, fault.offset, fault.message) for fault in error.value.faults] == [
        (1, 3, "`a` is not defined"),
        (2, 1, "a list cannot stand in text"),
    ]
    with pytest.raises(TemplateError) as error:
        compile_argv(["{{ evil }}", "{{ two }}"]).render(SCOPE)
    assert [fault.item for fault in error.value.faults] == [0]


@settings(deadline=None)
@given(st.lists(st.text().filter(lambda text: "\0" not in text), min_size=1))
def test_items_are_words_of_the_shell(values: list[str]) -> None:
    template = compile_argv([f"a{{{{ x[{index}] }}}}" for index in range(len(values))])
    assert shlex.split(template.render({"x": values})) == [f"a{value}" for value in values]


@settings(deadline=None)
@given(st.text().filter(lambda text: "\0" not in text))
def test_a_value_is_one_word_of_the_shell(value: str) -> None:
    script = compile_command("cat x{{ x }}").render({"x": value})
    *assignment, _, last = shlex.split(script)
    shown = f"v1={value};" if assignment else f"x{value}"
    assert [*assignment, last][0] == shown


def test_rendering_reads_nothing_again() -> None:
    template = compile_command("ffmpeg -i file:{{ two }} -b:a {{ three }} {{ quote }}.mp3")
    assert count_steps(lambda: template.render(SCOPE)) < 1_000  # to read it takes 3,000 more
