"""Options of containers that stay on their nodes, and those that would not."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from runner.emulator.batch.node.runoptions import RunOptionError, confine_options


@pytest.fixture
def node(tmp_path: Path) -> Path:
    for name in ("node/shared", "node-of-another", "secrets"):
        (tmp_path / name).mkdir(parents=True)
    (tmp_path / "node" / "link").symlink_to("/")
    (tmp_path / "node" / "way").symlink_to("shared")
    return tmp_path / "node"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", []),
        ("--rm --init", ["--rm", "--init"]),
        ("--workdir /app --user=root", ["--workdir=/app", "--user=root"]),
        ("-it -w /app -u 0:0", ["--interactive", "--tty", "--workdir=/app", "--user=0:0"]),
        ("-e A='b c' -eD=e -te=F=g", ["--env=A=b c", "--env=D=e", "--tty", "--env=F=g"]),
        ("--entrypoint ''", ["--entrypoint="]),
        ("--gpus all --shm-size 1g", ["--gpus=all", "--shm-size=1g"]),
        ("-m 1g --cpus 2", ["--memory=1g", "--cpus=2"]),
        ("--net none", ["--network=none"]),
        ("--env -v", ["--env=-v"]),
        ("--cap-drop ALL", ["--cap-drop=ALL"]),
        ("--security-opt no-new-privileges", ["--security-opt=no-new-privileges"]),
        ("-v /cache", ["--volume=/cache"]),
        ("-v NODE/shared:/x:ro,z", ["--volume=NODE/shared:/x:ro,z"]),
        ("-vNODE/way:/x", ["--volume=NODE/shared:/x"]),
        ("--volume NODE:/x", ["--volume=NODE:/x"]),
        (
            "--mount type=bind,src=NODE/way,dst=/x,readonly",
            ["--mount=type=bind,src=NODE/shared,dst=/x,readonly"],
        ),
        ("--mount type=tmpfs,dst=/x", ["--mount=type=tmpfs,dst=/x"]),
    ],
)
def test_what_stays_on_the_node_is_taken(node: Path, given: str, words: list[str]) -> None:
    confined = confine_options(shlex.split(given.replace("NODE", str(node))), node)
    assert confined == [word.replace("NODE", str(node)) for word in words]


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ("--privileged", "--privileged"),
        ("--privileged=true", "--privileged"),
        ("--rm --pid=host", "--pid"),
        ("--pid host", "--pid"),
        ("--cap-add SYS_ADMIN", "--cap-add"),
        ("--device /dev/sda", "--device"),
        ("--env-file /etc/shadow", "--env-file"),
        ("--cidfile /etc/x", "--cidfile"),
        ("--volumes-from other", "--volumes-from"),
        ("-P", "-P"),
        ("-itd", "-d"),
        ("-- image", "--"),
        ("--security-opt seccomp=unconfined", "--security-opt=seccomp=unconfined"),
        ("--network container:other", "--network=container:other"),
        ("--net=ns:/proc/1/ns/net", "--network=ns:/proc/1/ns/net"),
        ("-v /:/h", "--volume=/:/h"),
        ("-v/:/h", "--volume=/:/h"),
        ("-iv /:/h", "--volume=/:/h"),
        ("--volume=NODE/../secrets:/h", "--volume=NODE/../secrets:/h"),
        ("-v NODE-of-another:/h", "--volume=NODE-of-another:/h"),
        ("-v NODE/link:/h", "--volume=NODE/link:/h"),
        ("-v NODE/link/etc:/h", "--volume=NODE/link/etc:/h"),
        ("-v volume:/h", "--volume=volume:/h"),
        ("-v .:/h", "--volume=.:/h"),
        ("-v NODE:/h:shared", "--volume=NODE:/h:shared"),
        ("-v NODE:/h:O,upperdir=/etc", "--volume=NODE:/h:O,upperdir=/etc"),
        ("-v NODE:/h:rw:rw", "--volume=NODE:/h:rw:rw"),
        ("--mount type=bind,src=/,dst=/h", "--mount=type=bind,src=/,dst=/h"),
        (
            "--mount type=bind,src=NODE,source=/,dst=/h",
            "--mount=type=bind,src=NODE,source=/,dst=/h",
        ),
        ("--mount type=bind,src=NODE,src=/,dst=/h", "--mount=type=bind,src=NODE,src=/,dst=/h"),
        (
            "--mount type=tmpfs,type=bind,src=/,dst=/h",
            "--mount=type=tmpfs,type=bind,src=/,dst=/h",
        ),
        ("--mount src=NODE,dst=/h", "--mount=src=NODE,dst=/h"),
        (
            "--mount type=volume,dst=/h,volume-opt=device=/",
            "--mount=type=volume,dst=/h,volume-opt=device=/",
        ),
        (
            "--mount type=bind,src=NODE,dst=/h,bind-propagation=shared",
            "--mount=type=bind,src=NODE,dst=/h,bind-propagation=shared",
        ),
        (
            "--mount 'type=bind,\"src=/\",dst=/h'",
            '--mount=type=bind,"src=/",dst=/h',
        ),
    ],
)
def test_what_may_leave_the_node_is_refused(node: Path, given: str, named: str) -> None:
    with pytest.raises(RunOptionError) as caught:
        confine_options(shlex.split(given.replace("NODE", str(node))), node)
    assert str(caught.value) == (
        f"the container run option `{named.replace('NODE', str(node))}` may let a container leave"
        " its node; it is taken where the emulator was started with `--allow-admin`"
    )


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("--rm other-image", "`other-image` in the container run options is no option"),
        ("-", "`-` in the container run options is no option"),
        ("--rm --env", "the container run option `--env` needs a value"),
        ("-ie", "the container run option `--env` needs a value"),
    ],
)
def test_what_cannot_be_read_is_said(node: Path, given: str, message: str) -> None:
    with pytest.raises(RunOptionError) as caught:
        confine_options(shlex.split(given), node)
    assert str(caught.value) == message
