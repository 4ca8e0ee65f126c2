"""Plain scalars by the 1.2 core schema, and the way back from values to source text."""

from __future__ import annotations

import pytest

from runner.spec.yaml.compose import compose
from runner.spec.yaml.scalars import NumberTooLargeError, Scalar, locate_character, resolve_plain
from runner.spec.yaml.source import Source


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("", None),
        ("~", None),
        ("null", None),
        ("NULL", None),
        ("nUll", "nUll"),
        ("true", True),
        ("False", False),
        ("tRue", "tRue"),
        ("yes", "yes"),
        ("no", "no"),
        ("on", "on"),
        ("off", "off"),
        ("12", 12),
        ("-7", -7),
        ("+7", 7),
        ("010", 10),
        ("0o17", 15),
        ("0x1F", 31),
        ("1_000", "1_000"),
        ("22_04", "22_04"),
        ("0b11", "0b11"),
        ("1:30", "1:30"),
        ("1.5", 1.5),
        ("1.", 1.0),
        (".5", 0.5),
        ("1e3", 1000.0),
        ("-1.5E-2", -0.015),
        (".", "."),
        ("1.2.3", "1.2.3"),
        ("2026-01-01", "2026-01-01"),
        ("192k", "192k"),
        ("\u0661\u0662", "\u0661\u0662"),
        ("12\n", "12\n"),
    ],
)
def test_plain_scalars_have_the_core_schemas_values(text: str, value: Scalar) -> None:
    resolved = resolve_plain(text)
    assert resolved == value
    assert type(resolved) is type(value)


@pytest.mark.parametrize("text", [".inf", "-.INF", ".nan", "1e999", "9" * 5000, "0x" + "f" * 200])
def test_numbers_that_json_cannot_hold_are_refused(text: str) -> None:
    with pytest.raises(NumberTooLargeError):
        resolve_plain(text)


@pytest.mark.parametrize(
    "text",
    [
        "a: one MARK two",
        "a: one\n  two\n  MARK\n\n  four\n",
        "a: 'it''s ''MARK'' here'",
        "a: 'one\n  two''s\n\n  MARK'",
        'a: "one \\"MARK\\" two"',
        'a: "\\u00e9\\x41\\U0001F600\\t\\n\\ \\_MARK"',
        'a: "one\\\n   two \\\n  MARK"',
        'a: "one\n  two\n\n  MARK"',
        "a: |\n  one\n  two MARK\n  three\n",
        "a: |2-\n   one\n  MARK\n",
        "a: | # a comment, not text\n  one\n\n    indented\n  MARK\n\n",
        "a: >-\n  one\n  two\n\n    more\n    indented\n  MARK three\n",
        "a: |\r\n  one\r\n  MARK\r\n",
        "- [x, {a: y MARK}]",
        "a: \u4e16\u754c \U0001f600 MARK",
        "a: |\n  one\n  MARK",
    ],
)
def test_each_character_of_a_value_is_found_in_its_source(text: str) -> None:
    root, problems = compose(Source("spec.yaml", text))
    assert root is not None
    assert problems == ()
    node = root
    while node.children:
        node = list(node.children.values())[-1]
    source = text[node.start : node.end]
    at = node.data.index("MARK")
    found = [locate_character(source, node.style, node.data, at + i) for i in range(4)]
    start = text.rindex("MARK") - node.start
    assert found == [start, start + 1, start + 2, start + 3]


def test_white_space_is_counted_from_the_character_before_it() -> None:
    root, _ = compose(Source("spec.yaml", "a: |\n  x  {{ y }}\n"))
    assert root is not None
    node = root.children["a"]
    source = "|\n  x  {{ y }}"
    assert locate_character(source, node.style, node.data, 1) == source.index("x") + 1
    assert locate_character(source, node.style, node.data, 2) == source.index("x") + 2


@pytest.mark.parametrize("offset", [-5, 0, 3, 1000])
def test_an_offset_outside_the_value_stays_inside_the_source(offset: int) -> None:
    for source in ('""', "''", "|", ">-\n  ", "abc", '"\\n"'):
        root, _ = compose(Source("spec.yaml", f"a: {source}"))
        assert root is not None
        node = root.children["a"]
        located = locate_character(source, node.style, str(node.data), offset)
        assert 0 <= located <= len(source)
