"""Checks a request's JSON against declared shapes and gives it back as the service would.

It must not know any particular property; `bodies` declares them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import field
from datetime import timedelta
from functools import cache
from typing import Any, Protocol, TypeAlias

from runner.emulator.batch.core.durations import format_duration, parse_duration
from runner.emulator.batch.core.refusal import Reason, RefusedError, invalid_property
from runner.emulator.batch.operations.wire import format_moment, parse_moment
from runner.emulator.storage.record import record

_DEEPEST = 32
_WHOLE = re.compile(r"[+-]?[0-9]{1,19}")
_TRUTHS = {"true": True, "false": False}
# Never given back, wherever they stand (REST reference: pool users, registries, mounts).
SECRETS = frozenset({"password", "accountKey", "sasKey", "sshPrivateKey", "protectedSettings"})


class Kind(Protocol):
    """A kind of value."""

    def read(self, value: object, name: str) -> Any:
        """The value in the service's own form; raises `RefusedError`."""
        ...


@record(frozen=True, slots=True, kw_only=True)
class Field:
    """One property; `default` is what the service fills in, None for nothing."""

    name: str
    kind: Kind
    required: bool = False
    default: Any = None


_Step: TypeAlias = tuple[str, Callable[[object, str], Any], bool, Any, bool]
"""A property's name, what reads it, whether it is required, its default, whether it is secret."""


@record(frozen=True, slots=True, kw_only=True)
class Text:
    """A string."""

    longest: int | None = None
    pattern: str | None = None
    empty: bool = True

    def read(self, value: object, name: str) -> str:
        """As it is."""
        if not isinstance(value, str):
            raise _mistyped(name, "a string")
        if self.longest is not None and len(value) > self.longest:
            raise invalid_property(name, value, f"The length is more than {self.longest}")
        if not value and not self.empty:
            raise invalid_property(name, value, "The value is empty")
        if self.pattern is not None and _compiled(self.pattern).fullmatch(value) is None:
            raise invalid_property(name, value, "The value has characters that are not allowed")
        return value


@record(frozen=True, slots=True, kw_only=True)
class Integer:
    """A whole number; both bounds are inclusive.

    One that is written as a string is taken, too: `az batch` 2.9x sends `"1"`, and the readers of
    OData (Microsoft.Data.OData 5, `ConvertStringValue`) read it.
    """

    low: int | None = None
    high: int | None = None

    def read(self, value: object, name: str) -> int:
        """As a number."""
        if isinstance(value, str) and _WHOLE.fullmatch(value):
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int):
            raise _mistyped(name, "an integer")
        if self.low is not None and value < self.low:
            raise invalid_property(name, value, f"The value is less than {self.low}")
        if self.high is not None and value > self.high:
            raise invalid_property(name, value, f"The value is more than {self.high}")
        return value


@record(frozen=True, slots=True)
class Boolean:
    """True or false; written as a string, too, as whole numbers may be."""

    def read(self, value: object, name: str) -> bool:
        """As a boolean."""
        if isinstance(value, str):
            value = _TRUTHS.get(value.lower())
        if not isinstance(value, bool):
            raise _mistyped(name, "a boolean")
        return value


@record(frozen=True, slots=True, kw_only=True)
class Duration:
    """An ISO 8601 duration; both bounds are inclusive."""

    low: timedelta = timedelta()
    high: timedelta | None = None

    def read(self, value: object, name: str) -> str:
        """In the service's own form."""
        length = parse_duration(value) if isinstance(value, str) else None
        if length is None:
            raise _mistyped(name, "a duration")
        if length < self.low:
            raise invalid_property(
                name, value, f"The value is less than {format_duration(self.low)}"
            )
        if self.high is not None and length > self.high:
            raise invalid_property(
                name, value, f"The value is more than {format_duration(self.high)}"
            )
        return format_duration(length)


@record(frozen=True, slots=True)
class Moment:
    """A time."""

    def read(self, value: object, name: str) -> str:
        """In UTC."""
        moment = parse_moment(value) if isinstance(value, str) else None
        if moment is None:
            raise _mistyped(name, "a time")
        return format_moment(moment)


