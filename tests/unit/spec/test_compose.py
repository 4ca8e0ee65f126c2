"""Data and positions from YAML, by libyaml's parser and by the pure one alike."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import pytest
import yaml

from runner.spec.compose import FAST_LOADER, Node, compose
from runner.spec.problem import Problem
from runner.spec.source import Source

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
    ("a: .inf\n", "1:4 number", "the number is too large or not finite", None),
    ("a: " + "[" * 51, "1:53 too-deep", "nested deeper than 50 levels", None),
]


@pytest.mark.parametrize(("text", "place", "message", "hint"), REFUSED)
def test_what_a_spec_has_no_use_for_is_refused(
    text: str, place: str, message: str, hint: str | None, loader: type, facts: Facts
) -> None:
    _, problems = compose(Source("x", text), loader)
    assert facts(problems) == [(place, message, hint)]


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
