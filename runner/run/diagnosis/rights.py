"""Judges what whoever signs in may do, by what harmless requests were answered.

It must not know how they were sent. What a refusal means differs by its code: a key, a role, a
firewall and a clock are mended in different places.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from runner.errors import BatchRunError, ServiceRefusedError, ServiceTroubleError
from runner.frozen import dataclass
from runner.run.diagnosis.answers import Answers, Counted, Identity, StorageKind, failed
from runner.run.diagnosis.finding import Finding, of_error, ok, unknown, warning, wrong

IDENTITY, POOLS, JOBS, READ_JOB = "identity", "pools", "jobs", "read a job"
CONTAINERS, READ_BLOB = "containers", "read a blob"
DELEGATION, KIND = "delegation", "storage kind"
BATCH_ROLE, BLOB_ROLE = "Azure Batch Data Contributor", "Storage Blob Data Contributor"
DELEGATOR_ROLE = "Storage Blob Delegator"
TRY = "`batch-run doctor --run SPEC` tries it with one task, and takes all of it away"
_ASSIGN = "`az role assignment create --role '{role}' --assignee WHO --scope ACCOUNT_ID`"
_SHUT = "the account lets nobody in"
_BLOCKS_ONLY = frozenset({"PageBlobStorage", "FileStorage"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How an account is signed in to; `key_variable` is where its key stands, or would.

    `reached` is the question whether its endpoint answers, and `lets_in` the first one that wants
    a credential.
    """

    check: str
    reached: str
    lets_in: str
    service: str
    account: str
    has_key: bool
    key_variable: str
    role: str

    @property
    def how(self) -> str:
        """In words."""
        return f"the key in {self.key_variable}" if self.has_key else "who is signed in"


def judge_rights(answers: Answers, *, batch: Access, storage: Access) -> Iterator[Finding]:
    """Who signs in, and what of a run's needs was granted when it was tried."""
    if IDENTITY in answers:
        yield _judge_identity(answers[IDENTITY])
    yield _judge(answers, batch, "batch-account", POOLS, "lists pools")
    if failed(answers[POOLS]) is None:
        yield _judge(answers, batch, "batch-jobs", READ_JOB, "reads jobs")
        if not batch.has_key:
            yield unknown("batch-writes", "nobody can say who may make pools and jobs", TRY)
    yield _judge(answers, storage, "storage-account", CONTAINERS, "lists containers")
    if failed(answers[CONTAINERS]) is None:
        yield _judge(answers, storage, "storage-blobs", READ_BLOB, "reads blobs")
        if not storage.has_key:
            yield unknown("storage-writes", "nobody can say who may write blobs", TRY)
    yield _judge_signatures(answers, storage)
    yield _judge_kind(answers, storage)


def judge_services(answers: Iterable[object]) -> Iterator[Finding]:
    """The services of the local target, whose keys are nobody's to give."""
    errors = [error for error in map(failed, answers) if error is not None]
    if errors:
        yield of_error("services", errors[0], "`batch-run emulator` starts them alone, to look at")
    else:
        yield ok("services", "an emulator of Azure Batch and Blob Storage starts, and answers")


def _judge_identity(answer: object) -> Finding:
    error = failed(answer)
    if error is not None:
        return of_error(
            "signed-in",
            error,
            "`az login`, or AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_CLIENT_SECRET, or a managed"
            " identity; or set the accounts' keys",
        )
    assert isinstance(answer, Identity)
    what = "application" if answer.is_application else "user"
    return ok("signed-in", f"{what} {answer.name or '?'} of tenant {answer.tenant or '?'}")


def _judge(answers: Answers, access: Access, check: str, question: str, does: str) -> Finding:
    answer = answers[question]
    error = failed(answer)
    if error is None:
        count = ""
        if isinstance(answer, Counted):
            count = f": {answer.count}{' or more' if answer.more else ''}"
        return ok(check, f"{access.how} {does}{count}")
    reason = why_unknown(answers, access)
    if reason is not None and (question != access.lets_in or reason != _SHUT):
        return not_known(check, reason)
    return of_refusal(check, error, access)


