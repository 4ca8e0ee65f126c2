"""What becomes of blobs with time, and over a restart."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

import pytest

from runner.emulator.blob.service import BlobService
from tests.unit.emulator.blob.wire import (
    ACCOUNT,
    START,
    Answer,
    Wire,
    make_request,
    read_answer,
    sign_request,
)

LEASE = "11111111-2222-3333-4444-555555555555"
B = "/localstorage/box/b"


def lease(wire: Wire, action: str, **headers: str) -> Answer:
    named = {f"x-ms-{name.replace('_', '-')}": value for name, value in headers.items()}
    return wire.ask("PUT", B, "comp=lease", headers={"x-ms-lease-action": action, **named})


def test_a_lease_runs_out_and_a_write_ends_it(wire: Wire) -> None:
    wire.put("b")
    lease(wire, "acquire", lease_duration="15", proposed_lease_id=LEASE)
    assert wire.put("b").code == "LeaseIdMissing"

    wire.now = START + timedelta(seconds=15)
    expired = wire.ask("HEAD", B).headers["x-ms-lease-state"]
    renewed = lease(wire, "renew", lease_id=LEASE).status
    wire.now += timedelta(seconds=15)
    written = wire.put("b").status
    lost = lease(wire, "renew", lease_id=LEASE).code

    assert (expired, renewed, written) == ("expired", 200, 201)
    assert lost == "LeaseIdMismatchWithLeaseOperation"
    assert wire.ask("HEAD", B).headers["x-ms-lease-state"] == "available"


def test_a_blob_takes_its_time_out_of_the_archive(tmp_path: Path) -> None:
    wire = Wire(directory=tmp_path / "blob")
    wire.service = BlobService(
        account=ACCOUNT,
        endpoint="http://127.0.0.1:1/localstorage",
        directory=tmp_path / "slow",
        clock=lambda: wire.now,
        rehydration_delay=timedelta(hours=1),
    )
    wire.ask("PUT", "/localstorage/box", "restype=container")
    wire.put("b", access_tier="Archive")

    moved = wire.ask("PUT", B, "comp=tier", headers={"x-ms-access-tier": "Cool"})
    pending = wire.ask("HEAD", B).headers
    read = wire.ask("GET", B)
    elsewhere = wire.ask("PUT", B, "comp=tier", headers={"x-ms-access-tier": "Hot"})
    listed = wire.ask("GET", "/localstorage/box", "restype=container&comp=list")
    wire.now = START + timedelta(hours=1)
    done = wire.ask("HEAD", B).headers

    assert moved.status == 202
    assert pending["x-ms-access-tier"] == "Archive"
    assert pending["x-ms-archive-status"] == "rehydrate-pending-to-cool"
    assert pending["x-ms-rehydrate-priority"] == "Standard"
    assert (read.code, elsewhere.code) == ("BlobArchived", "BlobBeingRehydrated")
    status = listed.text("Blobs/Blob/Properties/ArchiveStatus")
    assert status == "rehydrate-pending-to-cool"
    assert (done["x-ms-access-tier"], "x-ms-archive-status" in done) == ("Cool", False)
    assert wire.ask("GET", B).body == b"content"


@pytest.mark.parametrize("query", ["", "comp=metadata", "comp=properties", "comp=tags"])
def test_a_snapshot_cannot_be_changed(wire: Wire, query: str) -> None:
    wire.put("b", b"old")
    taken = wire.ask("PUT", B, "comp=snapshot").headers["x-ms-snapshot"]

    answer = wire.ask(
        "PUT",
        B,
        f"{query}&snapshot={taken}".lstrip("&"),
        headers={"x-ms-blob-type": "BlockBlob"},
        body=b"new",
    )

    assert (answer.status, answer.code) == (400, "InvalidQueryParameterValue")
    assert wire.ask("GET", B, f"snapshot={taken}").body == b"old"


def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    """Settings, policies, leases, snapshots, tags, tiers, append blobs, in new processes."""
    settings = (
        b"<StorageServiceProperties><DefaultServiceVersion>2020-02-10</DefaultServiceVersion>"
        b"</StorageServiceProperties>"
    )
    policy = (
        b"<SignedIdentifiers><SignedIdentifier><Id>p</Id><AccessPolicy><Permission>r</Permission>"
        b"</AccessPolicy></SignedIdentifier></SignedIdentifiers>"
    )
    block, append = {"x-ms-blob-type": "BlockBlob"}, {"x-ms-blob-type": "AppendBlob"}
    acquire = {
        "x-ms-lease-action": "acquire",
        "x-ms-lease-duration": "-1",
        "x-ms-proposed-lease-id": LEASE,
    }
    box, log = "/localstorage/box", "/localstorage/box/log"

    async def play(*asked: tuple[str, str, str, dict[str, str], bytes]) -> list[Answer]:
        service = BlobService(
            account=ACCOUNT,
            endpoint="http://127.0.0.1:1/localstorage",
            directory=tmp_path,
            clock=lambda: START,
            keep=True,
        )
        try:
            answers = []
            for method, path, query, headers, body in asked:
                request = make_request(method, path, query, headers=headers, body=body)
                answers.append(
                    await read_answer(await service.handle(sign_request(request, START)))
                )
            return answers
        finally:
            service.close()

    first = asyncio.run(
        play(
            ("PUT", "/localstorage/", "restype=service&comp=properties", {}, settings),
            ("PUT", box, "restype=container", {}, b""),
            ("PUT", box, "restype=container&comp=acl", {"x-ms-blob-public-access": "blob"}, policy),
            ("PUT", B, "", {**block, "x-ms-tags": "a=1", "x-ms-access-tier": "Cool"}, b"old"),
            ("PUT", B, "comp=snapshot", {}, b""),
            ("PUT", B, "", {**block, "x-ms-tags": "a=2"}, b"new"),
            ("PUT", B, "comp=lease", acquire, b""),
            ("PUT", log, "", append, b""),
            ("PUT", log, "comp=appendblock", {}, b"one "),
            ("PUT", log, "comp=appendblock", {}, b"two "),
            ("PUT", "/localstorage/box/copy", "", {"x-ms-copy-source": f"http://127.0.0.1:1{log}"},
             b""),
        )
    )  # fmt: skip
    assert all(answer.status < 300 for answer in first), first
    snapshot = first[4].headers["x-ms-snapshot"]

    again = asyncio.run(
        play(
            ("GET", "/localstorage/", "restype=service&comp=properties", {}, b""),
            ("GET", box, "restype=container&comp=acl", {}, b""),
            ("GET", B, f"snapshot={snapshot}", {}, b""),
            ("HEAD", B, "", {}, b""),
            ("PUT", B, "", block, b"other"),
            ("PUT", log, "comp=appendblock", {}, b"three"),
            ("GET", log, "", {}, b""),
            ("GET", "/localstorage/box/copy", "", {}, b""),
            ("GET", box, "restype=container&comp=list&include=snapshots,tags", {}, b""),
        )
    )

    assert again[0].text("DefaultServiceVersion") == "2020-02-10"
    assert again[1].headers["x-ms-blob-public-access"] == "blob"
    assert again[1].text("SignedIdentifier/Id") == "p"
    assert again[2].body == b"old"
    assert again[3].headers["x-ms-lease-state"] == "leased"
    assert again[4].code == "LeaseIdMissing"
    assert again[5].headers["x-ms-blob-committed-block-count"] == "3"
    assert (again[6].body, again[7].body) == (b"one two three", b"one two ")
    assert again[8].texts("Blobs/Blob/Name") == ["b", "b", "copy", "log"]
    assert again[8].texts("Blobs/Blob/Tags/TagSet/Tag/Value") == ["1", "2"]
    assert again[8].texts("Blobs/Blob/Properties/AccessTier") == ["Cool", "Hot"]
