"""Keeps clients on other machines from driving the same run: one holds a blob of it at a time.

A client that dies holds it for a minute longer. It must not know what driving is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable

from runner.errors import InterruptedRunError, ServiceError
from runner.run.services import BlobMissingError, Blobs

HELD_SECONDS = 60
"""How long a blob is held that nobody holds on to (REST: Lease Blob; 15 to 60)."""
_RENEWAL_SECONDS = 20.0
_CLAIM_SECONDS = 2.0
# A renewal that a dead network keeps waiting is not waited for.
_LAST_TRY_SECONDS = 5.0


class TakenOverError(ServiceError):
    """Another client drives the run, or has ended it; what it made is that one's to look after."""


class Hold:
    """A blob that this client holds, until it is released or lost."""

    def __init__(self, blobs: Blobs, container: str, blob: str, *, holder: str) -> None:
        """`holder` is a GUID, the same for all clients of one run's directory."""
        self._blobs = blobs
        self._place = (container, blob)
        self._holder = holder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._renew, name="hold", daemon=True)
        self._lost = False

    def claim(self, wait: Callable[[float], None], tell: Callable[[str], None]) -> bool:
        """Begins to hold it; false where there is no such blob.

        `wait` is called between two tries, and may raise; `tell` takes a line for people. Raises
        `TakenOverError` where another client holds on to it.
        """
        waited = 0.0
        try:
            while not self._blobs.hold_blob(*self._place, self._holder, HELD_SECONDS):
                if waited > HELD_SECONDS:
                    raise TakenOverError(
                        "a client on another machine drives the run",
                        hint="it goes on without you; one that has died lets go after a minute",
                    )
                if not waited:
                    tell("another client has driven the run within the last minute: waiting for it")
                wait(_CLAIM_SECONDS)
                waited += _CLAIM_SECONDS
        except BlobMissingError:
            return False
        self._thread.start()
        return True

    @property
    def is_held(self) -> bool:
        """Whether it was claimed, and nobody has taken it since."""
        return self._thread.ident is not None and not self._lost

    def is_still_ours(self) -> bool:
        """Asks anew, before something is done that another client would suffer from.

        Raises `ServiceError` where no answer comes: whoever cannot tell had better do nothing.
        """
        if self.is_held and not self._ask():
            self._lost = True
        return not self._lost

    def check(self) -> None:
        """Raises `TakenOverError` once the blob is not held any more."""
        if self._lost:
            raise TakenOverError(
                "a client on another machine has taken the run over, or ended it",
                hint="nothing of it was touched since",
            )

    def end(self, *, releases: bool) -> None:
        """Holds on no longer; `releases` lets others at it at once. Errors are of no interest."""
        self._ended.set()
        if self._thread.ident is not None:
            self._thread.join(_LAST_TRY_SECONDS)
        if releases and not self._lost:
            try:
                self._blobs.release_blob(*self._place, self._holder)
            except ServiceError:
                return  # it lets go by itself

    def _ask(self) -> bool:
        """False once another client holds it, or it is gone."""
        try:
            return self._blobs.hold_blob(*self._place, self._holder, HELD_SECONDS)
        except BlobMissingError:
            return False

    def _try(self) -> bool:
        """The same; true where no answer comes."""
        try:
            return self._ask()
        except (InterruptedRunError, ServiceError):
            return True  # out of reach: whoever works notices as well, and it may be ours yet

    def _renew(self) -> None:
        while not self._ended.wait(_RENEWAL_SECONDS):
            if not self._try():
                self._lost = True
                return
