"""Judges the machine that a run is driven from: variables, versions, folder, room, proxy.

It asks nothing itself: what there is, is given.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from runner.frozen import dataclass
from runner.run.diagnosis.finding import Finding, ok, unknown, warning, wrong

BATCH = ("AZURE_BATCH_ENDPOINT", "AZURE_BATCH_ACCOUNT", "AZURE_BATCH_ACCESS_KEY")
STORAGE = (
    *("AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT", "AZURE_STORAGE_KEY"),
    "AZURE_STORAGE_BLOB_ENDPOINT",
)
_SIGNED_IN = (
    *("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET"),
    *("AZURE_CLIENT_CERTIFICATE_PATH", "AZURE_FEDERATED_TOKEN_FILE", "IDENTITY_ENDPOINT"),
)
_LITTLE_ROOM = 1024**3
_GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """What there is; `versions` by the name of a package, `folder_problem` why nothing can be
    written there.

    `free_bytes` is the room on the disk of the folder, None where nobody can say.
    """

    target: str
    why: str
    environ: Mapping[str, str]
    versions: Mapping[str, str]
    folder_problem: str | None
    free_bytes: int | None


def judge_machine(machine: Machine) -> Iterator[Finding]:
    """All that can be said before anybody is asked."""
    yield ok("target", f"{machine.target}, {machine.why}")
    yield ok("versions", ", ".join(f"{name} {each}" for name, each in machine.versions.items()))
    if machine.target == "azure":
        yield from _judge_variables(machine.environ)
    yield from _judge_folder(machine)


def _judge_variables(environ: Mapping[str, str]) -> Iterator[Finding]:
    """Those that are set, and those that say different things; never what a key is."""
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    named = [name for name in (*BATCH, *STORAGE, *_SIGNED_IN) if name in given]
    yield ok("variables", f"set: {', '.join(named)}")
    yield from _disagreeing(given)


def _disagreeing(given: Mapping[str, str]) -> Iterator[Finding]:
    text = given.get("AZURE_STORAGE_CONNECTION_STRING", "")
    parts = dict(part.partition("=")[::2] for part in text.split(";"))
    account, inside = given.get("AZURE_STORAGE_ACCOUNT"), parts.get("AccountName", "").strip()
    if account and inside and account != inside:
        yield warning(
            "variables",
            f"AZURE_STORAGE_ACCOUNT is `{account}`, and AZURE_STORAGE_CONNECTION_STRING is of"
            f" `{inside}`, which counts",
            "unset the one that is not meant",
        )
    elif text and "AZURE_STORAGE_KEY" in given:
        yield warning(
            "variables",
            "AZURE_STORAGE_KEY is not used, since AZURE_STORAGE_CONNECTION_STRING is set",
            "unset the one that is not meant",
        )
    if "AZURE_STORAGE_SAS_TOKEN" in given:
        yield warning(
            "variables",
            "AZURE_STORAGE_SAS_TOKEN is not used: a run signs for its nodes itself",
            "set AZURE_STORAGE_KEY, or sign in as somebody who may do that (`az login`)",
        )
    endpoint, batch = given.get("AZURE_BATCH_ENDPOINT", ""), given.get("AZURE_BATCH_ACCOUNT")
    host = (urlsplit(endpoint if "://" in endpoint else f"https://{endpoint}").hostname) or ""
    first, _, rest = host.partition(".")
    if batch and ".batch." in f".{rest}" and first != batch.lower():
        yield wrong(
            "variables",
            f"AZURE_BATCH_ACCOUNT is `{batch}`, and AZURE_BATCH_ENDPOINT is of `{first}`",
            "`az batch account show --query accountEndpoint` tells the endpoint of an account",
        )


def _judge_folder(machine: Machine) -> Iterator[Finding]:
    if machine.folder_problem is not None:
        yield wrong(
            "folder",
            f"runs cannot be written down here: {machine.folder_problem}",
            "run it in a folder that you may write to",
        )
    else:
        yield ok("folder", "runs can be written down here")
    if machine.free_bytes is None:
        yield unknown("disk", "nobody can say how much room there is for results")
        return
    room = f"{machine.free_bytes / _GIB:,.1f} GiB free for results"
    if machine.free_bytes < _LITTLE_ROOM:
        yield warning("disk", room, "make room, or name another disk with `--output DIR`")
    else:
        yield ok("disk", room)
