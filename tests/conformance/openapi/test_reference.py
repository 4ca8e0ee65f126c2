"""The documents of the service as surfaces, and the list of what is allowed beyond them."""

from __future__ import annotations

import pytest

from tests.conformance.openapi.findings import Fault, Finding
from tests.conformance.openapi.reference import ABSENT, NEWEST, Reference, read_reference
from tests.conformance.openapi.schema import (
    Content,
    Length,
    Moment,
    Property,
    Sequence,
    Text,
    Whole,
    Words,
)
from tests.conformance.openapi.schema import Reference as ModelReference
from tests.conformance.openapi.superset import ALLOWANCES, is_allowed
from tests.conformance.openapi.wire import read_wire


@pytest.fixture
def reference() -> Reference:
    found = read_reference()
    if found is None:
        pytest.skip(ABSENT)
    return found


def test_every_document_is_read(reference: Reference) -> None:
    assert {version: len(found.operations) for version, found in reference.surfaces.items()} == {
        "2025-06-01": 72,
        "2024-07-01.20.0": 77,
        "2024-02-01.19.0": 76,
    }
    assert reference.codes.know("PoolNotFound", 404)
    assert not reference.codes.know("PoolNotFound", 409)
    assert not reference.codes.know("PoolMissing", 404)


def test_versions_are_held_against_their_documents(reference: Reference) -> None:
    def versions(version: str) -> list[str]:
        return [surface.version for surface in reference.surfaces_for(version)]

    assert versions(NEWEST) == ["2025-06-01", "2024-02-01.19.0", "2024-07-01.20.0"]
    assert versions("2024-07-01.20.0") == ["2024-07-01.20.0"]
    assert versions("2022-10-01.16.0") == ["2024-02-01.19.0"]


def test_what_is_allowed_is_documented_somewhere(reference: Reference) -> None:
    """A place that no document has would never be found: it is misspelt."""
    titles = {
        operation.title for found in reference.surfaces.values() for operation in found.operations
    }
    properties = {
        f"{model.name}.{name}"
        for surface in reference.surfaces.values()
        for model in surface.models.values()
        for name in model.properties
    }
    wire = {name for model in reference.newest.models.values() for name in model.properties}
    for allowance in ALLOWANCES:
        for place in allowance.places:
            match allowance.fault:
                case Fault.HEADER_MISSING:
                    assert place.rpartition(": ")[0] in titles
                case Fault.OPERATION_UNKNOWN:
                    assert place in titles
                case Fault.PROPERTY_UNKNOWN:
                    assert place.partition(".")[2] in wire
                case Fault.PROPERTY_MISSING | Fault.WORD_UNKNOWN:
                    assert place in properties
                case fault:
                    raise AssertionError(f"{fault} is never allowed")


def test_an_allowance_is_of_one_fault_at_one_place() -> None:
    finding = Finding(fault=Fault.PROPERTY_MISSING, place="BatchNode.lastBootTime")
    assert is_allowed(finding, "2025-06-01")
    assert not is_allowed(finding, "2024-07-01.20.0")
    assert not is_allowed(
        Finding(fault=Fault.TYPE_WRONG, place="BatchNode.lastBootTime"), "2025-06-01"
    )


def test_the_types_of_python_are_read() -> None:
    surface = read_wire(
        {
            "api_version": "1",
            "operations": {
                "_delete_cat_internal": _operation("DELETE", "None"),
                "cat_exists": _operation("HEAD", "bool"),
                "get_cat_file": _operation("GET", "Iterator[bytes]"),
                "list_cats": _operation("GET", "ItemPaged['_models.Cat']"),
            },
            "models": {
                "Colour": {"kind": "enum", "values": {"RED": "Red"}},
                "Cat": {
                    "kind": "model",
                    "fields": {
                        "born": _field("born", "datetime.datetime", "'rfc3339'"),
                        "nap": _field("nap", "Optional[datetime.timedelta]"),
                        "hairs": _field("hairs", "int", "'str'"),
                        "colours": _field("colours", "list[Union[str, '_models.Colour']]"),
                        "mother": _field("motherCat", "Optional['_models.Cat']"),
                    },
                },
            },
        }
    )
    bodies = {operation.name: operation.body for operation in surface.operations}
    page = "page of list_cats"
    assert bodies == {
        "delete_cat": None,
        "cat_exists": None,
        "get_cat_file": Content(),
        "list_cats": ModelReference(page),
    }
    assert surface.models[page].properties == {
        "value": Property(type=Sequence(ModelReference("Cat")), required=True),
        "odata.nextLink": Property(type=Text(), required=False),
    }
    assert surface.models["Cat"].properties == {
        "born": Property(type=Moment(), required=True),
        "nap": Property(type=Length(), required=False),
        "hairs": Property(type=Whole(bits=64), required=True),
        "colours": Property(type=Sequence(Words("Colour", frozenset({"red"}))), required=True),
        "motherCat": Property(type=ModelReference("Cat"), required=False),
    }


def test_a_type_that_nobody_knows_is_refused() -> None:
    document = {
        "api_version": "1",
        "operations": {},
        "models": {"Cat": {"kind": "model", "fields": {"x": _field("x", "complex")}}},
    }
    with pytest.raises(ValueError, match="the type `complex` is not known"):
        read_wire(document)


def _operation(method: str, returns: str) -> dict[str, object]:
    return {
        "method": method,
        "url": "/cats",
        "success": [200],
        "response_headers": [],
        "returns": returns,
    }


def _field(wire: str, type_: str, form: str | None = None) -> dict[str, str | None]:
    return {"wire": wire, "type": type_, "format": form}
