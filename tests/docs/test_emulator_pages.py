"""Each command and each snippet of the emulator's pages does what the page says.

The story of a section takes the section's blocks in turn and runs them. A section with blocks and
without a story fails, and so does a block that its story does not take.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from tests.conformance.clients.installing import (
    JAVASCRIPT,
    OLDER_RELEASE,
    install_javascript,
    install_older,
)
from tests.docs.ground import Ground, end_group, make_ground
from tests.docs.pages import ROOT, Block, Section, read_sections

PAGES = tuple(sorted((ROOT / "docs").glob("emulator*.md")))
SECTIONS = tuple(
    section for page in PAGES for section in read_sections(page) if len(section.blocks) > 0
)
START = next(
    block
    for section in SECTIONS
    if section.place == "emulator.md#start-it"
    for block in section.blocks
    if "> emulator.env" in block.text
)


@dataclass(kw_only=True)
class Reader:
    """Who follows one section: its blocks are taken in turn, and all have to be taken."""

    blocks: list[Block]
    ground: Ground
    config: pytest.Config = field(repr=False)

    def take(self, language: str = "sh") -> Block:
        """The next block of the section."""
        block = self.blocks.pop(0)
        assert block.language == language, block.text
        return block

    def save(self, language: str = "python") -> None:
        """Saves the next block as a file."""
        self.ground.save(self.take(language))


def start_it(reader: Reader) -> None:
    # The README's test runs this in a clone.
    assert reader.take().text.strip() in (ROOT / "README.md").read_text()
    start = reader.take()
    reader.save()
    with reader.ground.serving(start):
        assert reader.ground.type_in(reader.take()) == "hello from pool\n"


def use_azure_batch_15(reader: Reader) -> None:
    reader.save()
    with reader.ground.serving(START):
        assert reader.ground.type_in(reader.take()) == "hello\n"


def use_azure_batch_14(reader: Reader) -> None:
    folder = install_older(reader.config)
    assert reader.take().text.endswith(f" {OLDER_RELEASE}\n")
    reader.save()
    programs = reader.ground.folder / "old"
    programs.symlink_to(reader.ground.folder / ".venv")
    with reader.ground.serving(START):
        said = reader.ground.type_in(reader.take(), PYTHONPATH=str(folder))
    assert said == "hello from pool14\n"


def use_javascript(reader: Reader) -> None:
    folder = install_javascript(reader.config)
    pinned = json.loads((JAVASCRIPT / "package.json").read_text())["dependencies"]["@azure/batch"]
    assert reader.take().text == f"npm install @azure/batch@{pinned}\n"
    reader.save("js")
    (reader.ground.folder / "node_modules").symlink_to(folder / "node_modules")
    with reader.ground.serving(START):
        assert reader.ground.type_in(reader.take()) == "hello from pool-js\n"


def use_az(reader: Reader) -> None:
    program = os.environ.get("BATCH_RUN_AZ")
    if program is None:
        pytest.skip("BATCH_RUN_AZ does not name az")
    more = {
        "PATH": os.pathsep.join((str(Path(program).parent), reader.ground.environ["PATH"])),
        "AZURE_CONFIG_DIR": str(reader.ground.folder / "azure"),
        "AZURE_CORE_COLLECT_TELEMETRY": "0",
    }
    with reader.ground.serving(START):
        said = reader.ground.type_in(reader.take(), **more)
    assert "\nhello from pool-az\n" in said
    assert said.endswith("\nsaid.txt\n")


def use_batch_run(reader: Reader) -> None:
    shutil.copytree(ROOT / "workloads", reader.ground.folder / "workloads")
    with reader.ground.serving(START):
        reader.ground.type_in(reader.take())
    assert len([*(reader.ground.folder / "results" / "topwords" / "output").iterdir()]) == 3


def use_tokens(reader: Reader) -> None:
    start = reader.take()
    reader.save()
    with reader.ground.serving(start):
        count, word = reader.ground.type_in(reader.take()).split()
    assert word == "images"
    assert int(count) > 0


def use_it_in_tests(reader: Reader) -> None:
    reader.save()
    reader.save()
    assert "1 passed" in reader.ground.type_in(reader.take())
    start, announce = (
        step["run"] for step in yaml.safe_load(reader.take("yaml").text)["steps"] if "run" in step
    )
    # The first one needs the network, and there is nothing of ours in it but the URL.
    assert start.startswith("pip install git+https://github.com/OWNER/NAME")
    variables = reader.ground.folder / "github"
    process = reader.ground.open_shell(announce, GITHUB_ENV=str(variables))
    try:
        assert process.wait(timeout=90) == 0
        environ = dict(line.split("=", 1) for line in variables.read_text().splitlines())
        assert {*environ} == {
            "AZURE_BATCH_ENDPOINT",
            "AZURE_BATCH_ACCOUNT",
            "AZURE_BATCH_ACCESS_KEY",
            "AZURE_STORAGE_CONNECTION_STRING",
        }
        (reader.ground.folder / "emulator.env").unlink()
        for section in SECTIONS:
            for block in section.blocks:
                if block.name in {"hello.py", "blobs.py"}:
                    reader.ground.save(block)
        said = reader.ground.type_in("python hello.py; python blobs.py", **environ)
        assert said == "hello from pool\nhello\n"
    finally:
        end_group(process)


def inject_a_fault(reader: Reader) -> None:
    start = reader.take()
    reader.save()
    with reader.ground.serving(start):
        first, shown = reader.ground.type_in(reader.take()).split("\n", 1)
    assert first == "5 tasks"
    (rule,) = json.loads(shown)["rules"]
    assert (rule["chances"], rule["strikes"]) == (3, 2)
    (reader.ground.folder / "emulator.env").unlink()
    guide = next(section for section in SECTIONS if section.place == "emulator.md#use-it-in-tests")
    reader.ground.save(guide.blocks[0])
    reader.save()
    assert "1 passed" in reader.ground.type_in(reader.take())


def run_without_processes(reader: Reader) -> None:
    start = reader.take()
    reader.save()
    with reader.ground.serving(start):
        succeeded, _, failed, _ = reader.ground.type_in(reader.take()).split()
    assert int(succeeded) + int(failed) == 500
    assert 0 < int(failed) < 50


OPEN_CLIENT = """
import os
from azure.batch import BatchClient, models
from azure.core.credentials import AzureNamedKeyCredential
key = AzureNamedKeyCredential(
    os.environ["AZURE_BATCH_ACCOUNT"], os.environ["AZURE_BATCH_ACCESS_KEY"]
)
client = BatchClient(os.environ["AZURE_BATCH_ENDPOINT"], key)
"""


def ask(ground: Ground, line: str) -> str:
    """What one line of Python prints, which has a client."""
    (ground.folder / "ask.py").write_text(OPEN_CLIENT + line)
    return ground.type_in("python ask.py")


def keep_what_it_holds(reader: Reader) -> None:
    start = reader.take()
    ground = reader.ground
    with ground.serving(start) as process:
        ask(
            ground,
            "client.create_job(models.BatchJobCreateOptions("
            "id='kept', pool_info=models.BatchPoolInfo(pool_id='pool')))",
        )
        key = (ground.folder / "emulator.env").read_text()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    with ground.serving(start):
        assert (ground.folder / "emulator.env").read_text() == key
        assert ask(ground, "print(client.get_job('kept').state)").endswith("ACTIVE\n")


def give_faults(reader: Reader) -> None:
    start, rules = reader.take(), reader.take("json")
    (reader.ground.folder / "faults.json").write_text(rules.text)
    shown = []
    for each in (start, reader.take()):
        with reader.ground.serving(each):
            answer = reader.ground.type_in("curl -sf http://127.0.0.1:8080/.emulator/faults")
            shown.append(json.loads(answer))
    assert shown[0] == shown[1]
    assert shown[0]["seed"] == 7
    assert len(shown[0]["rules"]) == 3


def change_faults(reader: Reader) -> None:
    with reader.ground.serving(START):
        said = reader.ground.type_in(reader.take())
    none, added, taken, instead, last = read_all_json(said)
    assert none["rules"] == last["rules"] == []
    assert added["rules"] == [taken]
    assert taken["fault"] == "reset=after"
    assert [rule["fault"] for rule in instead["rules"]] == ["503"]


def let_time_pass(reader: Reader) -> None:
    with reader.ground.serving(reader.take()):
        before, after = read_all_json(reader.ground.type_in(reader.take()))
        assert {*before} == {"mode", "now", "next"}
        assert before["now"][:10] < after["now"][:10]
        reader.save()
        succeeded, _, failed, _ = reader.ground.type_in(reader.take()).split()
    # Those of the last minutes are still at work when the last hour is over.
    assert 3_300 < int(succeeded) + int(failed) <= 3_360
    assert 20 < int(failed) < 150


def lay_out_applications(reader: Reader) -> None:
    lines = [line.split(maxsplit=1)[0] for line in reader.take("").text.splitlines()]
    archive, default, _ = (reader.ground.folder / "state" / line for line in lines)
    archive.parent.mkdir(parents=True)
    shutil.make_archive(str(archive.with_suffix("")), "zip", JAVASCRIPT)
    default.write_text("4.2\n")
    start = Block(language="sh", text=START.text.replace(" > ", " --data state > "))
    with reader.ground.serving(start):
        assert (
            ask(reader.ground, "print(client.get_application('blender').versions)") == "['4.2']\n"
        )


def have_several_accounts(reader: Reader) -> None:
    with reader.ground.serving(reader.take()):
        names = reader.ground.type_in("env | grep -o '^AZURE_[A-Z_]*' | sort").split()
    of_batch = ("AZURE_BATCH_ACCESS_KEY", "AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ENDPOINT")
    of_storage = "AZURE_STORAGE_CONNECTION_STRING"
    assert {*names} == {
        *(name + end for name in of_batch for end in ("", "_SECOND", "_THIRD")),
        *(of_storage + end for end in ("", "_FILES")),
    }


def serve_https(reader: Reader) -> None:
    count = "print(sum(1 for _ in client.list_supported_images()))"
    with reader.ground.serving(reader.take()):
        assert (reader.ground.folder / "state" / "tls").is_dir()
        assert int(ask(reader.ground, count)) > 0
    if shutil.which("openssl") is None:
        pytest.skip("openssl is not installed")
    (reader.ground.folder / "emulator.env").unlink()
    reader.ground.type_in(reader.take())
    with reader.ground.serving(reader.take()):
        assert int(ask(reader.ground, count)) > 0


def look_into_state(reader: Reader) -> None:
    command = reader.take()
    if shutil.which("sqlite3") is None:
        pytest.skip("sqlite3 is not installed")
    start = Block(language="sh", text=START.text.replace(" > ", " --data state > "))
    with reader.ground.serving(start):
        ask(
            reader.ground,
            "client.create_job(models.BatchJobCreateOptions("
            "id='j', pool_info=models.BatchPoolInfo(pool_id='pool')));"
            "client.create_task('j', models.BatchTaskCreateOptions(id='t', command_line='true'))",
        )
        assert reader.ground.type_in(command).strip().endswith("|active")


def record_requests(reader: Reader) -> None:
    start, look, line = reader.take(), reader.take(), json.loads(reader.take("json").text)
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    refused = f"curl -s -X POST -H 'Content-Type: application/json' -d '{json.dumps(line['body'])}'"
    with reader.ground.serving(start):
        url = f"http://127.0.0.1:8080{line['path']}?api-version=2025-06-01"
        reader.ground.type_in(f"{refused} '{url}' > answer")
        assert reader.ground.type_in(look) == ""
    (found,) = read_all_json((reader.ground.folder / "requests.jsonl").read_text())
    assert {*found} == {*line}
    same = ("service", "account", "method", "path", "query")
    assert {name: found[name] for name in same} == {name: line[name] for name in same}


def read_all_json(text: str) -> list[Any]:
    """JSON documents one after another."""
    decoder, found, place = json.JSONDecoder(), [], 0
    while text[place:].strip():
        place += len(text[place:]) - len(text[place:].lstrip())
        document, place = decoder.raw_decode(text, place)
        found.append(document)
    return found


def look_at_the_page(reader: Reader) -> None:
    with reader.ground.serving(reader.take()):
        address = reader.ground.type_in(reader.take()).rstrip("\n")
        with urlopen(address) as page:
            assert b"<title>Azure Batch emulator</title>" in page.read()


def read_data_of_the_page(reader: Reader) -> None:
    with reader.ground.serving(reader.take()):
        overview = json.loads(reader.ground.type_in(reader.take()))
    assert [each["account"] for each in overview["batch"]] == ["localbatch"]


STORIES: dict[str, Callable[[Reader], None]] = {
    "emulator.md#start-it": start_it,
    "emulator.md#the-page": look_at_the_page,
    "emulator.md#python-azure-batch-15": use_azure_batch_15,
    "emulator.md#python-azure-batch-14": use_azure_batch_14,
    "emulator.md#javascript-azurebatch": use_javascript,
    "emulator.md#az": use_az,
    "emulator.md#batch-run": use_batch_run,
    "emulator.md#with-tls-and-an-access-token": use_tokens,
    "emulator.md#use-it-in-tests": use_it_in_tests,
    "emulator.md#inject-a-fault": inject_a_fault,
    "emulator.md#run-without-processes-in-virtual-time": run_without_processes,
    "emulator.md#keep-what-it-holds": keep_what_it_holds,
    "emulator-faults.md#faults": give_faults,
    "emulator-faults.md#the-rules-of-a-running-emulator": change_faults,
    "emulator-faults.md#modelled-tasks-and-time": let_time_pass,
    "emulator-reference.md#application-packages": lay_out_applications,
    "emulator-reference.md#several-accounts": have_several_accounts,
    "emulator-reference.md#tls": serve_https,
    "emulator-reference.md#state-on-disk": look_into_state,
    "emulator-reference.md#the-record-of-requests": record_requests,
    "emulator-reference.md#the-data-of-the-page": read_data_of_the_page,
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("section", SECTIONS, ids=lambda section: section.place)
def test_the_section_holds(section: Section, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    assert section.place in STORIES, f"nothing runs the blocks of {section.place}"
    reader = Reader(blocks=[*section.blocks], ground=make_ground(tmp_path), config=pytestconfig)
    STORIES[section.place](reader)
    assert reader.blocks == []


def test_every_story_has_its_section() -> None:
    assert {section.place for section in SECTIONS} == {*STORIES}
