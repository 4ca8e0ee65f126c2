"""Endpoints, and how far clocks are apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from runner.errors import ExitCode, ServiceUnreachableError
from runner.run.diagnosis.answers import Contact
from runner.run.diagnosis.endpoints import REACH_BATCH, REACH_STORAGE, judge_endpoints
from runner.run.diagnosis.finding import Finding, Verdict
from tests.fakes.services import NOW

BATCH = "https://mine.westeurope.batch.azure.com"
STORAGE = "https://mine.blob.core.windows.net"


def contact(
    *,
    skew: timedelta = timedelta(),
    addresses: tuple[str, ...] = ("20.1.2.3",),
    proxy: str | None = None,
    tls: str | None = "TLSv1.3",
) -> Contact:
    return Contact(addresses=addresses, proxy=proxy, tls=tls, date=NOW, at=NOW + skew)


def judge(batch: object, storage: object) -> dict[str, Finding]:
    answers = {REACH_BATCH: batch, REACH_STORAGE: storage}
    found = judge_endpoints(answers, batch_endpoint=BATCH, storage_endpoint=STORAGE, quotas=None)
    return {finding.check: finding for finding in found}


def test_both_answer() -> None:
    found = judge(contact(), contact(addresses=("10.0.0.4",)))
    assert {check: each.seen for check, each in found.items()} == {
        "batch-endpoint": "mine.westeurope.batch.azure.com answers over TLS 1.3",
        "storage-endpoint": (
            "mine.blob.core.windows.net answers at an address of this network over TLS 1.3"
        ),
        "clock": "this machine's clock and the services' agree",
        "region": (
            "the Batch account is in westeurope; a storage account does not tell where it is"
        ),
    }


def test_by_a_proxy_and_in_the_clear() -> None:
    found = judge(contact(proxy="proxy:8080", addresses=()), contact(tls=None))
    assert found["batch-endpoint"].seen.endswith("answers by the proxy proxy:8080 over TLS 1.3")
    assert found["storage-endpoint"].verdict is Verdict.WARNING
    here = judge(contact(), contact(tls=None, addresses=("127.0.0.1",)))
    assert here["storage-endpoint"].verdict is Verdict.OK


def test_one_is_out_of_reach() -> None:
    found = judge(ServiceUnreachableError("no route", hint="check it"), contact())
    batch = found["batch-endpoint"]
    assert (batch.verdict, batch.seen, batch.fix, batch.exit_code) == (
        Verdict.ERROR,
        "no route",
        "check it",
        ExitCode.SERVICE,
    )
    assert found["storage-endpoint"].verdict is Verdict.OK


@pytest.mark.parametrize(
    ("minutes", "verdict", "words"),
    [
        (1, Verdict.OK, "agree"),
        (-1, Verdict.OK, "agree"),
        (3, Verdict.WARNING, "3 minutes ahead of Blob Storage; from 15 on"),
        (15, Verdict.ERROR, "15 minutes ahead of Blob Storage, which refuses"),
        (-20, Verdict.ERROR, "20 minutes behind Blob Storage, which refuses"),
    ],
)
def test_clocks_that_are_apart(minutes: int, verdict: Verdict, words: str) -> None:
    found = judge(contact(), contact(skew=timedelta(minutes=minutes)))["clock"]
    assert found.verdict is verdict
    assert words in found.seen
