"""Expressions: what they can say, that nothing else gets through, and that nothing gets large."""

from __future__ import annotations

import tracemalloc
from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.templates.filters import split_name
from runner.spec.templates.template import TemplateError, compile_template
from tests.effort import count_steps

SCOPE: Mapping[str, object] = {
    "file": {"path": "in/sub/a.b.mp4", "stem": "a.b", "size": 7},
    "n": 5,
    "text": "Hello",
    "yes": True,
    "items": ["x", "y", "z"],
    "long": "x" * 60_000,
    "huge": 10**400,
    "thing": object(),
    "row": {"id": 1},
    "files": [{"path": "b", "size": 2}, {"path": "a", "size": 3}, {"path": "a", "size": 1}],
    "mixed": [1, "x"],
    "numbers": [3, 1.5, 2],
}


TOO_LONG = "the text would be longer than 100000 characters"


def evaluate(source: str) -> object:
    return compile_template(f"{{{{ {source} }}}}").render(SCOPE)


@pytest.mark.parametrize(
    ("source", "value"),
    [
        ("1 + 2 * 3 - 4", 3),
        ("7 // 2", 3),
        ("7 % 4", 3),
        ("7 / 2", 3.5),
        ("-n", -5),
        ("+n", 5),
        ("0.5 + n", 5.5),
        ("1_000", 1000),
        ("'a' + text", "aHello"),
        ("'a' ~ 1 ~ yes ~ 0.5", "a1true0.5"),
        ("n > 4", True),
        ("1 < n <= 5", True),
        ("1 < n < 5", False),
        ("n == 5 and text != 'x'", True),
        ("'a' < 'b'", True),
        ("not yes", False),
        ("'' or 'x'", "x"),
        ("'lo' in text", True),
        ("'q' not in text", True),
        ("'y' in items", True),
        ("'size' in file", True),
        ("text in ['Hello', 'Bye']", True),
        ("n in (1, 5)", True),
        ("'big' if n > 3 else 'small'", "big"),
        ("missing if false else 1", 1),
        ("items[0] ~ items[-1]", "xz"),
        ("file['stem']", "a.b"),
        ("n is defined", True),
        ("missing is defined", False),
        ("missing is not defined", True),
        ("file.nothing is defined", False),
        ("items[9] is defined", False),
        ("missing | default('d')", "d"),
        ("file.nothing | default(n)", 5),
        ("none | default('d')", "d"),
        ("text | default('d')", "Hello"),
        ("file.path | stem", "a.b"),
        ("file.path | ext", ".mp4"),
        ("file.path | dir", "in/sub"),
        ("'x' | dir", ""),
        ("file.path | basename", "a.b.mp4"),
        ("file.path | replace_ext('.mp3')", "in/sub/a.b.mp3"),
        ("file.path | replace_ext('mp3')", "in/sub/a.b.mp3"),
        ("file.path | replace_ext('')", "in/sub/a.b"),
        ("'.bashrc' | ext", ""),
        ("n | pad(3)", "005"),
        ("'-5' | pad(4)", "-005"),
        ("text | lower", "hello"),
        ("text | upper", "HELLO"),
        ("text | replace('l', 'LL')", "HeLLLLo"),
        ("' a ' | trim", "a"),
        ("' 42 ' | int", 42),
        ("7.9 | int", 7),
        ("'1.5' | float", 1.5),
        ("n | float", 5.0),
        ("n | string", "5"),
        ("text | length", 5),
        ("items | length", 3),
        ("items | first", "x"),
        ("text | last", "o"),
        ("items | join", "xyz"),
        ("items | join(', ')", "x, y, z"),
        ("2.567 | round(1)", 2.6),
        ("2.567 | round", 3),
        ("-3 | abs", 3),
        ("(n + 1) | string | pad(4) | upper", "0006"),
        ("files | map(attribute='path') | join(' ')", "b a a"),
        ("files | map(attribute='size')", (2, 3, 1)),
        ("items | sort(reverse=true)", ("z", "y", "x")),
        ("['b', 'B', 'a'] | sort", ("B", "a", "b")),
        ("numbers | sort", (1.5, 2, 3)),
        ("files | sort(attribute='size') | map(attribute='size')", (1, 2, 3)),
        ("['a', 'b', 'a', 'A', 1, true, 1] | unique", ("a", "b", "A", 1, True)),
        ("files | unique(attribute='path') | map(attribute='size')", (2, 3)),
        ("items | reverse", ("z", "y", "x")),
        ("text | reverse", "olleH"),
        ("numbers | min", 1.5),
        ("numbers | max", 3),
        ("(files | max(attribute='size')) == files[1]", True),
        ("files | sum(attribute='size')", 6),
        ("[] | sum", 0),
        ("numbers | sum", 6.5),
        ("'hELLO wORLD' | capitalize", "Hello world"),
        ('"it\'s a-b (cD)" | title', "It's A-B (Cd)"),
        ("'a,b,,c' | split(',')", ("a", "b", "", "c")),
        ("' a  b ' | split", ("a", "b")),
        ("'a b/ü&=%' | urlencode", "a%20b/%C3%BC%26%3D%25"),
        ("text[1:3]", "el"),
        ("text[-3:]", "llo"),
        ("text[:n - 4]", "H"),
        ("items[1:]", ("y", "z")),
        ("items[:9]", ("x", "y", "z")),
        ("(text ~ 1)[4:]", "o1"),
        ("'tab\\there'", "tab\there"),
        ("'\\u00e9'", "é"),
    ],
)
def test_values(source: str, value: object) -> None:
    result = evaluate(source)
    assert result == value
    assert type(result) is type(value)


