"""How podman and docker log in to registries of images, apart from whoever uses the machine.

It must not know which images are wanted, nor run anything.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from runner.emulator.batch.node.containers import ContainerError, ContainerFailure
from runner.emulator.batch.node.registries import Registry
from runner.emulator.privacy import make_private_directory

SHOW_DAEMON = ("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
"""Where docker's daemon is, which is noted beside what docker is logged in to."""

_PODMAN_FILE = "auth.json"
_DOCKER_FILE = "config.json"
# Docker looks for a keychain of the machine to put passwords in, but where it has a login already.
_NO_KEYCHAIN = {"batch-run.invalid": {"auth": ""}}


@contextmanager
def open_login_folder(parent: Path | None) -> Iterator[Path]:
    """A folder for what an engine is logged in to, which its owner alone can enter."""
    # Imported here: it takes a while, and few tasks run in containers.
    import tempfile

    if parent is not None:
        make_private_directory(parent)
    with tempfile.TemporaryDirectory(prefix="login-", dir=parent) as name:
        folder = Path(name)
        for file, logins in ((_PODMAN_FILE, {}), (_DOCKER_FILE, _NO_KEYCHAIN)):
            path = folder / file
            path.touch(mode=0o600)
            path.write_text(json.dumps({"auths": logins}))
        yield folder


def login_variables(folder: Path) -> dict[str, str]:
    """By which both engines find what they are logged in to."""
    return {"REGISTRY_AUTH_FILE": str(folder / _PODMAN_FILE), "DOCKER_CONFIG": str(folder)}


def login_words(registry: Registry) -> list[str]:
    """The words that have either engine log in by a password on its standard input.

    Raises `ContainerError` where no words do.
    """
    if registry.by_identity:
        message = (
            f"the registry {registry.address} is to be opened by a managed identity, which the"
            " emulator does not have; give it a `username` and a `password`"
        )
        raise ContainerError(ContainerFailure.IMAGE, message)
    if not all(map(_is_text, (registry.server, registry.username, registry.password or ""))):
        message = "the server, user name or password of a registry has characters that no text has"
        raise ContainerError(ContainerFailure.IMAGE, message)
    # What begins like an option is none.
    name = f"--username={registry.username}"
    return ["login", name, "--password-stdin", "--", registry.address]


def _is_text(value: str) -> bool:
    """JSON has strings that no program can be given."""
    return not any(character == "\0" or "\ud800" <= character <= "\udfff" for character in value)


def login_failed(registry: Registry, said: bytes) -> ContainerError:
    """Why images of a registry cannot be had, in the engine's words without the password."""
    reason = registry.without_password(said.decode("utf-8", "replace").strip())
    message = f"no login to the registry {registry.address}: {reason or 'no reason was given'}"
    return ContainerError(ContainerFailure.IMAGE, message)
