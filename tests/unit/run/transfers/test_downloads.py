"""Attacks on the output directory, and what is left of a download that does not come to its end."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import io
import os
import shutil
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import BinaryIO

import pytest
from typing_extensions import override

from runner.errors import DiskFullError, TransferError
from runner.run.services import Downloaded
from runner.run.transfers.downloads import Brought, Downloads, local_name, remove_partials
from runner.run.transfers.folders import NewFile, open_folder
from tests.fakes.services import FakeBlobs

PARTIAL = f".batch-run-{'0f' * 16}.partial"


def downloads(folder: Path, blobs: FakeBlobs, *, tells_case: bool | None = None) -> Downloads:
    return Downloads(folder / "results", blobs=blobs, tells_case=tells_case)


def having(*names: str) -> FakeBlobs:
    return FakeBlobs(containers={"c": {name: f"content of {name}".encode() for name in names}})


def bring(downloads: Downloads, container: str, blob: str, folder: str, name: str) -> Brought:
    (brought,) = downloads.land([downloads.fetch(container, blob, folder, name)])
    if isinstance(brought, TransferError):
        raise brought
    return brought


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_what_was_brought_is_told(tmp_path: Path) -> None:
    brought = bring(downloads(tmp_path, having("a/b.txt")), "c", "a/b.txt", "output", "a/b.txt")
    assert brought.path == str(tmp_path / "results/output/a/b.txt")
    assert brought.size_bytes == len(b"content of a/b.txt")
    assert brought.md5 == hashlib.md5(b"content of a/b.txt").digest()
    assert files(tmp_path / "results") == {"output/a/b.txt": b"content of a/b.txt"}


@pytest.mark.parametrize(
    "name",
    [
        "../x",
        "a/../../x",
        "/etc/x",
        "//x",
        "..",
        ".",
        "",
        "a\0b",
        PARTIAL,
        f"a/{PARTIAL}",
    ],
)
def test_no_name_leads_elsewhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "results").mkdir()
    with pytest.raises(TransferError) as caught:
        bring(downloads(tmp_path, having(name)), "c", name, "output", name)
    assert caught.value.message == f"blob {name!a} cannot be a file below the output directory"
    assert files(tmp_path) == {}


@pytest.mark.parametrize(
    "name",
    ["a\nb", "\x1b[2J", "\x7f", "~", "-rf", "a\\b", "CON", "a.", "\u202etxt", "\udcff"],
)
def test_odd_names_are_files_of_just_this_name(tmp_path: Path, name: str) -> None:
    blobs = FakeBlobs(containers={"c": {name: b"1"}})
    bring(downloads(tmp_path, blobs), "c", name, "output", name)
    assert [each.name for each in (tmp_path / "results/output").iterdir()] == [name]


@pytest.mark.parametrize(
    "name",
    [
        *("CON", "con.txt", "a/NUL", "COM1", "LPT9.log", "COM¹", "CONIN$", "aux.tar.gz"),
        *("a.", "a ", "a /b", "a:b", "C:x", "a\\b", "a?", "a*", "a|b", 'a"b', "<a", "a\nb"),
    ],
)
def test_names_that_mean_something_else_on_windows(name: str) -> None:
    with pytest.raises(TransferError):
        local_name(name, windows=True)


@pytest.mark.parametrize("name", ["console", "com10", "a.b/c d.txt", "nul-1", "LPT", "ü"])
def test_names_that_windows_takes(name: str) -> None:
    assert local_name(name, windows=True) == PurePosixPath(name)


def test_a_link_within_the_directory_is_the_users_choice(tmp_path: Path) -> None:
    results = tmp_path / "results"
    (results / "kept").mkdir(parents=True)
    (results / "output").symlink_to("kept")
    bring(downloads(tmp_path, having("a/b")), "c", "a/b", "output", "a/b")
    assert files(results / "kept") == {"a/b": b"content of a/b"}


@pytest.mark.parametrize("target", ["/", "../..", "../../elsewhere", "loop", "../../missing"])
def test_a_link_that_leads_out(tmp_path: Path, target: str) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "results" / "output").mkdir(parents=True)
    (tmp_path / "results" / "output" / "loop").symlink_to(target)
    with pytest.raises(TransferError):
        bring(downloads(tmp_path, having("loop/b")), "c", "loop/b", "output", "loop/b")
    assert files(tmp_path) == {}


@dataclass
class PlantingBlobs(FakeBlobs):
    """Somebody acts between our look at a folder and the end of a download."""

    plant: Callable[[], None] = lambda: None

    @override
    def download(self, container: str, blob: str, stream: BinaryIO) -> Downloaded:
        self.plant()
        return super().download(container, blob, stream)


def test_a_folder_that_becomes_a_link_meanwhile(tmp_path: Path) -> None:
    output, elsewhere = tmp_path / "results" / "output", tmp_path / "elsewhere"
    elsewhere.mkdir()

    def plant() -> None:
        output.rename(tmp_path / "moved")
        output.symlink_to(elsewhere)

    blobs = PlantingBlobs(containers=having("a").containers, plant=plant)
    bring(downloads(tmp_path, blobs), "c", "a", "output", "a")
    assert list(elsewhere.iterdir()) == []
    assert files(tmp_path / "moved") == {"a": b"content of a"}


def test_a_file_that_becomes_a_link_meanwhile(tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("mine")
    target = tmp_path / "results" / "output" / "a"
    blobs = PlantingBlobs(
        containers=having("a").containers, plant=lambda: target.symlink_to(precious)
    )
    bring(downloads(tmp_path, blobs), "c", "a", "output", "a")
    assert precious.read_text() == "mine"
    assert target.read_bytes() == b"content of a"
    assert not target.is_symlink()


def test_no_link_planted_between_look_and_step_is_followed(tmp_path: Path) -> None:
    """A folder and a link change places all the time: whatever we meet, nothing gets out."""
    results, elsewhere = tmp_path / "results", tmp_path / "elsewhere"
    place, spare = results / "a", tmp_path / "spare"
    (place / "b").mkdir(parents=True)
    (elsewhere / "b").mkdir(parents=True)
    over = threading.Event()

    def swap() -> int:
        swaps = 0
        while not over.is_set():
            place.rename(spare)
            # In between, the folder may be made anew.
            while not place.is_symlink():
                with contextlib.suppress(OSError):
                    shutil.rmtree(place, ignore_errors=True)
                    place.symlink_to(elsewhere)
            place.unlink()
            while spare.exists():
                with contextlib.suppress(OSError):
                    shutil.rmtree(place, ignore_errors=True)
                    spare.rename(place)
            swaps += 1
        return swaps

    went = 0
    with ThreadPoolExecutor(1) as pool:
        swapping = pool.submit(swap)
        try:
            for number in range(2_000):
                with contextlib.suppress(TransferError, OSError):
                    with open_folder(results, PurePosixPath("a/b")) as folder:
                        folder.create(f"{number}").close()
                    went += 1
        finally:
            over.set()
        assert swapping.result(timeout=60) > 0
    assert list((elsewhere / "b").iterdir()) == []
    assert went > 0


def test_names_that_differ_in_case_alone_on_a_disk_that_knows_none(tmp_path: Path) -> None:
    blobs = having("A/x.txt", "a/X.txt", "é", "e\u0301")
    down = downloads(tmp_path, blobs, tells_case=False)
    bring(down, "c", "A/x.txt", "output", "A/x.txt")
    bring(down, "c", "A/x.txt", "output", "A/x.txt")
    bring(down, "c", "é", "output", "é")
    with pytest.raises(TransferError) as caught:
        bring(down, "c", "a/X.txt", "output", "a/X.txt")
    assert caught.value.message == (
        f"`output/a/X.txt` and `output/A/x.txt` are one file in `{tmp_path}/results`, where upper"
        " and lower case are the same"
    )
    assert caught.value.hint == "choose a place that tells them apart with `--output DIR`"
    with pytest.raises(TransferError):
        bring(down, "c", "e\u0301", "output", "e\u0301")
    assert files(tmp_path / "results") == {
        "output/A/x.txt": b"content of A/x.txt",
        "output/é": "content of é".encode(),
    }


def test_names_that_differ_in_case_alone_elsewhere(tmp_path: Path) -> None:
    down = downloads(tmp_path, having("A", "a"))
    bring(down, "c", "A", "output", "A")
    bring(down, "c", "a", "output", "a")
    assert files(tmp_path / "results") == {
        "output/A": b"content of A",
        "output/a": b"content of a",
    }


@dataclass
class BreakingBlobs(FakeBlobs):
    """A download that writes a part, and then fails."""

    error: BaseException = field(default_factory=RuntimeError)

    @override
    def download(self, container: str, blob: str, stream: BinaryIO) -> Downloaded:
        stream.write(b"half")
        raise self.error


def full() -> OSError:
    return OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@pytest.mark.parametrize("error", [full(), TransferError("its MD5 differs"), KeyboardInterrupt()])
def test_what_was_there_stays_where_a_download_fails(tmp_path: Path, error: BaseException) -> None:
    target = tmp_path / "results" / "output" / "a"
    target.parent.mkdir(parents=True)
    target.write_text("of an earlier run")
    with pytest.raises((TransferError, KeyboardInterrupt)):
        bring(downloads(tmp_path, BreakingBlobs(error=error)), "c", "a", "output", "a")
    assert files(tmp_path / "results") == {"output/a": b"of an earlier run"}


def test_of_several_that_land_together_one_may_not(tmp_path: Path) -> None:
    output = tmp_path / "results" / "output"
    (output / "b" / "full").mkdir(parents=True)
    down = downloads(tmp_path, having("a", "b", "c"))
    fetched = [down.fetch("c", name, "output", name) for name in "abc"]
    assert not (output / "a").exists()
    first, second, third = down.land(fetched)
    assert isinstance(first, Brought)
    assert isinstance(third, Brought)
    assert isinstance(second, TransferError)
    assert second.message == f"cannot write `{output / 'b'}`: is a directory"
    assert files(output) == {"a": b"content of a", "c": b"content of c"}


def test_a_folder_that_became_a_link_is_looked_at_again(tmp_path: Path) -> None:
    output, elsewhere = tmp_path / "results" / "output", tmp_path / "elsewhere"
    elsewhere.mkdir()
    down = downloads(tmp_path, having("a", "b"))
    bring(down, "c", "a", "output", "a")
    output.rename(tmp_path / "moved")
    output.symlink_to(elsewhere)
    with pytest.raises(TransferError) as caught:
        bring(down, "c", "b", "output", "b")
    assert caught.value.message == (f"`{output}` leads out of `{tmp_path / 'results'}` by a link")
    assert files(elsewhere) == {}


def test_a_folder_that_is_gone_is_made_again(tmp_path: Path) -> None:
    down = downloads(tmp_path, having("a", "b"))
    bring(down, "c", "a", "output", "a")
    shutil.rmtree(tmp_path / "results")
    bring(down, "c", "b", "output", "b")
    assert files(tmp_path / "results") == {"output/b": b"content of b"}


def count_open() -> int:
    return len(tuple(Path("/proc/self/fd").iterdir()))


@pytest.mark.skipif(sys.platform != "linux", reason="counts descriptors in /proc")
def test_folders_are_given_back(tmp_path: Path) -> None:
    names = [f"{number}/{part}" for number in range(40) for part in "ab"]
    before = count_open()
    down = downloads(tmp_path, having(*names))
    landed = down.land([down.fetch("c", name, "output", name) for name in names])
    assert all(isinstance(each, Brought) for each in landed)
    assert count_open() <= before + 16
    down.close()
    assert count_open() == before


def test_a_full_disk_is_told_as_one(tmp_path: Path) -> None:
    with pytest.raises(DiskFullError) as caught:
        bring(downloads(tmp_path, BreakingBlobs(error=full())), "c", "a", "output", "a")
    target = tmp_path / "results" / "output" / "a"
    assert caught.value.message == f"cannot write `{target}`: no space left on device"


def test_what_killed_downloads_have_left_is_removed(tmp_path: Path) -> None:
    inner, elsewhere = tmp_path / "results" / "a" / "b", tmp_path / "elsewhere"
    inner.mkdir(parents=True)
    elsewhere.mkdir()
    (elsewhere / PARTIAL).write_text("not ours")
    (inner / PARTIAL).write_text("half")
    (inner / ".batch-run-0.partial").write_text("the user's")
    (inner / "link").symlink_to(elsewhere)
    (tmp_path / "results" / PARTIAL).symlink_to(elsewhere / PARTIAL)

    assert remove_partials(tmp_path / "results") == 1
    assert not (inner / PARTIAL).exists()
    assert (inner / ".batch-run-0.partial").read_text() == "the user's"
    assert (elsewhere / PARTIAL).read_text() == "not ours"
    assert (tmp_path / "results" / PARTIAL).is_symlink()


def test_what_another_client_is_writing_stays(tmp_path: Path) -> None:
    path = tmp_path / PARTIAL
    with path.open("wb") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        assert remove_partials(tmp_path) == 0
        assert path.exists()
    assert remove_partials(tmp_path) == 1


def test_a_download_under_way_is_not_taken_for_left_over(tmp_path: Path) -> None:
    removed: list[int] = []
    blobs = PlantingBlobs(
        containers=having("a").containers,
        plant=lambda: removed.append(remove_partials(tmp_path / "results")),
    )
    bring(downloads(tmp_path, blobs), "c", "a", "output", "a")
    assert removed == [0]
    assert files(tmp_path / "results") == {"output/a": b"content of a"}


def test_a_directory_that_is_not_there_has_none(tmp_path: Path) -> None:
    assert remove_partials(tmp_path / "results") == 0


class Counted(NewFile):
    """Counts how often the system is told of what was written."""

    begun = 0

    @override
    def begin_to_land(self) -> None:
        super().begin_to_land()
        self.begun += 1


def test_a_large_file_is_brought_to_the_disk_while_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "large"
    pieces = [bytes([number]) * 1024 * 1024 for number in range(20)]

    with Counted(io.FileIO(path, "wb")) as stream:
        assert [stream.write(piece) for piece in pieces] == [1024 * 1024] * 20
        told = stream.begun
        # As another try does, which begins anew.
        stream.seek(0)
        stream.truncate()
        for piece in pieces:
            stream.write(piece)

    assert (told, stream.begun) == (2, 5)
    assert path.read_bytes() == b"".join(pieces)
