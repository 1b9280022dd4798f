"""The Salesforce feed, broken off and gone on with: nothing is skipped, and no server leads it in circles."""

from __future__ import annotations

import random

import msgspec
import pytest
from salesforce_queries import LAG_S, OVERLAP_S, START_S, Model, Row, feed_of, read, small_org, values
from salesforce_scripted import key, lead

from connectors.salesforce.feed import Cursor
from connectors.salesforce.replies import Reply
from syncd.errors import CursorLost, Transient
from syncd.http import BadAnswer

# ---------------------------------------------------------------- nothing is skipped


@pytest.mark.parametrize("seed", range(150))
def test_nothing_that_changed_is_ever_skipped(seed: int) -> None:
    """H044-H054: random edits, deletions, late commits, kills, forgotten locators and wrong clocks; in the end what
    the feed told last about each record is what the record is."""
    chance = random.Random(seed)
    org = small_org(page_size=chance.choice([1, 2, 3, 7]))
    feed = feed_of(org, skew_s=chance.choice([-3600.0, 0.0, 86_400.0]))
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
    org = small_org(page_size=2)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 1
    feed = feed_of(org)
    told: dict[str, int] = {}
    walk = feed.changes("Lead", ["Score__c"], None)
    told |= values([next(walk)])
    org.save(100, 1)
    org.now_s += 3 * OVERLAP_S
    org.save(5, 2)  # the walk's last row now has a stamp far behind record 100's
    pages = list(walk)
    told |= values(pages)
    org.now_s += 10
    later, _ = read(feed, pages[-1].cursor)
    assert key(100) in values(later)
    assert {**told, **values(later)}[key(5)] == 2


# ---------------------------------------------------------------- stopping and going on


def test_a_walk_goes_on_where_it_was_killed() -> None:
    """H050: after a kill the next page follows, and nothing before it is read again."""
    org = small_org(page_size=2)
    for number in range(10):
        org.save(number, 1)
        org.now_s += 1
    feed = feed_of(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    first, second = next(walk), next(walk)
    walk.close()
    org.calls.clear()
    rest, _ = read(feed, second.cursor)
    assert len(org.calls) == 3
    assert all(call.startswith("/services") for call in org.calls)
    assert set(values([first, second])) & set(values(rest)) == set()
    assert len(values([first, second, *rest])) == 10


def test_a_forgotten_walk_begins_again_where_it_had_got_to() -> None:
    """H054: after two days the locator is gone; what was read in the order of stamps need not be read again."""
    org = small_org(page_size=2)
    for number in range(10):
        org.save(number, 1)
        org.now_s += 100
    feed = feed_of(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    pages = [next(walk), next(walk), next(walk)]
    walk.close()
    org.walks.clear()
    org.now_s += 2 * 86_400
    rest, _ = read(feed, pages[-1].cursor)
    assert len(values([*pages, *rest])) == 10
    assert len(values(rest)) <= 5, "only the row at the edge comes twice"


def test_a_forgotten_walk_skips_neither_equals_nor_what_moved() -> None:
    """H044, H054: where a walk had got to is told by rows that did not move meanwhile, and their second is read again."""
    org = small_org(page_size=2)
    for number in range(10):
        org.save(number, 1)
        org.now_s += number // 5  # five records share the first second
    org.now_s += 10 * OVERLAP_S
    feed = feed_of(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    pages = [next(walk)]
    ids = sorted(org.versions)
    org.versions[ids[3]].append(Row(org.now_s, org.now_s, 2))  # on the next page, and now the youngest of all
    pages.append(next(walk))
    org.walks.clear()
    pages += list(walk)
    assert len(values(pages)) == 10


def test_what_commits_while_a_walk_goes_on_does_not_tell_where_it_had_got_to() -> None:
    """H048 and H054 together: a long transaction gives a row in the middle of the list a stamp from before the list was
    made; taking it for the walk's place would pass over all rows in between once the list is forgotten."""
    org = small_org(page_size=1)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 10
    feed = feed_of(org)
    walk = feed.changes("Lead", ["Score__c"], None)
    ids = sorted(org.versions)
    org.versions[ids[1]].append(Row(org.now_s - 10, org.now_s + 5, 2))  # the newest stamp there is, not yet visible
    pages = [next(walk)]
    org.now_s += 6
    pages.append(next(walk))
    org.walks.clear()
    pages += list(walk)
    assert set(values(pages)) == set(ids)


def test_a_clock_set_back_does_not_keep_the_overlap_open() -> None:
    """H049: our clock only measures durations; set back by a day, it costs one more round, not a day of reading twice."""
    org = small_org()
    org.save(1, 1)
    _, cursor = read(feed_of(org, skew_s=86_400.0), None)
    feed = feed_of(org)
    for _ in range(4):
        org.now_s += 100
        pages, cursor = read(feed, cursor)
    assert not values(pages)


def test_a_walk_for_other_attributes_is_begun_again() -> None:
    """The pages of a walk hold what it selected; another list of attributes needs another query."""
    org = small_org(page_size=2)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 1
    feed = feed_of(org)
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
        list(feed_of(small_org()).changes("Lead", [], cursor))


def test_a_fortnight_away_loses_deletions_and_says_so() -> None:
    """H064: the recycle bin keeps 15 days; whoever was away longer must compare everything."""
    org = small_org()
    org.save(1, 1)
    feed = feed_of(org)
    _, cursor = read(feed, None)
    org.now_s += 13 * 86_400
    _, cursor = read(feed, cursor)
    org.now_s += 15 * 86_400
    with pytest.raises(CursorLost):
        read(feed, cursor)


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
        cursors += [page.cursor for page in feed_of(org).changes("Lead", ["Score__c"], None)]
    assert len(org.calls) <= 5
    assert issubclass(BadAnswer, Transient), "tried again later, from the cursor that was kept"


def test_the_cursor_of_a_resting_object_is_small_and_plain() -> None:
    """It is kept with every poll; between walks it holds no page, no digest and no person's value."""
    org = small_org()
    org.save(1, 1)
    feed = feed_of(org)
    _, text = read(feed, None)
    cursor = msgspec.json.decode(text, type=Cursor)
    assert (cursor.mark, cursor.next) == (START_S * 1000, "")
    assert len(text) < 120
