"""The three example workloads, end to end, on the local target and on given endpoints."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from azure.batch import BatchClient
from azure.core.credentials import AzureNamedKeyCredential
from azure.storage.blob import BlobServiceClient

from tests.e2e.conftest import ROOT, Emulator, User, copy_examples

DATA = ROOT / "workloads" / "data"


@pytest.fixture(params=["local", "azure"])
def anyone(request: pytest.FixtureRequest, user: User) -> User:
    """A user on either target; the second one's variables point at a separate emulator."""
    copy_examples(user.folder)
    if request.param == "local":
        return user
    emulator: Emulator = request.getfixturevalue("emulator")
    return user.with_environ(**emulator.environ)


def assert_nothing_left(user: User) -> None:
    """No pool, job, container or process of the run."""
    report = json.loads((user.last_run() / "report.json").read_text())
    assert report["left"] == []
    assert user.processes() == []
    if "AZURE_BATCH_ENDPOINT" in user.environ:
        credential = AzureNamedKeyCredential(
            user.environ["AZURE_BATCH_ACCOUNT"], user.environ["AZURE_BATCH_ACCESS_KEY"]
        )
        with BatchClient(user.environ["AZURE_BATCH_ENDPOINT"], credential) as batch:
            assert list(batch.list_pools()) == []
            assert list(batch.list_jobs()) == []
        with BlobServiceClient.from_connection_string(
            user.environ["AZURE_STORAGE_CONNECTION_STRING"]
        ) as storage:
            assert list(storage.list_containers()) == []


def test_cat_prints_every_task(anyone: User) -> None:
    done = anyone.run("workloads/cat.yaml")
    assert done.returncode == 0, done.stderr
    blocks = [block for block in done.stdout.split("Task: ") if block]
    texts = {path.read_text() for path in (DATA / "texts").iterdir()}
    assert len(blocks) == len(texts) == 3
    found = set()
    for block in blocks:
        match = re.fullmatch(
            r"(000[123])\nNode: (tvmps_[0-9a-f]{64}_d)\nStandard output:\n(.*)\n\n",
            block,
            re.DOTALL,
        )
        assert match is not None, block
        found.add(f"{match[3]}\n")
    assert found == texts
    assert "3 tasks: 3 succeeded" in done.stderr
    assert "nothing left in the services" in done.stderr
    assert_nothing_left(anyone)


def count_words(path: Path, number: int) -> list[str]:
    """The most frequent words, counted by coreutils and awk: no word of ours in it."""
    script = r"""
        sed '1s/^\xef\xbb\xbf//' "$1" | tr -s '[:space:]' '\n' |
        sed -E "s/^[[:punct:]]+//; s/[[:punct:]]+$//" | grep -v '^$' |
        awk '{ if (!($0 in first)) first[$0] = NR; count[$0]++ }
             END { for (word in count) print count[word] "\t" first[word] "\t" word }' |
        sort -t "$(printf '\t')" -k1,1nr -k2,2n | head -n "$2" | awk -F '\t' '{print $3 "\t" $1}'
    """
    done = subprocess.run(
        ["bash", "-c", script, "count", path, str(number)],
        env={"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


@pytest.mark.parametrize("number", [3, 7])
def test_topwords_counts_as_coreutils_do(anyone: User, number: int) -> None:
    parameters = () if number == 3 else ("-p", f"number={number}")
    done = anyone.run("workloads/topwords.yaml", *parameters)
    assert done.returncode == 0, done.stderr
    results = anyone.folder / "results" / "topwords" / "output"
    books = sorted((DATA / "books").glob("*.txt"))
    assert sorted(path.name for path in results.iterdir()) == [
        f"{book.stem}_OUTPUT.txt" for book in books
    ]
    for book in books:
        lines = (results / f"{book.stem}_OUTPUT.txt").read_text().splitlines()
        assert lines[:number] == count_words(book, number)
        assert [line.partition(":")[0] for line in lines[-4:]] == ["Node", "Task", "Job", "Pool"]
        assert lines[-2] == f"Job: {anyone.last_run().name}"
    assert_nothing_left(anyone)


def probe(ffmpeg: str, path: Path) -> tuple[str, float]:
    """Codec and duration in seconds, by decoding the whole file."""
    done = subprocess.run(
        [ffmpeg, "-hide_banner", "-i", path, "-f", "null", "-"],
        capture_output=True,
        text=True,
        check=True,
    )
    codec = re.search(r"Audio: (\w+)", done.stderr)
    times = re.findall(r"time=(\d+):(\d+):([\d.]+)", done.stderr)
    assert codec is not None
    hours, minutes, seconds = times[-1]
    return codec[1], int(hours) * 3600 + int(minutes) * 60 + float(seconds)


def test_ffmpeg_makes_mp3s(anyone: User, program_folder: Path) -> None:
    # With the ffmpeg of this machine: nodes of their own would install it first.
    done = anyone.run("workloads/ffmpeg.yaml", "--isolation", "none")
    assert done.returncode == 0, done.stderr
    ffmpeg = str(program_folder / "ffmpeg")
    results = anyone.folder / "results" / "ffmpeg" / "output"
    videos = sorted((DATA / "videos").glob("*.mp4"))
    assert len(videos) == 5
    assert sorted(path.name for path in results.iterdir()) == [
        f"{video.stem}.mp3" for video in videos
    ]
    for video in videos:
        codec, seconds = probe(ffmpeg, results / f"{video.stem}.mp3")
        _, wanted = probe(ffmpeg, video)
        assert codec == "mp3"
        assert seconds == pytest.approx(wanted, abs=0.2)
    nodes = {
        event["node"]
        for event in map(json.loads, (anyone.last_run() / "events.jsonl").read_text().splitlines())
        if event["type"] == "node.changed"
    }
    assert len(nodes) == 5
    assert all(re.fullmatch(r"tvmps_[0-9a-f]{64}_p", node) for node in nodes)
    assert_nothing_left(anyone)


def test_an_admin_start_task_is_not_run_here(user: User) -> None:
    copy_examples(user.folder)
    without = {**user.environ, "PATH": "/usr/bin:/bin"}
    spec = (user.folder / "workloads" / "ffmpeg.yaml").read_text()
    user.write("workloads/absent.yaml", spec.replace("ffmpeg -nostdin", "no-such-ffmpeg -nostdin"))
    done = User(user.folder, without).run("workloads/absent.yaml", "--isolation", "none")
    assert done.returncode == 1
    notes = [line for line in done.stderr.splitlines() if line.startswith("note: ")]
    assert notes == [
        "note: nodes are folders, and tasks are processes of this machine",
        (
            "note: the start task asks for admin and is not run on this machine; what it installs"
            " must be here already (--allow-admin runs it)"
        ),
    ]
    assert "exit code 127" in done.stderr
    assert "no-such-ffmpeg: command not found" in done.stderr


def test_videos_are_small() -> None:
    assert all(path.stat().st_size < 100_000 for path in (DATA / "videos").glob("*.mp4"))
