"""Replays recordings and tells every difference.

It must not know which differences are excused.
"""

from __future__ import annotations

import re
from collections import defaultdict
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from tests.conformance.recordings.comparison import Counterparts, Difference, compare
from tests.conformance.recordings.driving import Emulator
from tests.conformance.recordings.reading import Exchange, Recording
from tests.conformance.recordings.scenarios import NOT_SENT, scenario_of, spoken_version

_LONG_ENOUGH = timedelta(seconds=3)


@dataclass(frozen=True, slots=True, kw_only=True)
class Replay:
    """What came of one recording."""

    source: str
    compared: int
    differences: tuple[Difference, ...]


async def replay(recording: Recording, directory: Path) -> Replay:
    """Asks the emulator what the client asked the service, in order."""
    emulator = Emulator(recording, directory)
    await emulator.service.start()
    try:
        await _prepare(emulator, recording.source)
        emulator.stage.hold()
        counterparts = Counterparts(shared=_shared_etags(recording))
        differences: list[Difference] = []
        compared = 0
        for exchange in recording.exchanges:
            if (exchange.source, exchange.number) in NOT_SENT:
                continue
            query = _query(exchange)
            await emulator.reach(exchange, query)
            answer = await emulator.replay(exchange, query)
            differences += compare(exchange, answer, counterparts)
            compared += 1
    finally:
        await emulator.service.close()
    return Replay(source=recording.source, compared=compared, differences=tuple(differences))


def _shared_etags(recording: Recording) -> frozenset[str]:
    """The ETags that several entities have."""
    owners: defaultdict[str, set[str]] = defaultdict(set)
    for exchange in recording.exchanges:
        body = exchange.body or {}
        for entity in body.get("value", [body]):
            if isinstance(entity, dict) and "eTag" in entity:
                owners[entity["eTag"]].add(entity.get("url") or entity["location"])
    return frozenset(etag for etag, urls in owners.items() if len(urls) > 1)


async def _prepare(emulator: Emulator, source: str) -> None:
    scenario = scenario_of(source)
    for identifier, version in scenario.applications:
        emulator.add_application(identifier, version)
    for kind, bodies in (("pools", scenario.pools), ("jobs", scenario.jobs)):
        for body in bodies:
            answer = await emulator.ask("POST", f"/{kind}", body=body)
            assert answer.status == 201, answer
    if scenario.settled:
        emulator.clock.move(_LONG_ENOUGH)
        await emulator.ask("GET", "/pools")


def _query(exchange: Exchange) -> str:
    return re.sub(
        r"(?<=api-version=)[0-9.-]+", lambda found: spoken_version(found[0]), exchange.query
    )