@pytest.mark.parametrize(
    ("source", "shown", "message"),
    [
        ("range(10**9)", "(", "calls are not allowed in an expression"),
        ("'x'.ljust(10**9)", "(", "calls are not allowed in an expression"),
        ("text.upper()", "(", "calls are not allowed in an expression"),
        ("'x'*10**9", "10", "`**` is not allowed in an expression"),
        ("9**9**9", "**", "`**` is not allowed in an expression"),
        ("''.__class__", ".__class__", "a field or an item can be taken of a name only"),
        ("n.__class__", ".__class__", "a number has no field `__class__`"),
        ("file.__class__", "file.__class__", "`file.__class__` is not defined"),
        ("file.items", "file.items", "`file.items` is not defined"),
        ("items.append", ".append", "a list has no field `append`"),
        ("thing.x", ".x", "an object (object) has no field `x`"),
        ("n|attr('y')", "attr", "there is no filter `attr`"),
        ("'x'|center(2000000000)", "center", "there is no filter `center`"),
        ("items|map('upper')", "map", "`map` takes its arguments by name"),
        ("items|map(filter='upper')", "map", "`map` has no argument `filter`"),
        ("items|sort(true)", "sort", "`sort` takes its arguments by name"),
        ("items|sort(**file)", "sort", "`sort` takes plain arguments only"),
        ("items|truncate(3)", "truncate", "there is no filter `truncate`"),
        ("'{0.__class__}'.format(n)", "(", "calls are not allowed in an expression"),
        ("'{0.__class__}'.format", ".format", "a field or an item can be taken of a name only"),
        ("('x'*1000)*1000**2", "1000", "`**` is not allowed in an expression"),
        ("2**99999", "2", "`**` is not allowed in an expression"),
        ("row.items", "row.items", "`row.items` is not defined"),
        ("row['__class__']", "row['__class__']", "`row.__class__` is not defined"),
        ("''['__class__']", "['__class__']", "a field or an item can be taken of a name only"),
        ("items[0:2:1]", "[", "a slice takes no step"),
        ("items[:][0]", "[", "only a name or a number can stand in `[...]`"),
        ("text|lowr", "lowr", "there is no filter `lowr`"),
        ("text|lower|raw|upper", "raw", "`raw` must be the last filter of an expression"),
        ("text|lower(1)", "lower", "`lower` takes no arguments, not 1"),
        ("text|replace('a')", "replace", "`replace` takes 2 arguments, not 1"),
        ("items|join('a', 'b')", "join", "`join` takes 0 to 1 argument, not 2"),
        ("text|default", "default", "`default` takes 1 argument, not 0"),
        ("text|pad(width=3)", "pad", "`pad` takes plain arguments only"),
        ("text|pad(*items)", "pad", "`pad` takes plain arguments only"),
        ("n is odd", "is", "there is no test `odd`"),
        ("items[n]", "[", "only a name or a number can stand in `[...]`"),
        ("{'a': 1}", "{", "a mapping cannot be written in an expression"),
        ("1 if yes", "1", "`if` needs an `else`"),
        ("a b", "b", "`b` is not expected here"),
        ("a ? b", "?", "`?` cannot stand here in an expression"),
        ("n = 5", "=", "`=` is not expected here"),
        ("lambda: 0", ":", "`:` is not expected here"),
        ("(1", "1", "the expression ends too early"),
        ("'\\d'", "\\d", "`\\d` is not an escape"),
        ("'\\ud800'", "'\\ud800'", "the text has an escape that is no character"),
        ("1e999", "1e999", "the number is not finite"),
        ("99999999999999999999", "99999999999999999999", "the number has more than 64 bits"),
        ("0x" + "f" * 5000, "0x" + "f" * 5000, "the number is too long"),
        ("(" * 13 + "1" + ")" * 13, "(", "brackets are nested more than 12 deep"),
    ],
)
def test_what_syntax_is_refused(source: str, shown: str, message: str) -> None:
    text = f"{{{{ {source} }}}}"
    with pytest.raises(TemplateError) as error:
        compile_template(text).render(SCOPE)
    (fault,) = error.value.faults
    assert (fault.message, text[fault.offset : fault.offset + fault.length]) == (message, shown)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("'%1000000000d' % 1", "`%` cannot take text and a number"),
        ("'x' * 1000000000", "`*` cannot take text and a number"),
        ("text + 1", "`+` cannot take text and a number"),
        ("yes + 1", "`+` cannot take a boolean and a number"),
        ("-text", "`-` takes a number, not text"),
        ("n / 0", "division by zero"),
        ("n % 0.0", "division by zero"),
        ("9223372036854775807 * n", "the number has more than 64 bits"),
        ("huge + 1", "the number has more than 64 bits"),
        ("1e300 * 1e300 * n", "the number is not finite"),
        ("long ~ long", "the text would be longer than 100000 characters"),
        ("long + long", "the text would be longer than 100000 characters"),
        ("long | replace('x', 'xx')", "the text would be longer than 100000 characters"),
        ("long | replace('', 'xx')", "the text would be longer than 100000 characters"),
        ("long | replace_ext(long)", "the text would be longer than 100000 characters"),
        ("[long, long] | join", "the text would be longer than 100000 characters"),
        ("items | join(long)", "the text would be longer than 100000 characters"),
        ("n | pad(1001)", "`pad` takes an integer from 0 to 1000"),
        ("n | pad('3')", "`pad` takes an integer from 0 to 1000"),
        ("text < 1", "`<` cannot compare text with a number"),
        ("1 in text", "`in` cannot look for a number in text"),
        ("1 in n", "`in` cannot look into a number"),
        ("'x' ~ items", "a list cannot stand in text"),
        ("'x' ~ file", "a mapping cannot stand in text"),
        ("'x' ~ none", "the expression has no value"),
        ("'x' ~ thing", "an object (object) cannot stand in text"),
        ("text | int", "`int` cannot read 'Hello' as an integer"),
        ("'1_0' | int", "`int` cannot read '1_0' as an integer"),
        ("yes | int", "`int` cannot read a boolean as an integer"),
        ("text | float", "`float` cannot read 'Hello' as a number"),
        ("'nan' | float", "`float` cannot read 'nan' as a number"),
        ("'9e999' | float", "the number is not finite"),
        ("'9' * 1", "`*` cannot take text and a number"),
        ("n | upper", "`upper` takes text, not a number"),
        ("n | length", "`length` cannot count a number"),
        ("'' | first", "`first` finds nothing: the text is empty"),
        ("n | first", "`first` takes a list or text, not a number"),
        ("text | join", "`join` takes a list, not text"),
        ("text | abs", "`abs` takes a number, not text"),
        ("text | round", "`round` takes a number, not text"),
        ("[long, long] | join | title", "the text would be longer than 100000 characters"),
        ("('é' ~ long) | urlencode | urlencode | replace('x', 'xx')", TOO_LONG),
        ("items | map", "`map` takes a key: `| map(attribute='path')`"),
        ("items | map(attribute='x')", "item 1 is text, which has no key `x`"),
        ("files | map(attribute='items')", "item 1 has no key `items`"),
        ("files | map(attribute='__class__')", "item 1 has no key `__class__`"),
        ("files | sort(attribute=1)", "`sort` takes the name of a key as its `attribute`"),
        ("text | sort", "`sort` takes a list, not text"),
        ("items | sort(reverse='no')", "`sort` takes true or false, not text"),
        ("mixed | sort", "`sort` cannot compare texts with numbers"),
        ("files | sort", "`sort` cannot compare a mapping"),
        ("[none] | max", "`max` cannot compare nothing"),
        ("[true, 1] | min", "`min` cannot compare a boolean"),
        ("[] | min", "`min` finds nothing: the list is empty"),
        ("files | unique", "`unique` cannot compare a mapping"),
        ("items | sum", "`sum` takes numbers, not text"),
        ("[9223372036854775807, 1] | sum", "the number has more than 64 bits"),
        ("n | reverse", "`reverse` takes a list, not a number"),
        ("n | split", "`split` takes text, not a number"),
        ("text | split('')", "`split` takes a text that is not empty to split at"),
        ("items | urlencode", "a list cannot stand in text"),
        ("n | title", "`title` takes text, not a number"),
        ("n[1:]", "a slice can be taken of text or a list, not of a number"),
        ("file[1:]", "a slice can be taken of text or a list, not of a mapping"),
        ("text['a':]", "a slice goes from integer to integer, not text"),
        ("text[true:]", "a slice goes from integer to integer, not a boolean"),
        ("n | round(99)", "`round` takes an integer from 0 to 15"),
    ],
)
def test_what_values_are_refused(source: str, message: str) -> None:
    with pytest.raises(TemplateError) as error:
        compile_template(f"{{{{ {source} }}}}").render(SCOPE)
    assert [fault.message for fault in error.value.faults] == [message]


