"""Which records are kept on disk, and how each is found there: it follows from their types.

It must not know any record by name, so that a new one needs nothing here.
"""

from __future__ import annotations

import json
from dataclasses import fields
from typing import get_args, get_type_hints

from runner.emulator.blob.core.records import Key, Record
from runner.emulator.storage.database import Kind

_OF_KEY: dict[type, type] = {get_type_hints(of)["key"]: of for of in get_args(Record)}


def address_of(key: Key) -> tuple[str, str]:
    """The container that owns a record, and what tells it from others there."""
    values = {field.name: getattr(key, field.name) for field in fields(key)}
    owner: str = values.pop("container", "")
    return owner, json.dumps([*values.values()])


def kind_of(key: Key) -> type:
    """The type of the record that a key finds."""
    return _OF_KEY[type(key)]


def _address_of_record(record: Record) -> tuple[str, str]:
    return address_of(record.key)


KINDS = tuple(Kind(of=of, address=_address_of_record) for of in get_args(Record))
