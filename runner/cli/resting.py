"""Whether the services of a local run that was left still work, without asking them anything.

It must not know what they do, and leaves their state as it is.
"""

from __future__ import annotations

import socket
from pathlib import Path
from urllib.parse import urlsplit

from runner.remote.local_state import read_place
from runner.run.records.places import LOCAL_STATE

# On this machine somebody who listens answers at once.
_SECONDS = 1.0


def have_services_ended(directory: Path) -> bool:
    """Whether nobody listens where the run's services were last; false where that cannot be told.

    `directory` is the run's.
    """
    state = directory / LOCAL_STATE
    try:
        next(state.iterdir(), None)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    place = read_place(state)
    if place is None:
        return True
    url = urlsplit(place.settings.batch.endpoint)
    try:
        with socket.create_connection((url.hostname or "", url.port or 443), _SECONDS):
            return False
    except ConnectionRefusedError:
        return True
    except OSError:
        return False
