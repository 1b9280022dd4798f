"""Properties that rows leave out: blank, or not there at all (contract sections 3 and 21.10).

Promise: a property counts as blank only on evidence that it exists: another row of the same answer shows it, or a
description asked after the read does. One that was renamed or deleted stays unknown, and never looks like everything
was emptied. Where HubSpot tells blanks as null, as it mostly does, nothing is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

import msgspec

from syncd.connector import Record

LOOK_AGAIN_S = 3600.0
"""How long a property that does not exist is not asked after again."""


class Blanks:
    """What one account's answers leave out."""

    def __init__(self, defined: Callable[[str], Iterable[str]], now: Callable[[], float]) -> None:
        """`defined`: asks for the names of an object's properties, as they are now."""
        self._defined = defined
        self._now = now
        self._missing: dict[tuple[str, str], float] = {}

    def filled(self, object: str, records: list[Record], attributes: Sequence[str]) -> list[Record]:
        """The records of one answer, with None for each asked attribute that is left out because it is blank."""
        wanted = dict.fromkeys(attributes)
        if all(len(record.attributes) == len(wanted) for record in records):
            return records
        shown = {name for record in records for name in record.attributes}
        blank = shown | self._known(object, [name for name in wanted if name not in shown])
        return [
            msgspec.structs.replace(
                record,
                attributes={
                    name: record.attributes.get(name) for name in wanted if name in record.attributes or name in blank
                },
            )
            for record in records
        ]

    def _known(self, object: str, names: Sequence[str]) -> set[str]:
        """Those of the names that the account has. Asks, unless all are known to be missing."""
        now = self._now()
        asked = [name for name in names if not 0 <= now - self._missing.get((object, name), now + 1) < LOOK_AGAIN_S]
        if not asked:
            return set()
        defined = set(self._defined(object))
        self._missing.update(((object, name), now) for name in asked if name not in defined)
        return defined.intersection(asked)
