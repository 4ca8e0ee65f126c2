"""Frozen dataclasses that cost little to define, to make and to copy.

A frozen dataclass of the standard library makes the source of six methods and compiles them where
it is defined: that was a third of the start of the emulator. Here `__init__` alone is. And many
records are made in the life of one task: a frozen dataclass sets each field by a call, which makes
a record of 28 fields in 7 µs and a copy of it in 10; these take 5, and less than 1. It must not
know any record.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    # The type checker sees frozen dataclasses, and refuses whatever assigns to one. At run time
    # nothing does.
    from dataclasses import dataclass as record
    from dataclasses import replace
else:
    import dataclasses
    from operator import attrgetter

    _R = TypeVar("_R")
    _COPIES: dict[type, Callable[[Any], Any]] = {}
    _KEYS: dict[type, Callable[[Any], Any]] = {}

    def record(
        *, frozen: bool, slots: bool, kw_only: bool = False
    ) -> Callable[[type[_R]], type[_R]]:
        """As `dataclass`."""
        assert frozen

        def make(of: type[_R]) -> type[_R]:
            if of.__doc__ is None:
                of.__doc__ = of.__name__  # or its signature would be made, at some cost
            made = dataclasses.dataclass(repr=False, eq=False, slots=slots, kw_only=kw_only)(of)
            for name, method in _METHODS.items():
                if name not in of.__dict__:
                    setattr(made, name, method)
            return made

        return make

    def replace(old: _R, /, **changes: Any) -> _R:
        """As `dataclasses.replace`, of a record."""
        copy = _COPIES.get(type(old))
        if copy is None:
            copy = _COPIES[type(old)] = _compile_copy(type(old))
        new = copy(old)
        for name, value in changes.items():
            setattr(new, name, value)
        return new

    def _compile_copy(of: type) -> Callable[[Any], Any]:
        lines = [f" new.{field.name} = old.{field.name}" for field in dataclasses.fields(of)]
        source = "\n".join(["def copy(old):", " new = make(of)", *lines, " return new"])
        names: dict[str, Any] = {"make": object.__new__, "of": of}
        exec(source, names)  # noqa: S102 - the names of fields alone
        return names["copy"]

    def _key_of(of: type) -> Callable[[Any], Any]:
        """What takes from a record that which it is compared by."""
        names = [field.name for field in dataclasses.fields(of) if field.compare]
        return attrgetter(*names) if names else (lambda _: ())

    def _compared(instance: Any) -> Any:
        of = type(instance)
        key = _KEYS.get(of)
        if key is None:
            key = _KEYS[of] = _key_of(of)
        return key(instance)

    def _eq(self: Any, other: object) -> Any:
        if other.__class__ is not self.__class__:
            return NotImplemented
        return self is other or _compared(self) == _compared(other)

    def _hash(self: Any) -> int:
        return hash(_compared(self))

    def _repr(self: Any) -> str:
        shown = (
            f"{field.name}={getattr(self, field.name)!r}"
            for field in dataclasses.fields(self)
            if field.repr
        )
        return f"{type(self).__qualname__}({', '.join(shown)})"

    _METHODS = {"__eq__": _eq, "__hash__": _hash, "__repr__": _repr}


__all__ = ["record", "replace"]
