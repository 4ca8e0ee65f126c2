"""Logins to registries, by a script that stands for docker: what it is told, and what it sees."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from runner.emulator.batch.isolation.engine import EngineContainers
from runner.emulator.batch.node.containers import ContainerError
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.registries import Registry, host_of_image

# The machine's own podman must not be asked.
NO_PODMAN = "#!/bin/sh\nexit 1\n"
DOCKER = r"""#!/bin/bash
echo "$@ host=$DOCKER_HOST context=$DOCKER_CONTEXT config=${DOCKER_CONFIG:+own}" >> "$0.log"
case "$1" in
  context) echo unix:///run/mine.sock;;
  image) exit 1;;
  login) cat > "$0.password"; cp "$DOCKER_CONFIG/config.json" "$0.config";;
esac
"""


@pytest.fixture
def docker(tmp_path: Path) -> Path:
    folder = tmp_path / "bin"
    folder.mkdir()
    for name, script in (("podman", NO_PODMAN), ("docker", DOCKER)):
        (folder / name).write_text(script)
        (folder / name).chmod(0o755)
    return folder / "docker"


def test_docker_keeps_its_daemon_and_asks_no_keychain(tmp_path: Path, docker: Path) -> None:
    environ = {"PATH": f"{docker.parent}:/usr/bin:/bin", "DOCKER_CONTEXT": "mine"}
    containers = EngineContainers(environ, logins=tmp_path / "logins")
    registry = Registry(server="https://r.io/", username="-me", password="two words\n")

    with containers.log_in([registry], Interruption()) as access:
        containers.pull("r.io/tool", Interruption(), access)
        containers.pull("tool", Interruption(), access)

    private = "host=unix:///run/mine.sock context= config=own"
    assert Path(f"{docker}.log").read_text().splitlines() == [
        "info host= context=mine config=",
        "context inspect --format {{.Endpoints.docker.Host}} host= context=mine config=",
        f"login --username=-me --password-stdin -- r.io {private}",
        "context inspect --format {{.Endpoints.docker.Host}} host= context=mine config=",
        "image inspect r.io/tool host= context=mine config=",
        f"pull --quiet r.io/tool {private}",
        "image inspect tool host= context=mine config=",
        "pull --quiet tool host= context=mine config=",
    ]
    assert Path(f"{docker}.password").read_text() == "two words\n"
    assert json.loads(Path(f"{docker}.config").read_text())["auths"] != {}
    assert list((tmp_path / "logins").iterdir()) == []


@pytest.mark.parametrize("odd", ["a\0b", "\ud800"])
@pytest.mark.parametrize("where", ["server", "username", "password"])
def test_what_is_no_text_opens_nothing(tmp_path: Path, docker: Path, odd: str, where: str) -> None:
    containers = EngineContainers({"PATH": f"{docker.parent}:/usr/bin:/bin"}, logins=tmp_path)
    given = {"server": "r.io", "username": "me", "password": "secret", where: odd}
    registry = Registry(**given)  # type: ignore[arg-type]

    with pytest.raises(ContainerError) as caught, containers.log_in([registry], Interruption()):
        raise AssertionError("nobody may get in")

    assert str(caught.value) == (
        "the server, user name or password of a registry has characters that no text has"
    )


@pytest.mark.parametrize(
    ("image", "host"),
    [
        ("busybox", "docker.io"),
        ("org/tool:1", "docker.io"),
        ("index.docker.io/org/tool", "docker.io"),
        ("R.io/tool", "r.io"),
        ("r.io:5000/a/b@sha256:0", "r.io:5000"),
        ("localhost/tool", "localhost"),
    ],
)
def test_the_registry_of_an_image(image: str, host: str) -> None:
    assert host_of_image(image) == host


@pytest.mark.parametrize(
    ("server", "address", "host"),
    [
        ("", "docker.io", "docker.io"),
        ("https://index.docker.io/v1/", "index.docker.io/v1", "docker.io"),
        ("My.azurecr.io", "My.azurecr.io", "my.azurecr.io"),
        ("r.io/org", "r.io/org", "r.io"),
    ],
)
def test_a_registry_by_its_server(server: str, address: str, host: str) -> None:
    registry = Registry(server=server, username="me", password="secret")

    assert (registry.address, registry.host) == (address, host)
    assert "secret" not in repr(registry)
