"""Every message of the page exists: its words are words of the code, in their order."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache

import pytest

from tests.docs.pages import ROOT

PAGE = ROOT / "docs" / "troubleshooting.md"
_HEADING = re.compile(r"^### (`.+`)$", re.MULTILINE)
MESSAGES = [
    message
    for heading in _HEADING.findall(PAGE.read_text(encoding="utf-8"))
    for message in heading.strip("`").split("`, with `")
]
GAP = "\0"
"""What differs from case to case: no message has it."""


def texts_of(tree: ast.AST) -> Iterator[str]:
    """Every text that the code can say, with gaps where values come."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
        elif isinstance(node, ast.JoinedStr):
            yield "".join(
                str(part.value) if isinstance(part, ast.Constant) else GAP for part in node.values
            )


@cache
def all_texts() -> tuple[str, ...]:
    found: list[str] = []
    for path in sorted((ROOT / "runner").rglob("*.py")):
        found.extend(texts_of(ast.parse(path.read_bytes())))
    return tuple(text.replace("`", "") for text in found if len(text) > 2)


def is_said(message: str) -> bool:
    """Whether a text has all the parts of a message, one behind the other."""
    parts = [part.strip(" `") for part in message.split("…")]
    wanted = re.compile(".*".join(re.escape(part) for part in parts if part), re.DOTALL)
    return any(wanted.search(text) for text in all_texts())


def test_there_are_messages() -> None:
    assert len(set(MESSAGES)) > 40


@pytest.mark.parametrize("message", dict.fromkeys(MESSAGES))
def test_the_message_is_said(message: str) -> None:
    assert is_said(message), "no text of the code has these words"


def test_a_message_that_nobody_says_is_found() -> None:
    assert not is_said("the … has eaten the homework")
    assert is_said("there is no command and no spec …")
