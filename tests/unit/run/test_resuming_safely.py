"""Runs that are taken up again under odd circumstances: nothing of worth is taken away."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from runner.errors import (
    ExitCode,
    ServiceRefusedError,
    ServiceUnreachableError,
    TransferError,
)
from runner.plan.model import LOGS
from runner.run.holding import TakenOverError
from runner.run.records.past import read_past
from runner.run.records.record_blob import RECORD_BLOB
from runner.run.results.settled import HomeOutput
from runner.run.services import Expiry, JobState, TaskRequest
from runner.spec.model.pool import FixedNodes
from runner.spec.model.terms import Role
from tests.fakes.plans import RUN, SPEC, spec_of
from tests.fakes.services import NOW, TaskEnd
from tests.fakes.stage import Stage
from tests.unit.run.pools.test_making import with_tool
from tests.unit.run.test_resuming import FILES, GATHER

KEPT = SPEC.replace("nodes: {dedicated: 1}", "nodes: {dedicated: 1}\n  keep: 1h")
EXISTING = SPEC[: SPEC.index("pool:")] + "pool: {existing: farm}\n" + SPEC[SPEC.index("task:") :]
MAP = """\
task:
  for_each: input
  command: cat {{ file.path }} > {{ file.stem }}.out
  outputs: [{pattern: "{{ file.stem }}.out", to: output}]
