"""The CRM vendor: queries with pages, retrieves, composites of conditional updates, as the Salesforce connector asks."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson

from bench.vendor.shelf import BASE_MS, Shelf, iso

ORG = "00D5g000004SYNCEAA"
OURS = "0055g00000INTEGAAV"
ROOT = "/services/data/v67.0"
PAGE_ROWS = 2000
FIELDS = (
    *("Id", "SystemModstamp", "LastModifiedById", "IsDeleted", "IsConverted", "ConvertedContactId", "MasterRecordId"),
    *("Email", "FirstName", "LastName", "Company", "Phone", "MobilePhone", "Country", "City", "Title", "OwnerId"),
    *("MailingCountry", "MailingCity", "Status", "LeadSource", "Rating", "HasOptedOutOfEmail", "Marketing_Score__c"),
    *("Original_Source__c", "Rejection_Reason__c", "Syncd_Key__c", "IsActive", "Name", "IsSandbox", "TimeZoneSidKey"),
)
_KEPT_QUERIES = 16
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


class Crm:
    """One org over a shelf: its leads. It has no contacts. `keep_pages`: rendered pages are served again."""

    def __init__(self, records: int, *, keep_pages: bool) -> None:
        self.shelf = Shelf(records, grain_ms=1000)
        self._keep_pages = keep_pages
        self._pages: dict[tuple[Any, ...], bytes] = {}
        self._pages_version = 0
        self._queries: dict[int, tuple[Sequence[int], tuple[str, ...]]] = {}
        self._asked = 0

    def answer(
        self, method: str, path: str, query: Mapping[str, list[str]], body: bytes, host: str
    ) -> tuple[int, bytes]:
        """(status, body) of one call. `host`: where the login's answer leads."""
        if path.endswith("/token"):
            return 200, orjson.dumps(_token(host))
        if path.endswith("/describe"):
            return 200, orjson.dumps({"name": "Lead", "fields": [_definition(name) for name in FIELDS]})
        if re.search(r"/query(All)?$", path):
            return 200, self._query(query["q"][0])
        if more := re.search(r"/query(?:All)?/0r8-(\d+)-(\d+)$", path):
            return 200, self._page(int(more[1]), int(more[2]))
        asked = orjson.loads(body) if body else {}
        if path.endswith("/composite"):
            parts = [self._part(one) for one in asked["compositeRequest"]]
            return 200, orjson.dumps({"compositeResponse": parts})
        if "/composite/sobjects/" in path:
            return 200, orjson.dumps([self._row(_number(key), asked["fields"]) for key in asked["ids"]])
        return 501, b'[{"errorCode":"NOT_SPOKEN","message":"not spoken here"}]'

    # ------------------------------------------------------------ queries

    def _query(self, soql: str) -> bytes:
        selected, _, rest = soql.removeprefix("SELECT ").partition(" FROM ")
        object_ = rest.split(" ", 1)[0]
        if object_ in _OTHERS:
            rows = _OTHERS[object_]
            return orjson.dumps({"totalSize": len(rows), "done": True, "records": rows})
        if object_ != "Lead" or " IN (" in rest:
            return b'{"totalSize":0,"done":true,"records":[]}'
        fields = tuple(selected.replace(" ", "").split(","))
        if " DESC LIMIT 1" in rest:
            row = self._row(self.shelf.newest(), fields)
            return orjson.dumps({"totalSize": 1, "done": True, "records": [row]})
        since = re.search(r"SystemModstamp (>=?) ([0-9TZ:.+-]+)", rest)
        since_ms = BASE_MS
        if since:
            since_ms = int(datetime.fromisoformat(since[2]).timestamp() * 1000) + (since[1] == ">")
        self._asked += 1
        self._queries[self._asked] = (self.shelf.by_stamp(since_ms), fields)
        self._queries.pop(self._asked - _KEPT_QUERIES, None)
        return self._page(self._asked, 0)

    def _page(self, asked: int, start: int) -> bytes:
        """One page of a query. Only walks through everything are kept rendered."""
        hits, fields = self._queries[asked]
        if self._pages_version != self.shelf.version:
            self._pages, self._pages_version = {}, self.shelf.version
        place = (start, fields) if self._keep_pages and isinstance(hits, range) else None
        body = self._pages.get(place) if place else None
        if body is None:
            rows = [self._row(i, fields) for i in hits[start : start + PAGE_ROWS]]
            done = start + PAGE_ROWS >= len(hits)
            page: dict[str, Any] = {"totalSize": len(hits), "done": done, "records": rows}
            if not done:
                page["nextRecordsUrl"] = f"{ROOT}/query/0r8-QUERY-{start + PAGE_ROWS}"
            body = orjson.dumps(page)
            if place:
                self._pages[place] = body
        # The end of a page is all that differs between two walks.
        return body[:-120] + body[-120:].replace(b"0r8-QUERY-", b"0r8-%d-" % asked)

    # ------------------------------------------------------------ composites

    def _part(self, one: dict[str, Any]) -> dict[str, Any]:
        url = urlsplit(one["url"])
        status, body = 200, None
        if "/query" in url.path:
            body = orjson.loads(self._query(parse_qs(url.query)["q"][0]))
        elif one["method"] == "PATCH":
            values = {**one["body"], "LastModifiedById": OURS}
            self.shelf.edit(_number(url.path.rsplit("/", 1)[1]), values, self.shelf.tick())
            status = 204
        elif (one.get("httpHeaders") or {}).get("If-Unmodified-Since"):
            status = 412  # the probe: a condition in the far past
        return {"body": body, "httpHeaders": {}, "httpStatusCode": status, "referenceId": one["referenceId"]}

    # ------------------------------------------------------------ rows

    def _row(self, i: int, fields: Sequence[str]) -> dict[str, Any]:
        key = _key(i)
        values: dict[str, Any] = {
            "Id": key,
            "SystemModstamp": iso(self.shelf.stamp_ms(i)).replace("Z", "+0000"),
            "LastModifiedById": "0055g00000REP01AAA",
            "IsDeleted": False,
            "IsConverted": False,
            "Email": f"person{i}@company{i % 5000}.example",
            "FirstName": f"First{i % 700}",
            "LastName": f"Last{i % 9000}",
            "Company": f"Company {i % 5000} Ltd",
            "Phone": f"+4930{1_000_000 + i}",
            "Country": "Germany",
            "City": "Berlin",
            "Title": f"Engineer {i % 50}",
            "OwnerId": _REPS[i % 6],
            "Status": "Open - Not Contacted",
            "LeadSource": "Web",
            "HasOptedOutOfEmail": False,
            "Marketing_Score__c": 50 + i % 50,
            "Original_Source__c": "ORGANIC_SEARCH",
        }
        if i in self.shelf.edits:
            values.update(self.shelf.edits[i])
        row: dict[str, Any] = {"attributes": {"type": "Lead", "url": f"{ROOT}/sobjects/Lead/{key}"}}
        for name in fields:
            row[name] = values.get(name)
        return row


