"""File patterns of output files: parsed, and matched against the files of a task's directory.

It must not know where the files go. Syntax: REST, OutputFile `filePattern`.
"""

from __future__ import annotations

import fnmatch
import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

from runner.emulator.batch.node.containment import (
    ABSENT,
    NodeFolder,
    directory_below,
    resolve_below,
    status_below,
)
from runner.emulator.storage.record import record

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))", re.ASCII)
_WILDCARD = re.compile(r"[*?]|\[(?:!\]|!(?!\])|\]|(?![!\]]))[^\]]*\]")
_ESCAPED = re.compile(r"\[([*?\[])\]")
_SPECIAL = frozenset("*?[]")
_ANY_DEPTH = "**"


class PatternError(ValueError):
    """A pattern that reaches out of the task's directory or cannot name a file."""


@record(frozen=True, slots=True, kw_only=True)
class FilePattern:
    """A pattern below the task's directory: the names before the first wildcard, then the rest.

    With no `wild` components it names the one file `base`.
    """

    base: tuple[str, ...]
    wild: tuple[str, ...]

    @property
    def names_one_file(self) -> bool:
        """Whether there is no wildcard; then a destination path is a blob's name."""
        return not self.wild


def parse_pattern(
    pattern: str, *, task_directory: NodeFolder, environment: Mapping[str, str]
) -> FilePattern:
    """The pattern, variables expanded, relative to `task_directory`; raises `PatternError`.

    A relative pattern starts from `wd`. Both `$NAME` and `${NAME}` are expanded; an unknown name
    stays as it is written. A wildcard in brackets (`[*]`) is that character.
    """
    expanded = pattern
    if "$" in pattern:
        expanded = _VARIABLE.sub(lambda match: _value(match, environment), pattern)
    return _parse(expanded, task_directory if expanded.startswith("/") else None)


# Thousands of tasks have the same, and each is asked for several times.
@lru_cache(maxsize=1024)
def _parse(expanded: str, task_directory: NodeFolder | None) -> FilePattern:
    """A pattern without variables; only where it is absolute, the directory matters."""
    if "\0" in expanded:
        raise PatternError("the pattern holds a null character")
    parts: list[str] = ["wd"] if task_directory is None else []
    above = 0
    for part in expanded.split("/"):
        if part == "..":
            if parts:
                parts.pop()
            else:
                above += 1
        elif part not in {"", "."}:
            parts.append(part)
    if task_directory is not None:
        parts = _strip_directory(parts, task_directory)
    elif above:
        raise PatternError("the pattern leads out of the task's directory")
    if not parts:
        raise PatternError("the pattern names no file")
    return _split(parts)


def find_files(task_directory: NodeFolder, pattern: FilePattern) -> Iterator[tuple[str, ...]]:
    """The components, below the task's directory, of what matches and is no directory, sorted.

    Directories are never entered through links. Raises `OSError` where one cannot be read.
    """
    base = resolve_below(task_directory, pattern.base)
    if base is None:
        return
    if pattern.names_one_file:
        status = status_below(task_directory, base) if base else None
        if status is not None and not stat.S_ISDIR(status.st_mode):
            yield pattern.base
        return
    # Below it no links are followed: only the base has another name in the end.
    start = task_directory.below(*base)
    components = [_compile(part) for part in pattern.wild]
    end = len(components)
    pending = [(pattern.base, _reachable({0}, components))]
    while pending:
        parts, states = pending.pop()
        below = []
        for name, is_directory in _entries(start, parts[len(pattern.base) :]):
            following = _advance(name, states, components)
            if is_directory:
                if following - {end}:
                    below.append(((*parts, name), following))
            elif end in following:
                yield (*parts, name)
        pending.extend(reversed(below))


def _value(match: re.Match[str], environment: Mapping[str, str]) -> str:
    name = match[1] or match[2]
    if name not in environment:
        return match[0]
    value = environment[name]
    # What the service sets are paths and ids; a user's own variable may hold a pattern.
    return re.sub(r"([*?\[])", r"[\1]", value) if name.startswith("AZ_BATCH_") else value


def _strip_directory(parts: list[str], task_directory: NodeFolder) -> list[str]:
    literal = [_unescape(part) for part in parts]
    for node in (task_directory.node.absolute(), task_directory.node.resolve()):
        components = [*node.parts[1:], *task_directory.parts]
        if literal[: len(components)] == components:
            return parts[len(components) :]
    raise PatternError("the pattern leads out of the task's directory")


def _split(parts: list[str]) -> FilePattern:
    base: list[str] = []
    for part in parts:
        literal = _unescape(part)
        if literal is None:
            break
        base.append(literal)
    wild = parts[len(base) :]
    if wild and wild[-1] == _ANY_DEPTH:
        wild = [*wild, "*"]
    return FilePattern(base=tuple(base), wild=tuple(wild))


def _unescape(part: str) -> str | None:
    """The name that a component stands for; None where it is a wildcard."""
    if not _SPECIAL.intersection(part):
        return part
    if _WILDCARD.search(_ESCAPED.sub("", part)):
        return None
    return _ESCAPED.sub(r"\1", part)


@record(frozen=True, slots=True)
class _Component:
    """One component with a wildcard, or beside one; a leading dot must be written out."""

    expression: re.Pattern[str]
    takes_dot: bool

    def matches(self, name: str) -> bool:
        return (self.takes_dot or not name.startswith(".")) and (
            self.expression.match(name) is not None
        )


def _compile(part: str) -> _Component | None:
    """None for `**`."""
    if part == _ANY_DEPTH:
        return None
    # `fnmatch.translate` gives expressions that never go back from one `*` into an earlier one;
    # compiled here, and not by `fnmatch.filter`, they heed case on every system.
    return _Component(re.compile(fnmatch.translate(part)), part.startswith("."))


def _reachable(states: set[int], components: Sequence[_Component | None]) -> frozenset[int]:
    """Adds the states behind `**`, which may stand for no directory at all."""
    for state, component in enumerate(components):
        if state in states and component is None:
            states.add(state + 1)
    return frozenset(states)


def _advance(
    name: str, states: frozenset[int], components: Sequence[_Component | None]
) -> frozenset[int]:
    """The states after one name: how many components may be behind it."""
    following = set()
    for state in states - {len(components)}:
        component = components[state]
        if component is None:
            if not name.startswith("."):
                following.add(state)
        elif component.matches(name):
            following.add(state + 1)
    return _reachable(following, components)


def _entries(folder: NodeFolder, parts: Sequence[str]) -> list[tuple[str, bool]]:
    """The names in a directory, sorted, and whether each is a directory and no link to one."""
    try:
        with directory_below(folder, parts) as directory, os.scandir(directory) as entries:
            return sorted((entry.name, entry.is_dir(follow_symlinks=False)) for entry in entries)
    except OSError as error:
        if error.errno in ABSENT:
            return []
        raise
