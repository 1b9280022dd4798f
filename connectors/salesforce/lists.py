"""Lists of references that an object has through rows of another: the contacts of an opportunity, through its roles.

Promise: an attribute such as `OpportunityContactRoles.ContactId` is the sorted keys in the live rows below a record,
None when there are none; it is absent where our user cannot see those rows. A row that leads to a deleted record counts
as none (it can lead nowhere again but by a restore), and is never touched. Source: contract section 15.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import msgspec

from connectors.salesforce.ids import id18
from connectors.salesforce.org import Org
from connectors.salesforce.replies import UNSEEN, Reply
from connectors.salesforce.shapes import COMPOSITE_QUERIES, FIND_BATCH, ChildList, shape_of
from connectors.salesforce.soql import every, holds, one_of, portions, select
from syncd.connector import Attribute, Key, Record, Schema
from syncd.errors import AccessError
from syncd.http import BadAnswer, Trail


class _Row(msgspec.Struct):
    """One row below a record. Its three names on the wire are those of the list."""

    key: str
    parent: str
    item: str | None
    target: dict[str, object] | None


@dataclass(frozen=True, slots=True)
class Item:
    """One row of a list: its own key, the record it hangs on, and whom it leads to."""

    key: Key
    parent: Key
    target: Key


def lists_in(object: str, attributes: Sequence[str]) -> dict[str, ChildList]:
    """Those of the attributes that are lists, with what they are made of."""
    lists = shape_of(object).lists
    return {name: lists[name] for name in attributes if name in lists}


class Lists:
    """Reads lists of one org. Safe in several threads."""

    def __init__(self, org: Org) -> None:
        self._org = org

    def fill(self, object: str, attributes: Sequence[str], records: Sequence[Record]) -> None:
        """Puts the lists among the attributes into live records: a call for every 2,000 records, or more where the
        lists are long. Raises AccessError, Transient."""
        live = [record for record in records if record.state == "live"]
        for name, made_of in lists_in(object, attributes).items():
            if not live:
                return
            items = self.items(made_of, [record.key for record in live])
            if items is None:
                continue
            held: dict[Key, set[Key]] = defaultdict(set)
            for item in items:
                held[item.parent].add(item.target)
            for record in live:
                record.attributes[name] = sorted(held[record.key]) if record.key in held else None

    def items(self, made_of: ChildList, keys: Sequence[Key]) -> list[Item] | None:
        """The rows below these records that lead to something; None where we may not see such rows."""
        fields = ("Id", made_of.parent, made_of.item, f"{made_of.path}.IsDeleted")
        decoder = _decoder(made_of)
        found: list[Item] = []
        lists = list(portions(dict.fromkeys(keys), FIND_BATCH, 200))
        for start in range(0, len(lists), COMPOSITE_QUERIES):
            queries = [
                # all rows: else those of deleted records could not be told from those that we may not see
                select(
                    made_of.object,
                    fields,
                    every(holds("IsDeleted", False), one_of(made_of.parent, part)),
                    all_rows=True,
                )
                for part in lists[start : start + COMPOSITE_QUERIES]
            ]
            replies = [self._org.query(queries[0])] if len(queries) == 1 else self._org.queries(queries)
            for reply in replies:
                if reply.code in UNSEEN:
                    return None
                found.extend(self._all(made_of, decoder, reply))
        if not {item.parent for item in found} <= set(keys):
            raise BadAnswer(f"{made_of.object}: an answer holds rows that were not asked for")
        return found

    def _all(self, made_of: ChildList, decoder: msgspec.json.Decoder[_Page], reply: Reply) -> Iterator[Item]:
        trail = Trail(f"{made_of.object}: a query")
        while True:
            if not reply.ok:
                raise reply.refused()
            page = reply.decode(decoder)
            for row in page.records:
                if row.item is not None and not (row.target and row.target.get("IsDeleted") is True):
                    yield _item(made_of, row)
            if page.done:
                return
            path = self._org.page_path(page.next or "")
            reply = self._org.more(trail.on(path, len(page.records)))


def described(object: str, describe: Callable[[str], Schema]) -> dict[str, Attribute]:
    """The lists that an object has and our user may see, as a description tells of them: a call for each."""
    told: dict[str, Attribute] = {}
    for name, made_of in shape_of(object).lists.items():
        try:
            rows = describe(made_of.object).attributes
        except AccessError:
            continue
        if made_of.parent in rows and (item := rows.get(made_of.item)) is not None:
            ours = item.creatable and rows[made_of.parent].creatable
            refers = (made_of.refers,)
            told[name] = Attribute(
                name, "references", label=made_of.label, refers=refers, creatable=ours, updatable=ours
            )
    return told


class _Page(msgspec.Struct):
    done: bool
    records: list[_Row]
    next: str | None = msgspec.field(name="nextRecordsUrl", default=None)


def _decoder(made_of: ChildList) -> msgspec.json.Decoder[_Page]:
    row = msgspec.defstruct(
        "Row",
        [("key", str), ("parent", str), ("item", str | None, None), ("target", dict[str, object] | None, None)],
        rename={"key": "Id", "parent": made_of.parent, "item": made_of.item, "target": made_of.path},
    )
    page = msgspec.defstruct(
        "Page",
        [("done", bool), ("records", list[row]), ("next", str | None, None)],  # type: ignore[valid-type]
        rename={"next": "nextRecordsUrl"},
    )
    return msgspec.json.Decoder(page)


def _item(made_of: ChildList, row: _Row) -> Item:
    key, parent, item = row.key, row.parent, row.item or ""
    if len(key) == len(parent) == len(item) == 18:
        return Item(key, parent, item)
    try:
        return Item(id18(key), id18(parent), id18(item))
    except ValueError:
        pass  # the message would quote the row
    raise BadAnswer(f"a row of {made_of.object} has an id that is none")
