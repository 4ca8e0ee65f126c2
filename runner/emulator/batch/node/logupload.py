"""Sends texts to a container, from a thread.

It must not know what they tell.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable

from runner.emulator.batch.node.connections import Connections, TransferError, TransferPolicy
from runner.emulator.batch.node.interruption import InterruptedRunError, Interruption
from runner.emulator.batch.node.uploads import BlockSizes, upload
from runner.emulator.batch.node.urls import blob_url, without_secrets

logger = logging.getLogger(__name__)


def send_texts(
    container_url: str,
    files: Iterable[tuple[str, str]],
    interruption: Interruption,
    policy: TransferPolicy,
) -> None:
    """Puts one blob for each name and text; what cannot be sent is told in the log alone."""
    # Imported here: it takes a while, and few ask for logs of nodes.
    import tempfile

    connections = Connections(policy)
    try:
        for name, text in files:
            with tempfile.TemporaryFile() as file:
                file.write(text.encode("utf-8", "backslashreplace"))
                file.flush()
                url = blob_url(container_url, name)
                upload(connections, url, file.fileno(), interruption, BlockSizes())
    except InterruptedRunError:
        pass
    except (OSError, TransferError, ValueError) as error:
        shown = without_secrets(container_url)
        logger.warning("logs of a node could not be sent to %s: %s", shown, error)
    finally:
        connections.close()
