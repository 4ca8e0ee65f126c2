"""Templates of plain text: what is cut out, what comes of it, and what is said of mistakes."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.spec.templates.template import (
    Reference,
    TemplateError,
    TemplateFault,
    check_references,
    compile_template,
)

SCOPE: Mapping[str, object] = {
    "file": {"path": "in/a.b.mp4", "stem": "a.b", "size": 7},
    "parameters": {"number": 3, "rate": 1.5, "fast": True, "none": None},
    "row": {"items": "yes", "first name": "Ann"},
    "index": 0,
    "files": ["a", "b"],
}


def faults_of(text: str) -> tuple[TemplateFault, ...]:
    """Those of compiling, else those of rendering."""
    with pytest.raises(TemplateError) as error:
        compile_template(text).render(SCOPE)
    return error.value.faults


@pytest.mark.parametrize(
    ("text", "rendered"),
    [
        ("", ""),
        ("plain", "plain"),
        ("{{ file.stem }}.mp3", "a.b.mp3"),
        ("{{file.stem}}{{file.size}}", "a.b7"),
        (
            "n={{ parameters.number }}, {{ parameters.rate }}, {{ parameters.fast }}",
            "n=3, 1.5, true",
        ),
        ("${#x} {% if a %} {# c #} }} { {", "${#x} {% if a %} {# c #} }} { {"),
        ("{{ '{{' }}.Id{{ '}}' }}", "{{.Id}}"),
        ("{{ '{{.Id}}' }}", "{{.Id}}"),
        ('-{{ "a\\"b" }}-', '-a"b-'),
        ("{{ row.items }} {{ row['first name'] }}", "yes Ann"),
        ("{{\n  file\n  .stem\n}}\n", "a.b"),
        ("a {{ parameters.number | raw }}", "a 3"),
    ],
)
def test_rendering_text(text: str, rendered: str) -> None:
    assert compile_template(text).render_text(SCOPE) == rendered


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{{ parameters.number }}", 3),
        (" {{ parameters.rate }}\n", 1.5),
        ("{{ parameters.fast }}", True),
        ("{{ file.stem }}", "a.b"),
        ("{{ parameters.number }}.", "3."),
        ("{{ index }}{{ index }}", "00"),
        ("{{ files }}", ["a", "b"]),
    ],
)
def test_one_whole_expression_keeps_its_type(text: str, value: object) -> None:
    rendered = compile_template(text).render(SCOPE)
    assert rendered == value
    assert type(rendered) is type(value)


def test_references_say_where_they_stand() -> None:
    text = "a {{ file.stem }} {{ row['first name'] | default(index) }} {{ files[0] }}"
    references = compile_template(text).references
    assert references == (
        Reference(path=("file", "stem"), offset=5, length=9),
        Reference(path=("row", "first name"), offset=21, length=17, optional=True),
        Reference(path=("index",), offset=49, length=5),
        Reference(path=("files",), offset=62, length=5),
    )
    assert [text[each.offset : each.offset + each.length] for each in references] == [
        "file.stem",
        "row['first name']",
        "index",
        "files",
    ]


@pytest.mark.parametrize(
    ("text", "shown", "message", "hint"),
    [
        (
            "a {{ b",
            "{{",
            "`{{` is never closed",
            "close it with `}}`, and each quote in it; literal braces are `{{ '{{' }}`",
        ),
        (
            "{{ it's }}",
            "{{",
            "`{{` is never closed",
            "close it with `}}`, and each quote in it; literal braces are `{{ '{{' }}`",
        ),
        ("{{ }}", " ", "the expression is empty", "literal braces: `{{ '{{' }}`"),
        (
            "{{- index }}",
            "-",
            "`-` cannot stand directly at the braces",
            "white space around an expression is kept; put a space between",
        ),
        (
            "{{ index -}}",
            "-",
            "`-` cannot stand directly at the braces",
            "white space around an expression is kept; put a space between",
        ),
        ("{{ file.stm }}", "file.stm", "`file.stm` is not defined", "did you mean `file.stem`?"),
        ("{{ fil.x }}", "fil", "`fil` is not defined", "did you mean `file`?"),
        (
            "x{{ row.zzz }}",
            "row.zzz",
            "`row.zzz` is not defined",
            "what can be used: `row['first name']`, `row.items`",
        ),
        ("{{ row.values }}", "row.values", "`row.values` is not defined", None),
        ("{{ file.stem.upper }}", ".upper", "text has no field `upper`", None),
        ("{{ files[2] }}", "[2]", "there is no item 2 in a list of 2", None),
        ("-{{ file }}", "{{ file }}", "a mapping cannot stand in text", "name one of its fields"),
        ("-{{ files }}", "{{ files }}", "a list cannot stand in text", "join it: `| join(' ')`"),
        (
            "-{{ parameters.none }}",
            "{{ parameters.none }}",
            "the expression has no value",
            "give one: `| default('...')`",
        ),
    ],
)
def test_what_is_said_of_a_mistake(text: str, shown: str, message: str, hint: str | None) -> None:
    (fault,) = faults_of(text)
    assert text[fault.offset : fault.offset + fault.length] == shown
    assert fault.message == message
    if hint is not None:
        assert fault.hint == hint


def test_all_mistakes_at_once() -> None:
    faults = faults_of("{{ a b }} {{ 1 + }} {{ x | uper }} {{")
    assert [(fault.offset, fault.message) for fault in faults] == [
        (5, "`b` is not expected here"),
        (15, "the expression ends too early"),
        (27, "there is no filter `uper`"),
        (35, "`{{` is never closed"),
    ]
    faults = faults_of("{{ fil }} {{ file.size // 0 }}")
    assert [fault.message for fault in faults] == ["`fil` is not defined", "division by zero"]


def test_checking_references() -> None:
    names = {"file": frozenset({"path", "stem"}), "row": None, "parameters": frozenset[str]()}
    text = "{{ file.stm }} {{ files }} {{ row.any }} {{ parameters.x }} {{ file }}"
    faults = check_references(compile_template(text), names)
    assert [(fault.offset, fault.length, fault.message, fault.hint) for fault in faults] == [
        (3, 8, "`file.stm` is not defined", "did you mean `file.stem`?"),
        (18, 5, "`files` is not defined", "did you mean `file`?"),
        (44, 12, "`parameters.x` is not defined", "`parameters` is empty"),
    ]
    optional = compile_template("{{ file.x | default(1) }} {{ zzz | default(1) }}").references
    assert [
        (fault.message, fault.hint)
        for fault in check_references(optional, {"file": frozenset("y")})
    ] == [("`zzz` is not defined", "what can be used: `file`")]


@settings(deadline=None)
@given(st.text())
def test_text_without_braces_is_itself(text: str) -> None:
    if "{{" not in text:
        assert compile_template(text).render({}) == text


@settings(deadline=None)
@given(st.text(), st.text(), st.text())
def test_a_value_goes_in_as_it_is(before: str, value: str, behind: str) -> None:
    before, behind = before.replace("{", ""), behind.replace("{", "")
    template = compile_template(f"{before}{{{{ x }}}}{behind}")
    assert template.render_text({"x": value}) == (
        value if template.is_expression else f"{before}{value}{behind}"
    )


@settings(deadline=None)
@given(st.text(alphabet="{}'\" |.\\abx()[]1+-~,%\n\t#éA", max_size=60))
def test_any_text_gives_a_template_or_faults_inside_it(text: str) -> None:
    try:
        compile_template(text).render({"x": "1", "a": {"b": 2}})
    except TemplateError as error:
        assert error.faults
        for fault in error.faults:
            assert 0 <= fault.offset <= fault.offset + fault.length <= len(text)
            assert fault.length > 0
