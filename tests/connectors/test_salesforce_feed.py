"""The Salesforce feed against a model of what a Salesforce query does: ids fixed at its start, values read page by
page, stamps of whole seconds, and rows that become visible after their stamp."""

from __future__ import annotations

from salesforce_queries import LAG_S, OVERLAP_S, feed_of, read, small_org, values
from salesforce_scripted import key


def test_an_object_that_rests_costs_one_call_a_poll_and_tells_nothing() -> None:
    """An idle poll is exactly one call per object; once the overlap is over it returns no row either."""
    org = small_org()
    for number in range(8):
        org.save(number, number)
        org.now_s += 1
    feed = feed_of(org)
    _, cursor = read(feed, None)
    for _ in range(6):
        org.now_s += 60
        org.calls.clear()
        pages, cursor = read(feed, cursor)
    assert len(org.calls) == 1
    assert not values(pages)


def test_an_empty_object_costs_one_call_a_poll() -> None:
    """Nothing there is no reason to look twice."""
    org = small_org()
    feed = feed_of(org)
    _, cursor = read(feed, None)
    org.calls.clear()
    org.now_s += 60
    _, cursor = read(feed, cursor)
    assert len(org.calls) == 1
    for number in range(7):
        org.save(number, number)
    pages, cursor = read(feed, cursor)
    assert len(values(pages)) == 7


def test_a_mass_update_of_one_second_is_read_and_then_left_alone() -> None:
    """H045, H046, H095: more equal stamps than a page holds neither loop nor come back for ever."""
    org = small_org(page_size=200)
    for number in range(2500):
        org.save(number, 1)
    feed = feed_of(org)
    _, cursor = read(feed, None)
    org.now_s += 1000
    for number in range(2500):
        org.save(number, 2)
    reads = []
    for _ in range(8):
        org.now_s += 60
        pages, cursor = read(feed, cursor)
        reads.append(len(values(pages)))
    assert reads[0] == 2500
    assert reads[-1] == 0
    assert sum(reads) <= 5 * 2500, "read again only while late rows may still come"


def test_what_was_read_over_many_pages_is_not_read_again() -> None:
    """After a walk of many pages only the overlap before its end is looked at again, not all pages but the first."""
    org = small_org(page_size=100)
    for number in range(1000):
        org.save(number, 1)
    feed = feed_of(org)
    _, cursor = read(feed, None)
    for _ in range(4):
        org.now_s += 1000
        _, cursor = read(feed, cursor)
    for number in range(1000):
        org.save(number, 2)
        org.now_s += 1
    org.after_list = lambda: setattr(org, "now_s", org.now_s + 2)
    org.calls.clear()
    pages, cursor = read(feed, cursor)
    assert len(values(pages)) == 1000
    assert len(org.calls) == 11, "ten pages, and the newest stamp"
    again, cursor = read(feed, cursor)
    assert len(values(again)) <= OVERLAP_S + 10
    org.now_s += OVERLAP_S + LAG_S + 10
    _, cursor = read(feed, cursor)
    org.calls.clear()
    pages, _ = read(feed, cursor)
    assert not values(pages)
    assert len(org.calls) == 1


def test_what_changes_while_the_list_is_on_its_way_is_the_next_polls() -> None:
    """The newest stamp is asked for after the list was made: what is younger than the list does not move the mark past
    rows that are not in it."""
    org = small_org(page_size=2)
    for number in range(6):
        org.save(number, 1)
        org.now_s += 1
    feed = feed_of(org)
    _, cursor = read(feed, None)
    org.now_s += 5000
    _, cursor = read(feed, cursor)
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
    _, cursor = read(feed, cursor)
    org.now_s += 1
    later, _ = read(feed, cursor)
    assert key(100) in values(later)


def test_a_seldom_polled_object_still_looks_back_once() -> None:
    """The overlap is closed by a walk begun after it, not by the time alone: the next poll may come a day later."""
    org = small_org()
    org.save(1, 1)
    org.now_s += 10
    org.save(2, 1, late_s=100)
    org.save(3, 1)
    feed = feed_of(org)
    pages, cursor = read(feed, None)
    assert set(values(pages)) == {key(1), key(3)}
    org.now_s += 86_400
    pages, cursor = read(feed, cursor)
    assert key(2) in values(pages), "a row that was committed late is found, however late we come"
    org.now_s += 60
    pages, _ = read(feed, cursor)
    assert not values(pages)
