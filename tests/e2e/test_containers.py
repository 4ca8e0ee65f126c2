"""Containers of the user's own naming: read where they exist, reused, cleared, never lost."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.accounts import Accounts, open_accounts
from tests.e2e.conftest import Emulator, User

HEAD = """\
version: 1
name: demo
"""
POOL = """\
pool:
  image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: input
  command: tr a-z A-Z < {{ file.path }} > {{ file.name }}.out
  outputs: [{pattern: "{{ file.name }}.out", to: output}]
"""
EXISTING = f"""\
{HEAD}containers:
  input: {{existing: media, prefix: 2026/, include: ["**/*.txt"]}}
  output: {{download: true}}
{POOL}"""
NAMED = f"""\
{HEAD}containers:
  input:
    name: films
    upload: [{{from: data}}]
  output: {{name: results, download: true}}
{POOL}"""


@pytest.fixture
def accounts(emulator: Emulator) -> Iterator[Accounts]:
    with open_accounts(emulator) as opened:
        yield opened


@pytest.fixture
def azure(user: User, emulator: Emulator) -> User:
    """A user whose environment names two accounts, which the emulator has."""
    return user.with_environ(**emulator.environ)


def events(user: User, kind: str) -> list[dict[str, Any]]:
    """Those of the last run."""
    lines = (user.last_run() / "events.jsonl").read_text().splitlines()
    return [event for event in map(json.loads, lines) if event["type"] == kind]


def results(user: User) -> dict[str, bytes]:
    folder = user.folder / "results" / "demo" / "output"
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_an_existing_container_is_read_below_its_prefix_and_left_alone(
    azure: User, accounts: Accounts
) -> None:
    content = {
        "2026/a.txt": b"one\n",
        "2026/deep/b c.txt": b"two\n",
        "2026/deep/picture.png": b"\x89PNG",
        "2025/old.txt": b"old\n",
        "top.txt": b"top\n",
    }
    accounts.make_container("media", content)
    before = accounts.etags("media")
    azure.write("spec.yaml", EXISTING)

    done = azure.run("spec.yaml")

    assert done.returncode == 0, done.stderr
    assert results(azure) == {"a.txt.out": b"ONE\n", "deep/b c.txt.out": b"TWO\n"}
    assert events(azure, "upload.finished") == []
    assert accounts.etags("media") == before
    assert accounts.containers() == ["media"]
    assert (accounts.pools(), accounts.jobs()) == ([], [])


def test_a_plan_for_azure_shows_what_is_there_and_makes_nothing(
    azure: User, accounts: Accounts
) -> None:
    accounts.make_container("media", {"2026/a.txt": b"one\n"})
    azure.write("spec.yaml", EXISTING)

    done = azure.run("plan", "spec.yaml", "--target", "azure", "--json")

    assert done.returncode == 0, done.stderr
    plan = json.loads(done.stdout)
    assert len(plan["tasks"]) == 1
    assert "sig=" not in done.stdout
    assert accounts.containers() == ["media"]


@pytest.mark.parametrize("words", [("plan",), ("run", "--target", "local")])
def test_an_existing_container_needs_azure(user: User, words: tuple[str, ...]) -> None:
    user.write("spec.yaml", EXISTING)

    done = user.run(*words, "spec.yaml")

    assert done.returncode == 2
    assert "`media`" in done.stderr
    assert "--target azure" in done.stderr
    assert not (user.folder / ".batch-run").exists()


@pytest.mark.parametrize("words", [("run",), ("plan", "--target", "azure")])
def test_a_container_that_is_missing_is_named(
    azure: User, accounts: Accounts, emulator: Emulator, words: tuple[str, ...]
) -> None:
    azure.write("spec.yaml", EXISTING)

    done = azure.run(*words, "spec.yaml")

    assert done.returncode == 2
    assert (
        "spec.yaml:4:21: container-missing: there is no container `media` for `input` at"
        f" {emulator.storage['blob_endpoint']}\n"
    ) in done.stderr
    assert not (azure.folder / ".batch-run").exists()
    assert accounts.containers() == []


def test_a_container_without_a_file_that_matches_is_a_problem(
    azure: User, accounts: Accounts
) -> None:
    accounts.make_container("media", {"2026/a.png": b"x"})
    azure.write("spec.yaml", EXISTING)

    done = azure.run("spec.yaml")

    assert done.returncode == 2
    assert "container `media` has no file below `2026/` that `include` matches" in done.stderr


def test_the_second_run_brings_up_only_what_has_changed(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", NAMED)
    for name in ("a.txt", "b.txt", "dir/c.txt"):
        azure.write(f"data/{name}", f"{name}\n")
    first = azure.run("spec.yaml")
    assert first.returncode == 0, first.stderr
    assert len(events(azure, "upload.finished")) == 3
    assert sorted(accounts.containers()) == ["films", "results"]
    before = accounts.etags("films")

    second = azure.run("spec.yaml", "--output", "second")

    assert second.returncode == 0, second.stderr
    uploads = events(azure, "upload.finished")
    assert all(event.get("skipped") for event in uploads), uploads
    assert accounts.etags("films") == before
    assert accounts.blobs("results") == {
        "a.txt.out": b"A.TXT\n",
        "b.txt.out": b"B.TXT\n",
        "dir/c.txt.out": b"DIR/C.TXT\n",
    }

    azure.write("data/b.txt", "other\n")
    third = azure.run("spec.yaml", "--output", "third")

    assert third.returncode == 0, third.stderr
    after = accounts.etags("films")
    assert [name for name in after if after[name] != before[name]] == ["b.txt"]
    assert accounts.blobs("results")["b.txt.out"] == b"OTHER\n"
    assert sorted(accounts.containers()) == ["films", "results"]
    third_output = azure.folder / "third" / "output"
    assert (third_output / "b.txt.out").read_bytes() == b"OTHER\n"


def write_named(user: User, policy: str) -> None:
    user.write(
        "spec.yaml",
        NAMED.replace("{name: results,", f"{{name: results, if_not_empty: {policy},"),
    )
    user.write("data/a.txt", "a\n")


def test_a_container_that_is_not_empty_may_be_refused(azure: User, accounts: Accounts) -> None:
    write_named(azure, "refuse")
    accounts.make_container("results", {"precious.txt": b"mine"})

    done = azure.run("spec.yaml")

    assert done.returncode == 2
    assert (
        "batch-run: spec.yaml:7:11: container-not-empty: container `results` of `output` is not"
        " empty: it has `precious.txt`\n"
    ) in done.stderr
    assert accounts.blobs("results") == {"precious.txt": b"mine"}
    assert accounts.containers() == ["results"]
    assert (accounts.pools(), accounts.jobs()) == ([], [])


def test_a_container_that_is_empty_is_not_refused(azure: User, accounts: Accounts) -> None:
    write_named(azure, "refuse")
    accounts.make_container("results", {})

    done = azure.run("spec.yaml")

    assert done.returncode == 0, done.stderr
    assert accounts.blobs("results") == {"a.txt.out": b"A\n"}


def test_a_container_may_be_cleared_first(azure: User, accounts: Accounts) -> None:
    write_named(azure, "clear")
    accounts.make_container("results", {f"old/{number}.txt": b"old" for number in range(30)})

    done = azure.run("spec.yaml")

    assert done.returncode == 0, done.stderr
    assert accounts.blobs("results") == {"a.txt.out": b"A\n"}
    assert (
        "note: container `results` is cleared first: 30 blobs that this run does not bring up will"
        " be gone\n"
    ) in done.stderr


def test_what_a_container_has_stays_where_nothing_is_said(azure: User, accounts: Accounts) -> None:
    azure.write("spec.yaml", NAMED)
    azure.write("data/a.txt", "a\n")
    accounts.make_container("results", {"precious.txt": b"mine"})

    done = azure.run("spec.yaml")

    assert done.returncode == 0, done.stderr
    assert accounts.blobs("results") == {"a.txt.out": b"A\n", "precious.txt": b"mine"}
    assert "precious.txt" not in results(azure)


def test_a_container_of_the_users_goes_only_where_the_spec_says_so(
    azure: User, accounts: Accounts
) -> None:
    azure.write("data/a.txt", "a\n")
    accounts.make_container("results", {})
    azure.write("spec.yaml", NAMED.replace("{name: results,", "{name: results, delete: after-run,"))

    done = azure.run("spec.yaml")

    assert done.returncode == 0, done.stderr
    assert accounts.containers() == ["films"]
    assert Path(azure.folder / "results/demo/output/a.txt.out").read_bytes() == b"A\n"
