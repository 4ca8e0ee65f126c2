"""The page of codes has every code that a spec's problems can have, and none besides."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from functools import cache

import pytest

from runner.run import advice, events
from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "codes.md"
_SECTION = re.compile(r"^## (.+?)$(.*?)(?=^## |\Z)", re.MULTILINE | re.DOTALL)
_ROW = re.compile(r"^\| (`.+?) \|", re.MULTILINE)
_CODE = re.compile(r"[a-z]+(?:-[a-z]+)*\Z")
# Parts that make problems of specs; `cli` and `run` find those that need an environment or service.
_PARTS = ("spec", "plan", "run", "cli")
_MAKERS = frozenset({"code", "message"})
# Of the way to the service, whose codes are not ours.
_SERVICES = frozenset({"TaskFailure", "RunFinished"})
WITHOUT_CALL = frozenset({"unreadable"})
"""Codes that stand in a mapping, and are given to nobody."""


@cache
def listed(section: str) -> frozenset[str]:
    """The codes in the first column of a section's tables."""
    texts = dict(_SECTION.findall(PAGE.read_text(encoding="utf-8")))
    rows = _ROW.findall(texts[section])
    return frozenset(code for row in rows for code in re.findall(r"`([^`]+)`", row))


@cache
def trees() -> tuple[ast.Module, ...]:
    paths = (path for part in _PARTS for path in sorted((ROOT / "runner" / part).rglob("*.py")))
    return tuple(ast.parse(path.read_bytes()) for path in paths)


def parameters(node: ast.AST) -> Iterator[tuple[str, list[str]]]:
    """What a function, or a class, is called by, and the names of what it takes in order."""
    if isinstance(node, ast.FunctionDef):
        yield node.name, [each.arg for each in node.args.args if each.arg not in {"self", "cls"}]
    elif isinstance(node, ast.ClassDef):
        fields = [each.target for each in node.body if isinstance(each, ast.AnnAssign)]
        yield node.name, [each.id for each in fields if isinstance(each, ast.Name)]
        for each in node.body:
            if isinstance(each, ast.FunctionDef) and each.name == "__init__":
                yield node.name, [name.arg for name in each.args.args if name.arg != "self"]


@cache
def places() -> Mapping[str, frozenset[int]]:
    """Where those that make problems take their code, as long as it is not by name."""
    found: dict[str, set[int]] = {}
    for tree in trees():
        for node in ast.walk(tree):
            for name, taken in parameters(node):
                if {*taken} >= _MAKERS and name not in _SERVICES:
                    found.setdefault(name, set()).add(taken.index("code"))
    return {name: frozenset(where) for name, where in found.items()}


def constants(tree: ast.Module) -> dict[str, str]:
    return {
        target.id: node.value.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def values(node: ast.expr, named: Mapping[str, str]) -> Iterator[str]:
    match node:
        case ast.Constant(value=str(text)):
            yield text
        case ast.Name(id=name) if name in named:
            yield named[name]
        case ast.IfExp(body=first, orelse=second):
            yield from values(first, named)
            yield from values(second, named)


def codes_of(tree: ast.Module) -> Iterator[str]:
    """What is given as a code: by its name, at its place, or to a variable that is called so."""
    named = constants(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                yield from _assigned(target, node.value, named)
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else None
        name = node.func.id if isinstance(node.func, ast.Name) else name
        if name in _SERVICES:
            continue
        for keyword in node.keywords:
            if keyword.arg == "code":
                yield from values(keyword.value, named)
        for place in places().get(name or "", ()):
            if place < len(node.args):
                yield from values(node.args[place], named)


def _assigned(target: ast.expr, value: ast.expr, named: Mapping[str, str]) -> Iterator[str]:
    match target, value:
        case ast.Name(id="code"), _:
            yield from values(value, named)
        case ast.Tuple(elts=[ast.Name(id="code"), *_]), ast.Tuple(elts=[first, *_]):
            yield from values(first, named)


@cache
def said() -> frozenset[str]:
    found = {code for tree in trees() for code in codes_of(tree) if _CODE.match(code)}
    return frozenset(found) | WITHOUT_CALL


def test_every_code_of_a_problem_is_on_the_page() -> None:
    assert sorted(said() - listed("Problems of a spec")) == []


def test_the_page_has_no_code_that_nobody_says() -> None:
    assert sorted(listed("Problems of a spec") - said() - {"sc"}) == []


@pytest.mark.parametrize(
    "cause",
    [
        events.DEPENDENCY_FAILED,
        events.JOB_ENDED,
        events.HALTED,
        events.TRANSFER_FAILED,
        events.OUTPUT_MISSING,
    ],
)
def test_every_cause_of_ours_is_on_the_page(cause: str) -> None:
    assert cause in listed("Causes of tasks")


def test_what_there_is_to_do_about_a_code_of_the_service_is_on_the_page() -> None:
    no_nodes = listed("Why there are no nodes")
    assert {code for code in no_nodes if advice.advise(code) is None} == set()
    assert len(no_nodes) > 10


def test_codes_are_found_however_they_are_given() -> None:
    tree = ast.parse("_ODD = 'odd'\nproblem(at, code=_ODD)\ncode, words = 'even', ''\n")
    assert sorted(codes_of(tree)) == ["even", "odd"]
