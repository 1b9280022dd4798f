"""Whether pages lead on: what anybody who follows a server's pages holds against it.

Promise: following pages comes to an end whatever the server says. A page that names a place where we were, pages
without a row one after the other, a place too long to be one, or more pages than any account has are a `BadAnswer`:
the cursor stays where it was, and the next cycle asks again. It follows nothing itself.
"""

from __future__ import annotations

from syncd.transport import BadAnswer

MOST_PAGES = 100_000
"""Pages of one reading: at a hundred rows each, ten million records."""
MOST_EMPTY_PAGES = 20
"""Pages in a row that hold nothing and yet name another."""
MOST_PLACE_CHARACTERS = 4_096
"""The longest that a place which a server names may be: it goes into an address or a body of ours."""


class Trail:
    """One reading of pages. Costs a few bytes a page."""

    __slots__ = ("_empty", "_pages", "_visited", "_what")

    def __init__(self, what: str) -> None:
        """`what`: for messages: a call or an object, without anybody's values."""
        self._what = what
        self._visited: set[int] = set()
        self._pages = 0
        self._empty = 0

    def on(self, place: str, rows: int) -> str:
        """The same place, if a page of so many rows may lead there. Raises BadAnswer."""
        if len(place) > MOST_PLACE_CHARACTERS or not place.isprintable():
            raise BadAnswer(f"{self._what}: a page names a place to go on from that is none; not followed")
        self.once(place)
        self._empty = 0 if rows else self._empty + 1
        if self._empty > MOST_EMPTY_PAGES:
            raise BadAnswer(f"{self._what}: {self._empty} pages in a row hold nothing and name another; not followed")
        return place

    def once(self, place: str) -> None:
        """Notes a place of our own making, of whatever length. Raises BadAnswer where it was noted before, and after
        `MOST_PAGES` of them."""
        mark = hash(place)
        if mark in self._visited:
            raise BadAnswer(f"{self._what}: the pages lead back to where they were; not followed")
        self._visited.add(mark)
        self._pages += 1
        if self._pages > MOST_PAGES:
            raise BadAnswer(
                f"{self._what}: no end after {MOST_PAGES} pages; what was read is kept, and the next cycle goes on there"
            )
