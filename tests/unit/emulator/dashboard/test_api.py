"""The data of the page, of an emulator that holds thousands of tasks."""

from __future__ import annotations

from typing import Any
from urllib.request import urlopen

import pytest
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

from tests.unit.emulator.dashboard.watching import FAILING, SECRETS, TASKS, Watched

JSON = "application/json"
TASKS_PATH = "batch/localbatch/jobs/all/tasks"


def test_the_overview_has_all_accounts(busy: Watched) -> None:
    found = busy.page.look("overview")

    (batch,) = found["batch"]
    (pool,) = batch["pools"]
    empty, job = batch["jobs"]
    assert (batch["account"], batch["endpoint"]) == ("localbatch", busy.emulator.batch_endpoint)
    assert (batch["pools_total"], batch["jobs_total"]) == (1, 2)
    assert (pool["id"], pool["allocation"], pool["node_states"]) == ("many", "steady", {"idle": 40})
    assert (pool["dedicated"], pool["spot"]) == (
        {"current": 10, "target": 10},
        {"current": 30, "target": 30},
    )
    assert (empty["id"], job["id"], job["pool"]) == ("empty", "all", "many")
    assert job["tasks"] == {
        "active": 0,
        "running": 0,
        "completed": TASKS,
        "succeeded": TASKS - FAILING,
        "failed": FAILING,
    }
    assert found["blob"] == [
        {"account": "localstorage", "endpoint": busy.emulator.blob_endpoint, "containers": 1}
    ]


def test_a_pool_with_its_nodes_and_one_of_them(busy: Watched) -> None:
    found = busy.page.look("batch/localbatch/pools/MANY")
    cells = found["nodes"]
    node = busy.page.look(f"batch/localbatch/pools/many/nodes/{cells[0]['id']}")

    assert (found["nodes_total"], len(cells), found["next"]) == (40, 40, None)
    assert {(cell["state"], cell["busy"], cell["slots"]) for cell in cells} == {("idle", 0, 4)}
    assert sum(cell["dedicated"] for cell in cells) == 10
    assert sorted(found["jobs"]) == ["all", "empty"]
    assert found["document"]["vmSize"] == "standard_d4s_v5"
    assert node["node"] == cells[0]
    assert node["running"] == []
    assert {each["job"] for each in node["recent"]} == {"all"}
    assert node["document"]["totalTasksRun"] > 0


def test_tasks_come_in_pages(busy: Watched) -> None:
    seen: list[str] = []
    start = ""
    for _ in range(3):
        found = busy.page.look(f"{TASKS_PATH}?start={start}")
        seen += [task["id"] for task in found["tasks"]]
        start = found["next"]

    expected = [f"{n:05d}" if n >= FAILING else f"{n:05d}-7" for n in range(300)]
    assert seen == expected
    assert start == "00299"


def look_for(busy: Watched, query: str) -> tuple[list[str], str | None]:
    found = busy.page.look(f"{TASKS_PATH}?{query}")
    return [task["id"] for task in found["tasks"]], found["next"]


def test_tasks_are_found_by_state_and_by_words(busy: Watched) -> None:
    failed = [f"{n:05d}-7" for n in range(FAILING)]

    assert look_for(busy, "state=failed") == (failed, None)
    assert look_for(busy, "state=active") == ([], None)
    assert look_for(busy, "search=0299") == (
        ["00299", *(f"0299{n}" for n in range(10))],
        None,
    )
    assert look_for(busy, "search=ENCODE/clip-2999") == (["02999"], None)
    assert look_for(busy, "search=00003&state=succeeded") == ([], None)


def test_tasks_are_put_in_order(busy: Watched) -> None:
    newest = busy.page.look(f"{TASKS_PATH}?sort=newest")
    following = busy.page.look(f"{TASKS_PATH}?sort=newest&start={newest['next']}")
    longest = busy.page.look(f"{TASKS_PATH}?sort=longest")

    changed = [task["changed"] for task in (*newest["tasks"], *following["tasks"])]
    assert (len(changed), changed) == (200, sorted(changed, reverse=True))
    assert (newest["next"], following["next"], longest["next"]) == ("100", "200", "100")
    assert len({task["id"] for task in (*newest["tasks"], *following["tasks"])}) == 200


def test_a_task_that_failed(busy: Watched) -> None:
    found = busy.page.look(f"{TASKS_PATH}/00003-7")

    task, document = found["task"], found["document"]
    assert (task["state"], task["failed"], task["exit_code"]) == ("completed", True, 3)
    assert (task["code"], task["attempts"], task["pool"]) == ("FailureExitCode", 1, "many")
    assert task["name"] == "encode/clip-3.mp4"
    assert document["commandLine"] == "render"
    assert document["environmentSettings"] == [{"name": "TOKEN", "value": "***"}]
    assert document["resourceFiles"] == [{"httpUrl": "http://h/c/in.mp4?***", "filePath": "in"}]


