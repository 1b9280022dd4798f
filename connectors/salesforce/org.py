"""The calls that one org takes: queries, pages, retrieves, composites. One method is one kind of call.

Promise: every request goes to the origin that the login named, never further; what comes back is a `Reply`, judged by
whoever asked. It knows no object and no record. Source: contract sections 3, 4, 6.3, 8.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from connectors.salesforce.auth import Login
from connectors.salesforce.refusals import classify, daily
from connectors.salesforce.replies import Reply
from connectors.salesforce.settings import Settings
from connectors.salesforce.soql import Query, identifier
from syncd.connector import Context, Meter
from syncd.http import BadAnswer, Http

METERS = (Meter("concurrent", 12, 0.0),)
"""Requests at the same time. Salesforce counts only those of 20 s and more (25, or 5 in a developer org); many
short ones side by side contend for row locks."""
MAX_URI_BYTES = 12_000
"""Longest target of a GET; Salesforce refuses 16,384 with the host and headers. A longer query goes in a body."""
QUIET = {"Sforce-Auto-Assign": "FALSE"}
"""On every write: else assignment rules give the record to another owner, on updates too."""
ASSIGNED = {"Sforce-Auto-Assign": "TRUE"}
"""On creates of the objects for which the settings ask for it."""
PASS_ALERTS = {"Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true"}
"""Saves what a duplicate rule would only alert a person of. A rule that blocks is not passed by it."""

_LOCATOR = re.compile(r"/services/data/v\d{1,3}\.\d/query(?:All)?/[\w-]{1,400}/?", re.ASCII)


class _Part(msgspec.Struct):
    """The answer to one part of a composite call."""

    reference: str = msgspec.field(name="referenceId")
    status: int = msgspec.field(name="httpStatusCode")
    body: msgspec.Raw = msgspec.field(default_factory=lambda: msgspec.Raw(b"null"))


class _Composite(msgspec.Struct):
    parts: list[_Part] = msgspec.field(name="compositeResponse")


_COMPOSITE = msgspec.json.Decoder(_Composite)


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a composite call. `path` goes on from the version."""

    reference: str
    method: str
    path: str
    headers: Mapping[str, str] | None = None
    body: Any = None


