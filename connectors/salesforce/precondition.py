"""Whether this account honours If-Unmodified-Since inside composite calls: asked once, by a read that harms nobody.

Promise: the trait `precondition` is believed until a probe shows otherwise, and no conditional write is sent before
the probe. That the header works in parts of a composite call is inferred from the documentation, not stated in it
(contract section 6.4), hence the probe: a read with a condition in the far past must be answered with 412.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence

from connectors.salesforce.org import Org, Part
from connectors.salesforce.shapes import COMPOSITE
from connectors.salesforce.soql import identifier
from connectors.salesforce.values import http_date

LONG_AGO_MS = 631_152_000_000
"""1990: every record is younger."""


class Precondition:
    """What is known of conditions on one account. Safe in several threads."""

    def __init__(self, org: Org) -> None:
        self._org = org
        self._lock = threading.Lock()
        self._honoured: bool | None = None

    @property
    def believed(self) -> bool:
        """Whether conditions work, as far as is known; asks nothing."""
        return self._honoured is not False

    def honoured(self, object: str, keys: Sequence[str]) -> bool:
        """Whether conditions work; probes with these records if that is not known. Raises Transient, AccessError.

        Where none of the records can be read it stays open, and True is answered: then none can be written either.
        """
        with self._lock:
            if self._honoured is None:
                self._honoured = self._probe(object, keys)
            return self._honoured is not False

    def _probe(self, object: str, keys: Sequence[str]) -> bool | None:
        headers = {"If-Unmodified-Since": http_date(LONG_AGO_MS)}
        parts = [
            Part(f"p{at}", "GET", f"/sobjects/{identifier(object)}/{key}?fields=Id", headers)
            for at, key in enumerate(keys[:COMPOSITE])
        ]
        statuses = {reply.status for reply in self._org.composite(parts).values()}
        if 412 in statuses:
            return True
        return False if statuses & {200, 400} else None  # 400: a condition is not even understood here
