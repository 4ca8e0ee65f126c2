"""What the real service has refused is shown at the line of a spec that would have asked for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from runner.remote.faults import Origin, refusal
from runner.remote.wire_places import finder, pool_sections
from runner.remote.wire_pool import pool_body
from runner.run.refusals import show_place
from runner.spec.document import read_document
from runner.spec.messages import render_problem
from runner.spec.model.pool import CustomImage, Network, PublicAddresses
from runner.spec.problem import SpecRefusedError
from tests.conformance.recordings.reading import PATH, read_recordings
from tests.unit.remote.samples import AGENT, POOL, POOL_REQUEST

pytestmark = pytest.mark.skipif(not PATH.is_file(), reason=f"the recordings are not at {PATH}")

ORIGIN = Origin(service="Azure Batch", endpoint="https://batch.eastus.batch.azure.com")
SPEC = """\
pool:
  image: {id: IMAGE, node_agent: AGENT}
  network: {subnet: SUBNET}
"""


def refused() -> dict[str, tuple[dict[str, object], str]]:
    """Each recorded refusal of a pool, by the property that it names, with that one's value."""
    found = {}
    for recording in read_recordings():
        for exchange in recording.exchanges:
            if exchange.status == 400 and exchange.body["code"] == "InvalidPropertyValue":
                values = {each["key"]: each["value"] for each in exchange.body["values"]}
                found[values["PropertyName"]] = exchange.body, values["PropertyValue"]
    return found


@pytest.mark.parametrize(
    ("name", "line", "key"), [("virtualMachineImageId", 2, "image"), ("subnetId", 3, "subnet")]
)
def test_recorded_refusals_are_shown_at_their_lines(name: str, line: int, key: str) -> None:
    model, value = refused()[name]
    pool = replace(
        POOL,
        image=CustomImage(id=value, node_agent=AGENT),
        network=Network(
            subnet=value,
            public_addresses=PublicAddresses.BATCH,
            accelerated=False,
            pointer=("pool", "network"),
        ),
    )
    request = replace(POOL_REQUEST, pool=pool)
    place = finder(pool_body(request), pool_sections(request))
    document, _ = read_document("spec.yaml", SPEC.encode())
    assert document is not None

    error = refusal(
        ORIGIN, "create pool `p`", str(model["code"]), "words", model=model, place=place
    )
    shown = show_place(error, document)

    assert isinstance(shown, SpecRefusedError)
    lines = render_problem(shown.problem).splitlines()
    assert lines[0].startswith(f"spec.yaml:{line}:")
    assert f"refused: Azure Batch refused `{name}: {value}`: The specified " in lines[0]
    assert lines[0].endswith(" (InvalidPropertyValue)")
    assert key in lines[1]
    assert set(lines[2].strip()) == {"^"}
