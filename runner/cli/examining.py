"""From `doctor` on the command line to its findings: what is asked, in which order it is shown.

What an answer means is decided in `run.diagnosis`; it must not know that.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from runner.cli.checks import check_runs_here, check_schedule, check_signatures
from runner.cli.cost_finding import judge_cost, wants_price
from runner.cli.secret_values import read_secrets
from runner.cli.spec_examination import JudgeCost, SpecExamination, read_specs
from runner.cli.surroundings import look_around
from runner.cli.world import World
from runner.connect import (
    SURE_DELEGATION,
    AzureSettings,
    LocalNodes,
    PreparedEmulator,
    Target,
    TargetChoice,
    choose_target,
    find_nodes,
    finds_engine,
    read_azure_settings,
)
from runner.errors import BatchRunError, UsageError
from runner.frozen import dataclass
from runner.remote.examination.account import Examination
from runner.remote.examination.management import find_place
from runner.report.findings_as_json import findings_as_json
from runner.report.findings_as_text import group_lines, summary
from runner.run.diagnosis.answers import Answers, Question, Quotas
from runner.run.diagnosis.endpoints import REACH_BATCH, REACH_STORAGE, judge_endpoints
from runner.run.diagnosis.finding import Area, Finding, Group, exit_code, of_error, ok
from runner.run.diagnosis.holdings import QUOTAS, TRACES, judge_holdings
from runner.run.diagnosis.machine import judge_machine
from runner.run.diagnosis.questioning import ask_all
from runner.run.diagnosis.rights import (
    BATCH_ROLE,
    BLOB_ROLE,
    CONTAINERS,
    DELEGATION,
    IDENTITY,
    JOBS,
    KIND,
    POOLS,
    READ_BLOB,
    READ_JOB,
    Access,
    judge_rights,
    judge_services,
    why_unknown,
)
from runner.run.diagnosis.setting import Setting
from runner.spec.model.workload import Workload

SECONDS = 12.0
"""How long any answer is waited for; all are asked for at once."""
_WIDEST = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class _Subject:
    """The two accounts, and how they are asked."""

    target: Target
    settings: AzureSettings
    account: Examination
    asks_quotas: bool
    nodes: LocalNodes | None
    """What nodes are on this machine; None on Azure."""
    world: World

    @property
    def is_local(self) -> bool:
        return self.target == "local"

    @property
    def has_keys(self) -> bool:
        return self.settings.batch.key is not None and self.settings.storage.key is not None


def examine(arguments: argparse.Namespace, world: World) -> int:
    """Tells all findings, each area as soon as all of it is known; the exit code."""
    began = world.clock.monotonic()
    groups: list[Group] = []
    choice = choose_target(arguments.target, world.environ)
    for group in find_groups(arguments, world, choice):
        groups.append(group)
        if not arguments.json:
            show_group(group, world)
    tell_end(groups, arguments, world, target=choice.target, began=began)
    return exit_code(groups)


def find_groups(
    arguments: argparse.Namespace, world: World, choice: TargetChoice
) -> Iterator[Group]:
    """The areas in their order, each as soon as it is known."""
    target = choice.target
    specs = read_specs(arguments, world)
    findings = list(judge_machine(look_around(world, target=target, why=choice.why)))
    with ExitStack() as stack:
        try:
            subject = _open(target, world, stack)
        except BatchRunError as error:
            check = "variables" if isinstance(error, UsageError) else "services"
            yield Group(
                area=Area.MACHINE, findings=(*_without_variables(findings), of_error(check, error))
            )
            for spec in specs:
                yield spec.group(spec.judge_alone())
            return
        yield Group(area=Area.MACHINE, findings=tuple(findings))
        yield from _ask(subject, specs, arguments.prices)


def show_group(group: Group, world: World) -> None:
    """Its lines, in colours where somebody sees them."""
    is_seen = world.stdout.isatty()
    colors = is_seen and not world.environ.get("NO_COLOR")
    columns = shutil.get_terminal_size().columns if is_seen else _WIDEST
    for line in group_lines(group, colors=colors, width=min(columns, _WIDEST)):
        world.print(line)


def tell_end(
    groups: Sequence[Group],
    arguments: argparse.Namespace,
    world: World,
    *,
    target: Target,
    began: float,
) -> None:
    """All findings as data, or how many there are; `began` is of the clock that stands still."""
    if arguments.json:
        world.print_json(findings_as_json(groups, target=target))
    else:
        world.say(summary(groups, seconds=world.clock.monotonic() - began))


def _without_variables(findings: list[Finding]) -> list[Finding]:
    """Nobody says that variables are fine while one is missing."""
    return [finding for finding in findings if finding.check != "variables"]


def _open(target: Target, world: World, stack: ExitStack) -> _Subject:
    """The accounts of the environment, or of an emulator of our own; nothing is asked yet."""
    if target == "azure":
        settings = read_azure_settings(world.environ)
        place = find_place(settings.batch.endpoint, settings.batch.name, world.environ)
    else:
        settings, place = _start_emulator(world, stack), None
    account = Examination(
        settings, environ=world.environ, clock=world.clock, seconds=SECONDS, place=place
    )
    stack.callback(account.close)
    return _Subject(
        target=target,
        settings=settings,
        account=account,
        asks_quotas=place is not None,
        nodes=find_nodes("auto", world.environ) if target == "local" else None,
        world=world,
    )


def _start_emulator(world: World, stack: ExitStack) -> AzureSettings:
    """Services as a local run has them, with nothing in them."""
    state = stack.enter_context(TemporaryDirectory(prefix="batch-run-doctor-"))
    emulator = PreparedEmulator(world.environ).begin(
        Path(state), allow_admin=False, isolation="none", limits="none", outlives=False
    )
    stack.callback(emulator.stop)
    return emulator.wait_until_ready()


def _ask(
    subject: _Subject, specs: tuple[SpecExamination, ...], prices: str | None
) -> Iterator[Group]:
    """Each area once all that it needs has been answered, and those before it are told."""
    common = _questions(subject)
    questions = dict(common)
    for spec in specs:
        check = partial(_check, subject=subject)
        cost = _cost_judge(subject, spec, prices)
        questions.update(spec.questions(subject.account, check, cost))
    kinds = _LOCAL_STAGES if subject.is_local else _AZURE_STAGES
    stages = [(set(names), partial(judge, subject)) for names, judge in kinds]
    stages += [({*spec.names, *common}, partial(_judge_spec, subject, spec)) for spec in specs]
    answers: dict[str, object] = {}
    for name, answer in ask_all(questions, clock=subject.world.clock, seconds=SECONDS):
        answers[name] = answer
        while stages and not (stages[0][0] & questions.keys()) - answers.keys():
            yield stages.pop(0)[1](answers)


def _cost_judge(subject: _Subject, spec: SpecExamination, prices: str | None) -> JudgeCost | None:
    """What says what the spec costs; None where nobody wants to know, or nothing costs anything."""
    if subject.is_local or spec.workload is None:
        return None
    if not wants_price(spec.workload, prices, subject.world):
        return None
    endpoint = subject.settings.batch.endpoint
    return partial(judge_cost, given=prices, world=subject.world, endpoint=endpoint)


def _questions(subject: _Subject) -> Mapping[str, Question]:
    account = subject.account
    asked: dict[str, Question] = {
        REACH_BATCH: account.reach_batch,
        REACH_STORAGE: account.reach_storage,
        POOLS: account.list_pools,
        CONTAINERS: account.list_containers,
    }
    if subject.is_local:
        return asked
    asked |= {
        JOBS: account.count_jobs,
        READ_JOB: account.read_job,
        READ_BLOB: account.read_blob,
        KIND: account.storage_kind,
        TRACES: account.list_traces,
    }
    if not subject.has_keys:
        asked[IDENTITY] = account.identify
    if subject.settings.storage.key is None:
        asked[DELEGATION] = account.delegate
    if subject.asks_quotas:
        asked[QUOTAS] = account.read_quotas
    return asked


def _judge_endpoints(subject: _Subject, answers: Answers) -> Group:
    quotas = answers.get(QUOTAS)
    return Group(
        area=Area.ENDPOINTS,
        findings=tuple(
            judge_endpoints(
                answers,
                batch_endpoint=subject.settings.batch.endpoint,
                storage_endpoint=subject.settings.storage.endpoint,
                quotas=quotas if isinstance(quotas, Quotas) else None,
            )
        ),
    )


def _judge_rights(subject: _Subject, answers: Answers) -> Group:
    batch, storage = _accesses(subject)
    found = judge_rights(answers, batch=batch, storage=storage)
    return Group(area=Area.RIGHTS, findings=tuple(found))


def _judge_holdings(subject: _Subject, answers: Answers) -> Group:
    found = judge_holdings(
        answers, account=subject.settings.batch.name, now=subject.world.clock.now()
    )
    return Group(area=Area.ACCOUNT, findings=tuple(found))


_EVERYTHING = (REACH_BATCH, REACH_STORAGE, POOLS, CONTAINERS)
_CREDENTIALS = (IDENTITY, POOLS, READ_JOB, CONTAINERS, READ_BLOB, DELEGATION, KIND)
_AZURE_STAGES = (
    ((REACH_BATCH, REACH_STORAGE, QUOTAS), _judge_endpoints),
    ((REACH_BATCH, REACH_STORAGE, *_CREDENTIALS), _judge_rights),
    ((POOLS, JOBS, TRACES, QUOTAS), _judge_holdings),
)


def _judge_services(subject: _Subject, answers: Answers) -> Group:
    nodes = () if subject.nodes is None else (ok("nodes", subject.nodes.words),)
    services = judge_services([answers[name] for name in _EVERYTHING])
    return Group(area=Area.SERVICES, findings=(*services, *nodes))


_LOCAL_STAGES = ((_EVERYTHING, _judge_services),)


def _judge_spec(subject: _Subject, spec: SpecExamination, answers: Answers) -> Group:
    batch, storage = _accesses(subject)
    setting = Setting(
        batch=batch,
        storage=storage,
        signed_for=SURE_DELEGATION if subject.settings.storage.key is None else None,
        is_local=subject.is_local,
        batch_unknown=why_unknown(answers, batch),
        storage_unknown=why_unknown(answers, storage),
        takes_admin=subject.nodes is None or subject.nodes.take_admin,
        now=subject.world.clock.now(),
    )
    return spec.group(spec.judge(answers, setting))


def _check(workload: Workload, subject: _Subject) -> None:
    """What `run` would refuse before it makes anything; raises `SpecError`."""
    now = subject.world.clock.now()
    read_secrets(workload, subject.world.environ)
    check_schedule(workload, now=now)
    if subject.is_local:
        check_runs_here(workload, find_engine=partial(finds_engine, subject.world.environ))
    elif subject.settings.storage.key is None:
        check_signatures(workload, now=now, lifetime=SURE_DELEGATION)


def _accesses(subject: _Subject) -> tuple[Access, Access]:
    batch, storage = subject.settings.batch, subject.settings.storage
    return (
        Access(
            check="batch",
            reached=REACH_BATCH,
            lets_in=POOLS,
            service="Azure Batch",
            account=batch.name,
            has_key=batch.key is not None,
            key_variable=batch.key_variable,
            role=BATCH_ROLE,
        ),
        Access(
            check="storage",
            reached=REACH_STORAGE,
            lets_in=CONTAINERS,
            service="Blob Storage",
            account=storage.name,
            has_key=storage.key is not None,
            key_variable=storage.key_variable,
            role=BLOB_ROLE,
        ),
    )
