"""What a run can be compared with: its tasks as they are now, and what earlier runs have left.

It must not know what is decided by it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from runner.frozen import dataclass
from runner.plan.file_digests import FileDigests
from runner.plan.identity import Identities
from runner.plan.input_digests import InputDigests, ListBlobs
from runner.plan.model import Plan, StoredBlob
from runner.run.results.keeping import Keeping
from runner.run.results.results_index import ResultsIndex
from runner.run.results.results_store import DIGESTS
from runner.spec.model.terms import Role

LOCAL = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run works: the folder it was started in, the target, and where its files go.

    `began` is when; what changes later is not what its tasks were given.
    """

    working_directory: Path
    output_directory: Path
    target: str
    began: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """All that a decision is made from."""

    plan: Plan
    index: ResultsIndex
    inputs: InputDigests
    identities: Identities
    keeping: Keeping
    files: FileDigests


def gather_evidence(
    plan: Plan,
    index: ResultsIndex,
    place: Place,
    *,
    stored: Mapping[Role, Sequence[StoredBlob]] | None,
    list_blobs: ListBlobs | None,
    list_left: ListBlobs | None = None,
) -> Evidence:
    """The evidence for a plan as `expand` has made it, before it was given a storage account.

    `stored` is what was listed for the plan, `list_blobs` asks the service for more. `list_left`
    asks for what tasks have left alone, where it is too late to ask for what they were given.
    """
    is_local = place.target == LOCAL
    now_ns = int(place.began.timestamp() * 1e9)
    files = FileDigests(place.working_directory / DIGESTS, now_ns=now_ns)
    inputs = InputDigests(
        plan,
        files,
        is_local=is_local,
        stored=stored,
        list_blobs=list_blobs,
        since=place.began,
    )
    return Evidence(
        plan=plan,
        index=index,
        inputs=inputs,
        identities=Identities(plan, inputs, target=place.target),
        keeping=Keeping(
            plan,
            files,
            output_directory=place.output_directory,
            is_local=is_local,
            list_blobs=list_left or list_blobs,
        ),
        files=files,
    )
