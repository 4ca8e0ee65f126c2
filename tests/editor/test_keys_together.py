"""Which keys go together, and which do not, as an editor tells it."""

from __future__ import annotations

import pytest

from tests.editor.conftest import ROOT
from tests.editor.language_server import LanguageServer

SPEC = """\
# yaml-language-server: $schema=../schema/workload.schema.json
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
pool:
  image: ubuntu 24.04
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
task:
  for_each: {list: [a, b]}
  command: echo {{ item }}
"""


def complaints(server: LanguageServer, name: str, text: str) -> list[str]:
    uri = (ROOT / "workloads" / f"together-{name}.yaml").as_uri()
    server.open(uri, text)
    return [each["message"] for each in server.diagnostics(uri)]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("", "", []),
        ("task:\n", "tasks: {a: {command: b}}\ntask:\n", ["Matches multiple schemas"]),
        ("task:\n", "tusk:\n", ["Missing property", "tusk is not allowed"]),
        ("input: {", "input: {existing: abc, ", ["upload is not allowed"]),
        ("  nodes: {dedicated: 2}\n", "", ["Missing property"]),
        ("  nodes: {", "  autoscale: {formula: a}\n  nodes: {", ["Matches multiple schemas"]),
        ("ubuntu 24.04", "{publisher: a, offer: b}", ['Missing property "sku"']),
        ("ubuntu 24.04", "{id: a, node_agent: b}", []),
        ("{list: [a, b]}", "{list: [a, b], rows: a.csv}", ["Matches multiple schemas"]),
        (
            "{list: [a, b]}",
            "{list: [a, b], chunk: 2}",
            ["missing property files required by property chunk"],
        ),
        ("{list: [a, b]}", "{matrix: {a: [1, 2], b: {range: {from: 1, to: 2}}}}", []),
    ],
)
def test_what_does_not_go_together_is_underlined(
    server: LanguageServer, old: str, new: str, said: list[str], request: pytest.FixtureRequest
) -> None:
    assert not old or SPEC.count(old) == 1
    name = str(request.node.callspec.indices["old"])
    found = complaints(server, name, SPEC.replace(old, new) if old else SPEC)
    assert len(found) == len(said), found
    for message, part in zip(sorted(found), sorted(said), strict=True):
        assert part in message
