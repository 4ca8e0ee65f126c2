"""What a spec asks for, against what the accounts have."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ServiceRefusedError, UsageError
from runner.run.diagnosis.answers import (
    Answers,
    ContainerSeen,
    PoolSeen,
    Quotas,
    SupportedImage,
)
from runner.run.diagnosis.endpoints import REACH_BATCH, REACH_STORAGE
from runner.run.diagnosis.finding import Finding, Verdict
from runner.run.diagnosis.holdings import QUOTAS
from runner.run.diagnosis.needs import judge_needs
from runner.run.diagnosis.rights import POOLS, Access
from runner.run.diagnosis.setting import Setting
from tests.fakes.plans import SPEC, make_workload
from tests.fakes.services import NOW

GEN2 = frozenset({"generation2vmimage"})
IMAGE = SupportedImage(
    name="canonical/ubuntu-24_04-lts/server",
    agent="batch.node.ubuntu 24.04",
    is_verified=True,
    capabilities=GEN2,
    end_of_support=None,
)
QUOTA = Quotas(
    location="westeurope",
    user_subscription=False,
    dedicated_cores=100,
    by_family={"standardDSv5Family": 10},
    spot_cores=100,
    pools=100,
    jobs=100,
    is_public=True,
)


def image(**changes: Any) -> SupportedImage:
    values = {name: getattr(IMAGE, name) for name in ("name", "agent", "is_verified")}
    values |= {"capabilities": IMAGE.capabilities, "end_of_support": None, **changes}
    return SupportedImage(**values)


def quotas(**changes: Any) -> Quotas:
    names = ("location", "user_subscription", "dedicated_cores", "by_family", "spot_cores")
    values = {name: getattr(QUOTA, name) for name in (*names, "pools", "jobs")}
    return Quotas(**{**values, "is_public": True, **changes})


def access(check: str) -> Access:
    return Access(
        check=check,
        reached=REACH_BATCH if check == "batch" else REACH_STORAGE,
        lets_in=POOLS,
        service="Azure Batch",
        account="mine",
        has_key=True,
        key_variable="AZURE_BATCH_ACCESS_KEY",
        role="Azure Batch Data Contributor",
    )


def judge(
    folder: Path,
    answers: Answers,
    *,
    text: str = SPEC,
    common: Answers | None = None,
    signed_for: timedelta | None = None,
    is_local: bool = False,
    takes_admin: bool = True,
) -> dict[str, Finding]:
    setting = Setting(
        batch=access("batch"),
        storage=access("storage"),
        signed_for=signed_for,
        is_local=is_local,
        takes_admin=takes_admin,
        now=NOW,
    )
    workload = make_workload(folder, text)
    found = judge_needs(workload, answers, common or {POOLS: ()}, setting)
    return {finding.check: finding for finding in found}


def told(finding: Finding) -> tuple[Verdict, str]:
    place = "" if finding.problem is None else f"{finding.problem.location()}: "
    return finding.verdict, f"{place}{finding.seen}"


def test_all_fits(tmp_path: Path) -> None:
    found = judge(tmp_path, {"image": IMAGE}, common={POOLS: (), QUOTAS: QUOTA})
    assert {check: told(each) for check, each in found.items()} == {
        "vm-size": (Verdict.OK, "Standard_D2s_v5: 2 cores a node"),
        "image": (
            Verdict.OK,
            (
                "canonical/ubuntu-24_04-lts/server: node agent batch.node.ubuntu 24.04, verified by"
                " Batch"
            ),
        ),
        "image-end": (Verdict.OK, "no end of Batch's support is announced"),
        "generation": (Verdict.OK, "Standard_D2s_v5 starts images of generation 2"),
        "programs": (Verdict.UNKNOWN, "the nodes have what the image has, which nobody tells"),
        "cores": (Verdict.OK, "2 dedicated cores needed, of a quota of 10"),
    }


@pytest.mark.parametrize(
    ("size", "offered", "verdict", "seen"),
    [
        (
            "Standard_D2_v3",
            IMAGE,
            Verdict.ERROR,
            (
                "spec.yaml:8:10: Standard_D2_v3 starts no images of generation 2, which"
                " canonical/ubuntu-24_04-lts/server is of"
            ),
        ),
        (
            "Standard_D2s_v6",
            image(capabilities=frozenset()),
            Verdict.ERROR,
            (
                "spec.yaml:8:10: Standard_D2s_v6 starts no images of generation 1, which"
                " canonical/ubuntu-24_04-lts/server is of"
            ),
        ),
        (
            "Standard_D2ps_v5",
            IMAGE,
            Verdict.ERROR,
            (
                "spec.yaml:8:10: Standard_D2ps_v5 has Arm processors, and"
                " canonical/ubuntu-24_04-lts/server is for x64"
            ),
        ),
        (
            "Standard_D2ps_v5",
            image(name="canonical/ubuntu-24_04-lts/server-arm64"),
            Verdict.OK,
            "Standard_D2ps_v5 starts images of generation 2",
        ),
        (
            "Standard_HB120rs_v3",
            IMAGE,
            Verdict.UNKNOWN,
            (
                "spec.yaml:8:10: the image is of generation 2; what Standard_HB120rs_v3 starts, its"
                " name does not tell"
            ),
        ),
    ],
)
def test_generations_and_processors(
    tmp_path: Path, size: str, offered: SupportedImage, verdict: Verdict, seen: str
) -> None:
    text = SPEC.replace("Standard_D2s_v5", size)
    found = judge(tmp_path, {"image": offered}, text=text)["generation"]
    assert told(found) == (verdict, seen)


@pytest.mark.parametrize(
    ("days", "verdict", "seen"),
    [
        (-1, Verdict.WARNING, "ended on 2026-01-01: pools may be refused"),
        (30, Verdict.WARNING, "ends on 2026-02-01"),
        (200, Verdict.OK, "Batch supports it until 2026-07-21"),
    ],
)
def test_the_end_of_support(tmp_path: Path, days: int, verdict: Verdict, seen: str) -> None:
    end = datetime(2026, 1, 2, tzinfo=timezone.utc) + timedelta(days=days)
    found = judge(tmp_path, {"image": image(end_of_support=end)})["image-end"]
    assert found.verdict is verdict
    assert found.seen.endswith(seen)


def test_an_image_that_is_not_there_and_one_that_nobody_has_tested(tmp_path: Path) -> None:
    missing = UsageError("image `x` is not in the list", hint="did you mean `y`?")
    found = judge(tmp_path, {"image": missing})
    assert told(found["image"]) == (
        Verdict.ERROR,
        "spec.yaml:8:10: image `x` is not in the list",
    )
    assert found["image"].fix.startswith("did you mean `y`? ")
    assert "generation" not in found
    untested = judge(tmp_path, {"image": image(is_verified=False)})["image"]
    assert untested.verdict is Verdict.WARNING


def test_a_size_that_is_none(tmp_path: Path) -> None:
    text = SPEC.replace("Standard_D2s_v5", "D2s_v5")
    found = judge(tmp_path, {"image": IMAGE}, text=text)
    assert told(found["vm-size"]) == (
        Verdict.WARNING,
        "spec.yaml:9:12: `D2s_v5` is not formed as names of VM sizes are",
    )
    assert found["vm-size"].fix.startswith("did you mean `Standard_D2s_v5`? ")
    assert found["cores"].verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("nodes", "told_quotas", "verdict", "seen"),
    [
        ("{dedicated: 6}", QUOTA, Verdict.ERROR, "12 dedicated cores needed, and the quota is 10"),
        (
            "{dedicated: 5}",
            QUOTA,
            Verdict.WARNING,
            "10 dedicated cores needed, of a quota of 10 of which other pools have 4",
        ),
        (
            "{dedicated: 9}",
            quotas(by_family={}, dedicated_cores=100),
            Verdict.OK,
            "18 dedicated cores needed, of a quota of 100",
        ),
        (
            "{dedicated: 9}",
            quotas(user_subscription=True, dedicated_cores=None),
            Verdict.UNKNOWN,
            "18 dedicated cores needed; the quota is not known",
        ),
        (
            "{dedicated: 9}",
            None,
            Verdict.UNKNOWN,
            "18 dedicated cores needed; the quota is not known",
        ),
        (
            "{spot: 2}",
            QUOTA,
            Verdict.ERROR,
            (
                "4 spot cores needed, and the account is of the mode BatchService, which has had no"
                " spot nodes since 2025-09-30"
            ),
        ),
        (
            "{spot: 2}",
            quotas(user_subscription=True),
            Verdict.UNKNOWN,
            "4 spot cores needed; the quota is not known",
        ),
        (
            "{spot: 2}",
            None,
            Verdict.UNKNOWN,
            (
                "4 spot cores needed; accounts of the mode BatchService have had no spot nodes"
                " since 2025-09-30"
            ),
        ),
    ],
)
def test_cores_against_quotas(
    tmp_path: Path, nodes: str, told_quotas: Quotas | None, verdict: Verdict, seen: str
) -> None:
    pools = (PoolSeen(id="other", vm_size="Standard_D4s_v5", dedicated=1, spot=3),)
    text = SPEC.replace("{dedicated: 1}", nodes)
    common = {POOLS: pools, QUOTAS: told_quotas}
    found = judge(tmp_path, {"image": IMAGE}, text=text, common=common)["cores"]
    assert told(found) == (verdict, seen)


CONTAINERS = SPEC.replace("output: {download: true}", "output: {name: mine, download: true}")


@pytest.mark.parametrize(
    ("text", "seen", "verdict", "words"),
    [
        (CONTAINERS, ContainerSeen(exists=False, is_empty=True), Verdict.OK, "will be made"),
        (CONTAINERS, ContainerSeen(exists=True, is_empty=True), Verdict.OK, "there, and empty"),
        (CONTAINERS, ContainerSeen(exists=True, is_empty=False), Verdict.OK, "in it stays"),
        (
            CONTAINERS.replace("name: mine", "name: mine, if_not_empty: refuse"),
            ContainerSeen(exists=True, is_empty=False),
            Verdict.ERROR,
            "the run would not begin",
        ),
        (
            CONTAINERS.replace("name: mine", "name: mine, if_not_empty: clear"),
            ContainerSeen(exists=True, is_empty=False),
            Verdict.WARNING,
            "the run deletes what is in it first",
        ),
        (
            CONTAINERS,
            ServiceRefusedError("no", code="AuthorizationPermissionMismatch"),
            Verdict.ERROR,
            "no",
        ),
    ],
)
def test_containers_of_the_users_naming(
    tmp_path: Path, text: str, seen: object, verdict: Verdict, words: str
) -> None:
    found = judge(tmp_path, {"image": IMAGE, "container mine": seen}, text=text)["container"]
    assert found.verdict is verdict
    assert found.seen.endswith(words)


def test_what_exists_must(tmp_path: Path) -> None:
    text = SPEC.replace("input:\n    upload: [{from: data}]", "input: {existing: media}").replace(
        "image: {publisher: canonical, offer: ubuntu-24_04-lts, sku: server}\n  ", ""
    )
    text = text.replace("vm_size: Standard_D2s_v5\n  nodes: {dedicated: 1}", "existing: own")
    answers = {"container media": ContainerSeen(exists=False, is_empty=True), "pool": None}
    found = judge(tmp_path, answers, text=text)
    assert {check: told(each) for check, each in found.items()} == {
        "pool-missing": (Verdict.ERROR, "spec.yaml:7:3: there is no pool `own`"),
        "container": (
            Verdict.ERROR,
            "spec.yaml:4:21: there is no container `media` for `input`",
        ),
    }


def test_packages_of_the_account(tmp_path: Path) -> None:
    text = SPEC.replace("nodes:", "applications: [{id: tool, version: '1.0'}]\n  nodes:")
    missing = judge(tmp_path, {"image": IMAGE, "application tool": False}, text=text)
    assert told(missing["application"]) == (
        Verdict.ERROR,
        "the account has no application package `tool` 1.0",
    )
    there = judge(tmp_path, {"image": IMAGE, "application tool": True}, text=text)
    assert there["application"].verdict is Verdict.OK


def test_signatures_that_end_before_the_job(tmp_path: Path) -> None:
    text = SPEC.replace("containers:", "limits: {duration: 8d}\ncontainers:")
    found = judge(tmp_path, {"image": IMAGE}, text=text, signed_for=timedelta(days=6))
    assert told(found["lifetime"]) == (
        Verdict.WARNING,
        (
            "spec.yaml:3:20: `limits.duration` is 8d, and without the storage account's key nodes"
            " reach their containers for 6d only"
        ),
    )
    assert "lifetime" not in judge(tmp_path, {"image": IMAGE}, text=text)


def test_what_keeps_from_all_answers_is_told_once(tmp_path: Path) -> None:
    error = ServiceRefusedError("no", code="AuthenticationFailed")
    setting = Setting(
        batch=access("batch"),
        storage=access("storage"),
        signed_for=None,
        is_local=False,
        batch_unknown="nobody is signed in",
        storage_unknown="the endpoint does not answer",
        now=NOW,
    )
    answers = {"image": error, "container mine": error}
    found = judge_needs(make_workload(tmp_path, CONTAINERS), answers, {POOLS: error}, setting)
    unknown = {each.check: each.seen for each in found if each.verdict is Verdict.UNKNOWN}
    assert unknown["image"] == "not known, since nobody is signed in"
    assert unknown["container"] == "not known, since the endpoint does not answer"


def test_what_admins_do_is_left_out_on_a_machine_of_ones_own(tmp_path: Path) -> None:
    text = SPEC.replace("nodes:", "packages: {apt: [jq]}\n  nodes:")
    found = judge(tmp_path, {"image": IMAGE}, text=text, is_local=True, takes_admin=False)
    assert told(found["admin"]) == (
        Verdict.WARNING,
        "spec.yaml:10:13: `packages` are not installed on this machine",
    )
    assert "vm-size" not in found
    assert "admin" not in judge(tmp_path, {"image": IMAGE}, text=text)
