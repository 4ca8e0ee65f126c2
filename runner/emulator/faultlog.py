"""Where the services' warnings and faults go: stderr, and a file of the data directory.

It must not know what is logged.
"""

from __future__ import annotations

import logging
from pathlib import Path


class _FaultFile(logging.FileHandler):
    """A log that may fail without whoever logs failing: its folder may be deleted meanwhile."""

    def emit(self, record: logging.LogRecord) -> None:
        """Writes the record, or says on stderr that it could not."""
        try:
            super().emit(record)
        except OSError:
            self.handleError(record)


def log_faults(path: Path | None) -> None:
    """Sends what the services log as warnings and faults to stderr, and to `path` if given."""
    handlers: list[logging.Handler] = [logging.StreamHandler()]
    if path is not None:
        handlers.append(_FaultFile(path, encoding="utf-8", delay=True))
    form = logging.Formatter("emulator: %(levelname)s: %(message)s")
    logger = logging.getLogger("runner.emulator")
    for handler in handlers:
        handler.setFormatter(form)
        logger.addHandler(handler)
