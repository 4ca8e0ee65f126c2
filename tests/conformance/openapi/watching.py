"""Lets a judge see what a client of azure-core, sync or async, is answered.

It must not know what the judge looks for.
"""

from __future__ import annotations

from typing import Any

from azure.core.exceptions import ResponseNotReadError
from azure.core.pipeline import PipelineRequest, PipelineResponse
from azure.core.pipeline.policies import SansIOHTTPPolicy

from tests.conformance.openapi.exchange import exchange
from tests.conformance.openapi.judging import Judge


class Watch(SansIOHTTPPolicy[Any, Any]):
    """A policy for `per_retry_policies`: every single answer passes it."""

    def __init__(self, judge: Judge, endpoint: str) -> None:
        super().__init__()
        self._judge = judge
        self._endpoint = endpoint

    def on_response(
        self, request: PipelineRequest[Any], response: PipelineResponse[Any, Any]
    ) -> None:
        """Hands the exchange to the judge; a body that the client streams is left to it."""
        asked, answer = request.http_request, response.http_response
        try:
            content: bytes | None = answer.content
        except ResponseNotReadError:
            content = None
        self._judge.judge(
            exchange(
                method=asked.method,
                url=asked.url,
                endpoint=self._endpoint,
                asked=asked.headers,
                status=answer.status_code,
                headers=answer.headers,
                content=content,
            )
        )
