"""Which deals gave credit to which source and campaign: the way from a figure of revenue to its deals.

Promise: kept by triggers beside the deals themselves, so that nobody who writes a deal can forget it; a question walks an
index, whatever the ledger holds. It does not know what credit is.
"""

from __future__ import annotations

from typing import Any

import msgspec

from syncd.core.sale import Sale
from syncd.ledger.store import Store

_SALE = msgspec.json.Decoder(Sale)
Behind = tuple[int, int, str]
"""Close day, object and key: where a page ends."""
START: Behind = (-1, 0, "")


class Shares:
    """The sale_pair table."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def deals(
        self, campaign: str, source: str | None, since: int | None, until: int | None, after: Behind, limit: int
    ) -> list[tuple[int, str, Sale]]:
        """Deals that gave credit to this campaign (of this source; None: whatever source), or in which it helped; by
        close day, from behind `after` on."""
        of, given = ("", []) if source is None else (" AND source = ?", [source])
        span: list[Any] = [0 if since is None else since, 1 << 40 if until is None else until]
        rows = self._store.rows(
            "SELECT s.object, s.key, s.doc FROM (SELECT DISTINCT closed, object, key FROM sale_pair WHERE campaign = ?"
            f"{of} AND (closed, object, key) > (?, ?, ?) AND closed >= ? AND closed < ?"
            " ORDER BY closed, object, key LIMIT ?) p CROSS JOIN sale s ON s.object = p.object AND s.key = p.key",
            (campaign, *given, *after, *span, limit),
        )
        return [(object_, key, _SALE.decode(doc)) for object_, key, doc in rows]
