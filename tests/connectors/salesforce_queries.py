"""A model of what a Salesforce query does: ids fixed at its start, values read page by page, stamps of whole seconds,
and rows that become visible after their stamp."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
from salesforce_scripted import key, lead

from connectors.salesforce.feed import Feed
from connectors.salesforce.org import Org
from connectors.salesforce.reading import Reader
from connectors.salesforce.replies import Reply
from connectors.salesforce.schemas import Schemas
from connectors.salesforce.soql import Query
from syncd.connector import Page
from syncd.http import Timing

START_S = 1_795_255_200
OVERLAP_S = 120
LAG_S = 30


@dataclass
class Row:
    """A committed version of a record: `seen_s` is when others can see it."""

    stamp_s: int
    seen_s: int
    value: int
    deleted: bool = False


@dataclass
class Model(Org):
    """An org that is only its queries. `now_s` is the server's clock; `walks` its open lists of ids."""

    page_size: int = 3
    now_s: int = START_S
    versions: dict[str, list[Row]] = field(default_factory=dict)
    walks: dict[str, list[str]] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)
    after_list: Callable[[], None] = lambda: None
    """What happens while the answer to a query is on its way."""

    def __repr__(self) -> str:
        return "Model"

    @property
    def writer(self) -> str:
        return "0055g00000AAAAAAA5"

    def save(self, number: int, value: int, late_s: int = 0, deleted: bool = False) -> None:
        """A change whose stamp is now and which can be seen `late_s` later."""
        self.versions.setdefault(key(number), []).append(Row(self.now_s, self.now_s + late_s, value, deleted))

    def current(self, record: str) -> Row | None:
        """The record as a query sees it now: the version committed last."""
        seen = [row for row in self.versions[record] if row.seen_s <= self.now_s]
        return max(seen, key=lambda row: (row.seen_s, row.stamp_s)) if seen else None

    def query(self, query: Query) -> Reply:
        self.calls.append(query.text)
        rows = [(row.stamp_s, record) for record in self.versions if (row := self.current(record))]
        if where := re.search(r"SystemModstamp (>=|>) (\S+)Z", query.text):
            since_s = datetime.fromisoformat(where[2]).replace(tzinfo=UTC).timestamp()
            rows = [each for each in rows if each[0] > since_s or (where[1] == ">=" and each[0] == since_s)]
        rows.sort(reverse="DESC" in query.text)
        if "LIMIT 1" in query.text:
            rows = rows[:1]
        reply = self._page([record for _, record in rows])
        self.after_list()
        return reply

    def more(self, path: str) -> Reply:
        self.calls.append(path)
        if path not in self.walks:
            return Reply(400, b'[{"errorCode":"INVALID_QUERY_LOCATOR","message":"invalid query locator"}]')
        return self._page(self.walks[path])

    def page_path(self, url: str) -> str:
        return url

    def _page(self, ids: list[str]) -> Reply:
        said = []
        for record in ids[: self.page_size]:
            row = self.current(record)
            assert row
            stamp = datetime.fromtimestamp(row.stamp_s, UTC).strftime("%Y-%m-%dT%H:%M:%S.000+0000")
            said.append(lead(0, stamp, Id=record, Score__c=row.value, IsDeleted=row.deleted, Other__c=0))
        rest = ids[self.page_size :]
        body: dict[str, object] = {"totalSize": len(ids), "done": not rest, "records": said}
        if rest:
            path = f"/services/data/v67.0/query/0r8-{len(self.calls)}"
            self.walks[path] = rest
            body["nextRecordsUrl"] = path
        return Reply(200, msgspec.json.encode(body))


def small_org(page_size: int = 3) -> Model:
    """An org with few records to a page, and nobody in it."""
    return Model(page_size=page_size)  # type: ignore[call-arg]


def feed_of(org: Model, skew_s: float = 0.0) -> Feed:
    """`skew_s`: how wrong our clock is."""
    timing = Timing(overlap_s=OVERLAP_S, lag_s=LAG_S)
    now = lambda: org.now_s + skew_s  # noqa: E731
    return Feed(Reader(org, Schemas(org, "Syncd_Key__c", now)), timing, now)


def read(feed: Feed, cursor: str | None) -> tuple[list[Page], str]:
    """The pages of one pass, and where to go on."""
    pages = list(feed.changes("Lead", ["Score__c"], cursor))
    assert [page.done for page in pages] == [False] * (len(pages) - 1) + [True]
    return pages, pages[-1].cursor


def values(pages: list[Page]) -> dict[str, int]:
    """What was told last of each record."""
    return {record.key: record.attributes["Score__c"] for page in pages for record in page.records}


# ---------------------------------------------------------------- resting, and mass updates