class Org:
    """One org, reached through a login. Safe in several threads."""

    def __init__(self, login: Login, context: Context, settings: Settings) -> None:
        self._login = login
        version = settings.version
        self._assigned = frozenset(settings.assignment_rules)
        self._duplicates = PASS_ALERTS if settings.duplicate_alerts == "pass" else {}
        self._context = context
        self._root = f"/services/data/v{version}"
        self._lock = threading.Lock()
        self._http: Http | None = None
        self._origin = ""

    def __repr__(self) -> str:
        return f"Org({self._origin or self._login!r})"

    @property
    def http(self) -> Http:
        """The client for where the org is now: the login's answer may move it."""
        origin = self._login.session().origin
        with self._lock:
            if self._http is None or self._origin != origin:
                if self._http is not None:
                    self._http.close()
                self._http = self._context.open_http(
                    base_url=origin, auth=self._login, meters=METERS, classify=classify, daily=daily
                )
                self._origin = origin
            return self._http

    @property
    def writer(self) -> str:
        """The id of the user that we are; "" if the login did not tell."""
        return self._login.session().user

    def query(self, query: Query) -> Reply:
        """The first page of a query."""
        path = self._query_path(query)
        if len(self._root) + len(path) > MAX_URI_BYTES:
            return self.composite([Part("q", "GET", path)])["q"]
        return Reply.of(self.http.read("GET", self._root + path))

    def queries(self, queries: Sequence[Query]) -> list[Reply]:
        """The first pages of a few queries (at most 5) in one call."""
        parts = [Part(f"q{n}", "GET", self._query_path(query)) for n, query in enumerate(queries)]
        replies = self.composite(parts)
        return [replies[part.reference] for part in parts]

    def more(self, path: str) -> Reply:
        """A further page; `path` comes from `page_path`."""
        return Reply.of(self.http.read("GET", path, template=f"{self._root}/query/{{locator}}"))

    def page_path(self, url: str) -> str:
        """The path of a nextRecordsUrl, if it leads to a page of this very org. Raises BadAnswer."""
        path = self.http.same_origin(url)
        if not _LOCATOR.fullmatch(path):
            raise BadAnswer("an answer named a next page that is none; not followed")
        return path

    def retrieve(self, object: str, keys: Sequence[str], fields: Sequence[str]) -> Reply:
        """Rows by id, at most 2,000; null for those that cannot be read."""
        path = f"{self._root}/composite/sobjects/{identifier(object)}"
        return Reply.of(self.http.read("POST", path, json={"ids": list(keys), "fields": list(fields)}))

    def describe(self, object: str) -> Reply:
        """The object as our user sees it."""
        return Reply.of(self.http.read("GET", f"{self._root}/sobjects/{identifier(object)}/describe"))

    def composite(self, parts: Sequence[Part]) -> dict[str, Reply]:
        """Parts that only read, each with its own reply. Raises where the whole call, or a part's answer, fails."""
        reply = Reply.of(self.http.read("POST", f"{self._root}/composite", json=self._composite(parts)))
        if not reply.ok:
            raise reply.refused()
        replies = self._replies(reply, parts)
        if len(replies) != len(parts):
            raise BadAnswer(f"{reply.what}: {len(replies)} answers to {len(parts)} questions")
        return replies

    def write_headers(self, object: str = "", *, creating: bool = False) -> dict[str, str]:
        """The headers of a write: whose assignment rules run, and what duplicate rules may do."""
        return (ASSIGNED if creating and object in self._assigned else QUIET) | self._duplicates

    def composite_write(self, parts: Sequence[Part]) -> tuple[Reply, dict[str, Reply]]:
        """Parts that write: the whole reply, and those parts that are answered. Raises Doubt, Transient."""
        answer = self.http.send(
            "POST", f"{self._root}/composite", json=self._composite(parts), headers=self.write_headers()
        )
        reply = Reply.of(answer)
        return reply, self._replies(reply, parts) if reply.ok else {}

    def collection_write(self, method: str, rows: Sequence[Mapping[str, Any]]) -> Reply:
        """Creates (POST) or updates (PATCH) up to 200 records. Raises Doubt, Transient."""
        body = {"allOrNone": False, "records": rows}
        object = str(rows[0]["attributes"]["type"]) if rows else ""
        headers = self.write_headers(object, creating=method == "POST")
        return Reply.of(self.http.send(method, f"{self._root}/composite/sobjects", json=body, headers=headers))

    def collection_delete(self, keys: Sequence[str]) -> Reply:
        """Moves up to 200 records into the recycle bin. Raises Doubt, Transient."""
        params = {"ids": ",".join(keys), "allOrNone": "false"}
        return Reply.of(self.http.send("DELETE", f"{self._root}/composite/sobjects", params=params, headers=QUIET))

    def close(self) -> None:
        """Ends connections. Safe to call twice."""
        with self._lock:
            if self._http is not None:
                self._http.close()
        self._login.close()

    # ------------------------------------------------------------ composite

    def _query_path(self, query: Query) -> str:
        return f"/{'queryAll' if query.all_rows else 'query'}?q={quote(query.text, safe='')}"

    def _composite(self, parts: Sequence[Part]) -> dict[str, Any]:
        requests = []
        for part in parts:
            request: dict[str, Any] = {
                "method": part.method,
                "url": self._root + part.path,
                "referenceId": part.reference,
            }
            if part.headers:
                request["httpHeaders"] = dict(part.headers)
            if part.body is not None:
                request["body"] = part.body
            requests.append(request)
        return {"allOrNone": False, "compositeRequest": requests}

    def _replies(self, reply: Reply, parts: Sequence[Part]) -> dict[str, Reply]:
        asked = {part.reference for part in parts}
        answered = reply.decode(_COMPOSITE).parts
        return {
            each.reference: Reply(each.status, each.body, reply.what) for each in answered if each.reference in asked
        }
