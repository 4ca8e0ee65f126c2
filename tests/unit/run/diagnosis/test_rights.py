"""A refusal says by its code what is to be mended: a key, a role, a firewall."""

from __future__ import annotations

from typing import Any

import pytest

from runner.errors import (
    BatchRunError,
    ExitCode,
    ServiceRefusedError,
    ServiceTroubleError,
    ServiceUnreachableError,
    UsageError,
)
from runner.run.diagnosis.answers import Counted, Identity, StorageKind
from runner.run.diagnosis.endpoints import REACH_BATCH, REACH_STORAGE
from runner.run.diagnosis.finding import Finding, Verdict
from runner.run.diagnosis.rights import (
    CONTAINERS,
    DELEGATION,
    IDENTITY,
    KIND,
    POOLS,
    READ_BLOB,
    READ_JOB,
    Access,
    judge_rights,
    judge_services,
)

GOOD = {
    REACH_BATCH: object(),
    REACH_STORAGE: object(),
    POOLS: (),
    READ_JOB: None,
    CONTAINERS: Counted(count=100, more=True),
    READ_BLOB: None,
    KIND: StorageKind(kind="StorageV2", sku="Standard_LRS", hierarchical=True),
}
SIGNED_IN = {
    **GOOD,
    IDENTITY: Identity(name="ada@example.com", tenant="t", is_application=False),
    DELEGATION: None,
}


def access(check: str, *, has_key: bool) -> Access:
    is_batch = check == "batch"
    return Access(
        check=check,
        reached=REACH_BATCH if is_batch else REACH_STORAGE,
        lets_in=POOLS if is_batch else CONTAINERS,
        account="mine",
        has_key=has_key,
        key_variable="AZURE_BATCH_ACCESS_KEY" if is_batch else "AZURE_STORAGE_KEY",
        role="Azure Batch Data Contributor" if is_batch else "Storage Blob Data Contributor",
        service="Azure Batch" if is_batch else "Blob Storage",
    )


def judge(answers: dict[str, Any], *, has_key: bool) -> dict[str, Finding]:
    found = judge_rights(
        answers,
        batch=access("batch", has_key=has_key),
        storage=access("storage", has_key=has_key),
    )
    return {finding.check: finding for finding in found}


def refused(code: str) -> ServiceRefusedError:
    return ServiceRefusedError(f"refused: {code}", code=code)


def test_keys_that_are_let_in() -> None:
    assert {check: each.seen for check, each in judge(GOOD, has_key=True).items()} == {
        "batch-account": "the key in AZURE_BATCH_ACCESS_KEY lists pools",
        "batch-jobs": "the key in AZURE_BATCH_ACCESS_KEY reads jobs",
        "storage-account": "the key in AZURE_STORAGE_KEY lists containers: 100 or more",
        "storage-blobs": "the key in AZURE_STORAGE_KEY reads blobs",
        "signatures": "nodes get signatures (SAS) that the account's key makes",
        "storage-kind": "StorageV2, Standard_LRS, with folders of its own (hierarchical namespace)",
    }


def test_who_is_signed_in_may_read_and_the_rest_is_not_known() -> None:
    found = judge(SIGNED_IN, has_key=False)
    assert found["signed-in"].seen == "user ada@example.com of tenant t"
    assert found["batch-account"].seen == "who is signed in lists pools"
    unknown = [each.check for each in found.values() if each.verdict is Verdict.UNKNOWN]
    assert unknown == ["batch-writes", "storage-writes"]
    assert "doctor --run SPEC" in found["batch-writes"].fix
    assert found["signatures"].verdict is Verdict.WARNING


BATCH_ASSIGN = (
    "`az role assignment create --role 'Azure Batch Data Contributor' --assignee WHO --scope"
    " ACCOUNT_ID`"
)