def test_no_answer_holds_a_secret(busy: Watched) -> None:
    node = busy.page.look("batch/localbatch/pools/many")["nodes"][0]["id"]
    paths = [
        "overview",
        "requests",
        "batch/localbatch/pools/many",
        "batch/localbatch/pools/many/map",
        f"batch/localbatch/pools/many/nodes/{node}",
        TASKS_PATH,
        f"{TASKS_PATH}/00003-7",
        "blob/localstorage/containers",
        "blob/localstorage/containers/texts/blobs",
        "blob/localstorage/containers/texts/blob?path=signed.txt",
    ]
    keys = [busy.emulator.batch_key, busy.emulator.storage_key, busy.page.token]

    for path in paths:
        answer = busy.page.ask(f"/.emulator/dashboard/{path}")
        assert answer.status == 200, path
        content = answer.content.decode()
        assert not [each for each in (*SECRETS, *keys) if each in content], path


def test_containers_and_blobs(busy: Watched) -> None:
    containers = busy.page.look("blob/localstorage/containers")
    blobs = busy.page.look("blob/localstorage/containers/texts/blobs?prefix=a/")
    hostile = busy.page.look("blob/localstorage/containers/texts/blobs?prefix=%3C")

    (texts,) = containers["containers"]
    assert (containers["total"], containers["next"]) == (1, None)
    assert (texts["name"], texts["blobs"], texts["bytes"], texts["access"]) == (
        "texts",
        5,
        7,
        "private",
    )
    assert [(blob["name"], blob["bytes"]) for blob in blobs["blobs"]] == [
        ("a/0.txt", 0),
        ("a/1.txt", 1),
        ("a/2.txt", 2),
    ]
    assert [blob["name"] for blob in hostile["blobs"]] == ["<b>\u202egnp.exe"]


def test_a_blob_and_what_it_contains(busy: Watched) -> None:
    texts = "blob/localstorage/containers/texts"
    name = "%3Cb%3E%E2%80%AEgnp.exe"
    found = busy.page.look(f"{texts}/blob?path={name}")
    piece = busy.page.ask(f"/.emulator/dashboard/{texts}/file?path={name}")
    rest = busy.page.ask(f"/.emulator/dashboard/{texts}/file?path={name}&start=3")
    saved = busy.page.ask(f"/.emulator/dashboard/{texts}/download?path={name}")

    assert (found["name"], found["bytes"], found["kind"]) == ("<b>\u202egnp.exe", 4, "BlockBlob")
    assert (found["metadata"], found["tags"], found["leased"]) == ({}, {}, False)
    for answer, content in ((piece, b"four"), (rest, b"r"), (saved, b"four")):
        assert (answer.status, answer.content) == (200, content)
        assert answer.headers["content-type"] == "text/plain; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
    assert (rest.headers["x-file-start"], rest.headers["x-file-bytes"]) == ("3", "4")
    assert saved.headers["content-disposition"] == 'attachment; filename="_b_gnp.exe"'


def test_of_a_large_blob_the_end_is_read_and_all_is_saved(busy: Watched) -> None:
    container = busy.blobs.create_container("large")
    content = bytes(range(256)) * 4096
    container.upload_blob("a.bin", content)
    large = "/.emulator/dashboard/blob/localstorage/containers/large"
    try:
        end = busy.page.ask(f"{large}/file?path=a.bin")
        saved = busy.page.ask(f"{large}/download?path=a.bin")
        head = busy.page.ask(f"{large}/download?path=a.bin", "HEAD")
        # Nobody holds the content any more: its blob can be replaced and read again.
        container.upload_blob("a.bin", b"small", overwrite=True)
        again = busy.page.ask(f"{large}/file?path=a.bin")
    finally:
        container.delete_container()

    assert end.content == content[-256 * 1024 :]
    assert end.headers["x-file-start"] == str(len(content) - 256 * 1024)
    assert saved.content == content
    assert (head.status, head.content) == (200, b"")
    assert again.content == b"small"


def test_what_has_not_changed_is_not_sent_again(busy: Watched) -> None:
    for path in ("overview", TASKS_PATH, "batch/localbatch/pools/many"):
        first = busy.page.ask(f"/.emulator/dashboard/{path}")
        again = busy.page.ask(f"/.emulator/dashboard/{path}", If_None_Match=first.headers["etag"])
        assert (again.status, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]

    overview = busy.page.ask("/.emulator/dashboard/overview")
    busy.blobs.create_container("brief")
    changed = busy.page.ask("/.emulator/dashboard/overview", If_None_Match=overview.headers["etag"])
    busy.blobs.delete_container("brief")
    assert (changed.status, changed.json["blob"][0]["containers"]) == (200, 2)