@record(frozen=True, slots=True)
class Choice:
    """One of a closed set, read without regard to case and given back as it stands here."""

    values: tuple[str, ...]

    def read(self, value: object, name: str) -> str:
        """In the service's own case."""
        if not isinstance(value, str):
            raise _mistyped(name, "a string")
        if value in self.values:
            return value
        for known in self.values:
            if known.lower() == value.lower():
                return known
        allowed = ", ".join(self.values)
        raise invalid_property(name, value, f"The value is not one of: {allowed}")


@record(frozen=True, slots=True, kw_only=True)
class Items:
    """A list."""

    kind: Kind
    most: int | None = None

    def read(self, value: object, name: str) -> list[Any]:
        """Each item read."""
        if not isinstance(value, list):
            raise _mistyped(name, "a list")
        if self.most is not None and len(value) > self.most:
            raise invalid_property(name, len(value), f"There are more than {self.most} items")
        return [self.kind.read(item, name) for item in value]


@record(frozen=True, slots=True)
class OneOf:
    """An object with exactly one of some properties; looked at before secrets are dropped."""

    kind: Kind
    names: tuple[str, ...]

    def read(self, value: object, name: str) -> Any:
        """As the object itself is read."""
        checked = self.kind.read(value, name)
        sent = value if isinstance(value, dict) else {}
        given = [known for known in self.names if sent.get(known) is not None]
        if len(given) != 1:
            listed = f"{', '.join(self.names[:-1])} and {self.names[-1]}"
            raise invalid_property(name, ", ".join(given), f"Exactly one of {listed} is required")
        return checked


@record(frozen=True, slots=True)
class Anything:
    """JSON that the emulator keeps and gives back without looking into it."""

    def read(self, value: object, name: str) -> Any:
        """Without the secrets in it."""
        return self._read(value, name, _DEEPEST)

    def _read(self, value: object, name: str, depth: int) -> Any:
        if depth == 0:
            raise RefusedError(Reason.BODY_INVALID, ("Reason", f"{name} is nested too deeply"))
        if isinstance(value, dict):
            kept = ((k, v) for k, v in value.items() if k not in SECRETS and v is not None)
            return {key: self._read(item, name, depth - 1) for key, item in kept}
        if isinstance(value, list):
            return [self._read(item, name, depth - 1) for item in value]
        return value


@record(frozen=True, slots=True)
class Shape:
    """An object with known properties, in the order in which they are given back.

    An `open` one takes others and leaves them out: a client may send a whole entity back, read-only
    properties and all, of which only some can be changed (azure-batch 15.1 does so).
    """

    fields: tuple[Field, ...]
    open: bool = False
    _names: frozenset[str] = field(init=False, repr=False, compare=False)
    _steps: tuple[_Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Looked up once: a collection of tasks asks thousands of times.
        steps = (
            (f.name, f.kind.read, f.required, f.default, f.name in SECRETS) for f in self.fields
        )
        object.__setattr__(self, "_names", frozenset(each.name for each in self.fields))
        object.__setattr__(self, "_steps", tuple(steps))

    def read(self, value: object, name: str) -> dict[str, Any]:
        """All known properties read, defaults filled in, secrets dropped; no others allowed."""
        if not isinstance(value, dict):
            raise _mistyped(name, "an object")
        if not self.open and not self._names.issuperset(value):
            self._refuse_unknown(value, name)
        shown: dict[str, Any] = {}
        given_as = value.get
        for known, read, required, default, secret in self._steps:
            given = given_as(known)
            if given is not None:
                checked = read(given, known)
                if not secret:
                    shown[known] = checked
            elif required:
                raise RefusedError(Reason.PROPERTY_MISSING, ("PropertyName", known))
            elif default is not None:
                shown[known] = default
        return shown

    def _refuse_unknown(self, value: Mapping[str, object], name: str) -> None:
        for unknown in sorted(value.keys() - self._names):
            if unknown.startswith("odata."):
                continue
            where = f" of {name}" if name else ""
            raise RefusedError(
                Reason.BODY_INVALID, ("Reason", f"There is no property {unknown}{where}")
            )


_compiled = cache(re.compile)


def _mistyped(name: str, wanted: str) -> RefusedError:
    text = f"{name} is not {wanted}" if name else f"The content is not {wanted}"
    return RefusedError(Reason.BODY_INVALID, ("Reason", text))
