"""What is on the nodes."""

from __future__ import annotations

import pytest

from tests.unit.spec.validation.rules.checking import edited, facts_of

SPEC = """\
version: 1
name: topics
pool:
  image: ubuntu 22.04 containers
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 2}
  packages: {apt: [ffmpeg, "jq=1.6-2.1"]}
  container_images: ["python:3.12", "ghcr.io/me/tool@sha256:0123"]
  users: [{name: worker, password_secret: WORKER}]
  mounts:
    - {path: data/nfs, nfs: {source: "server:/data"}}
    - {path: share, file_share: {account: a, url: "https://a.file.core.windows.net/s", key_secret: KEY}}
    - {path: blobs, blob: {account: a, container: media, key_secret: KEY}}
    - {path: cifs, cifs: {source: "//server/share", user: u, password_secret: CIFS}}
  start_task: {command: echo}
tasks:
  one: {command: echo, container: {image: "python:3.12"}}
  two: {command: echo, shell: sh, container: {image: ubuntu}}
  three: {command: echo, for_each: {list: [a, b]}, container: {image: "{{ item }}:latest"}}
  four: {command: [echo], shell: none, container: {image: ubuntu}}
"""  # noqa: E501


def test_a_spec_that_is_right() -> None:
    assert facts_of(SPEC) == []


RIGHT = [
    ("image: ubuntu 22.04 containers", "image: {publisher: me, offer: mine, sku: own}"),
    (
        "image: ubuntu 22.04 containers",
        (
            "image: {id: "
            "/subscriptions/a/resourceGroups/b/providers/Microsoft.Compute/galleries/g/imag"
            "es/i, node_agent: batch.node.ubuntu 22.04}"
        ),
    ),
    ("name: worker", "name: _batch-1"),
]


@pytest.mark.parametrize(("old", "new"), RIGHT)
def test_what_may_be(old: str, new: str) -> None:
    assert facts_of(edited(SPEC, old, new)) == []


