"""Why a task is where it is, from facts alone, to the letter."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from runner.plan.model import TaskId
from runner.report.explanation import Facts, Inputs, Kind, Needed, Service, State
from runner.report.explanation_as_text import explanation_as_json, explanation_as_text
from runner.report.fold import Report, fold
from runner.report.pace import Pace
from runner.report.reasons import explain
from runner.run.events import (
    Event,
    JobCreated,
    NodeChanged,
    PoolChanged,
    RunFinished,
    RunStarted,
    StartTaskFailed,
    TaskRetried,
)
from runner.run.records.standing import Standing
from runner.run.services import (
    JobState,
    JobStatus,
    NodeStatus,
    PoolStatus,
    TaskCounts,
    TaskState,
    TaskStatus,
)
from tests.fakes.ends import end_of

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
BEGUN = RunStarted(workload="demo", target="azure", tasks=9, files=4, bytes=9)
JOB = JobCreated(job="demo-1", pool="p")
RESIZING = PoolChanged(
    pool="p",
    allocation="resizing",
    dedicated=0,
    spot=0,
    target_dedicated=3,
    target_spot=0,
    errors=(),
)
FACTS = Facts(
    run="demo-1",
    task="0003",
    step="convert",
    item="c.txt",
    standing=Standing.DRIVEN,
    report=Report(),
    now=NOW,
    is_added=True,
)
ACTIVE = JobStatus(state=JobState.ACTIVE, pool_id="p", terminate_reason=None, problem=None)
POOL = PoolStatus(
    state="active",
    allocation_state="steady",
    dedicated_nodes=2,
    spot_nodes=0,
    target_dedicated_nodes=2,
    target_spot_nodes=0,
    resize_errors=(),
)
TASK = TaskStatus(
    id=TaskId("0003"),
    state=TaskState.ACTIVE,
    changed=NOW,
    node_id=None,
    started=None,
    ended=None,
    exit_code=None,
    succeeded=None,
    retry_count=0,
    failure=None,
)
END = end_of(
    "0003",
    item="c.txt",
    node="n1",
    succeeded=False,
    exit_code=7,
    started=NOW,
    ended=NOW + timedelta(seconds=75),
    retries=1,
    cause="FailureExitCode",
    message="The task exited with an exit code representing a failure",
    stderr_tail="no\n\x1b[2Jreally",
    attempts=2,
)


def node(name: str, state: str, *errors: str) -> NodeStatus:
    return NodeStatus(
        id=name, state=state, start_task_exit_code=None, start_task_failure=None, errors=errors
    )


def begun(*events: Event) -> Report:
    return fold([BEGUN, *events])


def shown(facts: Facts) -> list[str]:
    return explanation_as_text(explain(facts)).splitlines()


def waiting(facts: Facts) -> list[str]:
    first, *rest = shown(facts)
    assert first == "task 0003 (c.txt) of step convert: waiting"
    return rest


def test_a_run_that_has_not_begun() -> None:
    assert waiting(FACTS) == [
        "  the run has not begun: the services have not answered, or its inputs are read",
        "    hint: `batch-run status` says how the run stands",
    ]


def test_inputs_that_are_still_going_up() -> None:
    facts = replace(
        FACTS,
        is_added=False,
        report=begun(),
        inputs=Inputs(count=5, first=("a.txt", "b.txt", "c\n.txt")),
    )
    assert waiting(facts) == [
        "  it is not added yet: 5 input files of its own are not up (0 of 4 of the run are)",
        "    a.txt",
        "    b.txt",
        "    c\\n.txt",
        "    and 2 more",
    ]


def test_a_task_that_is_not_added_though_its_files_are_up() -> None:
    facts = replace(FACTS, is_added=False, report=begun(), inputs=Inputs(count=0, first=()))
    assert waiting(facts)[0] == (
        "  it is not added yet: tasks are added in order, as their files are up, and those of a"
        " canary before all others"
    )


def test_a_chain_of_tasks_that_it_needs() -> None:
    last = Needed(task="0001", item="", state="runs")
    facts = replace(FACTS, report=begun(), needed=(last,))
    assert waiting(facts) == [
        "  it waits for task 0001, which runs",
        "    hint: `batch-run explain 0001` says what holds that one",
    ]
    between = tuple(Needed(task=f"001{n}", item="x", state="has not begun") for n in range(6))
    assert waiting(replace(facts, needed=(*between, last), named=" demo-1")) == [
        "  it waits for task 0010, and in the end for task 0001, which runs",
        "    task 0010 (x) has not begun",
        "    task 0011 (x) has not begun",
        "    task 0012 (x) has not begun",
        "    task 0013 (x) has not begun",
        "    ... 2 between ...",
        "    task 0001 runs",
        "    hint: `batch-run explain 0001 demo-1` says what holds that one",
    ]


def test_a_pool_without_nodes() -> None:
    facts = replace(FACTS, report=begun(JOB, RESIZING), pool_since=NOW - timedelta(minutes=3))
    assert waiting(facts) == [
        "  no node yet: the pool is resizing since 2026-01-02T03:01:05Z, with 0 of 3 nodes"
    ]
    assert waiting(replace(facts, report=begun(JOB))) == [
        "  no node yet: nothing was seen of the pool"
    ]


@pytest.mark.parametrize(
    ("code", "advice"),
    [
        ("AccountCoreQuotaReached", "ask for fewer nodes or a smaller VM size, or ask for more"),
        ("ImageNotFound", "`az batch pool supported-images list` shows the images"),
        ("AllocationFailed", "the region may be out of such machines"),
    ],
)
def test_a_resize_that_failed_says_what_that_means(code: str, advice: str) -> None:
    failed = replace(RESIZING, allocation="steady", errors=(f"{code}: the service's words",))
    words, hint = waiting(replace(FACTS, report=begun(JOB, failed)))
    assert words == f"  the pool has 0 of 3 nodes: {code}: the service's words"
    assert hint.startswith(f"    hint: {advice}")


def test_nodes_that_start_and_what_their_start_task_prints() -> None:
    service = Service(
        job=ACTIVE,
        task=TASK,
        pool=POOL,
        nodes=(node("n1", "waitingforstarttask"), node("n2", "creating")),
        start_logs={"n1": ("apt-get update", "Reading package lists...")},
    )
    facts = replace(
        FACTS,
        report=begun(JOB, RESIZING),
        service=service,
        has_start_task=True,
        node_since={"n1": NOW},
    )
    assert waiting(facts) == [
        (
            "  no node takes tasks yet: 1 creating, 1 waitingforstarttask; the start task runs"
            " there first"
        ),
        "    node n1: waitingforstarttask since 2026-01-02T03:04:05Z",
        "        apt-get update",
        "        Reading package lists...",
        "    node n2: creating",
        "    hint: `batch-run logs --start-task` shows all of it",
    ]


def test_a_start_task_that_failed() -> None:
    failed = StartTaskFailed(node="n1", exit_code=100, message=None, stderr_tail="E: no\n")
    lost = NodeChanged(node="n1", state="starttaskfailed", previous=None)
    assert waiting(replace(FACTS, report=begun(JOB, RESIZING, lost, failed))) == [
        "  the start task failed on 1 of 1 node (exit code 100)",
        "    E: no",
        "    hint: mend it; `batch-run logs --start-task` shows all that it printed",
    ]


def test_nodes_that_are_broken() -> None:
    nodes = (node("n1", "unusable", "DiskFull: no room"), node("n2", "offline"))
    service = Service(job=ACTIVE, task=TASK, pool=POOL, nodes=nodes)
    assert waiting(replace(FACTS, report=begun(JOB), service=service)) == [
        "  no node takes tasks: 1 offline, 1 unusable of 2 nodes",
        "    node n1: DiskFull: no room",
        "    hint: look at the image, the VM size, and the rules of a subnet of your own",
    ]


def test_a_start_task_that_failed_before_anybody_has_seen_it_but_the_service() -> None:
    nodes = tuple(
        replace(node(name, "starttaskfailed"), start_task_exit_code=100) for name in ("n1", "n2")
    )
    service = Service(job=ACTIVE, task=TASK, pool=POOL, nodes=nodes)
    assert waiting(replace(FACTS, report=begun(JOB), service=service)) == [
        "  the start task failed on 2 of 2 nodes (exit code 100)",
        "    node n1",
        "    node n2",
        "    hint: mend it; `batch-run logs --start-task` shows all that it printed",
    ]


def test_nodes_that_go() -> None:
    service = Service(job=ACTIVE, task=TASK, pool=POOL, nodes=(node("n1", "leavingpool"),))
    assert waiting(replace(FACTS, report=begun(JOB), service=service)) == [
        "  no node takes tasks: 1 leavingpool of 1 node",
    ]


def test_places_that_are_all_taken() -> None:
    service = Service(
        job=ACTIVE,
        task=TASK,
        pool=POOL,
        nodes=(node("n1", "running"), node("n2", "running")),
        counts=TaskCounts(active=120, running=8, succeeded=4, failed=0),
    )
    pace = Pace(window=60, least_seconds=1)
    pace.note(0, 0)
    pace.note(60, 58)
    facts = replace(FACTS, report=begun(JOB), service=service, slots=4, before=57, pace=pace)
    assert waiting(facts) == [
        "  all places are taken: 2 nodes with 4 slots each; about 57 wait before it",
        "    at the present rate it starts in about 1m 00s",
        "    the service has 120 waiting and 8 running in all",
        (
            "    hint: with more nodes (`pool.nodes`) or slots (`pool.task_slots_per_node`) more"
            " run at a time"
        ),
    ]
    free = TaskCounts(active=1, running=7, succeeded=0, failed=0)
    assert waiting(replace(facts, service=replace(service, counts=free))) == [
        "  nothing is known that holds it: a node should take it at any moment"
    ]


@pytest.mark.parametrize(
    ("status", "lines"),
    [
        (
            replace(ACTIVE, state=JobState.DISABLED),
            [
                "  the job is disabled: it takes no task",
                "    hint: `batch-run resume` enables it, once nobody drives the run",
            ],
        ),
        (
            replace(ACTIVE, state=JobState.COMPLETED, terminate_reason="MaxWallClockTimeExpiry"),
            [
                "  the job is completed (MaxWallClockTimeExpiry): it takes no task",
                "    hint: `batch-run resume` makes it anew",
            ],
        ),
        (
            replace(ACTIVE, problem="PoolQuotaReached: no more"),
            [
                "  the service cannot make the job's pool: PoolQuotaReached: no more",
                (
                    "    hint: delete pools that nobody needs (`az batch pool list --query [].id`),"
                    " or ask for more under Quotas of the Batch account in the Azure portal (pools)"
                ),
            ],
        ),
    ],
)
def test_a_job_that_takes_no_task(status: JobStatus, lines: list[str]) -> None:
    service = Service(job=status, task=TASK, pool=POOL, nodes=(node("n1", "idle"),))
    facts = replace(FACTS, report=begun(JOB), service=service, slots=1)
    assert waiting(facts)[: len(lines)] == lines


def test_a_retry_that_is_due() -> None:
    due = NOW + timedelta(seconds=90)
    attempt = TaskRetried(
        task="0003", retries=1, cause="timeout", node="n1", started=NOW, at=NOW, due=due
    )
    facts = replace(FACTS, report=begun(JOB), attempts=(attempt,))
    lines = waiting(facts)
    assert lines[0] == (
        "  it is tried again in 1m 30s, at 2026-01-02T03:05:35Z: `retries.backoff` asks for it"
    )
    assert lines[-1] == (
        "  attempt 1 was cut off at its time limit on node n1, from 2026-01-02T03:04:05Z to"
        " 2026-01-02T03:04:05Z, 0.0s"
    )
    # Until then the service has the task as it ended, and no place is held for it.
    ended = replace(TASK, state=TaskState.COMPLETED, node_id="n1", exit_code=1)
    counts = TaskCounts(active=9, running=2, succeeded=0, failed=1)
    nodes = (node("n1", "running"), node("n2", "running"))
    service = Service(job=ACTIVE, task=ended, pool=POOL, nodes=nodes, counts=counts)
    facts = replace(facts, service=service, slots=1, before=5)
    assert waiting(facts) == [lines[0], lines[-1]]
    again = replace(facts, service=replace(service, task=TASK))
    assert waiting(again)[0] == (
        "  all places are taken: 2 nodes with 1 slot each; about 5 wait before it"
    )
    runs = replace(TASK, state=TaskState.RUNNING, node_id="n2", started=NOW)
    assert shown(replace(facts, service=replace(service, task=runs)))[1] == (
        "  it runs on node n2 since 2026-01-02T03:04:05Z, for 0.0s now"
    )


def test_a_run_that_nobody_drives_or_that_is_over() -> None:
    facts = replace(FACTS, report=begun(JOB, RESIZING), standing=Standing.ABANDONED)
    assert waiting(facts)[:2] == [
        (
            "  nobody drives the run (abandoned), so that nothing more is added to it, tried again"
            " or brought home"
        ),
        "    hint: `batch-run resume` goes on with it",
    ]
    over = replace(facts, standing=Standing.FAILED)
    assert shown(over) == [
        "task 0003 (c.txt) of step convert: never ran",
        "  the run is over, and the task never ran: failed",
        "    hint: `batch-run run SPEC --only failed` runs what did not succeed",
    ]
    assert shown(replace(over, is_running=True))[:2] == [
        "task 0003 (c.txt) of step convert: not finished",
        "  the run is over, and the task had not ended: failed",
    ]


def test_a_run_that_a_start_task_has_ended() -> None:
    failed = StartTaskFailed(node="n1", exit_code=100, message=None, stderr_tail="E: no\n")
    end = RunFinished(
        exit_code=1,
        succeeded=0,
        failed=0,
        unfinished=9,
        error="the start task failed on every node (exit code 100)",
    )
    report = begun(JOB, RESIZING, failed, end)
    assert shown(replace(FACTS, report=report, standing=Standing.FAILED)) == [
        "task 0003 (c.txt) of step convert: never ran",
        (
            "  the run is over, and the task never ran: the start task failed on every node (exit"
            " code 100)"
        ),
        "    E: no",
        "    hint: mend it; `batch-run logs --start-task` shows all that it printed",
    ]


def test_a_run_that_was_broken_off_says_what_it_ended_with() -> None:
    end = RunFinished(
        exit_code=3, succeeded=0, failed=0, unfinished=9, error="the pool has no nodes: Quota: no"
    )
    facts = replace(FACTS, report=begun(JOB, end), standing=Standing.BROKEN_OFF)
    told = [
        "    the run ended with: the pool has no nodes: Quota: no",
        "    hint: `batch-run resume` goes on with it",
    ]
    assert waiting(facts)[1:3] == told
    assert waiting(replace(facts, rests=True))[:2] == [
        "  the local services of the run do not run",
        told[0],
    ]


def test_no_task_is_at_work_in_a_job_that_is_gone() -> None:
    service = Service(job=replace(ACTIVE, state=JobState.GONE))
    facts = replace(FACTS, report=begun(JOB), service=service, standing=Standing.INTERRUPTED)
    assert waiting(replace(facts, is_running=True))[2:4] == [
        "  the job is gone: it takes no task",
        "    hint: `batch-run resume` makes it anew",
    ]


def test_local_services_that_have_ended_are_all_there_is_to_say() -> None:
    facts = replace(FACTS, report=begun(JOB, RESIZING), rests=True, is_running=True)
    hint = "brings home what is done, and goes on with the rest"
    assert waiting(replace(facts, standing=Standing.DETACHED)) == [
        (
            "  the local services of the run do not run: it may have ended, and what it left waits"
            " in the run's directory"
        ),
        f"    hint: `batch-run attach` {hint}",
    ]
    assert waiting(replace(facts, standing=Standing.ABANDONED)) == [
        "  the local services of the run do not run",
        f"    hint: `batch-run resume` {hint}",
    ]
    assert waiting(replace(facts, standing=Standing.INTERRUPTED)) == [
        "  the run was interrupted: its local services have ended",
        f"    hint: `batch-run resume` {hint}",
    ]


def test_what_the_service_was_not_asked_is_said() -> None:
    facts = replace(FACTS, report=begun(JOB), unasked="Azure Batch is out of reach")
    assert waiting(facts)[-1] == "  more could not be asked: Azure Batch is out of reach"


def test_a_task_at_work() -> None:
    service = Service(job=ACTIVE, task=replace(TASK, state=TaskState.RUNNING, node_id="n1"))
    facts = replace(FACTS, report=begun(JOB), service=service, started=NOW - timedelta(hours=2))
    assert shown(facts) == [
        "task 0003 (c.txt) of step convert: running",
        "  it runs on node n1 since 2026-01-02T01:04:05Z, for 2h 00m now",
        "    hint: `batch-run logs 0003 --follow` shows what it prints",
    ]
    prepared = replace(service, task=replace(TASK, state=TaskState.PREPARING, node_id="n1"))
    assert shown(replace(facts, service=prepared))[1:] == [
        "  its files are brought to its node on node n1, before it begins"
    ]
    ended = replace(TASK, state=TaskState.COMPLETED, node_id="n1", exit_code=0)
    coming = replace(facts, service=replace(service, task=ended), standing=Standing.DETACHED)
    assert shown(coming)[1:] == [
        "  it has ended on node n1, with exit code 0; what it left is not home yet",
        "    hint: `batch-run attach` brings it home",
    ]


def test_a_task_that_failed_after_other_attempts() -> None:
    first = TaskRetried(task="0003", retries=1, cause="exit_code", exit_code=3, at=NOW)
    lost = TaskRetried(
        task="0003", retries=1, attempt=2, cause="preemption", message="it was preempted"
    )
    explanation = explain(replace(FACTS, report=begun(), end=END, attempts=(first, lost)))
    assert explanation_as_text(explanation).splitlines() == [
        "task 0003 (c.txt) of step convert: failed",
        "  it failed: exit code 7 on node n1 after 2 tries",
        "    from 2026-01-02T03:04:05Z to 2026-01-02T03:05:20Z, 1m 15s",
        "    no",
        "    \\x1b[2Jreally",
        "    hint: `batch-run logs 0003` shows all that it printed",
        "  attempt 1 ended with exit code 3 at 2026-01-02T03:04:05Z",
        "  attempt 2 lost its spot node",
        "    it was preempted",
    ]
    value = explanation_as_json(explanation)
    assert [each["kind"] for each in value["reasons"]] == ["ended", "attempt", "attempt"]
    assert value["reasons"][0]["evidence"][1:] == ["no", "\x1b[2Jreally"]


@pytest.mark.parametrize(
    ("cause", "state", "words", "hint"),
    [
        (
            "DependencyFailed",
            State.NEVER_RAN,
            "it never ran: x",
            "`batch-run explain 0001` says why that one failed",
        ),
        ("Halted", State.NEVER_RAN, "it never ran: x", "mend the cause, and run again"),
        ("JobEnded", State.FAILED, "it was ended with its job: x", "`batch-run resume`"),
        (
            "TransferFailed",
            State.FAILED,
            "it ended, and what it left is not home: x",
            "`batch-run resume` brings it home, and does not run it again",
        ),
        (
            "OutputMissing",
            State.FAILED,
            "it left something out: x",
            "`batch-run logs 0003` shows what it did instead",
        ),
    ],
)
def test_other_ends(cause: str, state: State, words: str, hint: str) -> None:
    end = replace(END, cause=cause, message="x", stderr_tail=None)
    needed = (Needed(task="0001", item="", state="has failed"),)
    explanation = explain(replace(FACTS, report=begun(), end=end, needed=needed))
    (reason,) = explanation.reasons
    assert (explanation.state, reason.words, reason.advice) == (state, words, hint)


@pytest.mark.parametrize(
    ("code", "words", "hint"),
    [
        (
            127,
            (
                "it failed: exit code 127 on node n1 after 2 tries: a program of the command was"
                " not found"
            ),
            "install it with `pool.packages` or in the start task",
        ),
        (
            137,
            "it failed: exit code 137 on node n1 after 2 tries: killed by signal 9 (SIGKILL)",
            (
                "it is nearly always memory: use a larger `pool.vm_size`, or fewer"
                " `pool.task_slots_per_node`"
            ),
        ),
    ],
)
def test_exit_codes_that_tell_what_to_do(code: int, words: str, hint: str) -> None:
    end = replace(END, exit_code=code)
    (reason,) = explain(replace(FACTS, report=begun(), end=end)).reasons
    shows = "`batch-run logs 0003` shows all that it printed"
    assert (reason.words, reason.advice) == (words, f"{hint}; {shows}")
    (ended,) = explain(replace(FACTS, report=begun(), end=replace(end, cause="TaskEnded"))).reasons
    assert ended.advice == shows


def test_tasks_that_did_not_have_to_run() -> None:
    end = replace(END, succeeded=True, skipped=True)
    planned = ("skip", "unchanged since run demo-0")
    skipped = explain(replace(FACTS, report=begun(), end=end, planned=planned))
    assert (skipped.state, skipped.reasons[0].words) == (
        State.SKIPPED,
        "it was skipped: unchanged since run demo-0",
    )
    left = explain(replace(FACTS, report=begun(), planned=("leave", "`--only` leaves it out")))
    assert (left.state, left.reasons[0].kind) == (State.LEFT_OUT, Kind.NOT_ASKED_FOR)
    assert left.reasons[0].words == "the run leaves it out: `--only` leaves it out"
    done = explain(replace(FACTS, report=begun(), end=replace(END, succeeded=True)))
    assert done.reasons[0].words == "it succeeded on node n1, after 2 attempts"
