"""Documents in little memory, which are to their readers what they were."""

from __future__ import annotations

import json

import pytest

from runner.emulator.batch.core.document import pack

DOCUMENT = {
    "commandLine": "echo é",
    "requiredSlots": 1,
    "flag": False,
    "none": None,
    "userIdentity": {"autoUser": {"scope": "pool"}},
    "environmentSettings": [{"name": "A", "value": "b" * 2000}],
}


def test_a_packed_document_is_the_same() -> None:
    packed = pack(DOCUMENT)
    assert dict(packed) == DOCUMENT
    assert {**packed} == DOCUMENT
    assert list(packed) == list(DOCUMENT)
    assert json.dumps(dict(packed)) == json.dumps(DOCUMENT)
    assert packed.get("flag") is False
    assert "none" in packed
    assert "other" not in packed
    assert packed.get("other", 7) == 7
    assert pack(packed) is packed
    with pytest.raises(KeyError):
        packed["other"]


def test_what_is_read_of_it_may_be_changed() -> None:
    packed = pack(DOCUMENT)
    packed["userIdentity"]["autoUser"] = None
    assert packed["userIdentity"] == {"autoUser": {"scope": "pool"}}
