"""Finds the service of the account that a request's path begins with.

It must not know what the services do.
"""

from __future__ import annotations

from collections.abc import Mapping

from runner.emulator.server.http import Request, Response, Service
from runner.emulator.server.record.recording import Recording


class AccountRouter:
    """All accounts of one port: `/localbatch/pools` goes to the service of `localbatch`.

    With a `recording`, every request to an account is written down.
    """

    def __init__(
        self, services: Mapping[str, Service], *, recording: Recording | None = None
    ) -> None:
        self._services = dict(services)
        self._recording = recording

    async def handle(self, request: Request) -> Response:
        """The answer of the account's service, or 404 naming the accounts that there are."""
        account = request.raw_path[1:].partition("/")[0]
        service = self._services.get(account)
        if service is None:
            return self._refuse(account)
        if self._recording is not None:
            return await self._recording.handle(service, account, request)
        return await service.handle(request)

    def _refuse(self, account: str) -> Response:
        known = ", ".join(f"`/{name}`" for name in self._services)
        text = f"no account `{account}` here; the path begins with one of {known}\n"
        return Response(
            status=404,
            headers=(("Content-Type", "text/plain; charset=utf-8"),),
            body=text.encode("utf-8"),
        )
