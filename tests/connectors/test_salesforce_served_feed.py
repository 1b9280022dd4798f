"""The Salesforce feed against the Salesforce-style sandbox: a real server, real faults, a virtual clock."""

from __future__ import annotations

from salesforce_served import ATTRIBUTES, Org, make

from connectors.salesforce.sandbox import populate
from syncd.sandbox.company import people


def test_a_first_walk_reads_everything_once_and_an_idle_poll_is_one_call(org: Org) -> None:
    """Pages of up to 2,000, ended by `done` only; afterwards one call a poll, without a row once the overlap is over."""
    populate(org.server.app, people(3, 5000))
    told, cursor = org.read()
    assert told.keys() == org.keys()
    assert len(org.calls("/query")) >= 4
    for _ in range(4):
        org.advance(60)
        before = len(org.calls())
        told, cursor = org.read(cursor)
        assert len(org.calls()) - before == 1
    assert told == {}


def test_a_killed_walk_goes_on_from_its_page(org: Org) -> None:
    """H050, H051: the kept cursor names the next page; the pages before are not asked for again."""
    populate(org.server.app, people(3, 4500))
    walk = org.connector.changes("Lead", ATTRIBUTES, None, lambda keys: {})
    first = next(walk)
    walk.close()
    before = len(org.calls())
    rest, _ = org.read(first.cursor)
    assert {record.key for record in first.records} | rest.keys() == org.keys()
    assert {record.key for record in first.records}.isdisjoint(rest)
    assert "/query/" in org.calls()[before]["path"]


def test_a_locator_that_the_server_forgot_costs_no_record(org: Org) -> None:
    """H054: INVALID_QUERY_LOCATOR in the middle, by a fault and by a restart of the server's cursors."""
    populate(org.server.app, people(3, 4500))
    org.faults("invalid_locator", path="/query/", nth=2)
    told, _ = org.read()
    assert told.keys() == org.keys()
    walk = org.connector.changes("Lead", ATTRIBUTES, None, lambda keys: {})
    first = next(walk)
    walk.close()
    org.act("end_cursors")
    rest, _ = org.read(first.cursor)
    assert {record.key for record in first.records} | rest.keys() == org.keys()


def test_a_mass_update_of_25000_in_one_second_is_told_and_then_over(org: Org) -> None:
    """H045, H046, H095: thirteen pages of one stamp, records edited meanwhile, and then peace."""
    populate(org.server.app, people(3, 25_000))
    _, cursor = org.read(attributes=["City"])
    org.advance(600)
    _, cursor = org.read(cursor, ["City"])
    org.server.control.clock(freeze=True)
    org.act("edit", object="Lead", where="IsConverted = false", values={"City": "Ghent"})
    org.server.control.clock(thaw=True)
    org.advance(1)
    told, cursor = org.read(cursor, ["City"])
    assert len(told) == 25_000
    assert len({record.stamp_ms for record in told.values()}) == 1
    late = org.lead("Late", City="Oslo")
    counts = []
    for _ in range(7):
        org.advance(75)
        told, cursor = org.read(cursor, ["City"])
        counts.append(len(told))
        late = "" if late in told else late
    assert late == ""
    assert sum(count > 1 for count in counts) <= 3, "read again only while something may still commit late"
    assert counts[-1] == 0


def test_a_long_transaction_is_found_within_the_overlap(org: Org) -> None:
    """H048: visible 90 s after its stamp, when the cursor had passed it long ago."""
    org.lead("First")
    _, cursor = org.read()
    org.advance(30)
    slow = org.act("create", object="Lead", values={"LastName": "Slow", "Company": "A"}, commit_after_s=90)["key"]
    org.advance(10)
    fast = org.lead("Fast")
    told, cursor = org.read(cursor)
    assert fast in told
    assert slow not in told
    org.advance(85)
    told, _ = org.read(cursor)
    assert slow in told


def test_deletions_merges_and_conversions_come_with_the_feed(org: Org) -> None:
    """H124, H129, H132: gone, merged and converted, each with where it went; the Contact of a conversion too."""
    gone, loser, winner, lead = (org.lead(name, Email=f"{name}@x.test") for name in ("Gone", "Lost", "Won", "Deal"))
    _, cursor = org.read()
    org.advance(5)
    org.act("delete", object="Lead", key=gone)
    org.act("merge", object="Lead", key=winner, losers=[loser])
    contact = org.act("convert", key=lead)["contact"]
    told, _ = org.read(cursor)
    assert (told[gone].state, told[gone].into) == ("gone", None)
    assert (told[loser].state, told[loser].into) == ("merged", ("Lead", winner))
    assert (told[lead].state, told[lead].into) == ("converted", ("Contact", contact))
    assert told[winner].state == "live"
    fetched = org.fetch(gone, loser, lead)
    assert {key: record.state for key, record in fetched.items()} == {
        gone: "gone",
        loser: "merged",
        lead: "converted",
        winner: "live",
    }
    assert org.fetch(contact, object="Contact")[contact].attributes["LastName"] == "Deal"
    org.act("purge", object="Lead", key=gone)
    assert org.fetch(gone) == {}, "what leaves no trace is no evidence"
    (found,) = org.connector.find("Lead", [], "Email", ["deal@X.test"])
    assert found.record.state == "converted"
    assert not list(org.connector.find("Lead", [], "Email", ["Lost@x.test"])), "merged away is not found"


def test_our_own_writes_are_told_as_ours(org: Org) -> None:
    """H074: the record's last writer, as far as Salesforce tells."""
    (made,) = org.write(make("a"))
    by_a_person = org.lead("Other")
    told, _ = org.read()
    assert made.key is not None
    assert (told[made.key].ours, told[by_a_person].ours) == (True, False)
