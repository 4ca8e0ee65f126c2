"""Podman and docker: whether one of them works here, and how it runs the containers of tasks.

It must not know of nodes, nor what a container is for.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from runner.emulator.batch.isolation.logins import (
    SHOW_DAEMON,
    login_failed,
    login_variables,
    login_words,
    open_login_folder,
)
from runner.emulator.batch.node.containers import (
    NO_ENGINE,
    NOT_LOGGED_IN,
    Access,
    Container,
    ContainerError,
    ContainerFailure,
    container_words,
    split_environment,
    split_options,
)
from runner.emulator.batch.node.interruption import Interruption
from runner.emulator.batch.node.isolation import Command
from runner.emulator.batch.node.registries import Registry, host_of_image
from runner.emulator.storage.record import record

_PROGRAMS = ("podman", "docker")
_ENGINE_FAILED = 125
"""What `run` of both engines exits with where they could not make the container."""
_MACHINE = ("PATH", "HOME", "TMPDIR")
_MACHINE_PREFIXES = ("XDG_", "DOCKER_", "CONTAINER", "STORAGE_", "REGISTRY_", "DBUS_")
_UNIFIED_CGROUPS = Path("/sys/fs/cgroup/cgroup.controllers")
# Without a limit given, podman asks for more open files than a root without all rights may have.
_WANTED_OPEN_FILES = 1048576
_MODEST_LIMITS = ("--ulimit", "nofile=20000:20000", "--ulimit", "nproc=30000:30000")


@record(frozen=True, slots=True, kw_only=True)
class _Engine:
    """An engine that works: the words that it is called with, and those behind its `run`."""

    words: tuple[str, ...]
    run_options: tuple[str, ...]
    is_podman: bool


class EngineContainers:
    """Implements `Containers` by the engine that is installed, looked for when first needed.

    `environ` is the emulator's environment, of which the engine sees what it needs itself. With
    `any_options` tasks may have options that lead their containers out of their nodes. In
    `logins`, a folder that no node may see, is what the engine is logged in to for a pull.
    """

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        any_options: bool = False,
        logins: Path | None = None,
    ) -> None:
        self._any_options = any_options
        self._logins = logins
        self._environ = {
            name: value
            for name, value in environ.items()
            if name in _MACHINE or name.startswith(_MACHINE_PREFIXES)
        }
        self._lock = threading.Lock()
        self._engine: _Engine | None = None
        self._pulls: dict[str, threading.Lock] = {}

    def run(self, command: Command, container: Container, interruption: Interruption) -> int:
        """Runs a command in a container of its own, whose image is pulled where it is missing.

        When interrupted, the container is removed with all that runs in it. Raises
        `ContainerError`, and `InterruptedRunError` while it pulls.
        """
        engine = self._find()
        try:
            options = split_options(container, command.node, any_options=self._any_options)
        except ContainerError as error:
            os.write(command.stderr, f"{error}\n".encode())
            raise
        with self.log_in(self._registries_for(container, engine), interruption) as access:
            self.pull(container.image, interruption, access)
        name = f"batch-run-{secrets.token_hex(8)}"
        content, inherited = split_environment(command.environment)
        # Imported here, as below: it takes a while, and few tasks run in containers.
        import tempfile

        with tempfile.NamedTemporaryFile(prefix="batch-run-") as variables:
            variables.write(content)
            variables.flush()
            words = container_words(
                command,
                container,
                options=options,
                name=name,
                environment_file=Path(variables.name),
                inherited=inherited,
            )
            code, said = self._run(
                ["run", *engine.run_options, *words],
                inherited,
                command,
                interruption,
            )
        if interruption.fired:
            self._call(engine, "rm", "--force", name)
        elif code == _ENGINE_FAILED:
            raise ContainerError(ContainerFailure.SETTINGS, said or "the engine gave no reason")
        return 128 - code if code < 0 else code

    def _find(self) -> _Engine:
        with self._lock:
            if self._engine is None:
                self._engine = self._look()
            return self._engine

    def _look(self) -> _Engine:
        import shutil

        for program in _PROGRAMS:
            path = shutil.which(program, path=self._environ.get("PATH"))
            if path is None:
                continue
            podman = program == "podman"
            engine = _Engine(
                words=(path, *(self._runtime() if podman else ())),
                run_options=_limits() if podman else _user(),
                is_podman=podman,
            )
            if self._call(engine, "info").returncode == 0:
                return engine
        raise ContainerError(ContainerFailure.NO_ENGINE, NO_ENGINE)

    def _runtime(self) -> tuple[str, ...]:
        """The newer runtime of podman needs the unified cgroups, which not every machine has."""
        import shutil

        runc = shutil.which("runc", path=self._environ.get("PATH"))
        return () if runc is None or _UNIFIED_CGROUPS.exists() else ("--runtime", runc)

    def _registries_for(self, container: Container, engine: _Engine) -> tuple[Registry, ...]:
        """A task's own counts also where the image is there already, as on a node of Azure."""
        host = host_of_image(container.image)
        offered = tuple(each for each in container.pool_registries if each.host == host)
        if offered and self._has(engine, container.image):
            offered = ()
        return offered if container.registry is None else (*offered, container.registry)

    @contextmanager
    def log_in(
        self, registries: Sequence[Registry], interruption: Interruption
    ) -> Iterator[Access]:
        """Logs in to registries in a folder of its own, which is gone in the end.

        What the engine is logged in to otherwise stays as it is. Raises `ContainerError`, and
        `InterruptedRunError`.
        """
        named = [each for each in registries if each.by_identity or each.password]
        if not named:
            yield NOT_LOGGED_IN
            return
        engine = self._find()
        with open_login_folder(self._logins) as folder:
            for registry in named:
                self._log_in(engine, registry, folder, interruption)
            yield Access(hosts=frozenset(each.host for each in named), folder=folder)

    def _log_in(
        self, engine: _Engine, registry: Registry, folder: Path, interruption: Interruption
    ) -> None:
        words = login_words(registry)
        login = self._call(
            engine,
            *words,
            interruption=interruption,
            environ=self._login_variables(engine, folder),
            content=(registry.password or "").encode(),
        )
        interruption.check()
        if login.returncode != 0:
            raise login_failed(registry, login.stderr)

    def _login_variables(self, engine: _Engine, folder: Path) -> dict[str, str]:
        """Tells an engine what it is logged in to; where docker does not look, its daemon too."""
        variables = {**self._environ, **login_variables(folder)}
        if not engine.is_podman and "DOCKER_HOST" not in variables:
            shown = self._call(engine, *SHOW_DAEMON, keeps_output=True)
            if shown.returncode == 0 and shown.stdout.strip():
                variables["DOCKER_HOST"] = os.fsdecode(shown.stdout.strip())
                variables.pop("DOCKER_CONTEXT", None)
        return variables

    def _has(self, engine: _Engine, image: str) -> bool:
        return self._call(engine, "image", "inspect", image).returncode == 0

    def pull(self, image: str, interruption: Interruption, access: Access = NOT_LOGGED_IN) -> None:
        """Sees to it that an image is there; raises `ContainerError`, `InterruptedRunError`."""
        engine = self._find()
        environ = None
        if access.folder is not None and host_of_image(image) in access.hosts:
            environ = self._login_variables(engine, access.folder)
        with self._lock:
            lock = self._pulls.setdefault(image, threading.Lock())
        # Tasks that start together wait for one pull.
        with lock:
            interruption.check()
            if self._has(engine, image):
                return
            words = ("pull", "--quiet", image)
            pull = self._call(engine, *words, interruption=interruption, environ=environ)
            interruption.check()
            if pull.returncode != 0:
                message = pull.stderr.decode("utf-8", "replace").strip()
                raise ContainerError(ContainerFailure.IMAGE, message)

    def check(self) -> None:
        """Raises `ContainerError` where there is no engine that works."""
        self._find()

    def call(self, *words: str) -> None:
        """Has the engine do something, whatever becomes of it."""
        self._call(self._find(), *words)

    def open(self, words: Sequence[str]) -> subprocess.Popen[bytes]:
        """`run`, with pipes for what goes in and comes out."""
        engine = self._find()
        return subprocess.Popen(
            [*engine.words, "run", *engine.run_options, *words],
            env=self._environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    def attach(
        self,
        words: Sequence[str],
        inherited: Mapping[str, str],
        stdout: int,
        stderr: int,
        interruption: Interruption,
    ) -> int:
        """Has the engine do something to its end, or to an interruption; its exit code."""
        process = subprocess.Popen(
            [*self._find().words, *words],
            env={**inherited, **self._environ},
            stdin=subprocess.DEVNULL,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
        )
        with interruption.calling(lambda: _kill_group(process.pid)):
            return process.wait()

    def _call(
        self,
        engine: _Engine,
        *words: str,
        interruption: Interruption | None = None,
        environ: Mapping[str, str] | None = None,
        content: bytes | None = None,
        keeps_output: bool = False,
    ) -> subprocess.CompletedProcess[bytes]:
        """What the engine came to; `content` is all that it reads, and is seen nowhere else."""
        process = subprocess.Popen(
            [*engine.words, *words],
            env=self._environ if environ is None else environ,
            stdin=subprocess.DEVNULL if content is None else subprocess.PIPE,
            stdout=subprocess.PIPE if keeps_output else subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
        with process:
            if interruption is None:
                out, said = process.communicate(content)
            else:
                with interruption.calling(lambda: _kill_group(process.pid)):
                    out, said = process.communicate(content)
        return subprocess.CompletedProcess(words, process.returncode, out or b"", said)

    def _run(
        self,
        words: list[str],
        inherited: Mapping[str, str],
        command: Command,
        interruption: Interruption,
    ) -> tuple[int, str]:
        """The exit code of an engine, and what its last words on stderr were."""
        before = os.fstat(command.stderr).st_size
        code = self.attach(words, inherited, command.stdout, command.stderr, interruption)
        with Path(f"/dev/fd/{command.stderr}").open("rb") as file:
            file.seek(before)
            said = file.read(65536).decode("utf-8", "replace")
        return code, said.strip()


def _limits() -> tuple[str, ...]:
    import resource

    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    enough = hard == resource.RLIM_INFINITY or hard >= _WANTED_OPEN_FILES
    return () if enough else _MODEST_LIMITS


def _user() -> tuple[str, ...]:
    """Docker's daemon is root: what its containers write would not be ours to remove."""
    return () if os.geteuid() == 0 else ("--user", f"{os.geteuid()}:{os.getegid()}")


def _kill_group(group: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, signal.SIGKILL)
