"""The script that installs a pool's packages on a node, before the user's own command.

It knows nothing of how a script reaches a node. The script is of POSIX's language, which `bash` and
`sh` both run; it may be run again and again, and installs only what is missing. The names of
packages have been checked by the schema.
"""

from __future__ import annotations

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
