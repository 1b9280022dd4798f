"""What changed in one object since a cursor: the walk, and the cursor that makes it safe to stop anywhere.

Promise: nothing that changed is skipped, whatever shares a second, moves while it is read, or commits late within the
overlap; an object that rests costs one call a poll. Source: contract sections 4.2, 4.4, 5.1; hazards H044-H054, H065-H068.

How. A walk is one query, ordered by stamp; the server keeps its list of ids, and values are read page by page. A row
that changes while the walk goes on therefore shows a stamp from after the query, and rows made meanwhile are not in
the list at all. So the place to go on from (`mark`) is never later than `bound`: a time which the server's clock had
surely reached when it made the list. That is a stamp that was seen before or with the first page; or, when there are more
pages, the newest stamp there is just after the list was made, less the time since the list was asked for. Without that
the bound would be a stamp of the first page, and the next poll would read all the other pages again. Our clock measures
durations only.

A transaction may show its rows up to `overlap_s` after their stamp. So a walk begins `overlap_s` before the mark, except
for what is `settled`: stamps for which a walk has begun after that time had passed. When the mark itself is settled only
what is later than its second is asked for, so that a mass update of one second is not read for ever.
"""

from __future__ import annotations

import math
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from connectors.salesforce.reading import Reader
from connectors.salesforce.replies import Reply
from connectors.salesforce.rows import Rows
from connectors.salesforce.shapes import GRAIN_MS, shape_of
from connectors.salesforce.soql import Condition, Query, select, since
from syncd.connector import Page, Record
from syncd.errors import CursorLost
from syncd.http import BadAnswer, Timing

BIN_S = 14 * 86400.0
"""How long we may have been away before deletions are lost: the recycle bin keeps 15 days."""
MAX_EMPTY_PAGES = 2
"""Pages in a row without a row before we stop following."""


