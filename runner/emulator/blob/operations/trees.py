"""Reads a small XML document into a tree; refuses what only an attack would hold.

It must not know what the elements mean.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from xml.parsers import expat

from runner.emulator.blob.core.refusals import (
    INVALID_XML_DOCUMENT,
    REQUEST_BODY_TOO_LARGE,
    RefusedError,
)
from runner.emulator.server.http import ContentTooLargeError, Request

_MAXIMUM_BYTES = 1024 * 1024


@dataclass(slots=True, kw_only=True)
class Node:
    """An element: its own text, and the elements in it."""

    name: str
    text: str = ""
    children: list[Node] = field(default_factory=list)

    def find(self, name: str) -> Node | None:
        """The first element of that name."""
        return next((child for child in self.children if child.name == name), None)

    def read(self, name: str) -> str:
        """The text of the first element of that name; empty where there is none."""
        child = self.find(name)
        return child.text.strip() if child is not None else ""


async def read_tree(request: Request, root: str) -> Node | None:
    """The request's document; None where it has no content, refused where its root is another."""
    try:
        document = await request.read(limit_bytes=_MAXIMUM_BYTES)
    except ContentTooLargeError as error:
        raise RefusedError(REQUEST_BODY_TOO_LARGE) from error
    if not document:
        return None
    tree = parse_tree(document)
    if tree.name != root:
        raise RefusedError(INVALID_XML_DOCUMENT)
    return tree


def parse_tree(document: bytes) -> Node:
    """The root of a document; raises `RefusedError`."""
    top = Node(name="")
    path = [top]

    def start(name: str, _attributes: dict[str, str]) -> None:
        node = Node(name=name)
        path[-1].children.append(node)
        path.append(node)

    def end(_name: str) -> None:
        path.pop()

    def take(text: str) -> None:
        path[-1].text += text

    def refuse_doctype(*_: object) -> None:
        raise RefusedError(INVALID_XML_DOCUMENT)

    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = take
    parser.StartDoctypeDeclHandler = refuse_doctype
    try:
        parser.Parse(document, True)
    except (expat.ExpatError, ValueError) as error:
        raise RefusedError(INVALID_XML_DOCUMENT) from error
    return top.children[0]
