"""Two vendors that answer as fast as they can, for benchmarks: pre-rendered pages, limits off, a process of its own.

    python bench/vendor.py --records 100000        prints its port, serves until killed

It speaks just what the connectors ask: lists, searches, reads by id and batch writes on the one side; queries with
pages, composites and collections on the other. It is no judge of anything: the sandboxes are.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from typing import Any
from urllib.parse import parse_qs, urlsplit

BASE_MS = 1_790_000_000_000
SPAN = 200_000
"""Stamps are spread over so many seconds."""
ORG = "00D5g000004SYNCEAA"


def iso(ms: int) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


_TABLE = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"


def id18(text: str) -> str:
    return text + "".join(
        _TABLE[sum(1 << k for k, c in enumerate(text[j : j + 5]) if "A" <= c <= "Z")] for j in (0, 5, 10)
    )


class World:
    """N contacts and N leads. `moved` records differ from what they were; `same_stamp`: all share one stamp."""

    def __init__(self, records: int, same_stamp: bool) -> None:
        self.n = records
        self.same = same_stamp
        self.generation = 0
        self.moved: dict[int, int] = {}
        self.sf_moved: dict[int, int] = {}
        self.over: dict[str, dict[str, Any]] = {}
        self.sf_over: dict[str, dict[str, Any]] = {}
        self.over_ms: dict[str, int] = {}
        self.calls: dict[str, int] = {}
        self.pages: dict[Any, bytes] = {}
        self.created = 0
        self.now_ms = BASE_MS + SPAN * 1000 + 60_000

    def tick(self) -> int:
        self.now_ms += 1000
        return self.now_ms

    # ------------------------------------------------------------ marketing

    def hs_ms(self, i: int) -> int:
        key = str(100_000_000 + i)
        if key in self.over_ms:
            return self.over_ms[key]
        if i in self.moved:
            return self.moved[i]
        return BASE_MS if self.same else BASE_MS + (i * SPAN // max(self.n, 1)) * 1000 + i % 997

    def hs(self, i: int) -> dict[str, Any]:
        key = str(100_000_000 + i)
        stamp = iso(self.hs_ms(i))
        title = f"Engineer {self.moved[i]}" if i in self.moved else f"Engineer {i % 50}"
        properties = {
            "email": f"person{i}@company{i % 5000}.example",
            "firstname": f"First{i % 700}",
            "lastname": f"Last{i % 9000}",
            "company": f"Company {i % 5000} Ltd",
            "phone": f"+4930{1_000_000 + i}",
            "mobilephone": None,
            "country": "Germany",
            "city": "Berlin",
            "jobtitle": title,
            "hubspot_owner_id": str(1 + i % 6),
            "lifecyclestage": "marketingqualifiedlead",
            "hs_analytics_source": "ORGANIC_SEARCH",
            "hubspotscore": str(50 + i % 50),
            "hs_email_optout": None,
            "lead_source": "Web",
            "crm_rating": None,
            "crm_rejection_reason": None,
            "crm_email_optout": None,
            "syncd_key": None,
            "hs_merged_object_ids": None,
            "createdate": "2026-01-01T00:00:00Z",
            "hs_object_id": key,
            "lastmodifieddate": stamp,
            **self.over.get(key, {}),
        }
        return {
            "id": key,
            "properties": properties,
            "createdAt": "2026-01-01T00:00:00Z",
            "updatedAt": stamp,
            "archived": False,
        }

    def hs_list(self, after: str, limit: int) -> bytes:
        place = (after, limit, self.generation)
        if place not in self.pages:
            start = int(after) - 100_000_000 if after else 0
            end = min(start + limit, self.n)
            page: dict[str, Any] = {"results": [self.hs(i) for i in range(start, end)]}
            if end < self.n:
                page["paging"] = {"next": {"after": str(100_000_000 + end)}}
            self.pages[place] = json.dumps(page).encode()
        return self.pages[place]

    def hs_search(self, body: dict[str, Any]) -> bytes:
        filters = {(f["propertyName"], f["operator"]): f for g in body.get("filterGroups", []) for f in g["filters"]}
        since = next((int(f["value"]) for (p, o), f in filters.items() if p == "lastmodifieddate" and o[:1] == "G"), 0)
        for (p, o), f in filters.items():
            if p == "lastmodifieddate" and o == "BETWEEN":
                since = int(f["value"])
        until = next((int(f["value"]) for (p, o), f in filters.items() if p == "lastmodifieddate" and o[:1] == "L"), 0)
        until = next((int(f["highValue"]) for (_, o), f in filters.items() if o == "BETWEEN"), until) or 1 << 62
        above = next((int(f["value"]) for (p, _), f in filters.items() if p == "hs_object_id"), 0)
        newest = any("DESC" in json.dumps(s) or str(s).startswith("-") for s in body.get("sorts", []))
        if since == 0 and not until < 1 << 62:
            hits = range(self.n)
        elif self.same:
            hits = range(self.n) if since <= BASE_MS else range(0)
        else:
            hits = [i for i in self.candidates(since) if since <= self.hs_ms(i) <= until]
        if newest:
            best = max(hits, key=self.hs_ms, default=None) if not isinstance(hits, range) else self.newest()
            found = [] if best is None else [best]
            total = len(found)
        else:
            live = [i for i in hits if 100_000_000 + i > above] if above else hits
            total = len(live)
            found = list(live[: body.get("limit", 10)])
        rows = [
            {
                "id": str(100_000_000 + i),
                "properties": {"hs_object_id": str(100_000_000 + i), "lastmodifieddate": iso(self.hs_ms(i))},
                "createdAt": "2026-01-01T00:00:00Z",
                "updatedAt": iso(self.hs_ms(i)),
                "archived": False,
            }
            for i in found
        ]
        return json.dumps({"total": total, "results": rows}).encode()

    def newest(self) -> int | None:
        if not self.n:
            return None
        return max(
            [self.n - 1, *list(self.moved)[-1:], *(int(k) - 100_000_000 for k in list(self.over_ms)[-1:])],
            key=self.hs_ms,
        )

    def candidates(self, since: int) -> list[int]:
        """Records that may have a stamp from `since` on: the original ones of the end, and all that moved."""
        start = max(0, (since - BASE_MS) // 1000 * self.n // SPAN - 2) if since > BASE_MS else 0
        extra = [i for i in {*self.moved, *(int(k) - 100_000_000 for k in self.over_ms)} if i < start]
        return sorted({*range(min(start, self.n), self.n), *extra})

    # ------------------------------------------------------------ crm

    def sf_key(self, i: int) -> str:
        return id18(f"00Q5g00000{i:05x}" if i < 1 << 20 else f"00Q5g0000{i:06x}")

    def sf_ms(self, i: int) -> int:
        if i in self.sf_moved:
            return self.sf_moved[i]
        return BASE_MS if self.same else BASE_MS + (i * SPAN // max(self.n, 1)) * 1000

    def sf(self, i: int, fields: list[str]) -> dict[str, Any]:
        key = self.sf_key(i)
        row = {
            "Id": key,
            "SystemModstamp": iso(self.sf_ms(i)).replace("Z", "+0000"),
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
            "OwnerId": id18(f"0055g00000REP0{1 + i % 6}"),
            "Status": "Open - Not Contacted",
            "LeadSource": "Web",
            "HasOptedOutOfEmail": False,
            "Marketing_Score__c": 50 + i % 50,
            "Original_Source__c": "ORGANIC_SEARCH",
            **self.sf_over.get(key, {}),
        }
        if i in self.sf_moved and key not in self.sf_over:
            row["Rating"] = "Hot"
        return {
            "attributes": {"type": "Lead", "url": f"/services/data/v67.0/sobjects/Lead/{key}"},
            **{name: row.get(name) for name in fields},
        }

    def sf_query(self, soql: str) -> bytes:
        fields = [f.strip() for f in soql.split("SELECT", 1)[1].split(" FROM ", 1)[0].split(",")]
        if " FROM Organization" in soql:
            return json.dumps(
                {
                    "totalSize": 1,
                    "done": True,
                    "records": [
                        {
                            "attributes": {"type": "Organization"},
                            "Id": ORG,
                            "Name": "Bench",
                            "IsSandbox": True,
                            "TimeZoneSidKey": "UTC",
                        }
                    ],
                }
            ).encode()
        if " FROM User" in soql:
            rows = [
                {
                    "attributes": {"type": "User"},
                    "Id": id18(f"0055g00000REP0{n}"),
                    "SystemModstamp": iso(BASE_MS).replace("Z", "+0000"),
                    "LastModifiedById": None,
                    "Email": f"rep{n}@acme.example",
                    "IsActive": True,
                }
                for n in range(1, 7)
            ]
            return json.dumps({"totalSize": 6, "done": True, "records": rows}).encode()
        if " FROM Lead" not in soql or " IN (" in soql:
            return b'{"totalSize":0,"done":true,"records":[]}'
        match = re.search(r"SystemModstamp >=? ?([0-9TZ:.+-]+)", soql)
        since = 0
        if match:
            from datetime import datetime

            since = int(datetime.fromisoformat(match[1]).timestamp() * 1000) + (0 if ">=" in soql else 1)
        if since:
            hits: Any = sorted((i for i in self.sf_candidates(since) if self.sf_ms(i) >= since), key=self.sf_ms)
        else:
            hits = range(self.n)
        self.cursor = (hits, fields)
        return self.sf_page(0)

    def sf_candidates(self, since: int) -> list[int]:
        if self.same:
            return list(range(self.n)) if since <= BASE_MS else list(self.sf_moved)
        start = max(0, (since - BASE_MS) // 1000 * self.n // SPAN - 2) if since > BASE_MS else 0
        return sorted({*range(min(start, self.n), self.n), *(i for i in self.sf_moved if i < start)})

    def sf_page(self, start: int) -> bytes:
        hits, fields = self.cursor
        place = (start, tuple(fields), self.generation) if isinstance(hits, range) else None
        if place is None or place not in self.pages:
            end = min(start + 2000, len(hits))
            page: dict[str, Any] = {
                "totalSize": len(hits),
                "done": end >= len(hits),
                "records": [self.sf(i, fields) for i in hits[start:end]],
            }
            if end < len(hits):
                page["nextRecordsUrl"] = f"/services/data/v67.0/query/0r8xx3Fk2JH4aLMAAV-{end}"
            body = json.dumps(page).encode()
            if place is None:
                return body
            self.pages[place] = body
        return self.pages[place]


class Vendor(asyncio.Protocol):
    """HTTP/1.1, keep-alive, one request at a time."""

    world: World

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.buffer = bytearray()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        while (end := self.buffer.find(b"\r\n\r\n")) >= 0:
            head = bytes(self.buffer[:end]).decode("latin-1")
            length = re.search(r"(?i)content-length: (\d+)", head)
            size = int(length[1]) if length else 0
            if len(self.buffer) < end + 4 + size:
                return
            body = bytes(self.buffer[end + 4 : end + 4 + size])
            del self.buffer[: end + 4 + size]
            method, target, _ = head.split("\r\n", 1)[0].split(" ", 2)
            status, answer = self.answer(method, target, body)
            self.transport.write(  # type: ignore[attr-defined]
                f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(answer)}\r\n\r\n".encode()
                + answer
            )

    def answer(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        url = urlsplit(target)
        path, query, world = url.path.rstrip("/"), parse_qs(url.query), self.world
        if path == "/_count":
            counted = json.dumps(world.calls).encode()
            world.calls = {}
            return 200, counted
        if path == "/_move":
            asked = json.loads(body)
            now = world.tick()
            world.generation += 1
            world.pages.clear()
            world.moved.update(
                {i: now + i % 900 for i in range(asked.get("from", 0), world.n, asked["every"])}
                if asked.get("marketing", True)
                else {}
            )
            world.sf_moved.update(
                {i: now for i in range(asked.get("from", 0), world.n, asked["every"])} if asked.get("crm") else {}
            )
            return 200, b"{}"
        template = re.sub(r"/[0-9A-Za-z]{15,18}(?=/|$)|0r8.*", "/{}", path)
        world.calls[f"{method} {template}"] = world.calls.get(f"{method} {template}", 0) + 1
        if path.startswith("/services/data") or path.startswith("/services/oauth2"):
            return self.salesforce(method, path, query, body)
        return self.hubspot(method, path, query, body)

    def hubspot(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, bytes]:
        world = self.world
        if path.endswith("/details"):
            return 200, json.dumps({"portalId": 4242001, "accountType": "STANDARD", "timeZone": "UTC"}).encode()
        if "/crm/properties/" in path:
            names = [*world.hs(0)["properties"]]
            unique = {
                "name": "x",
                "type": "string",
                "hasUniqueValue": True,
                "modificationMetadata": {"readOnlyValue": False},
            }
            return 200, json.dumps(
                {"results": [{**unique, "name": n, "hasUniqueValue": n == "syncd_key"} for n in names]}
            ).encode()
        if "/crm/owners/" in path:
            archived = query.get("archived", ["false"])[0] == "true"
            rows = (
                []
                if archived
                else [
                    {
                        "id": str(n),
                        "email": f"rep{n}@acme.example",
                        "type": "PERSON",
                        "firstName": "R",
                        "lastName": "P",
                        "createdAt": "2026-01-01T00:00:00Z",
                        "updatedAt": "2026-01-01T00:00:00Z",
                        "archived": False,
                    }
                    for n in range(1, 7)
                ]
            )
            return 200, json.dumps({"results": rows}).encode()
        if method == "GET":
            return 200, world.hs_list(query.get("after", [""])[0], int(query.get("limit", ["10"])[0]))
        asked = json.loads(body)
        if path.endswith("/search"):
            return 200, world.hs_search(asked)
        if path.endswith("/batch/read"):
            if asked.get("idProperty"):
                return 200, b'{"status":"COMPLETE","results":[]}'
            rows = [world.hs(int(one["id"]) - 100_000_000) for one in asked["inputs"]]
            if asked.get("propertiesWithHistory"):
                for row in rows:
                    row["propertiesWithHistory"] = {
                        name: [
                            {
                                "value": row["properties"].get(name),
                                "timestamp": row["updatedAt"],
                                "sourceType": "INTEGRATION",
                                "sourceId": "9001",
                            }
                        ]
                        for name in asked["propertiesWithHistory"]
                    }
            return 200, json.dumps({"status": "COMPLETE", "results": rows}).encode()
        now = world.tick()
        results = []
        for one in asked["inputs"]:
            world.created += 1
            key = one.get("id") or str(900_000_000 + world.created)
            if "id" in one:
                world.over.setdefault(key, {}).update(one["properties"])
                world.over_ms[key] = now
            results.append(
                {
                    "id": key,
                    "properties": one["properties"],
                    "createdAt": iso(now),
                    "updatedAt": iso(now),
                    "archived": False,
                    "objectWriteTraceId": one.get("objectWriteTraceId"),
                }
            )
        return (201 if path.endswith("create") else 200), json.dumps(
            {"status": "COMPLETE", "results": results}
        ).encode()

    def salesforce(self, method: str, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, bytes]:
        world = self.world
        if path.endswith("/token"):
            host = f"http://127.0.0.1:{self.transport.get_extra_info('sockname')[1]}"  # type: ignore[attr-defined]
            return 200, json.dumps(
                {
                    "access_token": f"{ORG[:15]}!bench",
                    "instance_url": host,
                    "id": f"https://login.salesforce.com/id/{ORG}/0055g00000INTEGAAV",
                    "token_type": "Bearer",
                    "issued_at": "1790000000000",
                    "signature": "x",
                    "scope": "api",
                }
            ).encode()
        if path.endswith("/describe"):
            names = [
                "Email",
                "FirstName",
                "LastName",
                "Company",
                "Phone",
                "MobilePhone",
                "Country",
                "City",
                "MailingCountry",
                "MailingCity",
                "Title",
                "OwnerId",
                "Status",
                "LeadSource",
                "Rating",
                "HasOptedOutOfEmail",
                "Marketing_Score__c",
                "Original_Source__c",
                "Rejection_Reason__c",
                "Syncd_Key__c",
                "IsActive",
                "Name",
                "IsSandbox",
                "TimeZoneSidKey",
                "IsConverted",
                "ConvertedContactId",
                "MasterRecordId",
            ]
            fields = [
                {
                    "name": n,
                    "type": "string",
                    "length": 255,
                    "createable": True,
                    "updateable": True,
                    "nillable": True,
                    "defaultedOnCreate": False,
                    "externalId": n == "Syncd_Key__c",
                    "unique": n == "Syncd_Key__c",
                    "label": n,
                    "calculated": False,
                    "picklistValues": [],
                }
                for n in names
            ]
            return 200, json.dumps({"name": "Lead", "fields": fields}).encode()
        if re.search(r"/query(All)?$", path):
            return 200, world.sf_query(query["q"][0])
        if more := re.search(r"/query(?:All)?/.*-(\d+)$", path):
            return 200, world.sf_page(int(more[1]))
        asked = json.loads(body) if body else {}
        if path.endswith("/composite"):
            return 200, json.dumps(
                {"compositeResponse": [self.part(one) for one in asked["compositeRequest"]]}
            ).encode()
        if path.endswith("/composite/sobjects"):
            answers = []
            for one in asked["records"]:
                world.created += 1
                key = one.get("id") or id18(f"00Q5g0000F{world.created:05x}")
                answers.append({"id": key, "success": True, "errors": []})
            return 200, json.dumps(answers).encode()
        if "/composite/sobjects/" in path:
            return 200, json.dumps([world.sf(self.number(key), asked["fields"]) for key in asked["ids"]]).encode()
        return 200, b"{}"

    def part(self, one: dict[str, Any]) -> dict[str, Any]:
        world = self.world
        url = urlsplit(one["url"])
        if "/query" in url.path:
            return {
                "body": json.loads(world.sf_query(parse_qs(url.query)["q"][0])),
                "httpHeaders": {},
                "httpStatusCode": 200,
                "referenceId": one["referenceId"],
            }
        if one["method"] == "PATCH":
            key = url.path.rsplit("/", 1)[1]
            world.sf_over.setdefault(key, {}).update({**one["body"], "LastModifiedById": "0055g00000INTEGAAV"})
            world.sf_moved[self.number(key)] = world.now_ms // 1000 * 1000
            return {"body": None, "httpHeaders": {}, "httpStatusCode": 204, "referenceId": one["referenceId"]}
        status = 412 if (one.get("httpHeaders") or {}).get("If-Unmodified-Since") else 200
        return {"body": None, "httpHeaders": {}, "httpStatusCode": status, "referenceId": one["referenceId"]}

    def number(self, key: str) -> int:
        return int(key[9:15], 16)


async def serve(records: int, same_stamp: bool) -> None:
    Vendor.world = World(records, same_stamp)
    server = await asyncio.get_running_loop().create_server(Vendor, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    sys.setrecursionlimit(10_000)
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--same-stamp", action="store_true")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.records, chosen.same_stamp))
