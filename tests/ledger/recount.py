"""The sums from scratch: every cell made anew of the rows that it is a sum of, to hold beside those that are kept.

Rule: what is moved by differences must be what adding everything up gives; who was erased stays in it.
"""

from __future__ import annotations

from collections import defaultdict

import msgspec

from syncd.core.sale import Sale
from syncd.core.standing import Standing, cells_of
from syncd.ledger import Ledger
from syncd.ledger.sums import Key, Pair

_CELLS = "SELECT figure, day, what, by, name, n, amount FROM {table} WHERE n != 0 OR amount != 0"


def kept(ledger: Ledger) -> dict[Key, Pair]:
    """Every cell as it is kept."""
    return {tuple(row[:5]): (row[5], row[6]) for row in ledger.store.rows(_CELLS.format(table="cell"))}


def recounted(ledger: Ledger) -> dict[Key, Pair]:
    """The same cells, made anew of the people's and the deals' rows and of what the erased left."""
    standings = (msgspec.json.decode(doc, type=Standing) for (doc,) in ledger.store.rows("SELECT doc FROM standing"))
    sales = (msgspec.json.decode(doc, type=Sale) for (doc,) in ledger.store.rows("SELECT doc FROM sale"))
    cells = [
        *ledger.store.rows(_CELLS.format(table="cell_erased")),
        *(cell for standing in standings for cell in cells_of(standing)),
        *(cell for sale in sales for cell in sale.cells),
    ]
    sums: defaultdict[Key, list[int]] = defaultdict(lambda: [0, 0])
    for figure, day, what, by, name, n, amount in cells:
        cell = sums[figure, day, what, by, name]
        cell[0] += n
        cell[1] += amount
    return {key: (n, amount) for key, (n, amount) in sums.items() if n or amount}
