"""Which options a task may give to the engine of its container, so that it stays on its node.

It must not know how the engine is called, nor who may give it any option.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from runner.emulator.storage.record import record

_FLAGS = frozenset({"--init", "--interactive", "--no-healthcheck", "--read-only", "--rm", "--tty"})
"""Options without a value, of both podman and docker."""
_VALUES = frozenset(
    {
        *("--add-host", "--cap-drop", "--cpu-period", "--cpu-quota"),
        *("--cpu-shares", "--cpus", "--cpuset-cpus", "--cpuset-mems", "--dns", "--dns-option"),
        *("--dns-search", "--entrypoint", "--env", "--expose", "--gpus", "--health-cmd"),
        *("--hostname", "--label", "--memory", "--memory-reservation", "--memory-swap", "--name"),
        *("--pids-limit", "--platform", "--shm-size", "--stop-signal"),
        *("--stop-timeout", "--tmpfs", "--ulimit", "--user", "--workdir"),
    }
)
"""Options whose value says nothing of the machine."""
_SHORT = {
    "-c": "--cpu-shares",
    "-e": "--env",
    "-h": "--hostname",
    "-i": "--interactive",
    "-l": "--label",
    "-m": "--memory",
    "-t": "--tty",
    "-u": "--user",
    "-v": "--volume",
    "-w": "--workdir",
}
_ALIASES = {"--net": "--network"}
_NETWORKS = frozenset({"host", "none", "bridge"})
_VOLUME_MODES = frozenset({"ro", "rw", "z", "Z"})
_MOUNT_SOURCES = frozenset({"source", "src"})
_MOUNT_KEYS = {
    "bind": _MOUNT_SOURCES | {"type", "target", "destination", "dst", "readonly", "ro"},
    "tmpfs": frozenset({"type", "target", "destination", "dst", "tmpfs-size", "tmpfs-mode"}),
}


class RunOptionError(Exception):
    """An option that lets a container leave its node, or that cannot be read; a line for people."""


@record(frozen=True, slots=True, kw_only=True)
class _Option:
    name: str
    value: str | None = None

    @property
    def word(self) -> str:
        return self.name if self.value is None else f"{self.name}={self.value}"


def confine_options(words: Sequence[str], node: Path) -> list[str]:
    """The same options, each in one word and with folders by their real paths.

    Folders of the machine have to be below `node`. Raises `RunOptionError`.
    """
    return [_confine(option, node).word for option in _read(words)]


def _read(words: Sequence[str]) -> Iterator[_Option]:
    """The options as engines read them (pflag): long ones, and short ones that may be joined."""
    rest = iter(words)
    for word in rest:
        if word.startswith("--"):
            name, sign, value = word.partition("=")
            name = _ALIASES.get(name, name)
            if name in _FLAGS:
                yield _Option(name=name, value=value if sign else None)
            else:
                yield _Option(name=_known(name), value=value if sign else _next(name, rest))
        elif word.startswith("-") and len(word) > 1:
            yield from _read_short(word, rest)
        else:
            raise RunOptionError(f"`{word}` in the container run options is no option")


def _read_short(word: str, rest: Iterator[str]) -> Iterator[_Option]:
    letters = word[1:]
    while letters:
        letter, letters = f"-{letters[0]}", letters[1:]
        name = _SHORT.get(letter, letter)
        if name in _FLAGS:
            if letters.startswith("="):
                yield _Option(name=name, value=letters[1:])
                return
            yield _Option(name=name)
        else:
            value = letters.removeprefix("=") if letters else _next(_known(name), rest)
            yield _Option(name=_known(name), value=value)
            return


def _known(name: str) -> str:
    if name not in _VALUES and name not in _CHECKS:
        raise _refused(name)
    return name


def _next(name: str, rest: Iterator[str]) -> str:
    try:
        return next(rest)
    except StopIteration:
        raise RunOptionError(f"the container run option `{_known(name)}` needs a value") from None


def _refused(option: str) -> RunOptionError:
    return RunOptionError(
        f"the container run option `{option}` may let a container leave its node; it is taken"
        " where the emulator was started with `--allow-admin`"
    )


def _confine(option: _Option, node: Path) -> _Option:
    check = _CHECKS.get(option.name)
    if check is None or option.value is None:
        return option
    return _Option(name=option.name, value=check(option.value, node))


def _network(value: str, node: Path) -> str:
    del node
    if value not in _NETWORKS:
        raise _refused(f"--network={value}")
    return value


def _security(value: str, node: Path) -> str:
    """The only one that takes rights and gives none."""
    del node
    if value not in {"no-new-privileges", "no-new-privileges:true", "no-new-privileges=true"}:
        raise _refused(f"--security-opt={value}")
    return value


def _volume(value: str, node: Path) -> str:
    """`SOURCE:TARGET[:MODES]`; a folder of the container alone is `TARGET`."""
    source, *others = value.split(":")
    if not others:
        return value
    folder = _folder(source, node)
    modes = others[1].split(",") if len(others) > 1 else []
    if folder is None or len(others) > 2 or not _VOLUME_MODES.issuperset(modes):
        raise _refused(f"--volume={value}")
    return ":".join([folder, *others])


def _mount(value: str, node: Path) -> str:
    """`KEY=VALUE,…`, as CSV; quotes are in none that is taken."""
    pairs = [part.partition("=") for part in value.split(",")]
    keys = [key.strip().lower() for key, _, _ in pairs]
    kinds = [content for key, (_, _, content) in zip(keys, pairs, strict=True) if key == "type"]
    known = _MOUNT_KEYS.get(kinds[0] if len(kinds) == 1 else "", frozenset())
    sources = [key for key in keys if key in _MOUNT_SOURCES]
    if '"' in value or not known.issuperset(keys) or len(sources) > 1:
        raise _refused(f"--mount={value}")
    words = []
    for key, (_, sign, content) in zip(keys, pairs, strict=True):
        folder: str | None = content
        if key in _MOUNT_SOURCES and (folder := _folder(content, node)) is None:
            raise _refused(f"--mount={value}")
        words.append(f"{key}{sign}{folder}")
    return ",".join(words)


def _folder(source: str, node: Path) -> str | None:
    """The real path of a folder of the node; None for what is elsewhere, or led there by a link."""
    if not source.startswith("/"):
        # Relative to the emulator, or a volume of the engine's that outlives the node.
        return None
    real = os.path.realpath(source)
    return real if is_inside(source, node) and not set(real) & set(':,"') else None


def is_inside(folder: str | os.PathLike[str], node: Path) -> bool:
    """Whether a path is a node's folder or below it, wherever links lead."""
    real, ours = os.path.realpath(folder), os.path.realpath(node)
    return real == ours or real.startswith(ours + os.sep)


_CHECKS: dict[str, Callable[[str, Path], str]] = {
    "--mount": _mount,
    "--network": _network,
    "--security-opt": _security,
    "--volume": _volume,
}
