"""Finds the service of the account that a request's path or host names.

It must not know what the services do.
"""

from __future__ import annotations

from collections.abc import Coroutine, Mapping
from typing import Any

from runner.emulator.server.accounts import Account, Kind
from runner.emulator.server.addresses import Address, HostError
from runner.emulator.server.http import Request, Response, Service
from runner.emulator.server.record.recording import Recording

_NAMES = {Kind.BATCH: "Batch", Kind.BLOB: "storage"}


class AccountRouter:
    """All accounts of one port; no two have the same name, whatever their service.

    `/localbatch/pools` goes to the service of `localbatch`, and so does `/pools` at the host
    `localbatch.eastus.batch.localhost`. With a `recording`, every request to an account is written
    down.
    """

    def __init__(
        self, services: Mapping[Account, Service], *, recording: Recording | None = None
    ) -> None:
        self._services = {account.name: (account, service) for account, service in services.items()}
        self._recording = recording

    def handle(self, request: Request) -> Coroutine[Any, Any, Response]:
        """The answer of the account's service, or 404 naming the accounts that there are."""
        try:
            address = request.address
        except HostError:
            return _answer(400, "the Host header is not a name or an address, with a port or not\n")
        found = self._services.get(address.account)
        if found is None or address.kind not in (None, found[0].kind):
            return self._refuse(address)
        account, service = found
        if self._recording is not None:
            return self._recording.handle(service, account.name, request)
        return service.handle(request)

    def _refuse(self, address: Address) -> Coroutine[Any, Any, Response]:
        if address.kind is None:
            known = ", ".join(f"`/{name}`" for name in self._services)
            text = f"no account `{address.account}` here; the path begins with one of {known}\n"
        else:
            names = [name for name, (a, _) in self._services.items() if a.kind is address.kind]
            known = ", ".join(f"`{name}`" for name in names)
            kind = _NAMES[address.kind]
            text = f"no {kind} account `{address.account}` here; there is {known}\n"
        return _answer(404, text)


async def _answer(status: int, text: str) -> Response:
    return Response(
        status=status,
        headers=(("Content-Type", "text/plain; charset=utf-8"),),
        body=text.encode("utf-8"),
    )
