"""Reads a surface from an OpenAPI 2.0 document.

It must not know what is checked against it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.conformance.openapi.schema import (
    Anything,
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

_DEFINITIONS = "#/definitions/"


def read_swagger(document: Mapping[str, Any]) -> Surface:
    """The whole document; raises `ValueError` for what it does not understand."""
    definitions = document["definitions"]
    models = {
        name: Model(name=name, properties=_properties(schema, definitions))
        for name, schema in definitions.items()
        if "enum" not in schema
    }
    operations = tuple(
        _operation(method.upper(), path, found, definitions)
        for path, methods in document["paths"].items()
        for method, found in methods.items()
    )
    return Surface(
        version=document["info"]["version"],
        operations=operations,
        models=models,
        error="BatchError",
    )


def _operation(
    method: str, path: str, found: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Operation:
    successes = {
        int(status): response
        for status, response in found["responses"].items()
        if status != "default"
    }
    documented = successes[min(successes)]
    schema = documented.get("schema")
    return Operation(
        name=found["operationId"],
        method=method,
        path=path,
        statuses=frozenset(successes),
        headers=frozenset(name.lower() for name in documented.get("headers", ())),
        body=None if schema is None else _type(schema, definitions),
    )


def _properties(
    schema: Mapping[str, Any], definitions: Mapping[str, Any]
) -> Mapping[str, Property]:
    required = set(schema.get("required", ()))
    return {
        name: Property(type=_type(value, definitions), required=name in required)
        for name, value in schema.get("properties", {}).items()
    }


def _type(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> Type:
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(_DEFINITIONS)
        target = definitions[name]
        return _words(name, target) if "enum" in target else Reference(name)
    if "enum" in schema:
        return _words(schema.get("x-ms-enum", {}).get("name", "enum"), schema)
    match schema["type"], schema.get("format"):
        case "string", None | "uuid":
            return Text()
        case "string", "date-time":
            return Moment()
        case "string", "duration":
            return Length()
        case "boolean", None:
            return Flag()
        case "integer", "int32" | None:
            return Whole()
        case "integer", "int64":
            return Whole(bits=64)
        case "number", _:
            return Decimal()
        case "array", None:
            return Sequence(_type(schema["items"], definitions))
        case "object", "file":
            return Content()
        case "object", None if "additionalProperties" in schema:
            return Lookup(_type(schema["additionalProperties"], definitions))
        case "object", None:
            return Anything()
        case kind, form:
            raise ValueError(f"the type `{kind}` of the form `{form}` is not known")


def _words(name: str, schema: Mapping[str, Any]) -> Words:
    return Words(name, frozenset(str(word).lower() for word in schema["enum"]))
