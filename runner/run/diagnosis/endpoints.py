"""Judges what answers at the endpoints: names, certificates, clocks and regions.

It must not know who may do what there.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import timedelta
from urllib.parse import urlsplit

from runner.run.diagnosis.answers import Answers, Contact, Quotas, failed
from runner.run.diagnosis.finding import Finding, of_error, ok, unknown, warning, wrong

REACH_BATCH, REACH_STORAGE = "reach batch", "reach storage"
LARGEST_SKEW = timedelta(minutes=15)
"""Requests that are signed by a key are refused beyond it (REST: Shared Key)."""
_SMALL_SKEW = timedelta(minutes=2)
_CLOCK_FIX = "set this machine's clock by the network (on Linux `timedatectl set-ntp true`)"


def judge_endpoints(
    answers: Answers, *, batch_endpoint: str, storage_endpoint: str, quotas: Quotas | None
) -> Iterator[Finding]:
    """Both endpoints, and how far the clocks are apart."""
    contacts: list[tuple[str, Contact]] = []
    for check, question, service, endpoint in (
        ("batch", REACH_BATCH, "Azure Batch", batch_endpoint),
        ("storage", REACH_STORAGE, "Blob Storage", storage_endpoint),
    ):
        answer = answers[question]
        error = failed(answer)
        if error is not None:
            yield of_error(f"{check}-endpoint", error)
            continue
        assert isinstance(answer, Contact)
        contacts.append((service, answer))
        yield _judge_contact(f"{check}-endpoint", endpoint, answer)
    yield _judge_clock(contacts)
    yield from _judge_regions(batch_endpoint, quotas)


def _judge_contact(check: str, endpoint: str, contact: Contact) -> Finding:
    where = endpoint.partition("://")[2]
    how = f"{where} answers"
    if contact.proxy is not None:
        how += f" by the proxy {contact.proxy}"
    elif any(_is_private(address) for address in contact.addresses):
        how += " at an address of this network"
    if contact.tls is not None:
        return ok(check, f"{how} over {contact.tls.replace('v', ' ')}")
    if _is_here(contact.addresses):
        return ok(check, f"{how} on this machine")
    return warning(
        check,
        f"{how} over plain HTTP: who listens on the way reads what is sent",
        "write the endpoint with `https://`",
    )


def _is_private(address: str) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return False
    return found.is_private and not found.is_loopback


def _is_here(addresses: tuple[str, ...]) -> bool:
    try:
        return bool(addresses) and all(ipaddress.ip_address(each).is_loopback for each in addresses)
    except ValueError:
        return False


def _judge_clock(contacts: list[tuple[str, Contact]]) -> Finding:
    """The clock that is farthest from ours counts."""
    skews = [(each.at - each.date, name) for name, each in contacts if each.date is not None]
    if not skews:
        return unknown("clock", "no service has told its time")
    skew, service = max(skews, key=lambda found: abs(found[0]))
    minutes = round(abs(skew).total_seconds() / 60)
    words = f"this machine is {minutes} minutes {'ahead of' if skew > timedelta() else 'behind'}"
    if abs(skew) >= LARGEST_SKEW:
        return wrong(
            "clock", f"{words} {service}, which refuses signatures that are 15 off", _CLOCK_FIX
        )
    if abs(skew) >= _SMALL_SKEW:
        return warning("clock", f"{words} {service}; from 15 on it refuses signatures", _CLOCK_FIX)
    return ok("clock", "this machine's clock and the services' agree")


def _judge_regions(batch_endpoint: str, quotas: Quotas | None) -> Iterator[Finding]:
    """Where the Batch account is; a storage account does not say where it is to who may use it."""
    labels = (urlsplit(batch_endpoint).hostname or "").split(".")
    region = labels[1] if len(labels) > 3 and labels[2] == "batch" else ""
    region = (quotas.location if quotas is not None else "") or region
    if region:
        yield unknown(
            "region",
            f"the Batch account is in {region}; a storage account does not tell where it is",
            "`az storage account show --name NAME --query primaryLocation`: in another region each"
            " byte costs money and time",
        )
