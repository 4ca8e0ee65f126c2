"""Rules on what is on a pool's nodes: packages, images, users, mounts, and shells that run there.

It knows nothing of how many nodes there are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from runner.spec.document import Document, Pointer
from runner.spec.model.pool import (
    BlobMount,
    CifsMount,
    CustomImage,
    FileShareMount,
    Image,
    NewPool,
    NfsMount,
    OperatingSystem,
)
from runner.spec.model.workload import Workload
from runner.spec.parsing.image_aliases import ALIASES, lacks_apt, told_by
from runner.spec.problem import Problem
from runner.spec.shells.script import CommandTemplate
from runner.spec.shells.shell import Shell
from runner.spec.suggestion import shorten
from runner.spec.validation.rules.limits import RESOURCE_ID
from runner.spec.validation.rules.uses import Rule, node_commands

# What `docker pull` takes: registry, path, tag and digest, without anything that a shell reads.
_CONTAINER_IMAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@-]*\Z")
_LINUX_USER = re.compile(r"[a-z_][a-z0-9_-]*\Z")
_WINDOWS_USER = re.compile(r"[^\"/\\\[\]:;|=,+*?<>@\x00-\x1f]*[^\"/\\\[\]:;|=,+*?<>@\x00-\x1f .]\Z")
_TAKEN_USERS = {
    OperatingSystem.LINUX: frozenset({"root", "daemon", "bin", "nobody", "_azbatch"}),
    OperatingSystem.WINDOWS: frozenset({"administrator", "guest", "system", "defaultaccount"}),
}
_MOST_FOLDERS = 20
_POSIX_SHELLS = frozenset({Shell.BASH, Shell.SH})


def _packages_fit(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool) or not pool.packages:
        return
    pointer: Pointer = (*pool.pointer, "packages", "apt")
    if pool.os is OperatingSystem.WINDOWS:
        yield document.key_problem(
            pointer,
            code="other-system",
            message="`apt` installs nothing on Windows",
            hint="install what the tasks need in `start_task`, or bring it as an application",
        )
    elif lacks_apt(told_by(pool.image)):
        name = pool.image.alias if isinstance(pool.image, Image) else None
        yield document.key_problem(
            pointer,
            code="other-system",
            message=f"`apt` installs nothing on `{shorten(name or told_by(pool.image))}`",
            hint="install what the tasks need in `start_task` by the system's own tool, such as"
            " `dnf install -y ...`, or take an image of Ubuntu or Debian",
        )
    elif pool.start_task is not None and pool.start_task.command.shell is Shell.NONE:
        yield document.key_problem(
            (*pool.start_task.pointer, "shell"),
            code="packages",
            message="`packages` need a start task for `bash` or `sh`: they are installed before it",
            hint="leave `shell` out, or install the packages in the start task",
        )
    yield from _each_once(document, pointer, pool.packages, "package")


def _shells_are_there(workload: Workload, document: Document) -> Iterator[Problem]:
    is_windows = workload.pool.os is OperatingSystem.WINDOWS
    for owner, command in _commands(workload):
        fits = not (command.shell in _POSIX_SHELLS if is_windows else command.shell.is_windows)
        if fits:
            continue
        if is_windows:
            message = f"`{command.shell.value}` is not on Windows nodes"
            hint = "write the command for Windows: `shell: cmd` or `shell: powershell`"
        else:
            message = f"`{command.shell.value}` is only on Windows nodes"
            hint = "write the command for `bash`, or take a Windows image or `os: windows`"
        at = (*owner, "shell")
        pointer = at if document.has(at) else (*owner, "command")
        yield document.problem(pointer, code="other-system", message=message, hint=hint)


def _commands(workload: Workload) -> Iterator[tuple[Pointer, CommandTemplate]]:
    """Each command that has a shell of its own; coordination has that of its step."""
    yield from ((each.pointer, each.command) for each in node_commands(workload))
    yield from ((step.pointer, step.command) for step in workload.steps)


def _images_run_containers(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not workload.runs_containers:
        return
    if not isinstance(pool, NewPool) or not isinstance(pool.image, Image):
        return
    image = pool.image
    written = (image.publisher.lower(), image.offer.lower(), image.sku.lower())
    alias = next((name for name, parts in ALIASES.items() if parts == written), None)
    if alias is None or alias.endswith(" containers"):
        return
    capable = [
        name
        for name in ALIASES
        if name.endswith(" containers")
        and name.startswith("windows") == (pool.os is OperatingSystem.WINDOWS)
    ]
    yield document.problem(
        (*pool.pointer, "image"),
        code="no-containers",
        message=f"the image `{alias}` runs no containers",
        hint=f"for example `image: {capable[0]}`",
    )


def _steps_run_in_containers(workload: Workload, document: Document) -> Iterator[Problem]:
    """REST: Pool - Add, `containerConfiguration`: all regular tasks must specify settings of one.

    Start, preparation and release tasks may go without.
    """
    if not workload.runs_containers:
        return
    for step in workload.steps:
        if step.container is None:
            yield document.key_problem(
                step.pointer,
                code="no-container",
                message="the service starts no task without a `container` in a pool that runs"
                " containers",
                hint="say which image the step runs in: `container: {image: ...}`",
            )


def _container_images_are_names(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    names: list[tuple[Pointer, str]] = []
    if isinstance(pool, NewPool):
        pointer = (*pool.pointer, "container_images")
        yield from _each_once(document, pointer, pool.container_images, "image")
        names += [((*pointer, index), name) for index, name in enumerate(pool.container_images)]
    for step in workload.steps:
        if step.container is not None and not step.container.image.references:
            names.append(((*step.container.pointer, "image"), step.container.image.text))
    for pointer, name in names:
        if "{{" not in name and not _CONTAINER_IMAGE.match(name):
            yield document.problem(
                pointer,
                code="container-image",
                message=f"`{shorten(name)}` cannot be the name of a container image",
                hint="write it as for `docker pull`: `python:3.12` or `ghcr.io/me/tool@sha256:...`",
            )


def _users_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool):
        return
    is_windows = pool.os is OperatingSystem.WINDOWS
    seen: set[str] = set()
    for user in pool.users:
        pointer = (*user.pointer, "name")
        plain = user.name.lower() if is_windows else user.name
        hint = "give each user a name of its own"
        if plain in seen:
            message = f"the user `{shorten(user.name)}` is there twice"
        elif plain in _TAKEN_USERS[pool.os]:
            message = f"`{user.name}` is a user of the system itself"
            hint = "give the user another name"
        elif is_windows and not _WINDOWS_USER.match(user.name):
            message = f"`{shorten(user.name)}` cannot be the name of a user on Windows"
            hint = 'leave out `" / \\ [ ] : ; | = , + * ? < > @`, and do not end it with a dot'
        elif not is_windows and not _LINUX_USER.match(user.name):
            message = f"`{shorten(user.name)}` cannot be the name of a user on Linux"
            hint = "use lower-case letters, digits, `-` and `_`, and start with a letter"
        else:
            seen.add(plain)
            continue
        yield document.problem(pointer, code="user-name", message=message, hint=hint)


def _mounts_are_possible(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool):
        return
    folders: dict[str, str] = {}
    within: dict[str, str] = {}  # each folder that has a mount below it
    for mount in pool.mounts:
        pointer = (*mount.pointer, "path")
        parts = [part for part in mount.path.replace("\\", "/").split("/") if part]
        is_absolute = mount.path[:1] in {"/", "\\"} or ":" in mount.path
        if is_absolute or not 0 < len(parts) <= _MOST_FOLDERS or {".", ".."} & {*parts}:
            yield document.problem(
                pointer,
                code="mount-path",
                message=f"`{shorten(mount.path)}` is no folder below the nodes' mounts",
                hint="write it relative to `$AZ_BATCH_NODE_MOUNTS_DIR`, such as `path: data`",
            )
            continue
        above = ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]
        folder = above[-1]
        other = next((folders[each] for each in above if each in folders), None)
        other = within.get(folder) if other is None else other
        if other is not None:
            yield document.problem(
                pointer,
                code="mount-path",
                message=f"this and the mount at `{shorten(other)}` lie in each other",
                hint="give each mount a folder of its own",
            )
        folders[folder] = mount.path
        within.update(dict.fromkeys(above, mount.path))
        kind = _only_on_linux(mount.source)
        if kind is not None and pool.os is OperatingSystem.WINDOWS:
            yield document.key_problem(
                mount.pointer,
                code="other-system",
                message=f"Windows nodes cannot mount {kind}",
                hint="they can mount Azure Files: `file_share: {...}`",
            )


def _only_on_linux(source: BlobMount | FileShareMount | NfsMount | CifsMount) -> str | None:
    # Microsoft Learn, "Mount a virtual file system on a Batch pool".
    match source:
        case BlobMount():
            return "a container of Blob Storage"
        case NfsMount():
            return "an NFS export"
        case CifsMount():
            return "a CIFS share"
        case FileShareMount():
            return None


def _resource_ids_are_whole(workload: Workload, document: Document) -> Iterator[Problem]:
    pool = workload.pool
    if not isinstance(pool, NewPool):
        return
    ids: list[tuple[Pointer, str | None]] = []
    if isinstance(pool.image, CustomImage):
        ids.append(((*pool.pointer, "image", "id"), pool.image.id))
    if pool.network is not None:
        ids.append(((*pool.network.pointer, "subnet"), pool.network.subnet))
        if isinstance(pool.network.public_addresses, tuple):
            ids += [
                ((*pool.network.pointer, "public_addresses", index), each)
                for index, each in enumerate(pool.network.public_addresses)
            ]
    for pointer, text in ids:
        if text is not None and not RESOURCE_ID.match(text):
            yield document.problem(
                pointer,
                code="resource-id",
                message=f"`{shorten(text)}` is no resource id of Azure",
                hint="it starts with `/subscriptions/<id>/resourceGroups/<name>/providers/`; the"
                " portal shows it under `Properties`",
            )


def _each_once(
    document: Document, pointer: Pointer, names: Iterable[str], what: str
) -> Iterator[Problem]:
    seen: set[str] = set()
    for index, name in enumerate(names):
        if name in seen:
            yield document.problem(
                (*pointer, index),
                code="twice",
                message=f"the {what} `{shorten(name)}` is there twice",
                hint="keep one of the two",
            )
        seen.add(name)


NODES: tuple[Rule, ...] = (
    _packages_fit,
    _shells_are_there,
    _images_run_containers,
    _steps_run_in_containers,
    _container_images_are_names,
    _users_are_possible,
    _mounts_are_possible,
    _resource_ids_are_whole,
)
