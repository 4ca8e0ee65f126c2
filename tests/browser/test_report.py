"""The page of a run, as people read it: with and without a script, by keyboard, on paper."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.made_runs import write_run
from tests.browser.visit import Visitor
from tests.e2e.conftest import User

_MOST_BYTES = 2_000_000
_NAMES = (
    "<script>alert(1)<_script>.bin",
    "'\"><img src=x onerror=alert(1)>.bin",
    "bad one.bin",
    "plain.bin",
    "\u202egnp.tab.bin",
    "${constructor}&lt;b&gt;.bin",
    "n" * 251 + ".bin",
)
_SPEC = """
version: 1
name: mixed
containers:
  input:
    upload: [{from: data, include: ["**/*.bin"]}]
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server, version: latest}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  task_slots_per_node: 2
task:
  for_each: input
  command: |
    if [ "$(cat {{ file.path }})" = fail ]; then
      printf '</script><b id=evil>\\033[31m' >&2
      exit 3
    fi
    cp {{ file.path }} result.out
  outputs: [{pattern: result.out, to: output, path: "{{ file.stem }}.out"}]
  retries: 1
"""
SECTIONS = [
    "Summary",
    "Failures",
    "Timeline",
    "Durations",
    "Nodes",
    "Attempts",
    "Tasks",
    "Inputs and outputs",
    "Cost",
    "Provenance",
]


def reader(folder: Path) -> User:
    """Somebody who has no account, and the commands on the PATH."""
    environ = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AZURE_", "BATCH_RUN_"))
    }
    environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), environ["PATH"]))
    return User(folder, environ)


def make_page(user: User) -> Path:
    """The page of the last run, as the command makes it."""
    made = user.run("report")
    assert (made.returncode, made.stderr) == (0, "")
    page, table = (user.folder / line for line in made.stdout.splitlines())
    assert (page.name, table.name) == ("report.html", "trace.tsv")
    assert table.is_file()
    return page


@pytest.fixture(scope="module")
def failed_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of a real run with files of odd names, one of which fails twice."""
    user = reader(tmp_path_factory.mktemp("mixed"))
    for name in _NAMES:
        user.write(f"data/{name}", "fail" if name.startswith("bad") else name)
    user.write("spec.yaml", _SPEC)
    assert user.run("run", "spec.yaml", "--isolation", "none").returncode == 1
    return make_page(user)