def test_what_speaks_of_nothing_is_wrong_before_it_is_rendered() -> None:
    with pytest.raises(TemplateError):
        compile_template("{{ 'a' * 3 }}")


@pytest.mark.parametrize(
    "source",
    [
        "range(10**9)",
        "'x'.ljust(10**9)",
        "'x'*10**9",
        "'x'*1000000000",
        "'%1000000000d' % 1",
        "'x'|center(2000000000)",
        "9**9**9**9",
        "'x'|pad(999999999)",
        "('x'*1000)*1000",
        "2**99999",
        "'{0.__class__}'.format(1)",
        "''.__class__.__mro__[1].__subclasses__()",
        "[1][::1]",
        "[" * 5000,
        "not " * 5000 + "1",
        "-" + " -" * 5000 + "1",
        "1" + "+1" * 5000,
        "1" + " if 1 else 1" * 900,
        "9" * 9000,
        "'" + "\\x" * 4000 + "'",
        "x" * 1_000_000,
        "x" + ".x" * 1_000_000,
    ],
)
def test_nothing_takes_long_or_much(source: str) -> None:
    def read() -> None:
        with pytest.raises(TemplateError):
            compile_template(f"{{{{ {source} }}}}")

    tracemalloc.start()
    try:
        assert count_steps(read) < 1_000_000
        assert tracemalloc.get_traced_memory()[1] < 50_000_000  # bytes at most, at once
    finally:
        tracemalloc.stop()


