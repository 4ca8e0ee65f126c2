"""Output files sent over real HTTP: names, conditions, logs and failures."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from runner.emulator.batch.node.connections import Connections
from runner.emulator.batch.node.containment import folder_of
from runner.emulator.batch.node.due import due_outputs
from runner.emulator.batch.node.interruption import InterruptedRunError, Interruption
from runner.emulator.batch.node.launch import (
    Failure,
    FailureCategory,
    FailurePhase,
    OutputFile,
    UploadCondition,
)
from runner.emulator.batch.node.near import SMALL_BYTES, Nearby
from runner.emulator.batch.node.outputs import Sending, Uploads
from runner.emulator.batch.node.uploads import BlockSizes
from tests.unit.emulator.batch.node.blob_service import (
    SIGNATURE,
    BlobService,
    answering,
    closing,
    utc_now,
)
from tests.unit.emulator.batch.node.near_box import NearBox

Send = Callable[..., Failure | None]


@pytest.fixture
def task(tmp_path: Path) -> Path:
    directory = tmp_path / "task-1"
    (directory / "wd" / "out" / "sub").mkdir(parents=True)
    for name in ("stdout.txt", "stderr.txt", "wd/a.txt", "wd/out/b.txt", "wd/out/sub/c.txt"):
        (directory / name).write_text(name)
    return directory


@dataclass(frozen=True, kw_only=True)
class Uploader:
    """Sends outputs of the task, and puts what is near."""

    task: Path
    sending: Sending
    near: NearBox | None

    def upload_outputs(self, outputs: Sequence[OutputFile]) -> Failure | None:
        folder = folder_of(self.task.parent, self.task)
        environment = {"AZ_BATCH_TASK_DIR": str(self.task), "AZ_BATCH_TASK_ID": "task-1"}
        # As of a folder that is removed after it was opened.
        directory = os.open(self.task, os.O_RDONLY | os.O_DIRECTORY)
        try:
            uploads = Uploads(
                outputs,
                task_directory=folder,
                directory=directory,
                environment=lambda: environment,
                sending=self.sending,
            )
            uploads.send()
            if self.near is not None and uploads.pending:
                self.near.changes()
            if uploads.pending and not uploads.commit():
                uploads.send_left()
            uploads.close()
        finally:
            os.close(directory)
            assert self.near is None or not self.near.begun
        return uploads.failure


@pytest.fixture(params=["http", "near"])
def near(request: pytest.FixtureRequest, blobs: BlobService, tmp_path: Path) -> NearBox | None:
    """The service as it is reached without HTTP, where it is."""
    return NearBox(blobs, tmp_path / "stored") if request.param == "near" else None


@pytest.fixture
def uploader(
    task: Path,
    connections: Connections,
    pool: ThreadPoolExecutor,
    interruption: Interruption,
    near: NearBox | None,
) -> Uploader:
    return Uploader(
        task=task,
        sending=Sending(
            connections=connections,
            pool=pool,
            interruption=interruption,
            clock=utc_now,
            near=None if near is None else Nearby(near, near.on_loop),
            sizes=BlockSizes(single_put_bytes=1000, block_bytes=400),
        ),
        near=near,
    )


def output(
    blobs: BlobService,
    pattern: str,
    *,
    path: str | None = None,
    container_url: str | None = None,
    condition: UploadCondition = UploadCondition.TASK_COMPLETION,
) -> OutputFile:
    return OutputFile(
        file_pattern=pattern,
        container_url=container_url or blobs.container_url("box"),
        path=path,
        condition=condition,
    )


def logs(task: Path) -> tuple[str, str]:
    texts = tuple((task / name).read_text() for name in ("fileuploadout.txt", "fileuploaderr.txt"))
    assert SIGNATURE not in "".join(texts)
    return texts[0], texts[1]


def errors(task: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in logs(task)[1].splitlines()]


@pytest.mark.parametrize(
    ("pattern", "path", "names"),
    [
        ("a.txt", "results/x.txt", {"results/x.txt"}),
        ("a.txt", None, {"a.txt"}),
        ("out/b.txt", None, {"b.txt"}),
        ("../stdout.txt", "logs/task-1.txt", {"logs/task-1.txt"}),
        ("$AZ_BATCH_TASK_DIR/stdout.txt", "$AZ_BATCH_TASK_ID", {"$AZ_BATCH_TASK_ID"}),
        ("../std*.txt", "logs", {"logs/stdout.txt", "logs/stderr.txt"}),
        ("**/*.txt", "all/", {"all/a.txt", "all/out/b.txt", "all/out/sub/c.txt"}),
        ("out/**/*.txt", None, {"b.txt", "sub/c.txt"}),
        ("out/su*/c.txt", "x", {"x/sub/c.txt"}),
        ("*.none", "x", set()),
        ("none.txt", "x", set()),
    ],
)
def test_blobs_are_named_as_documented(
    uploader: Uploader, blobs: BlobService, pattern: str, path: str | None, names: set[str]
) -> None:
    assert uploader.upload_outputs([output(blobs, pattern, path=path)]) is None
    assert set(blobs.containers["box"]) == names


def test_content_is_sent_whole_with_its_digest(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    name = "o d'd?#%&ü\n.bin"
    for size in (0, 1, 999, 1000):
        content = os.urandom(size)
        (task / "wd" / name).write_bytes(content)
        assert uploader.upload_outputs([output(blobs, "*.bin", path=f"{size}")]) is None
        assert blobs.containers["box"][f"{size}/{name}"] == content
    assert all(headers["content-md5"] for headers in blobs.headers)
    assert not any("comp=" in request for request in blobs.requests)


@pytest.mark.parametrize("size", [1001, 1200, 1201])
def test_a_large_file_goes_in_blocks(
    task: Path, uploader: Uploader, blobs: BlobService, size: int
) -> None:
    content = os.urandom(size)
    (task / "wd" / "large.bin").write_bytes(content)
    blobs.faults += [answering(500)]
    assert uploader.upload_outputs([output(blobs, "large.bin", path="l")]) is None
    assert blobs.containers["box"] == {"l": content}
    blocks = [request for request in blobs.requests if "comp=block&" in request]
    assert len(blocks) == -(-size // 400) + 1
    assert blobs.headers[-1]["x-ms-blob-content-md5"]


def test_the_headers_that_are_asked_for_describe_the_blob_however_it_is_sent(
    task: Path, uploader: Uploader, blobs: BlobService, near: NearBox | None
) -> None:
    asked = (
        ("content-Type", "text/plain"),
        ("Cache-Control", "no-cache"),
        ("x-ms-blob-content-disposition", "inline"),
        ("x-ms-meta-Origin", "here"),
        ("x-ms-lease-id", "lease"),
    )
    (task / "wd" / "large.bin").write_bytes(b"x" * 1001)
    for pattern in ("a.txt", "large.bin"):
        described = replace(output(blobs, pattern), headers=asked)
        assert uploader.upload_outputs([described]) is None
    if near is not None:
        # What is near is put whole.
        whole, large = blobs.headers
        assert {**large, "content-md5": ""} == {**whole, "content-md5": ""}
        assert (whole["content-type"], whole["cache-control"]) == ("text/plain", "no-cache")
        return
    whole, *blocks, listed = blobs.headers
    assert (whole["content-type"], whole["cache-control"]) == ("text/plain", "no-cache")
    assert "cache-control" not in listed
    assert listed["content-type"] == "application/xml"
    names = ("x-ms-blob-content-type", "x-ms-blob-cache-control")
    assert [listed[name] for name in names] == ["text/plain", "no-cache"]
    for headers in (whole, listed):
        assert headers["x-ms-blob-content-disposition"] == "inline"
        assert headers["x-ms-meta-origin"] == "here"
    assert [block["x-ms-lease-id"] for block in blocks] == ["lease"] * 3
    assert not any("x-ms-meta-origin" in block for block in blocks)


def test_the_progress_log_can_be_sent_itself(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    assert uploader.upload_outputs([output(blobs, "../fileupload*.txt")]) is None
    assert set(blobs.containers["box"]) == {"fileuploadout.txt", "fileuploaderr.txt"}


def test_progress_is_written_down_without_the_signature(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    assert uploader.upload_outputs([output(blobs, "a.txt", path="x")]) is None
    progress, failed = logs(task)
    assert [line.partition(" ")[2] for line in progress.splitlines()] == [
        "Pattern 'a.txt' matches 1 path(s)",
        f"Uploading 'wd/a.txt' to {blobs.endpoint}/box/x",
        "Uploaded 'wd/a.txt': 8 bytes",
    ]
    assert failed == ""


def test_a_missing_container_is_the_documented_failure(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    missing = output(blobs, "a.txt", container_url=blobs.container_url("none"))
    failure = uploader.upload_outputs([missing])
    assert failure == Failure(
        phase=FailurePhase.FILE_UPLOAD,
        category=FailureCategory.USER_ERROR,
        code="FileUploadContainerNotFound",
        message=(
            "One of the specified Azure container(s) was not found while attempting to upload an "
            "output file"
        ),
        details=(
            ("FilePattern", "a.txt"),
            ("FilePath", "wd/a.txt"),
            ("Destination", f"{blobs.endpoint}/none"),
            ("Message", "the server answered 404 (ContainerNotFound)"),
        ),
    )
    assert errors(task) == [
        {
            "code": "FileUploadContainerNotFound",
            "user_error": True,
            "pattern": "a.txt",
            "file": "wd/a.txt",
            "destination": f"{blobs.endpoint}/none",
            "message": "the server answered 404 (ContainerNotFound)",
        }
    ]


def test_a_wrong_signature_is_denied_and_the_others_are_sent(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    denied = output(blobs, "a.txt", container_url=blobs.container_url("box", sas="sig=wrong"))
    failure = uploader.upload_outputs([denied, output(blobs, "../std*.txt", path="logs")])
    assert failure is not None
    assert failure.code == "FileUploadAccessDenied"
    assert failure.category is FailureCategory.USER_ERROR
    assert "wrong" not in repr(failure) + "".join(logs(task))
    assert set(blobs.containers["box"]) == {"logs/stdout.txt", "logs/stderr.txt"}


def test_passing_faults_are_tried_again(uploader: Uploader, blobs: BlobService) -> None:
    blobs.faults += [closing, answering(503)]
    assert uploader.upload_outputs([output(blobs, "a.txt")]) is None
    assert blobs.containers["box"] == {"a.txt": b"wd/a.txt"}


def test_a_server_that_is_not_there_is_a_failure(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    url = f"http://127.0.0.1:{port}/c?sig={SIGNATURE}"
    failure = uploader.upload_outputs([output(blobs, "a.txt", container_url=url)])
    assert failure is not None
    assert failure.code == "FileUploadMiscError"
    assert SIGNATURE not in repr(failure)
    assert [error["message"] for error in errors(task)] == [
        "the connection failed: Connection refused"
    ]


def test_a_pattern_that_leads_out_is_a_failure(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    failure = uploader.upload_outputs([output(blobs, "/etc/passwd")])
    assert failure is not None
    assert failure.code == "FileUploadMiscError"
    assert dict(failure.details)["Message"] == "the pattern leads out of the task's directory"
    assert blobs.requests == []


def test_only_regular_files_of_the_task_are_sent(
    task: Path,
    tmp_path: Path,
    uploader: Uploader,
    blobs: BlobService,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    (tmp_path / "secret").write_text("secret")
    wd = task / "wd"
    os.mkfifo(wd / "l1")
    (wd / "l2").symlink_to(tmp_path / "secret")
    (wd / "l3").symlink_to(wd / "missing")
    (wd / "l4").symlink_to(wd / "out")
    (wd / "l5").symlink_to("../stdout.txt")
    monkeypatch.chdir(wd)  # the name of a socket may have a hundred characters
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("l6")
        assert uploader.upload_outputs([output(blobs, "l?"), output(blobs, "l2")]) is None
    assert blobs.containers["box"] == {"l5": b"stdout.txt"}


def test_a_name_that_is_not_utf_8_is_a_failure(
    task: Path, uploader: Uploader, blobs: BlobService
) -> None:
    (task / "wd" / os.fsdecode(b"bad\xff.bin")).write_text("")
    failure = uploader.upload_outputs([output(blobs, "*.bin")])
    assert failure is not None
    assert dict(failure.details)["Message"] == "a blob's name must be valid UTF-8"
    assert [error["file"] for error in errors(task)] == ["wd/bad\udcff.bin"]


def test_logs_replace_a_link_that_a_task_left(
    task: Path, tmp_path: Path, uploader: Uploader, blobs: BlobService
) -> None:
    (tmp_path / "kept").write_text("kept")
    (task / "fileuploadout.txt").symlink_to(tmp_path / "kept")
    assert uploader.upload_outputs([output(blobs, "a.txt")]) is None
    assert (tmp_path / "kept").read_text() == "kept"


def test_an_interruption_stops_it(
    uploader: Uploader, blobs: BlobService, interruption: Interruption
) -> None:
    blobs.faults += [lambda handler: interruption.fire()]
    with pytest.raises(InterruptedRunError):
        uploader.upload_outputs([output(blobs, "a.txt"), output(blobs, "out/b.txt")])
    assert blobs.containers["box"] == {}


def test_conditions(blobs: BlobService) -> None:
    entries = [output(blobs, c.value, condition=c) for c in UploadCondition]

    def due(exit_code: int) -> list[str]:
        return [entry.file_pattern for entry in due_outputs(entries, exit_code=exit_code)]

    assert due(0) == ["tasksuccess", "taskcompletion"]
    assert due(1) == ["taskfailure", "taskcompletion"]
    assert due(137) == ["taskfailure", "taskcompletion"]


def test_what_is_near_is_put_together_at_the_end(
    task: Path, uploader: Uploader, blobs: BlobService, near: NearBox | None
) -> None:
    (task / "wd" / "large.bin").write_bytes(os.urandom(SMALL_BYTES + 1))
    sizes = BlockSizes(single_put_bytes=SMALL_BYTES + 1)
    uploader = replace(uploader, sending=replace(uploader.sending, sizes=sizes))
    outputs = [output(blobs, each) for each in ("../std*.txt", "large.bin", "a.txt")]
    assert uploader.upload_outputs(outputs) is None
    assert blobs.containers["box"]["large.bin"] == (task / "wd" / "large.bin").read_bytes()
    assert set(blobs.containers["box"]) == {"stdout.txt", "stderr.txt", "large.bin", "a.txt"}
    names = ["stderr.txt", "stdout.txt", "large.bin", "a.txt"]
    if near is None:
        assert len(blobs.requests) == 4
    else:
        assert near.log == ["begin large.bin", *(f"put {name}" for name in names)]
        assert blobs.requests == []
    box = f"{blobs.endpoint}/box"
    told = [line.split(" ", 1)[1] for line in logs(task)[0].splitlines()]
    if near is None:
        # They are on their way at the same time.
        told[1:5] = sorted(
            told[1:5], key=lambda line: (line.split()[1].strip(":"), line[-1:] == "s")
        )
    assert told == [
        "Pattern '../std*.txt' matches 2 path(s)",
        f"Uploading 'stderr.txt' to {box}/stderr.txt",
        "Uploaded 'stderr.txt': 10 bytes",
        f"Uploading 'stdout.txt' to {box}/stdout.txt",
        "Uploaded 'stdout.txt': 10 bytes",
        "Pattern 'large.bin' matches 1 path(s)",
        f"Uploading 'wd/large.bin' to {box}/large.bin",
        f"Uploaded 'wd/large.bin': {SMALL_BYTES + 1} bytes",
        "Pattern 'a.txt' matches 1 path(s)",
        f"Uploading 'wd/a.txt' to {box}/a.txt",
        "Uploaded 'wd/a.txt': 8 bytes",
    ]


@pytest.mark.parametrize("size_bytes", [10, SMALL_BYTES + 1])
def test_what_is_not_taken_when_it_is_put_is_sent_by_http(
    task: Path, uploader: Uploader, blobs: BlobService, near: NearBox | None, size_bytes: int
) -> None:
    if near is None:
        pytest.skip("nothing is put")
    for name in ("a.txt", "b.txt", "c.txt"):
        (task / "wd" / name).write_bytes(os.urandom(size_bytes))
    sizes = BlockSizes(single_put_bytes=SMALL_BYTES + 1)
    uploader = replace(uploader, sending=replace(uploader.sending, sizes=sizes))
    near.changes = lambda: near.refuses.add("b.txt")
    outputs = [output(blobs, "../stdout.txt"), output(blobs, "*.txt")]
    assert uploader.upload_outputs(outputs) is None
    assert set(blobs.containers["box"]) == {"stdout.txt", "a.txt", "b.txt", "c.txt"}
    assert [each for each in near.log if each.startswith("put")] == ["put stdout.txt", "put a.txt"]
    # The rest of its entry comes behind it.
    assert [request.split("?")[0] for request in blobs.requests] == [
        "PUT /account/box/b.txt",
        "PUT /account/box/c.txt",
    ]
    told = [line.split(" ", 1)[1] for line in logs(task)[0].splitlines()]
    for name in ("stdout.txt", "wd/a.txt", "wd/b.txt", "wd/c.txt"):
        assert sum(line.startswith(f"Uploaded {name!r}") for line in told) == 1


def test_an_entry_that_fails_when_it_is_put_stops_and_the_others_do_not(
    task: Path, uploader: Uploader, blobs: BlobService, near: NearBox | None
) -> None:
    if near is None:
        pytest.skip("nothing is put")

    def change() -> None:
        near.refuses.add("b.txt")
        blobs.faults.append(answering(403, code="AuthenticationFailed"))

    (task / "wd" / "b.txt").write_text("b")
    near.changes = change
    outputs = [output(blobs, "*.txt"), output(blobs, "../stdout.txt")]
    failure = uploader.upload_outputs(outputs)
    assert failure is not None
    assert failure.code == "FileUploadAccessDenied"
    assert dict(failure.details)["FilePath"] == "wd/b.txt"
    assert set(blobs.containers["box"]) == {"a.txt", "stdout.txt"}
    assert [each["file"] for each in errors(task)] == ["wd/b.txt"]
    told = logs(task)[0]
    assert "Uploaded 'wd/b.txt'" not in told
    assert "Uploaded 'stdout.txt'" in told


def test_many_files_are_put_before_the_end(
    task: Path, uploader: Uploader, blobs: BlobService, near: NearBox | None
) -> None:
    for index in range(600):
        (task / "wd" / f"{index:03}.bin").write_bytes(b"x" * index)
    assert uploader.upload_outputs([output(blobs, "*.bin")]) is None
    assert len(blobs.containers["box"]) == 600
    assert near is None or near.calls == 2
