"""What changed: a walk through everything, then searches by the time of modification (contract sections 4.1 and 5).

Promise: nothing that changed is skipped, whatever shares a stamp, moves while being read, or reaches the search index
late within the overlap; and when nothing changed, a poll is one call.

HubSpot has no log of changes, only a lagging index that can be searched by modification time. So:

* The index gives ids and stamps; values are read by id, and only where the stamp is one that the ledger lacks.
* Searches page by id, not by offset or time: any number of rows may share a stamp, and rows that are edited while we
  read drop out without shifting the others. What was edited behind us is newer than the walk's bound, and next time's.
* `mark` is the newest stamp seen, in HubSpot's time. Our own clock tells only how long ago it was first seen: as long
  as older stamps may still surface, a poll looks back by the overlap; one poll after that closes the window, and from
  then on only newer stamps are asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from connectors.hubspot.errors import refuse_read
from connectors.hubspot.kinds import Kind
from connectors.hubspot.reads import READ_BATCH, Reader, next_after
from connectors.hubspot.wire import MERGED_IDS, ROWS, Row, Rows, decoded, stamp_ms
from syncd.connector import Held, Key, Page, Record
from syncd.errors import CursorLost
from syncd.http import Timing, Trail

URL_CHARACTERS = 12_000
"""How long the list of properties may be in an address; longer ones are asked for in a body, at one call more a page."""


class Cursor(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """The place in the feed. Times of HubSpot in ms, our own in seconds."""

    mark: int = 0
    """The newest stamp of the last finished round, HubSpot's time."""
    at: float = 0.0
    """When we first saw it, our time."""
    closed: bool = False
    """A whole round was made when nothing older than `mark` could surface any more."""
    walk: str | None = None
    """Reading everything: where the list goes on."""
    since: int | None = None
    """In the middle of a round of several searches: its lower end,"""
    bound: int = 0
    """its upper end,"""
    above: str = ""
    """the last id done,"""
    closing: bool = False
    """and whether its end will close the window."""