def _id18(text: str) -> str:
    chunks = (text[at : at + 5] for at in (0, 5, 10))
    return text + "".join(_CHECK[sum(1 << n for n, c in enumerate(chunk) if "A" <= c <= "Z")] for chunk in chunks)


_SUFFIX = _id18("00Q5g0000000000")[15:]
"""The same for every lead: what follows the prefix has no capitals."""
_REPS = [_id18(f"0055g00000REP0{n}") for n in range(1, 7)]
_OTHERS: dict[str, list[dict[str, Any]]] = {
    "Organization": [{"Id": ORG, "Name": "Bench", "IsSandbox": True, "TimeZoneSidKey": "UTC"}],
    "User": [
        {
            "Id": key,
            "SystemModstamp": iso(BASE_MS).replace("Z", "+0000"),
            "LastModifiedById": None,
            "Email": f"rep{n}@acme.example",
            "IsActive": True,
        }
        for n, key in enumerate(_REPS, 1)
    ],
}


def _key(i: int) -> str:
    return f"00Q5g0000{i:06x}{_SUFFIX}"


def _number(key: str) -> int:
    return int(key[9:15], 16)


def _token(host: str) -> dict[str, str]:
    return {
        "access_token": f"{ORG[:15]}!bench",
        "instance_url": host,
        "id": f"https://login.salesforce.com/id/{ORG}/{OURS}",
        "token_type": "Bearer",
        "issued_at": str(BASE_MS),
        "signature": "none",
        "scope": "api",
    }


def _definition(name: str) -> dict[str, Any]:
    unique = name == "Syncd_Key__c"
    may = {"createable": True, "updateable": True, "nillable": True, "defaultedOnCreate": False, "calculated": False}
    return {"name": name, "type": "string", "length": 255, "externalId": unique, "unique": unique, **may}
