"""A client of the Language Server Protocol: as much as an editor needs for one YAML file.

It knows nothing of YAML. Every wait has a deadline. Positions count lines and characters from 0.
Source: Language Server Protocol 3.17.
"""

from __future__ import annotations

import json
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import IO, Any

LIMIT_SECONDS = 60.0

Message = dict[str, Any]


class LanguageServer:
    """A server over the pipes of a process, and the diagnostics that it has published."""

    def __init__(self, command: Sequence[str], folder: Path) -> None:
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._changed = threading.Condition()
        self._answers: dict[int, Message] = {}
        self._diagnostics: dict[str, list[Message]] = {}
        self._last_id = 0
        self._ended = False
        threading.Thread(target=self._read, name="language-server", daemon=True).start()
        self.request(
            "initialize",
            {
                "processId": None,
                "rootUri": folder.as_uri(),
                "workspaceFolders": [{"uri": folder.as_uri(), "name": folder.name}],
                "capabilities": {
                    "textDocument": {
                        "publishDiagnostics": {},
                        "completion": {"completionItem": {"snippetSupport": True}},
                        "hover": {"contentFormat": ["markdown"]},
                    }
                },
            },
        )
        self._notify("initialized", {})
        # The store is on the network, and none of our files is in it.
        settings = {"yaml": {"schemaStore": {"enable": False}}}
        self._notify("workspace/didChangeConfiguration", {"settings": settings})

    def open(self, uri: str, text: str) -> None:
        """Shows the server a file as an editor holds it; it need not be on the disk."""
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self._notify("textDocument/didOpen", {"textDocument": document})

    def diagnostics(self, uri: str) -> list[Message]:
        """What the server has to say about an open file, once it has."""
        self._wait(lambda: uri in self._diagnostics, f"diagnostics of {uri}")
        return self._diagnostics[uri]

    def complete(self, uri: str, line: int, character: int) -> list[str]:
        """The labels that can be put in at a place."""
        result = self._ask_at("textDocument/completion", uri, line, character)
        return [item["label"] for item in (result or {}).get("items", [])]

    def hover(self, uri: str, line: int, character: int) -> str:
        """The text that is shown for what stands at a place, empty for none."""
        result = self._ask_at("textDocument/hover", uri, line, character)
        contents = (result or {}).get("contents", "")
        return str(contents["value"] if isinstance(contents, dict) else contents)

    def close(self) -> None:
        """Ends the server in the order of the protocol, or by force at the deadline."""
        try:
            self.request("shutdown", None)
            self._notify("exit", None)
            self._process.wait(LIMIT_SECONDS)
        finally:
            self._process.kill()
            self._process.wait(LIMIT_SECONDS)
            for stream in (self._process.stdin, self._process.stdout):
                assert stream is not None
                stream.close()

    def request(self, method: str, params: object) -> Any:
        """The result of a request; fails where the server refuses it."""
        self._last_id += 1
        number = self._last_id
        self._send({"id": number, "method": method, "params": params})
        self._wait(lambda: number in self._answers, f"the answer to {method}")
        answer = self._answers.pop(number)
        assert "error" not in answer, answer["error"]
        return answer["result"]

    def _ask_at(self, method: str, uri: str, line: int, character: int) -> Any:
        place = {"line": line, "character": character}
        return self.request(method, {"textDocument": {"uri": uri}, "position": place})

    def _notify(self, method: str, params: object) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: Message) -> None:
        if message.get("params", message) is None:
            del message["params"]
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin is not None
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _wait(self, is_there: Callable[[], bool], what: str) -> None:
        deadline = time.monotonic() + LIMIT_SECONDS
        with self._changed:
            while not is_there():
                assert not self._ended, f"the server ended before {what}"
                left = deadline - time.monotonic()
                assert left > 0, f"timed out waiting for {what}"
                self._changed.wait(left)

    def _read(self) -> None:
        """Takes messages until the server ends; runs on a thread of its own."""
        assert self._process.stdout is not None
        try:
            while (message := _read_message(self._process.stdout)) is not None:
                with self._changed:
                    self._take(message)
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def _take(self, message: Message) -> None:
        if "method" not in message:
            self._answers[message["id"]] = message
        elif "id" in message:  # a question to the editor: there is nothing to tell
            asked = message.get("params") or {}
            nothing = [None] * len(asked["items"]) if "items" in asked else None
            self._send({"id": message["id"], "result": nothing})
        elif message["method"] == "textDocument/publishDiagnostics":
            self._diagnostics[message["params"]["uri"]] = message["params"]["diagnostics"]


def _read_message(stream: IO[bytes]) -> Message | None:
    """The next message, None where the stream ends."""
    length = 0
    while (line := stream.readline().strip()) != b"":
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    body = stream.read(length) if length else b""
    message: Message | None = json.loads(body) if body else None
    return message
