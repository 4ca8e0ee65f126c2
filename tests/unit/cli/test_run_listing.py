"""What a plan needs to know of the user's containers is asked before it is made."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.cli.listing import list_stored, needs_listing
from runner.spec.messages import render_problem
from runner.spec.problem import SpecError
from tests.fakes.plans import SPEC, make_workload
from tests.fakes.services import FakeBlobs

EXISTING = SPEC.replace("    upload: [{from: data}]", "    existing: media\n    prefix: 2026/")
NAMED = SPEC.replace("    upload: [{from: data}]", "    name: films\n    upload: [{from: data}]")


def test_only_containers_of_the_users_need_a_listing(tmp_path: Path) -> None:
    assert needs_listing(make_workload(tmp_path, SPEC)) is False
    assert needs_listing(make_workload(tmp_path, EXISTING)) is True
    assert needs_listing(make_workload(tmp_path, NAMED)) is True


def test_an_existing_container_is_listed_below_its_prefix(tmp_path: Path) -> None:
    blobs = FakeBlobs(containers={"media": {"2025/a": b"old", "2026/b": b"new"}})

    stored = list_stored(make_workload(tmp_path, EXISTING), blobs)

    assert {role: [blob.name for blob in found] for role, found in stored.items()} == {
        "input": ["2026/b"]
    }


def test_a_container_of_the_users_naming_need_not_exist(tmp_path: Path) -> None:
    workload = make_workload(tmp_path, NAMED)

    assert list_stored(workload, FakeBlobs()) == {}
    stored = list_stored(workload, FakeBlobs(containers={"films": {"a.txt": b"a.txt"}}))
    assert [blob.name for found in stored.values() for blob in found] == ["a.txt"]


def test_every_missing_container_is_named_at_its_place(tmp_path: Path) -> None:
    text = EXISTING.replace("  output:", "  tools: {existing: bin}\n  output:")

    with pytest.raises(SpecError) as caught:
        list_stored(make_workload(tmp_path, text), FakeBlobs())

    assert "\n".join(map(render_problem, caught.value.problems)) == (
        "spec.yaml:5:15: container-missing: there is no container `media` for `input` at"
        " https://storage.example\n"
        "      existing: media\n"
        "                ^^^^^\n"
        "hint: `az storage container list --query [].name` shows those that there are\n"
        "spec.yaml:7:21: container-missing: there is no container `bin` for `tools` at"
        " https://storage.example\n"
        "    tools: {existing: bin}\n"
        "                      ^^^\n"
        "hint: `az storage container list --query [].name` shows those that there are"
    )
