"""One run against fake services, on a clock that only waiting moves."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from runner.plan.model import Plan
from runner.plan.prices.node_price import NodePrice
from runner.report.fold import Report
from runner.run.asking import Options, Outcome
from runner.run.clock import Clock
from runner.run.events import Event
from runner.run.execute import Run
from runner.run.records.journal import Journal
from runner.run.records.past import Past, read_past
from runner.run.records.redaction import Redaction
from runner.run.removal.cleanup import Keep
from runner.run.results.settled import Settled
from runner.run.spending.budget import Budget
from runner.run.stop import Stop
from runner.spec.model.terms import SecretName
from tests.fakes.plans import RUN, SPEC, make_plan
from tests.fakes.services import NOW, FakeBatch, FakeBlobs


class MovedClock:
    """Time passes only by waiting, at once."""

    def __init__(self) -> None:
        self.passed = 0.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.passed)

    def wait(self, stop: Stop, seconds: float) -> None:
        self.passed += seconds
        stop.wait(0.001)

    def clock(self) -> Clock:
        return Clock(now=self.now, monotonic=lambda: self.passed, wait=self.wait)


class Stage:
    """One run against fakes, and what came of it."""

    def __init__(
        self,
        folder: Path,
        spec: str = SPEC,
        files: tuple[str, ...] = ("a.txt", "b.txt"),
        *,
        plan: Plan | None = None,
    ) -> None:
        self.folder = folder
        self.plan = make_plan(folder, spec, files) if plan is None else plan
        self.blobs = FakeBlobs()
        self.batch = FakeBatch(self.blobs)
        self.events: list[dict[str, Any]] = []
        self.report = Report()
        self.directory = folder / "run"
        self.directory.mkdir()
        self.stop = Stop()
        self.journal: Journal | None = None
        self.services_ended: str | None = None
        self.clock = MovedClock()
        self.run: Run | None = None
        self.told: list[str] = []
        self.secrets: dict[SecretName, str] = {}

    def hear(self, event: Event, line: bytes) -> None:
        self.events.append(json.loads(line))
        self.report.add(event)

    def execute(
        self,
        *,
        keep: frozenset[Keep] = frozenset(),
        outlives: bool = True,
        all_logs: bool = False,
        detach: bool = False,
        past: Past | None = None,
        settled: Settled | None = None,
        holder: str | None = None,
        price: NodePrice | None = None,
        budget: Budget | None = None,
        job_time: timedelta | None = None,
    ) -> Outcome:
        clock = self.clock.clock()
        journal = Journal(
            self.directory,
            run=RUN,
            clock=clock.now,
            listener=self.hear,
            redaction=Redaction(self.secrets.values()),
        )
        self.journal = journal
        run = Run(
            self.plan,
            Options(
                target="azure",
                outlives_client=outlives,
                output_directory=self.folder / "results",
                keep=keep,
                all_logs=all_logs,
                detach=detach,
                price=price,
                job_time=job_time,
            ),
            batch=self.batch,
            blobs=self.blobs,
            journal=journal,
            clock=clock,
            stop=self.stop,
            secrets=self.secrets,
            services_ended=lambda: self.services_ended,
            tell=self.told.append,
            past=past,
            settled=settled,
            holder=holder,
            budget=budget,
        )
        self.run = run
        try:
            return run.execute()
        finally:
            journal.close()

    def resume(self, **options: Any) -> Outcome:
        """Takes the run up again, by what its directory says; only new events are kept."""
        self.events.clear()
        self.stop = Stop()
        return self.execute(past=read_past(self.directory, self.plan), **options)

    def of_type(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == name]

    def left(self) -> list[dict[str, Any]]:
        (cleanup,) = self.of_type("cleanup.finished")
        return list(cleanup["left"])

    def names_left(self) -> set[str]:
        """What the services have: the job, pools and containers."""
        job = set() if self.batch.job is None else {self.batch.job.id}
        return job | self.batch.pools | set(self.blobs.containers)

    def failures(self) -> dict[str, tuple[str, str]]:
        """Cause and message of each task that did not succeed."""
        return {
            event["task"]: (event["cause"], event["message"])
            for event in self.of_type("task.finished")
            if not event["succeeded"]
        }
