"""The emulator's page in a browser: of a real run with failures, of ten thousand tasks, live."""

from __future__ import annotations

import os
import re
import select
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote

import pytest
from azure.batch import models
from azure.core.exceptions import HttpResponseError
from azure.storage.blob import ContentSettings
from playwright.sync_api import Page, expect

from tests.browser.visit import Visitor
from tests.conformance.endpoints import Emulator
from tests.unit.emulator.dashboard.watching import (
    Watched,
    machine,
    watch,
    watch_executions,
)

COMMAND = Path(sys.executable).parent / "batch-run"
HOSTILE = (
    "<img src=x onerror=alert(1)>.txt",
    "\u202egnp.exe",
    "quotes \"'` & spaces.txt",
    "n" * 190 + ".txt",
)
FAILING = "wrong.txt"
KEEP = ("--keep", "job", "--keep", "pool", "--keep", "storage")
REFUSED = "console: Failed to load resource: the server responded with a status of "
SPEC = """\
version: 1
name: page
containers:
  input: {upload: [{from: data, include: ["**/*"]}]}
  output: {}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 3}
  task_slots_per_node: 2
task:
  for_each: input
  environment: {TOKEN: s3cret-value}
  command: |
    echo "read by $AZ_BATCH_TASK_ID"; cat {{ file.path }}
    if ! grep -q good {{ file.path }}; then echo '<script>alert(2)</script> no good' >&2; exit 3; fi
    printf '<b>bold</b>' > result.html
  outputs: [{pattern: result.html, to: output, path: "{{ index }}.html"}]
"""


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """An emulator after a run of files with hostile names, one of which has failed."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "data").mkdir()
    for name in HOSTILE:
        (folder / "data" / name).write_text("good\n")
    (folder / "data" / FAILING).write_text("bad\n")
    (folder / "page.yaml").write_text(SPEC)
    with watch("--isolation", "none") as watched:
        done = subprocess.run(
            [COMMAND, "page.yaml", "--target", "azure", "-q", *KEEP],
            cwd=folder,
            env={**os.environ, **variables(watched.emulator)},
            capture_output=True,
            check=False,
            text=True,
            timeout=120,
        )
        assert done.returncode == 1, done.stderr
        yield watched


def variables(emulator: Emulator) -> dict[str, str]:
    return {
        "AZURE_BATCH_ENDPOINT": emulator.batch_endpoint,
        "AZURE_BATCH_ACCOUNT": emulator.batch_account,
        "AZURE_BATCH_ACCESS_KEY": emulator.batch_key,
        "AZURE_STORAGE_CONNECTION_STRING": emulator.connection_string,
    }


@pytest.fixture(scope="module")
def live() -> Iterator[Watched]:
    """An emulator that holds nothing yet."""
    with watch("--isolation", "none") as watched:
        yield watched


# Done once the page has heard of it: what it showed before is gone then.
GO = """hash => location.hash === hash || new Promise(done => {
  addEventListener('hashchange', () => done(true), {once: true});
  location.hash = hash;
})"""


def go_to(page: Page, *parts: str) -> None:
    """Another part of the page, as a link in it leads there."""
    page.evaluate(GO, "#/" + "/".join(quote(part, safe="") for part in parts))


def open_page(visitor: Visitor, watched: Watched, *, dark: bool = False, width: int = 1280) -> Page:
    address = watched.emulator.dashboard
    assert address is not None
    page = visitor.open(address, dark=dark, width=width, height=844 if width < 600 else 900)
    expect(page.locator("#status")).to_have_text("live")
    return page


def job_of(watched: Watched) -> str:
    (job,) = (each["id"] for each in watched.page.look("overview")["batch"][0]["jobs"])
    return str(job)


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline
        select.select([], [], [], 0.05)


def task_names(page: Page) -> list[str]:
    return page.locator("table tbody tr td:first-child .aside").all_inner_texts()


def test_a_run_with_failures_and_hostile_names(visitor: Visitor, ran: Watched) -> None:
    page = open_page(visitor, ran)
    assert "token" not in page.url
    expect(page.locator(".words")).to_have_text("4 succeeded, 1 failed")

    page.locator("tbody a").first.click()
    expect(page.locator("h1")).to_contain_text("Job page-")
    expect(page.locator("tbody tr")).to_have_count(5)
    assert {re.sub(r"^[a-z]+/", "", name) for name in task_names(page)} == {
        FAILING,
        HOSTILE[0],
        "\\u{202e}gnp.exe",
        HOSTILE[2],
        HOSTILE[3],
    }
    page.get_by_role("button", name="Failed 1").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    assert FAILING in task_names(page)[0]

    page.locator("tbody a").first.click()
    expect(page.locator("main")).to_contain_text("FailureExitCode")
    # What a failed task wrote on standard error comes first.
    expect(page.locator("pre.content")).to_have_text("<script>alert(2)</script> no good\n")
    page.get_by_role("button", name="stdout.txt").first.click()
    expect(page.locator("pre.content")).to_contain_text("bad")
    assert "s3cret-value" not in page.content()


def test_files_of_a_task_are_walked_through_and_saved(visitor: Visitor, ran: Watched) -> None:
    page = open_page(visitor, ran)
    job = job_of(ran)
    tasks = ran.page.look(f"batch/localbatch/jobs/{job}/tasks?state=succeeded")["tasks"]
    go_to(page, "job", "localbatch", job, "task", tasks[0]["id"])

    page.get_by_role("button", name="wd/").click()
    page.get_by_role("button", name="result.html", exact=True).click()
    expect(page.locator("pre.content")).to_have_text("<b>bold</b>")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download result.html").click()
    assert download.value.suggested_filename == "result.html"
    assert Path(download.value.path()).read_bytes() == b"<b>bold</b>"

    # What cannot be had is said.
    visitor.trouble.expected = [f"{REFUSED}404"]
    page.route("**/download?*", lambda route: route.fulfill(status=404, json={"error": "gone"}))
    page.get_by_role("button", name="Download result.html").click()
    expect(page.locator(".files")).to_contain_text("result.html cannot be downloaded: gone")


def test_blobs_of_hostile_names_are_shown_as_text(visitor: Visitor, ran: Watched) -> None:
    page = open_page(visitor, ran)
    page.get_by_role("link", name="Storage", exact=True).click()
    page.get_by_role("link", name="localstorage").click()
    page.get_by_role("link", name=re.compile("-input$")).click()
    expect(page.locator("tbody tr")).to_have_count(5)
    expect(page.locator("tbody")).to_contain_text(HOSTILE[0])
    expect(page.locator("tbody")).to_contain_text("\\u{202e}gnp.exe")
    page.locator("#search").fill("<img")
    expect(page.locator("tbody tr")).to_have_count(1)

    page.get_by_role("link", name=HOSTILE[0]).click()
    expect(page.locator("h1")).to_have_text(f"Blob {HOSTILE[0]}")
    expect(page.locator("pre.content")).to_have_text("good\n")
    with page.expect_download() as download:
        page.get_by_role("button", name="Download").click()
    assert Path(download.value.path()).read_bytes() == b"good\n"


def test_a_page_that_is_put_into_storage_is_read_and_never_run(
    visitor: Visitor, live: Watched
) -> None:
    container = live.blobs.create_container("pages")
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    settings = ContentSettings(content_type="text/html")
    container.upload_blob("index.html", evil, content_settings=settings)
    page = open_page(visitor, live)
    go_to(page, "storage", "localstorage", "pages", "index.html")
    expect(page.locator("pre.content")).to_have_text(evil)
    assert page.locator("main img, main script").count() == 0

    # A new version is another content, however long it is.
    container.upload_blob("index.html", evil.upper(), overwrite=True)
    expect(page.locator("pre.content")).to_have_text(evil.upper())
    container.upload_blob("index.html", b"\0\1", overwrite=True)
    expect(page.locator("main")).to_contain_text("This is no text; download it.")


def test_attempts_subtasks_and_thousands_of_nodes(visitor: Visitor) -> None:
    # What is only modelled leaves no files.
    visitor.trouble.expected = [f"{REFUSED}404"]
    with watch_executions(nodes=2003) as watched:
        page = open_page(visitor, watched)
        # Of a small pool each node is an element, of a large one all are drawn.
        expect(page.locator(".map .cell")).to_have_count(3)
        expect(page.get_by_role("img", name="All 2,003 nodes;")).to_be_visible()
        assert visitor.serious_findings(page) == []

        page.locator(".card a", has_text="many").click()
        expect(page.locator("h1")).to_have_text("Pool many")
        expect(page.locator(".map .cell")).to_have_count(1000)
        drawn = page.get_by_role("img", name="All 2,003 nodes;")
        box = drawn.bounding_box()
        assert box is not None
        drawn.click(position={"x": 1, "y": box["height"] - 1})
        expect(page.locator(".pages")).to_contain_text("nodes 1,001 to 2,000")
        page.get_by_role("button", name="Next").click()
        expect(page.locator(".pages")).to_contain_text("nodes 2,001 to 2,003")
        expect(page.locator(".map .cell")).to_have_count(3)
        assert visitor.serious_findings(page) == []

        go_to(page, "job", "localbatch", "job", "task", "again")
        rows = page.locator("[aria-label=Attempts] tbody tr")
        expect(rows).to_have_count(3)
        expect(rows.first).to_contain_text("FailureExitCode")
        go_to(page, "job", "localbatch", "job", "task", "wide")
        expect(page.locator("[aria-label=Subtasks] tbody tr")).to_have_count(2)
        assert visitor.serious_findings(page) == []
        page.get_by_role("link", name="files of subtask 2").click()
        expect(page.locator(".files")).to_contain_text("workitems / job / job-1 / wide / 2")


def test_requests_are_shown_as_they_come(visitor: Visitor, ran: Watched) -> None:
    page = open_page(visitor, ran)
    page.get_by_role("link", name="Requests").click()
    expect(page.locator("h1")).to_contain_text("Requests")
    expect(page.locator("tbody tr").first).to_be_visible()
    page.keyboard.press("/")
    page.keyboard.type("no-such-pool")
    expect(page.locator("main")).to_contain_text("No request is like that")

    with pytest.raises(HttpResponseError):
        ran.client.get_pool("no-such-pool")

    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody tr")).to_contain_text("404")
    assert "sig=" not in page.content().replace("sig=***", "")


def test_requests_go_on_once_the_emulator_is_started_anew(visitor: Visitor, ran: Watched) -> None:
    page = open_page(visitor, ran)
    # As one says that has served for long: the next counts from the beginning.
    former = '{"passed": 1000000, "requests": []}'
    page.route("**/requests?after=0", lambda route: route.fulfill(body=former), times=1)
    page.get_by_role("link", name="Requests").click()

    expect(page.locator("tbody tr").first).to_be_visible()
    expect(page.locator("h1")).not_to_contain_text("1,000,000")


def test_the_map_of_a_pool_changes_live(visitor: Visitor, live: Watched, tmp_path: Path) -> None:
    page = open_page(visitor, live)
    expect(page.locator("main")).to_contain_text("Nothing here yet")
    client = live.client
    client.create_pool(
        models.BatchPoolCreateOptions(
            id="one",
            vm_size="standard_d2s_v5",
            virtual_machine_configuration=machine(),
            target_dedicated_nodes=2,
            task_slots_per_node=2,
        )
    )
    cells = page.locator(".map .cell")
    expect(cells).to_have_count(2)
    expect(cells.first).to_have_attribute("aria-label", re.compile(": idle, 0 of 2 slots busy$"))

    info = models.BatchPoolInfo(pool_id="one")
    client.create_job(models.BatchJobCreateOptions(id="job", pool_info=info))
    gate = tmp_path / "gate"
    command = f"/bin/bash -c 'echo before; until test -e {gate}; do sleep 0.1; done; echo after'"
    client.create_task("job", models.BatchTaskCreateOptions(id="task", command_line=command))
    running = page.locator(".map .cell.busy")
    expect(running).to_have_count(1)
    expect(running).to_have_attribute("aria-label", re.compile(": running, 1 of 2 slots busy$"))

    go_to(page, "job", "localbatch", "job", "task", "task")
    expect(page.locator("pre.content")).to_have_text("before\n")
    gate.touch()
    expect(page.locator("pre.content")).to_have_text("before\nafter\n")
    expect(page.locator(".facts .badge")).to_have_text("succeeded")


def test_arrow_keys_move_on_the_map_and_enter_opens_a_node(visitor: Visitor, ran: Watched) -> None:
    page = open_page(visitor, ran)
    cells = page.locator(".map .cell")
    expect(cells).to_have_count(3)
    cells.first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("End")
    page.keyboard.press("ArrowLeft")
    expect(cells.nth(1)).to_be_focused()
    assert page.locator(".map .cell[tabindex='0']").count() == 1
    label = cells.nth(1).get_attribute("aria-label")
    assert label is not None

    page.keyboard.press("Enter")

    expect(page.locator("h1")).to_have_text(f"Node {label.partition(':')[0]}")
    expect(page.locator(".files")).to_contain_text("workitems/")


def test_a_fault_that_is_added_here_strikes_a_client(visitor: Visitor, live: Watched) -> None:
    page = open_page(visitor, live)
    page.get_by_role("link", name="Faults").click()
    expect(page.locator("h1")).to_have_text("Faults")
    page.get_by_label("Rule").fill("odd")
    page.get_by_role("button", name="Add").click()
    expect(page.get_by_role("alert")).to_contain_text("odd")
    page.get_by_label("Rule").fill("404 operation=list_supported_images code=Struck")
    page.get_by_role("button", name="Add").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.get_by_role("alert")).to_be_empty()

    with pytest.raises(HttpResponseError, match="Struck"):
        list(live.client.list_supported_images())

    expect(page.locator("tbody tr td:nth-child(3)")).to_have_text("1")
    page.get_by_role("button", name="Remove rule").click()
    expect(page.locator("main")).to_contain_text("No rule is in force")
    assert list(live.client.list_supported_images())
    visitor.trouble.expected = [
        "console: Failed to load resource: the server responded with a status of 400"
    ]


def test_who_has_no_token_is_asked_for_it(visitor: Visitor, live: Watched) -> None:
    visitor.trouble.expected = [
        "console: Failed to load resource: the server responded with a status of 401"
    ]
    address = live.emulator.dashboard
    assert address is not None
    page = visitor.open(address.partition("#")[0])
    expect(page.locator("h1")).to_have_text("Locked")
    assert visitor.serious_findings(page) == []
    page.get_by_label("Address or token").fill("pasted…")
    page.get_by_role("button", name="Open").click()
    expect(page.get_by_label("Address or token")).to_have_value("")
    page.get_by_label("Address or token").fill(address)
    page.get_by_role("button", name="Open").click()
    expect(page.locator("#status")).to_have_text("live")


class Stranger(BaseHTTPRequestHandler):
    """Serves an empty page."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<!DOCTYPE html><title>x</title><link rel=icon href='data:,'>")

    def log_message(self, *_: object) -> None:
        """Says nothing."""


