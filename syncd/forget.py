"""Forgetting a person: out of everything that syncd owns, with a certificate, and so that they do not come back.

Promise: it is refused while a write about them is on its way (nobody could say what it did); done twice it does it
once. The systems themselves are not touched: there a person is deleted by those who keep that system.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from syncd.errors import ConfigError, Transient
from syncd.ledger import Ledger
from syncd.ledger.erasure import Place, tombstones
from syncd.ledger.journal import Note

AT_SYSTEM = ("sent", "answered")


def find(ledger: Ledger, person: Sequence[str]) -> list[Place]:
    """The records of a person: a match value (an e-mail address), or SYSTEM OBJECT KEY. ConfigError if there is none."""
    if len(person) == 3:
        system, object_, key = person
        number = ledger.facts.object_id(system, object_)
        start = [(number, key)] if number and ledger.facts.get(number, key) is not None else []
    else:
        start = ledger.erasure.having(person[0].strip().lower())
    if not start:
        raise ConfigError(
            "the ledger holds nobody of that name",
            remedy="name an e-mail address as a mapping matches by it, or SYSTEM OBJECT KEY (`syncd links`)",
        )
    return ledger.erasure.belonging(start)


def forget(ledger: Ledger, places: Sequence[Place], run: int | None, now: float) -> dict[str, Any]:
    """Erases these records, and returns the certificate. Transient while a write about one of them is unanswered."""
    _nothing_on_its_way(ledger, places)
    before = [str(file) for file in copies(ledger)]
    erased = _erase(ledger, places, run, now)
    entries, broken = ledger.journal.verify()
    return {
        "records": [
            dict(zip(("system", "object", "key"), (*ledger.facts.name_of(o), key), strict=True)) for o, key in places
        ],
        "erased": erased,
        "journal": {"entries": entries, "holds": broken is None},
        "backups_that_still_hold_them": before,
        "digest": sha256(repr((sorted(places), entries)).encode()).hexdigest(),
    }


def _erase(ledger: Ledger, places: Sequence[Place], run: int | None, now: float) -> dict[str, int]:
    with ledger.transaction():
        erased = ledger.erasure.erase(places, now)
        notes = [Note("forgotten", "a person's data was erased", None, None, *place) for place in places]
        ledger.journal.write(notes, now, run)
    ledger.store.scrub()
    return erased


def carry_over(ledger: Ledger, aside: Path, now: float) -> int:
    """Erases from a restored ledger whoever was forgotten in the one that it replaced; returns how many records. Without
    it an old backup would bring them back."""
    found = tombstones(aside)
    places = [(ledger.facts.object_id(system, name), key) for system, name, key in found.records]
    if not places:
        return 0
    ledger.erasure.take_values(found.values, found.salt)
    _erase(ledger, places, None, now)
    return len(places)


def copies(ledger: Ledger) -> list[Path]:
    """Files that may still hold somebody: backups that the ledger knows of and that are there, those in `backups/` beside
    it (a restored ledger does not know of the newest), and what `ledger restore` put aside."""
    path = ledger.store.path
    found = {file for file in ledger.epoch.backups() if file.exists()}
    found |= {*(path.parent / "backups").glob("*.db"), *path.parent.glob(f"{path.name}.before-*")}
    return sorted(file for file in found if not file.name.endswith(("-wal", "-shm")))


def _nothing_on_its_way(ledger: Ledger, places: Sequence[Place]) -> None:
    for object_, key in places:
        for mapping in ledger.books.mapping_names():
            intents = ledger.intents.of_sources(mapping, object_, [key])
            link = ledger.links.of_records(mapping, object_, [key]).get(key)
            intents += ledger.intents.of_links([link]) if link is not None else []
            if any(intent.state in AT_SYSTEM for intent in intents):
                raise Transient(
                    "A write about this person is not answered yet; nothing was erased.",
                    remedy="Run `syncd once`, or wait for the daemon's next cycles; then try again.",
                )