"""
LATER = f"batch-run resume {RUN} goes on with it, batch-run clean {RUN} takes it away"
QUOTA = (
    "the empty pool costs nothing, but counts towards the quota of pools until"
    " az batch pool delete --pool-id"
)


def never(task: TaskRequest) -> TaskEnd | None:
    return None


def well(task: TaskRequest) -> TaskEnd | None:
    return TaskEnd()


def only_first(task: TaskRequest) -> TaskEnd | None:
    return TaskEnd() if task.id == "0001" else None


def refuse(stage: Stage, operation: str, error: BaseException) -> None:
    """From here on the Batch service answers so."""

    def fail(asked: str) -> None:
        if asked == operation:
            raise error

    stage.batch.fail = fail


def answer(stage: Stage) -> None:
    """From here on the services do what they are asked."""
    stage.batch.fail = lambda operation: None
    stage.blobs.fail = lambda operation, name: None
    stage.batch.log.clear()
    stage.blobs.log.clear()


def interrupt_once_told(stage: Stage) -> None:
    """Ctrl-C as soon as a task is told finished."""

    def stop(operation: str) -> None:
        if operation == "look" and stage.of_type("task.finished"):
            stage.stop.request()

    stage.batch.fail = stop


def detached(folder: Path, spec: str = SPEC, files: tuple[str, ...] = ("a.txt", "b.txt")) -> Stage:
    """A run whose client has left; its tasks are at work."""
    stage = Stage(folder, spec, files)
    if spec == EXISTING:
        stage.batch.pools.add("farm")
    stage.batch.end = never
    assert stage.execute(detach=True).detached
    answer(stage)
    return stage


def end_all(stage: Stage) -> None:
    """All tasks end well in the service, and the job with them."""
    stage.batch.end = well
    list(stage.batch.task_changes(RUN, None))
    stage.batch.job_state = JobState.COMPLETED
    stage.batch.log.clear()


def cut_short(folder: Path, spec: str) -> Stage:
    """A run whose client has died in its cleanup, with everything at home."""
    stage = Stage(folder, spec)
    refuse(stage, "delete job", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        stage.execute()
    answer(stage)
    return stage


def left_pool(stage: Stage) -> str:
    (why,) = [each["why"] for each in stage.left() if each["kind"] == "pool"]
    assert isinstance(why, str)
    return why


def test_a_pool_that_is_kept_for_other_runs_outlasts_every_end(tmp_path: Path) -> None:
    stage = cut_short(tmp_path, KEPT)
    (pool,) = stage.batch.pools
    stage.batch.expiries.clear()

    assert stage.resume().exit_code is ExitCode.SUCCESS

    assert stage.batch.pools == {pool}
    assert "delete pool" not in stage.batch.log
    (expiry,) = stage.batch.expiries
    assert expiry == (pool, FixedNodes(dedicated=1, spot=0), stage.clock.now() + timedelta(hours=1))
    assert left_pool(stage) == (
        "1 node of Standard_D2s_v5 (1 node-hour an hour) until"
        f" {expiry[2]:%Y-%m-%dT%H:%M:%SZ}, then none; {QUOTA} {pool} removes it"
    )


def test_a_kept_pool_without_nodes_gets_none_for_an_end(tmp_path: Path) -> None:
    stage = cut_short(tmp_path, KEPT)
    (pool,) = stage.batch.pools
    stage.batch.target_nodes = 0

    assert stage.resume().exit_code is ExitCode.SUCCESS

    assert stage.batch.expiries[-1][1] == FixedNodes(dedicated=0, spot=0)
    assert left_pool(stage) == f"it has no nodes; {QUOTA} {pool} removes it"


def test_an_end_that_is_over_is_let_be(tmp_path: Path) -> None:
    stage = cut_short(tmp_path, KEPT)
    (pool,) = stage.batch.pools
    stage.batch.target_nodes = 0
    stage.batch.expiry = Expiry(size=FixedNodes(dedicated=1, spot=0), at=NOW + timedelta(hours=1))
    stage.clock.passed += 7_200

    assert stage.resume().exit_code is ExitCode.SUCCESS

    assert stage.batch.expiries == []
    assert left_pool(stage) == f"it has no nodes; {QUOTA} {pool} removes it"


def test_who_only_brings_results_home_wakes_no_nodes(tmp_path: Path) -> None:
    stage = detached(tmp_path, KEPT)
    end_all(stage)
    stage.batch.target_nodes = 0
    stage.batch.expiries.clear()
    stage.batch.pool_requests.clear()

    assert stage.resume().exit_code is ExitCode.SUCCESS

    assert stage.report.succeeded == 2
    assert not {"create pool", "create job", "find node agent"} & set(stage.batch.log)
    assert {expiry[1] for expiry in stage.batch.expiries} == {FixedNodes(dedicated=0, spot=0)}
    assert left_pool(stage).startswith("it has no nodes; ")


def test_a_slow_way_home_wakes_no_nodes_either(tmp_path: Path) -> None:
    stage = detached(tmp_path, KEPT)
    end_all(stage)
    stage.batch.target_nodes = 0
    stage.batch.expiries.clear()

    def wait(operation: str) -> None:
        if operation == "look":
            stage.clock.passed += 600

    stage.batch.fail = wait
    assert stage.resume().exit_code is ExitCode.SUCCESS
    assert {expiry[1] for expiry in stage.batch.expiries} == {FixedNodes(dedicated=0, spot=0)}


def test_a_run_goes_on_in_the_pool_that_it_had(tmp_path: Path) -> None:
    """Whatever has become of the files that its start task was made of."""
    stage = Stage(tmp_path, plan=with_tool(tmp_path, "one"))
    stage.batch.end = never
    assert stage.execute(detach=True).detached
    pools = set(stage.batch.pools)
    (tmp_path / "tool.sh").write_text("two")
    answer(stage)
    stage.batch.end = well

    assert stage.resume().exit_code is ExitCode.SUCCESS

    assert stage.batch.pools == pools
    assert "create pool" in stage.batch.log
    assert {each["name"] for each in stage.left()} == pools


def test_results_come_home_though_the_pool_is_gone(tmp_path: Path) -> None:
    stage = detached(tmp_path, EXISTING)
    end_all(stage)
    stage.batch.pools.discard("farm")

    assert stage.resume().exit_code is ExitCode.SUCCESS

    home = tmp_path / "results" / "output"
    assert sorted(path.name for path in home.iterdir()) == ["a.out", "b.out"]
    assert stage.names_left() == set()


def test_a_job_without_its_pool_is_not_taken_away(tmp_path: Path) -> None:
    stage = detached(tmp_path, EXISTING)
    stage.batch.pools.discard("farm")
    before = stage.names_left()

    outcome = stage.resume()

    assert outcome.exit_code is ExitCode.USAGE
    assert outcome.error is not None
    assert outcome.error.message.endswith(": pool-missing: there is no pool `farm`")
    assert stage.names_left() == before
    assert {(each["kind"], each["why"], each["kept"]) for each in stage.left()} == {
        ("job", LATER, True),
        ("container", LATER, True),
    }
    assert read_past(stage.directory, stage.plan).goes_on
    stage.batch.pools.add("farm")
    stage.batch.end = well
    assert stage.resume().exit_code is ExitCode.SUCCESS
    assert stage.names_left() == {"farm"}
    assert not read_past(stage.directory, stage.plan).goes_on


def test_a_refusal_takes_nothing_from_a_run_that_works(tmp_path: Path) -> None:
    stage = detached(tmp_path)
    before = stage.names_left()

    def fail(operation: str, name: str) -> None:
        if operation == "list containers":
            raise ServiceRefusedError("not authorised", code="AuthorizationFailure")

    stage.blobs.fail = fail
    outcome = stage.resume()

    assert outcome.exit_code is ExitCode.SERVICE
    assert stage.names_left() == before
    assert not {"delete job", "terminate job", "delete pool"} & set(stage.batch.log)
    assert [(each["kind"], each["why"]) for each in stage.left()] == [
        ("job", LATER),
        ("pool", LATER),
        *[("container", LATER)] * 3,
    ]


def test_an_input_that_is_missing_takes_nothing_from_tasks_at_work(tmp_path: Path) -> None:
    files = tuple(f"f{number:03}.txt" for number in range(150))
    stage = Stage(tmp_path, SPEC, files)
    stage.batch.end = never
    tries: list[int] = []

    def refuse_second(requests: object) -> None:
        tries.append(1)
        if len(tries) > 1:
            raise ServiceUnreachableError("out of reach")

    stage.batch.refuse_tasks = refuse_second
    assert stage.execute().exit_code is ExitCode.SERVICE
    stage.batch.refuse_tasks = lambda requests: None
    at_work = set(stage.batch.requests)
    assert at_work
    for content in stage.blobs.containers.values():
        content.pop("f149.txt", None)
    answer(stage)

    def fail(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith("f149.txt"):
            raise TransferError("cannot read `f149.txt`: no such file or directory")

    stage.blobs.fail = fail
    before = stage.names_left()
    outcome = stage.resume()

    assert outcome.error is not None
    assert outcome.error.message == "cannot read `f149.txt`: no such file or directory"
    assert stage.names_left() == before
    assert at_work <= set(stage.batch.requests)


def test_a_file_that_other_tasks_need_and_is_gone_takes_nothing(tmp_path: Path) -> None:
    stage = detached(tmp_path, GATHER, FILES)
    past = read_past(stage.directory, stage.plan)
    past.settled.skip(1)
    gone = tmp_path / "results" / "output" / "a.out"
    past.settled.keep_output(HomeOutput(Role("output"), "a.out", gone))

    def fail(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith("output/a.out"):
            raise TransferError(f"cannot read `{gone}`: no such file or directory")

    stage.blobs.fail = fail
    before = stage.names_left()
    stage.events.clear()
    outcome = stage.execute(past=past)

    assert outcome.exit_code is ExitCode.SERVICE
    assert stage.names_left() == before
    assert {each["why"] for each in stage.left()} == {LATER}


def test_nodes_that_were_asked_for_get_an_end_where_the_run_breaks_off(tmp_path: Path) -> None:
    stage = detached(tmp_path, KEPT)
    stage.batch.expiries.clear()
    refuse(stage, "list task ids", ServiceRefusedError("not now", code="Conflict"))

    assert stage.resume().exit_code is ExitCode.SERVICE

    duration = stage.plan.workload.limits.duration
    (expiry,) = stage.batch.expiries
    assert expiry[1:] == (
        FixedNodes(dedicated=1, spot=0),
        stage.clock.now() + duration + timedelta(hours=1),
    )


def test_what_has_ended_in_a_pool_that_is_lost_comes_home_first(tmp_path: Path) -> None:
    stage = detached(tmp_path)
    stage.batch.end = only_first
    list(stage.batch.task_changes(RUN, None))
    stage.batch.job_problem = "AllocationFailed: no such machines here"

    outcome = stage.resume()

    assert outcome.error is not None
    assert outcome.error.message == (
        "spec.yaml:10:10: refused: the service cannot make the job's pool: AllocationFailed: no"
        " such machines here"
    )
    assert [event["task"] for event in stage.of_type("task.finished")] == ["0001"]
    assert (tmp_path / "results" / "output" / "a.out").is_file()
    assert stage.batch.job is None


def test_an_outage_before_the_record_is_up_again_costs_no_run(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GATHER, FILES)
    stage.batch.end = only_first
    interrupt_once_told(stage)
    assert stage.execute(holder="me").exit_code is ExitCode.INTERRUPTED
    answer(stage)
    stage.batch.end = well

    def fail(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith(RECORD_BLOB):
            raise ServiceUnreachableError("storage is out of reach")

    stage.blobs.fail = fail
    assert stage.resume(holder="me").exit_code is ExitCode.SERVICE
    assert {each["name"] for each in stage.left()} > set(stage.blobs.containers)
    answer(stage)

    assert stage.resume(holder="me").exit_code is ExitCode.SUCCESS
    assert stage.report.succeeded == 4
    assert stage.names_left() == set()


def test_the_record_is_up_before_anything_else_is(tmp_path: Path) -> None:
    stage = Stage(tmp_path, GATHER, FILES)
    stage.batch.end = only_first
    interrupt_once_told(stage)
    assert stage.execute(holder="me").exit_code is ExitCode.INTERRUPTED
    answer(stage)
    stage.batch.end = well

    def fail(operation: str, name: str) -> None:
        if operation == "upload" and name.endswith("output/a.out"):
            raise ServiceUnreachableError("storage is out of reach")

    stage.blobs.fail = fail
    assert stage.resume(holder="me").exit_code is ExitCode.SERVICE
    uploads = [line for line in stage.blobs.log if line.startswith("upload ")]
    assert uploads[0] == f"upload {RUN}-{LOGS}/{RECORD_BLOB}"
    answer(stage)

    assert stage.resume(holder="me").exit_code is ExitCode.SUCCESS
    assert stage.names_left() == set()


def test_nothing_is_made_beside_the_cleanup_of_another_client(tmp_path: Path) -> None:
    stage = Stage(tmp_path)
    stage.batch.end = never
    assert stage.execute(detach=True, holder="me").detached
    stage.blobs.containers.clear()
    stage.batch.job_state = JobState.DELETING
    answer(stage)

    outcome = stage.resume(holder="me")

    assert isinstance(outcome.error, TakenOverError)
    assert outcome.error.message == (
        f"job `{RUN}` and the run's record in storage are gone: another client has ended the run"
    )
    assert "create job" not in stage.batch.log
    assert stage.blobs.containers == {}


def interrupted_by_end(folder: Path, spec: str, end: TaskEnd) -> Stage:
    """A run whose first task has ended its job, and that Ctrl-C met right then."""
    stage = Stage(folder, spec, FILES)
    stage.batch.end = lambda task: end if task.id == "0001" else None
    interrupt_once_told(stage)
    assert stage.execute().exit_code is ExitCode.INTERRUPTED
    answer(stage)
    stage.batch.end = well
    return stage


@pytest.mark.parametrize(
    ("spec", "end", "word"),
    [
        (spec_of(MAP, job="  on_failure: stop\n"), TaskEnd(exit_code=3), "failed"),
        (
            spec_of(f"{MAP}  exit_rules: [{{codes: [0], job: terminate}}]\n"),
            TaskEnd(),
            "succeeded",
        ),
    ],
)
def test_a_run_that_a_task_has_ended_is_not_begun_anew(
    tmp_path: Path, spec: str, end: TaskEnd, word: str
) -> None:
    stage = interrupted_by_end(tmp_path, spec, end)

    outcome = stage.resume()

    assert outcome.exit_code is ExitCode.TASKS_FAILED
    assert outcome.error is not None
    assert outcome.error.message == (
        f"task `0001` (a.txt) {word} and ended the job, as the spec asks: 2 of 3 tasks never ran"
    )
    assert not {"create job", "add tasks"} & set(stage.batch.log)
    assert stage.names_left() == set()


@pytest.mark.parametrize(
    ("error", "goes"),
    [
        (ServiceRefusedError("the key was rotated", code="AuthenticationFailed"), False),
        (None, True),
    ],
)
def test_a_container_that_was_there_before_stays_where_the_run_may_go_on(
    tmp_path: Path, error: Exception | None, goes: bool
) -> None:
    container = "{name: mine, download: true, delete: after-run, if_not_empty: keep}"
    stage = Stage(tmp_path, SPEC.replace("output: {download: true}", f"output: {container}"))
    stage.blobs.containers["mine"] = {}
    stage.batch.end = well if error is None else only_first

    def fail(operation: str) -> None:
        if error is not None and operation == "look" and stage.of_type("task.finished"):
            raise error

    stage.batch.fail = fail
    stage.execute()
    assert ("mine" in stage.blobs.containers) is not goes
    if goes:
        return
    (left,) = [each for each in stage.left() if each["name"] == "mine"]
    assert left["why"] == "it was there before the run"
    answer(stage)
    stage.batch.end = well
    assert stage.resume().exit_code is ExitCode.SUCCESS
    assert stage.report.succeeded == 2
    assert stage.names_left() == set()
