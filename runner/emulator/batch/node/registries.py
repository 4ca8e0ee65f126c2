"""Registries of container images: who logs in to one, and which one an image is of.

It must not know how an engine logs in.
"""

from __future__ import annotations

from dataclasses import field

from runner.emulator.storage.record import record

DOCKER_HUB = "docker.io"
_NAMES_OF_DOCKER_HUB = frozenset({"index.docker.io", "registry-1.docker.io", "hub.docker.com"})
HIDDEN = "***"


@record(frozen=True, slots=True, kw_only=True)
class Registry:
    """REST: `ContainerRegistryReference`; without a password nobody logs in."""

    server: str
    username: str
    password: str | None = field(repr=False)
    by_identity: bool = False
    """Whether a managed identity is to open it."""

    @property
    def address(self) -> str:
        """The server as engines take it."""
        return self.server.partition("://")[2].rstrip("/") or self.server.rstrip("/") or DOCKER_HUB

    @property
    def host(self) -> str:
        """By which images name it."""
        return _host(self.address.partition("/")[0])

    def without_password(self, text: str) -> str:
        """What an engine said, for all to read."""
        return text.replace(self.password, HIDDEN) if self.password else text


def host_of_image(image: str) -> str:
    """The registry of an image: its first part, where that looks like a host."""
    first, slash, _ = image.partition("/")
    is_host = slash and ("." in first or ":" in first or first == "localhost")
    return _host(first if is_host else DOCKER_HUB)


def _host(name: str) -> str:
    name = name.lower()
    return DOCKER_HUB if name in _NAMES_OF_DOCKER_HUB else name
