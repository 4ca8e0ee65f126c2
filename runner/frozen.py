"""Frozen dataclasses whose methods are made when they are first used.

A dataclass of the standard library makes the source of six methods and compiles them where it is
defined: half of the time that a command takes until it begins. Most are never used in one command;
here a class costs a fifth of that, and its `__init__` is compiled with the first instance. All else
is as there: `fields`, `replace`, `asdict`, `match`. It must not know what the classes are of.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import Any, Literal, TypeVar

from typing_extensions import dataclass_transform

_Value = TypeVar("_Value")
_NOT_GIVEN = object()


@dataclass_transform(field_specifiers=(dataclasses.field, dataclasses.Field))
def dataclass(
    *, frozen: Literal[True], slots: Literal[True], kw_only: bool = False
) -> Callable[[type[_Value]], type[_Value]]:
    """A frozen dataclass with slots, as the decorator of that name in `dataclasses`.

    Not for one that others inherit from, nor with `InitVar`.
    """
    del frozen, slots  # written all the same: readers and type checkers know them

    def make(written: type[_Value]) -> type[_Value]:
        if written.__doc__ is None:
            written.__doc__ = written.__name__  # or its signature would be made, at some cost
        plain = dataclasses.dataclass(init=False, repr=False, eq=False, kw_only=kw_only, slots=True)
        made: Any = plain(written)
        made.__init__ = _first_init(made)
        for name, method in _METHODS.items():
            if name not in written.__dict__:
                setattr(made, name, method)
        frozen_class: type[_Value] = made
        return frozen_class

    return make


def _first_init(of: Any) -> Callable[..., None]:
    """What makes the real `__init__` with the first instance."""

    def __init__(self: Any, *arguments: Any, **named: Any) -> None:  # noqa: N807
        of.__init__ = _make_init(of)
        of.__init__(self, *arguments, **named)

    return __init__


def _make_init(of: Any) -> Callable[..., None]:
    """Compiled, since calls of generic code would cost each instance what is saved here."""
    names: dict[str, Any] = {"not_given": _NOT_GIVEN}
    plain, named, lines = ["self"], list[str](), list[str]()
    for field in dataclasses.fields(of):
        name, value = field.name, field.name
        names[f"set_{name}"] = of.__dict__[name].__set__  # of the slot: nothing is looked up
        parameter = name
        if field.default is not dataclasses.MISSING:
            names[f"default_{name}"] = field.default
            parameter = f"{name}=default_{name}"
        elif field.default_factory is not dataclasses.MISSING:
            names[f"make_{name}"] = field.default_factory
            parameter = f"{name}=not_given"
            value = f"make_{name}() if {name} is not_given else {name}"
        if field.init:
            (named if field.kw_only else plain).append(parameter)
        elif field.default_factory is not dataclasses.MISSING:
            value = f"make_{name}()"
        elif field.default is not dataclasses.MISSING:
            value = f"default_{name}"
        else:
            continue
        lines.append(f"set_{name}(self, {value})")
    if hasattr(of, "__post_init__"):
        lines.append("self.__post_init__()")
    parameters = ", ".join([*plain, *(["*", *named] if named else [])])
    body = "\n ".join(lines) or "pass"
    exec(f"def __init__({parameters}):\n {body}", names)  # noqa: S102 - names of our own fields
    init: Callable[..., None] = names["__init__"]
    init.__qualname__ = f"{of.__qualname__}.__init__"
    return init


def _repr(self: Any) -> str:
    shown = (f"{each.name}={getattr(self, each.name)!r}" for each in _fields(self) if each.repr)
    return f"{type(self).__qualname__}({', '.join(shown)})"


def _eq(self: Any, other: object) -> Any:
    if other.__class__ is not self.__class__:
        return NotImplemented
    values = _compared(type(self))
    return values(self) == values(other)


def _hash(self: Any) -> int:
    return hash(_compared(type(self))(self))


_COMPARED: dict[type[Any], Callable[[Any], tuple[Any, ...]]] = {}


def _compared(of: type[Any]) -> Callable[[Any], tuple[Any, ...]]:
    """What takes the values of an instance that are compared."""
    known = _COMPARED.get(of)
    if known is None:
        names = [each.name for each in dataclasses.fields(of) if each.compare]
        known = _COMPARED[of] = _getter(names)
    return known


def _getter(names: list[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(names) > 1:
        return attrgetter(*names)
    return lambda instance: tuple(getattr(instance, name) for name in names)


def _refuse_to_set(self: Any, name: str, value: object) -> None:
    del self, value
    raise dataclasses.FrozenInstanceError(f"cannot assign to field {name!r}")


def _refuse_to_delete(self: Any, name: str) -> None:
    del self
    raise dataclasses.FrozenInstanceError(f"cannot delete field {name!r}")


def _state(self: Any) -> list[Any]:
    return [getattr(self, each.name) for each in _fields(self)]


def _set_state(self: Any, state: list[Any]) -> None:
    for each, value in zip(_fields(self), state, strict=True):
        object.__setattr__(self, each.name, value)


def _fields(instance: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(instance)


_METHODS = {
    "__repr__": _repr,
    "__eq__": _eq,
    "__hash__": _hash,
    "__setattr__": _refuse_to_set,
    "__delattr__": _refuse_to_delete,
    "__getstate__": _state,
    "__setstate__": _set_state,
}
