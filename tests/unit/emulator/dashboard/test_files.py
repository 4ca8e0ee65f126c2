"""Files of tasks as the page reads them: whole, in pieces, and never those of others."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from azure.batch import models

from tests.unit.emulator.dashboard.watching import Watched, machine, watch

TASK = "batch/localbatch/jobs/job/tasks/task"
SCRIPT = (
    "printf 'one\\ntwo\\n'; printf '<script>alert(1)</script>' >&2;"
    " mkdir -p deep/er; echo x > deep/er/file.txt; head -c 300000 /dev/zero > large.bin;"
    " ln -s /etc/passwd outside; ln -s deep/er/file.txt inside; ln -s deep linked; ln -s / root;"
    " printf y > $(printf 'bad\\377name'); printf z > '<b>\u202egnp.html'; exit 3"
)


@pytest.fixture(scope="module")
def ran() -> Iterator[Watched]:
    """An emulator with one task that has written files of odd names."""
    with watch("--isolation", "none") as watched:
        client = watched.client
        client.create_pool(
            models.BatchPoolCreateOptions(
                id="pool",
                vm_size="standard_d2s_v5",
                virtual_machine_configuration=machine(),
                target_dedicated_nodes=1,
            )
        )
        info = models.BatchPoolInfo(pool_id="pool")
        client.create_job(models.BatchJobCreateOptions(id="job", pool_info=info))
        task = models.BatchTaskCreateOptions(
            id="task",
            command_line="/bin/bash -c 'eval \"$SCRIPT\"'",
            environment_settings=[models.EnvironmentSetting(name="SCRIPT", value=SCRIPT)],
        )
        client.create_task("job", task)
        deadline = time.monotonic() + 60
        while client.get_task("job", "task").state != models.BatchTaskState.COMPLETED:
            assert time.monotonic() < deadline
            select.select([], [], [], 0.05)
        yield watched


def names_in(ran: Watched, path: str) -> dict[str, tuple[str, bool, int]]:
    found = ran.page.look(f"{TASK}/files?path={path}")
    assert found["total"] == len(found["files"])
    return {
        file["name"]: (file["path"], file["is_directory"], file["bytes"]) for file in found["files"]
    }


def test_folders_are_listed_one_at_a_time(ran: Watched) -> None:
    top = names_in(ran, "")
    below = names_in(ran, "wd")

    assert list(top) == ["stderr.txt", "stdout.txt", "wd"]
    assert top["wd"] == ("wd", True, 0)
    assert top["stdout.txt"] == ("stdout.txt", False, 8)
    assert below["large.bin"] == ("wd%2Flarge.bin", False, 300_000)
    assert below["deep"] == ("wd%2Fdeep", True, 0)
    assert below["bad\ufffdname"] == ("wd%2Fbad%FFname", False, 1)
    hostile = "<b>\u202egnp.html"
    assert below[hostile] == (quote(f"wd/{hostile}", safe=""), False, 1)
    # A link that leads out shows as what it leads to, which is nothing of the task's.
    assert "outside" not in below
    assert names_in(ran, "wd/deep/er") == {"file.txt": ("wd%2Fdeep%2Fer%2Ffile.txt", False, 2)}
    assert names_in(ran, "wd/linked") == {"er": ("wd%2Flinked%2Fer", True, 0)}
    assert list(names_in(ran, "wd/linked/er")) == ["file.txt"]
    assert names_in(ran, "nothing") == {}


def test_files_of_any_name_are_read_as_text_and_nothing_else(ran: Watched) -> None:
    for path, content in (
        ("stdout.txt", b"one\ntwo\n"),
        ("stderr.txt", b"<script>alert(1)</script>"),
        ("wd%2Fbad%FFname", b"y"),
        (quote("wd/<b>\u202egnp.html", safe=""), b"z"),
    ):
        read = ran.page.ask(f"/.emulator/dashboard/{TASK}/file?path={path}")
        saved = ran.page.ask(f"/.emulator/dashboard/{TASK}/download?path={path}")
        assert (read.status, read.content, saved.content) == (200, content, content)
        for answer in (read, saved):
            assert answer.headers["content-type"] == "text/plain; charset=utf-8"
            assert answer.headers["x-content-type-options"] == "nosniff"
        assert saved.headers["content-disposition"].startswith('attachment; filename="')
    assert saved.headers["content-disposition"] == 'attachment; filename="_b_gnp.html"'


def test_the_end_of_a_file_comes_first_and_then_what_is_added(ran: Watched) -> None:
    path = f"/.emulator/dashboard/{TASK}/file?path=wd/large.bin"
    tail = ran.page.ask(path)
    rest = ran.page.ask(f"{path}&start=299990")
    none = ran.page.ask(f"{path}&start=300000")
    begin = ran.page.ask(f"{path}&start=0")

    shown = [
        (len(each.content), each.headers["x-file-start"], each.headers["x-file-bytes"])
        for each in (tail, rest, none, begin)
    ]
    assert shown == [
        (262_144, "37856", "300000"),
        (10, "299990", "300000"),
        (0, "300000", "300000"),
        (262_144, "0", "300000"),
    ]
    whole = ran.page.ask(f"/.emulator/dashboard/{TASK}/download?path=wd/large.bin")
    assert (whole.headers["content-length"], len(whole.content)) == ("300000", 300_000)


@pytest.mark.parametrize(
    "path",
    [
        "../../../../../../etc/passwd",
        "/etc/passwd",
        "wd/outside",
        "wd",
        "",
        "nothing",
        "stdout.txt%00",
        "wd/../stdout.txt",
    ],
)
def test_what_is_no_file_of_the_task_cannot_be_read(ran: Watched, path: str) -> None:
    assert os.path.exists("/etc/passwd")  # noqa: PTH110 - what must not be read
    for how in ("file", "download"):
        answer = ran.page.ask(f"/.emulator/dashboard/{TASK}/{how}?path={path}")
        assert answer.status == 404
        assert answer.json["error"].startswith("there is no file `")


@pytest.mark.parametrize("path", ["..", "/etc", "wd/../..", "wd/root", "wd/root/etc"])
def test_what_is_no_folder_of_the_task_cannot_be_listed(ran: Watched, path: str) -> None:
    answer = ran.page.ask(f"/.emulator/dashboard/{TASK}/files?path={path}")
    assert (answer.status, answer.json) == (404, {"error": f"there is no `{path}`"})


def test_files_of_nodes_are_there_too(ran: Watched) -> None:
    (node,) = ran.page.look("batch/localbatch/pools/pool")["nodes"]
    files = ran.page.look(f"batch/localbatch/pools/pool/nodes/{node['id']}/files")["files"]

    assert {"workitems", "shared", "startup"} <= {file["name"] for file in files}


def test_a_start_that_is_no_number_is_refused(ran: Watched) -> None:
    answer = ran.page.ask(f"/.emulator/dashboard/{TASK}/file?path=stdout.txt&start=-1")
    assert (answer.status, answer.json) == (400, {"error": "`start`: `-1` is not a number"})