def test_the_last_requests_without_their_signatures(busy: Watched) -> None:
    before = busy.page.look("requests")["passed"]
    with pytest.raises(ResourceNotFoundError):
        busy.client.get_job("nojob")
    with pytest.raises(HttpResponseError):
        busy.blobs.from_connection_string(
            f"BlobEndpoint={busy.emulator.blob_endpoint};"
            "SharedAccessSignature=sv=2023-11-03&sp=r&sig=s3cret-value"
        ).get_container_client("texts").get_container_properties()

    found = busy.page.look(f"requests?after={before}")

    asked, signed = found["requests"]
    assert found["passed"] == before + 2
    assert (asked["number"], asked["method"], asked["status"]) == (before + 1, "GET", 404)
    assert (asked["path"], asked["query"]) == (
        "/localbatch/jobs/nojob",
        {"api-version": "2025-06-01"},
    )
    assert (signed["path"], signed["status"], signed["query"]) == (
        "/localstorage/texts",
        403,
        {"restype": "container", "sig": "***"},
    )
    assert busy.page.look(f"requests?after={before + 2}")["requests"] == []


def test_faults_that_are_added_here_strike(busy: Watched) -> None:
    rule = {"fault": "reset", "operation": "get_job", "first": 1}
    added = busy.page.ask("/.emulator/faults", "POST", rule, Content_Type=JSON)
    (number,) = [each["number"] for each in added.json["rules"]]

    # The client asks again by itself.
    busy.client.get_job("all")

    (shown,) = busy.page.ask("/.emulator/faults").json["rules"]
    requests = busy.page.look("requests")["requests"]
    removed = busy.page.ask(f"/.emulator/faults/{number}", "DELETE", Content_Type=JSON)
    assert (shown["chances"], shown["strikes"]) == (2, 1)
    assert [(each["status"], each["faults"]) for each in requests[-2:]] == [
        (None, [f"{number}:reset=before"]),
        (200, []),
    ]
    assert removed.status == 200
    assert busy.page.ask("/.emulator/faults").json["rules"] == []


def test_time_can_be_told_to_pass(busy: Watched) -> None:
    before = busy.page.ask("/.emulator/time").json
    after = busy.page.ask("/.emulator/time", "POST", {"advance": "24h"}, Content_Type=JSON)

    assert (before["mode"], after.status) == ("virtual", 200)
    assert after.json["now"] > before["now"]
    seen = busy.page.ask("/.emulator/dashboard/overview").headers["x-emulator-time"]
    assert seen[:10] >= after.json["now"][:10]


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("nothing", 404, "there is no `/.emulator/dashboard/nothing`"),
        ("batch/other/pools/many", 404, "there is no Batch account `other`"),
        ("blob/other/containers", 404, "there is no storage account `other`"),
        ("batch/localbatch/pools/none", 404, "The specified pool does not exist."),
        ("batch/localbatch/jobs/none/tasks", 404, "The specified job does not exist."),
        (f"{TASKS_PATH}/none", 404, "The specified task does not exist."),
        (f"{TASKS_PATH}?state=odd", 400, "`state`: `odd` is none of all, active, running,"),
        (f"{TASKS_PATH}?sort=odd", 400, "`sort`: `odd` is none of id, newest, longest"),
        (f"{TASKS_PATH}?sort=newest&start=x", 400, "`start`: `x` is not a number"),
        ("requests?after=x", 400, "`after`: `x` is not a number"),
        ("blob/localstorage/containers/none/blobs", 404, "there is no container `none`"),
        (
            "blob/localstorage/containers/texts/blob?path=x",
            404,
            "there is no blob `x` in the container `texts`",
        ),
        ("blob/localstorage/containers/none/file?path=x", 404, "there is no blob `x` in the"),
        (
            "blob/localstorage/containers/texts/file?path=a/0.txt&start=x",
            400,
            "`start`: `x` is not a number",
        ),
        ("batch/localbatch/pools/none/map", 404, "The specified pool does not exist."),
        ("batch/localbatch/jobs/all/files", 404, "`jobs/all` has no files"),
    ],
)
def test_what_there_is_not_is_said(busy: Watched, path: str, status: int, error: str) -> None:
    answer = busy.page.ask(f"/.emulator/dashboard/{path}")

    assert answer.status == status
    assert answer.json["error"].startswith(error)


def test_data_cannot_be_changed_where_it_is_shown(busy: Watched) -> None:
    answer = busy.page.ask("/.emulator/dashboard/overview", "POST", {}, Content_Type=JSON)
    assert (answer.status, answer.json) == (405, {"error": "`POST` is none of GET and HEAD"})


def test_the_port_of_the_accounts_says_where_the_page_is(busy: Watched) -> None:
    origin = busy.emulator.batch_endpoint.rpartition("/")[0]
    with urlopen(f"{origin}/.emulator/dashboard") as response:
        found: Any = response.read()

    assert found == b'{\n  "address": "http://127.0.0.1:%d/"\n}\n' % busy.page.port
    assert busy.page.token.encode() not in found
