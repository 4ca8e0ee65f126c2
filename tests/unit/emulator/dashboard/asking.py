"""Asks the port of a page as programs do, with any headers; knows nothing of what is answered."""

from __future__ import annotations

import http.client
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back; names of headers in lower case."""

    status: int
    headers: dict[str, str]
    content: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.content)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """The port of a page, and its token."""

    port: int
    token: str

    def ask(self, path: str, method: str = "GET", body: object = None, **headers: str) -> Answer:
        """With the token, unless `Authorization` is given; `_` in names stands for `-`."""
        sent = {"Authorization": f"Bearer {self.token}"}
        sent.update({name.replace("_", "-"): value for name, value in headers.items()})
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            content = None if body is None else json.dumps(body)
            connection.request(method, path, body=content, headers=sent)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(status=response.status, headers=found, content=response.read())
        finally:
            connection.close()

    def look(self, path: str) -> Any:
        """The JSON at a path of the page's own."""
        answer = self.ask(f"/.emulator/dashboard/{path}")
        assert answer.status == 200, answer
        return answer.json


def page_at(address: str | None) -> Page:
    """The page that an emulator has announced."""
    assert address is not None
    port = urlsplit(address).port
    assert port is not None
    return Page(port=port, token=address.partition("#token=")[2])
