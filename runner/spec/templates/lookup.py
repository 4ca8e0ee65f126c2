"""Names of an expression looked up in a scope: strictly, and by keys alone.

It knows nothing of syntax. A field is a mapping's key, never an attribute of a Python object, so
that a column called `items` is that column or a fault.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from runner.frozen import dataclass
from runner.spec.templates.fault import TemplateError, TemplateFault, undefined_fault
from runner.spec.templates.values import describe

Scope = Mapping[str, object]
Evaluate = Callable[[Scope], object]


class MissingError(TemplateError):
    """A name, field or item that is not there, which `default` and `is defined` forgive."""


@dataclass(frozen=True, slots=True)
class Step:
    """One `.key` or `[key]` of a path, from `start` to `end` of the leaf."""

    key: str | int
    start: int
    end: int


def look_up(name: str, offset: int, steps: tuple[Step, ...]) -> Evaluate:
    """A closure that follows the path; the common `file.stem` goes a short way in long plans."""

    def find_path(scope: Scope) -> object:
        if name not in scope:
            raise _missing(scope, name, offset, ())
        value = scope[name]
        for index, step in enumerate(steps):
            value = _follow(value, name, offset, steps[: index + 1], step)
        return value

    if len(steps) != 1 or not isinstance(steps[0].key, str):
        return find_path
    key = steps[0].key

    def find_field(scope: Scope) -> object:
        try:
            value = scope[name]
            # By far the most are plain dictionaries, which can be told without asking an ABC.
            if type(value) is dict or isinstance(value, Mapping):
                return value[key]
        except KeyError:
            pass
        return find_path(scope)

    return find_field


def _follow(value: object, name: str, offset: int, steps: tuple[Step, ...], step: Step) -> object:
    key, length = step.key, step.end - step.start
    if isinstance(value, Mapping) and isinstance(key, str):
        if key not in value:
            raise _missing(value, name, offset, steps)
        return value[key]
    is_list = isinstance(value, Sequence) and not isinstance(value, str)
    if is_list and isinstance(key, int):
        assert isinstance(value, Sequence)
        if -len(value) <= key < len(value):
            return value[key]
        message = f"there is no item {key} in a list of {len(value)}"
        raise MissingError((_fault(step.start, length, message),))
    what = f"field `{key}`" if isinstance(key, str) else f"item {key}"
    raise TemplateError((_fault(step.start, length, f"{describe(value)} has no {what}"),))


def _missing(
    container: Mapping[str, object], name: str, offset: int, steps: tuple[Step, ...]
) -> MissingError:
    path = (name, *(str(step.key) for step in steps))
    end = steps[-1].end if steps else offset + len(name)
    return MissingError(
        (undefined_fault(path, offset=offset, length=end - offset, known=container),)
    )


def _fault(offset: int, length: int, message: str) -> TemplateFault:
    return TemplateFault(offset=offset, length=length, code="undefined", message=message)
