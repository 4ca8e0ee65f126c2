"""Turns frozen dataclasses of plain values into JSON and back, as their type hints say.

It must not know any record, nor where the JSON is kept.
"""

from __future__ import annotations

import base64
import types
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import MISSING, Field, fields, is_dataclass
from datetime import datetime, timedelta
from enum import Enum
from functools import cache, lru_cache
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, NewType, Union, get_args, get_origin, get_type_hints

Encoder = Callable[[Any], Any]
Decoder = Callable[[Any], Any]

_KIND = "~"
"""Says which dataclass it is, where the hint allows several; no field can have that name."""
_MICROSECOND = timedelta(microseconds=1)
_NOTHING: Mapping[str, Any] = {}
_PLAIN = frozenset({str, int, bool, float, object})


class CodecError(ValueError):
    """The JSON is not of the type that it is read as; the message names the place."""


def encoder_of(hint: Any) -> Encoder | None:
    """What makes JSON of a value of that type; None where the value is JSON as it is.

    Raises `TypeError` for a type that has no form in JSON.
    """
    return _pair_of(hint)[0]


def decoder_of(hint: Any) -> Decoder | None:
    """The reverse of `encoder_of`; what it gives raises `CodecError`."""
    return _pair_of(hint)[1]


@cache
def _pair_of(hint: Any) -> tuple[Encoder | None, Decoder | None]:
    if isinstance(hint, NewType):
        return _pair_of(hint.__supertype__)
    if hint is Any or hint in _PLAIN or hint is type(None):
        return None, None
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return None, None
    if origin in (Union, types.UnionType):
        return _union(arguments)
    if origin is not None:
        return _collection(hint, origin, arguments)
    return _scalar(hint)


def _scalar(hint: Any) -> tuple[Encoder, Decoder]:
    if hint is datetime:
        return _isoformat, datetime.fromisoformat
    if hint is timedelta:
        return _microseconds, _timedelta
    if hint is bytes:
        return _base64, base64.b64decode
    if isinstance(hint, type) and issubclass(hint, Enum):
        members = {member.value: member for member in hint}
        # The attribute behind `value`, which is a call.
        return attrgetter("_value_"), members.__getitem__
    if isinstance(hint, type) and issubclass(hint, Path):
        return str, hint
    if _is_record(hint):
        # Looked up when used, so that a dataclass may contain its own kind.
        return (lambda value: _form_of(hint).encode(value)), (
            lambda value: _form_of(hint).decode(value)
        )
    raise TypeError(f"{hint!r} has no form in JSON")


def _collection(
    hint: Any, origin: Any, arguments: tuple[Any, ...]
) -> tuple[Encoder | None, Decoder | None]:
    if origin is tuple and not (len(arguments) == 2 and arguments[1] is Ellipsis):
        return _fixed(arguments)
    if issubclass(origin, AbstractSet):
        encode, decode = _pair_of(arguments[0])
        return _each(list, encode), _each(frozenset, decode)
    if issubclass(origin, Sequence):
        encode, decode = _pair_of(arguments[0])
        return _each(list, encode), _each(tuple, decode)
    if issubclass(origin, Mapping) and arguments[0] is str:
        encode, decode = _pair_of(arguments[1])
        return _each_value(encode), _each_value(decode)
    raise TypeError(f"{hint!r} has no form in JSON")


def _each(make: Callable[[Any], Any], one: Encoder | None) -> Encoder:
    if one is None:
        return make
    convert = one
    return lambda values: make([convert(value) for value in values])


def _each_value(one: Encoder | None) -> Encoder | None:
    if one is None:
        # Other mappings than `dict` are no JSON.
        return lambda values: values if isinstance(values, dict) else dict(values)
    convert = one
    return lambda values: {name: convert(value) for name, value in values.items()}


def _fixed(arguments: tuple[Any, ...]) -> tuple[Encoder, Decoder]:
    pairs = [_pair_of(argument) for argument in arguments]

    def encode(values: tuple[Any, ...]) -> list[Any]:
        return [
            value if one is None else one(value)
            for value, (one, _) in zip(values, pairs, strict=True)
        ]

    def decode(values: list[Any]) -> tuple[Any, ...]:
        return tuple(
            value if one is None else one(value)
            for value, (_, one) in zip(values, pairs, strict=True)
        )

    return encode, decode


