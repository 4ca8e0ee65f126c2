"""Requests with nothing in them, and with everything: what the tests change a little."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

from runner.plan.model import CommandLine, TaskId, TaskRange
from runner.run.services import (
    AutoPool,
    JobRequest,
    NodeCommandRequest,
    OutputRequest,
    PoolRequest,
    ResourceRequest,
    ScheduleRequest,
    TaskRequest,
)
from runner.spec.model.pool import (
    Autoscale,
    BlobMount,
    CifsMount,
    CustomImage,
    FileShareMount,
    FixedNodes,
    Image,
    Mount,
    Network,
    NewPool,
    NfsMount,
    NodeFill,
    OperatingSystem,
    PublicAddresses,
    Registry,
    User,
)
from runner.spec.model.retries import RetryPlan
from runner.spec.model.step import (
    DependentsAction,
    ExitCause,
    ExitRule,
    Instances,
    JobAction,
    Print,
    Step,
    TaskContainer,
    UploadCondition,
    WorkingDirectory,
)
from runner.spec.model.terms import Application, Elevation, NamedUser, SecretName, StepName
from runner.spec.model.workload import Job, Schedule
from runner.spec.shells.script import compile_command
from runner.spec.templates.template import compile_template

IMAGE = Image(publisher="canonical", offer="ubuntu-24_04-lts", sku="server", version="latest")
AGENT = "batch.node.ubuntu 24.04"
SECRET = SecretName("TOP")
SECRETS = {SECRET: "top secret"}

POOL = NewPool(
    image=IMAGE,
    vm_size="Standard_D2s_v5",
    size=FixedNodes(dedicated=2, spot=0),
    task_slots_per_node=1,
    node_fill=NodeFill.SPREAD,
    start_task=None,
    node_retries=0,
    packages=(),
    container_images=(),
    registries=(),
    mounts=(),
    network=None,
    users=(),
    inter_node_communication=False,
    applications=(),
    keep=None,
    os=OperatingSystem.LINUX,
    extra={},
    pointer=("pool",),
)
POOL_REQUEST = PoolRequest(
    pool=POOL,
    node_agent=AGENT,
    start_task=None,
    runs_containers=False,
    secrets={},
    metadata={"batch-run": "cat-1"},
)
JOB = JobRequest(
    id="cat-1",
    pool=AutoPool(id_prefix="cat-", request=POOL_REQUEST, keep=False),
    duration=timedelta(hours=24),
    settings=Job(),
    environment={},
    preparation=None,
    release=None,
    uses_dependencies=False,
    heeds_exits=False,
    metadata={"batch-run": "cat-1"},
)
STEP = Step(
    name=StepName("main"),
    for_each=None,
    needs=(),
    command=compile_command("true"),
    environment={},
    resources=(),
    outputs=(),
    print=Print.NONE,
    run_as=Elevation.USER,
    retries=0,
    retry_plan=RetryPlan(),
    timeout=None,
    retention=None,
    slots=1,
    exit_rules=(),
    container=None,
    instances=None,
    applications=(),
    extra={},
    pointer=("task",),
)
TASK = TaskRequest(
    id=TaskId("1"),
    display_name="main/1",
    step=STEP,
    command=CommandLine(line="true", environment={}, script="true"),
    coordination=None,
    resources=(),
    shared_resources=(),
    outputs=(),
    needs=(),
    container_image=None,
    job_action=None,
)
COMMAND = NodeCommandRequest(
    command=CommandLine(line="/bin/bash -c x", environment={"A": "1"}, script="x"),
    resources=(
        ResourceRequest(container_url="http://h/c?sig=s", prefix="bin/", path="tools"),
        ResourceRequest(url="http://h/c/run.sh?sig=s", path="run.sh", mode="0755"),
    ),
    run_as=Elevation.ADMIN,
    retries=2,
    timeout=timedelta(minutes=10),
    wait_for_success=True,
)

FULL_POOL = NewPool(
    image=CustomImage(id="/subscriptions/s/images/i", node_agent=AGENT),
    vm_size="Standard_D4s_v5",
    size=Autoscale(
        formula="$TargetDedicatedNodes = 1;",
        interval=timedelta(minutes=5),
        scenario=None,
        pointer=("pool", "nodes"),
    ),
    task_slots_per_node=4,
    node_fill=NodeFill.PACK,
    start_task=None,
    node_retries=0,
    packages=(),
    container_images=("docker.io/library/busybox:1", "own.azurecr.io/tool:2"),
    registries=(
        Registry(
            server="own.azurecr.io",
            user="puller",
            password=SECRET,
            pointer=("pool", "registries", 0),
        ),
    ),
    mounts=(
        Mount(
            path="keyed",
            source=BlobMount(account="a", container="c", key=SECRET, sas=None),
            options="-o ro",
            pointer=("pool", "mounts", 0),
        ),
        Mount(
            path="signed",
            source=BlobMount(account="a", container="c", key=None, sas=SECRET),
            options="",
            pointer=("pool", "mounts", 1),
        ),
        Mount(
            path="share",
            source=FileShareMount(account="a", url="https://a.file.core.windows.net/s", key=SECRET),
            options="-o vers=3.0",
            pointer=("pool", "mounts", 2),
        ),
        Mount(
            path="nfs", source=NfsMount(source="h:/p"), options="", pointer=("pool", "mounts", 3)
        ),
        Mount(
            path="cifs",
            source=CifsMount(source="//h/s", user="u", password=SECRET),
            options="",
            pointer=("pool", "mounts", 4),
        ),
    ),
    network=Network(
        subnet="/subscriptions/s/subnets/n",
        public_addresses=("/subscriptions/s/addresses/1",),
        accelerated=True,
        pointer=("pool", "network"),
    ),
    users=(
        User(
            name="worker",
            password=SECRET,
            elevation=Elevation.ADMIN,
            pointer=("pool", "users", 0),
        ),
    ),
    inter_node_communication=True,
    applications=(Application(id="blender", version="4.2"), Application(id="ffmpeg", version=None)),
    keep=None,
    os=OperatingSystem.LINUX,
    extra={
        "resizeTimeout": "PT20M",
        "virtualMachineConfiguration": {"osDisk": {"caching": "readonly"}},
        "metadata": [{"name": "cost", "value": "7"}, {"name": "batch-run", "value": "forged"}],
    },
    pointer=("pool",),
)
NO_ADDRESSES = Network(
    subnet=None, public_addresses=PublicAddresses.NONE, accelerated=False, pointer=("pool",)
)
FULL_POOL_REQUEST = PoolRequest(
    pool=FULL_POOL,
    node_agent=AGENT,
    start_task=COMMAND,
    runs_containers=True,
    secrets=SECRETS,
    metadata={"batch-run": "cat-1", "pool": "0a1b"},
)
FULL_JOB = JobRequest(
    id="cat-1",
    pool="pool-1",
    duration=timedelta(hours=24),
    settings=Job(
        priority=5,
        max_parallel_tasks=7,
        rerun_preparation_on_reboot=False,
        extra={"allowTaskPreemption": True, "constraints": {"maxTaskRetryCount": 3}},
    ),
    environment={"LANG": "C.UTF-8"},
    preparation=COMMAND,
    release=COMMAND,
    uses_dependencies=True,
    heeds_exits=True,
    metadata={"team": "film", "batch-run": "cat-1"},
)
FULL_STEP = Step(
    name=StepName("main"),
    for_each=None,
    needs=(),
    command=compile_command("true"),
    environment={},
    resources=(),
    outputs=(),
    print=Print.NONE,
    run_as=NamedUser(name="worker", pointer=("task", "run_as")),
    retries=-1,
    retry_plan=RetryPlan(),
    timeout=timedelta(minutes=30),
    retention=timedelta(days=1),
    slots=2,
    exit_rules=(
        ExitRule(
            codes=((2, 2), (10, 19)),
            causes=(),
            job=JobAction.DISABLE,
            dependents=DependentsAction.RUN,
            pointer=("task", "on_exit", 0),
        ),
        ExitRule(
            codes=(),
            causes=(ExitCause.RESOURCE_ERROR, ExitCause.UPLOAD_ERROR),
            job=None,
            dependents=DependentsAction.BLOCK,
            pointer=("task", "on_exit", 1),
        ),
    ),
    container=TaskContainer(
        image=compile_template("tool:2"),
        options="--rm",
        working_directory=WorkingDirectory.IMAGE,
        pointer=("task", "container"),
    ),
    instances=Instances(
        count=3,
        coordination=compile_command("true"),
        resources=(),
        pointer=("task", "instances"),
    ),
    applications=(Application(id="blender", version="4.2"),),
    extra={"affinityInfo": {"affinityId": "TVM:1"}, "constraints": {"maxTaskRetryCount": 4}},
    pointer=("task",),
)
FULL_TASK = TaskRequest(
    id=TaskId("0001"),
    display_name="main/a.txt",
    step=FULL_STEP,
    command=CommandLine(
        line="/bin/bash -c 'cat a'", environment={"B": "ü", "C": "ours"}, script="cat a"
    ),
    coordination=CommandLine(line="wait", environment={"C": "its", "D": "2"}, script="wait"),
    resources=(
        ResourceRequest(url="http://h/in/a.txt?sig=s", path="a.txt"),
        ResourceRequest(container_url="http://h/c?sig=s"),
    ),
    shared_resources=(ResourceRequest(url="http://h/in/hosts?sig=s", path="hosts"),),
    outputs=(
        OutputRequest(
            pattern="a.out",
            container_url="http://h/out?sig=s",
            path="a.out",
            when=UploadCondition.SUCCESS,
        ),
        OutputRequest(
            pattern="../std*.txt",
            container_url="http://h/logs?sig=s",
            path="",
            when=UploadCondition.COMPLETION,
        ),
        OutputRequest(
            pattern="core",
            container_url="http://h/out?sig=s",
            path="core",
            when=UploadCondition.FAILURE,
        ),
    ),
    needs=(TaskRange(first=1, last=4), TaskRange(first=9, last=9)),
    container_image="tool:2",
    job_action=JobAction.CONTINUE,
)
SCHEDULE = ScheduleRequest(
    id="cat-nightly",
    schedule=Schedule(
        every=timedelta(hours=24),
        window=timedelta(minutes=30),
        start=datetime(2026, 1, 1, 2, tzinfo=timezone(timedelta(hours=1))),
        end=datetime(2026, 2, 1, tzinfo=timezone.utc),
        pointer=("job", "schedule"),
    ),
    job=JOB,
    manager=TASK,
)
