"""From YAML's events to plain data in which every node and key remembers where it stands.

It refuses what a spec has no use for (aliases, tags, several documents, keys given twice) and what
could exhaust us (deep nesting); it knows nothing of a spec's keys.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Any

import yaml

from runner.frozen import dataclass
from runner.spec.problem import Problem
from runner.spec.yaml.scalars import NumberTooLargeError, Style, resolve_plain
from runner.spec.yaml.source import Source
from runner.spec.yaml.syntax import explain_syntax_error
from runner.spec.yaml.traps import Trap, find_odd_space, find_traps

_MOST_LEVELS = 50
_MOST_PROBLEMS = 100
_GROUPED_NUMBER = re.compile(r"[-+]?[0-9]{1,3}(?:,[0-9]{3})+\Z")
_STYLES = {
    "'": Style.SINGLE_QUOTED,
    '"': Style.DOUBLE_QUOTED,
    "|": Style.LITERAL,
    ">": Style.FOLDED,
}

FAST_LOADER: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
"""libyaml's parser where PyYAML was built with it: twenty times the speed, the same positions."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """A value, with the offsets of its text (`start`, `end`) and of its key in a mapping."""

    data: Any
    style: Style
    start: int
    end: int
    key: tuple[int, int] | None = None
    children: Mapping[str | int, Node] = field(default_factory=dict)


@dataclasses.dataclass(slots=True, kw_only=True)
class _Collection:
    """A mapping or sequence whose end is still to come."""

    style: Style
    in_flow: bool
    start: int
    data: dict[str, Any] | list[Any]
    children: dict[str | int, Node] = field(default_factory=dict)
    key: tuple[str, int, int] | None = None
    key_is_usable: bool = True


class _UnusableError(Exception):
    """What was read cannot be trusted; the problems say why."""


def compose(source: Source, loader: type = FAST_LOADER) -> tuple[Node | None, tuple[Problem, ...]]:
    """The root of a text's only document; None where the problems leave nothing to go on with."""
    composer = _Composer(source)
    try:
        composer.read(yaml.parse(source.text, Loader=loader))
    except _UnusableError:
        return None, tuple(composer.problems)
    except (yaml.YAMLError, ValueError) as error:  # ValueError: the pure parser, for `\U00110000`
        problem = explain_syntax_error(source, error)
        lines = {each.span.start.line for each in composer.problems}
        if problem.span.start.line not in lines:  # else it is the same mistake seen again
            composer.problems.append(problem)
        return None, tuple(composer.problems)
    return composer.root, tuple(composer.problems)


