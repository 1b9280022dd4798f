"""Reading records by id and by value.

Promise: a key yields a record, or where it went, or nothing; `gone` only where Salesforce still shows the deleted row.
A record that was not asked for is never taken for one that was. Source: contract sections 4, 6.3, 16.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import msgspec

from connectors.salesforce.ids import id18, is_id
from connectors.salesforce.lists import Lists
from connectors.salesforce.org import Org
from connectors.salesforce.replies import Reply
from connectors.salesforce.rows import DISPENSABLE, Page, Rows
from connectors.salesforce.schemas import Schemas
from connectors.salesforce.shapes import COMPOSITE_QUERIES, FIND_BATCH, READ_BATCH, shape_of
from connectors.salesforce.soql import Query, every, holds, one_of, portions, select
from syncd.connector import Found, Key, Record
from syncd.errors import AccessError, Fault
from syncd.http import UNREADABLE, BadAnswer, Trail, too_many_parts

T = TypeVar("T")

MAX_HOPS = 10
"""How far a chain of merges is followed."""
_MALFORMED = frozenset({"MALFORMED_ID", "INVALID_QUERY_FILTER_OPERATOR"})
_ROW_TYPES = 64
"""Lists of attributes whose decoders are kept."""


class Malformed(Fault):
    """An id among those asked for is none of the object's: Salesforce then refuses them all."""