ATTACK = """async ([origin, token]) => {
  const said = [];
  const tries = [
    ['/.emulator/faults', {}],
    ['/.emulator/faults', {headers: {Authorization: 'Bearer ' + token}}],
    ['/.emulator/faults', {method: 'POST', mode: 'no-cors', body: '{"fault": "503"}'}],
    ['/.emulator/faults', {method: 'POST', body: '{"fault": "503"}',
      headers: {'Content-Type': 'application/json', Authorization: 'Bearer ' + token}}],
    ['/', {}],
  ];
  for (const [path, options] of tries) {
    try { const a = await fetch(origin + path, options); said.push(a.type + a.status); }
    catch (error) { said.push(error.name); }
  }
  return said;
}"""


def test_a_page_of_another_origin_can_do_nothing(visitor: Visitor, live: Watched) -> None:
    """It stands on another port of this machine; the browser lets it send what it may."""
    with ThreadingHTTPServer(("127.0.0.1", 0), Stranger) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            page = visitor.open(f"http://127.0.0.1:{server.server_address[1]}/")
            page.context.unroute_all()
            origin = f"http://127.0.0.1:{live.page.port}"
            said = page.evaluate(ATTACK, [origin, live.page.token])
        finally:
            server.shutdown()

    visitor.trouble.expected = ["console: Access to fetch at", "console: Failed to load resource"]
    assert said == ["TypeError"] * 5
    assert live.page.ask("/.emulator/faults").json["rules"] == []


