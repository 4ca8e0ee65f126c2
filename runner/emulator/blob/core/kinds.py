"""Which records are kept on disk, and how each is found there: it follows from their types.

It must not know any record by name, so that a new one needs nothing here.
"""

from __future__ import annotations

from dataclasses import fields
from json.encoder import encode_basestring_ascii as quote_json
from typing import get_args, get_type_hints

from runner.emulator.blob.core.records import Key, Record
from runner.emulator.storage.database import Kind

_OF_KEY: dict[type, type] = {get_type_hints(of)["key"]: of for of in get_args(Record)}
# Of each type of key, what it has beside the container that owns the record: all of it is text.
_PARTS = {
    of: tuple(field.name for field in fields(of) if field.name != "container") for of in _OF_KEY
}


def address_of(key: Key) -> tuple[str, str]:
    """The container that owns a record, and what tells it from others there."""
    owner: str = getattr(key, "container", "")
    parts = [quote_json(getattr(key, name)) for name in _PARTS[type(key)]]
    return owner, f"[{', '.join(parts)}]"


def kind_of(key: Key) -> type:
    """The type of the record that a key finds."""
    return _OF_KEY[type(key)]


def _address_of_record(record: Record) -> tuple[str, str]:
    return address_of(record.key)


KINDS = tuple(Kind(of=of, address=_address_of_record) for of in get_args(Record))
