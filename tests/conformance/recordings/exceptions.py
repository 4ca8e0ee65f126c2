"""The differences that stay, each with its reason: a closed list, of which none may be idle.

It must not know how differences are found.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum
from fnmatch import fnmatchcase

from tests.conformance.recordings.comparison import Difference, Kind


class Why(Enum):
    """Why the emulator does not answer as it is recorded."""

    IMAGES = "the list of images is of its day; those that both have are compared"
    OLD_VERSION = (
        "recorded in a version before 2020-03-01.11.0, replayed in that one: the service changed"
        " its defaults in between"
    )
    LAGGING_COUNTS = "the service's counts lag behind its tasks; the emulator's are exact"
    CERTIFICATES = "the folders of certificates are gone with the certificates"
    LOGS = "how many logs an agent has is the agent's affair; the emulator has one"
    PROXY = "the proxy that made the recording replaced the address, or wrote the type anew"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Excuses differences of a kind at a place: `source` is a pattern of file names, `where` a
    regular expression of the whole place.
    """

    why: Why
    source: str
    kind: Kind
    where: str
    numbers: frozenset[int] | None = None
    recorded: object = None
    """The recorded value, where only that one is excused."""

    def excuses(self, difference: Difference) -> bool:
        """Whether the difference is one of these."""
        return (
            difference.kind is self.kind
            and fnmatchcase(difference.source, f"*{self.source}")
            and (self.numbers is None or difference.number in self.numbers)
            and re.fullmatch(self.where, difference.where) is not None
            and self.recorded in (None, difference.recorded)
        )


_TASKS = "python-tasks-2018/*"
_FILES = "test_batch_files.yaml"
_IMAGE = r"\$\.value\.<\S+ \S+ \S+>"
# The recordings whose names end so were made by a proxy that rewrites what it sees.
_PROXIED = ".json"
_UNLIMITED = "P10675199DT2H48M5.4775807S"
_TASK = r"\$(\.value\[\d+\])?"

RULES: tuple[Rule, ...] = (
    Rule(why=Why.IMAGES, source="*", kind=Kind.MISSING, where=_IMAGE),
    Rule(why=Why.IMAGES, source="*", kind=Kind.EXTRA, where=_IMAGE),
    Rule(
        why=Why.IMAGES,
        source="*",
        kind=Kind.VALUE,
        where=rf"{_IMAGE}\.verificationType",
        recorded="unverified",
    ),
    Rule(why=Why.IMAGES, source="*", kind=Kind.EXTRA, where=rf"{_IMAGE}\.batchSupportEndOfLife"),
    Rule(
        why=Why.OLD_VERSION,
        source=_TASKS,
        kind=Kind.VALUE,
        where=rf"{_TASK}\.constraints\.retentionTime",
        recorded=_UNLIMITED,
    ),
    Rule(
        why=Why.OLD_VERSION,
        source=_TASKS,
        kind=Kind.EXTRA,
        where=rf"{_TASK}\.userIdentity\.autoUser\.scope",
    ),
    Rule(
        why=Why.OLD_VERSION,
        source=_TASKS,
        kind=Kind.MISSING,
        where=r"\$\.validationStatus",
        recorded="Validated",
    ),
    Rule(
        why=Why.LAGGING_COUNTS,
        source=_TASKS,
        kind=Kind.VALUE,
        where=r"\$\.active",
        numbers=frozenset({14}),
    ),
    Rule(
        why=Why.CERTIFICATES,
        source=_FILES,
        kind=Kind.MISSING,
        where=r"\$\.value\.<(workitems/batch/job-1/test_task/)?certs>",
        numbers=frozenset({16, 20}),
    ),
    Rule(
        why=Why.LOGS,
        source="test_batch_compute_nodes.yaml",
        kind=Kind.VALUE,
        where=r"\$\.numberOfFilesUploaded",
        numbers=frozenset({4}),
    ),
    Rule(
        why=Why.PROXY,
        source=_PROXIED,
        kind=Kind.VALUE,
        where="header content-type",
        recorded="application/json; odata=minimalmetadata",
    ),
    Rule(
        why=Why.PROXY,
        source=_PROXIED,
        kind=Kind.VALUE,
        where="header location",
        recorded="https://example.com",
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What is left when the rules are applied."""

    excused: tuple[tuple[Difference, Why], ...]
    open: tuple[Difference, ...]
    idle: tuple[Rule, ...]
    """Rules that excuse nothing: what they are about is mended, and they have to go."""


def judge(differences: Iterable[Difference], rules: Sequence[Rule] = RULES) -> Verdict:
    """Sorts differences into those that a rule excuses and those that none does."""
    excused: list[tuple[Difference, Why]] = []
    left: list[Difference] = []
    used: set[int] = set()
    for difference in differences:
        found = next((n for n, rule in enumerate(rules) if rule.excuses(difference)), None)
        if found is None:
            left.append(difference)
        else:
            used.add(found)
            excused.append((difference, rules[found].why))
    idle = tuple(rule for number, rule in enumerate(rules) if number not in used)
    return Verdict(excused=tuple(excused), open=tuple(left), idle=idle)
