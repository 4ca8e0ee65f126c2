"""Reads a surface from the description of what azure-batch speaks (`wire-<version>.json`).

It must not know what is checked against it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from tests.conformance.openapi.schema import (
    Content,
    Decimal,
    Flag,
    Length,
    Lookup,
    Model,
    Moment,
    Operation,
    Property,
    Reference,
    Sequence,
    Surface,
    Text,
    Type,
    Whole,
    Words,
)

NEXT_LINK = "odata.nextLink"
_WRAPPED = re.compile(r"(?P<outer>Optional|list|ItemPaged|Iterator)\[(?P<inner>.*)\]")
_NAMED = re.compile(r"(?:Union\[str, )?'?_models\.(?P<name>\w+)'?\]?")
_PLAIN: Mapping[str, Type] = {
    "str": Text(),
    "bool": Flag(),
    "int": Whole(),
    "float": Decimal(),
    "datetime.datetime": Moment(),
    "datetime.timedelta": Length(),
    "dict[str, str]": Lookup(Text()),
}


def read_wire(document: Mapping[str, Any]) -> Surface:
    """The whole description; raises `ValueError` for a type that it does not understand."""
    described = document["models"]
    models = {
        name: Model(name=name, properties=_properties(model["fields"], described))
        for name, model in described.items()
        if model["kind"] == "model"
    }
    operations: list[Operation] = []
    for name, found in document["operations"].items():
        listed = _WRAPPED.fullmatch(found["returns"])
        paged = listed is not None and listed["outer"] == "ItemPaged"
        body = _body(found["returns"], described)
        if paged and body is not None:
            # What wraps a page has no class in the SDK.
            page = f"page of {name}"
            models[page] = Model(name=page, properties=_page(body))
            body = Reference(page)
        operations.append(
            Operation(
                name=operation_name(name),
                method=found["method"],
                path=found["url"],
                statuses=frozenset(found["success"]),
                headers=frozenset(header.lower() for header in found["response_headers"]),
                body=body,
            )
        )
    return Surface(
        version=document["api_version"],
        operations=tuple(operations),
        models=models,
        error="BatchError",
    )


def operation_name(name: str) -> str:
    """`_delete_pool_internal` is what `begin_delete_pool` calls: the operation `delete_pool`."""
    return name.removeprefix("_").removesuffix("_internal")


def _page(items: Type) -> Mapping[str, Property]:
    return {
        "value": Property(type=items, required=True),
        NEXT_LINK: Property(type=Text(), required=False),
    }


def _body(returns: str, described: Mapping[str, Any]) -> Type | None:
    # A HEAD answers with its status, which the SDK gives as a bool.
    if returns in ("None", "bool"):
        return None
    if returns == "Iterator[bytes]":
        return Content()
    return _type(returns, None, described)


def _properties(fields: Mapping[str, Any], described: Mapping[str, Any]) -> Mapping[str, Property]:
    return {
        field["wire"]: Property(
            type=_type(field["type"], field["format"], described),
            required=not field["type"].startswith("Optional["),
        )
        for field in fields.values()
    }


def _type(text: str, form: str | None, described: Mapping[str, Any]) -> Type:
    if (wrapped := _WRAPPED.fullmatch(text)) is not None:
        inner = _type(wrapped["inner"], form, described)
        return inner if wrapped["outer"] == "Optional" else Sequence(inner)
    if (named := _NAMED.fullmatch(text)) is not None:
        name = named["name"]
        target = described[name]
        if target["kind"] == "enum":
            return Words(name, frozenset(word.lower() for word in target["values"].values()))
        return Reference(name)
    if text == "int" and form == "'str'":
        return Whole(bits=64)
    if text in _PLAIN:
        return _PLAIN[text]
    raise ValueError(f"the type `{text}` is not known")