@pytest.mark.parametrize(("dark", "width"), [(False, 1280), (True, 390)])
def test_every_part_can_be_used_by_everybody(
    visitor: Visitor, ran: Watched, *, dark: bool, width: int
) -> None:
    page = open_page(visitor, ran, dark=dark, width=width)
    job = job_of(ran)
    pool = ran.page.look("overview")["batch"][0]["pools"][0]["id"]
    node = ran.page.look(f"batch/localbatch/pools/{pool}")["nodes"][0]["id"]
    failed = ran.page.look(f"batch/localbatch/jobs/{job}/tasks?state=failed")["tasks"][0]["id"]
    container = ran.page.look("blob/localstorage/containers")["containers"][0]["name"]
    blobs = ran.page.look(f"blob/localstorage/containers/{container}/blobs")["blobs"]
    blob = blobs[0]["name"]
    for parts in (
        (),
        ("job", "localbatch", job),
        ("job", "localbatch", job, "task", failed),
        ("pool", "localbatch", pool),
        ("pool", "localbatch", pool, "node", node),
        ("storage",),
        ("storage", "localstorage"),
        ("storage", "localstorage", container),
        ("storage", "localstorage", container, blob),
        ("requests",),
        ("faults",),
    ):
        go_to(page, *parts)
        expect(page.locator("h1")).to_have_count(1)
        assert visitor.serious_findings(page) == [], parts
        assert page.evaluate("document.documentElement.scrollWidth") <= width, parts