BROKEN: list[tuple[str, str, list[tuple[str, str, str | None]]]] = [
    (
        "image: ubuntu 22.04 containers",
        "image: ubuntu 24.04",
        [
            (
                "4:10 no-containers",
                "the image `ubuntu 24.04` runs no containers",
                "for example `image: ubuntu 22.04 containers`",
            ),
        ],
    ),
    (
        "image: ubuntu 22.04 containers",
        "image: {publisher: Canonical, offer: ubuntu-24_04-lts, sku: server}",
        [
            (
                "4:10 no-containers",
                "the image `ubuntu 24.04` runs no containers",
                "for example `image: ubuntu 22.04 containers`",
            ),
        ],
    ),
    (
        "start_task: {command: echo}",
        "start_task: {command: [tool], shell: none}",
        [
            (
                "15:33 packages",
                ("`packages` need a start task for `bash` or `sh`: they are installed before it"),
                "leave `shell` out, or install the packages in the start task",
            ),
        ],
    ),
    (
        "image: ubuntu 22.04 containers",
        "image: windows 2022",
        [
            (
                "4:10 no-containers",
                "the image `windows 2022` runs no containers",
                "for example `image: windows 2022 containers`",
            ),
            (
                "7:14 other-system",
                "`apt` installs nothing on Windows",
                "install what the tasks need in `start_task`, or bring it as an application",
            ),
            (
                "11:8 other-system",
                "Windows nodes cannot mount an NFS export",
                "they can mount Azure Files: `file_share: {...}`",
            ),
            (
                "13:8 other-system",
                "Windows nodes cannot mount a container of Blob Storage",
                "they can mount Azure Files: `file_share: {...}`",
            ),
            (
                "14:8 other-system",
                "Windows nodes cannot mount a CIFS share",
                "they can mount Azure Files: `file_share: {...}`",
            ),
            (
                "18:31 other-system",
                "`sh` is not on Windows nodes",
                "write the command for Windows: `shell: cmd` or `shell: powershell`",
            ),
        ],
    ),
    (
        "image: ubuntu 22.04 containers",
        "image: {id: mine, node_agent: batch.node.ubuntu 22.04}",
        [
            (
                "4:15 resource-id",
                "`mine` is no resource id of Azure",
                (
                    "it starts with `/subscriptions/<id>/resourceGroups/<name>/providers/`; the "
                    "portal shows it under `Properties`"
                ),
            ),
        ],
    ),
    (
        "apt: [ffmpeg,",
        "apt: [ffmpeg, ffmpeg,",
        [
            ("7:28 twice", "the package `ffmpeg` is there twice", "keep one of the two"),
        ],
    ),
    (
        'container_images: ["python:3.12",',
        'container_images: ["python:3.12", "python:3.12",',
        [
            ("8:37 twice", "the image `python:3.12` is there twice", "keep one of the two"),
        ],
    ),
    (
        "ghcr.io/me/tool@sha256:0123",
        "a; rm -rf /",
        [
            (
                "8:37 container-image",
                "`a; rm -rf /` cannot be the name of a container image",
                "write it as for `docker pull`: `python:3.12` or `ghcr.io/me/tool@sha256:...`",
            ),
        ],
    ),
    (
        'container: {image: "python:3.12"}',
        'container: {image: "--privileged python"}',
        [
            (
                "17:43 container-image",
                "`--privileged python` cannot be the name of a container image",
                "write it as for `docker pull`: `python:3.12` or `ghcr.io/me/tool@sha256:...`",
            ),
        ],
    ),
    (
        "[{name: worker, password_secret: WORKER}]",
        "[{name: a, password_secret: A}, {name: a, password_secret: A}]",
        [
            ("9:49 user-name", "the user `a` is there twice", "give each user a name of its own"),
        ],
    ),
    (
        "name: worker",
        "name: Worker",
        [
            (
                "9:18 user-name",
                "`Worker` cannot be the name of a user on Linux",
                "use lower-case letters, digits, `-` and `_`, and start with a letter",
            ),
        ],
    ),
    (
        "name: worker",
        "name: root",
        [
            (
                "9:18 user-name",
                "`root` is a user of the system itself",
                "give the user another name",
            ),
        ],
    ),
    (
        "name: worker",
        'name: "a b"',
        [
            (
                "9:18 user-name",
                "`a b` cannot be the name of a user on Linux",
                "use lower-case letters, digits, `-` and `_`, and start with a letter",
            ),
        ],
    ),
    (
        "path: share",
        "path: /share",
        [
            (
                "12:14 mount-path",
                "`/share` is no folder below the nodes' mounts",
                "write it relative to `$AZ_BATCH_NODE_MOUNTS_DIR`, such as `path: data`",
            ),
        ],
    ),
    (
        "path: share",
        "path: ../share",
        [
            (
                "12:14 mount-path",
                "`../share` is no folder below the nodes' mounts",
                "write it relative to `$AZ_BATCH_NODE_MOUNTS_DIR`, such as `path: data`",
            ),
        ],
    ),
    (
        "path: share",
        "path: data",
        [
            (
                "12:14 mount-path",
                "this and the mount at `data/nfs` lie in each other",
                "give each mount a folder of its own",
            ),
        ],
    ),
    (
        "path: share",
        "path: data/nfs/",
        [
            (
                "12:14 mount-path",
                "this and the mount at `data/nfs` lie in each other",
                "give each mount a folder of its own",
            ),
        ],
    ),
    (
        "path: share",
        'path: "C:"',
        [
            (
                "12:14 mount-path",
                "`C:` is no folder below the nodes' mounts",
                "write it relative to `$AZ_BATCH_NODE_MOUNTS_DIR`, such as `path: data`",
            ),
        ],
    ),
    (
        "nodes: {dedicated: 2}",
        "nodes: {dedicated: 2}\n  network: {subnet: my-subnet}",
        [
            (
                "7:21 resource-id",
                "`my-subnet` is no resource id of Azure",
                (
                    "it starts with `/subscriptions/<id>/resourceGroups/<name>/providers/`; the "
                    "portal shows it under `Properties`"
                ),
            ),
        ],
    ),
    (
        "shell: sh",
        "shell: cmd",
        [
            (
                "18:31 other-system",
                "`cmd` is only on Windows nodes",
                "write the command for `bash`, or take a Windows image or `os: windows`",
            ),
        ],
    ),
    (
        "two: {command: echo, shell: sh, container: {image: ubuntu}}",
        "two: {command: echo, shell: cmd, container: {image: a}}",
        [
            (
                "18:31 other-system",
                "`cmd` is only on Windows nodes",
                "write the command for `bash`, or take a Windows image or `os: windows`",
            ),
        ],
    ),
    (
        "start_task: {command: echo}",
        "start_task: {command: echo, shell: powershell}",
        [
            (
                "15:38 other-system",
                "`powershell` is only on Windows nodes",
                "write the command for `bash`, or take a Windows image or `os: windows`",
            ),
        ],
    ),
    (
        "vm_size: Standard_D2s_v5",
        "vm_size: Standard_D2s_v5\n  os: windows",
        [
            (
                "8:14 other-system",
                "`apt` installs nothing on Windows",
                "install what the tasks need in `start_task`, or bring it as an application",
            ),
            (
                "12:8 other-system",
                "Windows nodes cannot mount an NFS export",
                "they can mount Azure Files: `file_share: {...}`",
            ),
            (
                "14:8 other-system",
                "Windows nodes cannot mount a container of Blob Storage",
                "they can mount Azure Files: `file_share: {...}`",
            ),
            (
                "15:8 other-system",
                "Windows nodes cannot mount a CIFS share",
                "they can mount Azure Files: `file_share: {...}`",
            ),
            (
                "19:31 other-system",
                "`sh` is not on Windows nodes",
                "write the command for Windows: `shell: cmd` or `shell: powershell`",
            ),
        ],
    ),
]