class Reader:
    """Reads one org. Safe in several threads."""

    def __init__(self, org: Org, schemas: Schemas) -> None:
        self.org = org
        self._schemas = schemas
        self._lists = Lists(org)
        self._rows: dict[tuple[str, tuple[str, ...], tuple[str, ...]], Rows] = {}

    def rows(self, object: str, attributes: Sequence[str]) -> Rows:
        """How to ask for these attributes and read them, as far as our user can see them."""
        system = self._schemas.visible(object, DISPENSABLE)
        unseen = tuple(name for name in DISPENSABLE if name not in system)
        fields = [name for name in attributes if name not in shape_of(object).lists]
        wanted = (object, self._schemas.visible(object, fields), unseen)
        rows = self._rows.get(wanted)
        if rows is None:
            if len(self._rows) >= _ROW_TYPES:
                self._rows = {}
            rows = self._rows[wanted] = Rows(*wanted)
        return rows

    def ask(
        self, object: str, attributes: Sequence[str], call: Callable[[Rows], Sequence[Reply]]
    ) -> tuple[Rows, Sequence[Reply]]:
        """Makes a call for the attributes; once more without those that turn out to be invisible to us. Raises
        AccessError, Transient, Fault where Salesforce refuses."""
        rows = self.rows(object, attributes)
        replies = call(rows)
        if any(reply.code == "INVALID_FIELD" for reply in replies):
            self._schemas.narrow(object, (*attributes, *DISPENSABLE))
            narrower = self.rows(object, attributes)
            if narrower.fields != rows.fields:
                rows, replies = narrower, call(narrower)
        for reply in replies:
            if reply.code in _MALFORMED:
                raise Malformed(f"{reply.what}: a key is no id of this object")
            if not reply.ok:
                raise reply.refused()
        return rows, replies

    def records(self, object: str, attributes: Sequence[str], rows: Rows, said: Iterable[Any]) -> list[Record]:
        """The records of decoded rows, with their lists where those are asked for."""
        records = rows.records(said, self.org.writer)
        self._lists.fill(object, attributes, records)
        return records

    def page_of(self, rows: Rows, reply: Reply) -> Page:
        """The page that a query was answered with. Raises BadAnswer."""
        return self._decoded(rows, reply, rows.page)

    def _decoded(self, rows: Rows, reply: Reply, decoder: msgspec.json.Decoder[T]) -> T:
        """An answer with rows. Where rows leave attributes out, those are blank if the org has them (that nulls are
        always told is only remembered, contract section 4.1), and else nothing is known: the answer is refused."""
        try:
            return reply.decode(decoder)
        except BadAnswer as bad:
            said = _rows_in(reply)
            shown = {name for row in said for name in row}
            absent = [name for name in rows.attributes if any(name not in row for row in said)]
            unshown = [name for name in absent if name not in shown]
            if not absent or (unshown and not set(unshown) <= set(self._schemas.describe(rows.object).attributes)):
                raise bad
            return replace(reply, body=rows.filled(reply.body)).decode(decoder)

    # ------------------------------------------------------------ by id

    def fetch(self, object: str, attributes: Sequence[str], keys: Sequence[Key]) -> Iterator[Record]:
        """The records of these keys, and those that they were merged into. See `Connector.fetch`."""
        asked = list(dict.fromkeys(id18(key) for key in keys if is_id(key)))
        met: set[Key] = set()
        for _ in range(MAX_HOPS):
            masters: dict[Key, None] = {}
            for start in range(0, len(asked), READ_BATCH):
                for record in self._fetch(object, attributes, asked[start : start + READ_BATCH]):
                    met.add(record.key)
                    if record.state == "merged" and record.into:
                        masters[record.into[1]] = None
                    yield record
            asked = [key for key in masters if key not in met]
            if not asked:
                return

    def _fetch(self, object: str, attributes: Sequence[str], keys: list[Key]) -> Iterator[Record]:
        try:
            rows, (reply,) = self.ask(object, attributes, lambda rows: [self.org.retrieve(object, keys, rows.fields)])
        except Malformed:
            if len(keys) > 1:  # one of them refused the whole call, and is not named: look for it
                half = len(keys) // 2
                for part in (keys[:half], keys[half:]):
                    yield from self._fetch(object, attributes, part)
            return  # no record can have such a key
        answered = [row for row in self._decoded(rows, reply, rows.list) if row is not None]
        records = _only(self.records(object, attributes, rows, answered), keys, reply)
        yield from records
        seen = {record.key for record in records}
        unseen = [key for key in keys if key not in seen]
        if unseen and shape_of(object).deletable:
            yield from self._deleted(object, attributes, unseen)

    def _deleted(self, object: str, attributes: Sequence[str], keys: list[Key]) -> Iterator[Record]:
        """Those of the keys that queryAll shows: deleted, merged, or back since."""
        for part in portions(keys, FIND_BATCH, 0):
            for rows, reply, page in self._all_pages(object, attributes, "Id", [part], all_rows=True):
                yield from _only(self.records(object, attributes, rows, page.records), part, reply)

    # ------------------------------------------------------------ by value

    def find(self, object: str, attributes: Sequence[str], where: str, values: Sequence[str]) -> Iterator[Found]:
        """The records that hold one of the values, deleted ones excepted. See `Connector.find`. Where there turns out
        to be no field for syncd's key, nobody holds one."""
        wanted: dict[str, list[str]] = {}
        texts: list[str] = []
        for value in dict.fromkeys(values):
            for text in _spellings(value):
                if (folded := _folded(text)) not in wanted:
                    texts.append(text)
                wanted.setdefault(folded, []).append(value)
        names = tuple(dict.fromkeys((*attributes, where)))
        extra = where not in attributes
        lists = list(portions(texts, FIND_BATCH, 2000))
        for start in range(0, len(lists), COMPOSITE_QUERIES):
            for rows, _, page in self._all_pages(object, names, where, lists[start : start + COMPOSITE_QUERIES]):
                for record in self.records(object, attributes, rows, page.records):
                    held = record.attributes.pop(where) if extra else record.attributes[where]
                    for value in wanted.get(_folded(held), ()):
                        yield Found(value, record)

    def _all_pages(
        self, object: str, attributes: Sequence[str], where: str, lists: Sequence[list[str]], *, all_rows: bool = False
    ) -> Iterator[tuple[Rows, Reply, Page]]:
        """Every page of a few queries that go out together."""

        def call(rows: Rows) -> Sequence[Reply]:
            if where not in rows.fields:  # found out by the call before this one
                return []
            archived = shape_of(object).archived and not all_rows
            live = (holds("IsDeleted", False),) if archived else ()
            queries = [
                select(object, rows.fields, every(*live, one_of(where, part)), all_rows=all_rows or archived)
                for part in lists
            ]
            return self._call(queries)

        try:
            rows, replies = self.ask(object, attributes, call)
        except Malformed:  # a reference that is compared with what is no id: nobody holds that
            lists = [ids for part in lists if (ids := [text for text in part if is_id(text)])]
            if not lists:
                return
            rows, replies = self.ask(object, attributes, call)
        if where not in rows.fields and where != self._schemas.key:
            raise AccessError(
                f"{object}.{where} cannot be seen, so nothing can be looked up by it",
                remedy="Grant our user read access to it, or match by another field.",
            )
        for first in replies:
            reply, trail = first, Trail(f"{object}: a query")
            while True:
                page = self.page_of(rows, reply)
                yield rows, reply, page
                if page.done:
                    break
                path = self.org.page_path(page.next or "")
                reply = self.org.more(trail.on(path, len(page.records)))
                if not reply.ok:
                    raise reply.refused()

    def _call(self, queries: Sequence[Query]) -> Sequence[Reply]:
        return [self.org.query(queries[0])] if len(queries) == 1 else self.org.queries(queries)

    # ------------------------------------------------------------ stamps only

    def stamps(self, object: str, keys: Sequence[Key]) -> dict[Key, int]:
        """When each of the records last changed; deleted and unseen ones are missing. At most 2,000 keys, one call."""
        rows = self.rows(object, ())
        reply = self.org.retrieve(object, keys, ("Id", shape_of(object).stamp))
        if reply.code == "MALFORMED_ID" and len(keys) > 1:
            half = len(keys) // 2
            return self.stamps(object, keys[:half]) | self.stamps(object, keys[half:])
        if reply.code == "MALFORMED_ID":
            return {}
        if not reply.ok:
            raise reply.refused()
        answered = [row for row in reply.decode(rows.list) if row is not None]
        return {record.key: record.stamp_ms for record in rows.records(answered, "")}


def _only(records: list[Record], keys: Sequence[Key], reply: Reply) -> list[Record]:
    """The records, if all of them were asked for (hazard H026)."""
    if not {record.key for record in records} <= set(keys):
        raise BadAnswer(f"{reply.what}: an answer holds records that were not asked for")
    return records


def _rows_in(reply: Reply) -> list[dict[str, Any]]:
    """The rows of a page or of a retrieve, whatever they hold; none where the answer is neither."""
    try:
        said = [] if too_many_parts(reply.body) else msgspec.json.decode(reply.body)
    except UNREADABLE:
        return []
    said = said.get("records") if isinstance(said, dict) else said
    return [row for row in said if isinstance(row, dict)] if isinstance(said, list) else []


def _spellings(value: str) -> Iterator[str]:
    """How a value may be written in the org: an id is 18 characters in a reference, and may be 15 in a text."""
    text = value.strip()
    if not text:
        return
    yield text
    if is_id(text) and id18(text) != text:
        yield id18(text)


def _folded(value: object) -> str:
    """How Salesforce compares text: without regard to case; it trims what it stores."""
    return "" if value is None else str(value).strip().lower()