def test_ten_thousand_tasks_and_a_thousand_nodes(visitor: Visitor) -> None:
    with watch("--model", "1s exit=3 task=*77", "--model", "1s", "--time", "virtual") as watched:
        client = watched.client
        client.create_pool(
            models.BatchPoolCreateOptions(
                id="wide",
                vm_size="standard_d2s_v5",
                virtual_machine_configuration=machine(),
                target_dedicated_nodes=1000,
            )
        )
        info = models.BatchPoolInfo(pool_id="wide")
        client.create_job(models.BatchJobCreateOptions(id="many", pool_info=info))
        tasks = [
            models.BatchTaskCreateOptions(id=f"{n:05d}", command_line="render")
            for n in range(10_000)
        ]
        client.create_tasks("many", tasks)
        wait_until(lambda: client.get_job_task_counts("many").task_counts.completed == 10_000)
        page = open_page(visitor, watched)
        expect(page.locator(".map .cell")).to_have_count(1000)
        page.locator("tbody a").first.click()

        expect(page.get_by_role("button", name="All 10,000")).to_be_visible()
        expect(page.locator("tbody tr")).to_have_count(100)
        page.get_by_role("button", name="Next").click()
        expect(page.locator("tbody tr").first).to_contain_text("00100")
        page.get_by_role("button", name="Failed 100").click()
        expect(page.locator("tbody tr").first).to_contain_text("00077")
        page.locator("#search").fill("9977")
        expect(page.locator("tbody tr")).to_have_count(1)
        page.locator("#search").fill("")
        page.get_by_label("Order").select_option("newest")
        page.get_by_role("button", name="All 10,000").click()
        expect(page.locator("tbody tr")).to_have_count(100)
        assert page.locator("*").count() < 4000


HIDE = """hidden => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}"""


def test_a_page_that_nobody_sees_asks_for_nothing(visitor: Visitor, live: Watched) -> None:
    page = open_page(visitor, live)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_role("button", name="Pause").click()
    expect(page.locator("#status")).to_have_text("paused")
    asked.clear()
    # Were it to ask again, it would do so within this time.
    page.wait_for_timeout(2000)
    assert asked == []
    page.evaluate(HIDE, True)
    page.get_by_role("button", name="Go on").click()
    expect(page.locator("#status")).to_have_text("live")
    asked.clear()
    page.wait_for_timeout(2000)
    assert asked == []
    page.evaluate(HIDE, False)
    # Playwright hears of requests while it is asked something.
    wait_until(lambda: page.evaluate("1") == 1 and any("/overview" in url for url in asked))
