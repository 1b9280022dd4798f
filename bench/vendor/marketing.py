"""The marketing vendor: lists, searches, reads by id, batch updates, as the HubSpot connector asks for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from bench.vendor.shelf import Shelf, iso

PORTAL = 4242001
FIRST_ID = 100_000_000
PROPERTIES = (
    *("email", "firstname", "lastname", "company", "phone", "mobilephone", "country", "city", "jobtitle"),
    *("hubspot_owner_id", "lifecyclestage", "hs_analytics_source", "hubspotscore", "hs_email_optout", "lead_source"),
    *("crm_rating", "crm_rejection_reason", "crm_email_optout", "syncd_key", "hs_merged_object_ids"),
)
_CREATED = "2026-01-01T00:00:00Z"


class Marketing:
    """One portal over a shelf. `keep_pages`: pages that were rendered once are served again as they are."""

    def __init__(self, records: int, *, keep_pages: bool) -> None:
        self.shelf = Shelf(records, grain_ms=1)
        self._keep_pages = keep_pages
        self._pages: dict[tuple[str, ...], bytes] = {}
        self._pages_version = 0
        self._hits: tuple[tuple[int, int, int | None], Sequence[int]] = ((-1, 0, None), ())

    def answer(self, method: str, path: str, query: Mapping[str, list[str]], body: bytes) -> tuple[int, bytes]:
        """(status, body) of one call."""
        if path.endswith("/details"):
            return 200, orjson.dumps({"portalId": PORTAL, "accountType": "STANDARD", "timeZone": "UTC"})
        if "/crm/properties/" in path:
            return 200, orjson.dumps({"results": [_definition(name) for name in PROPERTIES]})
        if "/crm/owners/" in path:
            archived = query.get("archived", ["false"])[0] == "true"
            return 200, orjson.dumps({"results": [] if archived else [_owner(n) for n in range(1, 7)]})
        if method == "GET":
            first = {name: query[name][0] for name in ("after", "limit", "properties") if name in query}
            return 200, self._list(first.get("after", ""), int(first.get("limit", 10)), first.get("properties", ""))
        asked = orjson.loads(body)
        if path.endswith("/search"):
            return 200, self._search(asked)
        if path.endswith("/batch/read") and not asked.get("idProperty"):
            return 200, self._read(asked)
        if path.endswith("/batch/update"):
            return 200, self._update(asked)
        return 501, b'{"status":"error","message":"not spoken here","category":"NOT_SPOKEN"}'

    # ------------------------------------------------------------ calls

    def _list(self, after: str, limit: int, properties: str) -> bytes:
        if self._pages_version != self.shelf.version:
            self._pages, self._pages_version = {}, self.shelf.version
        place = (after, str(limit), properties)
        page = self._pages.get(place)
        if page is None:
            start = int(after) - FIRST_ID if after else 0
            end = min(start + limit, self.shelf.records)
            names = properties.split(",")
            said: dict[str, Any] = {"results": [self._row(i, names) for i in range(start, end)]}
            if end < self.shelf.records:
                said["paging"] = {"next": {"after": str(FIRST_ID + end)}}
            page = orjson.dumps(said)
            if self._keep_pages:
                self._pages[place] = page
        return page

    def _search(self, asked: dict[str, Any]) -> bytes:
        """By modification time and above an id, in the order of ids; or the one modified last."""
        since_ms, until_ms, above = 0, None, 0
        for filter_ in (each for group in asked.get("filterGroups", []) for each in group["filters"]):
            name, operator, value = filter_["propertyName"], filter_["operator"], int(filter_["value"])
            if name == "hs_object_id":
                above = value
            elif operator in ("GTE", "GT"):
                since_ms = value + (operator == "GT")
            else:
                until_ms = value
        hits = self._found(since_ms, until_ms)
        if asked["sorts"][0]["direction"] == "DESCENDING":
            page: Sequence[int] = [self.shelf.newest()] if hits else []
        else:
            start = _first_above(hits, above - FIRST_ID) if above else 0
            hits = hits[start:]
            page = hits[: asked["limit"]]
        rows = [self._row(i, asked["properties"]) for i in page]
        return orjson.dumps({"total": len(hits), "results": rows})

    def _found(self, since_ms: int, until_ms: int | None) -> Sequence[int]:
        wanted = (self.shelf.version, since_ms, until_ms)
        if self._hits[0] != wanted:
            self._hits = (wanted, self.shelf.since(since_ms, until_ms))
        return self._hits[1]

    def _read(self, asked: dict[str, Any]) -> bytes:
        rows = [self._row(int(one["id"]) - FIRST_ID, asked["properties"]) for one in asked["inputs"]]
        for row in rows if asked.get("propertiesWithHistory") else ():
            entry = {"timestamp": row["updatedAt"], "sourceType": "INTEGRATION", "sourceId": "9001"}
            row["propertiesWithHistory"] = {
                name: [{"value": row["properties"].get(name), **entry}] for name in asked["propertiesWithHistory"]
            }
        return orjson.dumps({"status": "COMPLETE", "results": rows})

    def _update(self, asked: dict[str, Any]) -> bytes:
        now_ms = self.shelf.tick()
        results = []
        for one in asked["inputs"]:
            self.shelf.edit(int(one["id"]) - FIRST_ID, one["properties"], now_ms)
            results.append(
                {
                    "id": one["id"],
                    "properties": one["properties"],
                    "createdAt": _CREATED,
                    "updatedAt": iso(now_ms),
                    "archived": False,
                    "objectWriteTraceId": one.get("objectWriteTraceId"),
                }
            )
        return orjson.dumps({"status": "COMPLETE", "results": results})

    # ------------------------------------------------------------ rows

    def _row(self, i: int, names: Sequence[str]) -> dict[str, Any]:
        stamp = iso(self.shelf.stamp_ms(i))
        values: dict[str, Any] = {
            "email": f"person{i}@company{i % 5000}.example",
            "firstname": f"First{i % 700}",
            "lastname": f"Last{i % 9000}",
            "company": f"Company {i % 5000} Ltd",
            "phone": f"+4930{1_000_000 + i}",
            "country": "Germany",
            "city": "Berlin",
            "jobtitle": f"Engineer {i % 50}",
            "hubspot_owner_id": str(1 + i % 6),
            "lifecyclestage": "marketingqualifiedlead",
            "hs_analytics_source": "ORGANIC_SEARCH",
            "hubspotscore": str(50 + i % 50),
            "lead_source": "Web",
            "lastmodifieddate": stamp,
        }
        if i in self.shelf.edits:
            values.update(self.shelf.edits[i])
        key = str(FIRST_ID + i)
        properties = {name: values.get(name) for name in names}
        properties.update(createdate=_CREATED, hs_object_id=key, lastmodifieddate=stamp)
        return {"id": key, "properties": properties, "createdAt": _CREATED, "updatedAt": stamp, "archived": False}


def _first_above(hits: Sequence[int], number: int) -> int:
    """Where in the ascending numbers the first one above `number` stands."""
    if isinstance(hits, range):
        return max(0, min(number + 1, len(hits)))
    from bisect import bisect_right

    return bisect_right(hits, number)


def _definition(name: str) -> dict[str, Any]:
    unique = name == "syncd_key"
    modification = {"readOnlyValue": False}
    return {"name": name, "type": "string", "hasUniqueValue": unique, "modificationMetadata": modification}


def _owner(n: int) -> dict[str, Any]:
    stamps = {"createdAt": _CREATED, "updatedAt": _CREATED}
    person = {"firstName": "Rep", "lastName": str(n), "type": "PERSON", "archived": False}
    return {"id": str(n), "email": f"rep{n}@acme.example", **person, **stamps}
