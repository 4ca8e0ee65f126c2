"""Reading a file's bytes, and finding the places of its parts again."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest

from runner.spec.document import Document, read_document
from runner.spec.problem import Position, Problem, Span

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]


def read(text: str) -> Document:
    document, problems = read_document("spec.yaml", text.encode())
    assert problems == ()
    assert document is not None
    return document


def place(line: int, column: int) -> Position:
    return Position(line=line, column=column)


@pytest.mark.parametrize(
    ("content", "where", "message", "hint"),
    [
        (b"", "1:1 empty", "the file is empty", "`batch-run schema` prints what a spec may hold"),
        (
            b"# only\n\n",
            "1:1 empty",
            "the file is empty",
            "`batch-run schema` prints what a spec may hold",
        ),
        (
            b"---\n",
            "1:1 empty",
            "the file is empty",
            "`batch-run schema` prints what a spec may hold",
        ),
        (
            b"a: 1\nb: \xe9t\xe9\n",
            "2:4 encoding",
            "byte 0xe9 is not UTF-8",
            "save the file as UTF-8",
        ),
        (
            b"\xef\xbb\xbfa: \xc3\xa9\xff",
            "1:5 encoding",
            "byte 0xff is not UTF-8",
            "save the file as UTF-8",
        ),
        (
            "a: 1".encode("utf-16"),
            "1:1 encoding",
            "the file is UTF-16, not UTF-8",
            "save it as UTF-8",
        ),
        (b"a: 1\nb\0c", "2:2 binary", "the file is binary: it holds a NUL character", None),
        (b"a: \x1b[31m", "1:4 control-character", "character U+001B is not allowed in YAML", None),
        (
            b" " * 1_000_001,
            "1:1 too-large",
            "the file has more than the 1,000,000 bytes that a spec may have",
            None,
        ),
        (
            b"\n- a\n- b\n",
            "2:1 not-a-mapping",
            "a spec is a mapping of keys such as `version: 1`; this is a list",
            None,
        ),
        (
            b"version:1\n",
            "1:1 not-a-mapping",
            "a spec is a mapping of keys such as `version: 1`; this is a single value",
            "put a space behind `version:`",
        ),
    ],
)
def test_what_is_no_spec_at_all(
    content: bytes, where: str, message: str, hint: str | None, facts: Facts
) -> None:
    document, problems = read_document("spec.yaml", content)
    assert document is None
    assert facts(problems) == [(where, message, hint)]


def test_a_byte_order_mark_takes_no_column() -> None:
    document, problems = read_document("spec.yaml", "\ufeffa: 1\n".encode())
    assert problems == ()
    assert document is not None
    assert document.data == {"a": 1}
    assert document.key_span(("a",)) == Span(start=place(1, 1), end=place(1, 2))


def test_spans_of_values_and_keys() -> None:
    document = read("a:\n  - b: é\n    c: 'd'\n  - x\n")
    assert document.span(("a", 0, "c")) == Span(start=place(3, 8), end=place(3, 11))
    assert document.key_span(("a", 0, "c")) == Span(start=place(3, 5), end=place(3, 6))
    assert document.span(("a", 1)) == Span(start=place(4, 5), end=place(4, 6))
    assert document.key_span(("a", 1)) == Span(start=place(4, 5), end=place(4, 6))
    assert document.key_span(("a", 0)) == Span(start=place(2, 5), end=place(2, 6))
    assert document.key_span(()) == Span(start=place(1, 1), end=place(1, 2))
    assert document.source_line(3) == "    c: 'd'"
    assert document.written(("a", 0, "c")) == "'d'"


def test_what_the_file_leaves_out_is_found_at_its_parent() -> None:
    document = read("a:\n  b: 1\n")
    assert document.has(("a", "b"))
    assert not document.has(("a", "c"))
    assert not document.has(("a", "b", 0))
    assert document.span(("a", "c", "d")) == document.span(("a",))
    assert document.key_span(("a", "c")) == document.key_span(("a",))


def test_a_value_that_is_not_written_is_found_behind_its_key() -> None:
    document = read("a:\nb: {c: }\n")
    assert document.span(("a",)) == Span(start=place(1, 2), end=place(1, 2))
    assert document.span(("b", "c")) == Span(start=place(2, 6), end=place(2, 6))


def test_positions_inside_a_value() -> None:
    document = read("a: |\n  one\n  {{ two }}\nb: 'it''s {{ x }}'\nc: >-\n  x\n  {{ y }}\n")
    a = document.data["a"]
    assert document.position_in(("a",), a.index("{{")) == place(3, 3)
    assert document.position_in(("a",), a.index("two")) == place(3, 6)
    assert document.position_in(("b",), document.data["b"].index("{{")) == place(4, 11)
    assert document.position_in(("c",), document.data["c"].index("y")) == place(7, 6)


def test_comments_behind_plain_values() -> None:
    document = read(
        "a: x # one\nb: 'x' # two\nc: x#3\nd: # four\ne: |\n  x # five\nf: x\n  y  # z\n"
    )
    assert document.comment_behind(("a",)) == Span(start=place(1, 6), end=place(1, 7))
    assert document.comment_behind(("f",)) == Span(start=place(8, 6), end=place(8, 7))
    for key in "bcde":
        assert document.comment_behind((key,)) is None


def test_lines_are_those_that_editors_count() -> None:
    document = read('a: "x\u2028y"\r\nb: "\x85"\rc: {d: 1}\n')
    assert document.span(("c", "d")).start == place(3, 8)
    assert document.source_line(1) == 'a: "x\u2028y"'