_CURSOR = msgspec.json.Decoder(Cursor)


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed of one account."""

    reader: Reader
    timing: Timing
    now: Callable[[], float]

    def changes(self, kind: Kind, attributes: Sequence[str], cursor: str | None, held: Held) -> Iterator[Page]:
        """See `Connector.changes`. Raises CursorLost for a cursor that is none of ours."""
        place = self._start(kind) if cursor is None else _parsed(cursor)
        if place.walk is not None:
            yield from self._walk(kind, attributes, place)
        else:
            yield from self._round(kind, attributes, place, held)

    # ------------------------------------------------------------ everything

    def _start(self, kind: Kind) -> Cursor:
        """The delta after a walk starts from before it: from the newest stamp that the index knows now."""
        newest = self.reader.search(kind, (), "", newest=True)
        return Cursor(mark=_stamps(newest.results, kind)[0] if newest.results else 0, at=self.now(), walk="")

    def _walk(self, kind: Kind, attributes: Sequence[str], place: Cursor) -> Iterator[Page]:
        names = list(dict.fromkeys([*attributes, kind.modified, MERGED_IDS]))
        fits = sum(map(len, names)) + 3 * len(names) < URL_CHARACTERS
        after = place.walk or ""
        resumed, trail = bool(after), Trail(f"the list of {kind.name}")
        while True:
            answer = self.reader.page(kind, names if fits else (), after)
            if answer.status == 400 and resumed:
                raise CursorLost("the place in the list is not known any more")
            if answer.status >= 300:
                raise refuse_read(answer)
            page: Rows = decoded(answer, ROWS)
            after = next_after(page, after, answer.what)
            if after:
                trail.on(after, len(page.results))
            resumed = False
            if fits:
                made = self.reader.records(kind, page.results, attributes) + self.reader.aliases(kind, page.results)
            else:
                made = self._read(kind, attributes, [row.id for row in page.results])
            if not after:
                break
            yield Page(made, _text(Cursor(place.mark, place.at, walk=after)), False)
        yield Page(made, _text(Cursor(place.mark, place.at)), True)

    # ------------------------------------------------------------ what changed

    def _round(self, kind: Kind, attributes: Sequence[str], place: Cursor, held: Held) -> Iterator[Page]:
        if place.since is None:
            now = self.now()
            if place.at > now:  # our clock was set back or is another one: wait the whole window again
                place.at = now
            settled = now - place.at >= self.timing.overlap_s + self.timing.lag_s
            since = place.mark + 1 if place.closed else max(0, place.mark - round(self.timing.overlap_s * 1000))
            page = self.reader.search(kind, _between(kind, since, 0), "")
            if not page.more:
                yield self._only(kind, attributes, place, page, held, now, settled)
                return
            bound = self._bound(kind, since, page)
            place = msgspec.structs.replace(place, since=since, bound=bound, closing=settled)
        else:
            since = place.since
            page = self.reader.search(kind, _between(kind, since, place.bound), place.above)
        yield from self._rest(kind, attributes, since, place, page, held)

    def _only(
        self, kind: Kind, attributes: Sequence[str], place: Cursor, page: Rows, held: Held, now: float, settled: bool
    ) -> Page:
        """A round of one search: an atomic look, so its newest stamp is the new mark."""
        newest = max(_stamps(page.results, kind), default=0)
        if newest > place.mark:
            following = Cursor(newest, now)
        else:
            following = Cursor(place.mark, place.at, place.closed or settled)
        return Page(self._unknown(kind, attributes, page.results, held), _text(following), True)

    def _bound(self, kind: Kind, since: int, first: Rows) -> int:
        """The newest stamp at the start of a round of several searches. Later edits are the next round's: without the
        bound, the mark would jump over edits made behind our back while we read."""
        newest = self.reader.search(kind, _between(kind, since, 0), "", newest=True)
        return max(_stamps([*newest.results, *first.results], kind))

    def _rest(
        self, kind: Kind, attributes: Sequence[str], since: int, place: Cursor, page: Rows, held: Held
    ) -> Iterator[Page]:
        while page.more:
            place = msgspec.structs.replace(place, above=page.results[-1].id)
            yield Page(self._unknown(kind, attributes, page.results, held), _text(place), False)
            page = self.reader.search(kind, _between(kind, since, place.bound), place.above)
        if place.bound > place.mark:
            following = Cursor(place.bound, self.now())
        else:
            following = Cursor(place.mark, place.at, place.closed or place.closing)
        yield Page(self._unknown(kind, attributes, page.results, held), _text(following), True)

    # ------------------------------------------------------------ values

    def _unknown(self, kind: Kind, attributes: Sequence[str], rows: Sequence[Row], held: Held) -> list[Record]:
        """The records of the rows whose stamp the ledger lacks, read by id."""
        if not rows:
            return []
        known = held([row.id for row in rows])
        stamps = _stamps(rows, kind)
        return self._read(
            kind, attributes, [row.id for row, stamp in zip(rows, stamps, strict=True) if known.get(row.id) != stamp]
        )

    def _read(self, kind: Kind, attributes: Sequence[str], ids: Sequence[Key]) -> list[Record]:
        made: list[Record] = []
        for start in range(0, len(ids), READ_BATCH):
            made += self.reader.by_id(kind, attributes, ids[start : start + READ_BATCH])
        return made


def _between(kind: Kind, since: int, bound: int) -> list[dict[str, object]]:
    """Filters on the time of modification, both ends included; 0 = no upper end."""
    filters: list[dict[str, object]] = [{"propertyName": kind.modified, "operator": "GTE", "value": str(since)}]
    if bound:
        filters.append({"propertyName": kind.modified, "operator": "LTE", "value": str(bound)})
    return filters


def _stamps(rows: Sequence[Row], kind: Kind) -> list[int]:
    return [stamp_ms(row.properties.get(kind.modified) or row.updatedAt) for row in rows]


def _parsed(cursor: str) -> Cursor:
    try:
        return _CURSOR.decode(cursor)
    except msgspec.DecodeError:
        raise CursorLost("the cursor is none that this connector made") from None


def _text(cursor: Cursor) -> str:
    return msgspec.json.encode(cursor).decode()
