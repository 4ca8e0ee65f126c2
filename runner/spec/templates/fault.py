"""What is wrong with one template, as values that point into its text.

It knows nothing of files, lines or YAML: an offset counts characters of one string of the spec.
"""

from __future__ import annotations

from collections.abc import Iterable

from runner.frozen import dataclass
from runner.spec.suggestion import closest

_MOST_LISTED = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class TemplateFault:
    """One thing that is wrong, at characters `offset` to `offset + length`, counted from 0.

    `item` is the index of the string in a command's list form, None for a string on its own.
    """

    offset: int
    length: int
    code: str
    message: str
    hint: str | None = None
    item: int | None = None


class TemplateError(Exception):
    """A template cannot be compiled or rendered: all its faults, in the order of the text."""

    def __init__(self, faults: Iterable[TemplateFault]) -> None:
        self.faults = tuple(sorted(faults, key=lambda fault: (fault.item or 0, fault.offset)))
        super().__init__("; ".join(fault.message for fault in self.faults))


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """A name that an expression speaks of, such as `("file", "stem")`, and where it stands.

    `optional` where the expression says itself what holds when it is missing (`| default(...)`,
    `is defined`); `item` as in `TemplateFault`.
    """

    path: tuple[str, ...]
    offset: int
    length: int
    optional: bool = False
    item: int | None = None


def undefined_fault(
    path: tuple[str, ...],
    *,
    offset: int,
    length: int,
    known: Iterable[str],
    item: int | None = None,
) -> TemplateFault:
    """The last part of `path` is not among `known`, the names that can stand in its place."""
    *parents, name = path
    return TemplateFault(
        offset=offset,
        length=length,
        code="undefined",
        message=f"`{show_path(path)}` is not defined",
        hint=_hint(tuple(parents), name, tuple(known)),
        item=item,
    )


def show_path(path: tuple[str, ...]) -> str:
    """The path as it would be written in an expression."""
    parts = [part if part.isidentifier() else f"[{part!r}]" for part in path]
    return ".".join(parts).replace(".[", "[")


def _hint(parents: tuple[str, ...], name: str, known: tuple[str, ...]) -> str:
    meant = closest(name, known)
    if meant is not None:
        return f"did you mean `{show_path((*parents, meant))}`?"
    if not known:
        return f"`{show_path(parents)}` is empty" if parents else "no names can be used here"
    listed = ", ".join(f"`{show_path((*parents, one))}`" for one in sorted(known)[:_MOST_LISTED])
    return f"what can be used: {listed}{', ...' if len(known) > _MOST_LISTED else ''}"
