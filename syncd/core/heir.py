"""Two records that were one person: where that person stands.

Promise: pure; nobody is counted twice, and who once met the definition stays in the sum.
"""

from __future__ import annotations

import msgspec

from syncd.core.standing import Standing


def inherit(mine: Standing | None, theirs: Standing) -> Standing:
    """The standing of the record that lives on, with that of the one that went into it. Who qualified first, counts."""
    if mine is None:
        return theirs
    first = theirs.qualified_ms is not None and (mine.qualified_ms is None or theirs.qualified_ms < mine.qualified_ms)
    one, other = (theirs, mine) if first else (mine, theirs)
    return msgspec.structs.replace(
        one,
        came=min(one.came, other.came),
        reached=max(one.reached, other.reached),
        entered={**other.entered, **one.entered},
        source=one.source or other.source,
        campaign=one.campaign or other.campaign,
    )