class _Composer:
    """State of one reading: the open collections and what was wrong so far."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.problems: list[Problem] = []
        self.root: Node | None = None
        self._open: list[_Collection] = []
        self._template_levels = 0
        self._template_start = 0

    def read(self, events: Iterable[yaml.Event]) -> None:
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    self._refuse_second_document(event)
            elif isinstance(event, yaml.AliasEvent):
                self._refuse_alias(event)
            elif self._template_levels:
                self._skip_template(event)
            elif isinstance(event, yaml.ScalarEvent):
                self._refuse_decoration(event)
                self._add_scalar(event)
            elif isinstance(event, yaml.CollectionStartEvent):
                self._refuse_decoration(event)
                self._start_collection(event)
            elif isinstance(event, yaml.CollectionEndEvent):
                self._end_collection(event)

    def _add_scalar(self, event: yaml.ScalarEvent) -> None:
        start, end = _extent(event)
        style = _STYLES.get(event.style or "", Style.PLAIN)
        if style in {Style.LITERAL, Style.FOLDED}:
            end = start + len(self.source.text[start:end].rstrip())
        if self._expects_key():
            self._add_key(event.value, start, end, is_plain=style is Style.PLAIN)
            return
        data: Any = event.value
        if style is Style.PLAIN:
            traps = tuple(find_traps(event.value, self.source.text[start:end]))
            for trap in traps:
                self._report_trap(trap, start)
            try:
                data = traps[0].meant if traps else resolve_plain(event.value)
            except NumberTooLargeError:
                self._report(start, end, "number", "the number is too large or not finite")
        elif any("\ud800" <= character <= "\udfff" for character in event.value):
            self._report(start, end, "yaml-syntax", "half of a surrogate pair is no character")
            raise _UnusableError
        self._add_value(data, style, start, end, {})

    def _expects_key(self) -> bool:
        return bool(self._open) and self._open[-1].style is Style.MAPPING and not self._open[-1].key

    def _add_key(self, text: str, start: int, end: int, *, is_plain: bool) -> None:
        parent = self._open[-1]
        parent.key = (text, start, end)
        parent.key_is_usable = False
        first = parent.children.get(text)
        odd = find_odd_space(text) if is_plain else None
        if odd is not None:
            self._report_trap(odd, start)
        elif is_plain and text == "<<":
            hint = "write the keys out; values used in several places can be parameters"
            self._report(start, end, "merge-key", "merge keys (`<<`) are not read", hint)
        elif is_plain and not text:
            self._report(start, start + 1, "empty-key", "a key is missing before the `:`")
        elif first is not None and first.key is not None:
            line = self.source.position(first.key[0]).line
            message = f"`{_short(text)}` is given twice; the first is on line {line}"
            self._report(start, end, "duplicate-key", message, "keep one of the two")
        elif parent.in_flow and self._lacks_colon(end):
            self._report_valueless(parent, text, start, end)
        else:
            parent.key_is_usable = True

    def _lacks_colon(self, offset: int) -> bool:
        text = self.source.text
        while offset < len(text) and text[offset] in " \t\r\n":
            offset += 1
        return text[offset : offset + 1] in {",", "}", "]"}

    def _report_valueless(self, parent: _Collection, text: str, start: int, end: int) -> None:
        previous = next(reversed(parent.children), None)
        name, colon, rest = text.partition(":")
        if colon and name.isidentifier() and rest:
            message = f"a space is missing after `{name}:`"
            self._report(start, end, "missing-space", message, f"write `{name}: {_short(rest)}`")
        elif previous is not None and parent.children[previous].style is Style.PLAIN:
            before = parent.children[previous]
            message = f"`{_short(text)}` has no value: the comma ends the value of `{previous}`"
            whole = self.source.text[before.start : end]
            hint = f'to keep the comma, write `{previous}: "{_short(whole)}"`'
            if _GROUPED_NUMBER.match(whole):
                hint = f"write the number without commas: `{_short(whole.replace(',', ''))}`"
            self._report(start, end, "comma-in-flow", message, hint)
        else:
            hint = "between `{` and `}` each key has a value: `{key: value}`"
            self._report(start, end, "comma-in-flow", f"`{_short(text)}` has no value", hint)

    def _add_value(
        self, data: Any, style: Style, start: int, end: int, children: Mapping[str | int, Node]
    ) -> None:
        if not self._open:
            self.root = Node(data=data, style=style, start=start, end=end, children=children)
            return
        parent = self._open[-1]
        if isinstance(parent.data, list):
            node = Node(data=data, style=style, start=start, end=end, children=children)
            parent.children[len(parent.data)] = node
            parent.data.append(data)
            return
        assert parent.key is not None
        name, key_start, key_end = parent.key
        parent.key = None
        if parent.key_is_usable:
            if start == end:  # no value: parsers differ in where they see it
                start = end = key_end
            parent.children[name] = Node(
                data=data,
                style=style,
                start=start,
                end=end,
                key=(key_start, key_end),
                children=children,
            )
            parent.data[name] = data

    def _start_collection(self, event: yaml.CollectionStartEvent) -> None:
        start, _ = _extent(event)
        is_mapping = isinstance(event, yaml.MappingStartEvent)
        if is_mapping and self.source.text[start : start + 2] == "{{":
            self._template_levels, self._template_start = 1, start
            hint = 'put the whole value in quotes: "{{ ... }}"'
            message = "`{{` at the start of a plain value is a YAML mapping, not an expression"
            self._report(start, start + 2, "unquoted-template", message, hint)
            return
        if self._expects_key():
            self._report(start, start + 1, "complex-key", "a key must be plain text")
            raise _UnusableError
        self._refuse_depth(len(self._open) + 1, event)
        self._open.append(
            _Collection(
                style=Style.MAPPING if is_mapping else Style.SEQUENCE,
                in_flow=bool(event.flow_style),
                start=start,
                data={} if is_mapping else [],
            )
        )

    def _end_collection(self, event: yaml.CollectionEndEvent) -> None:
        done = self._open.pop()
        _, end = _extent(event)
        if not done.in_flow:  # its mark is where the next thing starts
            last = next(reversed(done.children.values()), None)
            end = last.end if last else done.start
        self._add_value(done.data, done.style, done.start, end, done.children)

    def _skip_template(self, event: yaml.Event) -> None:
        """Go over what `{{ ... }}` was misread as; its text stands for it from here on."""
        if isinstance(event, yaml.CollectionStartEvent):
            self._template_levels += 1
            self._refuse_depth(self._template_levels, event)
        elif isinstance(event, yaml.CollectionEndEvent):
            self._template_levels -= 1
            if self._template_levels == 0:
                start, end = self._template_start, _extent(event)[1]
                text = self.source.text[start:end]
                if self._expects_key():
                    self._add_key(text, start, end, is_plain=True)
                else:
                    self._add_value(text, Style.PLAIN, start, end, {})

    def _refuse_depth(self, levels: int, event: yaml.CollectionStartEvent) -> None:
        if levels > _MOST_LEVELS:
            start, _ = _extent(event)
            self._report(start, start + 1, "too-deep", f"nested deeper than {_MOST_LEVELS} levels")
            raise _UnusableError

    def _refuse_second_document(self, event: yaml.DocumentStartEvent) -> None:
        start, _ = _extent(event)
        hint = "one file holds one workload: take this line out or move the rest to its own file"
        self._report(start, start + 3, "many-documents", "a second document starts here", hint)
        raise _UnusableError

    def _refuse_alias(self, event: yaml.AliasEvent) -> None:
        start, end = _extent(event)
        text = self.source.text[start:end]
        hint = f'write the value out, or use a parameter; to mean the text, quote it: "{text}"'
        self._report(start, end, "alias", f"aliases (`{_short(text)}`) are not read", hint)
        raise _UnusableError

    def _refuse_decoration(self, event: yaml.ScalarEvent | yaml.CollectionStartEvent) -> None:
        start, _ = _extent(event)
        if event.anchor is not None:
            text = f"&{event.anchor}"
            hint = f"remove `{_short(text)}`; to mean the text, put the value in quotes"
            message = f"anchors (`{_short(text)}`) are not read"
            self._report(start, start + len(text), "anchor", message, hint)
        if event.tag is not None:
            hint = "remove it; to mean the text, put the value in quotes"
            self._report(start, start + 1, "tag", "tags (`!...`) are not read", hint)

    def _report_trap(self, trap: Trap, start: int) -> None:
        start += trap.start
        self._report(start, start + trap.length, trap.code, trap.message, trap.hint)

    def _report(
        self, start: int, end: int, code: str, message: str, hint: str | None = None
    ) -> None:
        self.problems.append(self.source.problem(start, end, code=code, message=message, hint=hint))
        if len(self.problems) >= _MOST_PROBLEMS:
            raise _UnusableError


def _extent(event: yaml.Event) -> tuple[int, int]:
    """The offsets of an event's first character and of the one behind it."""
    assert event.start_mark is not None, "the parser marks every event"
    assert event.end_mark is not None, "the parser marks every event"
    return event.start_mark.index, event.end_mark.index


def _short(text: str, most: int = 40) -> str:
    return text if len(text) <= most else f"{text[:most]}..."
