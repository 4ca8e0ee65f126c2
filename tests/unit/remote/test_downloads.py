"""Blobs on their way into streams that are not plain files."""

from __future__ import annotations

import os
from contextlib import closing
from pathlib import Path

from runner.remote.contents import Contents
from runner.remote.downloads import PIECE_BYTES, Download
from runner.remote.endurance import Patience
from runner.remote.lanes import LANES, Lanes
from runner.remote.retrying import PatientPolicy
from runner.remote.transport import open_transport
from runner.remote.trouble import Trouble
from runner.run.records.redaction import Redaction
from tests.unit.remote.stub import Canned, Pauses, Seen, Stub
from tests.unit.remote.test_blobs import md5_of, serve


def test_a_long_log_comes_clean_while_others_have_all_buffers(
    stub: Stub, pauses: Pauses, tmp_path: Path
) -> None:
    """What takes secrets out cannot go back within a log, as where a piece breaks off."""
    secret = b"sesame, open"
    content = bytearray(os.urandom(PIECE_BYTES // 1024) * 2048 + b"tail")
    content[PIECE_BYTES - 5 : PIECE_BYTES - 5 + len(secret)] = secret
    content[-len(secret) :] = secret
    whole = serve(bytes(content), md5=md5_of(bytes(content)))
    broken = serve(bytes(content), cut=2)
    ranges: list[str] = []

    def answer(seen: Seen) -> Canned:
        ranges.append(seen.headers["x-ms-range"])
        return (broken if len(ranges) == 2 else whole)(seen)

    stub.answer(answer)
    trouble = Trouble("Blob Storage", pauses.endurance())
    contents = Contents(
        stub.endpoint,
        api_version="2025-01-05",
        transport=open_transport(stub.endpoint, Patience()),
        patience=PatientPolicy(trouble),
        access=lambda _: "sig=x",
    )
    target = tmp_path / "stdout.txt"

    with closing(Lanes(1)) as lanes:
        for _ in range(LANES):
            lanes.take()
        with target.open("wb") as file, Redaction([secret.decode()]).cleaning(file) as clean:
            done = Download(
                contents,
                "logs",
                "a",
                clean,
                lanes=lanes,
                trouble=trouble,
                check=lambda: None,
            ).run()

    size, end = len(content), 2 * PIECE_BYTES
    assert done.size_bytes == size
    assert target.read_bytes() == bytes(content).replace(secret, b"REDACTED")
    assert ranges == [
        f"bytes=0-{PIECE_BYTES - 1}",
        f"bytes={PIECE_BYTES}-{end - 1}",
        f"bytes={end - 262_144}-{end - 1}",  # the part that was not whole
        f"bytes={end}-{size - 1}",
    ]