PLAIN = """\
version: 1
name: topics
pool:
  image: IMAGE
  vm_size: Standard_D2s_v5
  nodes: {dedicated: 1}
  POOL
task: {command: echo}
"""
NO_CONTAINER = (
    "no-container",
    "the service starts no task without a `container` in a pool that runs containers",
    "say which image the step runs in: `container: {image: ...}`",
)


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("almalinux 9", "almalinux 9"),
        ("{publisher: RedHat, offer: RHEL, sku: 9_4}", "RedHat RHEL"),
        ("{publisher: resf, offer: rockylinux-x86_64, sku: 9-base}", "resf rockylinux-x86_64"),
        ("{publisher: oracle, offer: oracle-linux, sku: ol9}", "oracle oracle-linux"),
        ("{publisher: suse, offer: sles-15-sp6, sku: gen2}", "suse sles-15-sp6"),
        (
            "{publisher: microsoftcblmariner, offer: azure-linux-3, sku: azure-linux-3}",
            "microsoftcblmariner azure-linux-3",
        ),
        (
            (
                "{id: /subscriptions/a/resourceGroups/b/providers/c/d,"
                ' node_agent: "batch.node.el 9"}'
            ),
            "batch.node.el 9",
        ),
    ],
)
def test_apt_on_systems_of_other_families(image: str, name: str) -> None:
    spec = PLAIN.replace("IMAGE", image).replace("POOL", "packages: {apt: [jq]}")
    assert facts_of(spec) == [
        (
            "7:14 other-system",
            f"`apt` installs nothing on `{name}`",
            (
                "install what the tasks need in `start_task` by the system's own tool, such as "
                "`dnf install -y ...`, or take an image of Ubuntu or Debian"
            ),
        )
    ]


@pytest.mark.parametrize(
    "image",
    [
        "debian 12",
        "{publisher: procomputers, offer: ubuntu-24-04, sku: a}",
        "{publisher: mine, offer: own, sku: a}",
        (
            "{id: /subscriptions/a/resourceGroups/b/providers/c/d,"
            ' node_agent: "batch.node.debian 12"}'
        ),
    ],
)
def test_apt_where_it_may_be(image: str) -> None:
    spec = PLAIN.replace("IMAGE", image).replace("POOL", "packages: {apt: [jq]}")
    assert facts_of(spec) == []


def test_a_step_without_a_container_beside_others() -> None:
    spec = edited(SPEC, ', container: {image: "python:3.12"}', "")
    code, message, hint = NO_CONTAINER
    assert facts_of(spec) == [(f"17:3 {code}", message, hint)]


@pytest.mark.parametrize(
    "pool",
    [
        "container_images: [ubuntu]",
        "registries: [{user: me, password_secret: HUB}]",
    ],
)
def test_a_step_without_a_container_in_a_pool_that_runs_them(pool: str) -> None:
    spec = PLAIN.replace("POOL", pool)
    code, message, hint = NO_CONTAINER
    assert facts_of(spec.replace("IMAGE", "ubuntu 22.04 containers")) == [
        (f"8:1 {code}", message, hint)
    ]
    assert facts_of(spec.replace("IMAGE", "ubuntu 24.04")) == [
        (
            "4:10 no-containers",
            "the image `ubuntu 24.04` runs no containers",
            "for example `image: ubuntu 22.04 containers`",
        ),
        (f"8:1 {code}", message, hint),
    ]


def test_an_image_that_can_run_containers_need_not() -> None:
    for pool in ("os: linux", "start_task: {command: echo}"):
        spec = PLAIN.replace("POOL", pool).replace("IMAGE", "ubuntu 22.04 containers")
        assert facts_of(spec) == []


@pytest.mark.parametrize(("old", "new", "facts"), BROKEN)
def test_each_rule(old: str, new: str, facts: list[tuple[str, str, str | None]]) -> None:
    assert facts_of(edited(SPEC, old, new)) == facts
