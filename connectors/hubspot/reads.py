"""Reading by key: what lives, what is archived, what was merged into what (contract sections 4.6, 6 and 21).

Promise: values come from HubSpot's store of record, never from the search index; a record is called gone only where
HubSpot shows it archived. What is not answered anywhere is left out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

import msgspec

from connectors.hubspot.blanks import Blanks
from connectors.hubspot.errors import refuse_read
from connectors.hubspot.kinds import Kind
from connectors.hubspot.paths import Paths
from connectors.hubspot.wire import (
    LONG_ROWS,
    MERGED_IDS,
    OTHER_EMAILS,
    ROW,
    ROWS,
    LongRow,
    Row,
    Rows,
    after_of,
    decoded,
    history,
    merged_into,
    records,
    stamp_ms,
)
from syncd.connector import Found, Key, Record
from syncd.http import Answer, BadAnswer, Http

READ_BATCH = 100
HISTORY_BATCH = 50
SEARCH_PAGE = 200
SMALL_PAGE = 100

IN_CHARACTERS = 1500
"""How long the values of one search may be together: a search's body ends at 3,000 characters."""

AnyRow = TypeVar("AnyRow", bound=Row)

BURST = ("burst",)
SEARCH = ("search",)


@dataclass(frozen=True, slots=True)
class Reader:
    """Reads one account's records."""

    http: Http
    paths: Paths
    blanks: Blanks
    sizes: dict[str, int] = field(default_factory=dict)
    """What an account turned out to take, where it takes less than others."""

    def fetch(
        self, kind: Kind, attributes: Sequence[str], keys: Sequence[Key], app_id: str, with_history: bool
    ) -> Iterator[Record]:
        """See `Connector.fetch`."""
        asked = [key for key in dict.fromkeys(keys) if key.isdigit()]
        size = HISTORY_BATCH if with_history else READ_BATCH
        for start in range(0, len(asked), size):
            batch = asked[start : start + size]
            if with_history:
                yield from self._told(kind, attributes, batch, app_id)
            else:
                yield from self.by_id(kind, attributes, batch)

    def by_id(self, kind: Kind, attributes: Sequence[str], ids: Sequence[Key]) -> list[Record]:
        """The records of at most `READ_BATCH` ids: live, merged and what they live on as, gone. One call where all
        live."""
        rows = _once(self._batch(kind, attributes, ids))
        absent = self._absent(kind, ids, rows)
        if survivors := _survivors(absent, rows):
            rows += _once(self._batch(kind, attributes, survivors))
        return self.records(kind, rows, attributes) + self._apart(kind, rows, absent)

    def records(self, kind: Kind, rows: Sequence[Row], attributes: Sequence[str]) -> list[Record]:
        """The rows of one answer as live records, in their order."""
        return self.blanks.filled(kind.name, records(rows, attributes, kind.modified), attributes)

    def _apart(self, kind: Kind, rows: Sequence[Row], absent: list[Record]) -> list[Record]:
        """The records without values, each once: what the rows have swallowed, and what no row answered for."""
        told = {record.key for record in absent}
        return absent + [alias for alias in self.aliases(kind, rows) if alias.key not in told]

    def aliases(self, kind: Kind, rows: Sequence[Row]) -> list[Record]:
        """What the rows' records have swallowed, each as a merged record."""
        return [
            Record(old, stamp_ms(row.updatedAt), {}, "merged", (kind.name, row.id))
            for row in rows
            for old in merged_into(row)
        ]

    def _told(self, kind: Kind, attributes: Sequence[str], ids: Sequence[Key], app_id: str) -> Iterator[Record]:
        """The same as `by_id`, with histories; at most `HISTORY_BATCH` ids."""
        answer = self._post(kind, ids, attributes, {"propertiesWithHistory": list(attributes)})
        rows: list[LongRow] = _once(decoded(answer, LONG_ROWS).results)
        absent = self._absent(kind, ids, rows)
        if survivors := _survivors(absent, rows):
            answer = self._post(kind, survivors, attributes, {"propertiesWithHistory": list(attributes)})
            rows += _once(decoded(answer, LONG_ROWS).results)
        for row, record in zip(rows, self.records(kind, rows, attributes), strict=True):
            yield msgspec.structs.replace(record, history=history(row, attributes, app_id))
        yield from self._apart(kind, rows, absent)

    def _absent(self, kind: Kind, ids: Sequence[Key], rows: Sequence[Row]) -> list[Record]:
        """What became of the ids that no row answers for: archived, merged away, or not known at all.

        Merged-away ids are in neither the live nor the archived list, and a batch may show them, drop them or call
        them not found; only the single read leads on to the survivor. There are few of them.
        """
        known = {row.id for row in rows}
        known.update(old for row in rows for old in merged_into(row))
        absent = [key for key in ids if key not in known]
        if not absent:
            return []
        archived = self._batch(kind, (), absent, archived=True)
        found = [
            Record(row.id, stamp_ms(row.archivedAt or row.updatedAt), {}, "gone")
            for row in archived
            if row.id in absent
        ]
        gone = {record.key for record in found}
        for key in absent:
            survivor = None if key in gone else self._single(kind, key)
            if survivor is not None:
                found.append(Record(key, stamp_ms(survivor.updatedAt), {}, "merged", (kind.name, survivor.id)))
        return found

    def _single(self, kind: Kind, key: Key) -> Row | None:
        """The record, archived or not, that another id lives on as; None when HubSpot knows no such record."""
        for archived in ("false", "true"):
            params = {"properties": kind.modified, "archived": archived}
            answer = self.http.read("GET", self.paths.objects(kind.name, key), params=params, meters=BURST)
            if answer.status == 200:
                row: Row = decoded(answer, ROW)
                return row if row.id != key else None
            if answer.status != 404:
                raise refuse_read(answer)
        return None

    # ------------------------------------------------------------ by value

    def find(
        self, kind: Kind, attributes: Sequence[str], where: str, values: Sequence[str], unique: bool, also: str = ""
    ) -> Iterator[Found]:
        """See `Connector.find`. `unique`: HubSpot looks the attribute up by itself, in the store of record. `also`:
        another attribute that holds further values of it."""
        asked = [value for value in dict.fromkeys(values) if value.strip()]
        if where == "hs_object_id":
            for record in self.fetch(kind, attributes, asked, "", False):
                if record.state == "live":
                    yield Found(record.key, record)
        elif unique:
            yield from self._by_property(kind, attributes, where, asked)
        else:
            if where == kind.bare:
                asked = [value for value in asked if "://" not in value]
            yield from self._by_search(kind, attributes, [where, also] if also else [where], asked)

    def _by_property(self, kind: Kind, attributes: Sequence[str], where: str, asked: Sequence[str]) -> Iterator[Found]:
        names = [*attributes, where, OTHER_EMAILS] if where == "email" else [*attributes, where]
        forms: dict[str, list[str]] = {}
        for value in asked:
            forms.setdefault(_plain(value), []).append(value)
        # Addresses are kept in lower case; a key is asked for as it was written.
        wanted = list(forms) if where == "email" else [values[0].strip() for values in forms.values()]
        for start in range(0, len(wanted), READ_BATCH):
            rows = self._batch(kind, names, wanted[start : start + READ_BATCH], id_property=where)
            for row, record in zip(rows, self.records(kind, rows, attributes), strict=True):
                for held in _held(row, where, *([OTHER_EMAILS] if where == "email" else [])):
                    yield from (Found(value, record) for value in forms.get(held, ()))

    def _by_search(
        self, kind: Kind, attributes: Sequence[str], names: Sequence[str], asked: Sequence[str]
    ) -> Iterator[Found]:
        """Second best: the index leads to ids, the records themselves say what they hold."""
        for chunk in _chunks(asked, IN_CHARACTERS // len(names)):
            forms: dict[str, list[str]] = {}
            for value in chunk:
                forms.setdefault(_plain(value), []).append(value)
            # Text is compared in lower case only; choices in their own case only. Ask for both.
            either = list(dict.fromkeys([*forms, *(value.strip() for value in chunk)]))
            ids = [row.id for row in self._all_with(kind, names, either)]
            for start in range(0, len(ids), READ_BATCH):
                rows = self._batch(kind, [*attributes, *names], ids[start : start + READ_BATCH])
                for row, record in zip(rows, self.records(kind, rows, attributes), strict=True):
                    for held in _held(row, *names):
                        yield from (Found(value, record) for value in forms.get(held, ()))

    def _all_with(self, kind: Kind, names: Sequence[str], values: Sequence[str]) -> Iterator[Row]:
        filters = [{"propertyName": name, "operator": "IN", "values": list(values)} for name in names]
        last = ""
        while True:
            page = self.search(kind, filters[:1], last, either=filters[1:])
            yield from page.results
            if not page.more:
                return
            last = page.results[-1].id

    # ------------------------------------------------------------ calls

    def search(
        self,
        kind: Kind,
        filters: Sequence[Mapping[str, object]],
        above: Key,
        newest: bool = False,
        either: Sequence[Mapping[str, object]] = (),
    ) -> Rows:
        """One search for ids and stamps, in the order of the ids, beginning above one of them.

        Paging by id and never by offset: rows that drop out while we read shift nothing, and no search ever comes to
        its limit of 10,000 rows. `newest`: the one row that was modified last, instead. `either`: filters each of
        which is enough in place of the others.
        """
        bound = [{"propertyName": "hs_object_id", "operator": "GT", "value": above}] if above else []
        groups = [{"filters": [*group, *bound]} for group in (filters, *([one] for one in either))]
        body: dict[str, object] = {
            "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
            "properties": [kind.modified],
            "limit": self.sizes.get("search", SEARCH_PAGE),
        }
        if filters or bound:
            body["filterGroups"] = groups
        if newest:
            body["sorts"] = [{"propertyName": kind.modified, "direction": "DESCENDING"}]
            body["limit"] = 1
        path = self.paths.objects(kind.name, "search")
        answer = self.http.read("POST", path, json=body, meters=SEARCH)
        if answer.status == 400 and body["limit"] == SEARCH_PAGE:  # pages of 200 are newer than those of 100
            answer = self.http.read("POST", path, json=body | {"limit": SMALL_PAGE}, meters=SEARCH)
            if answer.status < 300:
                self.sizes["search"] = SMALL_PAGE
        if answer.status == 400 and either:  # an account that does not search by further values
            answer = self.http.read("POST", path, json=body | {"filterGroups": groups[:1]}, meters=SEARCH)
        if answer.status >= 300:
            raise refuse_read(answer)
        page: Rows = decoded(answer, ROWS)
        if page.more and not page.results:
            raise BadAnswer(f"{answer.what}: a search that counts rows shows none")
        if not newest and not _ascend(above, page.results):
            raise BadAnswer(f"{answer.what}: a search by ascending ids above one shows others")
        return page

    def page(self, kind: Kind, attributes: Sequence[str], after: str) -> Answer:
        """One page of the list of live records, in the order of their ids."""
        params: dict[str, object] = {"limit": READ_BATCH, "archived": "false"}
        if attributes:
            params["properties"] = ",".join(attributes)
        if after:
            params["after"] = after
        return self.http.read("GET", self.paths.objects(kind.name), params=params, meters=BURST)

    def _batch(
        self,
        kind: Kind,
        attributes: Sequence[str],
        ids: Sequence[str],
        *,
        id_property: str = "",
        archived: bool = False,
    ) -> list[Row]:
        more: dict[str, object] = {"idProperty": id_property} if id_property else {}
        rows: list[Row] = decoded(self._post(kind, ids, attributes, more, archived), ROWS).results
        return rows

    def _post(
        self,
        kind: Kind,
        ids: Sequence[str],
        attributes: Sequence[str],
        more: dict[str, object],
        archived: bool = False,
    ) -> Answer:
        body = {
            "inputs": [{"id": key} for key in ids],
            "properties": list(dict.fromkeys([*attributes, kind.modified, MERGED_IDS])),
            **more,
        }
        path = self.paths.objects(kind.name, "batch", "read")
        params = {"archived": "true"} if archived else None
        answer = self.http.read("POST", path, params=params, json=body, meters=BURST)
        if answer.status >= 300:
            raise refuse_read(answer)
        return answer


def next_after(page: Rows, after: str, what: str) -> str:
    """Where the list goes on; "" at its end. Raises BadAnswer where it leads back to where it was."""
    following = after_of(page.paging)
    if following and following == after:
        raise BadAnswer(f"{what}: the list does not move on")
    return following


def _ascend(above: Key, rows: Sequence[Row]) -> bool:
    """Whether the rows' ids rise, from above one: then a search that goes on above the last one comes to an end."""
    last = int(above or 0) - (not above)
    for row in rows:
        if int(row.id) <= last:
            return False
        last = int(row.id)
    return True


def _survivors(absent: Sequence[Record], rows: Sequence[Row]) -> list[Key]:
    """Where merged records lead to, as far as it was not read yet."""
    read = {row.id for row in rows}
    return list(dict.fromkeys(one.into[1] for one in absent if one.into is not None and one.into[1] not in read))


def _once(rows: list[AnyRow]) -> list[AnyRow]:
    """A record asked for under two ids may be shown twice."""
    return list({row.id: row for row in rows}.values())


def _plain(value: str) -> str:
    return value.strip().lower()


def _held(row: Row, name: str, *also: str) -> list[str]:
    """The values under which a row is found."""
    held = [_plain(row.properties.get(name) or "")]
    held += [_plain(other) for one in also for other in (row.properties.get(one) or "").split(";")]
    return list(dict.fromkeys(value for value in held if value))


def _chunks(values: Sequence[str], most: int) -> Iterator[list[str]]:
    """Values in groups that fit into one search, each as it is and in lower case. `most`: characters."""
    chunk: list[str] = []
    size = 0
    for value in values:
        cost = sum(len(each) + 3 for each in {_plain(value), value.strip()})
        if chunk and size + cost > most:
            yield chunk
            chunk, size = [], 0
        chunk.append(value)
        size += cost
    if chunk:
        yield chunk
