"""What a run is made with: versions of programs and libraries, and the state of the spec's folder.

It must not know which run that is. A version that is not told does not keep a run from beginning.
"""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

_PACKAGES = ("azure-batch", "azure-storage-blob")


def versions() -> dict[str, str]:
    """By name: Python, the operating system of the client, and the SDKs."""
    found = {
        "Python": platform.python_version(),
        "platform": f"{platform.system()} {platform.release()} {platform.machine()}",
    }
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "unknown"
    return found