@pytest.mark.parametrize(
    ("has_key", "code", "fix"),
    [
        (
            True,
            "AuthenticationFailed",
            (
                "check that AZURE_BATCH_ACCESS_KEY is a key of `mine`, copied whole, and the line"
                " on the clock"
            ),
        ),
        (
            True,
            "KeyBasedAuthenticationNotPermitted",
            f"the account takes no keys: unset AZURE_BATCH_ACCESS_KEY, `az login`, {BATCH_ASSIGN}",
        ),
        (
            True,
            "AuthorizationFailure",
            (
                "the account's network lets nobody in from here: `az batch account show --name mine"
                " --query publicNetworkAccess`; add this address to its rules"
            ),
        ),
        (False, "AuthenticationFailed", "`az login` in the tenant of `mine`"),
        (
            False,
            "PermissionDenied",
            (
                f"the role `Azure Batch Data Contributor` is missing: {BATCH_ASSIGN}; it takes some"
                " minutes to count"
            ),
        ),
        (
            False,
            "AuthorizationFailure",
            (
                f"either the role `Azure Batch Data Contributor` is missing ({BATCH_ASSIGN}), or"
                " the account's network lets nobody in from here"
            ),
        ),
    ],
)
def test_each_refusal_of_batch_has_its_fix(has_key: bool, code: str, fix: str) -> None:
    answers = {**(GOOD if has_key else SIGNED_IN), POOLS: refused(code)}
    found = judge(answers, has_key=has_key)["batch-account"]
    assert (found.verdict, found.seen, found.exit_code) == (
        Verdict.ERROR,
        f"refused: {code}",
        ExitCode.SERVICE,
    )
    assert found.fix == fix


def test_a_firewall_of_storage_is_told_from_a_role() -> None:
    by_role = judge(
        {**SIGNED_IN, READ_BLOB: refused("AuthorizationPermissionMismatch")}, has_key=False
    )["storage-blobs"]
    assert by_role.fix.startswith("the role `Storage Blob Data Contributor` is missing")
    by_wall = judge({**SIGNED_IN, CONTAINERS: refused("AuthorizationFailure")}, has_key=False)
    assert by_wall["storage-account"].fix.startswith("the account's network lets nobody in")
    assert "storage-blobs" not in by_wall


def test_signatures_want_a_role_of_their_own() -> None:
    answers = {**SIGNED_IN, DELEGATION: refused("AuthorizationPermissionMismatch")}
    found = judge(answers, has_key=False)["signatures"]
    assert found.verdict is Verdict.ERROR
    assert "`Storage Blob Data Contributor` and `Storage Blob Delegator`" in found.fix


def test_what_does_not_answer_is_told_once() -> None:
    silence = ServiceUnreachableError("out of reach")
    answers = {**SIGNED_IN, REACH_STORAGE: silence, CONTAINERS: silence, DELEGATION: silence}
    found = judge(answers, has_key=False)
    seen = "not known, since the endpoint does not answer"
    assert (found["storage-account"].verdict, found["storage-account"].seen) == (
        Verdict.UNKNOWN,
        seen,
    )
    assert (found["signatures"].verdict, found["signatures"].seen) == (Verdict.UNKNOWN, seen)


def test_a_service_that_answers_and_is_in_trouble_is_an_error() -> None:
    answers = {**GOOD, POOLS: ServiceTroubleError("it has answered 503")}
    found = judge(answers, has_key=True)["batch-account"]
    assert (found.verdict, found.exit_code) == (Verdict.ERROR, ExitCode.SERVICE)


def test_nobody_is_signed_in() -> None:
    found = judge({**SIGNED_IN, IDENTITY: refused("AuthenticationFailed")}, has_key=False)
    assert found["signed-in"].verdict is Verdict.ERROR
    assert found["signed-in"].fix.startswith("`az login`")


def test_one_cause_is_one_error() -> None:
    nobody = refused("AuthenticationFailed")
    everything = (IDENTITY, POOLS, READ_JOB, CONTAINERS, READ_BLOB, DELEGATION, KIND)
    found = judge({**SIGNED_IN, **dict.fromkeys(everything, nobody)}, has_key=False)
    assert [each.check for each in found.values() if each.verdict is Verdict.ERROR] == ["signed-in"]
    assert {each.seen for check, each in found.items() if check != "signed-in"} == {
        "not known, since nobody is signed in"
    }


@pytest.mark.parametrize(
    ("kind", "verdict"),
    [
        (StorageKind(kind="FileStorage", sku="Premium_LRS", hierarchical=None), Verdict.ERROR),
        (StorageKind(kind="StorageV2", sku="Standard_LRS", hierarchical=False), Verdict.OK),
        (refused("AuthorizationPermissionMismatch"), Verdict.UNKNOWN),
    ],
)
def test_kinds_of_storage_accounts(kind: object, verdict: Verdict) -> None:
    assert judge({**GOOD, KIND: kind}, has_key=True)["storage-kind"].verdict is verdict


@pytest.mark.parametrize(
    ("answer", "verdict"), [((), Verdict.OK), (UsageError("it did not start"), Verdict.ERROR)]
)
def test_the_local_services(answer: tuple[()] | BatchRunError, verdict: Verdict) -> None:
    (found,) = judge_services([Counted(count=0), answer])
    assert found.verdict is verdict
