"""The async client of azure-batch behind the calls of the sync one, for tests that know only that.

It must not know what the tests ask for.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any, TypeVar

from azure.batch.aio import BatchClient
from azure.core.async_paging import AsyncItemPaged
from azure.core.polling import AsyncLROPoller

T = TypeVar("T")


class BlockingClient:
    """Every call runs to its end on a loop of its own."""

    def __init__(self, open_client: Callable[[], BatchClient]) -> None:
        self._loop = asyncio.new_event_loop()

        async def make() -> BatchClient:
            # The transport belongs to the loop that it is made on.
            client = open_client()
            await client.__aenter__()
            return client

        self._client = self._wait(make())

    def close(self) -> None:
        """Closes the client and its loop."""
        self._wait(self._client.__aexit__())
        self._wait(self._loop.shutdown_asyncgens())
        self._loop.close()

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """The method of the async client, as one that waits."""
        method = getattr(self._client, name)

        def call(*arguments: Any, **options: Any) -> Any:
            return self._unfold(method(*arguments, **options))

        return call

    def _unfold(self, answer: Any) -> Any:
        if inspect.iscoroutine(answer):
            answer = self._wait(answer)
        match answer:
            case AsyncItemPaged():
                return _Paged(self, answer)
            case AsyncLROPoller():
                return _Poller(self, answer)
            case AsyncIterator():
                return self.iterate(answer)
            case _:
                return answer

    def iterate(self, items: AsyncIterator[T]) -> Iterator[T]:
        """An async iterator as a plain one."""

        async def following() -> tuple[T] | None:
            try:
                return (await anext(items),)
            except StopAsyncIteration:
                return None

        while (item := self._wait(following())) is not None:
            yield item[0]

    def wait(self, what: Awaitable[T]) -> T:
        """The result of an awaitable."""
        return self._wait(what)

    def _wait(self, what: Awaitable[T]) -> T:
        async def awaited() -> T:
            return await what

        return self._loop.run_until_complete(awaited())


class _Paged:
    def __init__(self, client: BlockingClient, paged: AsyncItemPaged[Any]) -> None:
        self._client = client
        self._paged = paged

    def __iter__(self) -> Iterator[Any]:
        return self._client.iterate(aiter(self._paged))

    def by_page(self, continuation_token: str | None = None) -> Iterator[Iterator[Any]]:
        for page in self._client.iterate(self._paged.by_page(continuation_token)):
            yield self._client.iterate(page)


class _Poller:
    def __init__(self, client: BlockingClient, poller: AsyncLROPoller[Any]) -> None:
        self._client = client
        self._poller = poller

    def wait(self) -> None:
        self._client.wait(self._poller.wait())

    def result(self) -> Any:
        return self._client.wait(self._poller.result())

    def done(self) -> bool:
        return self._poller.done()
