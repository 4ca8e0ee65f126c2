"""What of the emulator's own environment a task may see.

It knows nothing of tasks, nor of the variables that the service sets for them.
"""

from __future__ import annotations

from collections.abc import Mapping

_KEPT = frozenset({"PATH", "HOME", "LANG", "TZ", "USER", "LOGNAME", "TMPDIR", "SHELL"})


def base_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The variables that a program needs to run at all: paths, user, locale and time zone.

    Everything else is left out, so that account keys and tokens of whoever started the emulator
    never reach a task.
    """
    return {
        name: value for name, value in environ.items() if name in _KEPT or name.startswith("LC_")
    }
