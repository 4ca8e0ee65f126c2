"""What only Azure has: checked and planned in full here, and refused before anything is made."""

from __future__ import annotations

import json
import os

import pytest

from tests.e2e.conftest import User

WINDOWS = """\
version: 1
name: demo
containers:
  input: {upload: [{from: data}]}
  output: {download: true}
pool:
  image: {publisher: microsoftwindowsserver, offer: windowsserver, sku: 2022-datacenter-core}
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
task:
  for_each: input
  shell: cmd
  command: type {{ file.path }} > {{ file.stem }}.out
  outputs: [{pattern: "{{ file.stem }}.out", to: output}]
"""
LINUX = WINDOWS.replace(
    "{publisher: microsoftwindowsserver, offer: windowsserver, sku: 2022-datacenter-core}",
    "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}",
).replace("  shell: cmd\n  command: type {{", "  command: cat {{")


CONTAINER = LINUX.replace("  for_each", "  container: {image: busybox}\n  for_each").replace(
    "{publisher: canonical, offer: ubuntu-24_04-lts, sku: server}", "ubuntu 22.04 containers"
)
# Has every image, and runs here what follows it.
ENGINE = """\
if test "$1" = --runtime; then shift 2; fi
case "$1" in
  run) shift; while test "$1" != busybox; do
    if test "$1" = --workdir; then cd "$2" || exit; fi
    if test "$1" = --env-file; then . "$2"; fi
    shift; done; shift; exec "$@";;
esac
"""


def with_engine(user: User, script: str) -> User:
    """A user whose podman and docker are a script."""
    for name in ("podman", "docker"):
        user.write(f"engines/{name}", f"#!/bin/bash\n{script}\n").chmod(0o755)
    path = os.pathsep.join((str(user.folder / "engines"), user.environ["PATH"]))
    return user.with_environ(PATH=path)


def test_containers_are_run_here_where_something_runs_them(user: User) -> None:
    user = with_engine(user, ENGINE)
    user.write("spec.yaml", CONTAINER)
    user.write("data/a.txt", "from a container")

    planned = user.run("plan", "spec.yaml", "--target", "local")
    done = user.run("spec.yaml", "--target", "local")

    assert planned.returncode == 0, planned.stderr
    assert done.returncode == 0, done.stderr
    assert (user.folder / "results/demo/output/a.out").read_text() == "from a container"


def test_registries_are_logged_in_to_here(user: User) -> None:
    login = (
        'if test "$1" = login; then test "$(cat) $5" = "s3cret r.io" && touch "$0.in"; exit; fi\n'
    )
    pull = 'if test "$1 $2" = "image inspect"; then test -e "$0.in"; exit; fi\n'
    runtime, rest = ENGINE.split("\n", 1)
    user = with_engine(user, f"{runtime}\n{login}{pull}{rest}".replace("busybox", "r.io/tool"))
    text = CONTAINER.replace("busybox", "r.io/tool").replace(
        "  nodes:", "  registries: [{server: r.io, user: me, password_secret: MINE}]\n  nodes:"
    )
    user.write("spec.yaml", text)
    user.write("data/a.txt", "from a registry")

    done = user.with_environ(BATCH_RUN_SECRET_MINE="s3cret").run("spec.yaml", "--target", "local")

    assert done.returncode == 0, done.stderr
    assert (user.folder / "results/demo/output/a.out").read_text() == "from a registry"
    assert "s3cret" not in done.stdout + done.stderr


def test_a_windows_workload_is_checked_and_planned_here(user: User) -> None:
    user.write("spec.yaml", WINDOWS)
    user.write("data/a.txt", "a")

    checked = user.run("validate", "spec.yaml")
    planned = user.run("plan", "spec.yaml", "--json")

    assert (checked.returncode, checked.stderr) == (0, "spec.yaml: valid\n")
    assert planned.returncode == 0, planned.stderr
    assert len(json.loads(planned.stdout)["tasks"]) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (WINDOWS, "a pool of Windows nodes needs Azure"),
        (
            LINUX.replace("  nodes:", "  mounts: [{path: m, nfs: {source: 'h:/p'}}]\n  nodes:"),
            "a mounted file system needs Azure",
        ),
        (
            CONTAINER,
            "a container image needs Azure",
        ),
        (
            LINUX.replace("  nodes:", "  applications: [{id: blender}]\n  nodes:"),
            "an application package needs Azure",
        ),
    ],
)
def test_what_needs_azure_is_not_run_here(user: User, text: str, message: str) -> None:
    user = with_engine(user, "exit 1")
    user.write("spec.yaml", text)
    user.write("data/a.txt", "a")

    done = user.run("spec.yaml")
    plan = user.run("plan", "spec.yaml", "--target", "local")

    for result in (done, plan):
        assert result.returncode == 2
        assert message in result.stderr
        assert "hint: `--target azure` runs it\n" in result.stderr
    assert done.stderr.startswith("target: local, since AZURE_BATCH_ENDPOINT is not set\n")
    assert not (user.folder / ".batch-run").exists()
    assert not (user.folder / "results").exists()
