"""A spec as it was written: its text, its plain data, and the place of every part.

It knows nothing of what a spec's keys mean.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field, replace
from typing import Any

from runner.frozen import dataclass
from runner.spec.problem import Position, Problem, Span
from runner.spec.yaml.compose import Node, compose
from runner.spec.yaml.scalars import Style, locate_character
from runner.spec.yaml.source import Source

Pointer = tuple[str | int, ...]
"""The way from the root to a value: keys of mappings and indices of lists."""

MOST_BYTES = 1_000_000
"""The size above which a file is refused unread: no one writes such a spec."""
# YAML 1.2.2, section 5.1: printable characters; the byte order mark was taken off before.
_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_UNPRINTABLE_ASCII = re.compile("[^\t\n\r\x20-\x7e]")  # the other takes milliseconds to compile
_UTF_16_MARKS = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One spec: `name` is the file as the user gave it, `data` plain values, safe to read."""

    name: str
    text: str
    data: dict[str, Any]
    _source: Source = field(repr=False, compare=False)
    _root: Node = field(repr=False, compare=False)

    def has(self, pointer: Pointer) -> bool:
        """Whether the file holds a value there."""
        return self._nearest(pointer)[1]

    def value(self, pointer: Pointer) -> object:
        """What the file holds there, expressions as they were written; None for nothing."""
        node, found = self._nearest(pointer)
        return node.data if found else None

    def span(self, pointer: Pointer) -> Span:
        """The place of a value, or of the nearest one around it where the file leaves it out."""
        node, _ = self._nearest(pointer)
        return self._source.span(node.start, node.end)

    def key_span(self, pointer: Pointer) -> Span:
        """The place of a value's key; of an entry's first key, or the entry, in a list."""
        node, _ = self._nearest(pointer)
        if node.key is None and node.style is Style.MAPPING and node.children:
            node = next(iter(node.children.values()))  # the entry starts with its first key
        return self._source.span(*(node.key or (node.start, node.end)))

    def position_in(self, pointer: Pointer, offset: int) -> Position:
        """Where character `offset` of a string value stands, whatever its quoting and folding."""
        node, _ = self._nearest(pointer)
        text = self.text[node.start : node.end]
        at = locate_character(text, node.style, str(node.data), offset)
        return self._source.position(node.start + at)

    def source_line(self, line: int) -> str:
        """The text of a line, counted from 1."""
        return self._source.line(line)

    def written(self, pointer: Pointer) -> str:
        """A value's text in the file, with its quotes and escapes."""
        node, _ = self._nearest(pointer)
        return self.text[node.start : node.end]

    def comment_behind(self, pointer: Pointer) -> Span | None:
        """The `#` of a comment in the line of a plain value's end, if there is one."""
        node, _ = self._nearest(pointer)
        behind = re.compile(r"[ \t]+(#)").match(self.text, node.end)
        if node.style is not Style.PLAIN or node.data is None or behind is None:
            return None
        return self._source.span(behind.start(1), behind.end(1))

    def problem(
        self, pointer: Pointer, *, code: str, message: str, hint: str | None = None
    ) -> Problem:
        """A problem with a value, shown at its span."""
        return self.problem_at(self.span(pointer), code=code, message=message, hint=hint)

    def key_problem(
        self, pointer: Pointer, *, code: str, message: str, hint: str | None = None
    ) -> Problem:
        """A problem with a key, shown at its span."""
        return self.problem_at(self.key_span(pointer), code=code, message=message, hint=hint)

    def problem_at(
        self, span: Span, *, code: str, message: str, hint: str | None = None
    ) -> Problem:
        """A problem at a place of the file."""
        return self._source.problem_at(span, code=code, message=message, hint=hint)

    def with_keys(self, names: Mapping[Pointer, str | None]) -> Document:
        """The same with some keys read as others, and those left out that are to be None.

        Each stays where it is written.
        """
        root = _renamed(self._root, (), names)
        return replace(self, data=root.data, _root=root)

    def _nearest(self, pointer: Pointer) -> tuple[Node, bool]:
        node = self._root
        for part in pointer:
            child = node.children.get(part)
            if child is None:
                return node, False
            node = child
        return node, True


def read_document(name: str, content: bytes) -> tuple[Document | None, tuple[Problem, ...]]:
    """A spec's content, and all that is wrong with it as YAML.

    The document is None where the problems leave nothing that could be checked further.
    """
    source, problems = _decode(name, content)
    if problems:
        return None, problems
    root, problems = compose(source)
    if root is None and problems:
        return None, problems
    if root is None or root.data is None:
        hint = "`batch-run schema` prints what a spec may hold"
        empty = source.problem(0, 0, code="empty", message="the file is empty", hint=hint)
        return None, (*problems, empty)
    if root.style is not Style.MAPPING:
        return None, (*problems, _not_a_mapping(source, root))
    return Document(
        name=name, text=source.text, data=root.data, _source=source, _root=root
    ), problems


def _decode(name: str, content: bytes) -> tuple[Source, tuple[Problem, ...]]:
    """The text, or what keeps the bytes from being one; then the text is as good as it gets."""
    nothing = Source(name, "")
    if len(content) > MOST_BYTES:
        message = f"the file has more than the {MOST_BYTES:,} bytes that a spec may have"
        return nothing, (nothing.problem(0, 0, code="too-large", message=message),)
    if content.startswith(_UTF_16_MARKS):
        message = "the file is UTF-16, not UTF-8"
        hint = "save it as UTF-8"
        return nothing, (nothing.problem(0, 0, code="encoding", message=message, hint=hint),)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        rough = Source(name, content.decode("utf-8-sig", errors="replace"))
        # Bytes are counted behind the mark that the codec took off.
        start = len(error.object[: error.start].decode())
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        hint = "save the file as UTF-8"
        problem = rough.problem(start, start + 1, code="encoding", message=message, hint=hint)
        return rough, (problem,)
    source = Source(name, text)
    return source, tuple(_unprintable(source))


def _renamed(node: Node, pointer: Pointer, names: Mapping[Pointer, str | None]) -> Node:
    if not node.children:
        return node
    children: dict[str | int, Node] = {}
    for key, child in node.children.items():
        at = (*pointer, key)
        name = names.get(at, key)
        if name is not None:
            children[name] = _renamed(child, at, names)
    if node.style is Style.MAPPING:
        return replace(
            node, data={k: child.data for k, child in children.items()}, children=children
        )
    return replace(node, data=[child.data for child in children.values()], children=children)


def _unprintable(source: Source) -> Iterator[Problem]:
    if source.text.isascii():
        found = _UNPRINTABLE_ASCII.search(source.text)
    else:
        found = re.search(_UNPRINTABLE, source.text)
    if found:
        character = found.group()
        if character == "\0":
            code, message = "binary", "the file is binary: it holds a NUL character"
        else:
            code = "control-character"
            message = f"character U+{ord(character):04X} is not allowed in YAML"
        yield source.problem(found.start(), found.end(), code=code, message=message)


def _not_a_mapping(source: Source, root: Node) -> Problem:
    match root.style:
        case Style.SEQUENCE:
            found = "a list"
        case _:
            found = "a single value"
    message = f"a spec is a mapping of keys such as `version: 1`; this is {found}"
    squeezed = re.match(r"([A-Za-z_]+):(?=\S)", source.text[root.start :])
    hint = f"put a space behind `{squeezed.group(1)}:`" if squeezed else None
    first_line_end = source.text.find("\n", root.start)
    end = root.end if first_line_end == -1 else min(root.end, first_line_end)
    return source.problem(root.start, end, code="not-a-mapping", message=message, hint=hint)
