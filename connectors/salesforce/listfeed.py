"""The feed of an object with lists: its own changes, and those of the rows that its lists are made of.

Promise: a row that comes, goes or leads elsewhere makes the record that it hangs on show in the feed, though no stamp of
that record moves; when both rest, a poll is one call. A row that is removed for good shows nowhere (nor does any record
removed so, README): the sweep for associations finds that. Source: contract sections 5, 15.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass

import msgspec

from connectors.salesforce.feed import Ahead, Feed
from connectors.salesforce.lists import lists_in
from connectors.salesforce.shapes import ChildList
from connectors.salesforce.soql import Query
from syncd.connector import Page
from syncd.errors import AccessError, CursorLost


class _Place(msgspec.Struct, omit_defaults=True, forbid_unknown_fields=True):
    """Where both feeds stand: the cursor of the object's own, and of each list's rows by their object."""

    own: str | None
    lists: dict[str, str]


_DECODER = msgspec.json.Decoder(_Place)


@dataclass(frozen=True, slots=True)
class ListFeed:
    """The feeds of one org. Holds no state: that is the cursor's."""

    feed: Feed

    def changes(self, object: str, attributes: Sequence[str], cursor: str | None) -> Iterator[Page]:
        """See `Connector.changes`."""
        made_of = list(lists_in(object, attributes).values())
        place = _place(object, cursor)
        if not made_of:
            yield from self.feed.changes(object, attributes, place.own)
            return
        fresh = [each.object for each in made_of if each.object not in place.lists]
        for name in fresh:  # whatever hangs there now is read with the records, by this walk or by the engine's sweep
            with suppress(AccessError):  # rows that our user may not see: the list is absent from records, too
                place.lists[name] = self.feed.start(name)
        following = [each for each in made_of if each.object not in fresh]
        ahead = self._ahead(object, attributes, place, following)
        for page in self.feed.changes(object, attributes, place.own, ahead.get(object)):
            place.own = page.cursor
            yield Page(page.records, _text(place), page.done and not following)
        for at, each in enumerate(following, 1):
            last = at == len(following)
            try:
                yield from self._follow(object, attributes, place, each, ahead.get(each.object), last)
            except AccessError:  # the right to see them was taken away: the cursor waits where it is
                if last:
                    yield Page([], _text(place), True)

    def _follow(
        self, object: str, attributes: Sequence[str], place: _Place, made_of: ChildList, ahead: Ahead | None, last: bool
    ) -> Iterator[Page]:
        """The records on which changed rows hang."""
        fields = (made_of.parent,)
        for page in self.feed.changes(made_of.object, fields, place.lists[made_of.object], ahead):
            parents = {row.attributes.get(made_of.parent) for row in page.records}
            keys = sorted(key for key in parents if isinstance(key, str))
            records = list(self.feed.reader.fetch(object, attributes, keys)) if keys else []
            place.lists[made_of.object] = page.cursor
            yield Page(records, _text(place), page.done and last)

    def _ahead(
        self, object: str, attributes: Sequence[str], place: _Place, following: Sequence[ChildList]
    ) -> dict[str, Ahead]:
        """The first answers of all feeds that are between walks, in one call; none where there are not several."""
        wanted: list[tuple[str, tuple[str, ...], str]] = [
            (each.object, (each.parent,), place.lists[each.object]) for each in following
        ]
        if place.own is not None:
            wanted.insert(0, (object, tuple(attributes), place.own))
        queries: dict[str, Query] = {}
        for name, names, cursor in wanted:
            if (query := self.feed.opening(name, names, cursor)) is not None:
                queries[name] = query
        if len(queries) < 2:
            return {}
        asked_s = self.feed.now()
        replies = self.feed.reader.org.queries(list(queries.values()))
        return {
            name: Ahead(query, reply, asked_s)
            for (name, query), reply in zip(queries.items(), replies, strict=True)
            if reply.ok
        }


def _place(object: str, cursor: str | None) -> _Place:
    """Where a feed stands; a cursor from before there were lists is that of the object's own feed."""
    if cursor is None:
        return _Place(None, {})
    try:
        return _DECODER.decode(cursor)
    except msgspec.ValidationError:
        return _Place(cursor, {})
    except msgspec.DecodeError:
        raise CursorLost(f"the cursor of {object} cannot be read") from None


def _text(place: _Place) -> str:
    return msgspec.json.encode(place).decode()
