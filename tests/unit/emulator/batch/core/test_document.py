"""Documents in little memory, which are to their readers what they were."""

from __future__ import annotations

import json

import pytest

from runner.emulator.batch.core.document import PackedDocument, text_of
from runner.emulator.batch.core.tasktable import TaskTable
from runner.emulator.storage.jsontext import Text

DOCUMENT = {
    "commandLine": "echo é",
    "requiredSlots": 1,
    "flag": False,
    "none": None,
    "userIdentity": {"autoUser": {"scope": "pool"}},
    "environmentSettings": [{"name": "A", "value": "b" * 2000}],
}


def test_a_packed_document_is_the_same() -> None:
    packed = TaskTable().pack(DOCUMENT)
    assert dict(packed) == DOCUMENT
    assert {**packed} == DOCUMENT
    assert list(packed) == list(DOCUMENT)
    assert json.dumps(dict(packed)) == json.dumps(DOCUMENT)
    assert packed.get("flag") is False
    assert "none" in packed
    assert "other" not in packed
    assert packed.get("other", 7) == 7
    assert len(packed) == len(DOCUMENT)
    with pytest.raises(KeyError):
        packed["other"]


def test_documents_of_one_job_are_told_apart() -> None:
    table = TaskTable()
    documents = [{**DOCUMENT, "commandLine": f"echo {number}"} for number in range(3)]
    packed = [table.pack(document) for document in documents]
    assert [dict(each) for each in reversed(packed)] == list(reversed(documents))
    assert [each["commandLine"] for each in packed] == ["echo 0", "echo 1", "echo 2"]


def test_a_document_is_packed_once_and_comes_back_as_text() -> None:
    packed = TaskTable().pack(DOCUMENT)
    assert TaskTable().pack(packed) is packed
    assert packed.json == text_of(DOCUMENT) == json.dumps(DOCUMENT, separators=(",", ":"))
    assert dict(TaskTable().pack(Text(packed.json))) == DOCUMENT


def test_half_a_character_is_kept() -> None:
    document = {"commandLine": "\ud83d"}
    assert dict(TaskTable().pack(document)) == document


def test_what_tasks_have_in_common_is_kept_once() -> None:
    table = TaskTable()
    table.pack({**DOCUMENT, "commandLine": "echo 1"})
    other = table.pack({**DOCUMENT, "commandLine": "echo 2"})
    assert isinstance(other, PackedDocument)
    assert other.size < len(other.json) / 10
