"""Containers: brought up flat or below a folder, unchanged, existing, of the user's naming."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from runner.errors import UsageError
from runner.plan.containers import Stored, containers_to_list
from runner.plan.model import BlobResource, FolderResource, InputFile, StoredBlob
from runner.spec.model.terms import Role
from tests.fakes.plans import lines, make_plan, make_workload, refused, spec_of

TASK = "task: {for_each: input, command: 'cat {{ file.path }} {{ file.url }}'}\n"
INPUT = Role("input")


def spec_with(container: str, task: str = TASK) -> str:
    """A spec whose input container is this one."""
    return spec_of(task).replace("  input:\n    upload: [{from: data}]\n", container)


def stored(name: str, content: bytes = b"", *, md5: bytes | None = None) -> StoredBlob:
    """A blob as a listing shows it."""
    return StoredBlob(name=name, size_bytes=len(content), md5=md5)


def test_files_go_below_a_folder(tmp_path: Path) -> None:
    text = spec_with("  input: {upload: [{from: data, to: deep/er}, {from: data/a.txt, to: x}]}\n")
    (container, _) = make_plan(tmp_path, text, ("a.txt", "sub/b.txt")).containers
    data = tmp_path / "data"
    assert list(container.files) == [
        InputFile(source=data / each, blob=blob, path=blob, size_bytes=len(each))
        for each, blob in (
            ("a.txt", "deep/er/a.txt"),
            ("sub/b.txt", "deep/er/sub/b.txt"),
            ("a.txt", "x/a.txt"),
        )
    ]
    assert all(each.source is not None and each.source.is_file() for each in container.files)


def test_folders_are_dropped(tmp_path: Path) -> None:
    text = spec_with("  input: {upload: [{from: data, structure: flat, to: all}]}\n")
    (container, _) = make_plan(tmp_path, text, ("z.txt", "b/y.txt", "a/c/x.txt")).containers
    assert [(each.blob, each.source) for each in container.files] == [
        ("all/x.txt", tmp_path / "data/a/c/x.txt"),
        ("all/y.txt", tmp_path / "data/b/y.txt"),
        ("all/z.txt", tmp_path / "data/z.txt"),
    ]
    assert container.files[-1] == container.files[2]
    (problem,) = refused(tmp_path, text, ("q/x.txt",))
    assert lines((problem,)) == [
        (
            f"spec.yaml:4:20: input-collision: `{tmp_path}/data/a/c/x.txt` and"
            f" `{tmp_path}/data/q/x.txt` would both be blob `all/x.txt`"
        )
    ]
    assert problem.hint == "`structure: keep` keeps their folders apart"


def test_the_case_of_patterns(tmp_path: Path) -> None:
    upload = '{from: data, include: ["*.mp4"]}'
    files = ("a.MP4", "b.mp4")
    text = spec_with(f"  input: {{upload: [{upload}]}}\n")
    assert [each.item for each in make_plan(tmp_path, text, files).tasks] == ["b.mp4"]
    text = text.replace('["*.mp4"]', '["*.mp4"], case_sensitive: false')
    assert [each.item for each in make_plan(tmp_path, text, files).tasks] == ["a.MP4", "b.mp4"]


def test_the_order_is_that_of_whole_names(tmp_path: Path) -> None:
    files = ("a/x.txt", "a.txt", "a-b/c.txt", "ab.txt", "a/x/y.txt", "Z.txt", "\u00e9/a.txt")
    plan = make_plan(tmp_path, files=files)
    assert [each.item for each in plan.tasks] == sorted(files)


def test_what_has_not_changed_is_known(tmp_path: Path) -> None:
    text = spec_with("  input: {name: mine, upload: [{from: data}]}\n")
    listing = [
        stored("a.txt", b"a.txt", md5=hashlib.md5(b"a.txt").digest()),
        stored("b.txt", b"B.txt", md5=hashlib.md5(b"B.txt").digest()),
        stored("c.txt", b"longer", md5=hashlib.md5(b"c.txt").digest()),
        stored("d.txt", b"d.txt"),
        stored("not-here.txt", b"x", md5=hashlib.md5(b"x").digest()),
    ]
    files = ("a.txt", "b.txt", "c.txt", "d.txt", "e.txt")
    workload = make_workload(tmp_path, text, files)
    assert containers_to_list(workload) == ((INPUT, "mine", ""),)
    plan = make_plan(tmp_path, text, files, {INPUT: listing})
    container = plan.container(INPUT)
    assert (container.name, container.is_made) == ("mine", False)
    assert container.unchanged == {"a.txt"}
    assert make_plan(tmp_path, text, files).container(INPUT).unchanged == frozenset()
    # A container made for the run holds nothing.
    assert make_plan(tmp_path, files=files, stored={INPUT: listing}).container(INPUT).is_made


EXISTING = "  input: {existing: media, prefix: 2026/, include: ['**/*.mp4'], exclude: ['x/**']}\n"


def test_an_existing_container(tmp_path: Path) -> None:
    names = ("2026/b.mp4", "2026/a/a b.mp4", "2025/c.mp4", "2026/x/d.mp4", "2026/e.txt")
    text = spec_with(EXISTING)
    assert containers_to_list(make_workload(tmp_path, text)) == ((INPUT, "media", "2026/"),)
    plan = make_plan(tmp_path, text, stored={INPUT: [stored(name, b"xyz") for name in names]})
    container = plan.container(INPUT)
    assert (container.name, container.is_made) == ("media", False)
    assert list(container.files) == [
        InputFile(source=None, blob="2026/a/a b.mp4", path="a/a b.mp4", size_bytes=3),
        InputFile(source=None, blob="2026/b.mp4", path="b.mp4", size_bytes=3),
    ]
    task = plan.tasks[0]
    assert task.resources == (BlobResource(role=INPUT, blob="2026/a/a b.mp4", path="a/a b.mp4"),)
    assert task.command.script == (
        "v1='a/a b.mp4'; v2='https://<storage-account>.blob.core.windows.net/media/2026/a/a%20b.mp4'"
        '; cat "${v1}" "${v2}"'
    )


def test_a_prefix_without_a_slash(tmp_path: Path) -> None:
    text = spec_with("  input: {existing: media, prefix: day}\n")
    listing = [stored("day/a.txt"), stored("day2/b.txt"), stored("day.txt")]
    plan = make_plan(tmp_path, text, stored={INPUT: listing})
    assert [(each.blob, each.path) for each in plan.container(INPUT).files] == [
        ("day.txt", ".txt"),
        ("day/a.txt", "a.txt"),
        ("day2/b.txt", "2/b.txt"),
    ]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("2026/a//b.mp4", "a folder or file of it has no name"),
        ("2026/a\nb.mp4", "it has a control character, which a blob list cannot hold"),
        ("2026/a./b.mp4", "the service drops a dot at the end of a name"),
        ("2026/" + "x" * 1_021 + ".mp4", "it is longer than 1024 characters"),
    ],
)
def test_blobs_that_no_task_can_have_as_a_file(tmp_path: Path, name: str, reason: str) -> None:
    found = refused(tmp_path, spec_with(EXISTING), stored={INPUT: [stored(name)]})
    assert reason in [each.message.split(": ")[-1] for each in found]
    assert {each.code for each in found} == {"blob-name"}


def test_an_existing_container_without_such_files(tmp_path: Path) -> None:
    found = refused(tmp_path, spec_with(EXISTING), stored={INPUT: [stored("2026/a.txt")]})
    assert [each.message for each in found] == [
        "container `media` has no file below `2026/` that `include` matches"
    ]


def test_an_existing_container_that_was_not_listed(tmp_path: Path) -> None:
    text = spec_with(EXISTING)
    assert containers_to_list(make_workload(tmp_path, text)) == ((INPUT, "media", "2026/"),)
    listings: Stored | None
    for listings in (None, {}):
        with pytest.raises(UsageError) as caught:
            make_plan(tmp_path, text, stored=listings)
        assert caught.value.message == (
            "the files of container `media` are known to the service alone: `--target azure` is"
            " needed"
        )
        assert caught.value.hint == "`containers.input` names a container that exists already"


def test_a_container_that_is_only_a_resource_need_not_be_listed(tmp_path: Path) -> None:
    text = spec_with(
        "  input: {existing: media}\n",
        "task: {command: ls, resources: [{from: input, to: all}]}\n",
    )
    workload = make_workload(tmp_path, text)
    assert containers_to_list(workload) == ()
    assert list(make_plan(tmp_path, text).container(INPUT).files) == []


def test_resources_of_a_container_with_a_prefix_are_below_it(tmp_path: Path) -> None:
    resources = "[{from: input, prefix: m}, {from: input, file: a.txt}, {from: input, to: b}]"
    for prefix in ("x/y/", "x/y"):
        text = spec_with(
            f"  input: {{existing: media, prefix: {prefix}}}\n",
            f"task: {{command: ls, resources: {resources}}}\n",
        )
        assert make_plan(tmp_path, text).tasks[0].resources == (
            FolderResource(role=INPUT, prefix="x/y/m"),
            BlobResource(role=INPUT, blob="x/y/a.txt", path="a.txt"),
            FolderResource(role=INPUT, prefix=prefix, path="b"),
        )


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_hidden_folders_are_not_looked_into(tmp_path: Path) -> None:
    make_workload(tmp_path, files=("a.txt", ".git/b.txt"))
    (tmp_path / "data" / ".git").chmod(0)
    try:
        plan = make_plan(tmp_path, files=("a.txt",))
    finally:
        (tmp_path / "data" / ".git").chmod(0o700)
    assert [each.item for each in plan.tasks] == ["a.txt"]


def test_a_million_names_that_cannot_be_are_shown_in_part(tmp_path: Path) -> None:
    make_workload(tmp_path)
    for number in range(150):
        (tmp_path / "data" / f"{number}.").write_bytes(b"")
    assert len(refused(tmp_path, spec_of(TASK))) == 100


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such names")
@pytest.mark.parametrize("name", [b"\xff.txt", b"a\x01b", b"a\nb", b"dot.", b"\xef\xbf\xbf"])
def test_names_are_refused_before_anything_is_made(tmp_path: Path, name: bytes) -> None:
    make_workload(tmp_path)
    (Path(os.fsdecode(os.fsencode(tmp_path / "data") + b"/" + name))).write_bytes(b"")
    assert [each.code for each in refused(tmp_path, spec_of(TASK))] == ["blob-name"]