@pytest.fixture(scope="module")
def large_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of 10,000 tasks."""
    user = reader(tmp_path_factory.mktemp("large"))
    write_run(user.folder, tasks=10_000)
    return make_page(user)


def texts(page: Page, selector: str) -> list[str]:
    """What is read at each place, its white space as one."""
    return [" ".join(each.split()) for each in page.locator(selector).all_inner_texts()]


def items(page: Page) -> list[str]:
    return texts(page, "#task-table td.name")


def test_a_real_run_with_failures_is_told_in_full(visitor: Visitor, failed_run: Path) -> None:
    page = visitor.open_file(failed_run)

    headings = page.locator("main h2").evaluate_all(
        "all => all.map((h) => h.firstChild.data.trim())"
    )
    assert headings == SECTIONS
    assert texts(page, ".verdict") == ["✗ failed"]
    tiles = dict(zip(texts(page, ".tiles dt"), texts(page, ".tiles dd"), strict=True))
    assert {name: tiles[name] for name in ("tasks", "succeeded", "failed", "more attempts")} == {
        "tasks": "7",
        "succeeded": "6",
        "failed": "1",
        "more attempts": "1",
    }
    assert texts(page, "#failures h3")[0] == "✗ task 0004 (bad one.bin): exit code 3"
    assert texts(page, "#failures pre") == ["</script><b id=evil>\\x1b[31m"]


def test_a_real_run_without_failures_says_so(visitor: Visitor, tmp_path: Path) -> None:
    user = reader(tmp_path)
    user.write("data/a.bin", "a")
    user.write("spec.yaml", _SPEC)
    assert user.run("run", "spec.yaml", "--isolation", "none").returncode == 0

    page = visitor.open_file(make_page(user))

    assert texts(page, ".verdict") == ["✓ succeeded"]
    assert texts(page, "#failures p") == ["Nothing has failed."]
    assert texts(page, "#attempts p") == ["No task was run again."]
    assert items(page) == ["a.bin"]


def test_odd_names_are_text_and_nothing_else(visitor: Visitor, failed_run: Path) -> None:
    page = visitor.open_file(failed_run)

    assert page.locator("#evil, b, img, main script").count() == 0
    assert page.locator("script").count() == 2
    assert sorted(items(page)) == sorted(name.replace("\u202e", "\\u202e") for name in _NAMES)
    for button in page.locator("#task-table button.task").all():
        button.click()
    assert page.locator("tr.details").count() == len(_NAMES)
    assert page.locator("#evil, b, img, main script").count() == 0


@pytest.mark.parametrize("dark", [False, True])
def test_nothing_serious_is_in_the_way_of_anybody(
    visitor: Visitor, failed_run: Path, dark: bool
) -> None:
    page = visitor.open_file(failed_run, dark=dark)
    page.locator("#task-table button.task").nth(1).click()
    page.locator("summary").click()

    assert visitor.serious_findings(page) == []


def test_without_a_script_all_but_the_timeline_is_there(
    visitor: Visitor, failed_run: Path, large_run: Path
) -> None:
    page = visitor.open_file(failed_run, javascript=False)
    assert len(items(page)) == len(_NAMES)
    assert "The timeline needs JavaScript" in page.locator("#timeline").inner_text()
    assert page.locator("button:visible").count() == 0

    page = visitor.open_file(large_run, javascript=False)
    assert len(items(page)) == 1_000
    assert texts(page, "#tasks-note") == [
        "9,000 tasks that succeeded are not in this list: trace.tsv has all."
    ]
    # Of all 103 that failed none is left out.
    assert page.locator("#task-table .badge.bad").count() == 103


def test_ten_thousand_tasks_are_searched_sorted_and_filtered(
    visitor: Visitor, large_run: Path
) -> None:
    assert large_run.stat().st_size < _MOST_BYTES
    page = visitor.open_file(large_run)
    status = page.locator("#task-pages [role=status]")
    assert status.inner_text() == "1 to 100 of 10,000"
    assert page.locator("#tasks-note").count() == 0

    page.get_by_role("button", name="next →").click()
    assert status.inner_text() == "101 to 200 of 10,000"
    assert items(page)[0] == "scene-00101.mp4"

    page.get_by_label("State").select_option("failed")
    assert status.inner_text() == "1 to 100 of 103 (10,000 in all)"
    assert items(page)[:2] == ["scene-00097.mp4", "scene-00194.mp4"]

    page.get_by_label("Search (/)").fill("SCENE-097")
    assert items(page) == ["scene-09700.mp4", "scene-09797.mp4"]

    page.get_by_role("button", name="Clear").click()
    page.get_by_role("button", name="ran", exact=True).click()
    # Longest first: those that take ten minutes more.
    assert sorted(items(page)[:20]) == [
        f"scene-{place:05}.mp4" for place in range(500, 10_001, 500)
    ]
    assert page.locator("th[aria-sort=descending]").inner_text() == "ran"

    page.get_by_label("Search (/)").fill("no such task")
    assert (items(page), status.inner_text()) == ([], "no task is like that")


def test_alike_failures_are_told_once(visitor: Visitor, large_run: Path) -> None:
    page = visitor.open_file(large_run)

    assert texts(page, "#failures h3") == [
        "✗ 103 tasks failed alike: exit code 1",
        "Run again what failed",
    ]
    assert texts(page, "#failures li code") == [
        "batch-run logs 00097 film-20260131t120000z-k3dq",
        "batch-run explain 00097 film-20260131t120000z-k3dq",
        "batch-run run film.yaml -p bitrate=192k --target azure --only failed",
    ]


def test_a_failure_leads_to_its_task(visitor: Visitor, large_run: Path) -> None:
    page = visitor.open_file(large_run)
    page.get_by_label("State").select_option("succeeded")

    page.get_by_role("link", name="Task 00097 among all tasks").click()

    opened = page.locator("button.task[aria-expanded=true]")
    assert opened.inner_text() == "00097"
    expect(opened).to_be_focused()
    assert page.locator("tr.details pre").first.inner_text().splitlines()[-1] == "</script>"


def test_the_keyboard_is_enough(visitor: Visitor, large_run: Path) -> None:
    page = visitor.open_file(large_run)
    press = page.keyboard.press

    press("/")
    page.keyboard.type("scene-00097")
    assert items(page) == ["scene-00097.mp4"]
    press("Escape")
    expect(page.get_by_label("Search (/)")).not_to_be_focused()
    page.get_by_role("button", name="Clear").focus()
    press("Enter")

    page.locator("button.task").first.focus()
    press("ArrowDown")
    press("ArrowDown")
    press("Enter")
    opened = page.locator("button.task[aria-expanded=true]")
    assert opened.inner_text() == "00003"
    assert page.locator("tr.details code").first.inner_text() == (
        "batch-run logs 00003 film-20260131t120000z-k3dq"
    )
    press("Enter")
    assert page.locator("tr.details").count() == 0
    press("ArrowRight")
    expect(page.locator("button.task").first).to_be_focused()
    assert items(page)[0] == "scene-00101.mp4"

    press("?")
    expect(page.locator("#help")).to_be_visible()
    press("Escape")
    expect(page.locator("#help")).not_to_be_visible()
    page.get_by_role("button", name="Keys").click()
    page.get_by_role("button", name="Close").click()
    expect(page.locator("#help")).not_to_be_visible()


def test_the_timeline_is_walked_with_arrows(visitor: Visitor, large_run: Path) -> None:
    page = visitor.open_file(large_run)
    told = page.locator("#told")

    page.locator("#lanes").focus()
    page.keyboard.press("ArrowDown")
    first = told.inner_text()
    assert first.startswith("task 00001 scene-00001.mp4: succeeded; attempt 1 on node 1 from")
    assert "in the queue" in first
    assert "uploading for 1.0s of it" in first
    page.keyboard.press("ArrowDown")
    assert " on node 1 " in told.inner_text()
    page.keyboard.press("ArrowDown")
    assert " on node 2 " in told.inner_text()
    page.keyboard.press("ArrowRight")
    after = told.inner_text().split()[1]

    before = page.locator("#span").inner_text()
    page.keyboard.press("+")
    expect(page.locator("#span")).not_to_have_text(before)
    page.keyboard.press("0")
    expect(page.locator("#span")).to_have_text(before)

    page.keyboard.press("Enter")
    opened = page.locator("button.task[aria-expanded=true]")
    assert opened.inner_text() == after
    expect(opened).to_be_focused()


def test_secrets_are_taken_out_before_the_page_is_made(visitor: Visitor, tmp_path: Path) -> None:
    # One is a word of the page's own markup, style and script; the other would be written
    # otherwise in a page than it is: as it is, no search in the page finds it.
    word, odd = "timeline", "<b>\"open'&sesame</b>"
    user = reader(tmp_path)
    directory = write_run(user.folder, tasks=100, nodes=2)
    events = (directory / "events.jsonl").read_text()
    for name, secret in (("scene-00001", word), ("scene-00097", odd), ("frame=", odd)):
        assert name in events
        events = events.replace(name, json.dumps(secret)[1:-1])
    (directory / "events.jsonl").write_text(events)
    (directory / "spec.yaml").write_text(f"name: film\ntags: [{word}, {odd}]\n")
    knowing = user.with_environ(BATCH_RUN_SECRET_WORD=word, BATCH_RUN_SECRET_ODD=odd)

    printed = knowing.run("report", "--format", "html", "--output", "-").stdout
    path = make_page(knowing)

    content = path.read_text()
    assert printed.partition("Made by batch-run")[0] == content.partition("Made by batch-run")[0]
    assert "sesame" not in content
    page = visitor.open_file(path)
    # The script has run, and its place is still named as it asks for it.
    expect(page.locator("#lanes")).to_be_visible()
    assert items(page)[0] == "REDACTED.mp4"
    assert items(page)[96] == "REDACTED.mp4"
    assert texts(page, "#failures pre")[0].startswith("REDACTED 10 fps=0.0")
    page.locator("summary").click()
    assert texts(page, "details pre") == ["name: film tags: [REDACTED, REDACTED]"]


def test_a_run_whose_client_has_died_says_so_and_when(visitor: Visitor, tmp_path: Path) -> None:
    user = reader(tmp_path)
    write_run(user.folder, tasks=200, nodes=4, over=False)
    page = visitor.open_file(make_page(user))

    assert texts(page, ".verdict") == ["! abandoned"]
    (note,) = texts(page, ".note")
    assert note == (
        "This run did not come to its end: its client has died. The last thing seen of it is of"
        " 2026-01-31 12:12:21 UTC, and all is shown as it was then. batch-run resume"
        " film-20260131t120000z-k3dq copy goes on with it."
    )
    tiles = dict(zip(texts(page, ".tiles dt"), texts(page, ".tiles dd"), strict=True))
    assert {name: tiles[name] for name in list(tiles)[:7]} == {
        "tasks": "200",
        "queued when last seen": "92",
        "running when last seen": "8",
        "succeeded": "99",
        "failed": "1",
        "more attempts": "2",
        "until it was last seen": "12m 21s",
    }


def test_colours_are_changed_and_paper_is_light(visitor: Visitor, failed_run: Path) -> None:
    page = visitor.open_file(failed_run, dark=True)
    ground = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(ground) == "rgb(15, 19, 24)"

    page.get_by_role("button", name="Colours").click()
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    page.get_by_role("button", name="Colours").click()
    assert page.evaluate(ground) == "rgb(15, 19, 24)"

    page.emulate_media(media="print")
    assert page.evaluate(ground) == "rgb(255, 255, 255)"
    assert page.locator("nav").is_hidden()
    assert texts(page, "#task-pages") == [f"1 to {len(_NAMES)} of {len(_NAMES)}"]
    # What was drawn for the screen fits on a narrow sheet, and all lanes are there at once.
    page.set_viewport_size({"width": 700, "height": 900})
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    inside = "all => all.every((c) => c.getBoundingClientRect().right <= innerWidth)"
    assert page.locator("#timeline canvas").evaluate_all(inside)
    assert page.locator("#lanes").evaluate("e => e.scrollHeight <= e.clientHeight")
    assert page.pdf(format="A4").startswith(b"%PDF-")


@pytest.mark.parametrize(("width", "height"), [(390, 844), (1280, 900)])
def test_nothing_hangs_over_the_edge(
    visitor: Visitor, failed_run: Path, width: int, height: int
) -> None:
    page = visitor.open_file(failed_run, width=width, height=height)
    table = "document.getElementById('task-table').offsetWidth"
    before = page.evaluate(table)
    page.locator("#task-table button.task").nth(1).click()

    assert page.evaluate("document.documentElement.scrollWidth") == width
    # Details, however wide, leave the columns where they were.
    assert page.evaluate(table) == before
    # Words of a chart are as large as others, on a narrow screen too.
    assert page.locator("svg.chart").evaluate("e => e.getBoundingClientRect().width") == 960