class Cursor(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where a feed stands. Stamps in epoch ms of the server's clock, times in seconds of ours."""

    mark: int | None = None
    """Everything up to this stamp was read, but for what commits late. None: nothing was there."""
    settled: int | None = None
    """Everything up to this stamp was read, and what commits late too."""
    bound: int | None = None
    """The latest time that the server's clock surely had reached when the current or next walk began."""
    at: float = 0.0
    """When it had."""
    polled: float = 0.0
    """When the last walk ended."""
    next: str = ""
    """The next page of a walk under way; "" between walks."""
    began: float = 0.0
    """When the walk began."""
    top: int | None = None
    """The largest stamp that the walk met."""
    reached: int | None = None
    """Where the walk can be begun again if the server forgets it: all rows before this stamp were read."""
    fields: int = 0
    """Digest of what the walk selects: its pages hold nothing else."""
    pages: int = 0
    """Pages of the walk that were read."""


_DECODER = msgspec.json.Decoder(Cursor)


@dataclass(frozen=True, slots=True)
class Ahead:
    """The first answer of a walk, got together with another's in one call; `asked_s`: when."""

    query: Query
    reply: Reply
    asked_s: float


@dataclass(frozen=True, slots=True)
class Feed:
    """The feed of one object. Holds no state: that is the cursor's."""

    reader: Reader
    timing: Timing
    now: Callable[[], float]

    @property
    def _wait_ms(self) -> int:
        """What is older than this when a walk begins can be seen by it, and keeps its place in the walk's list."""
        return round((self.timing.overlap_s + self.timing.lag_s) * 1000) + GRAIN_MS

    def start(self, object: str) -> str:
        """A cursor that stands at now, for somebody who knows all that was before. One call."""
        newest, at_s = self._newest(object), self.now()
        return _text(Cursor(mark=newest, bound=newest, at=at_s, polled=at_s))

    def opening(self, object: str, attributes: Sequence[str], cursor: str) -> Query | None:
        """What a poll at this cursor asks first; None in the middle of a walk. Raises CursorLost."""
        place = self._place(object, cursor)
        return None if place.next else self._query(object, self.reader.rows(object, attributes), place)

    def changes(
        self, object: str, attributes: Sequence[str], cursor: str | None, ahead: Ahead | None = None
    ) -> Iterator[Page]:
        """See `Connector.changes`. `ahead`: the answer to `opening`, asked for beforehand. Raises CursorLost for a
        cursor that is none of ours or too old."""
        place = self._place(object, cursor)
        rows, reply = self._resume(object, attributes, place) if place.next else (None, None)
        asked: float | None = None
        if rows is None or reply is None:
            asked = None if cursor is None else ahead.asked_s if ahead else self.now()
            rows, reply = self._begin(object, attributes, place, first=cursor is None, ahead=ahead)
        visited: set[str] = set()
        empty = 0
        while True:
            page = self.reader.page_of(rows, reply)
            records = self.reader.records(object, attributes, rows, page.records)
            if asked is not None and not page.done:
                self._bind_list(object, place, asked)
            asked = None
            self._note(place, records)
            if page.done:
                self._end(place)
                yield Page(records, _text(place), True)
                return
            path = self.reader.org.page_path(page.next or "")
            empty = 0 if records else empty + 1
            if path in visited or path == place.next or empty >= MAX_EMPTY_PAGES:
                raise BadAnswer(f"{object}: the pages of a query lead nowhere; the cursor stays")
            visited.add(path)
            place.next = path
            yield Page(records, _text(place), False)
            rows, reply = self._go_on(object, attributes, place, rows)

    # ------------------------------------------------------------ a walk's parts

    def _place(self, object: str, cursor: str | None) -> Cursor:
        if cursor is None:
            return Cursor()
        try:
            place = _DECODER.decode(cursor)
        except (msgspec.DecodeError, msgspec.ValidationError):
            raise CursorLost(f"the cursor of {object} cannot be read") from None
        read_s = place.polled or place.began
        if read_s and self.now() - read_s > BIN_S and shape_of(object).deletable:
            raise CursorLost(
                f"{object} was last read more than {BIN_S / 86400:.0f} days ago; Salesforce no longer shows what was "
                "deleted since"
            )
        return place

    def _begin(
        self, object: str, attributes: Sequence[str], place: Cursor, *, first: bool, ahead: Ahead | None = None
    ) -> tuple[Rows, Reply]:
        """Starts a walk at the cursor, or where a broken-off one had got to."""
        broken_off = bool(place.next)
        if not broken_off:
            place.began, place.top, place.reached, place.pages = self.now(), None, None, 0
            if ahead:
                place.began = min(place.began, ahead.asked_s)  # the list was made then, not now
            if place.began < place.at:
                place.at = place.began  # our clock was set back: wait once more rather than too little
        place.next = ""
        if first:
            place.bound, place.at = self._newest(object), self.now()

        def call(rows: Rows) -> Sequence[Reply]:
            query = self._query(object, rows, place)
            if ahead and ahead.query == query:
                return [ahead.reply]
            return [self.reader.org.query(query)]

        rows, (reply,) = self.reader.ask(object, attributes, call)
        place.fields = _digest(rows)
        return rows, reply

    def _query(self, object: str, rows: Rows, place: Cursor) -> Query:
        shape = shape_of(object)
        where, order = self._where(place, shape.stamp), (shape.stamp, "Id")
        all_rows = shape.deletable or shape.archived
        return select(object, rows.fields, where, order=order, all_rows=all_rows)

    def _where(self, place: Cursor, stamp: str) -> Condition | None:
        if place.reached is not None:
            return since(stamp, place.reached, inclusive=True)
        if place.mark is None:
            return None
        floor = place.mark - round(self.timing.overlap_s * 1000)
        if place.settled is not None and place.settled >= floor:
            return since(stamp, place.settled, inclusive=False)
        return since(stamp, floor, inclusive=True)

    def _newest(self, object: str) -> int | None:
        """The newest stamp there is. A first walk asks before it begins: the place to go on from is fixed before
        (hazard H068)."""

        def call(rows: Rows) -> Sequence[Reply]:
            query = select(object, rows.fields, order=(shape_of(object).stamp,), descending=True, limit=1)
            return [self.reader.org.query(query)]

        rows, (reply,) = self.reader.ask(object, (), call)
        records = rows.records(self.reader.page_of(rows, reply).records, "")
        return records[0].stamp_ms if records else None

    def _resume(self, object: str, attributes: Sequence[str], place: Cursor) -> tuple[Rows | None, Reply | None]:
        """The next page of the walk that the cursor is in the middle of; None where it must be begun again."""
        rows = self.reader.rows(object, attributes)
        if place.fields != _digest(rows):
            return None, None
        reply = self.reader.org.more(place.next)
        if reply.ok:
            return rows, reply
        if reply.code in _FORGOTTEN:
            return None, None
        raise reply.refused()

    def _go_on(self, object: str, attributes: Sequence[str], place: Cursor, rows: Rows) -> tuple[Rows, Reply]:
        reply = self.reader.org.more(place.next)
        if reply.ok:
            return rows, reply
        if reply.code in _FORGOTTEN:
            return self._begin(object, attributes, place, first=False)
        raise reply.refused()

    def _note(self, place: Cursor, records: Sequence[Record]) -> None:
        """Takes a page's stamps into account."""
        place.pages += 1
        if not records:
            return
        stamps = [record.stamp_ms for record in records]
        place.top = max([*stamps, place.top or 0])
        if place.pages == 1:
            self._bind(place, place.top)
        if place.bound is not None:  # a younger stamp may have come after the list was made: it does not tell its order
            firm = place.bound - self._wait_ms
            place.reached = max([*(stamp for stamp in stamps if stamp <= firm), place.reached or 0]) or None

    def _bind(self, place: Cursor, stamp_ms: int) -> None:
        """The server's clock has reached a stamp: it was seen."""
        if place.bound is None or stamp_ms > place.bound:
            place.bound, place.at = stamp_ms, self.now()

    def _bind_list(self, object: str, place: Cursor, asked: float) -> None:
        """The server's clock has reached the newest stamp by now; when the list was asked for, it had reached as much
        less as has gone by since. Time that our clock did not measure rightly only keeps the bound where it was."""
        newest = self._newest(object)
        went_by_s = self.now() - asked
        if newest is None or went_by_s < 0:
            return
        stamp_ms = math.floor(newest / 1000 - went_by_s) * 1000
        if place.bound is None or stamp_ms > place.bound:
            place.bound, place.at = stamp_ms, asked

    def _end(self, place: Cursor) -> None:
        """The walk saw its last page: moves the mark, and settles what no longer can commit late."""
        top, bound, mark = place.top, place.bound, place.mark
        if mark is not None and bound is not None:
            began_ms = bound + (place.began - place.at) * 1000  # the server's clock, at least, when the walk began
            settled = min(mark, math.floor((began_ms - self._wait_ms) / 1000) * 1000)
            place.settled = max(settled, place.settled or 0)
        if top is not None and bound is not None:
            place.mark = max(min(top, bound), mark or 0)
            self._bind(place, top)
        place.polled = self.now()
        place.next, place.began, place.top, place.reached = "", 0.0, None, None
        place.fields, place.pages = 0, 0


_FORGOTTEN = frozenset({"INVALID_QUERY_LOCATOR", "NOT_FOUND"})


def _text(place: Cursor) -> str:
    return msgspec.json.encode(place).decode()


def _digest(rows: Rows) -> int:
    return zlib.crc32(",".join(rows.fields).encode())