def _union(arguments: tuple[Any, ...]) -> tuple[Encoder | None, Decoder | None]:
    """An optional value, or one of several dataclasses, beside types that JSON tells apart."""
    members = [argument for argument in arguments if argument is not type(None)]
    if len(members) == 1:
        return _optional(*_pair_of(members[0]))
    classes: dict[str, type] = {m.__name__: m for m in members if _is_record(m)}
    if any(not _is_record(m) and _pair_of(m) != (None, None) for m in members):
        raise TypeError(f"{arguments!r} cannot be told apart in JSON")
    if not classes:
        return None, None

    def encode(value: Any) -> Any:
        of = type(value)
        if not is_dataclass(of):
            return value
        return {_KIND: of.__name__, **_form_of(of).encode(value)}

    def decode(value: Any) -> Any:
        if not isinstance(value, dict):
            return value
        kind = value.get(_KIND)
        if kind not in classes:
            raise CodecError(f"`{kind}` is none of {', '.join(classes)}")
        rest = {name: item for name, item in value.items() if name != _KIND}
        return _form_of(classes[kind]).decode(rest)

    return encode, decode


def _optional(
    encode: Encoder | None, decode: Decoder | None
) -> tuple[Encoder | None, Decoder | None]:
    return (
        None if encode is None else (lambda value: None if value is None else encode(value)),
        None if decode is None else (lambda value: None if value is None else decode(value)),
    )


class Form:
    """The form of one dataclass: an object of its fields, without those that have their default."""

    __slots__ = ("_class", "_decoders", "_name", "encode")

    def __init__(self, of: type, *, without: str | None = None) -> None:
        hints = get_type_hints(of)
        stored = [field for field in fields(of) if field.init and field.name != without]
        self._class = of
        self._name = of.__name__
        self._decoders = {f.name: decoder_of(hints[f.name]) for f in stored}
        self.encode = _compile_encoder(stored, hints)
        """Makes of a record what `json.dumps` takes."""

    def decode(self, form: Any, more: Mapping[str, Any] = _NOTHING) -> Any:
        """The record; fields that are not there have their default. Raises `CodecError`."""
        if not isinstance(form, dict):
            raise CodecError(f"{self._name} is no object")
        values = dict(more)
        for name, value in form.items():
            try:
                decode = self._decoders[name]
                values[name] = value if decode is None else decode(value)
            except CodecError as error:
                raise CodecError(f"{self._name}.{name}: {error}") from error
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                known = name in self._decoders
                what = "cannot be read" if known else "is not known"
                raise CodecError(f"{self._name}.{name} {what}") from error
        try:
            return self._class(**values)
        except TypeError as error:
            raise CodecError(f"{self._name}: {error}") from error


def _compile_encoder(stored: list[Field[Any]], hints: Mapping[str, Any]) -> Encoder:
    """Encodes in one function, in half of the time that a loop over the fields takes."""
    lines: list[str] = []
    names: dict[str, Any] = {}
    for number, field in enumerate(stored):
        hint = hints[field.name]
        # What is None where that is the default is not encoded.
        convert = encoder_of(_without_none(hint) if field.default is None else hint)
        names[f"default{number}"], names[f"convert{number}"] = field.default, convert
        lines.append(f"    value = record.{field.name}")
        if field.default is not MISSING:
            lines.append(f"    if value is not default{number}:")
        indent = "    " if field.default is MISSING else "        "
        written = "value" if convert is None else f"convert{number}(value)"
        lines.append(f"{indent}form[{field.name!r}] = {written}")
    source = "\n".join(["def encode(record):", "    form = {}", *lines, "    return form"])
    exec(source, names)  # noqa: S102 - the names of fields alone
    encode: Encoder = names["encode"]
    return encode


def _without_none(hint: Any) -> Any:
    """The type of an optional value; any other as it is."""
    if get_origin(hint) not in (Union, types.UnionType):
        return hint
    members = [argument for argument in get_args(hint) if argument is not type(None)]
    return members[0] if len(members) == 1 else hint


@cache
def _form_of(of: type) -> Form:
    return Form(of)


def _is_record(hint: Any) -> bool:
    return isinstance(hint, type) and is_dataclass(hint)


# Most moments of a record are the same, or those of the record before it.
_isoformat = lru_cache(maxsize=256)(datetime.isoformat)


def _microseconds(value: timedelta) -> int:
    return value // _MICROSECOND


def _timedelta(value: int) -> timedelta:
    return timedelta(microseconds=value)


def _base64(value: bytes) -> str:
    return base64.b64encode(value).decode("ascii")
