"""The HubSpot feed against the sandbox: nothing skipped, counted calls, resumed where it was killed."""

from __future__ import annotations

import json

import pytest
from hubspot_account import NAMES, Portal, keys

from connectors.hubspot.connector import HubSpot
from connectors.hubspot.sandbox.records import Source
from syncd.connector import Page, Record
from syncd.errors import CursorLost


def test_the_first_walk_reads_everything_once(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: ceil(N/100) list calls and one search for the place to go on from (dependencies 15)."""
    made = portal.people(250)
    records: list[Record] = []

    def walk() -> None:
        records.extend(portal.poll(hubspot, None)[0])

    assert portal.calls(walk) == [("POST", "search", 200)] + [("GET", "contacts", 200)] * 3
    assert keys(records) == set(made)
    assert len(records) == 250
    assert records[7].attributes == {"email": "person7@example.test", "firstname": "Name 7", "city": "Old Town"}
    stamps = {key: record["modified_ms"] for key, record in portal.control.records("contacts").items()}
    assert {record.key: record.stamp_ms for record in records} == stamps


def test_an_idle_poll_is_one_call(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: nothing changed costs one search, inside the overlap and after it."""
    portal.people(30)
    _, cursor = portal.poll(hubspot, None)

    for wait_s in (10, 10, 200, 10, 10):
        portal.wait(wait_s)
        ends: list[str] = []
        calls = portal.calls(lambda: ends.append(portal.poll(hubspot, cursor)[1]))  # noqa: B023
        assert calls == [("POST", "search", 200)]
        cursor = ends[0]
    asked = json.dumps(portal.control.log()[-1]["body"])
    newest = max(record["modified_ms"] for record in portal.control.records("contacts").values())
    assert str(newest + 1) in asked  # after the overlap only newer stamps are asked for


def test_a_change_is_read_by_id_once(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: two calls for one change; what the ledger holds is not read again."""
    made = portal.people(30)
    _, cursor = portal.poll(hubspot, None)
    portal.wait(300)
    _, cursor = portal.poll(hubspot, cursor)
    portal.edit(made[3], city="New Town")
    portal.wait(20)

    records: list[Record] = []
    calls = portal.calls(lambda: records.extend(portal.poll(hubspot, cursor)[0]))
    assert calls == [("POST", "search", 200), ("POST", "read", 200)]
    assert [(record.key, record.attributes["city"]) for record in records] == [(made[3], "New Town")]


def test_values_never_come_from_the_index(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the index gives ids and stamps only; what it says of a value may be old (H055)."""
    made = portal.people(3)
    _, cursor = portal.poll(hubspot, None)
    portal.edit(made[0], city="First")
    portal.wait(20)
    portal.edit(made[0], city="Second")  # not in the index yet

    records, _ = portal.poll(hubspot, cursor)
    assert [record.attributes["city"] for record in records] == ["Second"]


def test_a_row_that_reaches_the_index_late_is_found(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: within the overlap an older stamp behind a newer one is not lost (H047)."""
    early, late, other = portal.people(3)
    _, cursor = portal.poll(hubspot, None)
    portal.wait(400)
    _, cursor = portal.poll(hubspot, cursor)
    portal.control.switches(search_lag_ms=90_000, search_lag_spread=0.0)
    portal.edit(late, city="Late")
    portal.control.switches(search_lag_ms=0)
    portal.wait(1)
    portal.edit(early, city="Early")

    records, cursor = portal.poll(hubspot, cursor)
    assert keys(records) == {early}
    seen: set[str] = set()
    for _ in range(5):
        portal.wait(30)
        records, cursor = portal.poll(hubspot, cursor)
        seen |= keys(records)
    assert seen == {late}
    assert other not in seen


def test_a_late_row_is_found_even_if_we_slept_over_the_overlap(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the window closes only after a look that was made when it was over."""
    early, late = portal.people(2)
    _, cursor = portal.poll(hubspot, None)
    portal.wait(400)
    _, cursor = portal.poll(hubspot, cursor)
    portal.control.switches(search_lag_ms=90_000, search_lag_spread=0.0)
    portal.edit(late, city="Late")
    portal.control.switches(search_lag_ms=0)
    portal.wait(1)
    portal.edit(early, city="Early")
    _, cursor = portal.poll(hubspot, cursor)

    portal.wait(3600)
    records, _ = portal.poll(hubspot, cursor)
    assert keys(records) == {late}


def test_a_round_of_several_searches_does_not_close_the_window_early(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: however many rows share the overlap, one more look is made when it is over (H047)."""
    *made, late = portal.people(301)
    _, cursor = portal.poll(hubspot, None)
    portal.wait(400)
    _, cursor = portal.poll(hubspot, cursor)
    portal.control.switches(search_lag_ms=90_000, search_lag_spread=0.0)
    portal.edit(late, city="Late")
    portal.control.switches(search_lag_ms=0)
    portal.control.act("touch", object="contacts", keys=made)
    for wait_s in (0, 30):
        portal.wait(wait_s)
        _, cursor = portal.poll(hubspot, cursor)

    portal.wait(70)
    records, cursor = portal.poll(hubspot, cursor)
    assert keys(records) == {late}
    portal.wait(200)
    _, cursor = portal.poll(hubspot, cursor)
    assert portal.calls(lambda: portal.poll(hubspot, cursor)) == [("POST", "search", 200)]


def test_edits_behind_our_back_in_a_long_round_are_not_lost(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the mark never jumps over what was edited while we read (H052)."""
    made = portal.people(450)
    _, cursor = portal.poll(hubspot, None)
    portal.wait(400)
    _, cursor = portal.poll(hubspot, cursor)
    portal.control.switches(search_lag_ms=0)
    portal.control.act("touch", object="contacts", keys=made)
    pages = hubspot.changes("contacts", NAMES, cursor, portal.ledger.held)
    _kept(portal, next(pages))
    portal.wait(200)
    portal.edit(made[0], city="Behind us")
    portal.wait(1000)
    portal.edit(made[448], city="Before us")
    *_, last = (_kept(portal, page) for page in pages)

    records, _ = portal.poll(hubspot, last.cursor)
    assert {(record.key, record.attributes["city"]) for record in records} >= {
        (made[0], "Behind us"),
        (made[448], "Before us"),
    }
    stamps = {key: record["modified_ms"] for key, record in portal.control.records("contacts").items()}
    assert portal.ledger.stamps == stamps


def _kept(portal: Portal, page: Page) -> Page:
    portal.ledger.keep(page.records)
    return page


def test_the_clock_of_our_machine_does_not_matter(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: cursors hold HubSpot's stamps; ours is used for durations only, and may even jump (H049)."""
    made = portal.people(3)
    _, cursor = portal.poll(hubspot, None)
    for jump_s in (-4_000.0, 1e9, -1e9):
        portal.now_s += jump_s
        portal.edit(made[1], city=f"Town {jump_s}")
        portal.wait(20)
        records, cursor = portal.poll(hubspot, cursor)
        assert made[1] in keys(records)
    portal.now_s -= 1e6
    for _ in range(3):
        _, cursor = portal.poll(hubspot, cursor)
        portal.wait(200)
    assert json.loads(cursor)["closed"]  # the overlap ends by durations, not by dates


def test_25000_rows_with_one_stamp_are_walked_in_a_counted_number_of_calls(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: ceil(N/200) searches, and at most one more for each 10,000; no loop, no row left out (H046)."""
    table = portal.app.portal.tables["contacts"]
    at_ms = portal.app.clock.now_ms() - 1_000_000
    source = Source("IMPORT", "import:1", "Import", 77)
    made = [
        portal.app.portal.create(table, {"email": f"p{n}@example.test"}, source, at_ms=at_ms, lag=False).id
        for n in range(25_000)
    ]
    portal.ledger.stamps = dict.fromkeys(made[:-3], at_ms)
    cursor = json.dumps({"mark": at_ms - 5_000, "at": portal.now_s})
    records: list[Record] = []
    calls = portal.calls(lambda: records.extend(portal.poll(hubspot, cursor, ["email"])[0]))

    assert keys(records) == set(made[-3:])
    searches = [call for call in calls if call[1] == "search"]
    assert 125 <= len(searches) <= 128
    assert [call for call in calls if call[1] != "search"] == [("POST", "read", 200)]


@pytest.mark.parametrize("stop_after", [1, 2, 3])
def test_a_walk_goes_on_where_it_was_killed(portal: Portal, stop_after: int) -> None:
    """Rule: every page's cursor is safe to keep (H050, H068)."""
    made = portal.people(350)
    pages = portal.connector().changes("contacts", NAMES, None, portal.ledger.held)
    first = [next(pages) for _ in range(stop_after)]
    pages.close()  # type: ignore[attr-defined]
    portal.edit(made[0], city="Meanwhile")
    portal.wait(3600)

    records, cursor = portal.poll(portal.connector(), first[-1].cursor)
    assert keys([record for page in first for record in page.records] + records) == set(made)
    assert len(records) == 350 - 100 * stop_after
    changed, _ = portal.poll(portal.connector(), cursor)
    assert [record.attributes["city"] for record in changed if record.key == made[0]] == ["Meanwhile"]


@pytest.mark.parametrize("stop_after", [1, 2])
def test_a_round_goes_on_where_it_was_killed(portal: Portal, hubspot: HubSpot, stop_after: int) -> None:
    """Rule: the place inside a round of several searches is in the cursor too."""
    made = portal.people(500)
    _, cursor = portal.poll(hubspot, None)
    portal.wait(400)
    portal.control.act("touch", object="contacts", keys=made)
    portal.wait(20)
    pages = hubspot.changes("contacts", NAMES, cursor, portal.ledger.held)
    first = [_kept(portal, next(pages)) for _ in range(stop_after)]
    pages.close()  # type: ignore[attr-defined]

    records, _ = portal.poll(portal.connector(), first[-1].cursor)
    assert keys([record for page in first for record in page.records] + records) == set(made)
    assert len(records) == 500 - 200 * stop_after


def test_a_list_of_properties_too_long_for_an_address_is_asked_for_in_a_body(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: 414 is never met (section 4.1)."""
    made = portal.people(120)
    names = [*NAMES, *(f"unknown_property_with_a_long_name_{n}" for n in range(400))]

    records: list[Record] = []
    calls = portal.calls(lambda: records.extend(portal.poll(hubspot, None, names)[0]))
    assert keys(records) == set(made)
    assert set(records[0].attributes) == set(NAMES)
    looked = "contacts"  # the definitions, once: are those that no row shows blank, or are there no such properties?
    assert [name for _, name, _ in calls] == ["search", "contacts", "read", looked, "contacts", "read"]


def test_merged_records_are_told_with_their_survivor(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: the survivor's page reports every id it swallowed (section 6, H125)."""
    made = portal.people(4)
    _, cursor = portal.poll(hubspot, None)
    survivor = portal.control.act("merge", object="contacts", key=made[0], **{"with": made[1]})["key"]
    portal.wait(20)

    for place in (cursor, None):
        records, _ = portal.poll(hubspot, place)
        merged = {record.key: record.into for record in records if record.state == "merged"}
        assert merged == {made[0]: ("contacts", survivor), made[1]: ("contacts", survivor)}
        assert survivor in keys(records)
        assert "hs_merged_object_ids" not in next(r for r in records if r.key == survivor).attributes


def test_a_record_archived_while_it_is_read_is_told_as_gone(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: what the index still shows and the store has archived is positive evidence."""
    made = portal.people(3)
    _, cursor = portal.poll(hubspot, None)
    portal.control.switches(search_lag_ms=60_000, search_lag_spread=0.0)
    portal.edit(made[0], city="Soon gone")
    portal.wait(61)
    portal.control.act("delete", object="contacts", key=made[0])

    records, _ = portal.poll(hubspot, cursor)
    assert keys(records, "gone") == {made[0]}


@pytest.mark.parametrize("cursor", ["", "[]", "nonsense", '{"mark": "x"}'])
def test_a_cursor_that_is_none_asks_for_a_sweep(hubspot: HubSpot, cursor: str) -> None:
    """Rule: a lost place is said, not guessed."""
    with pytest.raises(CursorLost):
        list(hubspot.changes("contacts", NAMES, cursor, lambda keys: {}))
    with pytest.raises(CursorLost):
        list(hubspot.changes("owners", ["email"], cursor, lambda keys: {}))


def test_companies_use_their_own_stamp(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: `hs_lastmodifieddate`, not the contacts' name for it (H056)."""
    made = portal.control.act("create", object="companies", values={"name": "Acme", "domain": "acme.test"})["key"]
    portal.wait(20)
    pages = list(hubspot.changes("companies", ["name"], None, portal.ledger.held))
    portal.control.act("edit", object="companies", key=made, values={"name": "Acme & Sons"})
    portal.wait(20)

    (page,) = hubspot.changes("companies", ["name"], pages[-1].cursor, portal.ledger.held)
    assert [(record.key, record.attributes) for record in page.records] == [(made, {"name": "Acme & Sons"})]


def test_owners_are_swept_with_those_who_left(portal: Portal, hubspot: HubSpot) -> None:
    """Rule: records still point at people who left; they are inactive, not unknown (section 9)."""
    pages = list(hubspot.changes("owners", ["email", "active"], None, portal.ledger.held))
    records = [record for page in pages for record in page.records]
    state = portal.control.state()["owners"]

    assert {record.key for record in records} == set(state)
    assert {record.attributes["active"] for record in records} == {True, False}
    assert all(record.attributes["active"] != state[record.key]["archived"] for record in records)
    again = [
        record
        for page in hubspot.changes("owners", ["email"], pages[-1].cursor, portal.ledger.held)
        for record in page.records
    ]
    assert len(again) == len(records)
    active = next(record for record in records if record.attributes["active"])
    (found,) = hubspot.find("owners", ["active"], "email", [active.attributes["email"].upper(), ""])
    assert (found.record.key, found.record.attributes) == (active.key, {"active": True})
    assert [record.key for record in hubspot.fetch("owners", ["email"], [active.key, "0"])] == [active.key]
