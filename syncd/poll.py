"""Detect: pages -> facts. Facts and cursor move in one transaction; nothing is decided here.

Cost: a page costs one set-wise look-up and, for a record whose hash is known, no write. A kill loses at most the pages
of one transaction, which are read again.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Iterator, Sequence

from syncd.assembly import Connected
from syncd.budget import Lane
from syncd.connector import Page, Record
from syncd.errors import CursorLost
from syncd.ledger.facts import Kept
from syncd.run import Run
from syncd.schemas import unseen
from syncd.trail import Trail

AHEAD_PAGES = 2
"""Pages that may wait, fetched and not yet kept."""

COMMIT_RECORDS = 10_000
"""Records kept in one transaction at most: an fsync costs as much as a few thousand rows."""


def poll(run: Run, system: Connected, object: str, attributes: Sequence[str], *, whole: bool = False) -> Kept:
    """Reads what changed since the last poll and keeps it. `whole`: everything, whatever was read before.

    An attribute that was never read before makes it a whole reading as well: its value is unknown everywhere.
    """
    facts = run.ledger.facts
    object_id = facts.object_id(system.name, object)
    feed = facts.feed(object_id)
    unread = not set(attributes) <= set(feed.attributes)
    cursor = None if whole or unread else feed.cursor
    complete = feed.complete and cursor is not None
    try:
        return _read(run, system, object, object_id, attributes, cursor, complete)
    except CursorLost:
        run.event("cursor_lost", system=system.name, object=object)
        return _read(run, system, object, object_id, attributes, None, False)


def _read(
    run: Run,
    system: Connected,
    object: str,
    object_id: int,
    attributes: Sequence[str],
    cursor: str | None,
    complete: bool,
) -> Kept:
    facts = run.ledger.facts
    read = moved = 0
    waiting: list[Page] = []

    def keep() -> None:
        nonlocal read, moved
        with run.ledger.transaction():
            for page in waiting:
                kept = facts.keep(object_id, page.records)
                read += kept.read
                moved += kept.moved
            last = waiting[-1]
            facts.move_feed(
                object_id,
                cursor=last.cursor,
                attributes=attributes,
                read_at=run.now(),
                complete=complete or last.done,
            )
        waiting.clear()

    known = complete

    def held(keys: Sequence[str]) -> dict[str, int]:
        # Stamps of a reading with fewer attributes do not vouch for the new ones.
        return facts.held(object_id, keys) if known else {}

    records, trail = 0, Trail(f"{system.name}: {object}")
    try:
        # A whole reading is none of the looks that the urgent share is for.
        lane = system.looking if complete else "normal"
        for page in ahead(system, system.connector.changes(object, attributes, cursor, held), lane):
            if not page.done:
                trail.once(page.cursor)
            waiting.append(page)
            records += len(page.records)
            shown = next((record for record in page.records if record.state == "live"), None)
            if shown is not None and len(shown.attributes) < len(attributes):
                unseen(run, system.name, object)  # one record tells: what is not there is left out of all
            if records >= COMMIT_RECORDS or page.done:
                keep()
                records = 0
            if page.done or run.stop():
                break
    finally:
        if waiting:  # also where a later page fails: what came before it was said, and need not be asked again
            keep()
    return Kept(read, moved)


def ahead(system: Connected, pages: Iterator[Page], lane: Lane = "normal") -> Iterator[Page]:
    """The same pages, each fetched while the one before is kept. A feed of one page costs no thread."""
    with system.lane(lane):
        first = next(pages, None)
    if first is None:
        return
    if first.done:
        yield first
        return
    ready: queue.Queue[Page | BaseException | None] = queue.Queue(AHEAD_PAGES)
    enough = threading.Event()

    def fetch() -> None:
        end: BaseException | None = None
        try:
            with system.lane(lane):
                for page in pages:
                    ready.put(page)
                    if enough.is_set():
                        return
        except BaseException as error:  # handed over, and raised where the pages are wanted
            end = error
        ready.put(end)

    reader = threading.Thread(target=fetch, name=f"ahead:{system.name}", daemon=True)
    reader.start()
    try:
        yield first
        while (page := ready.get()) is not None:
            if isinstance(page, BaseException):
                raise page
            yield page
            if page.done:
                return
    finally:
        enough.set()
        while reader.is_alive():
            with contextlib.suppress(queue.Empty):
                ready.get(timeout=0.05)


def look(
    run: Run, system: Connected, object: str, attributes: Sequence[str], keys: Sequence[str], *, history: bool = False
) -> dict[str, Record]:
    """Reads records by key from the system of truth, keeps what they say, and returns it by key.

    A key that is not answered is absent: that says nothing.
    """
    object_id = run.ledger.facts.object_id(system.name, object)
    traits = system.traits(object)
    batch = traits.history_batch if history else traits.read_batch
    seen: dict[str, Record] = {}
    for start in range(0, len(keys), batch):
        records = list(system.connector.fetch(object, attributes, keys[start : start + batch], history=history))
        run.ledger.facts.keep(object_id, records)
        seen.update((record.key, record) for record in records)
    return seen