def why_unknown(answers: Answers, access: Access) -> str | None:
    """Why nothing can be known of an account, which is told once and not of each question."""
    error = failed(answers[access.lets_in])
    if error is None:
        return None
    if isinstance(error, ServiceTroubleError) and failed(answers[access.reached]) is not None:
        return "the endpoint does not answer"
    if not access.has_key and failed(answers.get(IDENTITY)) is not None:
        return "nobody is signed in"
    return _SHUT


def not_known(check: str, reason: str) -> Finding:
    """For what could not be asked."""
    return unknown(check, f"not known, since {reason}")


def of_refusal(check: str, error: BatchRunError, access: Access) -> Finding:
    """An error with the fix that fits its code."""
    if isinstance(error, ServiceTroubleError):
        return of_error(check, error, "check the network; the lines on endpoints say more")
    if not isinstance(error, ServiceRefusedError):
        return of_error(check, error)
    return of_error(check, error, _fix(error.code, access) or error.hint or "")


def _fix(code: str, access: Access) -> str:
    assign = _ASSIGN.format(role=access.role)
    show = "batch account show" if access.check == "batch" else "storage account show"
    match code:
        case "AuthenticationFailed" | "InvalidAuthenticationInfo" if access.has_key:
            return (
                f"check that {access.key_variable} is a key of `{access.account}`, copied whole,"
                " and the line on the clock"
            )
        case "AuthenticationFailed" | "InvalidAuthenticationInfo" | "NoAuthenticationInformation":
            return f"`az login` in the tenant of `{access.account}`"
        case "KeyBasedAuthenticationNotPermitted" | "InsufficientAccountPermissions":
            return f"the account takes no keys: unset {access.key_variable}, `az login`, {assign}"
        case "AuthorizationPermissionMismatch" | "PermissionDenied" | "Forbidden":
            return f"the role `{access.role}` is missing: {assign}; it takes some minutes to count"
        case "AuthorizationFailure" if access.has_key or access.check == "storage":
            return (
                f"the account's network lets nobody in from here: `az {show} --name"
                f" {access.account} --query publicNetworkAccess`; add this address to its rules"
            )
        case "AuthorizationFailure":
            return (
                f"either the role `{access.role}` is missing ({assign}), or the account's network"
                " lets nobody in from here"
            )
        case _:
            return ""


def _judge_signatures(answers: Answers, storage: Access) -> Finding:
    """Nodes reach containers by signatures (SAS) alone."""
    if storage.has_key:
        return ok("signatures", "nodes get signatures (SAS) that the account's key makes")
    error = failed(answers[DELEGATION])
    reason = why_unknown(answers, storage)
    if error is not None and reason is not None:
        return not_known("signatures", reason)
    if error is None:
        return warning(
            "signatures",
            "nodes get signatures of a user delegation key, which live for 7 days at most",
            f"fine for shorter runs; for longer ones set {storage.key_variable}",
        )
    if isinstance(error, ServiceRefusedError) and error.code == "AuthorizationPermissionMismatch":
        assign = _ASSIGN.format(role=DELEGATOR_ROLE)
        return wrong(
            "signatures",
            error.message,
            f"one of the roles `{BLOB_ROLE}` and `{DELEGATOR_ROLE}` is missing, for the account as"
            f" a whole: {assign}",
            code=error.exit_code,
        )
    return of_refusal("signatures", error, storage)


def _judge_kind(answers: Answers, storage: Access) -> Finding:
    answer, reason = answers[KIND], why_unknown(answers, storage)
    if reason is not None and failed(answer) is not None:
        return not_known("storage-kind", reason)
    if failed(answer) is not None:
        return unknown(
            "storage-kind",
            "nobody can say which kind of storage account it is",
            f"`az storage account show --name {storage.account} --query kind`: StorageV2 is best",
        )
    assert isinstance(answer, StorageKind)
    lake = ", with folders of its own (hierarchical namespace)" if answer.hierarchical else ""
    seen = f"{answer.kind}, {answer.sku}{lake}"
    if answer.kind in _BLOCKS_ONLY:
        return wrong(
            "storage-kind",
            f"{seen}: it takes no block blobs, which inputs and outputs are",
            "use an account of the kind StorageV2",
        )
    return ok("storage-kind", seen)