def test_rendering_reads_nothing_again() -> None:
    template = compile_template("ffmpeg -i file:{{ file.path }} -b:a {{ n }} {{ file.stem }}.mp3")
    assert count_steps(lambda: template.render(SCOPE)) < 200  # to read it takes 2,500 more


@settings(deadline=None)
@given(st.text(min_size=1))
def test_the_parts_of_a_path_make_the_path(path: str) -> None:
    folder, stem, extension = split_name(path)
    assert folder + stem + extension == path
    assert not folder or folder.endswith("/")
    assert "/" not in stem
    assert not extension or extension.startswith(".")


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_replace_is_pythons(text: str, old: str, new: str) -> None:
    template = compile_template("{{ text | replace(old, new) }}")
    assert template.render({"text": text, "old": old, "new": new}) == text.replace(old, new)


@settings(deadline=None)
@given(st.integers(-(2**31), 2**31), st.integers(-(2**31), 2**31))
def test_arithmetic_is_pythons(left: int, right: int) -> None:
    scope = {"a": left, "b": right}
    assert (
        compile_template("{{ a + b * 2 - a * b }}").render(scope) == left + right * 2 - left * right
    )
    if right:
        assert compile_template("{{ a // b }}").render(scope) == left // right
        assert compile_template("{{ a % b }}").render(scope) == left % right
