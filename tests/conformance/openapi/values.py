"""Checks a JSON value against a documented type.

It must not know which request it answers, nor what is allowed beyond the documents.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from typing import Any

from tests.conformance.openapi.findings import Fault, Finding
from tests.conformance.openapi.schema import (
    Anything,
    Content,
    Decimal,
    Flag,
    Length,
    Lookup,
    Model,
    Moment,
    Reference,
    Sequence,
    Surface,
    Text,
    Type,
    Whole,
    Words,
)

_MOMENT = re.compile(
    r"\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d{1,7})?Z"
)
_LENGTH = re.compile(r"P(?=\d|T)(\d+D)?(T(?=\d)(\d+H)?(\d+M)?(\d+(\.\d{1,7})?S)?)?")
_DIGITS = re.compile(r"-?\d+")


def check_value(
    value: object, type_: Type, surface: Surface, *, place: str, path: str
) -> Iterator[Finding]:
    """What is wrong with a value and with all that is in it."""

    def found(fault: Fault) -> Finding:
        return Finding(fault=fault, place=place, path=path, value=_shorten(value))

    match type_:
        case Reference(name=name):
            if isinstance(value, dict):
                yield from check_object(value, surface.models[name], surface, path=path)
            else:
                yield found(Fault.TYPE_WRONG)
        case Sequence(item=item):
            if not isinstance(value, list):
                yield found(Fault.TYPE_WRONG)
                return
            for number, entry in enumerate(value):
                yield from check_value(entry, item, surface, place=place, path=f"{path}[{number}]")
        case Lookup(value=inner):
            if not isinstance(value, dict):
                yield found(Fault.TYPE_WRONG)
                return
            for name, entry in value.items():
                yield from check_value(entry, inner, surface, place=place, path=f"{path}.{name}")
        case _:
            fault = _check_plain(value, type_)
            if fault is not None:
                yield found(fault)


def check_object(
    value: dict[str, Any],
    model: Model,
    surface: Surface,
    *,
    path: str,
    optional: bool = False,
    extra: Collection[str] = (),
) -> Iterator[Finding]:
    """What is wrong with an object; with `optional`, properties may be left out of it."""
    for name, entry in value.items():
        place = f"{model.name}.{name}"
        below = f"{path}.{name}" if path else name
        known = model.properties.get(name)
        if known is not None:
            yield from check_value(entry, known.type, surface, place=place, path=below)
        elif name not in extra:
            yield Finding(
                fault=Fault.PROPERTY_UNKNOWN, place=place, path=below, value=_shorten(entry)
            )
    if not optional:
        for name, known in model.properties.items():
            if known.required and name not in value:
                yield Finding(fault=Fault.PROPERTY_MISSING, place=f"{model.name}.{name}", path=path)


def _check_plain(value: object, type_: Type) -> Fault | None:
    match type_:
        case Flag():
            return None if isinstance(value, bool) else Fault.TYPE_WRONG
        case Whole(bits=32):
            if not isinstance(value, int) or isinstance(value, bool):
                return Fault.TYPE_WRONG
            return None if -(2**31) <= value < 2**31 else Fault.FORM_WRONG
        case Decimal():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            return None if number else Fault.TYPE_WRONG
        case Anything():
            return None if isinstance(value, dict) else Fault.TYPE_WRONG
        case Content():
            return Fault.TYPE_WRONG
        case _:
            return _check_text(value, type_) if isinstance(value, str) else Fault.TYPE_WRONG


def _check_text(value: str, type_: Type) -> Fault | None:
    match type_:
        case Text():
            return None
        case Words(words=words):
            return None if value.lower() in words else Fault.WORD_UNKNOWN
        case Moment():
            return None if _MOMENT.fullmatch(value) else Fault.FORM_WRONG
        case Length():
            return None if _LENGTH.fullmatch(value) else Fault.FORM_WRONG
        case Whole():
            fits = _DIGITS.fullmatch(value) and -(2**63) <= int(value) < 2**63
            return None if fits else Fault.FORM_WRONG
        case _:
            return Fault.TYPE_WRONG


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:117]}..."
