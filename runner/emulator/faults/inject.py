"""Stands before a service and has its requests struck by the faults that rules ask for.

It must not know which rule strikes when (`choose`), nor what the service does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from runner.emulator.faults.answers import write_answer
from runner.emulator.faults.choose import Faults, Strike
from runner.emulator.faults.naming import name_operation
from runner.emulator.faults.rules import ErrorAnswer, Latency, Reset, Silence, Stage
from runner.emulator.server.accounts import Account
from runner.emulator.server.breaking import NoAnswerError, break_off
from runner.emulator.server.http import Request, Response, Service


class FaultyService:
    """The service of an account; as long as no rule is about requests, nothing is looked at."""

    def __init__(
        self,
        service: Service,
        *,
        account: Account,
        faults: Faults,
        clock: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """`sleep` waits for so many seconds."""
        self._service = service
        self._account = account
        self._faults = faults
        self._clock = clock
        self._sleep = sleep

    def handle(self, request: Request) -> Coroutine[Any, Any, Response]:
        """The service's answer, or what is made of it; raises `NoAnswerError` for none."""
        if not self._faults.strikes_requests:
            return self._service.handle(request)
        return self._put_to_rules(request)

    async def _put_to_rules(self, request: Request) -> Response:
        kind = self._account.kind
        strikes = self._faults.of_request(
            {
                "service": kind.value,
                "account": self._account.name,
                "operation": name_operation(kind, request),
            }
        )
        if not strikes:
            return await self._service.handle(request)
        names = tuple(strike.name for strike in strikes)
        response = await self._strike(request, strikes, names)
        return replace(response, faults=names)

    async def _strike(
        self, request: Request, strikes: tuple[Strike, ...], names: tuple[str, ...]
    ) -> Response:
        for strike in strikes:
            match strike.effect:
                case Latency():
                    await self._sleep(_length(strike.effect, strike.draw).total_seconds())
                case ErrorAnswer():
                    if strike.effect.stage is Stage.AFTER:
                        await self._do(request)
                    now = self._clock()
                    return write_answer(self._account.kind, strike.effect, request, now)
                case Silence():
                    if strike.effect.stage is Stage.AFTER:
                        await self._do(request)
                    raise NoAnswerError(names, silence=strike.effect.length)
                case Reset():
                    return await self._reset(request, strike.effect.stage, names)
                case _:
                    raise AssertionError(strike.effect)
        return await self._service.handle(request)

    async def _reset(self, request: Request, stage: Stage, names: tuple[str, ...]) -> Response:
        if stage is Stage.BEFORE:
            raise NoAnswerError(names, silence=timedelta())
        response = await self._service.handle(request)
        size = _size_of(response)
        if stage is Stage.AFTER or size == 0 or request.method == "HEAD":
            await _discard(response)
            raise NoAnswerError(names, silence=timedelta())
        headers = response.headers
        if not any(name.lower() in _SIZES for name, _ in headers) and size is not None:
            headers = (*headers, ("Content-Length", str(size)))
        half = 1 if size is None else max(1, size // 2)
        return replace(response, headers=headers, body=break_off(response.body, half))

    async def _do(self, request: Request) -> None:
        await _discard(await self._service.handle(request))


_SIZES = ("content-length", "transfer-encoding")


def _length(latency: Latency, draw: float) -> timedelta:
    return latency.shortest + draw * (latency.longest - latency.shortest)


def _size_of(response: Response) -> int | None:
    if isinstance(response.body, bytes):
        return len(response.body)
    for name, value in response.headers:
        if name.lower() == "content-length":
            return int(value)
    return None


async def _discard(response: Response) -> None:
    close = getattr(response.body, "aclose", None)
    if close is not None:
        await close()
