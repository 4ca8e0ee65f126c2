"""Frozen dataclasses that cost little to define, to make and to copy.

A frozen dataclass of the standard library makes the source of six methods and compiles them where
it is defined, after it has looked at each field: that was a third of the start of the emulator.
Here that is done for `__init__` alone, and where it is first looked at; most records are never made
in one run. And many are made in the life of one task: a frozen dataclass sets each field by a call,
which makes a record of 28 fields in 7 µs and a copy of it in 10; these take 5, and less than 1. It
must not know any record.
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
    from functools import partial
    from operator import attrgetter

    _R = TypeVar("_R")
    _COPIES: dict[type, Callable[[Any], Any]] = {}
    _KEYS: dict[type, Callable[[Any], Any]] = {}
    _NOT_GIVEN = object()

    def record(
        *, frozen: bool, slots: bool, kw_only: bool = False
    ) -> Callable[[type[_R]], type[_R]]:
        """As `dataclass`, for one without class variables that no other inherits from."""
        assert frozen
        assert slots

        def make(of: type[_R]) -> type[_R]:
            names = tuple(of.__annotations__)
            inside = {name: value for name, value in vars(of).items() if name not in _UNSLOTTED}
            given = {name: inside.pop(name) for name in names if name in inside}
            for name, method in _METHODS.items():
                inside.setdefault(name, method)
            positional = () if kw_only else tuple(n for n in names if _is_positional(given.get(n)))
            return type(of)(
                of.__name__,
                of.__bases__,
                {
                    **inside,
                    "__qualname__": of.__qualname__,
                    "__slots__": names,
                    "__match_args__": positional,
                    "__init__": _Init(),
                    "__dataclass_fields__": _Fields(given, kw_only=kw_only),
                    "__dataclass_params__": _PARAMS,
                },
            )

        return make

    def _is_positional(given: Any) -> bool:
        is_plain = not isinstance(given, dataclasses.Field)
        return is_plain or (given.init and given.kw_only is not True)

    _as_dataclass = partial(
        dataclasses.dataclass, init=False, repr=False, eq=False, match_args=False
    )

    class _Fields:
        """Stands for the fields of a record until somebody asks for them."""

        __slots__ = ("_given", "_kw_only", "_of")

        def __init__(self, given: dict[str, Any], *, kw_only: bool) -> None:
            self._given, self._kw_only = given, kw_only

        def __set_name__(self, of: type, _: str) -> None:
            self._of = of

        def __get__(self, instance: Any, _: Any = None) -> Any:
            # Of a class of its own: this one has slots in the place of what is given.
            of = self._of
            inside = {"__annotations__": of.__annotations__, "__module__": of.__module__}
            twin = type(of.__name__, (), {**self._given, **inside, "__doc__": _DOCUMENTED})
            _as_dataclass(kw_only=self._kw_only)(twin)
            of.__dataclass_fields__ = twin.__dataclass_fields__
            return of.__dataclass_fields__

    class _Init:
        """Stands for the `__init__` of a record until that is called or looked at."""

        __slots__ = ("_of",)

        def __set_name__(self, of: type, _: str) -> None:
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

    # Without any words the standard library would write down the signature, at some cost.
    _DOCUMENTED = "Fields."
    # What a class that is made anew with slots may not have.
    _UNSLOTTED = frozenset({"__dict__", "__weakref__"})
    # Which methods the standard library would have made; `pprint` and `pytest` ask.
    _EMPTY = type("_", (), {"__doc__": _DOCUMENTED})
    _PARAMS = _as_dataclass(kw_only=True)(_EMPTY).__dataclass_params__
    _METHODS = {"__eq__": _eq, "__hash__": _hash, "__repr__": _repr}


__all__ = ["record", "replace"]
