"""What is said where YAML cannot be read at all."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import yaml

from runner.spec.problem import Problem
from runner.spec.yaml.compose import FAST_LOADER, compose
from runner.spec.yaml.source import Source

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]

QUOTE = "put the value in quotes"
QUOTE_OR_BLOCK = "put the value in quotes or in a block (`|`)"
ALIGN = "align it with the other entries; a value of several lines is indented below its key"
SPACES = "YAML indents with spaces only"
ESCAPE = "write the backslash twice, or use single quotes"
BLOCK = "start the text on the next line, indented by spaces"

SYNTAX = [
    ("a:\n\tb: 1\n", "2:1 tab-indentation", "a tab indents here", "YAML indents with spaces only"),
    ("a: |\n\tb\n", "2:1 tab-indentation", "a tab indents here", "YAML indents with spaces only"),
    ("ab:1\nc: 2\n", "1:3 missing-space", "a space is missing after `ab:`", "write `ab: ...`"),
    (
        "a:\n  from:x\n  to: y\n",
        "2:7 missing-space",
        "a space is missing after `from:`",
        "write `from: ...`",
    ),
    (
        "a:\u00a0b\nc: 1\n",
        "1:3 odd-space",
        "this looks like a space, but is the character U+00A0",
        "replace it by a plain space",
    ),
    (
        "a: {b: c # d, e: f}\ng: 1\n",
        "1:10 comment-cut",
        "` #` starts a comment here, which hides the `}`",
        QUOTE,
    ),
    (
        "a: [b, #c]\n",
        "1:8 comment-cut",
        "` #` starts a comment here, which hides the `]`",
        QUOTE,
    ),
    (
        "a: |\n  b\n# c\n  d\n",
        "3:1 comment-cut",
        "this comment is indented less than the text above it, which ends here",
        "indent the `#` as the text is, where it is part of it, or remove the line",
    ),
    (
        "a: {b: c} # d}\nx\n",
        "2:1 yaml-syntax",
        "a `key: value` is expected here",
        "is a `:` missing, or is the line indented too little to belong to the one above?",
    ),
    (
        "a: 1\n...\nb: 2\n",
        "2:1 yaml-syntax",
        "`...` ends the document before its end",
        "remove the line",
    ),
    (
        "a: `date`\n",
        "1:4 yaml-syntax",
        "a backtick at the start of a plain value is reserved",
        QUOTE,
    ),
    (
        "a: {b: c.txt to: d}\n",
        "1:16 yaml-syntax",
        "`,` or `}` is missing here",
        "a value that holds `,`, brackets or quotes stands in quotes as a whole",
    ),
    ("a:\n  b: 1\n\tc: 2\n", "3:1 tab-indentation", "a tab indents here", SPACES),
    ("a:\n  - b\n\t- c\n", "3:1 tab-indentation", "a tab indents here", SPACES),
    ("a: x: y\n", "1:5 yaml-syntax", "a plain value cannot hold `: `", QUOTE_OR_BLOCK),
    ("ab\nc: 1\n", "1:2 yaml-syntax", "a `:` is missing after `ab`", None),
    (
        "a: 1\n  b: 2\n",
        "2:3 yaml-syntax",
        "this key is indented deeper than the value above it allows",
        "align it with the other keys of its mapping",
    ),
    (
        "a: echo x\n  y # z\n  w\nb: 1\n",
        "2:5 comment-cut",
        "` #` starts a comment and ends the value, which goes on in the next line",
        "use a block (`|`), where `#` is plain text, or put the value in quotes",
    ),
    ("a: @x\n", "1:4 yaml-syntax", "`@` at the start of a plain value is reserved", QUOTE),
    (
        "a: %x\n",
        "1:4 yaml-syntax",
        "`%` at the start of a plain value has a meaning of its own",
        QUOTE,
    ),
    ("a: *.mp4\n", "1:4 yaml-syntax", "`*` at the start of a plain value starts an alias", QUOTE),
    (
        "a: [**/*.mp4]\n",
        "1:5 yaml-syntax",
        "`*` at the start of a plain value starts an alias",
        QUOTE,
    ),
    ("a: &&\n", "1:4 yaml-syntax", "`&` at the start of a plain value starts an anchor", QUOTE),
    ("a: !b!c\n", "1:4 yaml-syntax", "`!` at the start of a plain value starts a tag", QUOTE),
    ('a: "x\nb: 1\n', "1:4 yaml-syntax", 'the quote " that opens here is never closed', None),
    ("a: 'x\n", "1:4 yaml-syntax", "the quote ' that opens here is never closed", None),
    ("a: 'x' y\n", "1:8 yaml-syntax", "the value has ended before this", QUOTE_OR_BLOCK),
    (
        "a: [1, 2\nb: 3\n",
        "1:4 yaml-syntax",
        "the `[` that opens here is not closed by `]`",
        None,
    ),
    ("a: {b: c", "1:4 yaml-syntax", "the `{` that opens here is not closed by `}`", None),
    (
        "a: {b: 'c' d}\n",
        "1:12 yaml-syntax",
        "`,` or `}` is missing here",
        "a value that holds `,`, brackets or quotes stands in quotes as a whole",
    ),
    ("a: ]\n", "1:4 yaml-syntax", "a value cannot start with `]`", QUOTE),
    ("a: [", "1:5 yaml-syntax", "a value is missing here", None),
    (
        "a: - b\n",
        "1:4 yaml-syntax",
        "a list cannot start behind `key: `",
        f"start the list on the next line, or {QUOTE}",
    ),
    ('a: "\\xzz"', "1:7 yaml-syntax", "double quotes do not know this escape", ESCAPE),
    ("a: |x\n  b\n", "1:5 yaml-syntax", "this cannot stand behind `|` or `>`", BLOCK),
    ("a: |0\n b\n", "1:5 yaml-syntax", "this cannot stand behind `|` or `>`", BLOCK),
    (
        "%YAML 2.0\n---\na: 1\n",
        "1:1 yaml-syntax",
        "this `%` line cannot be read",
        "remove the line",
    ),
    (
        "a:\n   b: 1\n  c: 2\n",
        "3:3 yaml-syntax",
        "the indentation does not fit the lines above",
        ALIGN,
    ),
    ("- a\nb: 1\n", "2:1 yaml-syntax", "the indentation does not fit the lines above", ALIGN),
    ("a: 1\n- b\n", "2:1 yaml-syntax", "the indentation does not fit the lines above", ALIGN),
]


@pytest.mark.parametrize("loader", [FAST_LOADER, yaml.SafeLoader], ids=["fast", "pure"])
@pytest.mark.parametrize(("text", "place", "message", "hint"), SYNTAX)
def test_a_syntax_error_is_said_in_plain_words(
    text: str, place: str, message: str, hint: str | None, loader: type, facts: Facts
) -> None:
    root, problems = compose(Source("x", text), loader)
    assert root is None
    assert facts(problems) == [(place, message, hint)]


@pytest.mark.parametrize("loader", [FAST_LOADER, yaml.SafeLoader], ids=["fast", "pure"])
def test_an_unknown_escape_is_shown_at_its_backslash_or_letter(loader: type, facts: Facts) -> None:
    _, problems = compose(Source("x", 'a: "\\d"'), loader)
    (fact,) = facts(problems)
    assert fact[0] in {"1:5 yaml-syntax", "1:6 yaml-syntax"}
    assert fact[1:] == ("double quotes do not know this escape", ESCAPE)
