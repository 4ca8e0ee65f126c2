"""Patterns of output files: written wildcards find, those in values do not."""

from __future__ import annotations

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.shells.script import compile_pattern, glob_escape
from runner.spec.templates.template import TemplateError


@pytest.mark.parametrize(
    ("text", "value", "pattern", "plain"),
    [
        ("{{ x }}.mp3", "a.b", "a.b.mp3", "a.b.mp3"),
        ("{{ x }}.mp3", "a*[1]?", "a[*][[]1][?].mp3", "a*[1]?.mp3"),
        ("{{ x }}-*.png", "*", "[*]-*.png", "*-*.png"),
        ("{{ x }}", "$HOME", "[$]HOME", "$HOME"),
        ("{{ x | raw }}", "*.txt", "*.txt", "*.txt"),
        ("{{ '{{*' }}{{ x }}", "*", "{{*[*]", "{{**"),
        ("{{ x | upper }}[ab]", "q?", "Q[?][ab]", "Q?[ab]"),
    ],
)
def test_values_are_escaped(text: str, value: str, pattern: str, plain: str) -> None:
    template = compile_pattern(text)
    assert template.render({"x": value}) == pattern
    assert template.render_text({"x": value}) == plain


@pytest.mark.parametrize(
    ("text", "has_wildcard"),
    [
        ("{{ x }}.mp3", False),
        ("a[*].txt", False),
        ("a[[]1].txt", False),
        ("a[?][$]", False),
        ("a]b", False),
        ("a[b", False),
        ("page-*.png", True),
        ("page-?.png", True),
        ("page-[0-9].png", True),
        ("page-[!x].png", True),
        ("**/{{ x }}", True),
        ("[{{ x }}]", True),
        ("{{ '*' }}", True),
        ("{{ x | raw }}", True),
    ],
)
def test_what_has_a_wildcard(text: str, has_wildcard: bool) -> None:
    assert compile_pattern(text).has_wildcard is has_wildcard


def test_faults_of_a_pattern() -> None:
    with pytest.raises(TemplateError) as error:
        compile_pattern("{{ a b }} {{ c | d }}")
    assert [fault.message for fault in error.value.faults] == [
        "`b` is not expected here",
        "there is no filter `d`",
    ]
    with pytest.raises(TemplateError) as error:
        compile_pattern("{{ a }} {{ b }}").render({})
    assert [fault.message for fault in error.value.faults] == [
        "`a` is not defined",
        "`b` is not defined",
    ]


@settings(deadline=None)
@given(st.text())
def test_an_escaped_name_finds_itself_alone(name: str) -> None:
    pattern = glob_escape(name)
    assert fnmatch.fnmatchcase(name, pattern)
    assert not fnmatch.fnmatchcase(f"{name}x", pattern)
    assert not fnmatch.fnmatchcase(f"x{name}", pattern)
