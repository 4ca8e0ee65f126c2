"""What somebody sees who writes a spec in an editor with the YAML language server."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runner.spec.bundled import bundled
from runner.spec.document import Pointer, read_document
from runner.spec.validation.schema import SCHEMA_PARTS
from tests.e2e.conftest import COMMAND
from tests.editor.conftest import ROOT
from tests.editor.language_server import LanguageServer

SCHEMA: dict[str, Any] = json.loads(bundled(*SCHEMA_PARTS).read_bytes())
SCHEMA_OF_NAME = SCHEMA["properties"]["name"]
SPECS = sorted((ROOT / "workloads").glob("*.yaml"))
HEADER = "# yaml-language-server: $schema=../schema/workload.schema.json\n"
SPEC = f"""\
{HEADER}version: 1
name: demo
parameters:
  nodes: {{type: integer, default: 5}}
containers:
  input: {{upload: [{{from: data}}]}}
pool:
  image: {{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}}
  vm_size: Standard_D2s_v5
  nodes: {{dedicated: 2}}
  task_slots_per_node: 2
task:
  for_each: input
  command: cat {{{{ file.path }}}}
  retries: 1
"""


class Editor:
    """An editor in which one new file below `workloads/` is written."""

    def __init__(self, server: LanguageServer, name: str, text: str) -> None:
        self.server = server
        self.text = text
        self.uri = (ROOT / "workloads" / f"{name}.yaml").as_uri()
        server.open(self.uri, text)

    def complaints(self) -> list[tuple[str, str]]:
        """The text that is underlined, and what is said of it."""
        lines = self.text.splitlines()
        found = []
        for each in self.server.diagnostics(self.uri):
            start, end = each["range"]["start"], each["range"]["end"]
            assert start["line"] == end["line"]
            marked = lines[start["line"]][start["character"] : end["character"]]
            found.append((marked, each["message"]))
        return found

    def hover(self, pointer: Pointer) -> str:
        """What is shown for a key, without the escapes of Markdown."""
        document, _ = read_document("spec.yaml", self.text.encode())
        assert document is not None
        start = document.key_span(pointer).start
        # The second character: the first one belongs to the value above it as well.
        shown = self.server.hover(self.uri, start.line - 1, start.column)
        return re.sub(r"\\(?=[^\w\s])", "", shown)

    def complete_at_end(self) -> list[str]:
        """What can be put in behind the text."""
        lines = self.text.split("\n")
        return self.server.complete(self.uri, len(lines) - 1, len(lines[-1]))


def properties(*path: str) -> dict[str, Any]:
    """The keys that the schema has for a mapping, with what it says of each."""
    schema = SCHEMA
    for name in path:
        schema = schema["properties"][name]
        while "$ref" in schema and "properties" not in schema:
            schema = SCHEMA["$defs"][schema["$ref"].rpartition("/")[2]]
    found: dict[str, Any] = schema["properties"]
    return found


@pytest.mark.parametrize("path", SPECS, ids=lambda path: path.stem)
def test_the_examples_are_clean_and_have_the_schema(server: LanguageServer, path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert text.startswith(HEADER)
    server.open(path.as_uri(), text)
    assert server.diagnostics(path.as_uri()) == []
    shown = server.hover(path.as_uri(), text.splitlines().index("version: 1"), 0)
    assert properties()["version"]["description"] in shown


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ("retries: 1", "retrys: 1", ("retrys", "Property retrys is not allowed.")),
        ("name: demo", "nam: demo\nname: demo", ("nam", "Property nam is not allowed.")),
        ("dedicated: 2", "dedicated: many", ("many", 'Incorrect type. Expected "integer".')),
        ("retries: 1", "retries: 500", ("500", "Value is above the maximum of 100.")),
        ("name: demo", "name: Demo", ("Demo", SCHEMA_OF_NAME["patternErrorMessage"])),
    ],
    ids=["key-below", "key-above", "type", "bound", "pattern"],
)
def test_a_mistake_is_underlined_at_its_place(
    server: LanguageServer,
    old: str,
    new: str,
    complaint: tuple[str, str],
    request: pytest.FixtureRequest,
) -> None:
    assert SPEC.count(old) == 1
    editor = Editor(server, f"mistake-{request.node.callspec.id}", SPEC.replace(old, new))
    ((marked, said),) = editor.complaints()
    assert (marked, said) == complaint


def test_expressions_may_stand_for_numbers_booleans_and_choices(server: LanguageServer) -> None:
    text = SPEC.replace("dedicated: 2", 'dedicated: "{{ parameters.nodes }}"')
    text = text.replace("node: 2", 'node: "{{ parameters.nodes }}"')
    text = text.replace("retries: 1", 'retries: "{{ parameters.nodes }}"\n  timeout: "{{ 3 }}m"')
    text = text.replace("{upload", '{download: "{{ true }}", delete: "{{ \'never\' }}", upload')
    assert text.count("{{") == 7
    assert Editor(server, "expressions", text).complaints() == []


@pytest.mark.parametrize(
    ("written", "path"),
    [("", ()), ("pool:\n  ", ("pool",)), ("task:\n  ", ("task",))],
    ids=["top", "pool", "task"],
)
def test_completion_lists_the_keys_of_the_schema(
    server: LanguageServer, written: str, path: tuple[str, ...], request: pytest.FixtureRequest
) -> None:
    editor = Editor(server, f"completion-{request.node.callspec.id}", HEADER + written)
    # A label with the title or the name of a schema puts in all keys that must be there at once.
    keys = [
        label
        for label in editor.complete_at_end()
        if SCHEMA["title"] not in label and label != "step"
    ]
    assert keys == list(properties(*path))


def test_completion_offers_the_values_of_a_choice(server: LanguageServer) -> None:
    offered = Editor(server, "choice", f"{SPEC}  print: ").complete_at_end()
    assert {"none", "stdout"} <= set(offered)


def keys_written() -> Iterator[tuple[str, ...]]:
    document, _ = read_document("spec.yaml", SPEC.encode())
    assert document is not None
    for name, value in document.data.items():
        yield (name,)
        if name in {"pool", "task"}:
            yield from ((name, below) for below in value)


def test_hovering_over_a_key_shows_its_description(server: LanguageServer) -> None:
    editor = Editor(server, "hover", SPEC)
    pointers = list(keys_written())
    assert len(pointers) == 13
    for pointer in pointers:
        wanted = properties(*pointer[:-1])[pointer[-1]]["description"]
        assert wanted in editor.hover(pointer), pointer


@pytest.mark.parametrize("options", [(), ("--schema",)], ids=["installed", "beside"])
def test_a_new_spec_is_clean_wherever_it_is(
    server: LanguageServer, tmp_path: Path, options: tuple[str, ...]
) -> None:
    folder = tmp_path / "my specs é"
    folder.mkdir()
    spec = folder / "demo.yaml"
    subprocess.run([COMMAND, "new", "demo", *options], cwd=folder, check=True, capture_output=True)
    text = spec.read_text(encoding="utf-8")
    server.open(spec.as_uri(), text)
    assert server.diagnostics(spec.as_uri()) == []
    shown = server.hover(spec.as_uri(), text.splitlines().index("version: 1"), 0)
    assert properties()["version"]["description"] in shown
