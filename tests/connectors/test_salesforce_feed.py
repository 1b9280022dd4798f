"""The Salesforce feed against a model of what a Salesforce query does: ids fixed at its start, values read page by
page, stamps of whole seconds, and rows that become visible after their stamp."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

import msgspec
import pytest
from salesforce_scripted import key, lead

from connectors.salesforce.feed import Cursor, Feed
from connectors.salesforce.org import Org
from connectors.salesforce.reading import Reader
from connectors.salesforce.replies import Reply
from connectors.salesforce.schemas import Schemas
from connectors.salesforce.soql import Query
from syncd.connector import Page
from syncd.errors import CursorLost, Transient
from syncd.http import BadAnswer, Timing

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


def _org(page_size: int = 3) -> Model:
    return Model(page_size=page_size)  # type: ignore[call-arg]


def _feed(org: Model, skew_s: float = 0.0) -> Feed:
    """`skew_s`: how wrong our clock is."""
    timing = Timing(overlap_s=OVERLAP_S, lag_s=LAG_S)
    now = lambda: org.now_s + skew_s  # noqa: E731
    return Feed(Reader(org, Schemas(org, "Syncd_Key__c", now)), timing, now)


def _read(feed: Feed, cursor: str | None) -> tuple[list[Page], str]:
    pages = list(feed.changes("Lead", ["Score__c"], cursor))
    assert [page.done for page in pages] == [False] * (len(pages) - 1) + [True]
    return pages, pages[-1].cursor


def _values(pages: list[Page]) -> dict[str, int]:
    return {record.key: record.attributes["Score__c"] for page in pages for record in page.records}


# ---------------------------------------------------------------- resting, and mass updates


def test_an_object_that_rests_costs_one_call_a_poll_and_tells_nothing() -> None:
    """An idle poll is exactly one call per object; once the overlap is over it returns no row either."""
    org = _org()
    for number in range(8):
        org.save(number, number)
        org.now_s += 1
    feed = _feed(org)
    _, cursor = _read(feed, None)
    for _ in range(6):
        org.now_s += 60
        org.calls.clear()
        pages, cursor = _read(feed, cursor)
    assert len(org.calls) == 1
    assert not _values(pages)


def test_an_empty_object_costs_one_call_a_poll() -> None:
    """Nothing there is no reason to look twice."""
    org = _org()
    feed = _feed(org)
    _, cursor = _read(feed, None)
    org.calls.clear()
    org.now_s += 60
    _, cursor = _read(feed, cursor)
    assert len(org.calls) == 1
    for number in range(7):
        org.save(number, number)
    pages, cursor = _read(feed, cursor)
    assert len(_values(pages)) == 7


def test_a_mass_update_of_one_second_is_read_and_then_left_alone() -> None:
    """H045, H046, H095: more equal stamps than a page holds neither loop nor come back for ever."""
    org = _org(page_size=200)
    for number in range(2500):
        org.save(number, 1)
    feed = _feed(org)
    _, cursor = _read(feed, None)
    org.now_s += 1000
    for number in range(2500):
        org.save(number, 2)
    reads = []
    for _ in range(8):
        org.now_s += 60
        pages, cursor = _read(feed, cursor)
        reads.append(len(_values(pages)))
    assert reads[0] == 2500
    assert reads[-1] == 0
    assert sum(reads) <= 5 * 2500, "read again only while late rows may still come"


def test_what_was_read_over_many_pages_is_not_read_again() -> None:
    """After a walk of many pages only the overlap before its end is looked at again, not all pages but the first."""
    org = _org(page_size=100)
    for number in range(1000):
        org.save(number, 1)
    feed = _feed(org)
    _, cursor = _read(feed, None)
    for _ in range(4):
        org.now_s += 1000
        _, cursor = _read(feed, cursor)
    for number in range(1000):
        org.save(number, 2)
        org.now_s += 1
    org.after_list = lambda: setattr(org, "now_s", org.now_s + 2)
    org.calls.clear()
    pages, cursor = _read(feed, cursor)
    assert len(_values(pages)) == 1000
    assert len(org.calls) == 11, "ten pages, and the newest stamp"
    again, cursor = _read(feed, cursor)
    assert len(_values(again)) <= OVERLAP_S + 10
    org.now_s += OVERLAP_S + LAG_S + 10
    _, cursor = _read(feed, cursor)
    org.calls.clear()
    pages, _ = _read(feed, cursor)
    assert not _values(pages)
    assert len(org.calls) == 1


def test_what_changes_while_the_list_is_on_its_way_is_the_next_polls() -> None:
    """The newest stamp is asked for after the list was made: what is younger than the list does not move the mark past
    rows that are not in it."""
    org = _org(page_size=2)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 1
    feed = _feed(org)
    _, cursor = _read(feed, None)
    org.now_s += 5000
    _, cursor = _read(feed, cursor)
    org.now_s += 5000
    for number in range(6):
        org.save(number, 2)

    def meanwhile() -> None:
        org.after_list = lambda: None
        org.now_s += 300
        org.save(100, 1)
        org.now_s += 600
        org.save(5, 3)  # the newest stamp, far behind record 100, which is not in the list

    org.after_list = meanwhile
    _, cursor = _read(feed, cursor)
    org.now_s += 1
    later, _ = _read(feed, cursor)
    assert key(100) in _values(later)


def test_a_seldom_polled_object_still_looks_back_once() -> None:
    """The overlap is closed by a walk begun after it, not by the time alone: the next poll may come a day later."""
    org = _org()
    org.save(1, 1)
    org.now_s += 10
    org.save(2, 1, late_s=100)
    org.save(3, 1)
    feed = _feed(org)
    pages, cursor = _read(feed, None)
    assert set(_values(pages)) == {key(1), key(3)}
    org.now_s += 86_400
    pages, cursor = _read(feed, cursor)
    assert key(2) in _values(pages), "a row that was committed late is found, however late we come"
    org.now_s += 60
    pages, _ = _read(feed, cursor)
    assert not _values(pages)


# ---------------------------------------------------------------- nothing is skipped


@pytest.mark.parametrize("seed", range(150))
def test_nothing_that_changed_is_ever_skipped(seed: int) -> None:
    """H044-H054: random edits, deletions, late commits, kills, forgotten locators and wrong clocks; in the end what
    the feed told last about each record is what the record is."""
    chance = random.Random(seed)
    org = _org(page_size=chance.choice([1, 2, 3, 7]))
    feed = _feed(org, skew_s=chance.choice([-3600.0, 0.0, 86_400.0]))
    told: dict[str, tuple[int, bool]] = {}
    cursor: str | None = None

    def live_a_little() -> None:
        for _ in range(chance.randrange(4)):
            late_s = chance.choice([0, 0, 0, 5, 60, OVERLAP_S])
            org.save(chance.randrange(12), chance.randrange(10**6), late_s, deleted=chance.random() < 0.1)
        org.now_s += chance.choice([0, 0, 1, 1, 7, 60, 400])

    if seed % 2:  # answers take their time, and the world goes on meanwhile
        org.after_list = live_a_little
    for _ in range(25):
        live_a_little()
        for page in feed.changes("Lead", ["Score__c"], cursor):
            cursor = page.cursor
            told.update({r.key: (r.attributes["Score__c"], r.state == "gone") for r in page.records})
            live_a_little()
            if chance.random() < 0.1:
                break  # killed
            if chance.random() < 0.1:
                org.walks.clear()  # forgotten by the server
    org.after_list = lambda: None
    org.now_s += OVERLAP_S + 1
    for _ in range(3):  # it may be killed no more
        for page in feed.changes("Lead", ["Score__c"], cursor):
            cursor = page.cursor
            told.update({r.key: (r.attributes["Score__c"], r.state == "gone") for r in page.records})
        org.now_s += OVERLAP_S + LAG_S + 5
    current = {record: row for record in org.versions if (row := org.current(record))}
    assert told == {record: (row.value, row.deleted) for record, row in current.items()}


def test_a_long_first_walk_does_not_jump_over_what_is_made_meanwhile() -> None:
    """H068: a row read late in a long walk shows a stamp from its end; records made in between are not in the walk's
    list, and must not be passed over."""
    org = _org(page_size=2)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 1
    feed = _feed(org)
    told: dict[str, int] = {}
    walk = feed.changes("Lead", ["Score__c"], None)
    told |= _values([next(walk)])
    org.save(100, 1)
    org.now_s += 3 * OVERLAP_S
    org.save(5, 2)  # the walk's last row now has a stamp far behind record 100's
    pages = list(walk)
    told |= _values(pages)
    org.now_s += 10
    later, _ = _read(feed, pages[-1].cursor)
    assert key(100) in _values(later)
    assert {**told, **_values(later)}[key(5)] == 2


# ---------------------------------------------------------------- stopping and going on


def test_a_walk_goes_on_where_it_was_killed() -> None:
    """H050: after a kill the next page follows, and nothing before it is read again."""
    org = _org(page_size=2)
    for number in range(10):
        org.save(number, 1)
        org.now_s += 1
    feed = _feed(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    first, second = next(walk), next(walk)
    walk.close()
    org.calls.clear()
    rest, _ = _read(feed, second.cursor)
    assert len(org.calls) == 3
    assert all(call.startswith("/services") for call in org.calls)
    assert set(_values([first, second])) & set(_values(rest)) == set()
    assert len(_values([first, second, *rest])) == 10


def test_a_forgotten_walk_begins_again_where_it_had_got_to() -> None:
    """H054: after two days the locator is gone; what was read in the order of stamps need not be read again."""
    org = _org(page_size=2)
    for number in range(10):
        org.save(number, 1)
        org.now_s += 100
    feed = _feed(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    pages = [next(walk), next(walk), next(walk)]
    walk.close()
    org.walks.clear()
    org.now_s += 2 * 86_400
    rest, _ = _read(feed, pages[-1].cursor)
    assert len(_values([*pages, *rest])) == 10
    assert len(_values(rest)) <= 5, "only the row at the edge comes twice"


def test_a_forgotten_walk_skips_neither_equals_nor_what_moved() -> None:
    """H044, H054: where a walk had got to is told by rows that did not move meanwhile, and their second is read again."""
    org = _org(page_size=2)
    for number in range(10):
        org.save(number, 1)
        org.now_s += number // 5  # five records share the first second
    org.now_s += 10 * OVERLAP_S
    feed = _feed(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    pages = [next(walk)]
    ids = sorted(org.versions)
    org.versions[ids[3]].append(Row(org.now_s, org.now_s, 2))  # on the next page, and now the youngest of all
    pages.append(next(walk))
    org.walks.clear()
    pages += list(walk)
    assert len(_values(pages)) == 10


def test_what_commits_while_a_walk_goes_on_does_not_tell_where_it_had_got_to() -> None:
    """H048 and H054 together: a long transaction gives a row in the middle of the list a stamp from before the list was
    made; taking it for the walk's place would pass over all rows in between once the list is forgotten."""
    org = _org(page_size=1)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 10
    feed = _feed(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    ids = sorted(org.versions)
    org.versions[ids[1]].append(Row(org.now_s - 10, org.now_s + 5, 2))  # the newest stamp there is, not yet visible
    pages = [next(walk)]
    org.now_s += 6
    pages.append(next(walk))
    org.walks.clear()
    pages += list(walk)
    assert set(_values(pages)) == set(ids)


def test_a_clock_set_back_does_not_keep_the_overlap_open() -> None:
    """H049: our clock only measures durations; set back by a day, it costs one more round, not a day of reading twice."""
    org = _org()
    org.save(1, 1)
    _, cursor = _read(_feed(org, skew_s=86_400.0), None)
    feed = _feed(org)
    for _ in range(4):
        org.now_s += 100
        pages, cursor = _read(feed, cursor)
    assert not _values(pages)


def test_a_walk_for_other_attributes_is_begun_again() -> None:
    """The pages of a walk hold what it selected; another list of attributes needs another query."""
    org = _org(page_size=2)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 1
    feed = _feed(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    first = next(walk)
    walk.close()
    org.calls.clear()
    pages = list(feed.changes("Lead", ["Score__c", "Other__c"], first.cursor))
    assert org.calls[0].startswith("SELECT")
    assert all("Other__c" in record.attributes for page in pages for record in page.records)


@pytest.mark.parametrize("cursor", ["", "{}x", '{"mark":"x"}', '{"unknown":1}', "null"])
def test_a_cursor_that_cannot_be_read_means_a_new_start(cursor: str) -> None:
    """Only CursorLost tells the engine to read everything again."""
    with pytest.raises(CursorLost):
        list(_feed(_org()).changes("Lead", [], cursor))


def test_a_fortnight_away_loses_deletions_and_says_so() -> None:
    """H064: the recycle bin keeps 15 days; whoever was away longer must compare everything."""
    org = _org()
    org.save(1, 1)
    feed = _feed(org)
    _, cursor = _read(feed, None)
    org.now_s += 13 * 86_400
    _, cursor = _read(feed, cursor)
    org.now_s += 15 * 86_400
    with pytest.raises(CursorLost):
        _read(feed, cursor)


# ---------------------------------------------------------------- a server that leads in circles


class _Circle(Model):
    """Names the same next page again and again; `rows`: with something on it."""

    rows = True

    def _page(self, ids: list[str]) -> Reply:
        records = [lead(1, Score__c=1)] if self.rows else []
        path = (
            "/services/data/v67.0/query/0r8-same" if self.rows else f"/services/data/v67.0/query/0r8-{len(self.calls)}"
        )
        return Reply(200, msgspec.json.encode({"done": False, "records": records, "nextRecordsUrl": path}))

    def more(self, path: str) -> Reply:
        self.calls.append(path)
        return self._page([])


@pytest.mark.parametrize("rows", [True, False])
def test_pages_that_lead_nowhere_are_an_error_and_the_cursor_stays(rows: bool) -> None:
    """H065, H066: the same locator twice, or page after page without a row, ends; it never loops."""
    org = _Circle()  # type: ignore[call-arg]
    org.rows = rows
    cursors = []
    with pytest.raises(BadAnswer):
        cursors += [page.cursor for page in _feed(org).changes("Lead", ["Score__c"], None)]
    assert len(org.calls) <= 5
    assert issubclass(BadAnswer, Transient), "tried again later, from the cursor that was kept"


def test_the_cursor_of_a_resting_object_is_small_and_plain() -> None:
    """It is kept with every poll; between walks it holds no page, no digest and no person's value."""
    org = _org()
    org.save(1, 1)
    feed = _feed(org)
    _, text = _read(feed, None)
    cursor = msgspec.json.decode(text, type=Cursor)
    assert (cursor.mark, cursor.next) == (START_S * 1000, "")
    assert len(text) < 120
