"""Frozen dataclasses that cost little to define, to make and to copy.

A frozen dataclass of the standard library makes the source of six methods and compiles them where
it is defined: that was a third of the start of the emulator. Here `__init__` alone is compiled, and
where it is first looked at; most records of a run are never made. And many are made in the life of
one task: a frozen dataclass sets each field by a call, which makes a record of 28 fields in 7 µs
and a copy of it in 10; these take 5, and less than 1. It must not know any record.
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
    import sys
    from operator import attrgetter

    _R = TypeVar("_R")
    _COPIES: dict[type, Callable[[Any], Any]] = {}
    _KEYS: dict[type, Callable[[Any], Any]] = {}
    _NOT_GIVEN = object()

    def record(
        *, frozen: bool, slots: bool, kw_only: bool = False
    ) -> Callable[[type[_R]], type[_R]]:
        """As `dataclass`."""
        assert frozen

        def make(of: type[_R]) -> type[_R]:
            if of.__doc__ is None:
                of.__doc__ = of.__name__  # or its signature would be made, at some cost
            made = dataclasses.dataclass(
                init=False, repr=False, eq=False, slots=slots, kw_only=kw_only
            )(of)
            made.__init__ = _Init(made)
            for name, method in _METHODS.items():
                if name not in of.__dict__:
                    setattr(made, name, method)
            return made

        return make

    class _Init:
        """Stands for the `__init__` of a record until that is called or looked at."""

        __slots__ = ("_of",)

        def __init__(self, of: type) -> None:
            self._of = of

        def __get__(self, instance: Any, _: Any = None) -> Any:
            init = self._of.__dict__["__init__"]
            if init is self:
                init = self._of.__init__ = _compile_init(self._of)
            return init if instance is None else init.__get__(instance)

    def _compile_init(of: Any) -> Callable[..., None]:
        given: dict[str, Any] = {"not_given": _NOT_GIVEN}
        plain, named, lines = ["self"], [], []
        for field in dataclasses.fields(of):
            value = _value_of(field, given)
            if value is not None:
                lines.append(f"  self.{field.name} = {value}")
            if field.init:
                (named if field.kw_only else plain).append(_parameter_of(field))
        if hasattr(of, "__post_init__"):
            lines.append("  self.__post_init__()")
        parameters = ", ".join([*plain, *(["*", *named] if named else [])])
        body = "\n".join(lines) or "  pass"
        # Within a function of what is given, so that its globals are those of the record's module:
        # there are the names that its annotations are of.
        source = (
            f"def make({', '.join(given)}):\n def __init__({parameters}):\n{body}\n return __init__"
        )
        made: dict[str, Any] = {}
        exec(source, vars(sys.modules[of.__module__]), made)  # noqa: S102 - the names of fields alone
        init = made["make"](**given)
        init.__qualname__ = f"{of.__qualname__}.__init__"
        init.__annotations__ = {
            **{field.name: field.type for field in dataclasses.fields(of) if field.init},
            "return": None,
        }
        return init

    def _parameter_of(field: dataclasses.Field[Any]) -> str:
        if field.default is not dataclasses.MISSING:
            return f"{field.name}=default_{field.name}"
        if field.default_factory is not dataclasses.MISSING:
            return f"{field.name}=not_given"
        return field.name

    def _value_of(field: dataclasses.Field[Any], given: dict[str, Any]) -> str | None:
        """What a field is set to, None where it is left to `__post_init__`; what that needs is
        given too."""
        name = field.name
        if field.default is not dataclasses.MISSING:
            given[f"default_{name}"] = field.default
            return name if field.init else f"default_{name}"
        if field.default_factory is not dataclasses.MISSING:
            given[f"make_{name}"] = field.default_factory
            made = f"make_{name}()"
            return f"{made} if {name} is not_given else {name}" if field.init else made
        return name if field.init else None

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
