"""Which files a resource still lacks, whatever they are called and whoever asks first."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runner.errors import TransferError
from runner.plan.model import BlobResource, FolderResource, InputFile, Plan, WebResource
from runner.run.records.journal import Journal
from runner.run.transfers.uploads import Uploads
from runner.spec.model.terms import Role
from tests.fakes.plans import RUN, make_plan
from tests.fakes.services import NOW, FakeBlobs

INPUT = Role("input")
NAMES = sorted(
    ["a", "a/b", "a/c", "a.b", "a b", "ab", "b/1", "b/2", "B/1", "é/x", "世界/1", "\U0001f600", "z"]
)


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """A plan whose container has files of these names."""
    plan = make_plan(tmp_path, files=("a.txt",))
    source = plan.container(INPUT).files[0].source
    files = tuple(InputFile(source=source, blob=name, path=name, size_bytes=5) for name in NAMES)
    containers = (replace(plan.container(INPUT), files=files), *plan.containers[1:])
    return replace(plan, containers=containers)


@pytest.fixture
def uploads(plan: Plan, tmp_path: Path) -> Iterator[Uploads]:
    blobs = FakeBlobs(containers={f"{RUN}-input": {}})
    (tmp_path / "run").mkdir()
    journal = Journal(
        tmp_path / "run", run=RUN, clock=lambda: NOW, listener=lambda event, line: None
    )
    yield Uploads(plan, blobs=blobs, journal=journal)
    journal.close()


def begin(uploads: Uploads, resource: BlobResource | FolderResource | WebResource) -> list[str]:
    """The names of all that a resource lacks, which is then under way."""
    found = []
    for file in uploads.missing(resource):
        found.append(NAMES[file.index])
        if not uploads.is_under_way(file):
            uploads.begin(file)
    return sorted(found)


def blob(name: str) -> BlobResource:
    return BlobResource(role=INPUT, blob=name, path=name)


def folder(prefix: str) -> FolderResource:
    return FolderResource(role=INPUT, prefix=prefix)


@pytest.mark.parametrize("seed", range(5))
def test_each_file_is_found_by_its_name(uploads: Uploads, seed: int) -> None:
    names = random.Random(seed).sample(NAMES, len(NAMES))
    assert [begin(uploads, blob(name)) for name in names] == [[name] for name in names]


def test_a_name_that_no_file_has_needs_nothing(uploads: Uploads) -> None:
    for name in ("", "0", "a/", "a/d", "zz", "\U0001f601"):
        assert begin(uploads, blob(name)) == []
    assert begin(uploads, BlobResource(role=Role("output"), blob="a", path="a")) == []
    assert begin(uploads, WebResource(url="https://example.org/a", path="a")) == []


@pytest.mark.parametrize("prefix", ["", "a", "a/", "b/", "B", "é", "世", "\U0001f600", "c", "zz"])
def test_a_folder_is_all_that_starts_alike(uploads: Uploads, prefix: str) -> None:
    assert begin(uploads, folder(prefix)) == [name for name in NAMES if name.startswith(prefix)]


def test_what_is_under_way_is_still_missing_and_what_is_there_is_not(uploads: Uploads) -> None:
    assert begin(uploads, folder("a/")) == ["a/b", "a/c"]
    assert begin(uploads, folder("a/")) == ["a/b", "a/c"]
    assert begin(uploads, blob("a/b")) == ["a/b"]
    (file,) = uploads.missing(blob("a/b"))
    uploads.end([(file, None)])
    assert begin(uploads, blob("a/b")) == []
    assert begin(uploads, folder("a/")) == ["a/c"]
    assert "a/b" not in begin(uploads, folder("a"))
    assert begin(uploads, folder("")) == [name for name in NAMES if name != "a/b"]


def test_the_rest_is_brought_up_once(uploads: Uploads, plan: Plan) -> None:
    uploads.bring(uploads.missing(folder("a/")), lambda: None)
    uploads.bring(uploads.rest(INPUT), lambda: None)
    assert list(uploads.rest(INPUT)) == []
    assert uploads.roles == (INPUT,)


def test_a_file_that_changed_after_it_was_planned(uploads: Uploads, plan: Plan) -> None:
    source = plan.container(INPUT).files[0].source
    assert source is not None
    source.write_text("longer")
    with pytest.raises(TransferError) as caught:
        uploads.bring(uploads.rest(INPUT), lambda: None)
    assert caught.value.message == (
        f"`{source}` changed after the run began: it had 5 bytes, and has 6"
    )
    assert caught.value.hint == "run again once nobody writes to it"


def test_a_file_that_vanished_after_it_was_planned(uploads: Uploads, plan: Plan) -> None:
    source = plan.container(INPUT).files[0].source
    assert source is not None
    source.unlink()
    with pytest.raises(TransferError) as caught:
        uploads.bring(uploads.rest(INPUT), lambda: None)
    assert caught.value.message == f"cannot read `{source}`: no such file or directory"
