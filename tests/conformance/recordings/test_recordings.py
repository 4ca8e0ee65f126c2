"""The recorded requests of the real service, asked of the emulator."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.conformance.recordings.exceptions import judge
from tests.conformance.recordings.reading import PATH, read_recordings
from tests.conformance.recordings.replaying import replay
from tests.conformance.recordings.scenarios import NOT_SENT

pytestmark = pytest.mark.skipif(not PATH.is_file(), reason=f"the recordings are not at {PATH}")


def test_every_recorded_answer_is_given(tmp_path: Path) -> None:
    recordings = read_recordings()
    replays = [
        asyncio.run(replay(recording, tmp_path / str(number)))
        for number, recording in enumerate(recordings)
    ]
    verdict = judge(difference for each in replays for difference in each.differences)

    assert not verdict.open, "\n".join(map(str, verdict.open))
    assert not verdict.idle
    recorded = sum(len(recording.exchanges) for recording in recordings)
    assert sum(each.compared for each in replays) == recorded - len(NOT_SENT)


def test_what_is_not_sent_is_recorded() -> None:
    recorded = {
        (exchange.source, exchange.number)
        for recording in read_recordings()
        for exchange in recording.exchanges
    }
    assert NOT_SENT.keys() <= recorded
