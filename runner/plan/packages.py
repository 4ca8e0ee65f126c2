"""The script that installs a pool's packages on a node, before the user's own command.

It knows nothing of how a script reaches a node. The script is of POSIX's language, which `bash` and
`sh` both run; it may be run again and again, and installs only what is missing.
"""

from __future__ import annotations

import re

from runner.spec.document import Document
from runner.spec.pool import NewPool
from runner.spec.problem import Problem
from runner.spec.shell import Shell

# Debian Policy 5.6.1, with what apt takes behind a name: `:arch`, `=version`, `/release`. A name
# that ends with `-` would be removed.
_NAME = re.compile(r"[a-z0-9][a-z0-9+.-]*(:[a-z0-9-]+)?([=/][A-Za-z0-9.+:~-]+)?(?<!-)")
_LOCK_SECONDS = 600
_TRIES = 20
_PAUSE_SECONDS = 15

_SCRIPT = f"""\
export DEBIAN_FRONTEND=noninteractive
set --
for package in @PACKAGES@; do
  status=$(dpkg-query --show --showformat='${{db:Status-Status}}' "$package" 2>/dev/null) || status=
  test "$status" = installed || set -- "$@" "$package"
done
if test "$#" -gt 0; then
  if ! command -v apt-get >/dev/null; then
    echo "cannot install $*: this image has no apt-get" >&2
    exit 1
  fi
  tries=0
  until apt-get --quiet -o Acquire::Retries=3 -o APT::Update::Error-Mode=any update; do
    tries=$((tries + 1))
    if test "$tries" -ge {_TRIES}; then
      echo "cannot install $*: the lists of packages cannot be updated" >&2
      exit 1
    fi
    sleep {_PAUSE_SECONDS}
  done
  tries=0
  until apt-get --quiet --yes -o Acquire::Retries=3 \
-o DPkg::Lock::Timeout={_LOCK_SECONDS} install "$@"; do
    tries=$((tries + 1))
    if test "$tries" -ge 3; then
      echo "cannot install $*" >&2
      exit 1
    fi
    sleep {_PAUSE_SECONDS}
  done
fi
set --
"""
# `update` has no lock timeout of its own in older releases, so its tries are the bound: five
# minutes for the updates that a fresh node makes by itself.


def with_packages(packages: tuple[str, ...], script: str) -> str:
    """The script that installs packages and then does what `script` does."""
    return _SCRIPT.replace("@PACKAGES@", " ".join(packages)) + script


def package_problems(pool: NewPool, document: Document) -> tuple[Problem, ...]:
    """What keeps a pool's packages from being installed; the rules have seen to its system."""
    pointer = (*pool.pointer, "packages")
    if not pool.packages:
        return ()
    start_task = pool.start_task
    problems = [
        document.problem(
            (*pointer, "apt", index),
            code="package-name",
            message=f"`{package}` is no name of a Debian package",
            hint="for example `ffmpeg`, or with a version `ffmpeg=7:6.1.1-3ubuntu5`",
        )
        for index, package in enumerate(pool.packages)
        if _NAME.fullmatch(package) is None
    ]
    if start_task is not None and start_task.command.shell not in {Shell.BASH, Shell.SH}:
        message = "`packages` need a start task for `bash` or `sh`: they are installed before it"
        problems.append(
            document.key_problem(
                (*start_task.pointer, "command"),
                code="packages",
                message=message,
                hint="leave its `shell` out, or install the packages in it",
            )
        )
    return tuple(problems)
