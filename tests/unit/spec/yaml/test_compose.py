"""Data and positions from YAML, by libyaml's parser and by the pure one alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import yaml

from runner.spec.problem import Problem
from runner.spec.yaml.compose import FAST_LOADER, Node, compose
from runner.spec.yaml.source import Source

Facts = Callable[[Iterable[Problem]], list[tuple[str, str, str | None]]]


@pytest.fixture(params=[FAST_LOADER, yaml.SafeLoader], ids=["fast", "pure"])
def loader(request: pytest.FixtureRequest) -> type:
    chosen: type = request.param
    return chosen


def test_nodes_remember_where_they_and_their_keys_stand(loader: type) -> None:
    text = "# head\na: é 世  # tail\nb:\n- x\n- {c: 'y', d: }\ne: |\n  text\n\n# end\n"
    root, problems = compose(Source("x", text), loader)
    assert problems == ()
    assert root is not None
    assert root.data == {"a": "é 世", "b": ["x", {"c": "y", "d": None}], "e": "text\n"}

    def written(node: Node) -> str:
        return text[node.start : node.end]

    b = root.children["b"]
    assert b.key is not None
    assert text[slice(*b.key)] == "b"
    assert written(root.children["a"]) == "é 世"
    assert written(b) == "- x\n- {c: 'y', d: }"
    assert written(b.children[1]) == "{c: 'y', d: }"
    assert written(b.children[1].children["c"]) == "'y'"
    assert written(root.children["e"]) == "|\n  text"
    assert written(root) == text[text.index("a:") : text.index("\n\n# end")]


UNQUOTED = "`{{` at the start of a plain value is a YAML mapping, not an expression"
QUOTE_TEMPLATE = 'put the whole value in quotes: "{{ ... }}"'
REFUSED = [
    (
        "a: 1\nb: 2\na: 3\n",
        "3:1 duplicate-key",
        "`a` is given twice; the first is on line 1",
        "keep one of the two",
    ),
    ("a: {{ b.c }}\n", "1:4 unquoted-template", UNQUOTED, QUOTE_TEMPLATE),
    ("a: {{ b }} c\n", "1:4 unquoted-template", UNQUOTED, QUOTE_TEMPLATE),
    ("a: [b, {{ c }}, d]\n", "1:8 unquoted-template", UNQUOTED, QUOTE_TEMPLATE),
    ("{{ a }}: b\n", "1:1 unquoted-template", UNQUOTED, QUOTE_TEMPLATE),
    (
        "a: {pattern: b, c d}\n",
        "1:17 comma-in-flow",
        "`c d` has no value: the comma ends the value of `pattern`",
        'to keep the comma, write `pattern: "b, c d"`',
    ),
    (
        "a: {count: 1,000}\n",
        "1:14 comma-in-flow",
        "`000` has no value: the comma ends the value of `count`",
        "write the number without commas: `1000`",
    ),
    (
        "a: {b}\n",
        "1:5 comma-in-flow",
        "`b` has no value",
        "between `{` and `}` each key has a value: `{key: value}`",
    ),
    (
        "a: {wait:30m}\n",
        "1:5 missing-space",
        "a space is missing after `wait:`",
        "write `wait: 30m`",
    ),
    (
        "a: *b\n",
        "1:4 alias",
        "aliases (`*b`) are not read",
        'write the value out, or use a parameter; to mean the text, quote it: "*b"',
    ),
    (
        "a: &b c\n",
        "1:4 anchor",
        "anchors (`&b`) are not read",
        "remove `&b`; to mean the text, put the value in quotes",
    ),
    (
        "a: !!str 1\n",
        "1:4 tag",
        "tags (`!...`) are not read",
        "remove it; to mean the text, put the value in quotes",
    ),
    (
        "<<: {a: 1}\n",
        "1:1 merge-key",
        "merge keys (`<<`) are not read",
        "write the keys out; values used in several places can be parameters",
    ),
    (": a\n", "1:1 empty-key", "a key is missing before this `:`", None),
    ("?\n", "1:2 empty-key", "a key is missing before the `:`", None),
    ("[a]: b\n", "1:1 complex-key", "a key must be plain text", None),
    (
        "a: 1\n---\nb: 2\n",
        "2:1 many-documents",
        "a second document starts here",
        "one file holds one workload: take this line out or move the rest to its own file",
    ),
    (
        "a: b\n\u00a0\u00a0c: d\n",
        "2:1 odd-space",
        "this looks like a space, but is the character U+00A0",
        "replace it by a plain space",
    ),
    (
        "a:\n  b:\u00a0c\n",
        "2:5 odd-space",
        "this looks like a space, but is the character U+00A0",
        "replace it by a plain space",
    ),
    (
        "a: \u3000b\n",
        "1:4 odd-space",
        "this looks like a space, but is the character U+3000",
        "replace it by a plain space",
    ),
    (
        "mode: 0755\n",
        "1:7 leading-zero",
        "`0755` is the number 755: the zeros are lost",
        'to keep them, put it in quotes: `"0755"`; else write `755`',
    ),
    (
        "a: [-01]\n",
        "1:5 leading-zero",
        "`-01` is the number -1: the zeros are lost",
        'to keep them, put it in quotes: `"-01"`; else write `-1`',
    ),
    (
        "a: [\u201c*.mp4\u201d]\n",
        "1:5 curly-quote",
        "`\u201c` is no quote of YAML: it becomes part of the text",
        'write straight quotes: `"*.mp4"`',
    ),
    (
        "a: \u2018b c\u2019\n",
        "1:4 curly-quote",
        "`\u2018` is no quote of YAML: it becomes part of the text",
        "write straight quotes: `'b c'`",
    ),
    (
        "a:\n- b\n  - c\n",
        "3:3 list-in-text",
        "this `-` starts no entry: it belongs to the text that began above",
        "align it with the other entries; a text of several lines can be a block (`>-`)",
    ),
    ("a: .inf\n", "1:4 number", "the number is too large or not finite", None),
    ("a: " + "[" * 51, "1:53 too-deep", "nested deeper than 50 levels", None),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), REFUSED)
def test_what_a_spec_has_no_use_for_is_refused(
    text: str, place: str, message: str, hint: str | None, loader: type, facts: Facts
) -> None:
    _, problems = compose(Source("x", text), loader)
    assert facts(problems) == [(place, message, hint)]


@pytest.mark.parametrize(
    "text",
    [
        "a: b\u00a0c\n",
        "a: '\u00a0b'\n",
        'a: "007"\n',
        "a: [0, 0.5, -0.5, 10, 0o7, 0x0F]\n",
        "a: \u201cb\u201d c\n",
        "a: it\u2019s\n",
        "a: ffmpeg -i x\n  -f mp3 -\n",
        "a: >-\n  b\n  - c\n",
        "a: x\n\n  y-z\n",
        "a: [yes, no, on, off, 22_04, 1:30, 2026-01-01, 1.2.3]\n",
    ],
)
def test_what_only_looks_like_a_trap(text: str, loader: type) -> None:
    assert compose(Source("x", text), loader)[1] == ()


BILLION_LAUGHS = "a: &a [x]\n" + "".join(
    f"{name}: &{name} [{', '.join([f'*{before}'] * 9)}]\n"
    for before, name in zip("abcdefghijklm", "bcdefghijklmn", strict=True)
)


def test_an_alias_bomb_is_refused_at_its_first_alias(loader: type, facts: Facts) -> None:
    root, problems = compose(Source("x", BILLION_LAUGHS), loader)
    assert root is None
    assert [fact[0] for fact in facts(problems)] == ["1:4 anchor", "2:4 anchor", "2:8 alias"]


def test_a_merge_key_and_its_alias_are_both_said(loader: type, facts: Facts) -> None:
    _, problems = compose(Source("x", "a: &b {c: 1}\nd:\n  <<: *b\n"), loader)
    assert [fact[0] for fact in facts(problems)] == ["1:4 anchor", "3:3 merge-key", "3:7 alias"]


def test_what_was_meant_is_read_on(loader: type) -> None:
    root, problems = compose(Source("x", "a: [\u201cb\u201d, c\u00a0, d:\u00a0e]\n"), loader)
    assert [problem.code for problem in problems] == ["curly-quote", "odd-space", "odd-space"]
    assert root is not None
    assert root.data == {"a": ["b", "c", "d: e"]}


def test_a_number_with_leading_zeros_stays_text(loader: type) -> None:
    root, problems = compose(Source("x", "a: [007, '007', 7, 0]\n"), loader)
    assert [problem.code for problem in problems] == ["leading-zero"]
    assert root is not None
    assert root.data == {"a": ["007", "007", 7, 0]}


def test_an_unquoted_template_stands_for_its_text(loader: type) -> None:
    root, problems = compose(Source("x", "a: {{ b.c }}\nd: [{{ e }}, 1]\n"), loader)
    assert len(problems) == 2
    assert root is not None
    assert root.data == {"a": "{{ b.c }}", "d": ["{{ e }}", 1]}


def test_a_key_that_is_refused_leaves_the_others_alone(loader: type) -> None:
    root, problems = compose(Source("x", "a: 1\na: {b: 2}\nc: {d: e, f}\n"), loader)
    assert [problem.code for problem in problems] == ["duplicate-key", "comma-in-flow"]
    assert root is not None
    assert root.data == {"a": 1, "c": {"d": "e"}}


@pytest.mark.parametrize("opening", ["[", "{a: ", "- ", "{{"])
def test_very_deep_nesting_is_refused_at_once(opening: str, loader: type) -> None:
    root, problems = compose(Source("x", opening * 5_000), loader)
    assert root is None
    assert problems[-1].code == "too-deep"


def test_problems_are_bounded(loader: type) -> None:
    root, problems = compose(Source("x", "a: 1\n" * 5_000), loader)
    assert root is None
    assert len(problems) == 100


def test_both_parsers_agree_on_positions() -> None:
    text = 'é: "\\u4e16 \\\n  x"\r\n世: [a, {b: c}, \U0001f600]\r\nd: >-\r\n  e\r\n  f\r\ng:\r\n'
    fast, fast_problems = compose(Source("x", text))
    pure, pure_problems = compose(Source("x", text), yaml.SafeLoader)
    assert fast_problems == pure_problems == ()
    assert fast == pure


@pytest.mark.parametrize("text", ['a: "\\ud800"', 'a: "\\U00110000"', 'a: "\\udfff\\ud800"'])
def test_characters_that_do_not_exist_are_refused(text: str, loader: type) -> None:
    root, problems = compose(Source("x", text), loader)
    assert root is None
    assert [problem.code for problem in problems] == ["yaml-syntax"]
