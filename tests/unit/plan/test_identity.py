"""What tasks are made of, where the service alone knows what is in their files."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from runner.plan.containers import Stored
from runner.plan.expand import expand
from runner.plan.file_digests import FileDigests
from runner.plan.identity import Identities, Identity, Unidentified
from runner.plan.input_digests import InputDigests, ListBlobs
from runner.plan.model import Plan, RunId, StoredBlob
from runner.spec.model.terms import Role
from tests.fakes.plans import SPEC, make_plan, make_workload

BEGAN = datetime(2100, 1, 1, tzinfo=timezone.utc)
WRITTEN = BEGAN - timedelta(hours=1)


def identify(
    plan: Plan,
    *,
    target: str = "azure",
    stored: Stored | None = None,
    list_blobs: ListBlobs | None = None,
    number: int = 1,
) -> Identity | Unidentified:
    digests = FileDigests(None, now_ns=int(BEGAN.timestamp()) * 10**9)
    inputs = InputDigests(
        plan,
        digests,
        is_local=target == "local",
        stored=stored,
        list_blobs=list_blobs,
        since=BEGAN,
    )
    inputs.read_all()
    return Identities(plan, inputs, target=target).identify(
        plan.tasks[number - 1], lambda needs: b"n" * 16
    )


def parts(found: Identity | Unidentified) -> dict[str, str]:
    assert isinstance(found, Identity), found
    return dict(found.parts)


def blob(name: str, md5: bytes | None = b"m" * 16, written: datetime = WRITTEN) -> StoredBlob:
    return StoredBlob(name=name, size_bytes=1, md5=md5, modified=written)


TOOLS = SPEC.replace(
    "containers:\n", "containers:\n  tools: {existing: mine, prefix: x/}\n"
).replace("  for_each: input\n", "  for_each: input\n  resources: [{from: tools, file: model}]\n")


def test_a_blob_that_was_not_listed_is_asked_for_once(tmp_path: Path) -> None:
    asked: list[tuple[str, str]] = []

    def list_blobs(container: str, prefix: str) -> Iterable[StoredBlob]:
        asked.append((container, prefix))
        return [blob("x/model"), blob("x/model.old", b"o" * 16)]

    plan = make_plan(tmp_path, TOOLS)
    found = identify(plan, list_blobs=list_blobs)
    assert isinstance(found, Identity)
    assert [path for path, _ in found.files["resources"]] == ["model"]
    assert asked == [("mine", "x/model")]
    changed = identify(plan, list_blobs=lambda *_: [blob("x/model", b"n" * 16)])
    assert parts(changed)["resources"] != found.parts["resources"]
    assert parts(changed)["inputs"] == found.parts["inputs"]


@pytest.mark.parametrize(
    "found", [None, [], [blob("x/model", written=BEGAN + timedelta(seconds=1))]]
)
def test_what_nobody_knows_is_no_guess(tmp_path: Path, found: list[StoredBlob] | None) -> None:
    list_blobs = None if found is None else lambda *_: found
    assert identify(make_plan(tmp_path, TOOLS), list_blobs=list_blobs) == Unidentified(
        why="what is in `tools/x/model` is not known"
    )


def test_folders_count_with_all_their_files(tmp_path: Path) -> None:
    text = TOOLS.replace(", file: model", "")
    plan = make_plan(tmp_path, text)
    one, two = (blob("x/a"), blob("x/b")), (blob("x/a"), blob("x/c"))
    first, second = (
        identify(plan, list_blobs=lambda *_, found=found: found) for found in (one, two)
    )
    assert parts(first)["resources"] != parts(second)["resources"]


def test_a_container_that_keeps_what_it_had_is_not_known(tmp_path: Path) -> None:
    text = SPEC.replace("{from: data}]", "{from: data}]\n    name: mine\n    if_not_empty: keep")
    text = text.replace(
        "for_each: input\n", "for_each: input\n  resources: [{from: input, to: all}]\n"
    )
    plan = make_plan(tmp_path, text)
    assert identify(plan) == Unidentified(why="what is in `input` is not known")
    assert isinstance(identify(plan, target="local"), Identity)  # it begins empty there


def test_the_run_does_not_count(tmp_path: Path) -> None:
    text = SPEC.replace("pool:\n", "pool:\n  start_task: {command: 'echo {{ run.id }}'}\n")
    workload = make_workload(tmp_path, text)
    names = ("<run>", "demo-20270102t030405z-zzzz")
    plans = [expand(workload, folder=tmp_path, run_id=RunId(name)) for name in names]
    shown, begun = (parts(identify(plan)) for plan in plans)
    assert shown == begun
    assert shown["image"] != parts(identify(make_plan(tmp_path)))["image"]


def test_packages_count_where_they_are_installed(tmp_path: Path) -> None:
    text = SPEC.replace("pool:\n", "pool:\n  packages: {apt: [jq]}\n")
    with_them, without = make_plan(tmp_path, text), make_plan(tmp_path)
    for target, same in (("local", True), ("azure", False)):
        images = {parts(identify(plan, target=target))["image"] for plan in (with_them, without)}
        assert (len(images) == 1) is same


def test_unchanged_files_count_by_their_blobs(tmp_path: Path) -> None:
    text = SPEC.replace("{from: data}]", "{from: data}]\n    name: mine\n    if_not_empty: keep")
    make_plan(tmp_path, text)
    md5 = hashlib.md5(b"a.txt").digest()
    stored = {Role("input"): (replace(blob("a.txt", md5), size_bytes=5),)}
    plan = make_plan(tmp_path, text, stored=stored)
    assert plan.container(Role("input")).unchanged == {"a.txt"}
    found = identify(plan, stored=stored)
    assert isinstance(found, Identity)
    assert found.files["inputs"] == (("a.txt", md5.hex()),)
