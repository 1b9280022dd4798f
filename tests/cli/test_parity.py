"""Parity: both sides are read again, and each difference is told from the others."""

from __future__ import annotations

from typing import Any

from tests.cli.shop import Shop


def settled(shop: Shop) -> tuple[str, str]:
    """(lead, contact) of one linked person, quiet."""
    lead = shop.lead(Title="CEO")
    assert shop.run("once", "--yes").code == 0
    for _ in range(4):
        shop.run("once")
    return lead, shop.mk.keys("contacts")[0]


def people(shop: Shop, *options: str) -> Any:
    return shop.run("parity", "people", *options, "--json").json["mappings"]["people"]


def field(figure: Any, name: str) -> Any:
    return next(one for one in figure["fields"] if one["field"] == name)


def test_where_both_sides_say_the_same_the_figure_is_whole(shop: Shop) -> None:
    """Every field of every pair is counted once; 1.0 means that nothing differs without a rule."""
    settled(shop)
    done = shop.run("parity", "--json")
    assert done.code == 0
    figure = done.json["mappings"]["people"]
    assert figure["links"] == figure["compared"] == 1
    assert figure["agreement"] == 1.0
    assert sum(one["compared"] for one in figure["fields"]) == len(figure["fields"])


def test_a_change_that_no_feed_told_is_drift_and_the_next_cycle_mends_it(shop: Shop) -> None:
    """Exit 3, an issue for the field, the pair by name; what was found is decided on, and then the issue closes."""
    lead, contact = settled(shop)
    shop.sf.advance(3_600_000)
    shop.lead(Email="eve@example.test")  # the feed has gone on: it does not read the first one again
    for _ in range(4):
        shop.run("once")
    shop.sf.recalculate("Lead", lead, "LastName", "Byron")
    done = shop.run("parity", "--json")
    assert done.code == 3
    figure = done.json["mappings"]["people"]
    assert field(figure, "last_name")["drift"] == 1
    assert [at["key"] for at in figure["drifting"][0]["records"]] == [contact, lead]
    assert "drift" in {issue["kind"] for issue in shop.run("issues", "--json").json}
    for _ in range(3):
        shop.run("once")
    assert shop.mk.values("contacts", contact)["lastname"] == "Byron"
    assert shop.run("parity").code == 0
    assert "drift" not in {issue["kind"] for issue in shop.run("issues", "--json").json}


def test_an_edit_after_the_last_cycle_is_in_flight_and_not_drift(shop: Shop) -> None:
    """The next cycle takes it across: nobody is to be woken for it, and its figure does not fall."""
    lead, _ = settled(shop)
    shop.sf.edit("Lead", lead, {"LastName": "Byron"})
    done = shop.run("parity", "people", "--json")
    assert done.code == 0
    figure = done.json["mappings"]["people"]
    assert field(figure, "last_name")["in_flight"] == 1
    assert figure["drift"] == 0


def test_a_held_change_is_in_flight_and_not_drift(shop: Shop) -> None:
    """What waits for a person's approval is known, and is told as what it is."""
    lead, _ = settled(shop)
    shop.edit(shop.config, 'min_free = "1KiB"', 'min_free = "1KiB"\n[guard]\nupdates = { per_cycle = 0, per_day = 0 }')
    shop.sf.edit("Lead", lead, {"LastName": "Byron"})
    assert shop.run("once").code == 3
    figure = people(shop)
    assert field(figure, "last_name")["in_flight"] == 1
    assert figure["drift"] == 0


def test_a_difference_that_a_rule_allows_is_by_rule(shop: Shop) -> None:
    """A blank does not overwrite: both sides keep what they have, and that is agreed."""
    lead, _ = settled(shop)
    shop.sf.edit("Lead", lead, {"Title": None})
    for _ in range(3):
        shop.run("once")
    figure = people(shop)
    assert field(figure, "title")["by_rule"] == 1
    assert figure["drift"] == 0


def test_what_a_side_does_not_answer_is_unreadable_and_never_agreement(shop: Shop) -> None:
    """A record that cannot be seen agrees with nothing; where nothing can be read the figure is unknown."""
    lead, _ = settled(shop)
    shop.sf.hide("Lead", lead)
    figure = people(shop)
    assert figure["unreadable"] == sum(one["compared"] for one in figure["fields"])
    assert figure["agreement"] is None


def test_figures_are_kept_with_their_date(shop: Shop) -> None:
    """The history of the figure is in the ledger; a comparison of all is told from a sample."""
    settled(shop)
    people(shop)
    people(shop, "--sample", "1")
    rows = shop.ok("parity", "--history")
    assert len(rows) == 2
    assert all(row["agreement"] == 1.0 for row in rows)
    assert all(row["at"].startswith("20") for row in rows)
