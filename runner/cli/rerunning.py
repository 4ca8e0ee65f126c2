"""What earlier runs over the same output directory mean for one that begins, or is taken up again.

It opens what they have left and says what is not done again; it must not know how a run is driven.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from runner.cli.world import World
from runner.connect import Services, choose_target
from runner.frozen import dataclass
from runner.plan.input_digests import ListBlobs
from runner.plan.model import Plan, StoredBlob
from runner.run.records.record import RunRecord
from runner.run.results.deciding import Verdict
from runner.run.results.decisions import Decisions
from runner.run.results.evidence import Evidence, Place, gather_evidence
from runner.run.results.lock_file import LOCK_FILE
from runner.run.results.locking import LockWriter, open_lock, reopen_lock
from runner.run.results.rerun import judge, recall, settle
from runner.run.results.results_store import (
    ResultsStore,
    open_results,
    read_last_run,
    read_results,
    results_folder,
)
from runner.run.results.rivals import broken_off_notes, check_left, check_newer
from runner.run.results.settled import Settled
from runner.run.services import Blobs
from runner.spec.model.terms import Role

Stored = Mapping[Role, Sequence[StoredBlob]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun:
    """A run that begins over an output directory which is its own for as long as it goes."""

    plan: Plan
    place: Place
    store: ResultsStore
    evidence: Evidence
    verdict: Verdict

    @property
    def settled(self) -> Settled:
        """The tasks that are not to be run."""
        return settle(self.evidence, self.verdict)

    def notes(self) -> Iterator[str]:
        """Lines about the run before this one, where that was broken off."""
        return broken_off_notes(self.store.last_run, self.place.working_directory)

    @contextmanager
    def begin(self, directory: Path) -> Iterator[LockWriter]:
        """Writes the lock file of the run's directory, and goes on with it."""
        self.store.begin(self.plan.run_id, self.place.output_directory)
        with open_lock(
            directory, self.evidence, self.verdict, self.store, place=self.place
        ) as lock:
            yield lock


@contextmanager
def open_rerun(
    plan: Plan,
    place: Place,
    *,
    stored: Stored | None,
    list_blobs: ListBlobs | None,
    force: bool,
    only: str | None,
) -> Iterator[Rerun]:
    """Compares a plan with what is in its output directory, which no other run may use meanwhile.

    Raises `OutputInUseError` where one does, or was left to do so, and `UsageError` for what `only`
    cannot mean.
    """
    name = plan.workload.name
    folder = results_folder(place.working_directory, place.output_directory, name)
    with open_results(folder, place.output_directory) as store:
        check_left(name, place.working_directory, place.output_directory)
        evidence = gather_evidence(plan, store.index, place, stored=stored, list_blobs=list_blobs)
        verdict = judge(
            evidence,
            force=force,
            only=only,
            last_run=store.last_run,
            working_directory=place.working_directory,
        )
        evidence.files.save()
        yield Rerun(plan=plan, place=place, store=store, evidence=evidence, verdict=verdict)


@contextmanager
def open_resumed(
    plan: Plan,
    record: RunRecord,
    directory: Path,
    settled: Settled,
    *,
    list_left: ListBlobs | None,
) -> Iterator[LockWriter]:
    """The lock file of a run that is taken up again; `settled` learns what it had left out.

    `list_left` lists what its tasks have left in containers of the service. Raises
    `NewerResultsError` where what is not home yet would replace what a later run has left.
    """
    place = Place(
        working_directory=directory.parents[2],
        output_directory=Path(record.output_directory),
        target=record.target,
        began=record.created,
    )
    folder = results_folder(place.working_directory, place.output_directory, plan.workload.name)
    with open_results(folder, place.output_directory) as store:
        evidence = gather_evidence(
            plan, store.index, place, stored=None, list_blobs=None, list_left=list_left
        )
        recall(settled, directory, place.output_directory)
        if not settled.is_complete:
            check_newer(record, store.index, place.working_directory)
        store.begin(plan.run_id, place.output_directory)
        if (directory / LOCK_FILE).exists():
            with reopen_lock(directory, evidence, store, place=place) as lock:
                yield lock
        else:
            verdict = Verdict.of_all(Decisions(len(plan.tasks)))
            with open_lock(directory, evidence, verdict, store, place=place) as lock:
                yield lock


def list_where_there(blobs: Blobs) -> ListBlobs:
    """Lists blobs of containers; one that does not exist has none."""

    def list_blobs(container: str, prefix: str) -> Iterable[StoredBlob]:
        return blobs.list_blobs(container, prefix) if blobs.has_container(container) else ()

    return list_blobs


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDecisions:
    """What a run would do with the tasks of a plan; people are told where there is a choice."""

    for_data: Decisions
    for_people: Decisions | None


def decide_for_plan(
    plan: Plan,
    arguments: argparse.Namespace,
    world: World,
    *,
    stored: Stored | None = None,
    list_blobs: ListBlobs | None = None,
) -> PlanDecisions:
    """What a run of the same command line would do; nothing is written, and nothing is held."""
    name = plan.workload.name
    output_directory = world.working_directory / (arguments.output or Path("results") / name)
    place = Place(
        working_directory=world.working_directory,
        output_directory=output_directory,
        target=choose_target(arguments.target, world.environ).target,
        began=world.clock.now(),
    )
    folder = results_folder(place.working_directory, output_directory, name)
    with closing(read_results(folder)) as index:
        evidence = gather_evidence(plan, index, place, stored=stored, list_blobs=list_blobs)
        decisions = judge(
            evidence,
            force=arguments.force,
            only=arguments.only,
            last_run=read_last_run(folder),
            working_directory=place.working_directory,
        ).decisions
        is_choice = len(index) > 0 or arguments.force or arguments.only is not None
    return PlanDecisions(for_data=decisions, for_people=decisions if is_choice else None)


class LazyServices:
    """The services of a target, opened when somebody first asks them for something."""

    def __init__(self, open_services: Callable[[], Services], stack: ExitStack) -> None:
        """They are closed with the `stack`."""
        self._open_services = open_services
        self._stack = stack
        self.services: Services | None = None

    def open(self) -> Services:
        """The services; raises what opening them does."""
        if self.services is None:
            self.services = self._stack.enter_context(self._open_services())
        return self.services

    def list_blobs(self, container: str, prefix: str) -> Iterable[StoredBlob]:
        """The blobs of a container; one that does not exist has none."""
        return list_where_there(self.open().blobs)(container, prefix)
