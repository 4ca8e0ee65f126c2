"""`batch-run report`: what it writes, where, and of which runs."""

from __future__ import annotations

import json
from pathlib import Path

from runner.report.trace_as_tsv import COLUMNS
from tests.browser.made_runs import RUN, write_run
from tests.e2e.conftest import User, wait_until

_SLOW = """
version: 1
name: slow
containers:
  input:
    upload: [{from: data, include: ["*.txt"]}]
  output: {download: true}
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server, version: latest}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  task_slots_per_node: 2  # whichever task comes first, the other is not behind it
task:
  for_each: input
  command: |
    while [ {{ file.stem }} = b ] && [ ! -e GO ]; do sleep 0.02; done
    cp {{ file.path }} out
  outputs: [{pattern: out, to: output, path: "{{ file.name }}"}]
"""
HERE = f".batch-run/runs/{RUN}"


def written(user: User) -> list[str]:
    return sorted(path.name for path in user.last_run().iterdir())


def test_the_page_and_the_table_are_written_beside_the_events(user: User) -> None:
    write_run(user.folder, tasks=50, nodes=2)

    made = user.run("report")

    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout == f"{HERE}/report.html\n{HERE}/trace.tsv\n"
    table = (user.last_run() / "trace.tsv").read_text().splitlines()
    assert table[0] == "\t".join(COLUMNS)
    # One of the 50 had two attempts.
    assert len(table) == 1 + 50 + 1
    assert written(user) == [
        "events.jsonl",
        "report.html",
        "run.json",
        "spec.yaml",
        "trace.tsv",
    ]


def test_each_form_goes_where_it_is_wanted(user: User) -> None:
    write_run(user.folder, tasks=3, nodes=1)

    table = user.run("report", RUN, "--format", "tsv", "--output", "-")
    assert len(table.stdout.splitlines()) == 4
    page = user.run("report", "--output", "a.html")
    assert page.stdout == "a.html\n"
    assert (user.folder / "a.html").read_text().startswith("<!DOCTYPE html>")
    data = user.run("report", "--json")
    assert json.loads(data.stdout)["succeeded"] == 3
    assert user.run("report", "--format", "json").stdout == data.stdout
    file = user.run("report", "--format", "json", "--output", "r.json")
    assert (file.stdout, (user.folder / "r.json").read_text()) == ("r.json\n", data.stdout)
    assert written(user) == ["events.jsonl", "run.json", "spec.yaml"]


def test_what_cannot_be_is_said_in_a_line(user: User) -> None:
    nothing = user.run("report")
    assert nothing.returncode == 2
    assert nothing.stderr.startswith("batch-run: there is no run below `")

    write_run(user.folder, tasks=3, nodes=1)
    place = user.folder / "no" / "such.html"
    nowhere = user.run("report", "--output", str(place))
    assert (nowhere.returncode, nowhere.stdout) == (2, "")
    assert nowhere.stderr == f"batch-run: cannot write `{place}`: no such file or directory\n"

    both = user.run("report", "--json", "--format", "tsv")
    assert both.returncode == 2
    assert both.stderr == ("batch-run: `--json` and `--format tsv` are two different things\n")


def test_a_run_in_progress_has_a_page_that_says_when(user: User) -> None:
    user.write("data/a.txt", "a")
    user.write("data/b.txt", "b")
    user.write("spec.yaml", _SLOW.replace("GO", str(user.folder / "go")))
    with user.start("run", "spec.yaml", "--isolation", "none") as process:
        try:
            wait_until(lambda: has_event(user, "task.finished"), what="a task has ended")
            with user.start("report") as made:
                stdout, stderr = made.communicate()
            assert (made.returncode, stderr) == (0, "")
            page = (user.folder / stdout.splitlines()[0]).read_text()
        finally:
            user.write("go", "")
            process.communicate()
    assert process.returncode == 0

    assert "This run was in progress when the page was made, at <time" in page
    assert '<span class="badge pill busy">▶ running</span>' in page
    (output, _) = (
        json.loads(line)
        for line in (user.last_run() / "events.jsonl").read_text().splitlines()
        if '"type":"output.downloaded"' in line
    )
    assert output["modified"] is not None


def has_event(user: User, kind: str) -> bool:
    if not (user.folder / ".batch-run" / "last").exists():
        return False
    events = user.last_run() / "events.jsonl"
    return events.exists() and f'"type":"{kind}"' in events.read_text()


def test_a_journal_that_breaks_off_is_told_as_far_as_it_goes(user: User) -> None:
    directory = write_run(user.folder, tasks=20, nodes=1, over=False)
    events = directory / "events.jsonl"
    events.write_bytes(events.read_bytes()[:-20])

    made = user.run("report")

    assert (made.returncode, made.stderr) == (0, "")
    assert "This run did not come to its end" in page_of(directory)


def test_of_a_run_whose_client_has_died_all_commands_say_the_same(user: User) -> None:
    directory = write_run(user.folder, tasks=20, nodes=1, over=False)

    status = json.loads(user.run("status", "--json").stdout)
    report = json.loads(user.run("report", "--json").stdout)
    assert user.run("report").returncode == 0

    assert status["state"] == "abandoned"
    assert (
        f"run {RUN}: abandoned: its client has died; can be resumed\n" in user.run("status").stdout
    )
    page = page_of(directory)
    assert '<span class="badge pill again">! abandoned</span>' in page
    assert "This run did not come to its end: its client has died. The last thing" in page
    # What its nodes cost counts until something was seen last, wherever it is told.
    hours = status["cost"]["node_hours"]
    assert (hours["dedicated"] > 0, report["cost"]) == (True, status["cost"])
    assert f"<dt>node-hours, dedicated</dt><dd>{hours['dedicated']:,.4f}</dd>" in page


def test_a_run_that_never_began_has_a_page(user: User) -> None:
    directory = write_run(user.folder, tasks=1, nodes=1)
    (directory / "events.jsonl").unlink()

    made = user.run("report")

    assert (made.returncode, made.stderr) == (0, "")
    assert "No node was seen." in page_of(directory)
    assert len((directory / "trace.tsv").read_text().splitlines()) == 1


def test_a_plan_that_is_damaged_is_named(user: User) -> None:
    directory = write_run(user.folder, tasks=1, nodes=1)
    (directory / "plan.json").write_text("{")

    with user.start("report") as process:
        _, stderr = process.communicate()

    assert process.returncode == 2
    assert stderr.startswith(f"batch-run: `{directory / 'plan.json'}` is not the plan of a run: ")


def test_events_that_something_else_has_changed_are_named(user: User) -> None:
    directory = write_run(user.folder, tasks=1, nodes=1)
    (directory / "events.jsonl").write_text("{}\n")

    with user.start("report") as process:
        _, stderr = process.communicate()

    assert process.returncode == 2
    assert stderr.startswith(
        f"batch-run: `{directory / 'events.jsonl'}`, line 1: not an event of a run\n"
    )


def test_secrets_of_the_environment_are_in_nothing_that_is_written(user: User) -> None:
    directory = write_run(user.folder, tasks=1, nodes=1)
    (directory / "spec.yaml").write_text("name: sesame-open-up-1234\n")

    made = user.with_environ(AZURE_BATCH_ACCESS_KEY="sesame-open-up-1234").run("report")

    assert made.returncode == 0
    assert "sesame" not in page_of(directory)
    assert "name: REDACTED" in page_of(directory)


def page_of(directory: Path) -> str:
    return (directory / "report.html").read_text()
